"""Every id and part of the runbook, performed through the HTTP API."""

from tests.acceptance.by_api import ApiSurface
from tests.acceptance.closing import Closing
from tests.acceptance.communicating import Communications
from tests.acceptance.completeness import Completeness
from tests.acceptance.first_fifteen import FirstFifteen
from tests.acceptance.inquiry import Investigation, Plays
from tests.acceptance.severity import Roles, Severity

SURFACE = ApiSurface


class TestTheApi(Completeness, Closing, Communications, Plays, Investigation, FirstFifteen, Roles, Severity):
    pass
