"""Grades of hours: by events and silence, by stopped logs, cut files, retention and what is never recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from holdfast.investigation import coverage, silence
from holdfast.investigation.logfacts import known, retention_days
from holdfast.investigation.logging_gaps import intervals, regions_without_data
from tests.unit.investigation.coverage_world import HOUR_US, START, given, graded, hourly_rows

A, B = "111111111111", "222222222222"
PLACES: list[tuple[str, str | None]] = [
    (account, region) for account in (A, B) for region in ("us-east-1", "eu-west-1")
]
Gaps = dict[tuple[str, str | None], tuple[int, int]]
WHOLE = (START * HOUR_US, (START + 10 * 24) * HOUR_US - 1)


def change(operation: str, hour: float, request: str = '{"name":"main"}', **more: Any) -> dict[str, Any]:
    effect = {"StopLogging": "stops", "DeleteTrail": "stops", "StartLogging": "starts"}.get(operation, "changes")
    return {
        "row_id": 77,
        "time_us": int(hour * HOUR_US),
        "source": "aws.cloudtrail",
        "account_uid": A,
        "region": "us-east-1",
        "operation": operation,
        "actor_uid": "arn:aws:iam::111111111111:user/eve",
        "target_uid": "main",
        "request": request,
        "effect": effect,
        **more,
    }


def quarantined(**more: Any) -> dict[str, Any]:
    return {
        "input_no": 3,
        "path": "logs/trail.json",
        "kind": "log",
        "reader": "aws.cloudtrail",
        "rows": 10,
        "quarantined": 1,
        "reason": "the file is truncated",
        "first_us": (START + 30) * HOUR_US,
        "last_us": (START + 32) * HOUR_US - 1,
        **more,
    }


@pytest.mark.parametrize(
    ("days", "day", "night"), [(30, 170, 170), (30, 8, 0.3), (30, 3, 3), (90, 5, 0.5), (14, 20, 1)]
)
def test_exactly_the_four_hour_gaps_are_found(days: int, day: float, night: float) -> None:
    gaps: Gaps = {
        PLACES[number]: (START + 24 * (4 + number) + 9, START + 24 * (4 + number) + 13) for number in range(3)
    }
    rows = coverage.grade_cells(given(hourly_rows(PLACES, days, day, night, gaps=gaps), days))
    wanted = {(account, region, hour) for (account, region), (a, b) in gaps.items() for hour in range(a, b)}
    assert graded(rows, "gap") == wanted


def test_every_hour_of_every_cell_has_one_grade() -> None:
    rows = coverage.grade_cells(given(hourly_rows(PLACES, 10, 2, 0.2), 10))
    for place in PLACES:
        own = [row for row in rows if (row["account_uid"], row["region"]) == place]
        hours = [hour for row in own for hour in range(row["from_hour"], row["to_hour"])]
        assert hours == list(range(START, START + 240))


def test_a_steady_heartbeat_misses_every_hour_it_misses() -> None:
    beats = [
        {**row, "events": 1}
        for row in hourly_rows([(A, None)], 10, 50, 50, source="x.beat")
        if row["hour"] not in {START + 100, START + 131}
    ]
    rows = coverage.grade_cells(given(beats, 10))
    assert {hour for _, _, hour in graded(rows, "gap")} == {START + 100, START + 131}


def test_a_quiet_weekend_is_no_gap() -> None:
    days = 28
    rows = [r for r in hourly_rows([(A, None)], days, 20, 5, source="okta.system") if (r["hour"] // 24 - 19723) % 7 < 5]
    assert graded(coverage.grade_cells(given(rows, days)), "gap") == set()


def test_too_little_data_is_not_called_quiet() -> None:
    rows = hourly_rows([(A, "us-east-1")], 2, 1, 0.1)
    result = coverage.grade_cells(given(rows, 2))
    assert graded(result, "silent_expected") == set()
    assert graded(result, "cannot_tell")


def test_a_stopped_trail_is_a_gap_with_its_event_as_citation() -> None:
    off = (START + 100, START + 103)
    hourly = [
        row for row in hourly_rows(PLACES, 10, 50, 50) if row["account_uid"] == B or not off[0] < row["hour"] < off[1]
    ]
    for row in hourly:
        if row["account_uid"] == A and row["hour"] == off[0]:
            row["last_us"] = int((off[0] + 0.5) * HOUR_US)
    changes = [change("StopLogging", off[0] + 0.5), change("StartLogging", off[1] + 0.25, row_id=78)]
    rows = coverage.grade_cells(given(hourly, 10, logging_changes=changes))
    assert graded(rows, "gap") == {(A, r, h) for r in ("us-east-1", "eu-west-1") for h in range(off[0], off[1] + 1)}
    assert {row["row_id"] for row in rows if row["grade"] == "gap"} == {77}
    assert all("StopLogging by arn" in row["why"] for row in rows if row["grade"] == "gap")


def test_a_stopped_trail_beside_another_that_went_on_is_no_gap() -> None:
    rows = coverage.grade_cells(
        given(hourly_rows(PLACES, 10, 50, 50), 10, logging_changes=[change("DeleteTrail", START + 100.5)])
    )
    assert graded(rows, "gap") == set()


def test_a_stop_of_minutes_beside_another_log_is_no_gap() -> None:
    stop = change("StopLogging", START + 100.1, next_us=int((START + 100.2) * HOUR_US))
    again = change("StartLogging", START + 100.3, row_id=78)
    tables = given(hourly_rows(PLACES, 10, 50, 50), 10, logging_changes=[stop, again])
    assert graded(coverage.grade_cells(tables), "gap") == set()
    stop["next_us"] = int((START + 100.5) * HOUR_US)
    assert {hour for _, _, hour in graded(coverage.grade_cells(tables), "gap")} == {START + 100}


def test_data_events_deselected_are_a_gap_of_that_class_only() -> None:
    hourly = hourly_rows(PLACES[:1], 10, 50, 50)
    data = [r for r in hourly_rows(PLACES[:1], 10, 30, 30, event_class="data") if r["hour"] < START + 200]
    selectors = '{"trailName":"main","eventSelectors":[{"includeManagementEvents":true,"dataResources":[]}]}'
    changes = [change("PutEventSelectors", START + 199.99, selectors)]
    rows = coverage.grade_cells(given(hourly + data, 10, logging_changes=changes))
    gaps = [row for row in rows if row["grade"] == "gap"]
    assert {row["event_class"] for row in gaps} == {"data"}
    assert (gaps[0]["from_hour"], gaps[0]["to_hour"]) == (START + 199, START + 240)


def test_a_trail_captured_as_stopped_is_a_gap_until_the_capture() -> None:
    hourly = [row for row in hourly_rows(PLACES[:1], 10, 50, 50) if row["hour"] <= START + 150]
    common = {"uid": "arn:aws:cloudtrail:us-east-1:1:trail/main", "type": "trail", "account_uid": A, "row_id": 9}
    state = [
        {**common, "attribute": "is_logging", "value": "false", "captured_us": (START + 240) * HOUR_US},
        {**common, "attribute": "stopped", "value": "2024-01-07T06:59:00Z", "captured_us": (START + 240) * HOUR_US},
    ]
    hourly[-1]["last_us"] = (START + 150) * HOUR_US
    rows = coverage.grade_cells(given(hourly, 10, state_items=state))
    assert {hour for _, _, hour in graded(rows, "gap")} == set(range(START + 150, START + 240))


def test_a_cut_file_is_never_clean() -> None:
    rows = coverage.grade_cells(given(hourly_rows(PLACES, 10, 50, 50), 10, inputs=[quarantined()]))
    assert {hour for _, _, hour in graded(rows, "gap")} == {START + 30, START + 31}
    allowed, why = coverage.allows_no(rows, ["aws.cloudtrail:management"], *WHOLE)
    assert not allowed
    assert "logs/trail.json could not be read (the file is truncated)" in why


def test_a_cut_file_with_a_trail_files_name_touches_its_own_place_only() -> None:
    path = f"AWSLogs/{A}/CloudTrail/eu-west-1/2024/01/02/{A}_CloudTrail_eu-west-1_20240102T0610Z_x.json.gz"
    bad = quarantined(path=path, reader=None, kind="unrecognised", first_us=None, last_us=None)
    rows = coverage.grade_cells(given(hourly_rows(PLACES, 10, 50, 50), 10, inputs=[bad]))
    assert graded(rows, "gap") == {(A, "eu-west-1", START + 29), (A, "eu-west-1", START + 30)}


def test_unreadable_records_of_unknown_reach_leave_the_whole_source_untold() -> None:
    bad = quarantined(first_us=None, last_us=None, reason="no record could be parsed")
    rows = coverage.grade_cells(given(hourly_rows(PLACES, 10, 50, 50), 10, inputs=[bad]))
    assert graded(rows, "observed") == set()


def test_data_events_that_nobody_switched_on_are_never_enabled() -> None:
    rows = coverage.grade_cells(given(hourly_rows(PLACES[:1], 10, 50, 50), 10))
    allowed, why = coverage.allows_no(rows, ["aws.cloudtrail:data"], *WHOLE)
    assert [row["grade"] for row in rows if row["event_class"] == "data"] == ["never_enabled"]
    assert not allowed
    assert "data events are off unless switched on" in why


def test_a_selected_class_that_told_nothing_cannot_be_told() -> None:
    item = {"uid": "t", "type": "trail", "attribute": "selectors", "value": '[{"AWS::S3::Object"}]', "account_uid": A}
    state = [{**item, "captured_us": 1, "row_id": 5}]
    rows = coverage.grade_cells(given(hourly_rows(PLACES[:1], 10, 50, 50), 10, state_items=state))
    assert [(row["grade"], row["row_id"]) for row in rows if row["event_class"] == "data"] == [("cannot_tell", 5)]


def test_that_a_trail_has_selectors_does_not_say_which() -> None:
    item = {"uid": "t", "type": "trail", "attribute": "has_selectors", "account_uid": A, "captured_us": 1, "row_id": 5}
    hourly = hourly_rows(PLACES[:1], 10, 50, 50)
    for value, cited in (("true", None), ("false", 5)):
        rows = coverage.grade_cells(given(hourly, 10, state_items=[{**item, "value": value}]))
        assert [row["row_id"] for row in rows if row["event_class"] == "data"] == [cited]


def test_what_the_provider_no_longer_keeps_is_out_of_retention() -> None:
    hourly = [
        r for r in hourly_rows([("acme", None)], 120, 20, 20, source="okta.system") if r["hour"] >= START + 40 * 24
    ]
    reader = {**quarantined(quarantined=0), "reader": "okta.system"}
    rows = coverage.grade_cells(given(hourly, 120, inputs=[reader]))
    gone = [row for row in rows if row["grade"] == "out_of_retention"]
    assert [(row["from_hour"], row["to_hour"]) for row in gone] == [(START, START + 120 * 24 - 1 - 90 * 24)]
    assert "90 days" in gone[0]["why"]


def test_a_trail_has_no_retention_and_the_event_history_has() -> None:
    assert retention_days("aws.cloudtrail", "management", {"aws.cloudtrail"}) is None
    assert retention_days("aws.cloudtrail", "management", {"aws.cloudtrail+lookup"}) == 90
    assert retention_days("github.audit", "data", {"github.audit"}) == 7


def test_throttled_mail_reads_leave_a_day_untold() -> None:
    hourly = hourly_rows([("acme", None)], 10, 50, 50, source="m365.ual", event_class="data")
    check = {"kind": "throttled", "source": "m365.ual", "account_uid": "acme", "region": None, "event_class": "data"}
    rows = coverage.grade_cells(given(hourly, 10, log_checks=[{**check, "hour": START + 50, "events": 1, "row_id": 4}]))
    assert {hour for _, _, hour in graded(rows, "cannot_tell") if hour < START + 200} >= set(
        range(START + 50, START + 74)
    )


def test_a_silent_account_leaves_its_quiet_regions_untold() -> None:
    hours = range(START + 100, START + 106)
    busy = [row for row in hourly_rows(PLACES[:1], 10, 50, 50) if row["hour"] not in hours]
    quiet = [row for row in hourly_rows([(A, "eu-west-1")], 10, 0.1, 0.1, seed=3) if row["hour"] not in hours]
    rows = coverage.grade_cells(given(busy + quiet, 10))
    assert {hour for _, region, hour in graded(rows, "cannot_tell") if region == "eu-west-1"} >= set(hours)


def test_a_no_over_quiet_hours_says_how_many() -> None:
    rows = coverage.grade_cells(given(hourly_rows(PLACES[:1], 30, 20, 0.3), 30))
    allowed, why = coverage.allows_no(rows, ["aws.cloudtrail:management"], START * HOUR_US, WHOLE[1])
    assert allowed
    assert "in which silence is usual" in why


def test_signins_rest_on_the_stream_they_come_with() -> None:
    rows = coverage.grade_cells(given(hourly_rows(PLACES[:1], 10, 50, 50), 10))
    assert coverage.allows_no(rows, ["*:signin"], *WHOLE)[0]


def test_a_class_that_no_log_tells_allows_no_no() -> None:
    rows = coverage.grade_cells(given(hourly_rows(PLACES[:1], 10, 50, 50), 10))
    assert coverage.allows_no(rows, ["*:host"], *WHOLE) == (False, "no log among the inputs tells of host")
    assert coverage.allows_no([], [], *WHOLE)[0] is False


def test_captured_state_is_a_thing_to_rest_on() -> None:
    assert coverage.allows_no([], ["captured:grants"], *WHOLE) == (False, "no captured state (grants)")
    assert coverage.allows_no([], ["captured:grants"], *WHOLE, {"grants"}) == (True, "")
    assert coverage.allows_no([], ["given:inputs"], *WHOLE) == (True, "")
    assert "capture and add it" in coverage.would_change([], ["captured:grants"], *WHOLE)[0]


def test_grades_are_cut_to_the_window_and_put_together() -> None:
    gaps: Gaps = {PLACES[0]: (START + 30, START + 34)}
    rows = coverage.grade_cells(given(hourly_rows(PLACES[:1], 30, 20, 0.3, gaps=gaps), 30))
    grades = coverage.grades_for(
        rows, ["aws.cloudtrail:management"], (START + 32) * HOUR_US, (START + 48) * HOUR_US - 1
    )
    assert [grade.grade for grade in grades][:1] == ["gap"]
    assert grades[0].from_us == (START + 32) * HOUR_US
    assert sum(grade.hours for grade in grades) == 16
    assert len({grade.grade for grade in grades}) == len(grades)


def test_what_would_change_it_is_said_once_for_each_kind_of_hole() -> None:
    gaps = dict.fromkeys(PLACES, (START + 30, START + 34))
    rows = coverage.grade_cells(given(hourly_rows(PLACES, 30, 20, 20, gaps=gaps), 30))
    said = coverage.would_change(rows, ["aws.cloudtrail:management", "aws.cloudtrail:data"], *WHOLE)
    assert len(said) == 2
    assert said[0].startswith("aws.cloudtrail management events, 16 hours missing (")
    assert "aws s3 sync" in said[0]


def test_a_record_dated_far_off_stretches_nothing() -> None:
    hourly = hourly_rows(PLACES[:1], 10, 50, 50)
    far = {**hourly[0], "hour": 70_000_000}
    tables = given([*hourly, far], 10)
    tables["scope"][0]["to_us"] = 70_000_000 * HOUR_US
    assert max(row["to_hour"] for row in coverage.grade_cells(tables)) < START + 100_000


def test_no_events_give_no_cells() -> None:
    assert coverage.grade_cells(given([], 10)) == []


def test_every_shipped_log_has_streams_and_a_way_to_export_it() -> None:
    assert all(facts.streams and facts.export for facts in known().values())


def test_a_region_whose_own_trail_selects_no_objects_is_told_apart_from_its_account() -> None:
    def told(uid: str, **attributes: str) -> list[dict[str, Any]]:
        return [
            {"uid": uid, "type": "trail", "attribute": name, "value": value, "account_uid": "1", "row_id": number}
            for number, (name, value) in enumerate(attributes.items())
        ]

    west = told("arn:aws:cloudtrail:eu-west-1:1:trail/west", multi_region="false", selectors='[{"DataResources":[]}]')
    central = told("arn:aws:cloudtrail:eu-central-1:1:trail/c", selectors='[{"Type":"AWS::S3::Object"}]')
    every = told("arn:aws:cloudtrail:eu-central-1:1:trail/a", multi_region="true", selectors='["AWS::S3::Object"]')
    assert regions_without_data([*west, *central]) == {"1": {"eu-west-1": 1}}
    assert regions_without_data([*west, *central, *every]) == {}


def test_a_stop_counts_in_the_one_region_of_a_trail_that_was_captured_as_such() -> None:
    trail = "arn:aws:cloudtrail:eu-west-1:1:trail/west"
    stop = {
        "row_id": 1,
        "time_us": START,
        "source": "aws.cloudtrail",
        "account_uid": "1",
        "region": "eu-west-1",
        "operation": "StopLogging",
        "effect": "stops",
        "actor_uid": "eve",
        "target_uid": trail,
        "request": None,
    }
    state = {"uid": trail, "type": "trail", "attribute": "multi_region", "value": "false", "account_uid": "1"}
    [alone] = intervals([stop], [state])
    [unknown] = intervals([stop], [])
    assert (alone.concerns("eu-west-1"), alone.concerns("eu-central-1")) == (True, False)
    assert unknown.concerns("eu-central-1")


def test_a_weekend_without_anybody_on_call_is_quiet_and_a_silent_working_day_is_not() -> None:
    monday = 4 * 24  # hours since 1970 of the first Monday
    days = 26 * 7
    counts = np.zeros(days * 24, np.int64)
    for day in range(days):
        on_call = (day // 7) % 2 == 0
        if day % 7 < 5 or on_call:
            counts[day * 24 + 8 : day * 24 + 18] = 6 + (np.arange(10) * 7 + day) % 5 * (day % 3)
    lost = 50 * 24
    counts[lost + 10 : lost + 14] = 0
    found = silence.judge(counts, monday)
    assert np.flatnonzero(found.verdict == silence.MISSING).tolist() == [lost + hour for hour in range(10, 14)]
