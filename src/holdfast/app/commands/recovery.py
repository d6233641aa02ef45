"""Recovery and closure: what the gates X1 to X7 rest on, and proving, waiving and reopening them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from holdfast.app.commanding import (
    AccountName,
    Cites,
    Context,
    IncidentCommand,
    Instant,
    Line,
    Prose,
    numbered,
    use_case,
)
from holdfast.incidents.roles import acting_alone
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.parts import Standing
from holdfast.recovery import duties, gates, proofs
from holdfast.recovery.duties import Choice
from holdfast.recovery.state import CredentialOutcome, Decision, EscalationKind, GateId

CredentialId = Annotated[str, numbered("credential")]
NotificationId = Annotated[str, numbered("notification")]
ActionId = Annotated[str, numbered("action")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]

_CITES = "what shows it: ev-3 for evidence, #17 for an entry of the record"
_GATES = ("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8")


class IdentifyCause(IncidentCommand):
    """Record the root cause."""

    statement: Prose = Field(description="the root cause")
    cites: Cites = Field(description=_CITES)


class UnknownCause(IncidentCommand):
    """Record that the root cause is unknown, and why it cannot be known."""

    rationale: Prose = Field(description="why it cannot be known, and what was examined")
    cites: Cites = Field(default=[], description=_CITES)


class ClosePath(IncidentCommand):
    """Record that the attack path is closed; verifying it is a second step."""

    statement: Prose = Field(description="what was closed, and how")
    cites: Cites = Field(description=_CITES)


class VerifyPath(IncidentCommand):
    """Record that the closed attack path was tried, and refused."""

    statement: Prose = Field(description="how it was tried, and what happened")
    cites: Cites = Field(description=_CITES)


class ListCredential(IncidentCommand):
    """List a credential as affected, by name, never by value."""

    name: Line = Field(description="its name: what it opens and who owns it")


class SettleCredential(IncidentCommand):
    """Settle an affected credential: rotated, revoked, or not needed."""

    credential: CredentialId = Field(description="the credential")
    outcome: CredentialOutcome = Field(description="rotated and revoked need a citation, not_needed a reason")
    cites: Cites = Field(default=[], description=_CITES)
    reason: Prose | None = Field(default=None, description="why neither is needed")


class NoCredential(IncidentCommand):
    """Record that no credential was affected."""

    reason: Prose = Field(description="how you know")
    cites: Cites = Field(description=_CITES)


class SettleRevalidation(IncidentCommand):
    """Settle the revalidation of artifacts, images or deployments."""

    part: Literal["artifacts", "images", "deployments"] = Field(description="what was revalidated")
    standing: Standing = Field(default="done", description="done needs a citation; the others a reason")
    cites: Cites = Field(default=[], description=_CITES)
    reason: Prose | None = Field(default=None, description="why it is unknown, unreachable or not applicable")


class AddMonitor(IncidentCommand):
    """Record that something watches for an indicator of recurrence."""

    indicator: Line = Field(description="what would show that it happens again")
    where: Line = Field(description="which system watches, and who is told")
    cites: Cites = Field(description="the rule or alert: ev-3 or #17")


class DecideEscalation(IncidentCommand):
    """Decide, as business owner, whether to escalate: yes to whom and by when, or no and why."""

    escalation: EscalationKind = Field(description="which of the four")
    decision: Decision = Field(description="yes, no or undecided")
    to: Line | None = Field(default=None, description="who is to be notified, with yes")
    due_at: Instant | None = Field(default=None, description="by when, with yes")
    reason: Prose | None = Field(default=None, description="why; needed with no")


class ReceiptEscalation(IncidentCommand):
    """Record the receipt of a notification."""

    notification: NotificationId = Field(description="the notification")
    receipt: Line = Field(description="reference number, address, who took it")
    given_at: Instant | None = Field(default=None, description="when it was given; now when left out")
    cites: Cites = Field(default=[], description="the receipt as evidence: ev-3")


class AssignAction(IncidentCommand):
    """Assign a corrective action to one person, with a date."""

    text: Prose = Field(description="what is to be done")
    owner: AccountName = Field(description="who does it: one person")
    due: Day = Field(description="by which date, YYYY-MM-DD")


class DoneAction(IncidentCommand):
    """Record a corrective action as done."""

    action: ActionId = Field(description="the action")
    cites: Cites = Field(description=_CITES)


class DropAction(IncidentCommand):
    """Drop a corrective action."""

    action: ActionId = Field(description="the action")
    reason: Prose = Field(description="why it is not done")


class NoAction(IncidentCommand):
    """Record that no corrective action is needed."""

    reason: Prose = Field(description="why none is")


class ProveGate(IncidentCommand):
    """Put your name under a closure gate whose needs are met."""

    gate: GateId = Field(description="X1 to X8")
    statement: Prose = Field(description="what shows it, in a sentence")
    cites: Cites = Field(description=_CITES)


class WaiveGate(IncidentCommand):
    """Let a closure gate pass without proof, as the business owner."""

    gate: GateId = Field(description="X1 to X8")
    reason: Prose = Field(description="why the risk is accepted")


class ReopenGate(IncidentCommand):
    """Take back the proof or waiver of a closure gate."""

    gate: GateId = Field(description="X1 to X8")
    reason: Prose = Field(description="what puts it in doubt")


@use_case("cause identify", act="cause.identify", facet="closure:X1", runbook=("X1",), positional=("statement",))
def identify_cause(command: IdentifyCause, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(proofs.identify_cause(ctx.seal(command.statement), ctx.cite(command.cites)))


@use_case("cause unknown", act="cause.unknown", facet="closure:X1", runbook=("X1",), positional=("rationale",))
def unknown_cause(command: UnknownCause, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(proofs.unknown_cause(ctx.seal(command.rationale), ctx.cite(command.cites)))


@use_case("path close", act="path.close", facet="closure:X2", runbook=("X2",), positional=("statement",))
def close_path(command: ClosePath, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(proofs.close_path(ctx.seal(command.statement), ctx.cite(command.cites)))


@use_case("path verify", act="path.verify", facet="closure:X2", runbook=("X2",), positional=("statement",))
def verify_path(command: VerifyPath, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(proofs.verify_path(ctx.state.recovery, ctx.seal(command.statement), ctx.cite(command.cites)))


@use_case("credential list", act="credential.list", runbook=("X3",), positional=("name",))
def list_credential(command: ListCredential, ctx: Context) -> Mapping[str, Any]:
    """Number it."""
    ctx.emit_all(proofs.list_credential(ctx.state.recovery, ctx.seal(command.name)))
    return {"credential": list(ctx.state.recovery.credentials)[-1]}


@use_case(
    "credential settle",
    act="credential.settle",
    facet="closure:X3",
    runbook=("X3",),
    positional=("credential", "outcome"),
)
def settle_credential(command: SettleCredential, ctx: Context) -> None:
    """Settle it."""
    cites, reason = ctx.cite(command.cites), ctx.seal_or_none(command.reason)
    ctx.emit_all(proofs.settle_credential(ctx.state.recovery, command.credential, command.outcome, cites, reason))


@use_case("credential none", act="credential.none", facet="closure:X3", runbook=("X3",), positional=("reason",))
def no_credential(command: NoCredential, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(proofs.no_credentials(ctx.state.recovery, ctx.seal(command.reason), ctx.cite(command.cites)))


@use_case("revalidate settle", act="revalidate.settle", facet="closure:X4", runbook=("X4",), positional=("part",))
def settle_revalidation(command: SettleRevalidation, ctx: Context) -> None:
    """Settle it."""
    cites, reason = ctx.cite(command.cites), ctx.seal_or_none(command.reason)
    ctx.emit_all(proofs.revalidate(command.part, command.standing, cites, reason))


@use_case("monitor add", act="monitor.add", runbook=("X5",), positional=("indicator",))
def add_monitor(command: AddMonitor, ctx: Context) -> Mapping[str, Any]:
    """Add it."""
    indicator, where = ctx.seal(command.indicator), ctx.seal(command.where)
    ctx.emit_all(proofs.monitor(ctx.state.recovery, indicator, where, ctx.cite(command.cites)))
    return {"indicator": ctx.state.recovery.indicators[-1].id}


@use_case(
    "escalation decide",
    act="escalation.decide",
    facet="escalation:{escalation}",
    runbook=("R5", "X6"),
    positional=("escalation", "decision"),
)
def decide_escalation(command: DecideEscalation, ctx: Context) -> Mapping[str, Any]:
    """Decide it."""
    choice = Choice(command.decision, ctx.seal_or_none(command.to), command.due_at, ctx.seal_or_none(command.reason))
    ctx.emit_all(duties.decide_escalation(ctx.state.recovery, command.escalation, choice))
    found = ctx.state.recovery.escalations[command.escalation].notifications
    return {"notification": found[-1].id if command.decision == "yes" else None}


@use_case("escalation receipt", act="escalation.receipt", runbook=("R5", "X6"), positional=("notification", "receipt"))
def receipt_escalation(command: ReceiptEscalation, ctx: Context) -> None:
    """Record it."""
    given_at = command.given_at or ctx.now
    cites = ctx.cite(command.cites)
    words = ctx.seal(command.receipt)
    ctx.emit_all(duties.receipt(ctx.state.recovery, command.notification, words, cites, given_at=given_at, now=ctx.now))


@use_case("action assign", act="action.assign", runbook=("X7",), positional=("text",))
def assign_action(command: AssignAction, ctx: Context) -> Mapping[str, Any]:
    """Check person and date, then assign."""
    owner, due = ctx.person(command.owner), _day(command.due)
    ctx.emit_all(duties.assign_action(ctx.state.recovery, ctx.seal(command.text), owner, due, today=ctx.now.date()))
    return {"action": list(ctx.state.recovery.actions)[-1]}


@use_case("action done", act="action.done", facet="action:{action}", runbook=("X7",), positional=("action",))
def done_action(command: DoneAction, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(duties.do_action(ctx.state.recovery, command.action, ctx.cite(command.cites)))


@use_case("action drop", act="action.drop", facet="action:{action}", runbook=("X7",), positional=("action",))
def drop_action(command: DropAction, ctx: Context) -> None:
    """Drop it."""
    ctx.emit_all(duties.drop_action(ctx.state.recovery, command.action, ctx.seal(command.reason)))


@use_case("action none", act="action.none", facet="closure:X7", runbook=("X7",), positional=("reason",))
def no_action(command: NoAction, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(duties.no_actions(ctx.state.recovery, ctx.seal(command.reason)))


@use_case(
    "closure prove", act="closure.prove", facet="closure:{gate}", runbook=_GATES, positional=("gate", "statement")
)
def prove_gate(command: ProveGate, ctx: Context) -> None:
    """Prove it."""
    statement, cites = ctx.seal(command.statement), ctx.cite(command.cites)
    ctx.emit_all(gates.prove(ctx.state.recovery, command.gate, statement, cites))


@use_case("closure waive", act="closure.waive", facet="closure:{gate}", runbook=_GATES, positional=("gate", "reason"))
def waive_gate(command: WaiveGate, ctx: Context) -> None:
    """Waive it."""
    core = ctx.state.incidents
    owner = core.holder("business_owner") == ctx.me
    alone = acting_alone(core, ctx.me, ("business_owner",))
    reason = ctx.seal(command.reason)
    ctx.emit_all(gates.waive(command.gate, reason, is_business_owner=owner, acting_alone=alone))


@use_case("closure reopen", act="closure.reopen", facet="closure:{gate}", runbook=_GATES, positional=("gate", "reason"))
def reopen_gate(command: ReopenGate, ctx: Context) -> None:
    """Reopen it."""
    ctx.emit_all(gates.reopen(ctx.state.recovery, command.gate, ctx.seal(command.reason)))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInputError(
            "date-not-understood",
            "The date is not a day of the calendar.",
            why="Dates are written as YYYY-MM-DD.",
            next_step="Write it like 2026-12-11.",
        ) from None
