"""One timeline over all sources: signals, suspects' acts, gaps, pins, captured state and the incident's own entries.

Rules:
1. Order is by the time shown, then by kind and citation; entries without a time come last and never acquire one.
2. A source's clock offset is applied to what is shown only: ``time_us`` stays what the record says.
3. A gap is an entry with a start and an end. It stays when other kinds are filtered out by text or actor, unless kinds
   are filtered: a timeline without its gaps would look whole.
4. Pages are bounded (:data:`PAGE`), and continue after the last entry of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.investigation.answers import Citation

Row = Mapping[str, Any]

PAGE = 500
KINDS = ("lead", "signal", "act", "response", "gap", "pin", "state", "incident")
"""Kinds of entries, in the order in which equal instants are listed."""
_LAST = 1 << 62


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    kind: str
    what: str
    time_us: int | None = None
    """When, by the source's own clock; microseconds since 1970 UTC."""
    shown_us: int | None = None
    """The same with the source's clock offset taken away; equal where none is known."""
    until_us: int | None = None
    """End of what lasts: a gap, or the last of acts put together."""
    source: str | None = None
    account: str | None = None
    region: str | None = None
    actor: str | None = None
    target: str | None = None
    operation: str | None = None
    status: str | None = None
    score: int | None = None
    technique: str | None = None
    events: int = 1
    citation: Citation | None = None
    id: str = ""
    """What tells it apart: the row id, or the id of a pin or an incident's entry."""

    @property
    def key(self) -> tuple[int, int, str]:
        """Its place in the order."""
        shown = _LAST if self.shown_us is None else self.shown_us
        rank = KINDS.index(self.kind) if self.kind in KINDS else len(KINDS)
        return (shown, rank, self.id)

    @property
    def shifted(self) -> bool:
        """Whether a clock offset was taken away."""
        return self.shown_us != self.time_us


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show; empty means everything."""

    kinds: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    actor: str = ""
    """Part of the actor's name, in any case."""
    text: str = ""
    """Part of what happened, of the target, operation, technique or actor, in any case."""
    from_us: int | None = None
    to_us: int | None = None
    """Last instant shown."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the entries that are wanted."""

    entries: tuple[Entry, ...]
    total: int
    """How many are wanted in all."""
    following: str | None
    """What to ask for next (``after``); none when these are the last."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Entries by kind, before the filter."""


def from_rows(rows: Iterable[Row], citations: Mapping[int, Citation] | None = None) -> list[Entry]:
    """Entries from rows of the table ``timeline``; citations by row id."""
    cited = citations or {}
    return [
        Entry(
            kind=row["kind"],
            what=row["what"] or "",
            time_us=row["time_us"],
            shown_us=row["time_us"],
            until_us=row["until_us"],
            source=row["source"],
            account=row["account_uid"],
            region=row["region"],
            actor=row["actor_uid"],
            target=row["target_uid"],
            operation=row["operation"],
            status=row["status"],
            score=row["score"],
            technique=row["technique"],
            events=row["events"],
            citation=cited.get(row["row_id"]) if row["row_id"] is not None else None,
            id=f"{row['row_id'] or 0:020d}",
        )
        for row in rows
    ]


def from_state(rows: Iterable[Row], citations: Mapping[int, Citation] | None = None) -> list[Entry]:
    """One entry for each captured document: rows of state tables with ``captured_us`` and ``row_id``."""
    cited = citations or {}
    documents: dict[int, int | None] = {}
    for row in rows:
        documents.setdefault(row["row_id"], row["captured_us"])
    return [
        Entry(
            kind="state",
            what="State captured" + (f": {cited[number].file}" if number in cited else ""),
            time_us=captured,
            shown_us=captured,
            citation=cited.get(number),
            id=f"{number:020d}",
        )
        for number, captured in documents.items()
    ]


def merge(*lists: Iterable[Entry], offsets_ms: Mapping[str, int] | None = None) -> list[Entry]:
    """All entries in order, each source's clock offset taken away from what is shown.

    Args:
        lists: entries from wherever; pins and the incident's own are given as entries of kind ``pin`` and ``incident``.
        offsets_ms: by how many milliseconds a source's clock is ahead.
    """
    offsets = offsets_ms or {}
    found = [_shown(entry, offsets.get(entry.source or "", 0)) for entries in lists for entry in entries]
    return sorted(found, key=lambda entry: entry.key)


def _shown(entry: Entry, offset_ms: int) -> Entry:
    if entry.time_us is None:
        return replace(entry, shown_us=None)
    return replace(entry, shown_us=entry.time_us - offset_ms * 1000)


def wanted_of(entries: Iterable[Entry], wanted: Wanted) -> list[Entry]:
    """Those entries that are wanted, in the same order."""
    return [entry for entry in entries if _is_wanted(entry, wanted)]


def _is_wanted(entry: Entry, wanted: Wanted) -> bool:
    if wanted.kinds and entry.kind not in wanted.kinds:
        return False
    if wanted.sources and entry.source not in wanted.sources:
        return False
    if not _in_time(entry, wanted):
        return False
    if entry.kind == "gap":
        return True
    if wanted.actor and wanted.actor.casefold() not in (entry.actor or "").casefold():
        return False
    return not wanted.text or wanted.text.casefold() in _words(entry)


def _in_time(entry: Entry, wanted: Wanted) -> bool:
    """Whether it touches the time asked for; without a time it does only when none is asked for."""
    if wanted.from_us is None and wanted.to_us is None:
        return True
    if entry.shown_us is None:
        return False
    end = entry.until_us if entry.until_us is not None else entry.shown_us
    after_start = wanted.from_us is None or end >= wanted.from_us
    return after_start and (wanted.to_us is None or entry.shown_us <= wanted.to_us)


def _words(entry: Entry) -> str:
    told = (entry.what, entry.actor, entry.target, entry.operation, entry.technique, entry.source)
    return "\n".join(word for word in told if word).casefold()


def page(entries: Sequence[Entry], wanted: Wanted, after: str | None = None, limit: int = PAGE) -> Page:
    """One page of merged entries.

    Args:
        entries: as :func:`merge` gives them.
        wanted: the filter.
        after: ``following`` of the page before; one that fits no entry begins at the front.
        limit: entries on it, at most :data:`PAGE`.
    """
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
    found = wanted_of(entries, wanted)
    names = [mark(entry) for entry in found]
    start = names.index(after) + 1 if after in names else 0
    shown = found[start : start + max(1, min(limit, PAGE))]
    more = start + len(shown) < len(found)
    return Page(tuple(shown), len(found), mark(shown[-1]) if more else None, counts)


def mark(entry: Entry) -> str:
    """A name for a place in the order, stable between pages."""
    shown, rank, own = entry.key
    return f"{shown}.{rank}.{own}.{entry.what[:40]}"
