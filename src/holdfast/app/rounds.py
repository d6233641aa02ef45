"""What time itself decides: recorded by rounds that the server makes, and by nobody's command.

A freeze about to lapse is warned of, a missed clock is recorded for the review, lapsed bearers go.
"""

from __future__ import annotations

from holdfast.app.application import SYSTEM_VIEWER, Application
from holdfast.app.ports import RowQuery
from holdfast.app.queries import clocks
from holdfast.app.work import Work
from holdfast.incidents import freezing, missing
from holdfast.kernel.instants import format_instant

EVERY_S = 15
MOST = 100_000


def make(app: Application) -> int:
    """One round over every open incident; how many events it recorded."""
    now = app.tools.clock()
    app.installation_tools.credentials.drop_lapsed(now)
    recorded = 0
    for row in app.record.rows(RowQuery("", format_instant(now), "open", limit=MOST, everything=True)):
        state = app.states.incident(row.incident_id)
        calendar = clocks.calendar_of(state, app.tools.documents)
        found = [
            (clock.key, clock.name, clock.until) for clock in clocks.overdue(clocks.clocks(state, calendar, now), now)
        ]
        if freezing.warn(state.incidents.board, now) or missing.newly_missed(state.incidents, found):

            def decide(work: Work) -> None:
                work.emit_all(freezing.warn(work.state.incidents.board, work.now))
                work.emit_all(missing.newly_missed(work.state.incidents, found))  # noqa: B023 - used within this turn

            recorded += len(app.dispatcher.internal(row.incident_id, SYSTEM_VIEWER, decide).events)
    return recorded
