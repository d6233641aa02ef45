"""The timeline as a person reads it: by when things happened, filtered, gaps drawn as gaps, with a picture to zoom by.

Rules:
1. Occurred time orders; recorded time is beside it where the two differ.
2. A stretch without any entry is shown as a gap: nothing recorded is not the same as nothing happened. Gaps are drawn
   only over the whole timeline, because a filter makes gaps of its own.
3. The picture counts entries by kind in equal columns; its numbers are those of the entries it stands above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.app.ports import Texts
from holdfast.app.queries.timeline import Entry, by_time, entries, matching
from holdfast.app.queries.unmasking import unmasked
from holdfast.app.state import IncidentState
from holdfast.evidence.names import display_name
from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.texts import is_sealed

KINDS = ("decision", "action", "evidence", "finding", "message", "communication", "clock", "system", "unknown")
"""Kinds of entries, the weightiest first: the lanes of the picture."""
QUIET = timedelta(minutes=30)
"""A stretch this long without any entry is a gap."""
LATE = timedelta(seconds=2)
"""An entry recorded later than this after it happened shows both times."""
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(?!\w)")
"""An instant as the record writes it."""
MAX_SHOWN = 400
COLUMNS = 60
_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 7 * 86400, 30 * 86400)
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for; empty means any."""

    kinds: frozenset[str] = frozenset()
    actor: str = ""
    words: str = ""
    source: str = ""
    start: datetime | None = None
    end: datetime | None = None
    oldest_first: bool = False

    @property
    def narrows(self) -> bool:
        """Whether entries are left out by kind, actor, words or source."""
        return bool(self.kinds or self.actor or self.words or self.source)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, or a gap between two."""

    at: datetime
    entry: Entry | None = None
    recorded_at: datetime | None = None
    """Where it differs from ``at``."""
    lasted: timedelta = timedelta()
    """Of a gap."""
    until: datetime | None = None
    """Of a gap."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the picture."""

    start: datetime
    end: datetime
    counts: dict[str, int]
    """Kind to number of entries."""

    @property
    def total(self) -> int:
        """Entries of all kinds."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Picture:
    """Columns of equal width over the shown stretch."""

    columns: tuple[Column, ...]
    step: timedelta
    lanes: tuple[str, ...]
    """Kinds that occur, the weightiest first."""
    highest: int
    """Most entries of one kind in one column."""


@dataclass(frozen=True, slots=True)
class Spine:
    """The timeline as shown."""

    rows: tuple[Row, ...]
    picture: Picture | None
    found: int
    """Entries that match, shown or not."""
    total: int
    actors: tuple[str, ...]
    sources: tuple[str, ...]
    kinds: frozenset[str]
    """Kinds that occur at all."""
    more: datetime | None = field(default=None)
    """Where the next page begins when not everything is shown."""


def spine(state: IncidentState, events: Sequence[Event], texts: Texts, wanted: Wanted, *, zone: str = "UTC") -> Spine:
    """The timeline of an incident for one reader's question; instants inside sentences are told in ``zone``."""
    told = ZoneInfo(zone)
    everything = by_time(_readable(entries(state, events, texts), events, texts, told))
    chosen = matching(everything, kinds=wanted.kinds, actor=wanted.actor, words=wanted.words, source=wanted.source)
    chosen = [entry for entry in chosen if _within(parse_instant(entry.occurred_at), wanted)]
    rows = _rows(chosen, gaps=not wanted.narrows)
    if not wanted.oldest_first:
        rows.reverse()
    shown = rows[:MAX_SHOWN]
    return Spine(
        rows=tuple(shown),
        picture=_picture(chosen),
        found=len(chosen),
        total=len(everything),
        actors=tuple(sorted({entry.actor for entry in everything})),
        sources=tuple(sorted({entry.source for entry in everything if entry.source})),
        kinds=frozenset(entry.kind for entry in everything),
        more=shown[-1].at if len(rows) > MAX_SHOWN else None,
    )


def _readable(found: list[Entry], events: Sequence[Event], texts: Texts, zone: ZoneInfo) -> list[Entry]:
    """Entries with deceiving characters named, file names cleaned, instants in the zone, the source people wrote."""
    sealed = {event.seq: event.data["source"]["sealed"] for event in events if is_sealed(event.data.get("source"))}
    names = {event.seq: event.data["name"]["sealed"] for event in events if event.type == "evidence.collected"}
    words = texts.read([*sealed.values(), *names.values()])
    readable = []
    for entry in found:
        sentence, source = entry.sentence, entry.source
        if entry.seq in names and names[entry.seq] in words:
            raw = words[names[entry.seq]]
            sentence = sentence.replace(raw, display_name(raw))
        if entry.seq in sealed:
            source = words.get(sealed[entry.seq])
        readable.append(
            replace(
                entry,
                sentence=_plain(entry.type, unmasked(sentence), zone),
                source=None if source is None else unmasked(source),
            )
        )
    return readable


def _plain(kind: str, sentence: str, zone: ZoneInfo) -> str:
    """Machine text inside a sentence as people say it: instants in the zone, keys without underscores."""
    if kind.endswith("part_settled"):
        who, settled, rest = sentence.partition(" settled ")
        sentence = who + settled + rest.replace("_", " ")
    return _INSTANT.sub(lambda hit: parse_instant(hit[0]).astimezone(zone).strftime("%-d %b %H:%M %Z"), sentence)


def _within(at: datetime, wanted: Wanted) -> bool:
    return (wanted.start is None or at >= wanted.start) and (wanted.end is None or at < wanted.end)


def _rows(found: Iterable[Entry], *, gaps: bool) -> list[Row]:
    rows: list[Row] = []
    for entry in found:
        at, recorded = parse_instant(entry.occurred_at), parse_instant(entry.recorded_at)
        if gaps and rows and at - rows[-1].at >= QUIET:
            rows.append(Row(rows[-1].at, lasted=at - rows[-1].at, until=at))
        rows.append(Row(at, entry, recorded if abs(recorded - at) > LATE else None))
    return rows


def _picture(found: Sequence[Entry]) -> Picture | None:
    """The density of the entries, or none when there is nothing to show."""
    if not found:
        return None
    instants = [parse_instant(entry.occurred_at) for entry in found]
    first, last = min(instants), max(instants)
    step = next((step for step in _STEPS if (last - first) / step < COLUMNS), (last - first) / (COLUMNS - 1))
    width = step.total_seconds()
    origin = first.timestamp() // width
    count = int(last.timestamp() // width - origin) + 1
    tallies: list[dict[str, int]] = [{} for _ in range(count)]
    for entry, at in zip(found, instants, strict=True):
        tally = tallies[int(at.timestamp() // width - origin)]
        tally[entry.kind] = tally.get(entry.kind, 0) + 1
    starts = [datetime.fromtimestamp((origin + place) * width, tz=first.tzinfo) for place in range(count)]
    seen = {kind for tally in tallies for kind in tally}
    return Picture(
        columns=tuple(Column(start, _after(start, step), tally) for start, tally in zip(starts, tallies, strict=True)),
        step=step,
        lanes=tuple(kind for kind in KINDS if kind in seen),
        highest=max(max(tally.values()) for tally in tallies if tally),
    )


def _after(start: datetime, step: timedelta) -> datetime:
    """The end of a column; the calendar's last instant where there is no later one."""
    try:
        return start + step
    except OverflowError:
        return datetime.max.replace(tzinfo=start.tzinfo)
