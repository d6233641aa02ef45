"""The grid behind ``coverage``: cells of hours, graded by their events, their silence and what overlays them. Pure.

A cell is one stream (classes recorded together) of a source in an account and a region. One account of a source is
worked on at a time, so that memory stays bounded by the busiest one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.investigation import silence
from holdfast.investigation.answers import Grade
from holdfast.investigation.logfacts import Stream, facts_of, retention_days
from holdfast.investigation.logging_gaps import Off, intervals, regions_without_data, trail_selects
from holdfast.investigation.overlays import HOUR_US, Overlay, from_checks, from_digests, from_inputs

Row = Mapping[str, Any]
Ints = NDArray[np.int64]

REACH = 5 * 8766
"""Hours to either side of the middle of the evidence that are graded: a record dated far off stretches nothing."""
_AFTER_STOP_US = 5 * 60_000_000
"""Events this much later than a stop come from another trail, not from one already on its way."""


@dataclass(slots=True)
class _Cell:
    """One stream in one place."""

    source: str
    account: str | None
    region: str | None
    stream: Stream
    counts: Ints
    last_us: Ints
    rows: Ints
    by_class: dict[str, Ints] = field(default_factory=dict)

    @classmethod
    def empty(cls, row: Row, stream: Stream, size: int) -> _Cell:
        """A cell without events for the place of a row of ``hourly``."""
        counts, last_us, rows = (np.zeros(size, np.int64) for _ in range(3))
        return cls(row["source"], row["account_uid"], row["region"], stream, counts, last_us, rows)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A grade with its reason; ``{events}``, ``{hours}`` and ``{usual}`` are filled in when hours are put together."""

    grade: Grade
    why: str
    row_id: int | None = None


_TOLD = _Mark("observed", "{events} events")
_QUIET = _Mark("silent_expected", "no event, as is usual then")
_MISSING = _Mark("gap", "no event in {hours} where about {usual} an hour are usual")
_TOO_LITTLE = _Mark("cannot_tell", "no event, and too few comparable days to say whether that is usual")
_BEFORE = _Mark("cannot_tell", "nothing was told before the first event")
_AFTER = _Mark("cannot_tell", "nothing was told after the last event")
_ACCOUNT = _Mark("cannot_tell", "no event, while the account's busy logs are silent against their habit")
_MARKS = (_TOLD, _QUIET, _MISSING, _TOO_LITTLE, _BEFORE, _AFTER, _ACCOUNT)


@dataclass(frozen=True, slots=True)
class Grid:
    """Everything that the grades of a run are made from."""

    first: int
    last: int
    """Hours since 1970 UTC, and the hour after the last one."""
    hours: Mapping[tuple[str, str | None], list[Row]]
    """Rows of ``hourly`` by source and account."""
    overlays: Mapping[str, list[Overlay]]
    offs: Mapping[str, list[Off]]
    readers: Mapping[str, set[str]]
    last_told: Mapping[str, int]
    selects: Mapping[str, tuple[bool, int]]
    without: Mapping[str, Mapping[str, int]]
    """Regions whose captured trails select no data events, by account."""

    @classmethod
    def of(cls, tables: Mapping[str, list[Row]]) -> Grid | None:
        """The grid of a run; none when no event has a time."""
        hourly = tables["hourly"]
        first, last = _range(hourly, tables["scope"])
        if first >= last:
            return None
        grouped: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
        told: dict[str, int] = defaultdict(int)
        for row in hourly:
            grouped[(row["source"], row["account_uid"])].append(row)
            told[row["source"]] = max(told[row["source"]], min(row["hour"], last - 1))
        overlays: dict[str, list[Overlay]] = defaultdict(list)
        for found in (
            *from_digests(tables["digests"]),
            *from_checks(tables["log_checks"]),
            *from_inputs(tables["inputs"], first, last),
        ):
            overlays[found.source].append(found)
        offs: dict[str, list[Off]] = defaultdict(list)
        for off in intervals(tables["logging_changes"], tables["state_items"]):
            offs[off.source].append(off)
        readers = _readers(tables["inputs"])
        state = tables["state_items"]
        selects, without = trail_selects(state), regions_without_data(state)
        return cls(first, last, grouped, overlays, offs, readers, told, selects, without)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows of the table ``coverage`` without ``close``, in order."""
        for source, account in sorted(self.hours, key=lambda key: (key[0], key[1] or "")):
            cells = self._account(source, account)
            offs = [off for off in self.offs.get(source, []) if off.account in {None, account}]
            graded = [(cell, *_by_silence(cell, self.first)) for cell in cells]
            dead = _dead(graded)
            for cell, codes, usual in graded:
                codes[dead & (codes == 1)] = _MARKS.index(_ACCOUNT)
                marks: list[_Mark] = list(_MARKS)
                self._retention(cell, codes, marks)
                effective = [found for off in offs if (found := self._effect(off, cell, cells, codes)) is not None]
                self._overlay(cell, codes, marks, effective)
                for event_class in sorted(cell.by_class):
                    yield from self._compress(cell, event_class, codes, marks, usual)
            yield from self._never(source, account, cells)
            yield from self._elsewhere_only(source, account, cells)

    def _account(self, source: str, account: str | None) -> list[_Cell]:
        """Cells of one account: by region and stream, each with the counts of its classes."""
        size, facts = self.last - self.first, facts_of(source)
        cells: dict[tuple[str, str], _Cell] = {}
        for row in self.hours[(source, account)]:
            place = row["hour"] - self.first
            if not 0 <= place < size:
                continue
            stream = facts.stream(row["event_class"] or "other")
            key = (row["region"] or "", stream.classes[0])
            cell = cells.get(key)
            if cell is None:
                cell = cells[key] = _Cell.empty(row, stream, size)
            cell.counts[place] += row["events"]
            cell.last_us[place] = max(cell.last_us[place], row.get("last_us") or 0)
            if cell.rows[place] == 0 or row["first_row"] < cell.rows[place]:
                cell.rows[place] = row["first_row"] or 0
            own = cell.by_class.setdefault(row["event_class"] or "other", np.zeros(size, np.int64))
            own[place] += row["events"]
        return [cells[key] for key in sorted(cells)]

    def _retention(self, cell: _Cell, codes: Ints, marks: list[_Mark]) -> None:
        days = retention_days(cell.source, cell.stream.classes[0], self.readers.get(cell.source, ()))
        if days is None:
            return
        limit = self.last_told[cell.source] - days * 24 - self.first
        told = np.flatnonzero(cell.counts)
        # Events older than the limit say that the copy was made in time: then it binds nothing.
        if 0 < limit <= told[0]:
            marks.append(_Mark("out_of_retention", f"older than the {days} days that the provider keeps"))
            codes[:limit] = len(marks) - 1

    def _effect(self, off: Off, cell: _Cell, cells: Sequence[_Cell], codes: Ints) -> Overlay | None:
        """The hours in which a stopped log made a difference to a cell; none where another log went on.

        Where the account's other regions went on, the stop counts in the region it was made in and where silence is
        unusual: nobody can tell a quiet region from a stopped one there.
        """
        if not off.concerns(cell.region):
            return None
        if off.classes is not None and not set(off.classes) & set(cell.stream.classes):
            return None
        start = off.from_us // HOUR_US - self.first
        stop = (off.to_us // HOUR_US if off.to_us is not None else self.last) - self.first
        if start >= self.last - self.first or stop < 0:
            return None
        if _went_on([cell], off, start, stop):
            return None
        alike = [one for one in cells if one.stream == cell.stream]
        elsewhere = off.not_region is None and _went_on(alike, off, start, stop)
        missing = (codes[max(start, 0) : stop + 1] == silence.MISSING).any()
        if elsewhere and cell.region != off.region and not missing:
            return None
        hours = (max(start, 0) + self.first, min(stop + 1, self.last - self.first) + self.first)
        return Overlay(off.source, None, None, None, *hours, "gap", off.why, off.row_id)

    def _overlay(self, cell: _Cell, codes: Ints, marks: list[_Mark], effective: Sequence[Overlay]) -> None:
        """Apply overlays in order of weight: proofs, doubts, then gaps."""
        weight = {"proven": 0, "cannot_tell": 1, "gap": 2}
        known = self.overlays.get(cell.source, [])
        mine = [one for one in known if one.touches(cell.account, cell.region, cell.stream.classes)]
        narrowed = any(off.classes is not None for off in self.offs.get(cell.source, []))
        for one in sorted((*mine, *effective), key=lambda one: weight.get(one.grade, 1)):
            first, last = max(one.first - self.first, 0), min(one.last - self.first, self.last - self.first)
            if first >= last:
                continue
            told = cell.counts[first:last] > 0
            mask = ~told if one.empty_only else np.ones(last - first, np.bool_)
            if one.grade == "proven" and cell.stream.optional:
                mask &= told | _between_told(cell.counts, first, last, narrowed)
            if not mask.any():
                continue
            why = one.why.replace("{", "{{").replace("}", "}}")
            proven = one.grade == "proven"
            marks.append(_Mark(one.grade, "{events} events; " + why if proven else why, one.row_id))
            codes[first:last][mask] = len(marks) - 1

    def _compress(
        self,
        cell: _Cell,
        event_class: str,
        codes: Ints,
        marks: Sequence[_Mark],
        usual: NDArray[np.float64],
    ) -> Iterator[dict[str, Any]]:
        """Hours that are alike as one row each."""
        edges = np.flatnonzero(np.diff(codes)) + 1
        counts = cell.by_class[event_class]
        for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(codes)], strict=True):
            mark = marks[int(codes[start])]
            events = int(counts[start:stop].sum())
            rows = cell.rows[start:stop]
            told = rows[rows > 0]
            cited = mark.row_id if mark.row_id is not None else int(told[0]) if len(told) else None
            mean = float(usual[start:stop].mean())
            words = mark.why.format(
                events=events, hours=_hours(stop - start), usual=f"{mean:.0f}" if mean >= 1 else f"{mean:.1f}"
            )
            yield {
                "source": cell.source,
                "account_uid": cell.account,
                "region": cell.region,
                "event_class": event_class,
                "grade": mark.grade,
                "from_hour": self.first + start,
                "to_hour": self.first + stop,
                "hours": stop - start,
                "events": events,
                "why": words,
                "row_id": cited,
            }

    def _never(self, source: str, account: str | None, cells: Sequence[_Cell]) -> Iterator[dict[str, Any]]:
        """Streams of a source that told nothing at all in an account."""
        told = {cell.stream.classes[0] for cell in cells}
        for stream in facts_of(source).streams:
            if stream.classes[0] in told or not cells:
                continue
            selected, cited = (
                self.selects.get(account or "", (None, None)) if stream.classes[0] == "data" else (None, None)
            )
            grade: Grade = "never_enabled" if stream.optional and not selected else "cannot_tell"
            yield {
                "source": source,
                "account_uid": account,
                "region": None,
                "event_class": stream.classes[0],
                "grade": grade,
                "from_hour": self.first,
                "to_hour": self.last,
                "hours": self.last - self.first,
                "events": 0,
                "why": _never_why(stream, selected),
                "row_id": cited,
            }

    def _elsewhere_only(self, source: str, account: str | None, cells: Sequence[_Cell]) -> Iterator[dict[str, Any]]:
        """Regions without data events while others of the account tell of them, where captured trails say why."""
        places = {
            name: {cell.region for cell in cells if cell.stream.classes[0] == name} for name in ("data", "management")
        }
        if source != "aws.cloudtrail" or not places["data"]:
            return
        without = self.without.get(account or "", {})
        silent = (places["management"] - places["data"]) & set(without)
        for region in sorted(region for region in silent if region):
            yield {
                "source": source,
                "account_uid": account,
                "region": region,
                "event_class": "data",
                "grade": "never_enabled",
                "from_hour": self.first,
                "to_hour": self.last,
                "hours": self.last - self.first,
                "events": 0,
                "why": "data events were not selected in this region when its trail was captured, and none was told",
                "row_id": without[region],
            }


def _range(hourly: Sequence[Row], scope: Sequence[Row]) -> tuple[int, int]:
    """From the start of the baseline to the end of the window, near the middle of the evidence; equal for nothing."""
    if not hourly:
        return 0, 0
    hours = [row["hour"] for row in hourly]
    told = [scope[0][name] for name in ("baseline_from_us", "from_us") if scope and scope[0][name] is not None]
    first = min(told) // HOUR_US if told else min(hours)
    last = max(hours) + 1
    if scope and scope[0]["to_us"] is not None:
        # An hour that only begins at the end of the window counts when something was told at that very instant.
        hour, rest = divmod(scope[0]["to_us"], HOUR_US)
        ends = {row.get("last_us") for row in hourly if row["hour"] == hour}
        last = hour if not rest and scope[0]["to_us"] not in ends and min(hours) < hour else hour + 1
    middle = int(np.median(hours))
    return max(first, middle - REACH), min(last, middle + REACH)


def _hours(number: int) -> str:
    return f"{number} hour" if number == 1 else f"{number} hours"


def _never_why(stream: Stream, selected: bool | None) -> str:  # noqa: FBT001 - told, not told, or not captured
    name = stream.classes[0]
    if not stream.optional:
        return f"no {name} event was told at all, though they are recorded by default"
    if selected:
        return f"{name} events were selected when the trail was captured, yet none was told"
    if selected is False:
        return f"{name} events were not selected when the trail was captured, and none was told"
    return f"{name} events are off unless switched on, none was told, and no configuration was captured"


def _readers(inputs: Sequence[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in inputs:
        if row["reader"] and row["rows"]:
            found[row["reader"].partition("+")[0]].add(row["reader"])
    return found


def _by_silence(cell: _Cell, first: int) -> tuple[Ints, NDArray[np.float64]]:
    """Codes of the marks by events and silence alone, and what is usual at each hour."""
    judged = silence.judge(cell.counts, first)
    codes = judged.verdict.astype(np.int64)
    told = np.flatnonzero(cell.counts)
    before, after = codes[: told[0]], codes[told[-1] + 1 :]
    before[before == silence.TOO_LITTLE] = _MARKS.index(_BEFORE)
    after[after == silence.TOO_LITTLE] = _MARKS.index(_AFTER)
    return codes, judged.usual


def _dead(graded: Sequence[tuple[_Cell, Ints, NDArray[np.float64]]]) -> NDArray[np.bool_]:
    """Hours in which no cell of the account tells anything, and one of them should."""
    if not graded:
        return np.zeros(0, np.bool_)
    told = np.any([cell.counts > 0 for cell, _, _ in graded], axis=0)
    missing = np.any([codes == silence.MISSING for _, codes, _ in graded], axis=0)
    dead: NDArray[np.bool_] = missing & ~told
    return dead


def _went_on(cells: Sequence[_Cell], off: Off, start: int, stop: int) -> bool:
    """Whether cells tell events within the time a log was off: in its whole hours, or well after the stop."""
    if (
        off.went_on
        and off.classes in {None, ("management", "signin")}
        and any(cell.region == off.region for cell in cells)
    ):
        return True
    if any(cell.counts[max(start + 1, 0) : max(stop, 0)].any() for cell in cells):
        return True
    return start >= 0 and stop > start and any(cell.last_us[start] > off.from_us + _AFTER_STOP_US for cell in cells)


def _between_told(counts: Ints, first: int, last: int, narrowed: bool) -> NDArray[np.bool_]:  # noqa: FBT001 - a fact
    """Hours between the first and the last event of an optional stream, if nothing tells that it was narrowed."""
    result = np.zeros(last - first, np.bool_)
    told = np.flatnonzero(counts)
    if len(told) and not narrowed:
        result[max(int(told[0]) - first, 0) : max(int(told[-1]) + 1 - first, 0)] = True
    return result
