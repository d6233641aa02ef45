"""A timeline for other tools: CSV for spreadsheets, JSON lines for Timesketch. Every line carries its citation.

Rules:
1. CSV is RFC 4180 in UTF-8: CRLF, quotes where needed, and no cell that a spreadsheet would take for a formula: one
   that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end gets an apostrophe before it.
2. Timesketch wants ``message``, ``datetime`` (ISO 8601) and ``timestamp_desc`` on each line, and takes ``timestamp`` in
   microseconds (https://github.com/google/timesketch/blob/master/docs/guides/user/import-from-json-csv.md). Entries
   without a time are left out there, and counted: they never acquire one.
3. A file of fewer than three lines fails in Timesketch's importer, so a shorter one is filled with lines that say what
   they are: when the export's first entry is, and that nothing else was there.
4. Times are those of the record. Where a clock offset is known, the time shown is beside it, in its own field.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from holdfast.investigation.spine import Entry

CSV_COLUMNS = (
    "time",
    "shown_time",
    "until",
    "kind",
    "source",
    "account",
    "region",
    "actor",
    "what",
    "operation",
    "target",
    "status",
    "score",
    "technique",
    "events",
    "evidence_item",
    "evidence_file",
    "evidence_record",
    "evidence_sha256",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
LEAST_LINES = 3
_DESCRIPTIONS = {
    "gap": "Start of a gap",
    "state": "State captured",
    "pin": "Pinned",
    "incident": "Recorded in the incident",
}


def to_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines of a CSV file with its header, each with its line end."""
    yield _csv_line(CSV_COLUMNS)
    for entry in entries:
        yield _csv_line([neutral(value) for value in _cells(entry)])


def neutral(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; nothing is an empty cell."""
    if value is None:
        return ""
    text = str(value)
    risky = text.lstrip(" \u00a0").startswith(FORMULA)
    return f"'{text}" if risky and not isinstance(value, int) else text


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def _cells(entry: Entry) -> list[object]:
    cited = entry.citation
    return [
        instant(entry.time_us),
        instant(entry.shown_us) if entry.shifted else "",
        instant(entry.until_us),
        entry.kind,
        entry.source,
        entry.account,
        entry.region,
        entry.actor,
        entry.what,
        entry.operation,
        entry.target,
        entry.status,
        entry.score,
        entry.technique,
        entry.events,
        cited.item if cited else None,
        cited.file if cited else None,
        cited.record if cited else None,
        cited.sha256 if cited else None,
    ]


def to_timesketch(entries: Iterable[Entry]) -> Iterator[bytes]:
    """JSON lines for Timesketch, each with its line end; entries without a time are not among them."""
    count, first = 0, None
    for entry in entries:
        line = timesketch_line(entry)
        if line is not None:
            count += 1
            first = first or line
            yield orjson.dumps(line) + b"\n"
    while first is not None and count < LEAST_LINES:
        count += 1
        filler = {
            "message": "No further entry: this line fills the file to the three that Timesketch's import needs",
            "datetime": first["datetime"],
            "timestamp": first["timestamp"],
            "timestamp_desc": "Export",
            "kind": "filler",
        }
        yield orjson.dumps(filler) + b"\n"


def undated(entries: Iterable[Entry]) -> int:
    """Entries that :func:`to_timesketch` leaves out."""
    return sum(instant(entry.time_us) == "" for entry in entries)


def timesketch_line(entry: Entry) -> dict[str, Any] | None:
    """One entry as Timesketch takes it; none when it has no time that a calendar has."""
    moment = instant(entry.time_us)
    if not moment:
        return None
    cited = entry.citation
    actor = f" by {entry.actor}" if entry.actor else ""
    target = f" on {entry.target}" if entry.target else ""
    line: dict[str, Any] = {
        "message": f"[{entry.kind}] {entry.what}{actor}{target}",
        "datetime": moment.replace("Z", "+00:00"),
        "timestamp": entry.time_us,
        "timestamp_desc": _DESCRIPTIONS.get(entry.kind, "Event time"),
        "kind": entry.kind,
        "source_log": entry.source,
        "account": entry.account,
        "cloud_region": entry.region,
        "actor": entry.actor,
        "operation": entry.operation,
        "target": entry.target,
        "outcome": entry.status,
        "score": entry.score,
        "technique": entry.technique,
        "events": entry.events,
        "until": instant(entry.until_us) or None,
        "shown_datetime": instant(entry.shown_us) if entry.shifted else None,
        "evidence_item": cited.item if cited else None,
        "evidence_file": cited.file if cited else None,
        "evidence_record": cited.record if cited else None,
        "evidence_sha256": cited.sha256 if cited else None,
        "tag": [entry.kind, *([entry.technique] if entry.technique else [])],
    }
    return {name: value for name, value in line.items() if value is not None}


def instant(moment_us: int | None) -> str:
    """ISO 8601 in UTC with microseconds; empty for none, and for what no calendar has."""
    if moment_us is None:
        return ""
    try:
        moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{moment_us % 1_000_000:06d}Z"
