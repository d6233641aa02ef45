"""Legal holds and erasure orders: deciders.

Rules:
1. A legal hold covers the whole incident (every item and every word, present and future) or named items with
   the words about them. While it is active, nothing it covers is erased.
2. An erasure order names an item or a sealed text, a reason and a legal basis. The business owner asks (the
   authorisation table says so); a second person approves or declines, on the state as it is at that moment.
3. Erasing an item erases every item of the incident with the same bytes, and the sealed name and origin of each.
4. What is erased stays erased, and is not erased twice. Its digest or commitment stays in the record.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.evidence.custody import kept, number_of
from holdfast.evidence.state import Erasure, Hold, Item, State
from holdfast.kernel.errors import NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed


def place_hold(state: State, evidence: Iterable[str], reason: Sealed) -> list[NewEvent]:
    """Place a legal hold on the named items, or on the whole incident when none is named."""
    items = sorted({kept(state, name).id for name in evidence}, key=number_of)
    data = {
        "hold_id": f"hold-{len(state.holds) + 1}",
        "scope": "items" if items else "incident",
        "evidence": items,
        "reason": reason.as_json(),
    }
    return [NewEvent("hold.placed", data)]


def release_hold(state: State, hold_id: str, reason: Sealed) -> list[NewEvent]:
    """Release a legal hold.

    Raises:
        NotFoundError: no such hold.
        RefusedError: it is released already.
    """
    hold = state.holds.get(hold_id)
    if hold is None:
        raise NotFoundError(
            "hold-unknown",
            f"There is no legal hold {hold_id[:20]!r} in this incident.",
            why=f"It has {len(state.holds)}.",
            next_step="Look at the evidence page, or: holdfast evidence list INC",
        )
    if not hold.active:
        raise RefusedError(
            "hold-released",
            f"{hold.id} was not released again.",
            why="It has been released already.",
            next_step="Nothing to do.",
        )
    return [NewEvent("hold.released", {"hold_id": hold.id, "reason": reason.as_json()})]


def request_evidence(state: State, evidence_id: str, reason: Sealed, legal_basis: Sealed) -> list[NewEvent]:
    """Ask for an item to be erased.

    Raises:
        NotFoundError: no such item.
        RefusedError: erased already, held, or an order for it is pending.
    """
    item = kept(state, evidence_id)
    _refuse_held(state, twins(state, item), None)
    return _request(state, item.id, None, reason, legal_basis)


def request_text(state: State, text: Sealed, reason: Sealed, legal_basis: Sealed) -> list[NewEvent]:
    """Ask for a sealed text to be erased.

    Raises:
        RefusedError: erased already, held, or an order for it is pending.
    """
    _refuse_erased(state, text)
    _refuse_held(state, (), text.text_id)
    return _request(state, text.text_id, text.commitment, reason, legal_basis)


def approve(state: State, erasure_id: str, by: str) -> list[NewEvent]:
    """Approve an order as a second person, and erase: the approval, then every erasure that follows from it.

    Raises:
        NotFoundError: no such order.
        RefusedError: decided already, asked for by the same person, held meanwhile, or nothing is left to erase.
    """
    order = _pending(state, erasure_id)
    if by == order.requested_by:
        raise RefusedError(
            "erasure-needs-second-person",
            f"{order.id} was not approved.",
            why="Who asks for an erasure does not approve it.",
            next_step="Ask another person to approve it.",
        )
    approval = NewEvent("erasure.approved", {"erasure_id": order.id, "requested_by": order.requested_by})
    if order.target_kind == "text":
        text = Sealed(TextId(order.target), order.commitment or "")
        _refuse_erased(state, text)
        _refuse_held(state, (), order.target)
        return [approval, *_texts_erased(state, order, [text])]
    items = twins(state, kept(state, order.target))
    _refuse_held(state, items, None)
    words = [sealed for item in items for sealed in (item.name, item.origin) if sealed is not None]
    return [approval, *(_item_erased(order, item) for item in items), *_texts_erased(state, order, words)]


def decline(state: State, erasure_id: str, reason: Sealed) -> list[NewEvent]:
    """Decline an order, or withdraw it as who asked.

    Raises:
        NotFoundError: no such order.
        RefusedError: decided already.
    """
    order = _pending(state, erasure_id)
    return [NewEvent("erasure.declined", {"erasure_id": order.id, "reason": reason.as_json()})]


def twins(state: State, item: Item) -> tuple[Item, ...]:
    """Every kept item with the same bytes, in order of number, the item itself among them."""
    return tuple(other for other in state.items.values() if other.sha256 == item.sha256 and other.standing == "kept")


def holds_on_evidence(state: State, evidence_id: str) -> tuple[Hold, ...]:
    """Active holds that cover an item."""
    return tuple(hold for hold in state.active_holds if not hold.evidence or evidence_id in hold.evidence)


def holds_on_text(state: State, text_id: str) -> tuple[Hold, ...]:
    """Active holds that cover a sealed text: those on the incident, and those on an item it speaks of."""
    about = {
        item.id
        for item in state.items.values()
        if text_id == item.name.text_id or (item.origin is not None and text_id == item.origin.text_id)
    }
    return tuple(hold for hold in state.active_holds if not hold.evidence or about & set(hold.evidence))


def _pending(state: State, erasure_id: str) -> Erasure:
    order = state.erasures.get(erasure_id)
    if order is None:
        raise NotFoundError(
            "erasure-unknown",
            f"There is no erasure order {erasure_id[:20]!r} in this incident.",
            why=f"It has {len(state.erasures)}.",
            next_step="Look at the evidence page, or: holdfast evidence list INC",
        )
    if order.standing != "pending":
        raise RefusedError(
            "erasure-decided",
            f"{order.id} was not decided again.",
            why=f"It was {order.standing} by {order.decided_by}.",
            next_step="Ask for a new order if one is still needed.",
        )
    return order


def _refuse_erased(state: State, text: Sealed) -> None:
    if text.text_id in state.erased_texts:
        raise RefusedError(
            "text-erased",
            "Nothing was erased.",
            why="These words are erased already.",
            next_step="Nothing to do; a pending order for them can be declined.",
        )


def _refuse_held(state: State, items: Iterable[Item], text_id: str | None) -> None:
    """Refuse while an active hold covers one of the items, the words about them, or the text."""
    found = {hold.id: hold for item in items for hold in holds_on_evidence(state, item.id)}
    if text_id is not None:
        found |= {hold.id: hold for hold in holds_on_text(state, text_id)}
    if found:
        names = ", ".join(sorted(found, key=number_of))
        raise RefusedError(
            "erasure-under-hold",
            "Nothing was erased.",
            why=f"It is under legal hold ({names}).",
            next_step="The business owner releases it, if counsel agrees: holdfast hold release INC HOLD --reason …",
            details={"holds": sorted(found, key=number_of)},
        )


def _request(state: State, target: str, commitment: str | None, reason: Sealed, legal_basis: Sealed) -> list[NewEvent]:
    for order in state.pending_erasures:
        if order.target == target:
            raise RefusedError(
                "erasure-pending",
                "No further erasure was asked for.",
                why=f"{order.id} asks for the same and awaits a second person.",
                next_step=f"Have it approved: holdfast erasure approve INC {order.id}",
            )
    data = {
        "erasure_id": f"erasure-{len(state.erasures) + 1}",
        "target": target,
        "target_kind": "evidence" if commitment is None else "text",
        "commitment": commitment,
        "reason": reason.as_json(),
        "legal_basis": legal_basis.as_json(),
    }
    return [NewEvent("erasure.requested", data)]


def _item_erased(order: Erasure, item: Item) -> NewEvent:
    data = {
        "erasure_id": order.id,
        "evidence_id": item.id,
        "sha256": item.sha256,
        "size": item.size,
        "manifest": item.manifest,
    }
    return NewEvent("evidence.erased", data)


def _texts_erased(state: State, order: Erasure, words: Iterable[Sealed]) -> list[NewEvent]:
    left = {text.text_id: text for text in words if text.text_id not in state.erased_texts}
    return [
        NewEvent("text.erased", {"erasure_id": order.id, "text_id": text.text_id, "commitment": text.commitment})
        for text in left.values()
    ]
