"""The post-incident review: its six prompts with drafts from the record, improvements, and the measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.app.commanding import Documents
from holdfast.app.measures import measures_of, review_drafts
from holdfast.app.ports import Texts
from holdfast.app.queries.clocks import calendar_of, review_due
from holdfast.app.queries.parts import reader
from holdfast.app.state import IncidentState
from holdfast.recovery.catalogue import prompts
from holdfast.recovery.gates import review_required
from holdfast.recovery.measures import MOMENTS, Notice
from holdfast.recovery.prefill import Sentence
from holdfast.recovery.state import Asserted, Default, Statement


@dataclass(frozen=True, slots=True)
class PromptShown:
    """One prompt, what the record would answer, and what people answered."""

    id: str
    name: str
    question: str
    draft: tuple[Sentence, ...]
    answer: Statement | None


@dataclass(frozen=True, slots=True)
class MomentShown:
    """One named instant."""

    key: str
    name: str
    at: datetime | None
    asserted_by: str | None
    basis: str | None
    seq: int | None


@dataclass(frozen=True, slots=True)
class SpanShown:
    """The time between two instants."""

    start: str
    """Name of the first instant, in words."""
    end: str
    seconds: int | None
    missing: tuple[str, ...]
    """Names of the ends nobody has asserted."""
    backwards: bool


@dataclass(frozen=True, slots=True)
class MeasuresShown:
    """Every instant, span and notice. There is no mean, no score and no target."""

    moments: tuple[MomentShown, ...]
    spans: tuple[SpanShown, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class ReviewShown:
    """The review."""

    required: bool
    """SEV-1 and SEV-2 by peak (X8)."""
    due_at: datetime | None
    """None until recovery is verified."""
    overdue: bool
    started_by: str | None
    started_at: datetime | None
    completed_by: str | None
    completed_at: datetime | None
    completed_seq: int | None
    late: bool
    prompts: tuple[PromptShown, ...]
    answered: int
    defaults: tuple[Default, ...]
    asserted: Mapping[str, Asserted]
    measures: MeasuresShown


def review(state: IncidentState, texts: Texts, documents: Documents, now: datetime) -> ReviewShown:
    """The review of an incident as it stands."""
    found = state.recovery.review
    due = found.due_at or review_due(state, calendar_of(state, documents))
    drafts = review_drafts(state, reader(texts, (claim.text for claim in state.communications.claims.values())))
    asked = tuple(
        PromptShown(one.id, one.name, one.question, drafts.get(one.id, ()), found.answers.get(one.id))
        for one in prompts()
    )
    return ReviewShown(
        required=review_required(state.incidents.peak),
        due_at=due,
        overdue=found.completed_at is None and due is not None and now > due,
        started_by=found.started_by,
        started_at=found.started_at,
        completed_by=found.completed_by,
        completed_at=found.completed_at,
        completed_seq=found.completed_seq,
        late=found.late,
        prompts=asked,
        answered=sum(one.answer is not None for one in asked),
        defaults=tuple(state.recovery.defaults.values()),
        asserted=state.recovery.asserted,
        measures=measures(state),
    )


def measures(state: IncidentState) -> MeasuresShown:
    """The measures of an incident, from its distinct instants."""
    found = measures_of(state)
    return MeasuresShown(
        moments=tuple(
            MomentShown(key, name, None, None, None, None)
            if moment is None
            else MomentShown(key, name, moment.at, moment.asserted_by, moment.basis, moment.seq)
            for key, name, moment in found.moments
        ),
        spans=tuple(
            SpanShown(MOMENTS[one.start], MOMENTS[one.end], one.seconds, one.missing, one.backwards)
            for one in found.spans
        ),
        notices=found.notices,
    )
