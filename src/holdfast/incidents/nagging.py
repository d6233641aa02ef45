"""What is missing or overdue in the incident's core, each with the one command that supplies it.

Nothing here is recorded: a nag is a reading of the state at an instant, and goes away when it is seen to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.incidents.access import unreviewed
from holdfast.incidents.roles import role_book
from holdfast.incidents.state import IMPACTS, REPORT_PARTS, State
from holdfast.incidents.state_command import ASSIGNABLE_ROLES


@dataclass(frozen=True, slots=True)
class Nag:
    """One thing that is missing."""

    what: str
    since: datetime
    next_command: str
    red: bool = False
    """Missing or overdue so that it must be seen from across the room."""


def nags(state: State, now: datetime) -> list[Nag]:
    """Everything missing now, red ones first, then by age. A closed or undeclared incident has none but reviews."""
    found = list(_reviews(state))
    if state.declared and state.status != "closed":
        found += [*_command(state, now), *_judged(state, now), *_roles(state, now), *_report(state)]
    return sorted(found, key=lambda nag: (not nag.red, nag.since))


def _command(state: State, now: datetime) -> Iterator[Nag]:
    this = state.incident_id
    command = state.command
    if command.commander is None:
        since = command.vacant_since or _declared_at(state)
        yield Nag("No commander", since, f"holdfast command take {this}", red=True)
    elif command.acting:
        since = command.since or _declared_at(state)
        late = state.level == "SEV-1" or now - since >= role_book().limits.acting
        what = f'Nobody has said "I command"; {command.commander} is acting'
        yield Nag(what, since, f"holdfast command take {this}", red=late)
    if command.challenge is not None:
        overdue = now >= command.challenge.answer_by
        what = f"{command.challenge.commander} has not answered whether they command"
        act = f"relieve {this} --reason …" if overdue else f"answer {this}"
        yield Nag(what, command.challenge.at, f"holdfast command {act}", red=overdue)
    if command.handover is not None:
        what = f"{command.handover.to} has not answered the handover"
        yield Nag(what, command.handover.at, f"holdfast handover accept {this}")
    lead = state.holder("technical_lead")
    if state.level == "SEV-1" and lead is not None and lead == command.commander and command.dual_hat != lead:
        what = f"{lead} is commander and technical lead in a SEV-1"
        since = state.roles.holders["technical_lead"].since
        yield Nag(what, since, f"holdfast role assign {this} technical_lead ACCOUNT", red=True)


def _judged(state: State, now: datetime) -> Iterator[Nag]:
    this = state.incident_id
    for impact in IMPACTS:
        said = state.impact.get(impact)
        if said is not None and said.answer == "unknown":
            what = f"Impact on {impact.replace('_', ' ')} is unknown"
            yield Nag(what, said.at, f"holdfast impact state {this} {impact} ANSWER")
    assessed = state.severity.assessed
    if assessed is not None and assessed.open_questions:
        late = assessed.open_due_at is not None and now >= assessed.open_due_at
        owner = state.commander or "nobody yet"
        what = f"The severity is provisional; open, owned by {owner}: {', '.join(assessed.open_questions)}"
        yield Nag(what, assessed.at, f"holdfast severity answer {this} --answers QUESTION=ANSWER", red=late)
    if assessed is not None and state.severity.proposed is not None:
        what = f"The table says {state.severity.proposed}, declared is {state.level}"
        verb = "raise" if state.severity.proposed < (state.level or "") else "lower"  # SEV-1 sorts first, and is worse
        act = f"holdfast severity {verb} {this} {state.severity.proposed} --reason …"
        yield Nag(what, assessed.at, act)
    lowering = state.severity.lowering
    if lowering is not None:
        what = f"{lowering.by}'s proposal of {lowering.level} waits for a second person"
        yield Nag(what, lowering.at, f"holdfast severity confirm-lower {this}")


def _roles(state: State, now: datetime) -> Iterator[Nag]:
    declared = _declared_at(state)
    grace: timedelta = role_book().limits.unfilled
    for role in ASSIGNABLE_ROLES:
        if state.holder(role) is None:
            since = state.roles.released_at.get(role, declared)
            what = f"No {role_book().roles[role].name.lower()} ({role_book().roles[role].runbook})"
            command = f"holdfast role assign {state.incident_id} {role} ACCOUNT"
            yield Nag(what, since, command, red=now - since >= grace and state.level in ("SEV-1", "SEV-2"))


def _report(state: State) -> Iterator[Nag]:
    for part in REPORT_PARTS:
        if part not in state.report:
            what = f"The first report does not say: {part.replace('_', ' ')}"
            yield Nag(what, _declared_at(state), f"holdfast report add {state.incident_id} {part} TEXT")
    if state.started is None:
        what = "Nobody has said when it started"
        yield Nag(what, _declared_at(state), f"holdfast time state {state.incident_id} started INSTANT --reason …")


def _reviews(state: State) -> Iterator[Nag]:
    for owed in state.owed:
        what = f"#{owed.seq} ({owed.what}) was approved by {owed.by} alone"
        yield Nag(what, owed.at, f"holdfast countersign {state.incident_id} {owed.seq}")
    for glass in unreviewed(state):
        what = f"{glass.account} broke the glass; nobody has reviewed it"
        yield Nag(what, glass.opened_at, f"holdfast access review {state.incident_id} {glass.seq} VERDICT --note …")
    proposal = state.lifecycle.proposal
    if proposal is not None:
        what = f"{proposal.by}'s disposition {proposal.disposition} waits for a second person"
        yield Nag(what, proposal.at, f"holdfast disposition confirm {state.incident_id}")


def _declared_at(state: State) -> datetime:
    assert state.declared_at is not None
    return state.declared_at
