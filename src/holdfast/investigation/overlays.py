"""What makes hours better or worse than their events say: cut files, broken or proven chains, throttling. Pure.

Rules:
1. A file whose records were lost makes the hours it spans doubtful: a gap when it was cut, else ``cannot_tell``. For a
   CloudTrail file its name tells account, region and time of delivery; other files are doubted for their whole source.
2. An hour is proven when valid digests cover its delivery: the hour and :data:`LATE_US` after it.
3. A missing or altered digest is a gap in the hours it mostly covers; a missing or altered log file in those of its
   events.
4. A mailbox whose reads were throttled is not told of for a day (Microsoft stops recording for 24 hours).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.investigation.activity import row_id
from holdfast.investigation.answers import Grade

Row = Mapping[str, Any]

HOUR_US = 3_600_000_000
LATE_US = 15 * 60_000_000
"""How late CloudTrail delivers, typically: https://aws.amazon.com/cloudtrail/faqs/ names an average of 5 minutes."""
_DAY = 24
_LOG_NAME = re.compile(r"(\d{12})_CloudTrail_([a-z0-9-]+)_(\d{8}T\d{4})Z_")
_CUT = re.compile(r"trunc|cut|incomplete|corrupt|damag|unexpected end|ends early|interrupt|checksum|crc", re.IGNORECASE)
_TRAILS = "aws.cloudtrail"


@dataclass(frozen=True, slots=True)
class Overlay:
    """Hours that get another grade than their events would give them."""

    source: str
    account: str | None
    region: str | None
    classes: tuple[str, ...] | None
    """None for all classes."""
    first: int
    last: int
    """The hour after the last one."""
    grade: Grade
    why: str
    row_id: int | None
    empty_only: bool = False
    """Whether it only touches hours without events."""

    def touches(self, account: str | None, region: str | None, classes: Iterable[str]) -> bool:
        """Whether it is about a cell of these classes."""
        return (
            (self.account is None or self.account == account)
            and (self.region is None or self.region == region)
            and (self.classes is None or not set(self.classes).isdisjoint(classes))
        )


def from_inputs(inputs: Iterable[Row], first: int, last: int) -> Iterator[Overlay]:
    """Doubts about what quarantined records would have told, within a range of hours."""
    for row in inputs:
        if not row["quarantined"] or row["kind"] not in {"log", "unrecognised"}:
            continue
        named = _LOG_NAME.search(row["path"])
        source = _TRAILS if named else (row["reader"] or "").partition("+")[0]
        if not source:
            continue
        start, stop = _span(row, named, first, last)
        reason = row["reason"] or "no reason told"
        grade: Grade = "gap" if _CUT.search(reason) else "cannot_tell"
        count = row["quarantined"]
        why = f"{count} record{'s' if count > 1 else ''} of {row['path']} could not be read ({reason})"
        account, region = (named.group(1), named.group(2)) if named else (None, None)
        yield Overlay(source, account, region, None, start, stop, grade, why, row_id(row["input_no"], 0))


def _span(row: Row, named: re.Match[str] | None, first: int, last: int) -> tuple[int, int]:
    """Hours that a file is about: those of what was read of it, else those its name tells, else all."""
    hours = [row[name] // HOUR_US for name in ("first_us", "last_us") if row[name] is not None]
    delivered = _delivered(named.group(3)) if named and not hours else None
    if delivered is not None:
        hours = [(delivered - LATE_US) // HOUR_US, delivered // HOUR_US]
    return (min(hours), max(hours) + 1) if hours else (first, last)


def _delivered(text: str) -> int | None:
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000_000


def from_checks(checks: Iterable[Row]) -> Iterator[Overlay]:
    """Doubts from rows of ``log_checks``."""
    for row in checks:
        if row["kind"] == "throttled" and row["hour"] is not None:
            why = f"reads of mail were throttled ({row['events']} records say so): reads after them were not recorded"
            classes = (row["event_class"],)
            yield Overlay(
                row["source"],
                row["account_uid"],
                None,
                classes,
                row["hour"],
                row["hour"] + _DAY,
                "cannot_tell",
                why,
                row["row_id"],
            )


def from_digests(digests: Sequence[Row]) -> Iterator[Overlay]:
    """What digest chains prove, and what they show to be missing; proofs first, so that faults win."""
    spans: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in digests:
        whole = row["standing"] == "valid" and row["files"] == row["files_ok"]
        if whole and row["part"] == "digest" and not row["backfill"]:
            spans[(row["account_uid"], row["region"])].append(row)
    for (account, region), rows in sorted(spans.items(), key=str):
        yield from _proven(account, region, rows)
    for row in digests:
        yield from _fault(row)


def _proven(account: str, region: str, rows: Sequence[Row]) -> Iterator[Overlay]:
    why = "the digest chain lists every log file, and each is there unaltered"
    start, end, cited = None, None, None
    for row in [*sorted(rows, key=lambda row: row["from_us"]), None]:
        if row is not None and end is not None and row["from_us"] <= end + 1_000_000:
            end = max(end, row["to_us"])
            continue
        if start is not None and end is not None:
            first, last = -(-start // HOUR_US), (end - LATE_US) // HOUR_US
            if first < last:
                yield Overlay(_TRAILS, account, region, None, first, last, "proven", why, cited)
        if row is not None:
            start, end, cited = row["from_us"], row["to_us"], row["row_id"]


def _fault(row: Row) -> Iterator[Overlay]:
    start, end, standing = row["from_us"], row["to_us"], row["standing"]
    place = (_TRAILS, row["account_uid"], row["region"], None)
    if row["part"] == "digest" and not row["backfill"] and standing in {"missing", "invalid", "off"}:
        first = round(start / HOUR_US)
        hours = (first, max(round(end / HOUR_US), first + 1))
        why = f"digest file {row['name']}: {row['why']}" if standing == "invalid" else f"digest chain: {row['why']}"
        grade: Grade = "cannot_tell" if standing == "off" else "gap"
        yield Overlay(*place, *hours, grade, why, row["row_id"], empty_only=standing == "off")
    elif row["part"] == "log_file" and standing in {"altered", "file_missing", "unlisted"}:
        grade = "cannot_tell" if standing == "unlisted" else "gap"
        hours = (start // HOUR_US, (end - 1) // HOUR_US + 1)
        yield Overlay(*place, *hours, grade, f"log file {row['name']}: {row['why']}", row["row_id"])
