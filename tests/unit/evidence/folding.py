"""Folds what deciders yield, as the application would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.evidence import EMPTY, State, apply, custody
from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)


@dataclass
class Record:
    """An incident's evidence under test."""

    state: State = EMPTY
    events: list[Event] = field(default_factory=list)
    texts: int = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=len(self.events))

    def words(self) -> Sealed:
        self.texts += 1
        return Sealed(TextId(f"text-{self.texts}"), f"{self.texts:064x}")

    def add(self, news: Iterable[NewEvent], by: str = "ines") -> list[Event]:
        added = []
        for new in news:
            event = Event(
                incident_id="INC-2026-0001",
                seq=len(self.events),
                event_id=f"event-{len(self.events)}",
                type=new.type,
                version=new.version,
                occurred_at=new.occurred_at or self.now,
                recorded_at=self.now,
                basis=new.basis,
                actor=Actor("person", by, "passkey"),
                data=new.data,
            )
            canonical(event.envelope())
            self.events.append(event)
            self.state = apply(self.state, event)
            added.append(event)
        return added

    def collect(self, by: str = "ines", content: str = "a", **changes: Any) -> str:
        fields: dict[str, Any] = {
            "kind": "log",
            "name": self.words(),
            "origin": self.words(),
            "sha256": content * 64,
            "size": 10,
            "media_type": "text/plain",
            "source": None,
            "collector": "holdfast-cli",
            "collector_version": "0.1.0",
            "started": None,
            "ended": None,
            "clock_offset_ms": None,
        }
        found = custody.Collected(**(fields | changes))
        return str(self.add(custody.collect(self.state, found, by, self.now), by)[0].data["evidence_id"])
