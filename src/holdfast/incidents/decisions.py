"""The decision log, and the containment decision of F6.

Rules:
1. A decision says what was decided; what was turned down, what was known and when to look again belong to it.
2. A containment decision names one owner, and says either what evidence it destroys or that it destroys none, and
   either how to undo it or plainly that it cannot be undone. Silence is refused on both.
3. Where evidence is destroyed, a named person accepts that loss. If that is who decides, they act alone, the event
   says so, and a countersignature is owed.
4. What was uncaptured of the volatile evidence (F5) at that moment is recorded with the decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from holdfast.incidents.board import uncaptured_keys
from holdfast.incidents.state_board import BoardState, Decision
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

Outcome = Literal["upheld", "changed"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision as somebody takes it."""

    text: Sealed
    rejected: Sealed | None
    known: Sealed | None
    reversible: bool
    review_at: datetime | None
    message: int | None = None
    """Sequence number of the message it was taken in."""
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Containment:
    """A containment decision as somebody takes it."""

    owner: str
    action: Sealed
    destroys: Sealed | None
    destroys_nothing: bool
    accepts_loss: str | None
    undo: Sealed | None
    no_undo: bool
    review_at: datetime | None


def record(state: BoardState, choice: Choice, now: datetime) -> list[NewEvent]:
    """Write a decision into the log.

    Raises:
        BadInputError: the review time is past (``review-time-past``).
    """
    data = {
        "decision_id": _next_id(state),
        "text": choice.text.as_json(),
        "rejected": _json(choice.rejected),
        "known": _json(choice.known),
        "reversible": choice.reversible,
        "review_at": _review(choice.review_at, now),
        "message": choice.message,
        "citations": citations_json(choice.citations),
    }
    return [NewEvent("decision.recorded", data)]


def contain(state: BoardState, decided: Containment, by: str, now: datetime) -> list[NewEvent]:
    """Decide a containment action; the first one settles F6.

    Raises:
        BadInputError: evidence or undo is left unsaid or said both ways, nobody accepts a loss, somebody accepts a
            loss that there is none of, or the review time is past.
    """
    _one_of(decided.destroys is not None, decided.destroys_nothing, "what evidence it destroys", "destroys none")
    _one_of(decided.undo is not None, decided.no_undo, "how to undo it", "cannot be undone")
    if (decided.destroys is None) != (decided.accepts_loss is None):
        lost = decided.destroys is not None
        raise BadInputError(
            "containment-loss-unowned",
            "The containment action was not decided.",
            why="It destroys evidence and nobody accepts that." if lost else "It destroys nothing, so none is lost.",
            next_step="Name who accepts the loss." if lost else "Leave out who accepts a loss.",
        )
    data = {
        "decision_id": _next_id(state),
        "owner": decided.owner,
        "action": decided.action.as_json(),
        "destroys": _json(decided.destroys),
        "accepts_loss": decided.accepts_loss,
        "acting_alone": decided.accepts_loss == by,
        "undo": _json(decided.undo),
        "review_at": _review(decided.review_at, now),
        "uncaptured": list(uncaptured_keys(state)),
    }
    return [NewEvent("containment.decided", data)]


def review(state: BoardState, decision_id: str, outcome: Outcome, note: Sealed) -> list[NewEvent]:
    """Look at a decision again; once reviewed, it is settled and a new one is a decision of its own.

    Raises:
        NotFoundError: there is no such decision.
        RefusedError: it has been reviewed (``decision-reviewed``).
    """
    decision = decision_named(state, decision_id)
    if decision.reviewed_at is not None:
        raise RefusedError(
            "decision-reviewed",
            f"{decision.id} has been reviewed already.",
            why=f"That was at {format_instant(decision.reviewed_at)}.",
            next_step="If it no longer holds, record a new decision: holdfast decide --help",
        )
    data = {"decision_id": decision.id, "outcome": outcome, "note": note.as_json()}
    return [NewEvent("decision.reviewed", data)]


def decision_named(state: BoardState, decision_id: str) -> Decision:
    """The decision of that id.

    Raises:
        NotFoundError: there is none (``decision-not-found``).
    """
    decision = state.decisions.get(decision_id)
    if decision is None:
        raise NotFoundError(
            "decision-not-found",
            f"There is no decision {decision_id[:20]!r}.",
            why="This incident has not recorded it.",
            next_step="Look at the incident's decision log.",
        )
    return decision


def first_containment(state: BoardState) -> Decision | None:
    """The decision that settles F6, or None while nothing is decided."""
    return next((found for found in state.decisions.values() if found.kind == "containment"), None)


def _next_id(state: BoardState) -> str:
    return f"decision-{len(state.decisions) + 1}"


def _json(sealed: Sealed | None) -> dict[str, str] | None:
    return None if sealed is None else sealed.as_json()


def _review(review_at: datetime | None, now: datetime) -> str | None:
    if review_at is None:
        return None
    if review_at <= now:
        raise BadInputError(
            "review-time-past",
            "Nothing was decided.",
            why=f"The review time {format_instant(review_at)} is past.",
            next_step="Name a time to come, or leave it out.",
        )
    return format_instant(review_at)


def _one_of(said: object, denied: object, what: str, none: str) -> None:
    """Rule 2: exactly one of the two."""
    if bool(said) == bool(denied):
        raise BadInputError(
            "containment-incomplete",
            "The containment action was not decided.",
            why=f"It says {'both' if said else 'neither'} {what} {'and' if said else 'nor'} that it {none}.",
            next_step=f"Say {what}, or say plainly that it {none}.",
        )
