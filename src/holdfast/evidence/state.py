"""The state of an incident's evidence, folded from its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from holdfast.evidence.events import Kind, Outcome, Shortfall
from holdfast.kernel.events import Event
from holdfast.kernel.texts import Sealed, sealed_from, sealed_or_none


@dataclass(frozen=True, slots=True)
class Transfer:
    """An offer that its receiver has not answered yet."""

    to: str
    proposed_by: str
    at: datetime
    reason: Sealed | None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of evidence and how it stands."""

    id: str
    kind: Kind
    name: Sealed
    """The original file name; show it only through ``names.display_name``."""
    origin: Sealed | None
    sha256: str
    size: int
    """Bytes of the item itself, without what its manifest names besides."""
    media_type: str
    source: str | None
    manifest: str | None
    contents: int
    contents_size: int
    shortfalls: tuple[Shortfall, ...]
    collected_by: str
    collected_at: datetime
    """When it was recorded; what the collector's clock said stands in the event."""
    seq: int
    """The event that collected it."""
    custodian: str
    custodian_since: datetime
    standing: Literal["kept", "erased"] = "kept"
    erased_by: str | None = None
    """The erasure order, once erased."""
    transfer: Transfer | None = None
    handovers: int = 0
    """Accepted transfers."""
    views: int = 0
    exports: int = 0
    verified: Outcome | None = None
    """How the latest re-verification found it; ``None`` before the first."""
    verified_at: datetime | None = None

    @property
    def complete(self) -> bool:
        """Whether the capture read everything it was asked for."""
        return not self.shortfalls


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold."""

    id: str
    evidence: tuple[str, ...]
    """The items it covers; empty means the whole incident, words included."""
    reason: Sealed
    placed_by: str
    placed_at: datetime
    released_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether it still binds."""
        return self.released_at is None


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure order."""

    id: str
    target: str
    """``ev-N`` or a text id."""
    target_kind: Literal["evidence", "text"]
    commitment: str | None
    """Of a text."""
    reason: Sealed
    legal_basis: Sealed
    requested_by: str
    requested_at: datetime
    standing: Literal["pending", "approved", "declined"] = "pending"
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All evidence of one incident, with its holds and erasure orders, each in order of number."""

    items: Mapping[str, Item] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    erasures: Mapping[str, Erasure] = field(default_factory=dict)
    erased_texts: frozenset[str] = frozenset()

    @property
    def pending_transfers(self) -> tuple[Item, ...]:
        """Items whose offered transfer nobody has answered."""
        return tuple(item for item in self.items.values() if item.transfer is not None)

    @property
    def pending_erasures(self) -> tuple[Erasure, ...]:
        """Orders that await a second person."""
        return tuple(order for order in self.erasures.values() if order.standing == "pending")

    @property
    def active_holds(self) -> tuple[Hold, ...]:
        """Holds that still bind."""
        return tuple(hold for hold in self.holds.values() if hold.active)

    def captured_sources(self) -> frozenset[str]:
        """Source keys (F5) of which something is kept; incomplete captures count, and say so themselves."""
        return frozenset(
            item.source for item in self.items.values() if item.source is not None and item.standing == "kept"
        )


EMPTY = State()


def apply(state: State, event: Event) -> State:
    """The state after one more event; types of other packages leave it unchanged."""
    fold = _FOLDS.get(event.type)
    return state if fold is None else fold(state, event)


def _with_item(state: State, item: Item) -> State:
    return replace(state, items={**state.items, item.id: item})


def _collected(state: State, event: Event) -> State:
    data = event.data
    item = Item(
        id=data["evidence_id"],
        kind=data["kind"],
        name=sealed_from(data["name"]),
        origin=sealed_or_none(data["origin"]),
        sha256=data["sha256"],
        size=data["size"],
        media_type=data["media_type"],
        source=data["source"],
        manifest=data["manifest"],
        contents=data["contents"],
        contents_size=data["contents_size"],
        shortfalls=tuple(data["shortfalls"]),
        collected_by=data["collected_by"],
        collected_at=event.recorded_at,
        seq=event.seq,
        custodian=data["collected_by"],
        custodian_since=event.recorded_at,
    )
    return _with_item(state, item)


def _viewed(state: State, event: Event) -> State:
    item = state.items[event.data["evidence_id"]]
    return _with_item(state, replace(item, views=item.views + 1))


def _exported(state: State, event: Event) -> State:
    items = dict(state.items)
    for name in event.data["evidence"]:
        items[name] = replace(items[name], exports=items[name].exports + 1)
    return replace(state, items=items)


def _reverified(state: State, event: Event) -> State:
    item = state.items[event.data["evidence_id"]]
    return _with_item(state, replace(item, verified=event.data["outcome"], verified_at=event.recorded_at))


def _proposed(state: State, event: Event) -> State:
    data = event.data
    offer = Transfer(data["to"], event.actor.id, event.recorded_at, sealed_or_none(data["reason"]))
    return _with_item(state, replace(state.items[data["evidence_id"]], transfer=offer))


def _accepted(state: State, event: Event) -> State:
    item = state.items[event.data["evidence_id"]]
    taken = replace(
        item,
        custodian=event.data["to"],
        custodian_since=event.recorded_at,
        transfer=None,
        handovers=item.handovers + 1,
    )
    return _with_item(state, taken)


def _turned_down(state: State, event: Event) -> State:
    return _with_item(state, replace(state.items[event.data["evidence_id"]], transfer=None))


def _hold_placed(state: State, event: Event) -> State:
    data = event.data
    hold = Hold(
        data["hold_id"], tuple(data["evidence"]), sealed_from(data["reason"]), event.actor.id, event.recorded_at
    )
    return replace(state, holds={**state.holds, hold.id: hold})


def _hold_released(state: State, event: Event) -> State:
    hold = state.holds[event.data["hold_id"]]
    return replace(state, holds={**state.holds, hold.id: replace(hold, released_at=event.recorded_at)})


def _requested(state: State, event: Event) -> State:
    data = event.data
    order = Erasure(
        id=data["erasure_id"],
        target=data["target"],
        target_kind=data["target_kind"],
        commitment=data["commitment"],
        reason=sealed_from(data["reason"]),
        legal_basis=sealed_from(data["legal_basis"]),
        requested_by=event.actor.id,
        requested_at=event.recorded_at,
    )
    return replace(state, erasures={**state.erasures, order.id: order})


def _decided(state: State, event: Event) -> State:
    order = replace(
        state.erasures[event.data["erasure_id"]],
        standing="approved" if event.type == "erasure.approved" else "declined",
        decided_by=event.actor.id,
        decided_at=event.recorded_at,
    )
    return replace(state, erasures={**state.erasures, order.id: order})


def _text_erased(state: State, event: Event) -> State:
    return replace(state, erased_texts=state.erased_texts | {event.data["text_id"]})


def _erased(state: State, event: Event) -> State:
    item = state.items[event.data["evidence_id"]]
    return _with_item(state, replace(item, standing="erased", erased_by=event.data["erasure_id"], transfer=None))


_FOLDS: Mapping[str, Callable[[State, Event], State]] = {
    "evidence.collected": _collected,
    "evidence.viewed": _viewed,
    "evidence.exported": _exported,
    "evidence.reverified": _reverified,
    "evidence.transfer_proposed": _proposed,
    "evidence.transfer_accepted": _accepted,
    "evidence.transfer_refused": _turned_down,
    "hold.placed": _hold_placed,
    "hold.released": _hold_released,
    "erasure.requested": _requested,
    "erasure.approved": _decided,
    "erasure.declined": _decided,
    "text.erased": _text_erased,
    "evidence.erased": _erased,
}
