"""Deciders of the claims ledger and of the corrections that a retraction owes."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.communications.state import AUDIENCES, Audience, Claim, ClaimKind, Consistency, State
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.texts import Sealed


def claim_named(state: State, claim_id: str) -> Claim:
    """The claim.

    Raises:
        NotFoundError: there is none of that id.
    """
    claim = state.claims.get(claim_id)
    if claim is None:
        raise NotFoundError(
            "claim-not-found",
            f"There is no {claim_id} in this incident.",
            why=f"The record holds {len(state.claims)} claims, numbered from claim-1.",
            next_step="Look at the claims, or state it: holdfast claim state INC TEXT --kind impact",
        )
    return claim


def state_claim(state: State, kind: ClaimKind, text: Sealed) -> list[NewEvent]:
    """A new hypothesis, under the next id."""
    claim_id = f"claim-{len(state.claims) + 1}"
    return [NewEvent("claim.stated", {"claim_id": claim_id, "kind": kind, "text": text.as_json()})]


def confirm(state: State, claim_id: str, citations: Iterable[Citation]) -> list[NewEvent]:
    """Make a hypothesis a fact (rule 1).

    Raises:
        RefusedError: it is not a hypothesis.
        BadInputError: nothing is cited.
    """
    claim = claim_named(state, claim_id)
    cited = citations_json(citations)
    if claim.standing != "hypothesis":
        raise _not_a_hypothesis(claim, "confirmed")
    if not cited:
        raise BadInputError(
            "claim-needs-citation",
            f"{claim_id} is not confirmed.",
            why="A fact cites what proves it: an evidence item (ev-3) or an entry of the record (#17).",
            next_step=f"Confirm it citing that: holdfast claim confirm INC {claim_id} --cites ev-3",
        )
    return [NewEvent("claim.confirmed", {"claim_id": claim_id, "citations": cited})]


def disprove(state: State, claim_id: str, citations: Iterable[Citation], reason: Sealed | None) -> list[NewEvent]:
    """Close a hypothesis as refuted.

    Raises:
        RefusedError: it is not a hypothesis; a fact is retracted instead.
        BadInputError: neither a citation nor a reason is given.
    """
    claim = claim_named(state, claim_id)
    cited = citations_json(citations)
    if claim.standing != "hypothesis":
        raise _not_a_hypothesis(claim, "disproved")
    if not cited and reason is None:
        raise BadInputError(
            "claim-needs-reason",
            f"{claim_id} is not disproved.",
            why="A refutation cites evidence or the record, or gives a reason.",
            next_step="Say what refutes it, then disprove it again.",
        )
    data = {"claim_id": claim_id, "citations": cited, "reason": None if reason is None else reason.as_json()}
    return [NewEvent("claim.disproved", data)]


def retract(state: State, claim_id: str, reason: Sealed, citations: Iterable[Citation] = ()) -> list[NewEvent]:
    """Take back a fact, and owe a correction to every audience that was sent it (rule 3).

    Raises:
        RefusedError: it is not a fact.
    """
    claim = claim_named(state, claim_id)
    if claim.standing != "fact":
        raise RefusedError(
            "claim-not-a-fact",
            f"{claim_id} is not retracted.",
            why=f"Only a fact can be retracted, and it stands as {claim.standing}.",
            next_step=f"A hypothesis is disproved: holdfast claim disprove INC {claim_id} --reason TEXT",
        )
    data = {"claim_id": claim_id, "reason": reason.as_json(), "citations": citations_json(citations)}
    events = [NewEvent("claim.retracted", data)]
    number = len(state.corrections)
    for audience, updates in saw(state, claim_id):
        number += 1
        owed = {
            "correction_id": f"correction-{number}",
            "claim_id": claim_id,
            "audience": audience,
            "updates": list(updates),
        }
        events.append(NewEvent("correction.owed", owed))
    return events


def saw(state: State, claim_id: str) -> tuple[tuple[Audience, tuple[str, ...]], ...]:
    """Each audience that was sent the claim, with the sent updates that rested on it."""
    found: list[tuple[Audience, tuple[str, ...]]] = []
    for audience in AUDIENCES:
        updates = tuple(
            update.id
            for update in state.updates.values()
            if update.audience == audience and update.sent_at is not None and claim_id in update.claims
        )
        if updates:
            found.append((audience, updates))
    return tuple(found)


def settle_correction(state: State, correction_id: str, update_id: str) -> list[NewEvent]:
    """Settle a correction with the update that made it.

    Raises:
        NotFoundError: no such correction.
        RefusedError: already settled, or the update does not correct it.
    """
    correction = state.corrections.get(correction_id)
    if correction is None:
        raise NotFoundError(
            "correction-not-found",
            f"There is no {correction_id} in this incident.",
            why=f"The record holds {len(state.corrections)} corrections.",
            next_step="Look at the corrections owed on the communications page.",
        )
    if correction.settled_with is not None:
        raise RefusedError(
            "correction-settled",
            f"{correction_id} is settled already.",
            why=f"{correction.settled_with} corrected it.",
            next_step="Nothing is owed for it.",
        )
    update = state.updates.get(update_id)
    if (
        update is None
        or update.audience != correction.audience
        or update.sent_seq is None
        or update.sent_seq < correction.seq
        or correction.claim_id in update.claims
    ):
        raise RefusedError(
            "correction-not-made",
            f"{update_id} does not settle {correction_id}.",
            why=f"It takes an update sent to the {correction.audience} after the retraction, without the "
            "retracted claim.",
            next_step=f"Draft, approve and send one: holdfast update draft INC {correction.audience}",
        )
    return [NewEvent("correction.settled", {"correction_id": correction_id, "update_id": update_id})]


def mark(
    state: State, claim_id: str, citation: Citation, consistency: Consistency, note: Sealed | None = None
) -> list[NewEvent]:
    """Mark how one piece of evidence bears on one claim; marking it again replaces the mark.

    Raises:
        NotFoundError: no such claim.
    """
    claim_named(state, claim_id)
    data = {
        "claim_id": claim_id,
        "citation": citation.as_json(),
        "consistency": consistency,
        "note": None if note is None else note.as_json(),
    }
    return [NewEvent("matrix.marked", data)]


def _not_a_hypothesis(claim: Claim, done: str) -> RefusedError:
    step = (
        f"Take the fact back instead: holdfast claim retract INC {claim.id} --reason TEXT"
        if claim.standing == "fact"
        else "State a new claim: holdfast claim state INC TEXT --kind impact"
    )
    return RefusedError(
        "claim-not-a-hypothesis",
        f"{claim.id} is not {done}.",
        why=f"Only a hypothesis can be, and it stands as {claim.standing}.",
        next_step=step,
    )
