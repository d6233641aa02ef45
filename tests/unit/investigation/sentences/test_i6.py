"""The sentence about the logs: what carries, what is missing, what was never told."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.sentences.i6 import sentence

HOUR = 3_600_000_000
START = 473352 * HOUR
FACTS: dict[str, Any] = {"from_us": START, "to_us": START + 24 * HOUR, "totals": {}, "cannot_tell": {}}


def cell(account: str = "111", **more: Any) -> dict[str, Any]:
    return {"source": "aws.cloudtrail", "account_uid": account, "observed": 20, "proven": 0, **more}


def hole(grade: str, hours: int, **more: Any) -> dict[str, Any]:
    return {
        "grade": grade,
        "hours": hours,
        "source": "aws.cloudtrail",
        "event_class": "management",
        "account_uid": "111",
        "region": "eu-west-1",
        "from_us": START,
        "to_us": START + hours * HOUR,
        "in_window": True,
        "why": "no event",
        **more,
    }


def test_without_events_it_cannot_tell() -> None:
    assert sentence({}, FACTS).startswith("Cannot tell whether the logs can carry a timeline")


def test_whole_logs_are_called_complete_as_far_as_they_can_show() -> None:
    said = sentence({"i6_cells": [cell(), cell("222", proven=4)]}, FACTS)
    assert said == (
        "Complete as far as the logs can show from 2024-01-01 00:00Z to 2024-01-02 00:00Z: "
        "aws.cloudtrail of 2 accounts told events, 4 hours of them proven complete."
    )


def test_a_gap_comes_first_with_its_hours_and_its_reason() -> None:
    holes = [hole("never_enabled", 24, event_class="data", region=None), hole("gap", 4, why="no event in 4 hours")]
    said = sentence({"i6_cells": [cell()], "i6_holes": holes}, FACTS)
    assert said.startswith("Not complete from")
    assert "4-hour gap in aws.cloudtrail management events of 111 eu-west-1 from 2024-01-01 00:00 to 04:00Z" in said
    assert "cannot tell aws.cloudtrail data events of 1 account, which nobody switched on" in said


def test_holes_outside_the_window_are_not_said() -> None:
    said = sentence({"i6_cells": [cell()], "i6_holes": [hole("gap", 4, in_window=False)]}, FACTS)
    assert "gap" not in said


def test_classes_of_a_log_that_share_a_hole_are_said_together_and_reasons_briefly() -> None:
    why = "1 record of logs/github/audit.gz could not be read (a line that is not JSON (1))"
    holes = [hole("cannot_tell", 15, event_class=name, why=why) for name in ("data", "job")]
    said = sentence({"i6_cells": [cell()], "i6_holes": holes}, FACTS)
    assert "cannot tell aws.cloudtrail data and job events in 15 hours, first 2024-01-01 00:00 to 15:00Z, " in said
    assert said.endswith("1 record of audit.gz could not be read.")


def test_more_than_a_few_gaps_are_counted() -> None:
    said = sentence({"i6_cells": [cell()], "i6_holes": [hole("gap", n) for n in range(1, 8)]}, FACTS)
    assert said.count("-hour gap") == 3
    assert "and 4 more gaps" in said


def test_stopped_logging_faulty_chains_and_unread_records_are_said() -> None:
    change = {"effect": "stops", "time_us": START, "row_id": 1, "actor_uid": "eve", "operation": "StopLogging"}
    fault = {"standing": "altered", "what": "log file x: changed", "why": "changed"}
    results = {
        "i6_cells": [cell()],
        "i6_changes": [change],
        "i6_digests": [fault],
        "i6_inputs": [{"quarantined": 3}],
    }
    said = sentence(results, {**FACTS, "totals": {"i6_inputs": 2}})
    assert "logging was stopped or deleted 1 time, first by eve at 2024-01-01 00:00Z (StopLogging)" in said
    assert "the digest chains show 1 fault, first log file x: changed" in said
    assert "3 records in 2 inputs could not be read" in said


def test_digests_without_keys_are_said_not_to_be_checked() -> None:
    row = {"standing": "cannot_tell", "what": "d", "why": "the public key was not captured"}
    said = sentence({"i6_cells": [cell()], "i6_digests": [row]}, FACTS)
    assert "1 digest cannot be checked (the public key was not captured)" in said
