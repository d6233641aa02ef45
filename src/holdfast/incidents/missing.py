"""A clock that ran out is written to the record once, so that the review sees what was late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from holdfast.incidents.state import State
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant

Late = tuple[str, str, datetime | None]
"""Key and name of a late clock, and when it was due."""


def newly_missed(state: State, late: Iterable[Late]) -> list[NewEvent]:
    """An event for each late clock that the record does not hold yet; one due again later counts anew."""
    return [
        NewEvent("clock.missed", {"clock": key, "name": name, "due_at": format_instant(due)})
        for key, name, due in late
        if due is not None and (key, format_instant(due)) not in state.missed
    ]
