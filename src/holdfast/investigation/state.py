"""How each question stands, folded from the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from holdfast.kernel.citations import Citation, citations_from
from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.parts import Settled, settled_from
from holdfast.kernel.texts import Sealed, sealed_from

QuestionStanding = Literal["open", "answered", "unknown"]


@dataclass(frozen=True, slots=True)
class QuestionState:
    """One question. A question nobody has touched is the default value."""

    standing: QuestionStanding = "open"
    owner: str | None = None
    parts: Mapping[str, Settled] = field(default_factory=dict)
    """Part key to how it stands; a part never settled is absent."""
    answer: Sealed | None = None
    """The newest answer, or why it is unknown. Kept while reopened, when it is no longer the standing."""
    citations: tuple[Citation, ...] = ()
    as_of: datetime | None = None
    """Instant up to which the newest answer holds."""
    answered_by: str | None = None
    answered_at: datetime | None = None
    history: tuple[int, ...] = ()
    """Sequence numbers of every answer given, oldest first."""
    reopened: Sealed | None = None
    """Why it was reopened, until it is answered again."""

    @property
    def outdated(self) -> bool:
        """Whether a part was settled after the newest answer was given."""
        return bool(self.history) and any(part.seq > self.history[-1] for part in self.parts.values())


UNTOUCHED = QuestionState()


@dataclass(frozen=True, slots=True)
class State:
    """Every question that somebody has touched."""

    questions: Mapping[str, QuestionState] = field(default_factory=dict)
    """Question id to its state."""

    def question(self, question: str) -> QuestionState:
        """How a question stands; untouched ones are open."""
        return self.questions.get(question, UNTOUCHED)


EMPTY = State()


def apply(state: State, event: Event) -> State:
    """The state after one more event; types of other packages leave it unchanged."""
    if (event.type, event.version) not in _APPLIERS:
        return state
    name = event.data["question"]
    changed = _APPLIERS[event.type, event.version](state.question(name), event)
    return replace(state, questions={**state.questions, name: changed})


def _part_settled(question: QuestionState, event: Event) -> QuestionState:
    return replace(question, parts={**question.parts, event.data["part"]: settled_from(event)})


def _answered(question: QuestionState, event: Event) -> QuestionState:
    return replace(
        question,
        standing=event.data["standing"],
        answer=sealed_from(event.data["answer"]),
        citations=citations_from(event.data["citations"]),
        as_of=parse_instant(event.data["as_of"]),
        answered_by=event.actor.id,
        answered_at=event.recorded_at,
        history=(*question.history, event.seq),
        reopened=None,
    )


def _reopened(question: QuestionState, event: Event) -> QuestionState:
    return replace(question, standing="open", reopened=sealed_from(event.data["reason"]))


def _assigned(question: QuestionState, event: Event) -> QuestionState:
    return replace(question, owner=event.data["owner"])


_APPLIERS = {
    ("question.part_settled", 1): _part_settled,
    ("question.answered", 1): _answered,
    ("question.reopened", 1): _reopened,
    ("question.assigned", 1): _assigned,
}
