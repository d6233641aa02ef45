"""A record in memory: fold what deciders yield, as different people, minutes apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.incidents import EMPTY, TYPES, State, apply, declaring
from holdfast.incidents.declaring import Declaration, Judgement
from holdfast.incidents.severity import Assessment, Circumstances, Level
from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import Actor, Event, NewEvent, event_from
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
DECLARED = {kind.name: kind for kind in TYPES}
PINS = {"calendar": "aa" * 32, "plays": {"leaked-secret": "bb" * 32}, "runbook": "cc" * 32, "severity_table": "dd" * 32}


def words(text: str) -> Sealed:
    return Sealed(TextId(f"text-{text}"), "ab" * 32)


def assessed(level: Level = "SEV-2", *, open_questions: tuple[str, ...] = ()) -> Assessment:
    return Assessment(
        level=level,
        rule="production_secret",
        matches=(),
        provisional=bool(open_questions),
        open_questions=open_questions,
        open_question_minutes=15,
        table_version=1,
        table_digest="dd" * 32,
        reason=f"{level}: because",
    )


@dataclass
class Folded:
    """An incident being told; every event goes through its canonical bytes."""

    state: State = EMPTY
    now: datetime = START
    events: list[Event] = field(default_factory=list)

    def tell(self, by: str, events: Iterable[NewEvent], *, kind: str = "person") -> list[str]:
        told = []
        for new in events:
            declared = DECLARED.get(new.type)
            if declared is not None:
                assert set(new.data) == set(declared.fields), new.type
                declared.sentence.format(actor=by, **new.data)
            event = Event(
                incident_id="INC-2026-0042",
                seq=len(self.events),
                event_id=f"event-{len(self.events)}",
                type=new.type,
                version=1,
                occurred_at=self.now,
                recorded_at=self.now,
                basis="observed",
                actor=Actor(kind, by, "local"),  # type: ignore[arg-type]  # a test may be a service
                data=new.data,
            )
            canonical(event.envelope())
            event = event_from(event.envelope())
            self.events.append(event)
            self.state = apply(self.state, event)
            told.append(new.type)
        return told

    def later(self, **lapse: float) -> datetime:
        self.now += timedelta(**lapse)
        return self.now

    def data(self, name: str) -> Any:
        return next(event.data for event in reversed(self.events) if event.type == name)


def declared(
    by: str = "asmith", level: Level = "SEV-2", *, open_questions: tuple[str, ...] = (), **said: Any
) -> Folded:
    story = Folded()
    declaration = Declaration(name=words("name"), pins=PINS, calendar="utc-weekdays", **said)
    judgement = Judgement({}, Circumstances(), assessed(level, open_questions=open_questions))
    story.tell(by, declaring.declare(story.state, declaration, judgement, by=by, now=story.now))
    return story
