"""What a commander reads aloud about the logs: from when to when they carry, what is missing, what they never told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.investigation.coverage import WORST, hours_text, minute_text

Row = Mapping[str, Any]

_HOUR_US = 3_600_000_000
_SHOWN = 3


def sentence(results: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> str:
    """One sentence.

    Args:
        results: rows of the queries of I6 by id (``i6_cells``, ``i6_holes``, ``i6_changes``, ``i6_digests``,
            ``i6_inputs``).
        facts: ``from_us`` and ``to_us``, the window; ``totals``, rows in all by query.
    """
    cells = results.get("i6_cells", ())
    if not cells:
        return "Cannot tell whether the logs can carry a timeline: no event with a time was read."
    holes = [row for row in results.get("i6_holes", ()) if row["in_window"]]
    gaps = [row for row in holes if row["grade"] == "gap"]
    start, end = minute_text(facts["from_us"]), minute_text(facts["to_us"])
    verdict = "Not complete" if gaps else "Complete as far as the logs can show" if not holes else "Complete enough"
    parts = [
        f"{verdict} from {start} to {end}: {_told(cells)}",
        _missing(gaps),
        _doubtful([row for row in holes if row["grade"] != "gap"]),
        _changes(results.get("i6_changes", ()), facts),
        _digests(results.get("i6_digests", ()), facts),
        _unread(results.get("i6_inputs", ()), facts),
    ]
    return "; ".join(part for part in parts if part) + "."


def _told(cells: Sequence[Row]) -> str:
    """Which logs told something, and how much of it is proven."""
    sources: dict[str, set[str]] = {}
    for row in cells:
        if row["observed"] or row["proven"]:
            sources.setdefault(row["source"], set()).add(row["account_uid"] or "")
    named = [f"{source} of {_count(len(accounts), 'account')}" for source, accounts in sorted(sources.items())]
    proven = sum(row["proven"] for row in cells)
    words = f"{_listed(named)} told events" if named else "no log told an event"
    return words + (f", {_count(proven, 'hour')} of them proven complete" if proven else "")


def _missing(gaps: Sequence[Row]) -> str:
    said = [
        f"{row['hours']}-hour gap in {_cell(row)} from {_span(row)}, {_brief(row['why'])}"
        for row in sorted(gaps, key=lambda row: (-row["hours"], row["from_us"]))[:_SHOWN]
    ]
    rest = len(gaps) - len(said)
    return "; ".join(said) + (f"; and {_count(rest, 'more gap')}" if rest else "")


def _doubtful(holes: Sequence[Row]) -> str:
    """What cannot be told, one clause for each class and grade, worst first."""
    groups: dict[tuple[str, str, tuple[tuple[int, int], ...]], list[Row]] = {}
    by_class: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(holes, key=lambda row: (WORST.index(row["grade"]), -row["hours"])):
        by_class.setdefault((row["grade"], row["source"], row["event_class"]), []).append(row)
    for (grade, source, _), rows in by_class.items():
        when = tuple(sorted({(row["from_us"], row["to_us"]) for row in rows}))
        groups.setdefault((grade, source, when), []).extend(rows)
    said = [_clause(rows) for rows in list(groups.values())[:_SHOWN]]
    rest = len(groups) - len(said)
    return "; ".join(said) + (f"; and {_count(rest, 'more kind')} of hours that cannot tell" if rest else "")


def _clause(rows: Sequence[Row]) -> str:
    """Holes of one log and grade at the same times, whatever their classes."""
    first = rows[0]
    classes = sorted({row["event_class"] for row in rows})
    events = f"{first['source']} {_listed(classes)} events"
    hours = sum(row["hours"] for row in rows if row["event_class"] == first["event_class"])
    if first["grade"] == "never_enabled":
        accounts = len({row["account_uid"] for row in rows})
        return f"cannot tell {events} of {_count(accounts, 'account')}, which nobody switched on"
    if first["grade"] == "out_of_retention":
        return f"{events} of {_count(hours, 'hour')} are no longer kept by the provider"
    return f"cannot tell {events} in {_count(hours, 'hour')}, first {_span(first)}, {_brief(first['why'])}"


def _brief(why: str) -> str:
    """A reason to read aloud: files by their last name, without what stands in brackets at its end."""
    words = [word.rsplit("/", 1)[-1] if "/" in word and ":" not in word else word for word in why.split(" ")]
    return re.sub(r" \((?:[^()]|\([^()]*\))*\)$", "", " ".join(words))


def _changes(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    stops = [row for row in rows if row["effect"] == "stops"]
    if not rows:
        return ""
    total = facts.get("totals", {}).get("i6_changes", len(rows))
    if not stops:
        return f"logging was changed {_count(total, 'time')}"
    first = min(stops, key=lambda row: (row["time_us"] or 0, row["row_id"]))
    when = f" at {minute_text(first['time_us'])}" if first["time_us"] is not None else ""
    who = first["actor_uid"] or "an unknown actor"
    return f"logging was stopped or deleted {_count(len(stops), 'time')}, first by {who}{when} ({first['operation']})"


def _digests(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    bad = [row for row in rows if row["standing"] != "cannot_tell"]
    if bad:
        return f"the digest chains show {_count(len(bad), 'fault')}, first {bad[0]['what']}"
    total = facts.get("totals", {}).get("i6_digests", len(rows))
    return f"{_count(total, 'digest')} cannot be checked ({rows[0]['why']})" if rows else ""


def _unread(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    total = facts.get("totals", {}).get("i6_inputs", len(rows))
    records = sum(row["quarantined"] for row in rows)
    return f"{_count(records, 'record')} in {_count(total, 'input')} could not be read" if rows else ""


def _events(row: Row) -> str:
    return f"{row['source']} {row['event_class']} events"


def _cell(row: Row) -> str:
    place = " ".join(part for part in (row["account_uid"], row["region"]) if part)
    return _events(row) + (f" of {place}" if place else "")


def _span(row: Row) -> str:
    return hours_text(row["from_us"] // _HOUR_US, row["to_us"] // _HOUR_US)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
