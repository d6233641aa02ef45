"""Settling, answering and reopening questions (runbook I1 to I7); the rules are numbered in the package."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from holdfast.investigation.questions import Question
from holdfast.investigation.state import QuestionStanding, QuestionState, State
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant, to_utc
from holdfast.kernel.parts import Standing, open_parts, part_named, settlement
from holdfast.kernel.texts import Sealed


def assign(question: Question, owner: str) -> list[NewEvent]:
    """Give a question to a person."""
    return [NewEvent("question.assigned", {"question": question.id, "owner": owner})]


def settle(
    state: State,
    question: Question,
    part: str,
    standing: Standing,
    citations: Iterable[Citation],
    reason: Sealed | None,
) -> list[NewEvent]:
    """Settle one part, or set it back to open while the question is open.

    A part may be settled again after the answer; the question then shows as outdated.

    Raises:
        BadInputError: no such part, done without a citation, or otherwise without a reason.
        RefusedError: setting a part back to open on a question that is not open.
    """
    part_named(question.parts, part, f"Question {question.id}")
    standing_now = state.question(question.id).standing
    if standing == "open" and standing_now != "open":
        raise RefusedError(
            "question-not-open",
            f"The part {part!r} stays as it is.",
            why=f"Question {question.id} is {standing_now}, and an open part would contradict that.",
            next_step=f"Reopen it first: holdfast question reopen INC {question.id} --reason …",
        )
    data = settlement(part, standing, citations, reason)
    return [NewEvent("question.part_settled", {"question": question.id, **data})]


def answer(
    state: State, question: Question, words: Sealed, citations: Iterable[Citation], *, as_of: datetime, now: datetime
) -> list[NewEvent]:
    """Answer a question, again if need be.

    Raises:
        BadInputError: no citation, or ``as_of`` lies in the future.
        RefusedError: a part is open, or every part is unknown or unreachable.
    """
    found = state.question(question.id)
    cited = citations_json(citations)
    if not cited:
        raise BadInputError(
            "answer-needs-citation",
            f"Question {question.id} is not answered.",
            why="An answer cites evidence (ev-3) or the record (#17); also a no must say what was looked at.",
            next_step=f"Cite it, or say that it cannot be told: holdfast question unknown INC {question.id} --reason …",
        )
    left = open_parts(question.parts, found.parts)
    if left:
        keys = [part.key for part in left]
        raise RefusedError(
            "question-has-open-parts",
            f"Question {question.id} is not answered.",
            why=f"Every part is settled first, and these are open: {', '.join(keys)}.",
            next_step=f"Settle the next: holdfast question settle INC {question.id} {keys[0]} --cites ev-…",
            details={"open_parts": keys},
        )
    if all(found.parts[part.key].standing in ("unknown", "unreachable") for part in question.parts):
        raise RefusedError(
            "question-is-unknown",
            f"Question {question.id} is not answered.",
            why="Every part of it is unknown or unreachable, and unknown is never clean.",
            next_step=f"Say so: holdfast question unknown INC {question.id} --reason …",
        )
    return [_answered(question, found, "answered", words, {"citations": cited, "as_of": _past(as_of, now)})]


def unknown(
    state: State, question: Question, reason: Sealed, citations: Iterable[Citation], *, as_of: datetime, now: datetime
) -> list[NewEvent]:
    """Record that a question cannot be answered, and why. Parts may be open: they are counted as not done.

    Raises:
        BadInputError: ``as_of`` lies in the future.
    """
    found = state.question(question.id)
    extras = {"citations": citations_json(citations), "as_of": _past(as_of, now)}
    return [_answered(question, found, "unknown", reason, extras)]


def reopen(state: State, question: Question, reason: Sealed) -> list[NewEvent]:
    """Open a question again; parts and earlier answers stay.

    Raises:
        RefusedError: it is open already.
    """
    if state.question(question.id).standing == "open":
        raise RefusedError(
            "question-already-open",
            f"Question {question.id} is not reopened.",
            why="It is open already.",
            next_step=f"Work on it: holdfast question settle INC {question.id} --help",
        )
    return [NewEvent("question.reopened", {"question": question.id, "reason": reason.as_json()})]


def parts_not_done(question: Question, state: QuestionState) -> int:
    """How many parts are open, unknown, unreachable or not applicable."""
    return sum(part.key not in state.parts or state.parts[part.key].standing != "done" for part in question.parts)


def _answered(
    question: Question, found: QuestionState, standing: QuestionStanding, words: Sealed, extras: dict[str, Any]
) -> NewEvent:
    data = {
        "question": question.id,
        "standing": standing,
        "answer": words.as_json(),
        "parts_not_done": parts_not_done(question, found),
        **extras,
    }
    return NewEvent("question.answered", data)


def _past(as_of: datetime, now: datetime) -> str:
    if to_utc(as_of) > to_utc(now):
        raise BadInputError(
            "instant-in-future",
            f"An answer cannot hold as of {format_instant(as_of)}.",
            why=f"That lies in the future: it is {format_instant(now)}.",
            next_step="Give the instant up to which you have looked, or leave it out for now.",
        )
    return format_instant(as_of)
