"""Every id and part of the runbook, performed through the command line."""

from tests.acceptance.by_cli import CliSurface
from tests.acceptance.closing import Closing
from tests.acceptance.communicating import Communications
from tests.acceptance.completeness import Completeness
from tests.acceptance.first_fifteen import FirstFifteen
from tests.acceptance.inquiry import Investigation, Plays
from tests.acceptance.severity import Roles, Severity

SURFACE = CliSurface


class TestTheCommandLine(Completeness, Closing, Communications, Plays, Investigation, FirstFifteen, Roles, Severity):
    pass
