"""The severity part of the state: assessment, declared level, peak, a lowering under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from holdfast.incidents.severity import Level, worse
from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.texts import Sealed, sealed_from, sealed_or_none


@dataclass(frozen=True, slots=True)
class Assessed:
    """The newest answers to the decision table, and what the table said."""

    table: str
    """Digest of the table."""
    answers: Mapping[str, str]
    context: Mapping[str, Any]
    level: Level
    rule: str
    """The rule that fired."""
    provisional: bool
    reason: str
    """The table's own sentence."""
    open_questions: tuple[str, ...]
    open_due_at: datetime | None
    """By when the open questions are to be answered."""
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One declared level, from when."""

    level: Level
    at: datetime
    by: str
    reason: Sealed | None
    seq: int


@dataclass(frozen=True, slots=True)
class Lowering:
    """A proposed lower level waiting for a second person."""

    level: Level
    reason: Sealed
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class SeverityState:
    """How severe it is declared, was at worst, and would be by the table."""

    level: Level | None = None
    peak: Level | None = None
    assessed: Assessed | None = None
    lowering: Lowering | None = None
    changes: tuple[LevelChange, ...] = field(default=())
    """Every declared level, oldest first: response targets run from each raise."""

    @property
    def provisional(self) -> bool:
        """Whether one of questions 1 to 3 is still unknown."""
        return self.assessed is not None and self.assessed.provisional

    @property
    def proposed(self) -> Level | None:
        """The assessment's level where it differs from the declared one."""
        if self.assessed is None or self.assessed.level == self.level:
            return None
        return self.assessed.level


def _answered(state: SeverityState, event: Event) -> SeverityState:
    data = event.data
    due = data["open_questions_due_at"]
    return replace(
        state,
        assessed=Assessed(
            table=data["table"],
            answers=data["answers"],
            context=data["context"],
            level=data["level"],
            rule=data["rule"],
            provisional=data["provisional"],
            reason=data["reason"],
            open_questions=tuple(data["open_questions"]),
            open_due_at=None if due is None else parse_instant(due),
            by=event.actor.id,
            at=event.recorded_at,
            seq=event.seq,
        ),
    )


def _levelled(state: SeverityState, event: Event) -> SeverityState:
    level: Level = event.data["level"]
    reason = sealed_or_none(event.data.get("reason"))
    peak = level if state.peak is None else worse(level, state.peak)
    change = LevelChange(level, event.recorded_at, event.actor.id, reason, event.seq)
    return replace(state, level=level, peak=peak, lowering=None, changes=(*state.changes, change))


def _lower_proposed(state: SeverityState, event: Event) -> SeverityState:
    lowering = Lowering(
        event.data["level"], sealed_from(event.data["reason"]), event.actor.id, event.recorded_at, event.seq
    )
    return replace(state, lowering=lowering)


def _lower_refused(state: SeverityState, event: Event) -> SeverityState:
    del event
    return replace(state, lowering=None)


_FOLDS: Mapping[str, Callable[[SeverityState, Event], SeverityState]] = {
    "severity.answered": _answered,
    "severity.set": _levelled,
    "severity.raised": _levelled,
    "severity.lowered": _levelled,
    "severity.lower_proposed": _lower_proposed,
    "severity.lower_refused": _lower_refused,
}


def apply(state: SeverityState, event: Event) -> SeverityState:
    """The severity after one more event."""
    fold = _FOLDS.get(event.type)
    return state if fold is None else fold(state, event)
