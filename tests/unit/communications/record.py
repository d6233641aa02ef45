"""A record in memory for these tests: events are folded as a real record folds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from holdfast.communications import EMPTY, State, apply
from holdfast.communications.updates import Content, Situation
from holdfast.kernel.citations import Citation
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.texts import Sealed

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
EVIDENCE = Citation(evidence="ev-1", sha256="ab" * 32)
ENTRY = Citation(event=4)


def sealed(words: str) -> Sealed:
    return Sealed(f"text-{words}", hashlib.sha256(words.encode()).hexdigest())  # type: ignore[arg-type]


class Record:
    def __init__(self) -> None:
        self.state: State = EMPTY
        self.now = START
        self.seq = 0
        self.types: list[str] = []

    def add(self, events: Iterable[NewEvent], by: str = "ana") -> None:
        for new in events:
            self.seq += 1
            actor = Actor("person", by, "local")
            event = Event("INC-1", self.seq, "id", new.type, 1, self.now, self.now, "observed", actor, new.data)
            self.state = apply(self.state, event)
            self.types.append(new.type)

    def later(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def situation(self, peak: str | None = "SEV-2", *, over: bool = False, **holders: str) -> Situation:
        return Situation(peak, over, holders, self.now)

    def content(self, words: str = "words", claims: tuple[str, ...] = (), minutes: int | None = 30) -> Content:
        due = None if minutes is None else self.now + timedelta(minutes=minutes)
        return Content(sealed(words), claims, due)
