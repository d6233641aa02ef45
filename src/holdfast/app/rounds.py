"""What time itself decides: recorded by rounds that the server makes, and by nobody's command.

A freeze about to lapse is warned of, a missed clock is recorded for the review, lapsed bearers go.
"""

from __future__ import annotations

import logging
from datetime import datetime

from holdfast.app.application import SYSTEM_VIEWER, Application
from holdfast.app.ports import RowQuery
from holdfast.app.queries import clocks
from holdfast.app.work import Work
from holdfast.incidents import freezing, missing
from holdfast.kernel.instants import format_instant

LOG = logging.getLogger("holdfast")
EVERY_S = 15
MOST = 100_000


def make(app: Application) -> int:
    """One round over every open incident; how many events it recorded."""
    now = app.tools.clock()
    app.installation_tools.credentials.drop_lapsed(now)
    recorded = 0
    for row in app.record.rows(RowQuery("", format_instant(now), "open", limit=MOST, everything=True)):
        try:
            recorded += _one(app, row.incident_id, now)
        except Exception as error:  # noqa: BLE001 - one incident that cannot be read must not stop everybody's clocks
            LOG.error("round-failed: %s", type(error).__name__)  # noqa: TRY400 - a trace could hold locals
    return recorded


def _one(app: Application, incident_id: str, now: datetime) -> int:
    state = app.states.incident(incident_id)
    calendar = clocks.calendar_of(state, app.tools.documents)
    overdue = clocks.overdue(clocks.clocks(state, calendar, now), now)
    found = [(clock.key, clock.name, clock.until) for clock in overdue]
    if not freezing.warn(state.incidents.board, now) and not missing.newly_missed(state.incidents, found):
        return 0

    def decide(work: Work) -> None:
        work.emit_all(freezing.warn(work.state.incidents.board, work.now))
        work.emit_all(missing.newly_missed(work.state.incidents, found))

    return len(app.dispatcher.internal(incident_id, SYSTEM_VIEWER, decide).events)
