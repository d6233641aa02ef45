"""What an incident's record says about declaring, severity, command, lifecycle and access.

Every value is folded from events; nothing here is decided. The topics' deciders read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from holdfast.incidents import state_command, state_severity
from holdfast.incidents.severity import Answer, Level
from holdfast.incidents.state_board import EMPTY_BOARD, BoardState, apply_board
from holdfast.incidents.state_command import ROLES, CommandState, Role, RoleState
from holdfast.incidents.state_severity import SeverityState
from holdfast.kernel.citations import Citation, citations_from
from holdfast.kernel.events import Basis, Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.texts import Sealed, sealed_from, sealed_or_none

Kind = Literal["real", "exercise"]
Sensitivity = Literal["open", "restricted"]
Status = Literal["investigating", "contained", "recovering", "closed"]
Disposition = Literal["real", "false_positive", "duplicate_of"]
Impact = Literal["customer_data", "production_availability", "privileged_access"]
ReportPart = Literal["reported_by", "reported_when", "affected_systems", "suspected_impact", "evidence_in_hand"]

IMPACTS: tuple[Impact, ...] = get_args(Impact)
"""The three statements of F3, in order."""
REPORT_PARTS: tuple[ReportPart, ...] = get_args(ReportPart)
"""The five parts of F2, in order."""


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One piece of the first report, word for word."""

    text: Sealed
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class ImpactStatement:
    """What is said of one impact (F3)."""

    answer: Answer
    reason: Sealed | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A time somebody asserts, and how it is known."""

    at: datetime
    basis: Basis


@dataclass(frozen=True, slots=True)
class DispositionProposal:
    """A disposition waiting for a second person."""

    disposition: Disposition
    reason: Sealed
    citations: tuple[Citation, ...]
    target: str | None
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Status and disposition."""

    status: Status = "investigating"
    since: datetime | None = None
    disposition: Disposition = "real"
    duplicate_of: str | None = None
    proposal: DispositionProposal | None = None
    recovery_verified_at: datetime | None = None
    """The verification that stands: none again after reopening or stepping back from *recovering*."""
    verifications: tuple[datetime, ...] = ()
    """Every verification ever given."""
    contained_at: datetime | None = None
    """First time the status became *contained*."""
    closed_at: datetime | None = None
    reopened: int = 0
    """How often it was reopened."""


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """An emergency look into a restricted incident."""

    account: str
    reason: Sealed
    opened_at: datetime
    expires_at: datetime
    seq: int
    ended_at: datetime | None = None
    """Ended early by revoking the access."""
    reviewed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see a restricted incident."""

    sensitivity: Sensitivity = "open"
    codename: str | None = None
    granted: frozenset[str] = frozenset()
    break_glass: tuple[BreakGlass, ...] = ()


@dataclass(frozen=True, slots=True)
class Owed:
    """A countersignature owed because one person approved alone."""

    seq: int
    """The event to countersign."""
    what: str
    """That event's type."""
    by: str
    """Who acted alone; somebody else must countersign."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person must be told."""

    to: str
    what: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class State:
    """The incident's core."""

    incident_id: str = ""
    kind: Kind = "real"
    name: Sealed | None = None
    """The short name."""
    declared_by: str | None = None
    declared_at: datetime | None = None
    detected: Moment | None = None
    started: Moment | None = None
    play: str | None = None
    """The guided play chosen when declaring."""
    calendar: str | None = None
    """Name of the response calendar."""
    pins: Mapping[str, Any] = field(default_factory=dict)
    """``severity_table``, ``calendar``, ``runbook``: digests; ``plays``: play key to digest."""
    report: Mapping[str, tuple[ReportEntry, ...]] = field(default_factory=dict)
    """Report part to its entries, oldest first; a missing part is unknown."""
    impact: Mapping[str, ImpactStatement] = field(default_factory=dict)
    severity: SeverityState = SeverityState()  # noqa: RUF009  # frozen, so sharing it is safe
    command: CommandState = CommandState()  # noqa: RUF009  # frozen, so sharing it is safe
    roles: RoleState = RoleState()  # noqa: RUF009  # frozen, so sharing it is safe
    lifecycle: Lifecycle = Lifecycle()
    access: Access = Access()
    owed: tuple[Owed, ...] = ()
    """Countersignatures still owed, for events of any package whose data says ``acting_alone``."""
    notices: tuple[Notice, ...] = ()
    missed: frozenset[tuple[str, str]] = frozenset()
    """Key and due instant of every clock recorded as missed."""
    board: BoardState = EMPTY_BOARD
    """The first fifteen minutes, channel, decisions, freezes and tasks."""

    @property
    def declared(self) -> bool:
        """Whether the record holds a declaration."""
        return self.declared_at is not None

    @property
    def level(self) -> Level | None:
        """The declared severity."""
        return self.severity.level

    @property
    def peak(self) -> Level | None:
        """The worst severity ever declared: duties follow it."""
        return self.severity.peak

    @property
    def status(self) -> Status:
        """Where it is in its life."""
        return self.lifecycle.status

    @property
    def commander(self) -> str | None:
        """Who commands, acting or assumed; none when vacant."""
        return self.command.commander

    @property
    def restricted(self) -> bool:
        """Whether only named people may know of it."""
        return self.access.sensitivity == "restricted"

    def holder(self, role: str) -> str | None:
        """Who holds a role of R1 to R5, or none. An acting commander holds ``commander``."""
        if role == "commander":
            return self.command.commander
        holding = self.roles.holders.get(role)
        return None if holding is None else holding.account

    def roles_of(self, account: str) -> tuple[Role, ...]:
        """The roles an account holds, in the order R1 to R5."""
        return tuple(role for role in ROLES if self.holder(role) == account)


EMPTY = State()


def _moment(data: Mapping[str, Any], name: str) -> Moment | None:
    text = data[f"{name}_at"]
    return None if text is None else Moment(parse_instant(text), data[f"{name}_basis"])


def _declared(state: State, event: Event) -> State:
    data = event.data
    entries: dict[str, tuple[ReportEntry, ...]] = {
        part: (ReportEntry(sealed_from(data["report"][part]), event.actor.id, event.recorded_at, event.seq),)
        for part in REPORT_PARTS
        if data["report"][part] is not None
    }
    return replace(
        state,
        incident_id=event.incident_id,
        kind=data["kind"],
        name=sealed_from(data["name"]),
        declared_by=event.actor.id,
        declared_at=event.recorded_at,
        detected=_moment(data, "detected"),
        started=_moment(data, "started"),
        play=data["play"],
        calendar=data["calendar"],
        pins=data["pins"],
        report=entries,
        lifecycle=replace(state.lifecycle, since=event.recorded_at),
        access=replace(state.access, sensitivity=data["sensitivity"], codename=data["codename"]),
    )


def _report_added(state: State, event: Event) -> State:
    part = event.data["part"]
    entry = ReportEntry(sealed_from(event.data["text"]), event.actor.id, event.recorded_at, event.seq)
    return replace(state, report={**state.report, part: (*state.report.get(part, ()), entry)})


def _time_stated(state: State, event: Event) -> State:
    moment = Moment(parse_instant(event.data["at"]), event.data["basis"])
    return replace(state, started=moment) if event.data["moment"] == "started" else replace(state, detected=moment)


def _impact_stated(state: State, event: Event) -> State:
    data = event.data
    said = ImpactStatement(data["answer"], sealed_or_none(data["reason"]), event.actor.id, event.recorded_at)
    return replace(state, impact={**state.impact, data["impact"]: said})


def _status_changed(state: State, event: Event) -> State:
    status: Status = event.data["status"]
    old = state.lifecycle
    contained_at = old.contained_at or (event.recorded_at if status == "contained" else None)
    verified = old.recovery_verified_at if status == "recovering" else None
    return replace(
        state,
        lifecycle=replace(
            old,
            status=status,
            since=event.recorded_at,
            contained_at=contained_at,
            recovery_verified_at=verified,
        ),
    )


def _recovery_verified(state: State, event: Event) -> State:
    old = state.lifecycle
    verifications = (*old.verifications, event.recorded_at)
    return replace(state, lifecycle=replace(old, recovery_verified_at=event.recorded_at, verifications=verifications))


def _closed(state: State, event: Event) -> State:
    closed = replace(state.lifecycle, status="closed", since=event.recorded_at, closed_at=event.recorded_at)
    return replace(state, lifecycle=closed)


def _reopened(state: State, event: Event) -> State:
    """It is real again until two people say otherwise anew: what they looked at then is not what is known now."""
    old = state.lifecycle
    return replace(
        state,
        lifecycle=replace(
            old,
            status="investigating",
            since=event.recorded_at,
            disposition="real",
            duplicate_of=None,
            recovery_verified_at=None,
            closed_at=None,
            reopened=old.reopened + 1,
        ),
    )


def _disposition_proposed(state: State, event: Event) -> State:
    data = event.data
    proposal = DispositionProposal(
        disposition=data["disposition"],
        reason=sealed_from(data["reason"]),
        citations=citations_from(data["citations"]),
        target=data["target"],
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, lifecycle=replace(state.lifecycle, proposal=proposal))


def _disposition_refused(state: State, event: Event) -> State:
    del event
    return replace(state, lifecycle=replace(state.lifecycle, proposal=None))


def _disposition_decided(state: State, event: Event) -> State:
    data = event.data
    decided = replace(state.lifecycle, disposition=data["disposition"], duplicate_of=data["target"], proposal=None)
    return replace(state, lifecycle=decided)


def _restricted(state: State, event: Event) -> State:
    access = replace(state.access, sensitivity="restricted", codename=event.data["codename"])
    return replace(state, access=access)


def _unrestricted(state: State, event: Event) -> State:
    del event
    return replace(state, access=replace(state.access, sensitivity="open"))


def _granted(state: State, event: Event) -> State:
    return replace(state, access=replace(state.access, granted=state.access.granted | {event.data["account"]}))


def _revoked(state: State, event: Event) -> State:
    account = event.data["account"]
    glasses = tuple(
        replace(glass, ended_at=event.recorded_at) if glass.account == account and glass.ended_at is None else glass
        for glass in state.access.break_glass
    )
    return replace(state, access=replace(state.access, granted=state.access.granted - {account}, break_glass=glasses))


def _glass_opened(state: State, event: Event) -> State:
    glass = BreakGlass(
        account=event.actor.id,
        reason=sealed_from(event.data["reason"]),
        opened_at=event.recorded_at,
        expires_at=parse_instant(event.data["expires_at"]),
        seq=event.seq,
    )
    return replace(state, access=replace(state.access, break_glass=(*state.access.break_glass, glass)))


def _glass_reviewed(state: State, event: Event) -> State:
    glasses = tuple(
        replace(glass, reviewed_by=event.actor.id) if glass.seq == event.data["opened"] else glass
        for glass in state.access.break_glass
    )
    return replace(state, access=replace(state.access, break_glass=glasses))


def _countersigned(state: State, event: Event) -> State:
    return replace(state, owed=tuple(owed for owed in state.owed if owed.seq != event.data["of"]))


def _noticed(state: State, event: Event) -> State:
    notice = Notice(event.data["account"], event.data["what"], event.recorded_at, event.seq)
    return replace(state, notices=(*state.notices, notice))


def _clock_missed(state: State, event: Event) -> State:
    return replace(state, missed=state.missed | {(event.data["clock"], event.data["due_at"])})


_FOLDS: Mapping[str, Callable[[State, Event], State]] = {
    "clock.missed": _clock_missed,
    "incident.declared": _declared,
    "report.added": _report_added,
    "time.stated": _time_stated,
    "impact.stated": _impact_stated,
    "status.changed": _status_changed,
    "recovery.verified": _recovery_verified,
    "incident.closed": _closed,
    "incident.reopened": _reopened,
    "disposition.proposed": _disposition_proposed,
    "disposition.refused": _disposition_refused,
    "disposition.confirmed": _disposition_decided,
    "disposition.restored": _disposition_decided,
    "sensitivity.restricted": _restricted,
    "sensitivity.unrestricted": _unrestricted,
    "access.granted": _granted,
    "access.revoked": _revoked,
    "breakglass.opened": _glass_opened,
    "breakglass.reviewed": _glass_reviewed,
    "countersignature.given": _countersigned,
    "notice.given": _noticed,
}


def apply(state: State, event: Event) -> State:
    """The state after one more event, of any package: events that say ``acting_alone`` owe a countersignature."""
    fold = _FOLDS.get(event.type)
    if fold is not None:
        state = fold(state, event)
    command = state_command.apply(state.command, event)
    severity = state_severity.apply(state.severity, event)
    if command.commander != state.command.commander and severity.lowering is not None:
        severity = replace(severity, lowering=None)
    roles = state_command.apply_roles(state.roles, event)
    owed = state.owed
    if event.data.get("acting_alone") is True:
        owed = (*owed, Owed(event.seq, event.type, event.actor.id, event.recorded_at))
    board = apply_board(state.board, event)
    return replace(state, command=command, severity=severity, roles=roles, owed=owed, board=board)
