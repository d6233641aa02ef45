"""Who holds evidence, who touched it, and how its bytes stand: deciders.

Rules:
1. Exactly one custodian at every instant; only the receiver's acceptance changes it.
2. A transfer needs a receiver, who is not the custodian already; one offer at a time.
3. Somebody who is not the custodian may offer an item too (the custodian is out of reach), but owes a reason.
4. Nothing happens to erased evidence: its digest and tombstone are all there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.evidence.events import SHORTFALLS, Kind, Outcome, Shortfall
from holdfast.evidence.state import Item, State
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant, to_utc
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collector says of one item; bytes are in the vault already."""

    kind: Kind
    name: Sealed
    origin: Sealed | None
    sha256: str
    size: int
    media_type: str
    source: str | None
    collector: str
    collector_version: str
    started: datetime | None
    ended: datetime | None
    clock_offset_ms: int | None
    manifest: str | None = None
    contents: int = 0
    contents_size: int = 0
    shortfalls: tuple[Shortfall, ...] = ()


def collect(state: State, found: Collected, by: str, now: datetime) -> list[NewEvent]:
    """Record an item; who collects it is its first custodian.

    The event occurred when collecting ended by the server's clock, as far as the collector's offset tells.

    Raises:
        BadInputError: collecting ended before it started.
    """
    if found.started is not None and found.ended is not None and found.ended < found.started:
        raise BadInputError(
            "evidence-ended-before-start",
            "The evidence was not added.",
            why="Collecting is said to have ended before it started.",
            next_step="Send both times by the same clock.",
        )
    data = {
        "evidence_id": f"ev-{len(state.items) + 1}",
        "kind": found.kind,
        "name": found.name.as_json(),
        "origin": None if found.origin is None else found.origin.as_json(),
        "sha256": found.sha256,
        "size": found.size,
        "media_type": found.media_type,
        "source": found.source,
        "collected_by": by,
        "collector": found.collector,
        "collector_version": found.collector_version,
        "started": None if found.started is None else format_instant(found.started),
        "ended": None if found.ended is None else format_instant(found.ended),
        "clock_offset_ms": found.clock_offset_ms,
        "manifest": found.manifest,
        "contents": found.contents,
        "contents_size": found.contents_size,
        "shortfalls": [code for code in SHORTFALLS if code in found.shortfalls],
    }
    return [NewEvent("evidence.collected", data, occurred_at=_occurred(found, now))]


def view(state: State, evidence_id: str, purpose: Sealed | None) -> list[NewEvent]:
    """Record that somebody looks at an item."""
    item = kept(state, evidence_id)
    return [NewEvent("evidence.viewed", {"evidence_id": item.id, "purpose": _json(purpose)})]


def propose_transfer(state: State, evidence_id: str, to: str, by: str, reason: Sealed | None) -> list[NewEvent]:
    """Offer an item to another person; its custodian stays until they accept.

    Raises:
        BadInputError: no receiver, or no reason from somebody who is not the custodian.
        RefusedError: the receiver holds it already, or another offer is open.
    """
    item = kept(state, evidence_id)
    if not to.strip():
        raise BadInputError(
            "transfer-without-receiver",
            f"{item.id} was not offered to anybody.",
            why="Evidence always has exactly one custodian, so a transfer names who receives it.",
            next_step=f"Name the receiver: holdfast evidence transfer INC {item.id} --to ACCOUNT",
        )
    if to == item.custodian:
        raise RefusedError(
            "transfer-to-custodian",
            f"{item.id} was not offered.",
            why=f"{to} holds it already.",
            next_step="Name another person.",
        )
    if item.transfer is not None:
        raise RefusedError(
            "transfer-pending",
            f"{item.id} was not offered.",
            why=f"It is already offered to {item.transfer.to}, who has not answered.",
            next_step=f"Let them answer, or withdraw the offer: holdfast evidence refuse INC {item.id} --reason …",
        )
    if by != item.custodian and reason is None:
        raise BadInputError(
            "transfer-needs-reason",
            f"{item.id} was not offered.",
            why=f"Its custodian is {item.custodian}; somebody else who offers it says why.",
            next_step="Give a reason, for example that the custodian is out of reach.",
        )
    data = {"evidence_id": item.id, "custodian": item.custodian, "to": to, "reason": _json(reason)}
    return [NewEvent("evidence.transfer_proposed", data)]


def accept_transfer(state: State, evidence_id: str, by: str) -> list[NewEvent]:
    """Take an offered item over.

    Raises:
        RefusedError: nothing is offered, or it is offered to somebody else.
    """
    item = kept(state, evidence_id)
    offer = _offered(item)
    if by != offer:
        raise RefusedError(
            "transfer-not-yours",
            f"{item.id} was not taken over.",
            why=f"It is offered to {offer}; only the receiver accepts.",
            next_step=f"Ask {offer}, or have it offered to you.",
        )
    return [NewEvent("evidence.transfer_accepted", {"evidence_id": item.id, "custodian": item.custodian, "to": by})]


def refuse_transfer(state: State, evidence_id: str, by: str, reason: Sealed) -> list[NewEvent]:
    """Turn an offer down as its receiver, or withdraw it as who made it or as custodian.

    Raises:
        RefusedError: nothing is offered, or the offer is none of this person's business.
    """
    item = kept(state, evidence_id)
    offer = _offered(item)
    proposer = None if item.transfer is None else item.transfer.proposed_by
    if by not in (offer, item.custodian, proposer):
        raise RefusedError(
            "transfer-not-yours",
            f"The transfer of {item.id} stands.",
            why=f"Only {offer}, the custodian {item.custodian} or {proposer} may turn it down.",
            next_step=f"Ask {offer}.",
        )
    data = {"evidence_id": item.id, "custodian": item.custodian, "to": offer, "reason": reason.as_json()}
    return [NewEvent("evidence.transfer_refused", data)]


def export(state: State, evidence: Iterable[str], recipient: Sealed, purpose: Sealed) -> list[NewEvent]:
    """Record that items leave Holdfast.

    Raises:
        BadInputError: no item is named.
    """
    items = {name: kept(state, name) for name in evidence}
    if not items:
        raise BadInputError(
            "export-without-evidence",
            "No export was recorded.",
            why="It names no item.",
            next_step="Name at least one, for example ev-1.",
        )
    data = {
        "evidence": sorted(items, key=number_of),
        "recipient": recipient.as_json(),
        "purpose": purpose.as_json(),
    }
    return [NewEvent("evidence.exported", data)]


def export_record(recipient: Sealed, purpose: Sealed) -> list[NewEvent]:
    """Record that the record leaves Holdfast with no item beside it: there is none, or each is withheld."""
    data = {"evidence": [], "recipient": recipient.as_json(), "purpose": purpose.as_json()}
    return [NewEvent("evidence.exported", data)]


def reverify(state: State, evidence_id: str, outcomes: Iterable[Outcome]) -> list[NewEvent]:
    """Record how an item's objects (its bytes, its manifest, what that names) were found.

    The worst outcome is the item's: missing, then differs, then matches.
    """
    item = kept(state, evidence_id)
    found = list(outcomes)
    order: tuple[Outcome, ...] = ("missing", "differs", "matches")
    worst = next(outcome for outcome in order if outcome in found)
    data = {
        "evidence_id": item.id,
        "outcome": worst,
        "sha256": item.sha256,
        "objects": len(found),
        "faults": sum(outcome != "matches" for outcome in found),
    }
    return [NewEvent("evidence.reverified", data)]


def known(state: State, evidence_id: str) -> Item:
    """The item, erased or not.

    Raises:
        NotFoundError: the incident has no such item.
    """
    item = state.items.get(evidence_id)
    if item is None:
        raise NotFoundError(
            "evidence-unknown",
            f"There is no evidence {evidence_id[:20]!r} in this incident.",
            why=f"It has {len(state.items)} items, numbered from ev-1.",
            next_step="List them: holdfast evidence list INC",
        )
    return item


def kept(state: State, evidence_id: str) -> Item:
    """The item, which is not erased.

    Raises:
        NotFoundError: the incident has no such item.
        RefusedError: it was erased.
    """
    item = known(state, evidence_id)
    if item.standing == "erased":
        raise RefusedError(
            "evidence-erased",
            f"{item.id} is no longer there.",
            why=f"Its bytes were erased under {item.erased_by}; the digest and this tombstone stay.",
            next_step="Cite the record of the erasure instead.",
        )
    return item


def number_of(identifier: str) -> int:
    """The number in ``ev-12``."""
    return int(identifier.rpartition("-")[2])


def _offered(item: Item) -> str:
    if item.transfer is None:
        raise RefusedError(
            "transfer-not-offered",
            f"No transfer of {item.id} is open.",
            why=f"Nobody has offered it; {item.custodian} holds it.",
            next_step=f"Offer it first: holdfast evidence transfer INC {item.id} --to ACCOUNT",
        )
    return item.transfer.to


def _occurred(found: Collected, now: datetime) -> datetime | None:
    if found.ended is None:
        return None
    ended = to_utc(found.ended) - timedelta(milliseconds=found.clock_offset_ms or 0)
    return min(ended, now)


def _json(words: Sealed | None) -> dict[str, str] | None:
    return None if words is None else words.as_json()
