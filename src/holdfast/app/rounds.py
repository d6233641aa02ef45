"""What time itself decides: recorded by rounds that the server makes, and by nobody's command.

A freeze about to lapse is warned of, a missed clock is recorded for the review, lapsed bearers go.
"""

from __future__ import annotations

import logging
from datetime import datetime

from holdfast.app.application import SYSTEM_VIEWER, Application
from holdfast.app.queries import clocks
from holdfast.app.work import Work
from holdfast.incidents import freezing, missing
from holdfast.kernel.instants import format_instant

LOG = logging.getLogger("holdfast")
EVERY_S = 15
AT_ONCE = 200
"""Incidents folded in one round at most, so that a start with thousands of open ones does not stand still."""

Seen = dict[str, tuple[int, str]]
"""Incident to the version last looked at and the instant when time next matters to it."""


def make(app: Application, seen: Seen | None = None) -> int:
    """One round over the open incidents for which something may be due; how many events it recorded.

    ``seen`` is kept by the caller from round to round: an incident that has not changed since, and whose next
    clock is not due, is passed over.
    """
    seen = {} if seen is None else seen
    now = app.tools.clock()
    instant = format_instant(now)
    app.installation_tools.credentials.drop_lapsed(now)
    recorded = looked = 0
    for incident_id, version in app.record.open_incidents():
        last = seen.get(incident_id)
        if last is not None and last[0] == version and instant < last[1]:
            continue
        looked += 1
        if looked > AT_ONCE:
            break
        try:
            recorded += _one(app, incident_id, now)
            seen[incident_id] = _next(app, incident_id, now)
        except Exception as error:  # noqa: BLE001 - one incident that cannot be read must not stop everybody's clocks
            LOG.error("round-failed: %s", type(error).__name__)  # noqa: TRY400 - a trace could hold locals
    return recorded


def _next(app: Application, incident_id: str, now: datetime) -> tuple[int, str]:
    state = app.states.incident(incident_id)
    calendar = clocks.calendar_of(state, app.tools.documents)
    running = [clock.until for clock in clocks.clocks(state, calendar, now) if clock.stopped_at is None]
    ahead = [until for until in (*running, freezing.warn_at(state.incidents.board, now)) if until and until > now]
    return state.seq, format_instant(min(ahead)) if ahead else "9999"


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
