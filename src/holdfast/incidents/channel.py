"""The built-in incident channel and manual timeline entries (F1, R1).

Rules:
1. A message never conflicts with anything and is never edited or taken back.
2. An entry says when it happened, how that is known and from where; it does not lie in the future.
3. A correction is a new entry that points at the one it corrects. One entry has one correction: whoever finds
   that wrong too corrects the correction, so that the chain has one end.
4. Any event of the record can be pinned; pinning changes nothing but who sees it first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.incidents.state_board import BoardState, PinKind
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import Basis, NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

MAX_MENTIONS = 20
CLOCK_SKEW = timedelta(minutes=1)
"""How far a writer's clock may run ahead of ours before an entry counts as lying in the future."""

_MENTION = re.compile(r"(?<![\w.@/-])@([a-z0-9][a-z0-9._-]{1,39})(?![\w@])")


@dataclass(frozen=True, slots=True)
class Entry:
    """A manual timeline entry as somebody writes it."""

    text: Sealed
    occurred_at: datetime
    basis: Basis
    source: Sealed | None
    citations: tuple[Citation, ...] = ()


def mentioned(text: str) -> tuple[str, ...]:
    """Names written as ``@name`` in a message, once each, in order, at most 20.

    An address such as ``ana@example.org`` mentions nobody; a full stop or dash after a name is not part of it.
    Whether there is such an account is for the caller to find out.
    """
    names = (match.group(1).rstrip(".-_") for match in _MENTION.finditer(text))
    return tuple(dict.fromkeys(name for name in names if len(name) > 1))[:MAX_MENTIONS]


def post(text: Sealed, mentions: Iterable[str], reply_to: int | None) -> list[NewEvent]:
    """Post a message."""
    data = {"text": text.as_json(), "mentions": sorted(set(mentions)), "reply_to": reply_to}
    return [NewEvent("message.posted", data)]


def add(entry: Entry, now: datetime) -> list[NewEvent]:
    """Add an entry to the timeline.

    Raises:
        BadInputError: it lies in the future (``entry-in-the-future``).
    """
    _check_past(entry.occurred_at, now)
    data = {"text": entry.text.as_json(), **_known_from(entry)}
    return [NewEvent("entry.added", data, occurred_at=entry.occurred_at, basis=entry.basis)]


def supersede(state: BoardState, seq: int, entry: Entry, reason: Sealed, now: datetime) -> list[NewEvent]:
    """Correct an entry of the record by a new one; the old one stays as it was.

    Raises:
        BadInputError: the correction lies in the future (``entry-in-the-future``).
        RefusedError: it has been corrected (``entry-superseded``).
    """
    newer = state.superseded.get(seq)
    if newer is not None:
        raise RefusedError(
            "entry-superseded",
            f"#{seq} has been corrected already.",
            why=f"Its correction is #{newer}.",
            next_step=f"Read that; if it is wrong too: holdfast timeline supersede INC {newer}",
        )
    _check_past(entry.occurred_at, now)
    data = {"entry": seq, "text": entry.text.as_json(), **_known_from(entry), "reason": reason.as_json()}
    return [NewEvent("entry.superseded", data, occurred_at=entry.occurred_at, basis=entry.basis)]


def pin(state: BoardState, seq: int, kind: PinKind) -> list[NewEvent]:
    """Pin a message or any other event.

    Raises:
        RefusedError: it is pinned (``already-pinned``).
    """
    pinned = state.pins.get(seq)
    if pinned is not None:
        raise RefusedError(
            "already-pinned",
            f"#{seq} is pinned already.",
            why=f"{pinned.by} pinned it at {format_instant(pinned.at)}.",
            next_step="Nothing is left to do.",
        )
    return [NewEvent(f"{kind}.pinned", {"entry": seq})]


def unpin(state: BoardState, seq: int, kind: PinKind) -> list[NewEvent]:
    """Take a pin off.

    Raises:
        RefusedError: there is no such pin of that kind (``not-pinned``).
    """
    pinned = state.pins.get(seq)
    if pinned is None or pinned.kind != kind:
        raise RefusedError(
            "not-pinned",
            f"#{seq} is not pinned as a {'message' if kind == 'message' else 'timeline entry'}.",
            why="Somebody took the pin off, or it was pinned the other way.",
            next_step="Look at the pins of the incident again.",
        )
    return [NewEvent(f"{kind}.unpinned", {"entry": seq})]


def _known_from(entry: Entry) -> dict[str, object]:
    return {
        "source": None if entry.source is None else entry.source.as_json(),
        "citations": citations_json(entry.citations),
    }


def _check_past(occurred_at: datetime, now: datetime) -> None:
    if occurred_at > now + CLOCK_SKEW:
        raise BadInputError(
            "entry-in-the-future",
            "The entry was not added.",
            why=f"It would have happened at {format_instant(occurred_at)}, which is still to come.",
            next_step="Check date and time zone; for something planned use: holdfast task assign --help",
        )
