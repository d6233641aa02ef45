"""Promised updates as clocks: what runs, what is overdue, what was kept."""

from __future__ import annotations

from datetime import datetime

from holdfast.communications.state import Promise, State
from holdfast.kernel.events import NewEvent


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
