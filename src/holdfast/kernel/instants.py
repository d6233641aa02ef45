"""Instants: aware UTC datetimes inside, RFC 3339 text with milliseconds and ``Z`` outside.

All arithmetic is in UTC: two aware datetimes of one zone subtract as wall clocks do, which is wrong
across a clock change.
"""

from __future__ import annotations

from datetime import UTC, datetime

from holdfast.kernel.errors import BadInputError


def to_utc(moment: datetime) -> datetime:
    """The same instant in UTC, cut to milliseconds. A datetime without a zone is refused."""
    if moment.tzinfo is None:
        raise BadInputError(
            "instant-without-zone",
            "The time has no time zone.",
            why="A bare local time names several instants.",
            next_step="Add Z or an offset, for example 2026-11-23T03:07:00Z.",
        )
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def format_instant(moment: datetime) -> str:
    """``2026-11-23T03:07:12.345Z``."""
    return to_utc(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{to_utc(moment).microsecond // 1000:03d}Z"


def parse_instant(text: str) -> datetime:
    """Read RFC 3339 text with a zone.

    Raises:
        BadInputError: not an instant, or without a zone.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInputError(
            "instant-not-understood",
            f"{text[:40]!r} is not a time.",
            why="Times are written as RFC 3339 text.",
            next_step="Write it like 2026-11-23T03:07:00Z or 2026-11-23T04:07:00+01:00.",
        ) from None
    return to_utc(moment)
