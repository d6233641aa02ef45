"""Every nag of every package in one list, red ones first."""

from __future__ import annotations

from datetime import datetime

from holdfast.app.queries.clocks import board_facts
from holdfast.app.state import IncidentState
from holdfast.incidents.board_nags import board_nags
from holdfast.incidents.nagging import Nag, nags


def all_nags(state: IncidentState, now: datetime) -> list[Nag]:
    """What is missing, late or about to lapse."""
    board = board_nags(state.incidents.board, board_facts(state), now)
    found = [*nags(state.incidents, now), *(Nag(nag.words, nag.since, nag.next_step) for nag in board)]
    return sorted(found, key=lambda nag: (not nag.red, nag.since))
