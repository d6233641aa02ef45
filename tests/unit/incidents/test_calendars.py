from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdfast.incidents
from holdfast.incidents.calendars import (
    DEFAULT_KEY,
    Calendar,
    find,
    freeze,
    freeze_named,
    open_calendar,
    to_local,
    unknown,
)
from holdfast.kernel.canonical import canonical, digest
from holdfast.kernel.errors import BadInputError

LIBRARY = Path(holdfast.incidents.__file__).parent / "library"
DOCUMENT: dict[str, Any] = tomllib.loads((LIBRARY / "calendars.toml").read_text())
KEYS = [spec["key"] for spec in DOCUMENT["calendar"]]
FROZEN = {key: freeze_named(DOCUMENT, key, 2026) for key in KEYS}
CALENDARS = {key: open_calendar(frozen) for key, frozen in FROZEN.items()}

PLAIN = {"key": "plain", "name": "Plain", "time_zone": "UTC", "open": "09:00", "close": "17:30", "weekend": ["sun"]}


def made(**changes: Any) -> Calendar:
    return open_calendar(freeze({**PLAIN, **changes}, 2026))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class TestFreezing:
    def test_the_shipped_calendars_all_freeze_and_the_default_is_one_of_them(self) -> None:
        assert DEFAULT_KEY in KEYS
        assert {"new-york", "berlin-bavaria", "london", "tokyo", "riyadh"} < set(KEYS)
        assert all(calendar.known for calendar in CALENDARS.values())

    @pytest.mark.parametrize("key", KEYS)
    def test_a_frozen_calendar_is_recordable_and_names_its_sources(self, key: str) -> None:
        frozen = FROZEN[key]
        assert canonical(frozen)
        assert CALENDARS[key].digest == digest(frozen)
        assert frozen["library"]["name"] == "holidays"
        assert frozen["zone_rules"]["name"] == "tzdata"

    def test_a_calendar_read_back_from_its_pinned_bytes_is_the_same_calendar(self) -> None:
        for key, frozen in FROZEN.items():
            assert open_calendar(json.loads(canonical(frozen))) == CALENDARS[key]

    def test_the_year_before_and_the_two_years_after_are_frozen(self) -> None:
        assert FROZEN["london"]["covers"] == {"first": "2025-01-01", "last": "2028-12-31"}
        years = {row["date"][:4] for row in FROZEN["london"]["holidays"]}
        assert years == {"2025", "2026", "2027", "2028"}

    def test_freezing_twice_gives_the_same_digest_whatever_the_language_of_the_machine(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for variable in ("LANGUAGE", "LC_ALL", "LANG"):
            monkeypatch.setenv(variable, "de_DE.UTF-8")
        assert digest(freeze_named(DOCUMENT, "berlin-bavaria", 2026)) == CALENDARS["berlin-bavaria"].digest

    def test_the_subdivision_counts(self) -> None:
        epiphany = date(2026, 1, 6)
        assert CALENDARS["berlin-bavaria"].closed_because(epiphany) == "Epiphany"
        germany = {**(find(DOCUMENT, "berlin-bavaria") or {}), "subdivision": None}
        assert open_calendar(freeze(germany, 2026)).is_business_day(epiphany)

    def test_the_weekend_is_the_country_s_own(self) -> None:
        assert FROZEN["riyadh"]["weekend"] == ["fri", "sat"]
        assert CALENDARS["riyadh"].is_business_day(date(2026, 11, 29))
        assert CALENDARS["riyadh"].closed_because(date(2026, 11, 27)) == "Friday"

    def test_an_observed_holiday_is_a_holiday(self) -> None:
        assert CALENDARS["new-york"].closed_because(date(2026, 7, 3)) == "Independence Day (observed)"

    def test_a_weekend_day_worked_to_make_up_for_a_bridge_is_a_business_day(self) -> None:
        china = made(country="CN", time_zone="Asia/Shanghai", weekend=None)
        assert date(2026, 10, 10).weekday() == 5
        assert china.is_business_day(date(2026, 10, 10))
        assert not china.is_business_day(date(2026, 10, 17))

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"country": "ZZ"}, "ZZ"),
            ({"country": "DE", "subdivision": "XX"}, "XX"),
            ({"time_zone": "Mars/Olympus"}, "no time zone"),
            ({"time_zone": "../../etc/passwd"}, "not the name of a time zone"),
            ({"time_zone": "America"}, "no time zone"),
            ({"open": "9"}, "not a time"),
            ({"open": "18:00"}, "not a span"),
            ({"weekend": []}, "weekend"),
            ({"weekend": ["caturday"]}, "weekend"),
            ({"weekend": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, "no weekday"),
            ({"hours": {"caturday": ["09:00", "10:00"]}}, "does not exist"),
            ({"overlay": [{"date": "2026-02-30", "name": "x", "closed": True}]}, "day"),
            ({"overlay": [{"date": "2026-02-03", "name": "x"}]}, "open"),
        ],
    )
    def test_a_specification_that_cannot_be_understood_is_refused(self, changes: dict[str, Any], why: str) -> None:
        with pytest.raises(BadInputError, match=why) as refused:
            freeze({**PLAIN, **changes}, 2026)
        assert refused.value.code == "calendar-invalid"


class TestUnknown:
    def test_a_calendar_nobody_has_does_not_stop_a_declaration(self) -> None:
        calendar = open_calendar(freeze_named(DOCUMENT, "atlantis", 2026))
        assert not calendar.known
        assert "no calendar 'atlantis'" in (calendar.warning(date(2026, 1, 1)) or "")

    def test_a_calendar_that_cannot_be_frozen_does_not_stop_a_declaration_and_says_why(self) -> None:
        document = {"calendar": [{**PLAIN, "country": "ZZ"}]}
        calendar = open_calendar(freeze_named(document, "plain", 2026))
        assert not calendar.known
        assert "ZZ" in (calendar.warning(date(2026, 1, 1)) or "")

    def test_an_unknown_calendar_has_no_business_day_and_is_recordable(self) -> None:
        document = unknown("x", "It is gone.")
        calendar = open_calendar(document)
        assert calendar.digest == digest(document)
        assert not calendar.is_business_day(date(2026, 11, 24))
        assert not calendar.is_open(at("2026-11-24T12:00Z"))
        with pytest.raises(ValueError, match="no business days"):
            calendar.business_day_after(date(2026, 11, 24))


class TestBusinessTime:
    def test_opening_belongs_to_the_business_hours_and_closing_does_not(self) -> None:
        calendar = CALENDARS["new-york"]
        assert not calendar.is_open(at("2026-11-23T08:59:59-05:00"))
        assert calendar.is_open(at("2026-11-23T09:00-05:00"))
        assert calendar.is_open(at("2026-11-23T17:29:59-05:00"))
        assert not calendar.is_open(at("2026-11-23T17:30-05:00"))

    def test_closing_stays_at_the_same_clock_time_across_a_clock_change(self) -> None:
        calendar = CALENDARS["new-york"]
        assert calendar.closing(date(2026, 3, 6)) == at("2026-03-06T22:30Z")
        assert calendar.closing(date(2026, 3, 9)) == at("2026-03-09T21:30Z")

    def test_an_opening_that_does_not_exist_is_read_with_the_offset_before_the_gap(self) -> None:
        calendar = made(time_zone="America/New_York", open="02:30", close="12:00", weekend=["sat"])
        opening = calendar.opening(date(2026, 3, 8))
        assert opening == at("2026-03-08T07:30Z")
        assert to_local(calendar, opening).strftime("%H:%M %Z") == "03:30 EDT"

    def test_a_closing_that_occurs_twice_means_the_first(self) -> None:
        calendar = made(time_zone="America/New_York", open="00:15", close="01:30", weekend=["sat"])
        assert calendar.closing(date(2026, 11, 1)) == at("2026-11-01T01:30-04:00")
        assert not calendar.is_open(at("2026-11-01T01:15-05:00"))

    def test_two_instants_of_the_same_clock_time_stay_an_hour_apart(self) -> None:
        calendar = CALENDARS["new-york"]
        first, second = at("2026-11-01T01:30-04:00"), at("2026-11-01T01:30-05:00")
        shown = to_local(calendar, first), to_local(calendar, second)
        assert shown[1] - shown[0] == timedelta(0)  # why arithmetic never happens on local times
        assert second - first == timedelta(hours=1)
        assert calendar.local_date(first) == calendar.local_date(second) == date(2026, 11, 1)

    def test_a_day_may_close_at_the_midnight_that_ends_it(self) -> None:
        calendar = made(open="00:00", close="24:00")
        assert calendar.closing(date(2026, 12, 31)) == at("2027-01-01T00:00Z")
        assert calendar.is_open(at("2026-12-31T23:59:59Z"))

    def test_a_weekday_may_have_hours_of_its_own_even_on_the_weekend(self) -> None:
        calendar = made(hours={"fri": ["09:00", "13:00"], "sun": ["10:00", "12:00"]})
        assert calendar.closing(date(2026, 11, 27)) == at("2026-11-27T13:00Z")
        assert calendar.closing(date(2026, 11, 29)) == at("2026-11-29T12:00Z")

    def test_the_overlay_wins_over_weekday_and_holiday(self) -> None:
        calendar = made(
            country="US",
            weekend=None,
            overlay=[
                {"date": "2026-12-24", "name": "Half day", "open": "09:00", "close": "13:00"},
                {"date": "2026-12-31", "name": "Office shut", "closed": True},
                {"date": "2026-12-25", "name": "Migration", "open": "10:00", "close": "16:00"},
            ],
        )
        assert calendar.closing(date(2026, 12, 24)) == at("2026-12-24T13:00Z")
        assert calendar.closed_because(date(2026, 12, 31)) == "Office shut"
        assert calendar.opening(date(2026, 12, 25)) == at("2026-12-25T10:00Z")

    def test_the_next_opening_is_today_s_until_it_has_passed(self) -> None:
        calendar = CALENDARS["london"]
        assert calendar.next_opening(at("2026-11-23T05:00Z")) == at("2026-11-23T09:00Z")
        assert calendar.next_opening(at("2026-11-23T09:00Z")) == at("2026-11-23T09:00Z")
        assert calendar.next_opening(at("2026-11-27T09:01Z")) == at("2026-11-30T09:00Z")

    def test_outside_the_frozen_years_no_day_is_a_holiday_and_a_warning_says_so(self) -> None:
        calendar = CALENDARS["london"]
        assert not calendar.is_business_day(date(2028, 12, 25))
        assert calendar.is_business_day(date(2029, 12, 25))
        assert calendar.warning(date(2028, 12, 31)) is None
        assert "2028-12-31" in (calendar.warning(date(2029, 1, 1)) or "")

    def test_hours_of_a_day_that_is_no_business_day_are_a_mistake_of_the_caller(self) -> None:
        with pytest.raises(ValueError, match="not a business day"):
            CALENDARS["london"].closing(date(2026, 12, 25))

    def test_other_time_zone_rules_move_the_instants_and_leave_the_document_alone(self) -> None:
        changed = open_calendar(FROZEN["london"], zone=timezone(timedelta(hours=1)))
        assert changed.digest == CALENDARS["london"].digest
        day = date(2026, 11, 23)
        assert CALENDARS["london"].closing(day) - changed.closing(day) == timedelta(hours=1)


days = st.dates(date(2025, 1, 1), date(2028, 12, 31))


class TestProperties:
    @given(st.sampled_from(KEYS), days, st.integers(1, 12), st.integers(1, 12))
    def test_counting_on_is_counting_in_two_goes(self, key: str, day: date, first: int, second: int) -> None:
        calendar = CALENDARS[key]
        step = calendar.business_day_after(calendar.business_day_after(day, first), second)
        assert step == calendar.business_day_after(day, first + second)

    @given(st.sampled_from(KEYS), days, st.integers(1, 12))
    def test_the_nth_business_day_has_exactly_n_business_days_up_to_it(self, key: str, day: date, count: int) -> None:
        calendar = CALENDARS[key]
        found = calendar.business_day_after(day, count)
        between = [day + timedelta(days=n) for n in range(1, (found - day).days + 1)]
        assert sum(map(calendar.is_business_day, between)) == count
        assert calendar.is_business_day(found)

    @given(st.sampled_from(KEYS), st.datetimes(datetime(2025, 2, 1), datetime(2028, 11, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis takes naive bounds
    def test_the_next_opening_is_open_and_nothing_between_is(self, key: str, moment: datetime) -> None:
        calendar = CALENDARS[key]
        found = calendar.next_opening(moment)
        assert found >= moment
        assert calendar.is_open(found)
        if not calendar.is_open(moment) and found > moment:
            middle = moment + (found - moment) / 2
            assert not calendar.is_open(middle)

    @given(st.sampled_from(KEYS), days)
    def test_a_day_is_open_exactly_when_there_is_no_reason_why_not(self, key: str, day: date) -> None:
        calendar: Calendar = CALENDARS[key]
        ask: Callable[[date], bool] = calendar.is_business_day
        assert ask(day) == (calendar.closed_because(day) is None)
