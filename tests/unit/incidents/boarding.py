"""A board that records: what a decider yields is folded in at an instant, by an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from holdfast.incidents.board import BoardFacts
from holdfast.incidents.state_board import EMPTY_BOARD, BoardState, apply_board
from holdfast.kernel.canonical import check
from holdfast.kernel.citations import Citation
from holdfast.kernel.events import Actor, Event, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed

T0 = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
PROOF = Citation(evidence="ev-1", sha256="ab" * 32)
Value = TypeVar("Value")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def words(name: str = "words") -> Sealed:
    return Sealed(TextId(f"text-{name}"), "0f" * 32)


def facts(**changes: object) -> BoardFacts:
    return BoardFacts(**{"declared_at": T0, "declared_by": "ana", **changes})  # type: ignore[arg-type]  # test shorthand


class Recorder:
    """Holds the newest state and every event."""

    def __init__(self) -> None:
        self.state: BoardState = EMPTY_BOARD
        self.events: list[Event] = []
        self.now = T0

    def record(self, events: Iterable[NewEvent], by: str = "ana", at: datetime | None = None) -> Event:
        """Fold events in; the last one."""
        for new in events:
            check(new.data)
            moment = at or self.now
            event = Event(
                incident_id="INC-2026-0042",
                seq=len(self.events),
                event_id=f"event-{len(self.events)}",
                type=new.type,
                version=new.version,
                occurred_at=new.occurred_at or moment,
                recorded_at=moment,
                basis=new.basis,
                actor=Actor("person", by, "password+totp"),
                data=new.data,
            )
            self.events.append(event)
            self.state = apply_board(self.state, event)
        return self.events[-1]
