from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import holdfast.incidents
from holdfast.incidents.calendars import Calendar, freeze, freeze_named, open_calendar, to_local, unknown
from holdfast.incidents.severity import LEVELS, Level
from holdfast.incidents.targets import (
    Change,
    Target,
    anchor,
    cadence,
    next_update,
    page_ladder,
    response_target,
    review_due,
    targets,
)
from holdfast.kernel.canonical import canonical

LIBRARY = Path(holdfast.incidents.__file__).parent / "library"
DOCUMENT: dict[str, Any] = tomllib.loads((LIBRARY / "calendars.toml").read_text())
KEYS = [spec["key"] for spec in DOCUMENT["calendar"]]
CALENDARS = {key: open_calendar(freeze_named(DOCUMENT, key, 2026)) for key in KEYS}
NOWHERE = open_calendar(unknown("nowhere", "There is no calendar 'nowhere'."))
ZONES = {
    "new-york": "America/New_York",
    "berlin-bavaria": "Europe/Berlin",
    "london": "Europe/London",
    "tokyo": "Asia/Tokyo",
    "riyadh": "Asia/Riyadh",
}


def local(key: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONES[key])).astimezone(UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def due(calendar: Calendar, level: Level, since: datetime) -> datetime:
    found = response_target(calendar, level, since).due
    assert found is not None
    return found


class TestDefaultsOnRealDates:
    @pytest.mark.parametrize(
        ("key", "declared", "sev2", "sev3", "review"),
        [
            ("new-york", "2026-11-20T23:50", "2026-11-23T17:30", "2026-11-23T17:30", "2026-11-30T17:30"),
            ("new-york", "2026-11-25T17:10", "2026-11-25T18:10", "2026-11-27T17:30", "2026-12-03T17:30"),
            ("new-york", "2026-07-03T12:00", "2026-07-06T17:30", "2026-07-06T17:30", "2026-07-10T17:30"),
            ("berlin-bavaria", "2026-01-05T18:00", "2026-01-07T17:30", "2026-01-07T17:30", "2026-01-13T17:30"),
            ("london", "2026-04-02T18:00", "2026-04-07T17:30", "2026-04-07T17:30", "2026-04-13T17:30"),
            ("tokyo", "2026-05-01T18:00", "2026-05-07T17:30", "2026-05-07T17:30", "2026-05-13T17:30"),
            ("riyadh", "2026-11-26T17:00", "2026-11-26T18:00", "2026-11-29T17:30", "2026-12-03T17:30"),
        ],
        ids=[
            "friday-night",
            "the-floor-before-thanksgiving",
            "observed-holiday",
            "epiphany",
            "easter",
            "golden-week",
            "friday-saturday-weekend",
        ],
    )
    def test_a_report_at_an_awkward_hour_gets_a_sensible_deadline(
        self, key: str, declared: str, sev2: str, sev3: str, review: str
    ) -> None:
        calendar, since = CALENDARS[key], local(key, declared)
        assert due(calendar, "SEV-2", since) == local(key, sev2)
        assert due(calendar, "SEV-3", since) == local(key, sev3)
        assert review_due(calendar, since).at == local(key, review)
        assert review_due(calendar, since).warning is None

    def test_one_instant_falls_due_on_different_days_in_different_calendars(self) -> None:
        since = at("2026-11-23T10:00Z")
        days = {key: CALENDARS[key].local_date(due(CALENDARS[key], "SEV-2", since)) for key in ZONES}
        assert days["new-york"] == days["berlin-bavaria"] == date(2026, 11, 23)
        assert days["tokyo"] == date(2026, 11, 24)

    def test_before_opening_the_same_business_day_counts(self) -> None:
        assert due(CALENDARS["london"], "SEV-2", at("2026-11-23T03:07Z")) == at("2026-11-23T17:30Z")

    def test_the_floor_of_an_hour_begins_exactly_an_hour_before_the_close(self) -> None:
        london = CALENDARS["london"]
        assert due(london, "SEV-2", at("2026-11-23T16:30Z")) == at("2026-11-23T17:30Z")
        assert due(london, "SEV-2", at("2026-11-23T16:31Z")) == at("2026-11-23T17:31Z")
        assert due(london, "SEV-2", at("2026-11-23T17:29:59Z")) == at("2026-11-23T18:29:59Z")
        assert due(london, "SEV-2", at("2026-11-23T17:30Z")) == at("2026-11-24T17:30Z")

    def test_the_anchor_day_of_the_review_does_not_count_even_early_in_the_morning(self) -> None:
        london = CALENDARS["london"]
        for moment in ("2026-11-23T00:01Z", "2026-11-23T23:59Z"):
            assert review_due(london, at(moment)).at == at("2026-11-30T17:30Z")

    def test_sev_3_never_falls_due_on_its_own_day(self) -> None:
        assert due(CALENDARS["london"], "SEV-3", at("2026-11-23T00:01Z")) == at("2026-11-24T17:30Z")

    def test_a_year_ends_inside_the_window(self) -> None:
        london = CALENDARS["london"]
        since = at("2026-12-31T18:00Z")
        assert due(london, "SEV-2", since) == at("2027-01-04T17:30Z")
        assert review_due(london, at("2026-12-23T12:00Z")).at == at("2027-01-04T17:30Z")

    def test_a_holiday_of_four_days_is_skipped_whole(self) -> None:
        assert due(CALENDARS["london"], "SEV-3", at("2026-04-02T11:00Z")) == at("2026-04-07T16:30Z")
        tokyo = CALENDARS["tokyo"]
        closed = [date(2026, 5, day) for day in (2, 3, 4, 5, 6)]
        assert not any(map(tokyo.is_business_day, closed))
        assert due(tokyo, "SEV-3", local("tokyo", "2026-05-01T10:00")) == local("tokyo", "2026-05-07T17:30")

    def test_a_half_day_in_the_overlay_closes_early(self) -> None:
        spec = next(spec for spec in DOCUMENT["calendar"] if spec["key"] == "london")
        half = {"date": "2026-12-24", "name": "Half day", "open": "09:00", "close": "13:00"}
        calendar = open_calendar(freeze({**spec, "overlay": [half]}, 2026))
        assert due(calendar, "SEV-2", at("2026-12-24T10:00Z")) == at("2026-12-24T13:00Z")
        assert due(calendar, "SEV-2", at("2026-12-24T12:30Z")) == at("2026-12-24T13:30Z")
        assert due(calendar, "SEV-2", at("2026-12-24T13:00Z")) == at("2026-12-29T17:30Z")


class TestClocksThatJump:
    def test_a_clock_change_inside_the_window_keeps_the_closing_time_on_the_wall(self) -> None:
        new_york = CALENDARS["new-york"]
        spring, autumn = at("2026-03-06T23:00Z"), at("2026-10-30T22:00Z")
        assert due(new_york, "SEV-3", spring) == at("2026-03-09T21:30Z")
        assert due(new_york, "SEV-3", autumn) == at("2026-11-02T22:30Z")

    def test_the_floor_is_an_hour_of_elapsed_time_where_the_clock_jumps(self) -> None:
        spec = {"key": "night", "name": "Night", "time_zone": "America/New_York", "weekend": ["sat"]}
        night = open_calendar(freeze({**spec, "open": "00:00", "close": "01:45"}, 2026))
        since = at("2026-03-08T01:30-05:00")
        assert due(night, "SEV-2", since) == since + timedelta(hours=1)
        assert to_local(night, since + timedelta(hours=1)).strftime("%H:%M") == "03:30"

    def test_both_half_past_ones_of_the_autumn_night_are_told_apart(self) -> None:
        spec = {"key": "night", "name": "Night", "time_zone": "America/New_York", "weekend": ["sat"]}
        night = open_calendar(freeze({**spec, "open": "00:00", "close": "04:00"}, 2026))
        first = response_target(night, "SEV-1", at("2026-11-01T01:30-04:00"))
        second = response_target(night, "SEV-1", at("2026-11-01T01:30-05:00"))
        assert second.since - first.since == timedelta(hours=1)
        assert due(night, "SEV-2", first.since) == due(night, "SEV-2", second.since) == at("2026-11-01T04:00-05:00")

    def test_a_closing_that_does_not_exist_still_gives_a_deadline(self) -> None:
        spec = {"key": "night", "name": "Night", "time_zone": "America/New_York", "weekend": ["sat"]}
        night = open_calendar(freeze({**spec, "open": "00:00", "close": "02:30"}, 2026))
        assert due(night, "SEV-2", at("2026-03-08T00:10-05:00")) == at("2026-03-08T03:30-04:00")

    def test_new_time_zone_rules_move_the_computed_instant_and_the_recorded_one_shows_it(self) -> None:
        since = at("2026-11-23T10:00Z")
        document = freeze_named(DOCUMENT, "london", 2026)
        recorded = response_target(open_calendar(document), "SEV-2", since).as_json()
        moved = open_calendar(document, zone=timezone(timedelta(hours=1)))
        again = response_target(moved, "SEV-2", since).as_json()
        assert (recorded["since"], recorded["words"]) == (again["since"], again["words"])
        assert (recorded["due"], again["due"]) == ("2026-11-23T17:30:00.000Z", "2026-11-23T16:30:00.000Z")


class TestAnchors:
    def test_an_event_entered_late_runs_from_when_it_happened(self) -> None:
        happened, recorded = at("2026-11-20T10:00Z"), at("2026-11-23T10:00Z")
        target = response_target(CALENDARS["london"], "SEV-2", anchor(happened, recorded))
        assert target.due == at("2026-11-20T17:30Z")
        assert target.standing(recorded) == "overdue"

    def test_an_event_dated_in_the_future_runs_from_when_it_was_recorded(self) -> None:
        assert anchor(at("2027-01-01T00:00Z"), at("2026-11-23T10:00Z")) == at("2026-11-23T10:00Z")

    def test_a_commander_elsewhere_does_not_move_the_deadline(self) -> None:
        since = at("2026-11-23T10:00Z")
        there = since.astimezone(ZoneInfo("Asia/Tokyo"))
        for level in LEVELS:
            assert response_target(CALENDARS["london"], level, since) == response_target(
                CALENDARS["london"], level, there
            )
        assert review_due(CALENDARS["london"], there) == review_due(CALENDARS["london"], since)


class TestUnknownCalendar:
    def test_a_day_counts_as_twenty_four_hours_and_a_warning_says_so(self) -> None:
        since = at("2026-11-20T23:50Z")
        for level in ("SEV-2", "SEV-3"):
            target = response_target(NOWHERE, level, since)  # type: ignore[arg-type]  # a literal of the tuple
            assert target.due == since + timedelta(hours=24)
            assert "no calendar 'nowhere'" in (target.warning or "")
        review = review_due(NOWHERE, since)
        assert review.at == since + timedelta(hours=120)
        assert review.warning is not None

    def test_outside_the_frozen_years_the_deadline_comes_early_with_a_warning(self) -> None:
        target = response_target(CALENDARS["london"], "SEV-3", at("2028-12-29T12:00Z"))
        assert target.due == at("2029-01-01T17:30Z")
        assert "2028-12-31" in (target.warning or "")


class TestSev1:
    SINCE = at("2026-11-22T03:07Z")
    TARGET = response_target(CALENDARS["london"], "SEV-1", SINCE)

    def test_it_is_red_from_the_first_instant_on_a_sunday_night(self) -> None:
        assert self.TARGET.due == self.SINCE
        assert self.TARGET.standing(self.SINCE) == "overdue"

    def test_somebody_in_command_within_five_minutes_meets_it(self) -> None:
        later = self.SINCE + timedelta(hours=1)
        assert self.TARGET.standing(later, self.SINCE + timedelta(minutes=5)) == "met"
        assert self.TARGET.standing(later, self.SINCE + timedelta(minutes=5, seconds=1)) == "met late"

    def test_it_pages_one_more_person_every_five_minutes(self) -> None:
        assert page_ladder(self.SINCE) == (
            ("primary", at("2026-11-22T03:07Z")),
            ("deputy", at("2026-11-22T03:12Z")),
            ("duty executive", at("2026-11-22T03:17Z")),
        )


class TestStanding:
    def test_sev_2_pages_at_once_at_any_hour_and_sev_3_does_not(self) -> None:
        since = at("2026-11-20T23:50Z")
        assert response_target(CALENDARS["london"], "SEV-2", since).acknowledge_by == since + timedelta(minutes=5)
        assert response_target(CALENDARS["london"], "SEV-2", since).pages
        assert not response_target(CALENDARS["london"], "SEV-3", since).pages

    def test_a_target_runs_then_is_overdue_and_can_be_met_late(self) -> None:
        target = response_target(CALENDARS["london"], "SEV-3", at("2026-11-23T10:00Z"))
        close = at("2026-11-24T17:30Z")
        assert target.standing(close - timedelta(seconds=1)) == "running"
        assert target.standing(close) == "overdue"
        assert target.standing(close, close) == "met"
        assert target.standing(close, close + timedelta(seconds=1)) == "met late"

    def test_sev_4_is_backlog_with_no_instant_due(self) -> None:
        target = response_target(CALENDARS["london"], "SEV-4", at("2026-11-23T10:00Z"))
        assert target.due is None
        assert target.standing(at("2027-11-23T10:00Z")) == "backlog"
        assert target.standing(at("2027-11-23T10:00Z"), at("2026-12-01T10:00Z")) == "met"

    @pytest.mark.parametrize("level", LEVELS)
    def test_a_target_is_recordable(self, level: Level) -> None:
        assert canonical(response_target(CALENDARS["tokyo"], level, at("2026-11-23T10:00Z")).as_json())


class TestSeverityRaised:
    DECLARED, RAISED = at("2026-11-23T10:00Z"), at("2026-11-24T12:00Z")

    def chain(self, *levels: Level) -> list[tuple[Level, datetime]]:
        changes = [Change(level, self.DECLARED + timedelta(days=n)) for n, level in enumerate(levels)]
        return [(target.level, target.since) for target in targets(CALENDARS["london"], changes)]

    def test_a_raise_starts_a_new_target_and_the_original_stays_visible(self) -> None:
        found: tuple[Target, ...] = targets(
            CALENDARS["london"], [Change("SEV-3", self.DECLARED), Change("SEV-2", self.RAISED)]
        )
        assert [target.due for target in found] == [at("2026-11-24T17:30Z"), at("2026-11-24T17:30Z")]
        assert found[1].since == self.RAISED

    def test_a_lowering_ends_no_target(self) -> None:
        assert self.chain("SEV-2", "SEV-4") == [("SEV-2", self.DECLARED)]

    def test_a_raise_back_to_a_level_it_already_had_grants_no_new_time(self) -> None:
        assert self.chain("SEV-2", "SEV-3", "SEV-2") == [("SEV-2", self.DECLARED)]

    def test_a_raise_beyond_the_peak_after_a_lowering_counts(self) -> None:
        assert self.chain("SEV-2", "SEV-4", "SEV-1") == [
            ("SEV-2", self.DECLARED),
            ("SEV-1", self.DECLARED + timedelta(days=2)),
        ]


class TestCadence:
    def test_sev_1_promises_every_half_hour_then_every_hour_after_two_hours(self) -> None:
        assert cadence("SEV-1", timedelta(0)) == timedelta(minutes=30)
        assert cadence("SEV-1", timedelta(hours=1, minutes=59)) == timedelta(minutes=30)
        assert cadence("SEV-1", timedelta(hours=2)) == timedelta(minutes=60)

    def test_sev_2_promises_every_two_hours_in_business_hours_and_daily_outside(self) -> None:
        assert cadence("SEV-2", timedelta(0)) == timedelta(hours=2)
        assert cadence("SEV-2", timedelta(0), in_hours=False) == timedelta(days=1)

    def test_sev_3_promises_daily_and_sev_4_only_on_change(self) -> None:
        assert cadence("SEV-3", timedelta(0)) == timedelta(days=1)
        assert cadence("SEV-4", timedelta(0)) is None

    @pytest.mark.parametrize(
        ("now", "promised"),
        [
            ("2026-11-23T10:00Z", "2026-11-23T12:00Z"),
            ("2026-11-23T17:29Z", "2026-11-23T19:29Z"),
            ("2026-11-23T17:30Z", "2026-11-24T11:00Z"),
            ("2026-11-24T08:59Z", "2026-11-24T11:00Z"),
            ("2026-11-27T18:00Z", "2026-11-28T18:00Z"),
            ("2026-11-29T18:00Z", "2026-11-30T11:00Z"),
        ],
    )
    def test_sev_2_is_promised_by_the_calendar(self, now: str, promised: str) -> None:
        assert next_update(CALENDARS["london"], "SEV-2", at("2026-11-23T09:00Z"), at(now)) == at(promised)

    def test_the_other_levels_are_promised_around_the_clock(self) -> None:
        declared, now = at("2026-11-21T20:00Z"), at("2026-11-21T23:00Z")
        assert next_update(CALENDARS["london"], "SEV-1", declared, now) == at("2026-11-22T00:00Z")
        assert next_update(CALENDARS["london"], "SEV-3", declared, now) == at("2026-11-22T23:00Z")
        assert next_update(CALENDARS["london"], "SEV-4", declared, now) is None

    def test_an_unknown_calendar_promises_as_in_business_hours(self) -> None:
        now = at("2026-11-21T23:00Z")
        assert next_update(NOWHERE, "SEV-2", now, now) == now + timedelta(hours=2)


def in_order(calendar: Calendar, moment: datetime) -> tuple[datetime, datetime, datetime]:
    found = due(calendar, "SEV-2", moment), due(calendar, "SEV-3", moment), review_due(calendar, moment).at
    assert moment < found[0] <= found[1] <= found[2], moment
    return found


class TestProperties:
    @pytest.mark.parametrize("calendar", [*CALENDARS.values(), NOWHERE], ids=lambda calendar: calendar.key)
    def test_deadlines_are_in_order_and_never_move_earlier_through_a_year(self, calendar: Calendar) -> None:
        moment, before = at("2026-01-01T00:00Z"), None
        while moment < at("2027-01-01T00:00Z"):
            found = in_order(calendar, moment)
            assert before is None or all(new >= old for new, old in zip(found, before, strict=True)), moment
            before = found
            moment += timedelta(minutes=150)

    @given(
        st.sampled_from([*CALENDARS.values(), NOWHERE]),
        st.datetimes(datetime(2025, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis takes naive bounds
        st.timedeltas(timedelta(0), timedelta(days=4)),
    )
    def test_deadlines_are_in_order_and_never_move_earlier_at_any_instant(
        self, calendar: Calendar, moment: datetime, later: timedelta
    ) -> None:
        moment = moment.replace(microsecond=0)
        for old, new in zip(in_order(calendar, moment), in_order(calendar, moment + later), strict=True):
            assert new >= old

    @given(
        st.integers(0, 1439),
        st.integers(1, 1440),
        st.sampled_from(sorted(ZONES.values())),
        st.datetimes(datetime(2026, 1, 2), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis takes naive bounds
    )
    def test_deadlines_are_in_order_whatever_the_opening_hours(
        self, opens: int, closes: int, zone: str, moment: datetime
    ) -> None:
        assume(opens < closes)
        spec = {
            "key": "made",
            "name": "Made",
            "time_zone": zone,
            "open": f"{opens // 60:02d}:{opens % 60:02d}",
            "close": f"{closes // 60:02d}:{closes % 60:02d}",
            "weekend": ["wed"],
        }
        in_order(open_calendar(freeze(spec, 2026)), moment.replace(microsecond=0))

    @given(
        st.sampled_from(list(CALENDARS.values())),
        st.datetimes(datetime(2026, 1, 2), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis takes naive bounds
        st.sampled_from(LEVELS[:3]),
    )
    def test_the_next_update_is_promised_within_a_day_and_always_later(
        self, calendar: Calendar, now: datetime, level: Level
    ) -> None:
        promised = next_update(calendar, level, now - timedelta(hours=5), now)
        assert promised is not None
        assert timedelta(0) < promised - now <= timedelta(days=1)
