"""Every clock of an incident in one list: what runs, since when, until when, and what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.app.state import IncidentState
from holdfast.incidents import board, freezing, targets
from holdfast.incidents.board import BoardFacts, Stated
from holdfast.incidents.calendars import Calendar, open_calendar
from holdfast.incidents.targets import Change
from holdfast.kernel.instants import format_instant


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock."""

    key: str
    name: str
    since: datetime
    until: datetime | None
    stopped_at: datetime | None
    runbook: str
    warning: str | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether it runs and is late."""
        return self.stopped_at is None and self.until is not None and now >= self.until

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For API and CLI."""
        return {
            "key": self.key,
            "name": self.name,
            "overdue": self.overdue(now),
            "running": self.stopped_at is None,
            "runbook": self.runbook,
            "since": format_instant(self.since),
            "stopped_at": None if self.stopped_at is None else format_instant(self.stopped_at),
            "until": None if self.until is None else format_instant(self.until),
            "warning": self.warning,
        }


def calendar_of(state: IncidentState, documents: Any) -> Calendar:  # noqa: ANN401 - the Documents port
    """The response calendar frozen when the incident was declared."""
    return open_calendar(documents.get(state.incidents.pins["calendar"]))


def board_facts(state: IncidentState) -> BoardFacts:
    """What the board needs of the rest of the incident."""
    core = state.incidents
    assert core.declared_at is not None
    assert core.declared_by is not None
    command = core.command
    severity = core.severity.changes[0] if core.severity.changes else None
    return BoardFacts(
        declared_at=core.declared_at,
        declared_by=core.declared_by,
        commander=Stated("done", command.assumed_at, command.commander)
        if command.commander is not None and not command.acting and command.assumed_at is not None
        else None,
        severity=None if severity is None else Stated("done", severity.at, severity.by, severity.seq),
        impacts={
            key: Stated("unknown" if said.answer == "unknown" else "done", said.at, said.by)
            for key, said in core.impact.items()
        },
        report={
            part: Stated("done", entries[0].at, entries[0].by, entries[0].seq) for part, entries in core.report.items()
        },
        ended=core.status == "closed",
    )


def clocks(state: IncidentState, calendar: Calendar, now: datetime) -> list[Clock]:
    """All clocks, running ones first, the most urgent at the top."""
    if state.incidents.declared_at is None:
        return []
    found = [*_command(state), *_targets(state, calendar), *_board(state, now), *_freezes(state, now)]
    found += [*_tasks(state), *_promises(state), *_review(state, calendar)]
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda clock: (clock.stopped_at is not None, clock.until or far, clock.key))


def _command(state: IncidentState) -> list[Clock]:
    core = state.incidents
    command = core.command
    assert core.declared_at is not None
    found = []
    if core.peak == "SEV-1" or command.assumed_at is None:
        stopped = command.assumed_at or core.lifecycle.closed_at
        limit = core.declared_at + targets.ACKNOWLEDGE
        found.append(Clock("command", "Somebody says “I command”", core.declared_at, limit, stopped, "S1"))
    if command.vacant_since is not None and core.status != "closed":
        found.append(Clock("vacant", "No commander", command.vacant_since, command.vacant_since, None, "R1"))
    if command.challenge is not None:
        challenge = command.challenge
        name = f"{challenge.commander} answers the challenge"
        found.append(Clock("challenge", name, challenge.at, challenge.answer_by, None, "R1"))
    return found


def _targets(state: IncidentState, calendar: Calendar) -> list[Clock]:
    core = state.incidents
    changes = [Change(change.level, change.at) for change in core.severity.changes]
    stopped = core.lifecycle.contained_at or core.lifecycle.closed_at
    return [
        Clock(
            f"target-{number}",
            f"{target.level}: {target.words[:1].lower()}{target.words[1:]}",
            target.since,
            target.due,
            core.command.assumed_at or stopped,
            target.level.replace("SEV-", "S"),
            target.warning,
        )
        for number, target in enumerate(targets.targets(calendar, changes), start=1)
        if target.due is not None
    ]


def _board(state: IncidentState, now: datetime) -> list[Clock]:
    clock = board.board_clock(state.incidents.board, board_facts(state), now)
    stopped = clock.stopped_at or state.incidents.lifecycle.closed_at
    return [Clock("first-fifteen", "First 15 minutes", clock.started_at, clock.due_at, stopped, "F1 to F6")]


def _freezes(state: IncidentState, now: datetime) -> list[Clock]:
    return [
        Clock(
            freeze.id, f"Freeze on {', '.join(freeze.scopes)} lapses", freeze.ordered_at, freeze.expires_at, None, "F4"
        )
        for freeze in freezing.standing_freezes(state.incidents.board, now)
    ]


def _tasks(state: IncidentState) -> list[Clock]:
    return [
        Clock(task.id, f"{task.id} of {task.owner}", task.at, task.due, None, "C1")
        for task in state.incidents.board.tasks.values()
        if task.standing == "open"
    ]


def _promises(state: IncidentState) -> list[Clock]:
    return [
        Clock(
            f"update-{promise.audience}",
            f"Next update to {promise.audience}",
            promise.made_at,
            promise.due_at,
            None,
            "C1",
        )
        for promise in state.communications.promises
        if promise.is_open
    ]


def _review(state: IncidentState, calendar: Calendar) -> list[Clock]:
    due = review_due(state, calendar)
    verified = state.incidents.lifecycle.recovery_verified_at
    if due is None or verified is None:
        return []
    return [Clock("review", "Post-incident review", verified, due, _reviewed_at(state), "X8")]


def review_due(state: IncidentState, calendar: Calendar) -> datetime | None:
    """When the review is due: five business days after recovery was verified, for SEV-1 and SEV-2 by peak."""
    verified = state.incidents.lifecycle.recovery_verified_at
    if verified is None or state.incidents.peak not in ("SEV-1", "SEV-2"):
        return None
    return targets.review_due(calendar, verified).at


def _reviewed_at(state: IncidentState) -> datetime | None:
    return state.recovery.review.completed_at


def overdue(found: list[Clock], now: datetime) -> list[Clock]:
    """The late ones."""
    return [clock for clock in found if clock.overdue(now)]
