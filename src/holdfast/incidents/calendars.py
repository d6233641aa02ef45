"""Response calendars: which days and hours count, frozen at declaration so that a deadline cannot drift.

Rules:
1. The incident's calendar counts, never that of whoever looks or commands.
2. All arithmetic is in UTC; local time is only used to find the date and to place opening and closing.
3. A local time that occurs twice means its first occurrence, one that does not exist is read with the offset before
   the gap (RFC 5545, section 3.3.5).
4. Fail closed: outside the frozen years no day is a holiday (a deadline comes earlier, never later), and an unknown
   calendar knows no business days at all. Both carry a warning.

The time-zone rules are those of the ``tzdata`` package, not of the machine, and its version is kept in the document.
"""

from __future__ import annotations

import calendar as weekdays
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from importlib import metadata, resources
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from holdfast.kernel.canonical import digest
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import to_utc

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_KEY = "utc-weekdays"
YEARS_BEFORE, YEARS_AFTER = 1, 2
"""Which years around the declaration are frozen."""

Hours = tuple[int, int]
"""Opening and closing in minutes after local midnight; 1440 is the midnight that ends the day."""

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_MINUTES_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Calendar:
    """A frozen calendar, ready for arithmetic. Made by :func:`open_calendar`."""

    key: str
    name: str
    digest: str
    known: bool
    """False for the stand-in of a calendar nobody could find: it has no business days."""
    why_unknown: str
    zone: tzinfo
    week: Mapping[int, Hours]
    """Weekday (0 is Monday) to hours; a weekend day is absent."""
    standard: Hours
    """Hours of a make-up working day."""
    holidays: Mapping[date, str]
    workdays: frozenset[date]
    """Weekend days on which a country works to make up for a bridge holiday."""
    overlay: Mapping[date, tuple[str, Hours | None]]
    """Name and hours (``None``: closed) of single dates the customer listed; it wins over everything else."""
    first: date
    last: date
    """First and last date whose holidays are frozen."""

    def local_date(self, moment: datetime) -> date:
        """The calendar's date at that instant."""
        return moment.astimezone(self.zone).date()

    def hours(self, day: date) -> Hours | None:
        """Opening and closing of that date, or ``None`` when it is not a business day."""
        if not self.known:
            return None
        if day in self.overlay:
            return self.overlay[day][1]
        if day in self.workdays:
            return self.standard
        if day in self.holidays:
            return None
        return self.week.get(day.weekday())

    def is_business_day(self, day: date) -> bool:
        """Whether the office is open on that date at all."""
        return self.hours(day) is not None

    def opening(self, day: date) -> datetime:
        """The instant a business day opens, UTC."""
        return self._instant(day, self._hours_of_business_day(day)[0])

    def closing(self, day: date) -> datetime:
        """The instant a business day closes, UTC."""
        return self._instant(day, self._hours_of_business_day(day)[1])

    def is_open(self, moment: datetime) -> bool:
        """Whether the instant lies within business hours (the opening does, the closing does not)."""
        day = self.local_date(moment)
        return self.is_business_day(day) and self.opening(day) <= moment < self.closing(day)

    def business_day_after(self, day: date, count: int = 1) -> date:
        """The ``count``-th business day strictly after that date; only for a known calendar."""
        if not self.known:
            msg = "an unknown calendar has no business days"
            raise ValueError(msg)
        for _ in range(count):
            day += timedelta(days=1)
            while not self.is_business_day(day):
                day += timedelta(days=1)
        return day

    def next_opening(self, moment: datetime) -> datetime:
        """The first opening at or after the instant, UTC; only for a known calendar."""
        day = self.local_date(moment)
        if self.is_business_day(day) and self.opening(day) >= moment:
            return self.opening(day)
        return self.opening(self.business_day_after(day))

    def closed_because(self, day: date) -> str | None:
        """Why that date is no business day (a holiday's name, or its weekday), or ``None`` when it is one."""
        if self.is_business_day(day):
            return None
        if day in self.overlay:
            return self.overlay[day][0]
        return self.holidays.get(day, weekdays.day_name[day.weekday()])

    def warning(self, until: date) -> str | None:
        """What a reader of a deadline on that date must know, or ``None``."""
        if not self.known:
            return f"{self.why_unknown} Business days are counted as 24 hours each, without a break."
        if not self.first <= until <= self.last:
            return f"Holidays are frozen from {self.first} to {self.last} only: none is counted outside these dates."
        return None

    def _hours_of_business_day(self, day: date) -> Hours:
        hours = self.hours(day)
        if hours is None:
            msg = f"{day} is not a business day of {self.key}"
            raise ValueError(msg)
        return hours

    def _instant(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, _MINUTES_OF_DAY)
        local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), self.zone)
        return local.astimezone(UTC)


def find(document: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The specification of that key in a parsed ``calendars.toml``, or ``None``."""
    return next((spec for spec in document["calendar"] if spec["key"] == key), None)


def freeze_named(document: Mapping[str, Any], key: str, year: int) -> dict[str, Any]:
    """The frozen calendar of that key; never refuses, so that a declaration cannot fail over a calendar.

    A key that is not in the document, or a specification that cannot be frozen, gives :func:`unknown`.
    """
    spec = find(document, key)
    if spec is None:
        return unknown(key, f"There is no calendar {key[:60]!r}.")
    try:
        return freeze(spec, year)
    except BadInputError as error:
        return unknown(key, f"The calendar {key[:60]!r} cannot be used: {error.why}")


def unknown(key: str, why: str) -> dict[str, Any]:
    """The stand-in document for a calendar nobody could find: deadlines count elapsed time (24 hours a day)."""
    return {"schema": 1, "key": key, "name": "Unknown calendar", "known": False, "why": why}


def freeze(spec: Mapping[str, Any], year: int) -> dict[str, Any]:
    """The calendar of a specification as a JSON document for the years around ``year``.

    Args:
        spec: one ``[[calendar]]`` of ``calendars.toml``.
        year: year of declaration; the year before it and the two years after it are frozen too.

    Raises:
        BadInputError: the zone, country, subdivision, hours or overlay cannot be understood (``calendar-invalid``).
    """
    try:
        frozen = _frozen(spec, year)
        open_calendar(frozen)
    except (KeyError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
        raise BadInputError(
            "calendar-invalid",
            f"The calendar {str(spec.get('key'))[:60]!r} cannot be used.",
            why=f"{type(error).__name__}: {error}.",
            next_step="Correct it; library/calendars.toml shows the form.",
        ) from error
    return frozen


def open_calendar(document: Mapping[str, Any], zone: tzinfo | None = None) -> Calendar:
    """The calendar of a frozen document.

    Args:
        document: what :func:`freeze` or :func:`unknown` gave.
        zone: time-zone rules other than those installed, to see what a change of them would move.
    """
    if not document["known"]:
        return Calendar(
            key=document["key"],
            name=document["name"],
            digest=digest(document),
            known=False,
            why_unknown=document["why"],
            zone=zone or UTC,
            week={},
            standard=(0, 0),
            holidays={},
            workdays=frozenset(),
            overlay={},
            first=date.min,
            last=date.max,
        )
    return Calendar(
        key=document["key"],
        name=document["name"],
        digest=digest(document),
        known=True,
        why_unknown="",
        zone=zone or _zone(document["time_zone"]),
        week={DAYS.index(day): _hours(pair) for day, pair in document["hours"].items()},
        standard=_hours(document["standard_hours"]),
        holidays={date.fromisoformat(row["date"]): row["name"] for row in document["holidays"]},
        workdays=frozenset(date.fromisoformat(day) for day in document["workdays"]),
        overlay={
            date.fromisoformat(row["date"]): (row["name"], None if row["hours"] is None else _hours(row["hours"]))
            for row in document["overlay"]
        },
        first=date.fromisoformat(document["covers"]["first"]),
        last=date.fromisoformat(document["covers"]["last"]),
    )


def to_local(calendar: Calendar, moment: datetime) -> datetime:
    """The instant on the calendar's clock, for showing: never for arithmetic."""
    return to_utc(moment).astimezone(calendar.zone)


def _frozen(spec: Mapping[str, Any], year: int) -> dict[str, Any]:
    years = range(year - YEARS_BEFORE, year + YEARS_AFTER + 1)
    public = _public_holidays(spec, years)
    off = spec.get("weekend") or ([] if public is None else [DAYS[day] for day in sorted(public.weekend)])
    if not set(off) <= set(DAYS) or not off:
        msg = "the weekend is missing, or names a day other than " + ", ".join(DAYS)
        raise ValueError(msg)
    standard = [spec["open"], spec["close"]]
    hours = {day: standard for day in DAYS if day not in off} | dict(spec.get("hours", {}))
    if not hours or not set(hours) <= set(DAYS):
        msg = "no weekday is a business day, or hours are given for a day that does not exist"
        raise ValueError(msg)
    return {
        "schema": 1,
        "key": spec["key"],
        "name": spec["name"],
        "known": True,
        "time_zone": spec["time_zone"],
        "country": spec.get("country"),
        "subdivision": spec.get("subdivision"),
        "standard_hours": standard,
        "hours": hours,
        "weekend": list(off),
        "holidays": [{"date": day.isoformat(), "name": name} for day, name in sorted((public or {}).items())],
        "workdays": [
            day.isoformat() for day in sorted(() if public is None else public.weekend_workdays) if day.year in years
        ],
        "overlay": [_overlay(row) for row in spec.get("overlay", [])],
        "covers": {"first": f"{years[0]}-01-01", "last": f"{years[-1]}-12-31"},
        "library": {"name": "holidays", "version": metadata.version("holidays")},
        "zone_rules": {"name": "tzdata", "version": metadata.version("tzdata")},
    }


def _public_holidays(spec: Mapping[str, Any], years: range) -> holidays.HolidayBase | None:
    """The library's holidays; it raises for an unknown country or subdivision, and knows each country's weekend."""
    country = spec.get("country")
    if country is None:
        return None
    known = holidays.country_holidays(country, subdiv=spec.get("subdivision"))
    # Named explicitly: left to itself the library takes the language from the machine, and the digest would differ.
    language = "en_US" if "en_US" in known.supported_languages else known.default_language
    return holidays.country_holidays(country, subdiv=spec.get("subdivision"), years=years, language=language)


def _overlay(row: Mapping[str, Any]) -> dict[str, Any]:
    day = date.fromisoformat(row["date"]).isoformat()
    if row.get("closed", False):
        return {"date": day, "name": row["name"], "hours": None}
    return {"date": day, "name": row["name"], "hours": [row["open"], row["close"]]}


def _hours(pair: list[str]) -> Hours:
    opens, closes = (_minutes(text) for text in pair)
    if opens >= closes:
        msg = f"{pair[0]} to {pair[1]} is not a span within one day"
        raise ValueError(msg)
    return opens, closes


def _minutes(text: str) -> int:
    if not _CLOCK.fullmatch(text):
        msg = f"{text!r} is not a time such as 09:00"
        raise ValueError(msg)
    return int(text[:2]) * 60 + int(text[3:])


@lru_cache(maxsize=64)
def _zone(key: str) -> ZoneInfo:
    """The zone from the ``tzdata`` package, so that two machines with one lock file agree."""
    if not _ZONE.fullmatch(key):
        msg = f"{key[:60]!r} is not the name of a time zone"
        raise ValueError(msg)
    found = resources.files("tzdata").joinpath("zoneinfo", *key.split("/"))
    if not found.is_file():
        msg = f"there is no time zone {key[:60]!r}"
        raise ValueError(msg)
    with found.open("rb") as data:
        return ZoneInfo.from_file(data, key=key)
