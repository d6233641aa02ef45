"""Promised updates as clocks: what runs, what is overdue, what was kept, and the suggested rhythm."""

from __future__ import annotations

from datetime import datetime, timedelta

from holdfast.communications.state import Audience, Promise, State
from holdfast.kernel.events import NewEvent

_FIRST_HOURS = timedelta(hours=2)
_CADENCE: dict[str, tuple[timedelta, timedelta]] = {
    "SEV-1": (timedelta(minutes=30), timedelta(minutes=60)),
    "SEV-2": (timedelta(hours=2), timedelta(hours=24)),
    "SEV-3": (timedelta(hours=24), timedelta(hours=24)),
}
"""Within the first two hours and after them. Engineering defaults after PagerDuty's published practice of 20
to 30 minutes, fewer after two hours; SEV-4 is told of changes only."""


def running(state: State) -> tuple[Promise, ...]:
    """The promises that still run, soonest first."""
    return tuple(sorted((one for one in state.promises if one.is_open), key=lambda one: one.due_at))


def overdue(state: State, now: datetime) -> tuple[Promise, ...]:
    """The running promises whose time has passed, longest overdue first."""
    return tuple(one for one in running(state) if one.due_at < now)


def kept_on_time(promise: Promise) -> bool | None:
    """Whether it was kept in time; ``None`` while it runs or when it ended with the cadence."""
    return None if promise.kept_at is None else promise.kept_at <= promise.due_at


def end(state: State) -> list[NewEvent]:
    """End every running promise: recovery is verified, and the cadence of updates with it."""
    return [
        NewEvent("promise.ended", {"audience": promise.audience, "update_id": promise.update_id})
        for promise in running(state)
    ]


def suggested(state: State, audience: Audience, severity: str, declared_at: datetime, now: datetime) -> datetime | None:
    """A next update time to offer for an audience, or ``None`` where only changes are told (SEV-4)."""
    cadence = _CADENCE.get(severity)
    if cadence is None:
        return None
    early, later = cadence
    sent = any(update.audience == audience and update.sent_at is not None for update in state.updates.values())
    return now + (early if now - declared_at < _FIRST_HOURS or not sent else later)
