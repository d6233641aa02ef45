"""The handover brief: what the next commander reads before accepting, as plain text.

The caller brings the words and what other packages know; this decides the order and says plainly what is
missing. Order: state, open and disproved hypotheses, last customer update, running clocks, pending approvals,
tasks due, freezes, what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.incidents.nagging import nags
from holdfast.incidents.roles import role_book
from holdfast.incidents.state import IMPACTS, State
from holdfast.kernel.instants import format_instant


@dataclass(frozen=True, slots=True)
class SentUpdate:
    """The newest update customers got."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A promise or a target that runs."""

    what: str
    due: datetime


@dataclass(frozen=True, slots=True)
class BriefInput:
    """Everything the brief tells that is not in the incident's core."""

    name: str
    """The short name's words."""
    facts: Sequence[str] = ()
    open_hypotheses: Sequence[str] = ()
    disproved_hypotheses: Sequence[str] = ()
    last_customer_update: SentUpdate | None = None
    clocks: Sequence[RunningClock] = ()
    pending_approvals: Sequence[str] = ()
    tasks: Sequence[str] = ()
    freezes: Sequence[str] = ()


def write(state: State, more: BriefInput, now: datetime) -> str:
    """The brief at an instant, one heading a section, never empty."""
    sections = (
        ("State", _state(state, more, now)),
        ("Confirmed facts", more.facts or ["none yet"]),
        ("Open hypotheses", more.open_hypotheses or ["none"]),
        ("Disproved hypotheses", more.disproved_hypotheses or ["none"]),
        ("Last customer update", _customers(more.last_customer_update, now)),
        ("Running clocks", _clocks(more.clocks, now)),
        ("Pending approvals", [*_waiting(state), *more.pending_approvals] or ["none"]),
        ("Tasks under way", more.tasks or ["none"]),
        ("Freezes in force", more.freezes or ["none"]),
        ("Missing", [f"{nag.what} (for {_lasting(nag.since, now)})" for nag in nags(state, now)] or ["nothing"]),
    )
    head = f"Handover brief, {state.incident_id}, {format_instant(now)}"
    return "\n\n".join([head, *(f"{title}\n" + "\n".join(f"- {line}" for line in lines) for title, lines in sections)])


def _state(state: State, more: BriefInput, now: datetime) -> list[str]:
    started = "unknown" if state.started is None else f"{format_instant(state.started.at)} ({state.started.basis})"
    declared = "" if state.declared_at is None else f", declared {format_instant(state.declared_at)}"
    severity = f"{state.level or 'not set'}{' provisional' if state.severity.provisional else ''}"
    since = "" if state.lifecycle.since is None else f" for {_lasting(state.lifecycle.since, now)}"
    commander = state.commander or "nobody"
    acting = " (acting)" if state.command.acting else ""
    lines = [
        f"{more.name}{' (EXERCISE)' if state.kind == 'exercise' else ''}",
        f"Severity {severity}, peak {state.peak or 'not set'}; status {state.status}{since}",
        f"Started {started}{declared}",
        f"Commander {commander}{acting}",
    ]
    for key, role in role_book().roles.items():
        if key != "commander":
            lines.append(f"{role.name}: {state.holder(key) or 'unfilled'}")
    for impact in IMPACTS:
        said = state.impact.get(impact)
        lines.append(f"Impact on {impact.replace('_', ' ')}: {'unknown' if said is None else said.answer}")
    return lines


def _customers(update: SentUpdate | None, now: datetime) -> list[str]:
    if update is None:
        return ["none was sent"]
    return [f"sent {format_instant(update.at)} ({_lasting(update.at, now)} ago): {update.text}"]


def _clocks(clocks: Sequence[RunningClock], now: datetime) -> list[str]:
    ordered = sorted(clocks, key=lambda clock: clock.due)
    return [
        f"{clock.what}: due {format_instant(clock.due)}{', OVERDUE' if clock.due <= now else ''}" for clock in ordered
    ] or ["none"]


def _waiting(state: State) -> list[str]:
    lines = [f"countersignature of #{owed.seq} ({owed.what}), approved by {owed.by} alone" for owed in state.owed]
    if state.severity.lowering is not None:
        lines.append(
            f"lowering the severity to {state.severity.lowering.level}, proposed by {state.severity.lowering.by}"
        )
    proposal = state.lifecycle.proposal
    if proposal is not None:
        lines.append(f"disposition {proposal.disposition}, proposed by {proposal.by}")
    return lines


def _lasting(then: datetime, now: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds()) // 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
