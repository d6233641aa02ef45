"""How complete the evidence is: a grade for every hour of every source, account, region and event class.

Grades, as ``answers`` names them:

- ``proven``: a valid chain of digests lists every log file of the hour, and each is there unaltered;
- ``observed``: events were told;
- ``silent_expected``: nothing was told, and silence is usual then;
- ``gap``: something that was there is missing, by silence, by a stopped log, a cut file or a broken chain;
- ``never_enabled``: the class is not recorded unless somebody switches it on, and nothing tells that anybody did;
- ``out_of_retention``: the provider no longer keeps it;
- ``cannot_tell``: too little to judge by, or records that could not be read.

Rules:
1. The grades reach from the start of the baseline to the end of the window, hour by hour; hours that are alike are one
   row, ``from_hour`` to ``to_hour`` (the first hour after it).
2. A doubt outweighs a sign of life: a cut file, a stopped trail and a broken chain make an hour a gap though it tells
   events, since nobody knows which events it does not tell.
3. Silence is judged by ``silence``, on the events of a whole stream (classes recorded together).
4. A "no" is allowed over proven and observed hours, and over silent ones with their number said (:func:`allows_no`).
   Quiet nights would otherwise forbid every "no"; the reason carries the number so that the reader can weigh it.
5. An hour is a grain: a log stopped for ten minutes makes its whole hour a gap.

Not handled here: events that a provider lost before it wrote them, and classes that no log records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.investigation.answers import CellGrade, Grade
from holdfast.investigation.cells import Grid
from holdfast.investigation.logfacts import facts_of
from holdfast.investigation.overlays import HOUR_US

Row = Mapping[str, Any]

COLUMNS: tuple[Column, ...] = (
    Column("source", "text", "which log"),
    Column("account_uid", "text", "account, organisation, tenant, cluster or host; null for all of the source"),
    Column("region", "text", "region; null for all of the account"),
    Column("event_class", "text", "class of events"),
    Column("grade", "text", "proven, observed, silent_expected, gap, never_enabled, out_of_retention or cannot_tell"),
    Column("from_hour", "integer", "first hour since 1970 UTC"),
    Column("to_hour", "integer", "the hour after the last one"),
    Column("hours", "integer", "number of hours"),
    Column("events", "integer", "events told in them"),
    Column("why", "text", "why it has this grade"),
    Column("close", "text", "what would close it; null where nothing is open"),
    Column("row_id", "integer", "a record or document it rests on; null when it tells of something absent"),
)
AFTER = ("hourly", "inputs", "scope", "state_items", "logging_changes", "log_checks", "digests")
WORST: tuple[Grade, ...] = (
    "gap",
    "cannot_tell",
    "out_of_retention",
    "never_enabled",
    "silent_expected",
    "observed",
    "proven",
)
"""Grades, worst first."""
GRADE_WORDS: Mapping[str, str] = {
    "gap": "missing",
    "cannot_tell": "that cannot be judged",
    "out_of_retention": "no longer kept",
    "never_enabled": "never recorded",
    "silent_expected": "quiet as usual",
    "observed": "observed",
    "proven": "proven complete",
}
"""A grade after a number of hours."""
GOOD = ("proven", "observed")
CAPTURED, GIVEN = "captured", "given"
"""Prefixes of what is no log in ``rests_on``."""
_NAMED = 3


def grade_cells(tables: Mapping[str, list[Row]]) -> list[dict[str, Any]]:
    """Rows of the table ``coverage``, in order of source, account, region, class and hour.

    Args:
        tables: the rows of :data:`AFTER`.
    """
    grid = Grid.of(tables)
    return [] if grid is None else [{**row, "close": closing(row)} for row in grid.rows()]


def closing(row: Row) -> str | None:
    """What would close an open cell, in words; none for a cell that is not open."""
    return _close(row["grade"], row["source"], row["event_class"], row["account_uid"], row["region"])


def _close(grade: str, source: str, event_class: str, account: str | None, region: str | None) -> str | None:
    facts = facts_of(source)
    enable = facts.stream(event_class).enable
    found = {
        "gap": facts.export + (f"; {facts.proof}" if facts.proof else ""),
        "cannot_tell": facts.export,
        "never_enabled": f"nothing brings the past back; from now on: {enable or 'switch it on'}",
        "out_of_retention": f"only a copy made earlier (a stream, a SIEM, a backup) has it; from now on: {enable}",
    }.get(grade)
    if found is None:
        return None
    return found.replace("{account}", account or "ACCOUNT").replace("{region}", region or "REGION")


def allows_no(
    coverage: Sequence[Row],
    rests_on: Sequence[str],
    from_us: int,
    to_us: int,
    state: Iterable[str] = (),
) -> tuple[bool, str]:
    """Whether "No …" may be said of some event classes in a window, and why (not), in words without a full stop.

    Args:
        coverage: rows of the table ``coverage``.
        rests_on: ``source:class``, ``*`` for any source or any class; ``captured:table`` for captured state, which must
            be there; ``given:table`` for what a run always knows of itself. Empty rests on every class of every source.
        from_us: start of the window.
        to_us: end of it, included.
        state: names of the state tables that have rows.
    """
    lacking = _lacking(rests_on, state)
    if lacking:
        return False, f"no captured state ({', '.join(lacking)})"
    logs = _logs(rests_on)
    if rests_on and not logs:
        return True, ""
    cells, absent = _cells(coverage, logs, from_us, to_us)
    if absent:
        return False, f"no log among the inputs tells of {' or '.join(absent)}"
    if not cells:
        return False, "no log covers this time"
    return _verdict(cells)


def _verdict(cells: Sequence[Row]) -> tuple[bool, str]:
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(cells, key=_badness):
        if row["grade"] not in {*GOOD, "silent_expected"}:
            groups.setdefault((row["grade"], row["source"], row["event_class"]), []).append(row)
    if groups:
        said = [_reason(rows) for rows in list(groups.values())[:_NAMED]]
        rest = len(groups) - len(said)
        return False, "; ".join(said) + (f"; and {rest} more kinds of hours" if rest else "")
    silent = sum(row["hours"] for row in cells if row["grade"] == "silent_expected")
    good = sum(row["hours"] for row in cells if row["grade"] in GOOD)
    if not good:
        return False, "nothing was told in all this time"
    quiet = f", and over {silent} in which silence is usual" if silent else ""
    return True, f"over {good} hours of logs with events or proof{quiet}"


def grades_for(coverage: Sequence[Row], rests_on: Sequence[str], from_us: int, to_us: int) -> tuple[CellGrade, ...]:
    """The grades that an answer rests on, worst first, cut to the window.

    Hours of a cell that are as they should be are put together, from the first to the last, though others lie between:
    their number is in ``hours``. Each of the others stands for itself.
    """
    logs = _logs(rests_on)
    if rests_on and not logs:
        return ()
    cells, _ = _cells(coverage, logs, from_us, to_us)
    return tuple(_cell_grade(row) for row in sorted(_together(cells), key=_badness))


def _together(cells: Iterable[Row]) -> list[Row]:
    """Good and silent hours of a cell as one row for each grade."""
    kept: list[Row] = []
    joined: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in cells:
        if row["grade"] not in {*GOOD, "silent_expected"}:
            kept.append(row)
            continue
        key = tuple(row[name] for name in ("source", "account_uid", "region", "event_class", "grade"))
        known = joined.setdefault(key, {**row, "hours": 0, "events": 0})
        known["from_hour"] = min(known["from_hour"], row["from_hour"])
        known["to_hour"] = max(known["to_hour"], row["to_hour"])
        known["hours"] += row["hours"]
        known["events"] += row["events"] or 0
    for row in joined.values():
        row["why"] = (
            f"{row['events']} events" if row["grade"] == "observed" else row["why"].partition("; ")[2] or row["why"]
        )
    return [*kept, *joined.values()]


def would_change(
    coverage: Sequence[Row],
    rests_on: Sequence[str],
    from_us: int,
    to_us: int,
    state: Iterable[str] = (),
) -> tuple[str, ...]:
    """What would change an answer: a capture for each kind of hole it rests on, worst first, each once."""
    found = {f"captured state ({name}) is not there: capture and add it": None for name in _lacking(rests_on, state)}
    logs = _logs(rests_on)
    cells, absent = _cells(coverage, logs, from_us, to_us) if logs or not rests_on else ([], [])
    for words in absent:
        found[f"a log that tells of {words}"] = None
    return (*found, *_closings(cells))


def _closings(cells: Iterable[Row]) -> Iterator[str]:
    """One sentence for each grade of each class that is open, worst first, naming a few of its places."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(cells, key=_badness):
        groups.setdefault((row["grade"], row["source"], row["event_class"]), []).append(row)
    for (grade, source, event_class), rows in groups.items():
        places = list(dict.fromkeys((row["account_uid"], row["region"]) for row in rows))
        close = _close(grade, source, event_class, *(places[0] if len(places) == 1 else (None, None)))
        if close is not None:
            named = [" ".join(part for part in one if part) for one in places[:_NAMED]]
            more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
            where = f" ({', '.join(name for name in named if name)}{more})" if any(named) else ""
            hours = sum(row["hours"] for row in rows)
            yield f"{source} {event_class} events, {hours} hours {GRADE_WORDS[grade]}{where}: {close}"


def _logs(rests_on: Iterable[str]) -> list[str]:
    """The classes of events among what something rests on."""
    return [name for name in rests_on if name.partition(":")[0] not in {CAPTURED, GIVEN}]


def _lacking(rests_on: Iterable[str], state: Iterable[str]) -> list[str]:
    """Tables of captured state that something rests on and that have no rows, in words."""
    there = set(state)
    named = [name.partition(":") for name in rests_on]
    return [table.replace("_", " ") for kind, _, table in named if kind == CAPTURED and table not in there]


def _cells(
    coverage: Sequence[Row],
    logs: Sequence[str],
    from_us: int,
    to_us: int,
) -> tuple[list[Row], list[str]]:
    """Rows of the named classes within the window, and the names that no row answers to."""
    wanted = logs or ("*:*",)
    absent: list[str] = []
    kept: dict[int, Row] = {}
    for name in wanted:
        source, _, event_class = name.partition(":")
        rows = _rows_of(coverage, source, event_class or "*")
        if not rows:
            absent.append(event_class if source == "*" else f"{source} ({event_class})")
        kept.update({id(row): row for row in rows})
    first, last = from_us // HOUR_US, to_us // HOUR_US + 1
    return [cut for row in kept.values() if (cut := _cut(row, first, last)) is not None], absent


def _rows_of(coverage: Sequence[Row], source: str, event_class: str) -> list[Row]:
    """Rows of a class; of the leading class of its stream for a log that never told this one."""
    found: list[Row] = []
    by_source: dict[str, list[Row]] = {}
    for row in coverage:
        if source in {"*", row["source"]}:
            by_source.setdefault(row["source"], []).append(row)
    for name, rows in by_source.items():
        own = [row for row in rows if event_class in {"*", row["event_class"]}]
        if not own and event_class in facts_of(name).stream(event_class).classes[1:]:
            leader = facts_of(name).stream(event_class).classes[0]
            own = [row for row in rows if row["event_class"] == leader]
        found += own
    return found


def _cut(row: Row, first: int, last: int) -> Row | None:
    start, stop = max(row["from_hour"], first), min(row["to_hour"], last)
    if start >= stop:
        return None
    return {**row, "from_hour": start, "to_hour": stop, "hours": stop - start}


def _badness(row: Row) -> tuple[Any, ...]:
    place = (row["source"], row["account_uid"] or "", row["region"] or "", row["event_class"], row["from_hour"])
    return (WORST.index(row["grade"]), -row["hours"], *place)


def _cell_grade(row: Row) -> CellGrade:
    return CellGrade(
        source=row["source"],
        account=row["account_uid"],
        region=row["region"],
        event_class=row["event_class"],
        grade=row["grade"],
        from_us=row["from_hour"] * HOUR_US,
        to_us=row["to_hour"] * HOUR_US,
        hours=row["hours"],
        why=row["why"],
    )


def cell_words(row: Row) -> str:
    """Which cell a row is about: ``aws.cloudtrail data events, 111122223333 eu-west-1``."""
    place = " ".join(part for part in (row["account_uid"], row["region"]) if part)
    return f"{row['source']} {row['event_class']} events" + (f", {place}" if place else "")


def _reason(rows: Sequence[Row]) -> str:
    """Why a "no" is not allowed, for rows of one grade and class."""
    first = rows[0]
    if len(rows) == 1:
        return f"{cell_words(first)}, {hours_text(first['from_hour'], first['to_hour'])}: {first['why']}"
    hours = sum(row["hours"] for row in rows)
    words = f"{first['source']} {first['event_class']} events, {hours} hours {GRADE_WORDS[first['grade']]}"
    place = " ".join(part for part in (first["account_uid"], first["region"]) if part)
    when = hours_text(first["from_hour"], first["to_hour"])
    return f"{words}, among them {place + ' ' if place else ''}{when}: {first['why']}"


def hours_text(first: int, last: int) -> str:
    """A range of hours in words: ``2024-05-02 02:00 to 06:00Z``."""
    start, stop = hour_text(first), hour_text(last)
    return f"{start} to {stop[11:] if stop[:10] == start[:10] else stop}Z"


def hour_text(hour: int) -> str:
    """An hour since 1970 as text, UTC without its sign."""
    try:
        return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"hour {hour}"


def minute_text(moment_us: int | None) -> str:
    """An instant to the minute, for sentences: ``2024-05-02 02:30Z``."""
    if moment_us is None:
        return "an unknown time"
    try:
        return datetime.fromtimestamp(moment_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%MZ")
    except (OverflowError, ValueError, OSError):
        return "a time beyond the calendar"
