"""What pages and the terminal show of the questions: standing, what is left, and the next command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.investigation.answering import parts_not_done
from holdfast.investigation.questions import Question
from holdfast.investigation.state import QuestionState, State
from holdfast.kernel.parts import Part, Settled, Standing, open_parts


@dataclass(frozen=True, slots=True)
class PartView:
    """One part beside its definition."""

    part: Part
    standing: Standing
    settled: Settled | None


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question beside its definition."""

    question: Question
    state: QuestionState
    parts: tuple[PartView, ...]
    open_parts: tuple[Part, ...]
    parts_not_done: int
    """Parts that are open, unknown, unreachable or not applicable."""
    clean: bool
    """Answered, every part done, and nothing settled since: only then nothing is left to doubt."""
    next_command: str
    """What to type now; empty when there is nothing left to do."""


def overview(state: State, questions: Iterable[Question], incident: str = "INC") -> list[QuestionView]:
    """Every question in order; ``incident`` is the id that commands are written with."""
    return [_view(state.question(question.id), question, incident) for question in questions]


def _view(state: QuestionState, question: Question, incident: str) -> QuestionView:
    left = open_parts(question.parts, state.parts)
    gaps = parts_not_done(question, state)
    return QuestionView(
        question=question,
        state=state,
        parts=tuple(_part(part, state.parts.get(part.key)) for part in question.parts),
        open_parts=left,
        parts_not_done=gaps,
        clean=state.standing == "answered" and gaps == 0 and not state.outdated,
        next_command=_next(state, question, left, incident),
    )


def _part(part: Part, settled: Settled | None) -> PartView:
    return PartView(part, "open" if settled is None else settled.standing, settled)


def _next(state: QuestionState, question: Question, left: tuple[Part, ...], incident: str) -> str:
    if state.standing != "open" and not state.outdated:
        return ""
    if left:
        return f"holdfast question settle {incident} {question.id} {left[0].key} --cites ev-…"
    if all(state.parts[part.key].standing in ("unknown", "unreachable") for part in question.parts):
        return f'holdfast question unknown {incident} {question.id} --reason "…"'
    return f'holdfast question answer {incident} {question.id} --answer "…" --cites ev-…'
