"""What the record says about claims, updates, corrections and promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from holdfast.kernel.citations import Citation, citations_from
from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.texts import Sealed, sealed_from, sealed_or_none

ClaimKind = Literal["impact", "cause", "scope", "actor", "other"]
ClaimStanding = Literal["hypothesis", "fact", "disproved", "retracted"]
Consistency = Literal["consistent", "inconsistent", "neutral"]
Audience = Literal["responders", "executives", "customers"]
AUDIENCES: tuple[Audience, ...] = ("responders", "executives", "customers")
UpdateStanding = Literal["draft", "refused", "sent"]

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement and how it stands."""

    id: str
    kind: ClaimKind
    text: Sealed
    stated_by: str
    stated_at: datetime
    seq: int
    """The event that stated it."""
    standing: ClaimStanding = "hypothesis"
    citations: tuple[Citation, ...] = ()
    """What its present standing rests on."""
    reason: Sealed | None = None
    """Why it was disproved or retracted."""
    settled_by: str | None = None
    """Who gave it its present standing; ``None`` while it is a hypothesis."""
    settled_at: datetime | None = None
    settled_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """One cell of the competing-hypotheses matrix."""

    claim_id: str
    citation: Citation
    consistency: Consistency
    note: Sealed | None
    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A retracted fact that an audience was sent."""

    id: str
    claim_id: str
    audience: Audience
    updates: tuple[str, ...]
    owed_at: datetime
    seq: int
    settled_with: str | None = None
    """The update that corrected it; ``None`` while it is owed."""
    settled_by: str | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval of one exact text."""

    by: str
    roles: tuple[str, ...]
    text_hash: str
    acting_alone: bool
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of one exact text."""

    by: str
    reason: Sealed
    text_hash: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Update:
    """A text for an audience, as it stands after its newest revision."""

    id: str
    audience: Audience
    text: Sealed
    claims: tuple[str, ...]
    next_update_at: datetime | None
    author: str
    """Who wrote the present revision."""
    written_at: datetime
    seq: int
    """The event of the present revision."""
    revision: int = 1
    approvals: tuple[Approval, ...] = ()
    """Of the present revision only."""
    refusal: Refusal | None = None
    """Of the present revision."""
    sent_by: str | None = None
    sent_at: datetime | None = None
    sent_where: Sealed | None = None
    sent_seq: int | None = None

    @property
    def text_hash(self) -> str:
        """What approvals are bound to: the commitment, which changes with every revision."""
        return self.text.commitment

    @property
    def standing(self) -> UpdateStanding:
        """Draft, refused or sent; whether a draft is approved depends on the severity (``updates.missing``)."""
        if self.sent_at is not None:
            return "sent"
        return "refused" if self.refusal is not None else "draft"


@dataclass(frozen=True, slots=True)
class Promise:
    """The next update, as promised to an audience by a sent one."""

    audience: Audience
    update_id: str
    """The sent update that made it."""
    made_at: datetime
    due_at: datetime
    kept_with: str | None = None
    """The next update sent to that audience."""
    kept_at: datetime | None = None
    ended_at: datetime | None = None
    """When the cadence ended, so that nothing is owed any more."""

    @property
    def is_open(self) -> bool:
        """Whether it still runs."""
        return self.kept_at is None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class State:
    """Claims, matrix, updates, corrections and promises of one incident."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    marks: Mapping[tuple[str, str], Mark] = field(default_factory=dict)
    """By claim id and the citation as a person writes it (``ev-3``, ``#17``)."""
    updates: Mapping[str, Update] = field(default_factory=dict)
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    withheld_names: tuple[Sealed, ...] = ()
    """Names that outward text must not contain."""


EMPTY = State()


def _with(table: Mapping[_K, _V], key: _K, value: _V) -> Mapping[_K, _V]:
    return MappingProxyType({**table, key: value})


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _claim_stated(state: State, event: Event, data: Mapping[str, Any]) -> State:
    claim = Claim(
        id=data["claim_id"],
        kind=data["kind"],
        text=sealed_from(data["text"]),
        stated_by=event.actor.id,
        stated_at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, claims=_with(state.claims, claim.id, claim))


_STANDING_AFTER: Mapping[str, ClaimStanding] = {
    "claim.confirmed": "fact",
    "claim.disproved": "disproved",
    "claim.retracted": "retracted",
}


def _claim_settled(state: State, event: Event, data: Mapping[str, Any]) -> State:
    claim = replace(
        state.claims[data["claim_id"]],
        standing=_STANDING_AFTER[event.type],
        citations=citations_from(data["citations"]),
        reason=sealed_or_none(data.get("reason")),
        settled_by=event.actor.id,
        settled_at=event.recorded_at,
        settled_seq=event.seq,
    )
    return replace(state, claims=_with(state.claims, claim.id, claim))


def _correction_owed(state: State, event: Event, data: Mapping[str, Any]) -> State:
    correction = Correction(
        id=data["correction_id"],
        claim_id=data["claim_id"],
        audience=data["audience"],
        updates=tuple(data["updates"]),
        owed_at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, corrections=_with(state.corrections, correction.id, correction))


def _correction_settled(state: State, event: Event, data: Mapping[str, Any]) -> State:
    correction = replace(
        state.corrections[data["correction_id"]],
        settled_with=data["update_id"],
        settled_by=event.actor.id,
        settled_at=event.recorded_at,
    )
    return replace(state, corrections=_with(state.corrections, correction.id, correction))


def _marked(state: State, event: Event, data: Mapping[str, Any]) -> State:
    (citation,) = citations_from([data["citation"]])
    mark = Mark(
        claim_id=data["claim_id"],
        citation=citation,
        consistency=data["consistency"],
        note=sealed_or_none(data["note"]),
        by=event.actor.id,
        seq=event.seq,
    )
    return replace(state, marks=_with(state.marks, (mark.claim_id, str(citation)), mark))


def _drafted(state: State, event: Event, data: Mapping[str, Any]) -> State:
    update = Update(
        id=data["update_id"],
        audience=data["audience"],
        text=sealed_from(data["text"]),
        claims=tuple(data["claims"]),
        next_update_at=_instant(data["next_update_at"]),
        author=event.actor.id,
        written_at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, updates=_with(state.updates, update.id, update))


def _revised(state: State, event: Event, data: Mapping[str, Any]) -> State:
    before = state.updates[data["update_id"]]
    update = replace(
        before,
        text=sealed_from(data["text"]),
        claims=tuple(data["claims"]),
        next_update_at=_instant(data["next_update_at"]),
        author=event.actor.id,
        written_at=event.recorded_at,
        seq=event.seq,
        revision=before.revision + 1,
        approvals=(),
        refusal=None,
    )
    return replace(state, updates=_with(state.updates, update.id, update))


def _approved(state: State, event: Event, data: Mapping[str, Any]) -> State:
    before = state.updates[data["update_id"]]
    approval = Approval(
        by=event.actor.id,
        roles=tuple(data["roles"]),
        text_hash=data["text_hash"],
        acting_alone=data["acting_alone"],
        at=event.recorded_at,
        seq=event.seq,
    )
    update = replace(before, approvals=(*before.approvals, approval))
    return replace(state, updates=_with(state.updates, update.id, update))


def _approval_refused(state: State, event: Event, data: Mapping[str, Any]) -> State:
    refusal = Refusal(
        by=event.actor.id,
        reason=sealed_from(data["reason"]),
        text_hash=data["text_hash"],
        at=event.recorded_at,
        seq=event.seq,
    )
    update = replace(state.updates[data["update_id"]], approvals=(), refusal=refusal)
    return replace(state, updates=_with(state.updates, update.id, update))


def _sent(state: State, event: Event, data: Mapping[str, Any]) -> State:
    update = replace(
        state.updates[data["update_id"]],
        sent_by=event.actor.id,
        sent_at=event.recorded_at,
        sent_where=sealed_from(data["where"]),
        sent_seq=event.seq,
    )
    promises = tuple(
        replace(promise, kept_with=update.id, kept_at=event.recorded_at)
        if promise.is_open and promise.audience == update.audience
        else promise
        for promise in state.promises
    )
    due_at = _instant(data["next_update_at"])
    if due_at is not None:
        promises = (*promises, Promise(update.audience, update.id, event.recorded_at, due_at))
    return replace(state, updates=_with(state.updates, update.id, update), promises=promises)


def _promise_ended(state: State, event: Event, data: Mapping[str, Any]) -> State:
    promises = tuple(
        replace(promise, ended_at=event.recorded_at)
        if promise.is_open and promise.audience == data["audience"]
        else promise
        for promise in state.promises
    )
    return replace(state, promises=promises)


def _name_withheld(state: State, event: Event, data: Mapping[str, Any]) -> State:
    del event
    return replace(state, withheld_names=(*state.withheld_names, sealed_from(data["name"])))


_FOLDS: Mapping[str, Callable[[State, Event, Mapping[str, Any]], State]] = {
    "claim.stated": _claim_stated,
    "claim.confirmed": _claim_settled,
    "claim.disproved": _claim_settled,
    "claim.retracted": _claim_settled,
    "correction.owed": _correction_owed,
    "correction.settled": _correction_settled,
    "matrix.marked": _marked,
    "update.drafted": _drafted,
    "update.revised": _revised,
    "update.approved": _approved,
    "update.approval_refused": _approval_refused,
    "update.sent": _sent,
    "promise.ended": _promise_ended,
    "name.withheld": _name_withheld,
}


def apply(state: State, event: Event) -> State:
    """The state after one more event; types of other packages and unknown types leave it unchanged."""
    fold = _FOLDS.get(event.type)
    return state if fold is None else fold(state, event, event.data)
