"""The exposure searches of an incident, folded from its events: what each found, never where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from holdfast.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Search:
    """One search, as its event tells it."""

    evidence_id: str
    outcome: Literal["complete", "incomplete"]
    made: Literal["here", "elsewhere"]
    secrets: tuple[str, ...]
    """Fingerprints."""
    hits: int
    places: int
    exposed_at: str | None
    basis: str
    by: str
    at: datetime
    seq: int
    """The event that recorded it."""


@dataclass(frozen=True, slots=True)
class State:
    """All searches of one incident, by the item that holds the report, oldest first."""

    searches: Mapping[str, Search] = field(default_factory=dict)


EMPTY = State()


def apply(state: State, event: Event) -> State:
    """The state after one more event; types of other packages leave it unchanged."""
    if event.type != "exposure.searched":
        return state
    data = event.data
    found = Search(
        evidence_id=data["evidence_id"],
        outcome=data["outcome"],
        made=data["made"],
        secrets=tuple(data["secrets"]),
        hits=data["hits"],
        places=data["places"],
        exposed_at=data["exposed_at"],
        basis=data["basis"],
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, searches={**state.searches, found.evidence_id: found})
