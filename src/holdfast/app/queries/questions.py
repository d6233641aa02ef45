"""The investigation as questions I1 to I7: what is asked, what is left of each, and what the answer rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.app.commanding import Documents
from holdfast.app.queries.knowing import pinned_questions
from holdfast.app.queries.parts import PartShown, part_shown
from holdfast.app.state import IncidentState
from holdfast.investigation.overview import QuestionView, overview
from holdfast.investigation.state import QuestionStanding
from holdfast.kernel.citations import Citation
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class QuestionShown:
    """One question as surfaces show it."""

    id: str
    name: str
    question: str
    why: str
    hints: tuple[str, ...]
    traps: tuple[str, ...]
    standing: QuestionStanding
    owner: str | None
    parts: tuple[PartShown, ...]
    open_parts: tuple[str, ...]
    """Keys, in order."""
    parts_not_done: int
    """Open, unknown, unreachable or not applicable: what the answer does not cover."""
    clean: bool
    outdated: bool
    """A part was settled after the newest answer."""
    answer: Sealed | None
    """The newest answer, or why it is unknown; kept while the question is open again."""
    citations: tuple[Citation, ...]
    as_of: datetime | None
    answered_by: str | None
    answered_at: datetime | None
    history: tuple[int, ...]
    """Sequence numbers of every answer, oldest first."""
    reopened: Sealed | None
    next_command: str
    next_form: str
    """Use case that comes next: settle, answer or unknown; nothing when none is due."""


@dataclass(frozen=True, slots=True)
class Questions:
    """All of them, with how many stand how."""

    questions: tuple[QuestionShown, ...]
    answered: int
    unknown: int
    open: int
    not_clean: int
    """Answered questions with a part that is not done, or settled since."""


def questions(state: IncidentState, documents: Documents) -> Questions:
    """The questions as the incident was declared under, in order."""
    views = overview(state.investigation, pinned_questions(state, documents), state.id)
    shown = tuple(_shown(view) for view in views)
    return Questions(
        questions=shown,
        answered=sum(one.standing == "answered" for one in shown),
        unknown=sum(one.standing == "unknown" for one in shown),
        open=sum(one.standing == "open" for one in shown),
        not_clean=sum(one.standing == "answered" and not one.clean for one in shown),
    )


def _shown(view: QuestionView) -> QuestionShown:
    definition, state = view.question, view.state
    return QuestionShown(
        id=definition.id,
        name=definition.name,
        question=definition.question,
        why=definition.why,
        hints=definition.hints,
        traps=definition.traps,
        standing=state.standing,
        owner=state.owner,
        parts=tuple(part_shown(one.part, one.settled) for one in view.parts),
        open_parts=tuple(part.key for part in view.open_parts),
        parts_not_done=view.parts_not_done,
        clean=view.clean,
        outdated=state.outdated,
        answer=state.answer,
        citations=state.citations,
        as_of=state.as_of,
        answered_by=state.answered_by,
        answered_at=state.answered_at,
        history=state.history,
        reopened=state.reopened,
        next_command=view.next_command,
        next_form="question-" + view.next_command.split(" ")[2] if view.next_command else "",
    )
