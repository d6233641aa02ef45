"""(written by its owner)"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.kernel.events import Event, EventType


@dataclass(frozen=True, slots=True)
class State:
    """Nothing yet."""


EMPTY = State()
TYPES: tuple[EventType, ...] = ()


def apply(state: State, event: Event) -> State:
    """Nothing yet."""
    del event
    return state
