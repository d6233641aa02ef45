"""Response targets of S1 to S4, the review's five business days (X8), and the cadence of updates.

Rules:
1. SEV-1: incident command at once. The clock starts at declaration and is red from the first minute; a page is due an
   acknowledgement within five minutes, then goes to the next person.
2. SEV-2, same business day: its close, at least 60 minutes on; reported at or after the close, or on another day, the
   close of the next business day. It pages at once whatever the hour.
3. SEV-3, next business day: the close of the first business day strictly after the local date of declaration.
4. SEV-4 goes to the normal backlog: no instant is due.
5. The review: the close of the fifth business day after *recovery verified*, whose own day does not count.
6. A raise beyond the peak starts a target of its own; earlier ones stay visible. A lowering ends none: duties follow
   the peak.
7. With an unknown calendar a day is 24 hours elapsed, and the target says so in a warning.

The runbook names the targets in words; the exact instants are engineering defaults, chosen so that a report shortly
before closing time, at night or at a weekend still has a sensible deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from holdfast.incidents.calendars import Calendar
from holdfast.incidents.severity import Level, is_worse
from holdfast.kernel.instants import format_instant, to_utc

ACKNOWLEDGE = timedelta(minutes=5)
"""How long one paged person has, before the next is paged too."""
PAGED: tuple[str, ...] = ("primary", "deputy", "duty executive")
"""Who is paged, one after the other. After the last it stays red: it never silently stops."""
SEV2_FLOOR = timedelta(minutes=60)
REVIEW_BUSINESS_DAYS = 5
UNKNOWN_DAY = timedelta(hours=24)
"""What a business day counts as when the calendar is unknown."""

EARLY_PHASE = timedelta(hours=2)
"""While a SEV-1 is this young, updates come every half hour; after that every hour."""
SEV2_STEP = timedelta(hours=2)
DAILY = timedelta(days=1)

Standing = Literal["backlog", "running", "overdue", "met", "met late"]


@dataclass(frozen=True, slots=True)
class Target:
    """What one severity asks from one instant on."""

    level: Level
    since: datetime
    """Declaration, or the raise that started it; UTC."""
    due: datetime | None
    """UTC; ``None`` for SEV-4."""
    acknowledge_by: datetime | None
    """When the first paged person has to have answered; ``None`` where nobody is paged."""
    words: str
    """The rule in words, for the page."""
    warning: str | None

    @property
    def pages(self) -> bool:
        """Whether it pages at once (SEV-1 and SEV-2), at any hour."""
        return self.acknowledge_by is not None

    def standing(self, now: datetime, met_at: datetime | None = None) -> Standing:
        """How the target stands.

        A SEV-1 is overdue (red) from its first instant and counts as met in time within five minutes.

        Args:
            now: the instant of looking.
            met_at: when it was met: somebody took command (SEV-1), or the response began.
        """
        if self.due is None:
            return "backlog" if met_at is None else "met"
        if met_at is None:
            return "overdue" if now >= self.due else "running"
        limit = self.acknowledge_by if self.level == "SEV-1" and self.acknowledge_by else self.due
        return "met" if met_at <= limit else "met late"

    def as_json(self) -> dict[str, Any]:
        """As an event records it: the computed instants beside the rule, so that a later change of rules shows."""
        return {
            "level": self.level,
            "since": format_instant(self.since),
            "due": None if self.due is None else format_instant(self.due),
            "acknowledge_by": None if self.acknowledge_by is None else format_instant(self.acknowledge_by),
            "words": self.words,
            "warning": self.warning,
        }


@dataclass(frozen=True, slots=True)
class Due:
    """An instant something is due, and what a reader must know about how it was counted."""

    at: datetime
    warning: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A severity from an instant on: the declaration, a raise or a lowering."""

    level: Level
    at: datetime


def anchor(asserted: datetime, recorded: datetime) -> datetime:
    """The instant a clock starts from when the entry and its recording differ: the earlier one.

    An event entered late runs from when it happened; one dated in the future runs from when it was recorded.
    """
    return min(to_utc(asserted), to_utc(recorded))


def response_target(calendar: Calendar, level: Level, since: datetime) -> Target:
    """The response target of a severity declared, or raised to, at ``since``."""
    since = to_utc(since)
    if level == "SEV-1":
        return Target(level, since, since, since + ACKNOWLEDGE, "Incident command at once", None)
    if level == "SEV-2":
        due = _same_business_day(calendar, since)
        return Target(level, since, due.at, since + ACKNOWLEDGE, "The same business day", due.warning)
    if level == "SEV-3":
        due = _next_business_day(calendar, since)
        return Target(level, since, due.at, None, "The next business day", due.warning)
    return Target(level, since, None, None, "The normal backlog", None)


def targets(calendar: Calendar, changes: Iterable[Change]) -> tuple[Target, ...]:
    """Every target of an incident, oldest first: that of the declaration, and one per raise beyond the peak.

    A raise back to a level the incident already had starts nothing new: its first target still stands, and a later
    one would only grant time.

    Args:
        calendar: the incident's own, whoever commands now and wherever.
        changes: the declaration first, then each change of severity in order.
    """
    found: list[Target] = []
    for change in changes:
        if not found or is_worse(change.level, found[-1].level):
            found.append(response_target(calendar, change.level, change.at))
    return tuple(found)


def review_due(calendar: Calendar, recovery_verified_at: datetime) -> Due:
    """When the review of a SEV-1 or SEV-2 (by its peak) has to be complete: five business days (X8).

    Counted from *recovery verified*, not from closing: closing needs the review, and would wait for itself.
    """
    return _close_after(calendar, to_utc(recovery_verified_at), REVIEW_BUSINESS_DAYS)


def page_ladder(since: datetime) -> tuple[tuple[str, datetime], ...]:
    """Who is paged at which instant while nobody has taken command: one person more every five minutes."""
    since = to_utc(since)
    return tuple((person, since + ACKNOWLEDGE * place) for place, person in enumerate(PAGED))


def cadence(level: Level, elapsed: timedelta, *, in_hours: bool = True) -> timedelta | None:
    """How long after one update the next is promised by default, or ``None``: on change only.

    SEV-1: 30 minutes for the first two hours, then 60. SEV-2: two hours in business hours, a day outside. SEV-3: a
    day. SEV-4: on change.

    Args:
        level: the severity declared now.
        elapsed: time since declaration.
        in_hours: whether the calendar is within business hours; matters for SEV-2 only.
    """
    if level == "SEV-1":
        return timedelta(minutes=30) if elapsed < EARLY_PHASE else timedelta(minutes=60)
    if level == "SEV-2":
        return SEV2_STEP if in_hours else DAILY
    if level == "SEV-3":
        return DAILY
    return None


def next_update(calendar: Calendar, level: Level, declared_at: datetime, now: datetime) -> datetime | None:
    """The instant of the next update to promise, UTC, or ``None`` for SEV-4.

    A SEV-2 updated outside business hours is promised again after a day, or two hours into the next business hours if
    that is sooner. An unknown calendar counts as always in business hours.
    """
    now = to_utc(now)
    in_hours = not calendar.known or calendar.is_open(now)
    step = cadence(level, now - to_utc(declared_at), in_hours=in_hours)
    if step is None:
        return None
    if level == "SEV-2" and not in_hours:
        return min(now + step, calendar.next_opening(now) + SEV2_STEP)
    return now + step


def _same_business_day(calendar: Calendar, since: datetime) -> Due:
    if not calendar.known:
        return _close_after(calendar, since, 1)
    day = calendar.local_date(since)
    if calendar.is_business_day(day) and since < calendar.closing(day):
        return Due(max(calendar.closing(day), since + SEV2_FLOOR), calendar.warning(day))
    return _close_after(calendar, since, 1)


def _next_business_day(calendar: Calendar, since: datetime) -> Due:
    due = _close_after(calendar, since, 1)
    # Only a calendar that closes at midnight and then opens for minutes could put SEV-2's floor after this.
    return Due(max(due.at, since + SEV2_FLOOR), due.warning)


def _close_after(calendar: Calendar, since: datetime, count: int) -> Due:
    """The close of the ``count``-th business day after the local date of ``since``."""
    start = calendar.local_date(since)
    if not calendar.known:
        return Due(since + UNKNOWN_DAY * count, calendar.warning(start))
    day = calendar.business_day_after(start, count)
    return Due(max(calendar.closing(day), since), calendar.warning(start) or calendar.warning(day))
