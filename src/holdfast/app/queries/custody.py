"""The custody of one item of evidence, as its record tells it: who did what to it, when, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.app.ports import Texts
from holdfast.app.queries.timeline import sentence_of
from holdfast.kernel.events import Event
from holdfast.kernel.texts import sealed_within


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the custody trail."""

    seq: int
    type: str
    by: str
    at: datetime
    sentence: str


def trail(evidence_id: str, events: Sequence[Event], texts: Texts) -> list[Step]:
    """Everything that was done to an item, oldest first: collected, viewed, handed over, verified, exported, erased."""
    about = [event for event in events if _is_about(event.data, event.type, evidence_id)]
    words = texts.read([sealed.text_id for event in about for sealed in sealed_within(event.data)])
    return [
        Step(event.seq, event.type, event.actor.id, event.recorded_at, sentence_of(event, words)) for event in about
    ]


def _is_about(data: Mapping[str, object], kind: str, evidence_id: str) -> bool:
    if not kind.startswith(("evidence.", "hold.", "erasure.")):
        return False
    if evidence_id in (data.get("evidence_id"), data.get("target")):
        return True
    named = data.get("evidence")
    return isinstance(named, list | tuple) and evidence_id in named
