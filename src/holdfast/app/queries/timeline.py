"""The timeline: every event as one sentence, in the words people wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.app.ports import Texts
from holdfast.app.state import TYPES, IncidentState
from holdfast.app.states import upcast
from holdfast.app.work import ERASED
from holdfast.kernel.events import Event
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import is_sealed, sealed_within

NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    seq: int
    event_id: str
    type: str
    kind: str
    occurred_at: str
    recorded_at: str
    basis: str
    actor: str
    actor_kind: str
    authenticated: str
    sentence: str
    citations: tuple[str, ...]
    source: str | None
    pinned: bool
    superseded_by: int | None
    runbook: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For the API."""
        return {
            "actor": {"authenticated": self.authenticated, "id": self.actor, "kind": self.actor_kind},
            "basis": self.basis,
            "citations": list(self.citations),
            "event_id": self.event_id,
            "kind": self.kind,
            "occurred_at": self.occurred_at,
            "pinned": self.pinned,
            "recorded_at": self.recorded_at,
            "runbook": list(self.runbook),
            "sentence": self.sentence,
            "seq": self.seq,
            "source": self.source,
            "superseded_by": self.superseded_by,
            "type": self.type,
        }


def entries(state: IncidentState, events: Sequence[Event], texts: Texts) -> list[Entry]:
    """The entries of events, in record order; all their words are read at once."""
    words = texts.read([sealed.text_id for event in events for sealed in sealed_within(event.data)])
    return [_entry(state, upcast(event), words) for event in events]


def by_time(found: Iterable[Entry]) -> list[Entry]:
    """Oldest occurrence first; equal instants in record order."""
    return sorted(found, key=lambda entry: (entry.occurred_at, entry.seq))


def matching(
    found: Iterable[Entry], *, kinds: frozenset[str] = frozenset(), actor: str = "", words: str = "", source: str = ""
) -> list[Entry]:
    """Entries of these kinds, this actor, this source, holding these words; empty means any."""
    needle = words.casefold()
    return [
        entry
        for entry in found
        if (not kinds or entry.kind in kinds)
        and (not actor or entry.actor == actor)
        and (not source or entry.source == source)
        and (not needle or needle in entry.sentence.casefold())
    ]


def sentence_of(event: Event, words: Mapping[str, str]) -> str:
    """The event as its type's sentence; a type this version does not know is named plainly."""
    declared = TYPES.get((event.type, event.version))
    if declared is None:
        return f"{event.actor.id} recorded {event.type} (not known to this version)"
    values = _Shown({name: _words(name, shown(value, words)) for name, value in event.data.items()})
    values["actor"] = event.actor.id
    return declared.sentence.format_map(values)


def shown(value: Any, words: Mapping[str, str]) -> str:  # noqa: ANN401 - any JSON value
    """A value of event data as a person reads it."""
    if is_sealed(value):
        return words.get(value["sealed"], ERASED)
    if isinstance(value, Mapping):
        return _shown_mapping(value, words)
    if isinstance(value, list | tuple):
        return ", ".join(shown(item, words) for item in value) or NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value in (None, "") else str(value)


def _shown_mapping(value: Mapping[str, Any], words: Mapping[str, str]) -> str:
    if set(value) == {"event"}:
        return f"#{value['event']}"
    if set(value) == {"evidence", "sha256"}:
        return str(value["evidence"])
    return ", ".join(f"{name.replace('_', ' ')}: {shown(item, words)}" for name, item in value.items()) or NOTHING


def _words(field: str, shown_value: str) -> str:
    """Keys of library data as words; account names and ids, which may look alike, stay as they are."""
    return shown_value.replace("_", " ") if field in _KEYED else shown_value


_KEYED = frozenset(
    {
        "answer", "clock", "consistency", "disposition", "escalation", "impact", "kind", "moment", "open_questions",
        "outcome", "output", "part", "role", "roles", "rule", "source", "standing", "status", "uncaptured", "what",
    }
)  # fmt: skip
"""Fields of events that hold keys of library data."""


class _Shown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return NOTHING


def _entry(state: IncidentState, event: Event, words: Mapping[str, str]) -> Entry:
    declared = TYPES.get((event.type, event.version))
    board = state.incidents.board
    return Entry(
        seq=event.seq,
        event_id=event.event_id,
        type=event.type,
        kind="unknown" if declared is None else declared.kind,
        occurred_at=format_instant(event.occurred_at),
        recorded_at=format_instant(event.recorded_at),
        basis=event.basis,
        actor=event.actor.id,
        actor_kind=event.actor.kind,
        authenticated=event.actor.authenticated,
        sentence=sentence_of(event, words),
        citations=tuple(_citation(cited) for cited in event.data.get("citations") or ()),
        source=event.data.get("source") if isinstance(event.data.get("source"), str) else None,
        pinned=event.seq in board.pins,
        superseded_by=board.superseded.get(event.seq),
        runbook=() if declared is None else declared.runbook,
    )


def _citation(cited: Mapping[str, Any]) -> str:
    return f"#{cited['event']}" if "event" in cited else str(cited["evidence"])
