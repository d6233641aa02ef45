"""Recovery and closure: the gates with what is missing and who can supply it, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from holdfast.app.closure import closing_blockers, command_for, gate_views, recovery_blockers
from holdfast.app.commanding import Documents
from holdfast.app.queries.clocks import calendar_of, review_due
from holdfast.app.queries.parts import PartShown, part_shown
from holdfast.app.state import IncidentState
from holdfast.incidents.state import DispositionProposal
from holdfast.kernel.texts import Sealed
from holdfast.recovery.catalogue import revalidation_parts
from holdfast.recovery.gates import GateView, requirements
from holdfast.recovery.state import (
    ESCALATIONS,
    Action,
    Cause,
    Credential,
    Escalation,
    GateMark,
    Indicator,
    Notification,
    Statement,
    Watch,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A role and who holds it."""

    role: str
    account: str | None


@dataclass(frozen=True, slots=True)
class GateShown:
    """One closure gate."""

    id: str
    name: str
    needs: str
    counts: str
    standing: str
    """proven, waived, open, not_required."""
    passes: bool
    missing: tuple[str, ...]
    provable: bool
    """Everything it needs is on record, and nobody has put their name under it yet."""
    who: tuple[Holder, ...]
    next_command: str
    mark: GateMark | None
    late: bool


@dataclass(frozen=True, slots=True)
class NotificationShown:
    """Somebody to be notified."""

    notification: Notification
    overdue: bool


@dataclass(frozen=True, slots=True)
class EscalationShown:
    """One of the four escalations (R5)."""

    kind: str
    decision: str
    reason: Sealed | None
    decided_by: str | None
    decided_at: datetime | None
    seq: int | None
    notifications: tuple[NotificationShown, ...]


@dataclass(frozen=True, slots=True)
class ActionShown:
    """A corrective action."""

    action: Action
    overdue: bool


@dataclass(frozen=True, slots=True)
class Closure:
    """Everything between containment and the closed incident."""

    status: str
    disposition: str
    duplicate_of: str | None
    proposal: DispositionProposal | None
    recovery_verified_at: datetime | None
    closed_at: datetime | None
    reopened: int
    gates: tuple[GateShown, ...]
    passed: int
    escalations: tuple[EscalationShown, ...]
    business_owner: str | None
    cause: Cause | None
    path_closed: Statement | None
    path_verified: Statement | None
    credentials: tuple[Credential, ...]
    no_credentials: Statement | None
    revalidation: tuple[PartShown, ...]
    indicators: tuple[Indicator, ...]
    actions: tuple[ActionShown, ...]
    no_actions: Statement | None
    watch: Watch | None
    review_due: datetime | None
    recovery_blockers: tuple[str, ...]
    closing_blockers: tuple[str, ...]
    """Empty where the disposition closes without the gates."""


def closure(state: IncidentState, documents: Documents, now: datetime) -> Closure:
    """Recovery and closure of an incident as they stand."""
    core, record = state.incidents, state.recovery
    due = review_due(state, calendar_of(state, documents))
    gates = tuple(_gate(view, state) for view in gate_views(state, review_due=due, now=now))
    return Closure(
        status=core.status,
        disposition=core.lifecycle.disposition,
        duplicate_of=core.lifecycle.duplicate_of,
        proposal=core.lifecycle.proposal,
        recovery_verified_at=core.lifecycle.recovery_verified_at,
        closed_at=core.lifecycle.closed_at,
        reopened=core.lifecycle.reopened,
        gates=gates,
        passed=sum(gate.passes for gate in gates),
        escalations=tuple(_escalation(record.escalations[kind], now) for kind in ESCALATIONS),
        business_owner=core.holder("business_owner"),
        cause=record.cause,
        path_closed=record.path_closed,
        path_verified=record.path_verified,
        credentials=tuple(record.credentials.values()),
        no_credentials=record.no_credentials,
        revalidation=tuple(part_shown(part, record.revalidated.get(part.key)) for part in revalidation_parts()),
        indicators=record.indicators,
        actions=tuple(_action(one, now.date()) for one in record.actions.values()),
        no_actions=record.no_actions,
        watch=record.watch,
        review_due=due,
        recovery_blockers=tuple(recovery_blockers(state)),
        closing_blockers=tuple(closing_blockers(state)) if core.lifecycle.disposition == "real" else (),
    )


def _gate(view: GateView, state: IncidentState) -> GateShown:
    return GateShown(
        id=view.id,
        name=view.name,
        needs=view.needs,
        counts=view.counts,
        standing=view.standing,
        passes=view.passes,
        missing=view.missing,
        provable=view.standing == "open" and not requirements(state.recovery, view.id),
        who=tuple(Holder(role, state.incidents.holder(role)) for role in view.who),
        next_command=command_for(view, state.id),
        mark=view.mark,
        late=view.late,
    )


def _escalation(found: Escalation, now: datetime) -> EscalationShown:
    return EscalationShown(
        kind=found.kind,
        decision=found.decision,
        reason=found.reason,
        decided_by=found.decided_by,
        decided_at=found.decided_at,
        seq=found.seq,
        notifications=tuple(
            NotificationShown(one, one in found.owed and one.due_at < now) for one in found.notifications
        ),
    )


def _action(action: Action, today: date) -> ActionShown:
    return ActionShown(action, action.standing == "open" and action.due < today)
