"""Deciders of the post-incident review (X8, V1 to V6) and of improvements for the platform's defaults (V6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed
from holdfast.recovery.catalogue import prompts
from holdfast.recovery.proofs import need_citations
from holdfast.recovery.state import State


def start(state: State, due_at: datetime | None) -> list[NewEvent]:
    """Start the review.

    Raises:
        RefusedError: it has been started.
    """
    if state.review.started_at is not None:
        raise RefusedError(
            "review-started",
            "The review was not started again.",
            why=f"{state.review.started_by} started it.",
            next_step="Answer its prompts: holdfast review answer INC V1 TEXT",
        )
    return [NewEvent("review.started", {"due_at": _text(due_at)})]


def answer(state: State, prompt: str, text: Sealed, citations: Iterable[Citation] = ()) -> list[NewEvent]:
    """Answer one prompt; an answer given again replaces the earlier one, which stays in the record.

    Raises:
        BadInputError: no such prompt.
        RefusedError: the review is not running.
    """
    if prompt not in {one.id for one in prompts()}:
        raise BadInputError(
            "prompt-unknown",
            f"There is no review prompt {prompt[:10]!r}.",
            why="The prompts are V1 to V6.",
            next_step="Name one of those.",
        )
    _running(state)
    data = {"prompt": prompt, "text": text.as_json(), "citations": citations_json(citations)}
    return [NewEvent("review.answered", data)]


def complete(state: State, due_at: datetime | None, *, now: datetime) -> list[NewEvent]:
    """Complete the review; late is recorded as late.

    Raises:
        RefusedError: it is not running, or a prompt has no answer.
    """
    _running(state)
    unanswered = [prompt.id for prompt in prompts() if prompt.id not in state.review.answers]
    if unanswered:
        raise RefusedError(
            "review-unanswered",
            "The review is not completed.",
            why=f"{', '.join(unanswered)} has no answer; none found is an answer too.",
            next_step=f"Answer it: holdfast review answer INC {unanswered[0]} TEXT",
            details={"unanswered": unanswered},
        )
    late = due_at is not None and now > due_at
    return [NewEvent("review.completed", {"due_at": _text(due_at), "late": late})]


def propose_default(state: State, text: Sealed, owner: str) -> list[NewEvent]:
    """Propose an improvement of the platform's defaults, with its owner."""
    data = {"default_id": f"default-{len(state.defaults) + 1}", "text": text.as_json(), "owner": owner}
    return [NewEvent("default.proposed", data)]


def adopt_default(state: State, default_id: str, citations: Iterable[Citation]) -> list[NewEvent]:
    """Record a proposal as adopted.

    Raises:
        NotFoundError: no such proposal.
        RefusedError: adopted already.
        BadInputError: nothing is cited.
    """
    proposal = state.defaults.get(default_id)
    if proposal is None:
        raise NotFoundError(
            "default-not-found",
            f"There is no {default_id} in this incident.",
            why=f"The record holds {len(state.defaults)} proposals.",
            next_step="Propose it: holdfast default propose INC TEXT --owner ACCOUNT",
        )
    if proposal.adopted_at is not None:
        raise RefusedError(
            "default-adopted",
            f"{default_id} is adopted already.",
            why=f"{proposal.adopted_by} recorded it.",
            next_step="Nothing is left to do for it.",
        )
    cited = need_citations(citations, f"{default_id} is not recorded as adopted")
    return [NewEvent("default.adopted", {"default_id": default_id, "citations": cited})]


def _running(state: State) -> None:
    if state.review.started_at is None:
        raise RefusedError(
            "review-not-started",
            "Nothing was recorded.",
            why="The review is not started.",
            next_step="Start it: holdfast review start INC",
        )
    if state.review.completed_at is not None:
        raise RefusedError(
            "review-completed",
            "Nothing was recorded.",
            why="The review is completed.",
            next_step="Add what came later to the timeline, or as a corrective action.",
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)
