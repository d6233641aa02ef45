"""The command part of the state: who commands, a challenge, a handover under way, and roles R2 to R5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, get_args

from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.texts import Sealed, sealed_from, sealed_or_none

Role = Literal["commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner"]
ROLES: tuple[Role, ...] = get_args(Role)
"""R1 to R5, in order."""
AssignableRole = Literal["technical_lead", "communications_lead", "evidence_owner", "business_owner"]
ASSIGNABLE_ROLES: tuple[AssignableRole, ...] = get_args(AssignableRole)
"""R2 to R5: command itself is taken, claimed or accepted, never assigned."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The commander was asked whether they are there."""

    by: str
    commander: str
    at: datetime
    answer_by: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Handover:
    """A proposed handover: command has not moved."""

    to: str
    by: str
    brief: Sealed
    note: Sealed | None
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class CommandState:
    """At most one commander."""

    commander: str | None = None
    acting: bool = False
    """The commander has not said "I command" yet."""
    since: datetime | None = None
    """From when the present commander commands or acts."""
    acting_since: datetime | None = None
    """The S1 clock's start: when somebody first acted as commander."""
    assumed_at: datetime | None = None
    """The S1 clock's end: when somebody first took command explicitly."""
    vacant_since: datetime | None = None
    challenge: Challenge | None = None
    handover: Handover | None = None
    dual_hat: str | None = None
    """Account recorded, with a reason, as commander and technical lead at once in a SEV-1."""

    @property
    def clock_stopped(self) -> bool:
        """Whether the S1 clock (incident command at once) has stopped."""
        return self.assumed_at is not None


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds a role, since when."""

    account: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RoleState:
    """Holders of R2 to R5."""

    holders: Mapping[str, Holding] = field(default_factory=dict)
    released_at: Mapping[str, datetime] = field(default_factory=dict)
    """Role to when it last became unfilled."""


def _acting(state: CommandState, event: Event) -> CommandState:
    return replace(
        state,
        commander=event.data["account"],
        acting=True,
        since=event.recorded_at,
        acting_since=state.acting_since or event.recorded_at,
        vacant_since=None,
    )


def _taken(state: CommandState, event: Event) -> CommandState:
    account = event.data["account"]
    dual_hat = account if event.data["dual_hat_reason"] is not None else state.dual_hat
    return replace(
        state,
        commander=account,
        acting=False,
        since=event.recorded_at,
        assumed_at=state.assumed_at or event.recorded_at,
        vacant_since=None,
        challenge=None,
        handover=None,
        dual_hat=dual_hat,
    )


def _vacated(state: CommandState, event: Event) -> CommandState:
    return replace(
        state,
        commander=None,
        acting=False,
        since=None,
        vacant_since=event.recorded_at,
        challenge=None,
        handover=None,
    )


def _challenged(state: CommandState, event: Event) -> CommandState:
    challenge = Challenge(
        by=event.actor.id,
        commander=event.data["account"],
        at=event.recorded_at,
        answer_by=parse_instant(event.data["answer_by"]),
        seq=event.seq,
    )
    return replace(state, challenge=challenge)


def _proposed(state: CommandState, event: Event) -> CommandState:
    handover = Handover(
        to=event.data["to"],
        by=event.actor.id,
        brief=sealed_from(event.data["brief"]),
        note=sealed_or_none(event.data["note"]),
        at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, handover=handover)


def _ended(state: CommandState, event: Event) -> CommandState:
    del event
    return replace(state, handover=None)


def _role_dual(state: CommandState, event: Event) -> CommandState:
    if event.data["dual_hat_reason"] is None:
        return state
    return replace(state, dual_hat=event.data["account"])


_FOLDS: Mapping[str, Callable[[CommandState, Event], CommandState]] = {
    "acting.began": _acting,
    "command.assumed": _taken,
    "command.claimed": _taken,
    "command.overridden": _taken,
    "handover.accepted": _taken,
    "commander.relieved": _taken,
    "command.vacated": _vacated,
    "commander.challenged": _challenged,
    "handover.proposed": _proposed,
    "handover.declined": _ended,
    "handover.withdrawn": _ended,
    "role.assigned": _role_dual,
}


def apply(state: CommandState, event: Event) -> CommandState:
    """The command after one more event. Anything the challenged commander does answers the challenge."""
    challenge = state.challenge
    if challenge is not None and event.actor.kind == "person" and event.actor.id == challenge.commander:
        state = replace(state, challenge=None)
    fold = _FOLDS.get(event.type)
    return state if fold is None else fold(state, event)


def apply_roles(state: RoleState, event: Event) -> RoleState:
    """The roles after one more event."""
    if event.type == "role.assigned":
        holding = Holding(event.data["account"], event.recorded_at)
        return replace(state, holders={**state.holders, event.data["role"]: holding})
    if event.type == "role.released":
        role = event.data["role"]
        holders = {key: held for key, held in state.holders.items() if key != role}
        return RoleState(holders, {**state.released_at, role: event.recorded_at})
    return state
