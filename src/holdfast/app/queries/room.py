"""The incident's own channel, read from the record: messages with what they answer, pins, and the decision log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.app.ports import Texts
from holdfast.app.state import IncidentState
from holdfast.app.work import ERASED
from holdfast.kernel.events import Event
from holdfast.kernel.texts import sealed_from, sealed_or_none

QUOTED = 160
"""Characters of the message that an answer quotes."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as shown."""

    seq: int
    by: str
    at: datetime
    text: str
    text_id: str
    erased: bool
    mentions: tuple[str, ...]
    reply_to: int | None
    quoted: str
    """The beginning of what it answers; empty when that is no message."""
    quoted_by: str
    pinned_by: str


def messages(state: IncidentState, events: Sequence[Event], texts: Texts) -> list[Message]:
    """Messages of these events, oldest first; all their words are read at once."""
    posted = [event for event in events if event.type == "message.posted"]
    references = {event.seq: sealed_from(event.data["text"]) for event in posted}
    words = texts.read([sealed.text_id for sealed in references.values()])
    said = {seq: words.get(sealed.text_id, ERASED) for seq, sealed in references.items()}
    who = {event.seq: event.actor.id for event in posted}
    found = []
    for event in posted:
        answers = event.data["reply_to"]
        pin = state.incidents.board.pins.get(event.seq)
        found.append(
            Message(
                seq=event.seq,
                by=event.actor.id,
                at=event.recorded_at,
                text=said[event.seq],
                text_id=references[event.seq].text_id,
                erased=references[event.seq].text_id not in words,
                mentions=tuple(event.data["mentions"]),
                reply_to=answers,
                quoted=said.get(answers, "")[:QUOTED],
                quoted_by=who.get(answers, ""),
                pinned_by="" if pin is None else pin.by,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision with everything that was written down with it."""

    id: str
    kind: str
    seq: int
    by: str
    owner: str
    at: datetime
    words: Mapping[str, str]
    """Field (``text``, ``rejected``, ``known``; ``action``, ``destroys``, ``undo``) to its words, where given."""
    accepts_loss: str
    reversible: bool
    review_at: datetime | None
    reviewed_at: datetime | None


_FIELDS = ("text", "action", "rejected", "known", "destroys", "undo")


def decisions(state: IncidentState, events: Sequence[Event], texts: Texts) -> list[Decided]:
    """The decision log, newest first."""
    by_seq = {event.seq: event for event in events}
    log = [one for one in state.incidents.board.decisions.values() if one.seq in by_seq]
    sealed = {
        (one.id, name): reference
        for one in log
        for name in _FIELDS
        if (reference := sealed_or_none(by_seq[one.seq].data.get(name))) is not None
    }
    words = texts.read([reference.text_id for reference in sealed.values()])
    return [
        Decided(
            id=one.id,
            kind=one.kind,
            seq=one.seq,
            by=one.by,
            owner=one.owner,
            at=one.at,
            words={
                name: words.get(sealed[one.id, name].text_id, ERASED) for name in _FIELDS if (one.id, name) in sealed
            },
            accepts_loss=_text(by_seq[one.seq].data.get("accepts_loss")),
            reversible=one.reversible,
            review_at=one.review_at,
            reviewed_at=one.reviewed_at,
        )
        for one in reversed(log)
    ]


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) else ""
