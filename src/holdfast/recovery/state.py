"""What the record says about recovery: gates, duties, review. The folding is in ``folding``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from holdfast.kernel.citations import Citation
from holdfast.kernel.events import Basis
from holdfast.kernel.parts import Settled
from holdfast.kernel.texts import Sealed

GateId = Literal["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"]
EscalationKind = Literal["customer", "legal", "regulatory", "contractual"]
ESCALATIONS: tuple[EscalationKind, ...] = ("customer", "legal", "regulatory", "contractual")
Decision = Literal["undecided", "yes", "no"]
CredentialOutcome = Literal["rotated", "revoked", "not_needed"]
PromptId = Literal["V1", "V2", "V3", "V4", "V5", "V6"]
MomentKey = Literal["first_malicious_act", "first_signal", "contained"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A person's sealed words with what they cite."""

    text: Sealed
    citations: tuple[Citation, ...]
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class GateMark:
    """A gate's explicit proof or waiver."""

    standing: Literal["proven", "waived"]
    statement: Statement
    acting_alone: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """The root cause (X1)."""

    known: bool
    statement: Statement


@dataclass(frozen=True, slots=True)
class Credential:
    """An affected credential (X3)."""

    id: str
    name: Sealed
    listed_by: str
    seq: int
    outcome: CredentialOutcome | None = None
    citations: tuple[Citation, ...] = ()
    reason: Sealed | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None
    settled_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """A recurrence indicator that something watches (X5)."""

    id: str
    indicator: Sealed
    where: Sealed
    citations: tuple[Citation, ...]
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Notification:
    """Somebody who is to be notified, because of a yes."""

    id: str
    to: Sealed
    due_at: datetime
    decided_by: str
    decided_at: datetime
    seq: int
    receipt: Sealed | None = None
    receipt_citations: tuple[Citation, ...] = ()
    receipted_by: str | None = None
    receipted_at: datetime | None = None
    """When the receipt was recorded."""
    given_at: datetime | None = None
    """When the notification was given."""
    receipt_seq: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Escalation:
    """One of the business owner's four decisions (R5)."""

    kind: EscalationKind
    decision: Decision = "undecided"
    reason: Sealed | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    seq: int | None = None
    notifications: tuple[Notification, ...] = ()

    @property
    def owed(self) -> tuple[Notification, ...]:
        """Notifications still without a receipt; none unless the decision is yes."""
        if self.decision != "yes":
            return ()
        return tuple(one for one in self.notifications if one.receipt is None)


@dataclass(frozen=True, slots=True)
class Action:
    """A corrective action (X7)."""

    id: str
    text: Sealed
    owner: str
    due: date
    assigned_by: str
    assigned_at: datetime
    seq: int
    standing: Literal["open", "done", "dropped"] = "open"
    citations: tuple[Citation, ...] = ()
    reason: Sealed | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The post-incident review (X8, V1 to V6)."""

    started_by: str | None = None
    started_at: datetime | None = None
    answers: Mapping[str, Statement] = field(default_factory=dict)
    """By prompt id."""
    completed_by: str | None = None
    completed_at: datetime | None = None
    completed_seq: int | None = None
    due_at: datetime | None = None
    """As recorded at completion."""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Default:
    """A proposed improvement of the platform's defaults (V6)."""

    id: str
    text: Sealed
    owner: str
    by: str
    at: datetime
    seq: int
    adopted_at: datetime | None = None
    adopted_by: str | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch period after recovery."""

    until: datetime
    what: Sealed
    started_by: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Asserted:
    """A time somebody asserted."""

    at: datetime
    how: Basis
    by: str
    citations: tuple[Citation, ...]
    reason: Sealed | None
    seq: int


def _escalations() -> Mapping[str, Escalation]:
    return {kind: Escalation(kind) for kind in ESCALATIONS}


@dataclass(frozen=True, slots=True)
class State:
    """Recovery of one incident."""

    gates: Mapping[str, GateMark] = field(default_factory=dict)
    """Explicit proofs and waivers by gate id; ``gates.gates`` says how each gate stands."""
    cause: Cause | None = None
    path_closed: Statement | None = None
    path_verified: Statement | None = None
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    no_credentials: Statement | None = None
    revalidated: Mapping[str, Settled] = field(default_factory=dict)
    """By part: artifacts, images, deployments."""
    indicators: tuple[Indicator, ...] = ()
    escalations: Mapping[str, Escalation] = field(default_factory=_escalations)
    actions: Mapping[str, Action] = field(default_factory=dict)
    no_actions: Statement | None = None
    review: Review = field(default_factory=Review)
    defaults: Mapping[str, Default] = field(default_factory=dict)
    watch: Watch | None = None
    asserted: Mapping[str, Asserted] = field(default_factory=dict)
    """By moment; the newest assertion."""


EMPTY = State()
