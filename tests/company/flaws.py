"""What is wrong with the captured files, on purpose: losses, damage, copies, late files and files of something else."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.company.booty import NIGHT, at
from tests.company.cast import END, EUC1, EUW1, PROD, STAGING, TOOLS
from tests.company.feed import Line, seconds

STOPPED = (at("04:30:21"), at("10:12:44"))
"""No call of production in eu-west-1 is recorded between the two."""
LOST_DAY, LOST_HOURS = END - timedelta(days=46), (10, 14)
"""2026-09-08, tools in eu-central-1: four hours whose files were lost on the way to the archive."""
CUT_DAY, CUT_HOUR = END - timedelta(days=73), 10
"""2026-08-12, staging in eu-central-1: one file broken off while it was copied."""
BAD_LINE_DAY = END - timedelta(days=65)
"""2026-08-20: one line of GitHub's log is damaged."""
SECOND_FROM = NIGHT - timedelta(days=1)
"""Since then a second trail of production in eu-central-1 delivers copies."""
LATE = at("03:00:00")
"""The hour of production in us-east-1 whose file comes only at 09:40."""
LATE_DELIVERY = at("09:40:00")


def special(day: datetime) -> bool:
    """Days whose CloudTrail comes by the hour in any case."""
    return day in {LOST_DAY, CUT_DAY} or day >= SECOND_FROM


def lost(account: str, region: str, second: int) -> bool:
    """Whether no file holds what happened then."""
    if (account, region) == (PROD, EUW1):
        return seconds(STOPPED[0]) < second < seconds(STOPPED[1])
    begun = seconds(LOST_DAY)
    return (account, region) == (TOOLS, EUC1) and begun + LOST_HOURS[0] * 3600 <= second < begun + LOST_HOURS[1] * 3600


def cut_file(account: str, region: str, begun: datetime) -> bool:
    """Whether the file of this hour is broken off."""
    return (account, region) == (STAGING, EUC1) and begun == CUT_DAY + timedelta(hours=CUT_HOUR)


def delivery(account: str, region: str, begun: datetime, hours: int) -> datetime:
    """When the file of these hours was delivered."""
    if (account, region) == (PROD, "us-east-1") and begun == LATE:
        return LATE_DELIVERY
    return begun + timedelta(hours=hours, minutes=5)


def copied(account: str, region: str, day: datetime) -> bool:
    """Whether the second trail tells of this too."""
    return (account, region) == (PROD, EUC1) and day >= SECOND_FROM


@dataclass(frozen=True, slots=True)
class Cut:
    """A broken-off file."""

    data: bytes
    whole: int
    """Records that stand in it completely."""


def cut(packed: bytes) -> Cut:
    """A gzip file after three fifths of its bytes."""
    data = packed[: len(packed) * 3 // 5]
    text = zlib.decompressobj(31).decompress(data).decode("utf-8", "ignore")
    position, whole = len('{"Records":['), 0
    while True:
        try:
            _, position = json.JSONDecoder().raw_decode(text, position)
        except ValueError:
            return Cut(data, whole)
        whole, position = whole + 1, position + 1


def damaged(lines: Sequence[Line]) -> list[Line]:
    """The lines with one in the middle broken: its second half is another line's."""
    middle = len(lines) // 2
    at_, text, uid = lines[middle]
    assert uid is None
    return [*lines[:middle], (at_, text[: len(text) // 2] + text[:20], None), *lines[middle + 1 :]]


STRAY: dict[str, bytes] = {
    "aws/empty.json.gz": b"",
    "notes/handover.txt": b"Called Hanna at nine, she is on her way.\nThe key is off since 09:05.\n",
    "notes/terraform.tfstate": json.dumps(
        {"version": 4, "terraform_version": "1.13.3", "serial": 812, "lineage": "0d1c", "outputs": {}, "resources": []}
    ).encode(),
    "notes/screen.bin": bytes(range(256)) * 8,
}
"""Files that are no log: empty, a person's notes, another tool's, and bytes."""
