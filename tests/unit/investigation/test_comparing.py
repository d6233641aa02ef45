"""What a later run says otherwise than an earlier one."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.comparing import changes


def result(sentence: str, *rows: dict[str, Any], grades: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "inputs": {"records": len(rows), "rows": len(rows), "duplicates": 0, "quarantined": 0},
        "answers": {"I1": {"sentence": sentence, "rows": list(rows), "grades": grades or []}},
    }


def row(what: str, event: str, file: str = "a.json") -> dict[str, Any]:
    citation = {"sha256": "0" * 64, "file": file, "record": 1, "event_id": event}
    return {"finding": "i1_grants", "what": what, "citation": citation}


def grade(name: str) -> dict[str, Any]:
    return {
        "source": "aws.cloudtrail",
        "account": "1",
        "region": "eu",
        "event_class": "data",
        "grade": name,
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-02T00:00:00Z",
    }


def test_equal_results_differ_in_nothing() -> None:
    one = result("Nothing changed.", row("A key was made", "e1"), grades=[grade("observed")])
    assert changes(one, one) == {
        "inputs": {"records": 0, "rows": 0, "duplicates": 0, "quarantined": 0},
        "answers": {},
    }


def test_a_new_row_is_named_and_counted_and_an_old_one_that_went_too() -> None:
    told = changes(
        result("One key.", row("A key was made", "e1")),
        result("One role.", row("A role was made", "e2"), row("A role was used", "e3")),
    )
    assert told["inputs"]["rows"] == 1
    answer = told["answers"]["I1"]
    assert answer["sentence"] == {"before": "One key.", "after": "One role."}
    assert answer["new_rows"]["total"] == 2
    assert [one["what"] for one in answer["gone_rows"]["first"]] == ["A key was made"]


def test_the_same_event_delivered_in_another_file_is_no_change() -> None:
    told = changes(result("One.", row("A key", "e1", "a.json")), result("One.", row("A key", "e1", "b.json")))
    assert told["answers"] == {}


def test_a_gap_that_a_new_capture_closed_shows_as_grades() -> None:
    told = changes(result("X.", grades=[grade("gap")]), result("X.", grades=[grade("observed")]))
    assert told["answers"]["I1"]["gone_grades"]["first"][0]["grade"] == "gap"
    assert told["answers"]["I1"]["new_grades"]["first"][0]["grade"] == "observed"


def test_a_question_that_the_earlier_result_did_not_have_is_new() -> None:
    before = {**result("X."), "answers": {}}
    told = changes(before, result("One.", row("A key", "e1")))
    assert told["answers"]["I1"]["sentence"] == {"before": None, "after": "One."}
    assert told["answers"]["I1"]["new_rows"]["total"] == 1
