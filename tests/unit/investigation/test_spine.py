"""The merged timeline: order, clock offsets in the view only, filters, pages, gaps as gaps; and its exports."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
import pytest

from holdfast.investigation.answers import Citation
from holdfast.investigation.exports import CSV_COLUMNS, neutral, to_csv, to_timesketch, undated
from holdfast.investigation.spine import Entry, Wanted, from_rows, from_state, merge, page, wanted_of

CITED = Citation("ab" * 32, "trail.json", 17, "E1")
T0 = 1_704_067_200_000_000


def row(row_id: int, time_us: int | None, kind: str = "act", **more: Any) -> dict[str, Any]:
    names = (
        "until_us",
        "account_uid",
        "region",
        "actor_uid",
        "target_uid",
        "operation",
        "status",
        "score",
        "technique",
    )
    return {
        **dict.fromkeys(names),
        "row_id": row_id,
        "time_us": time_us,
        "kind": kind,
        "source": "okta.system",
        "what": "signed in",
        "events": 1,
        **more,
    }


def gap() -> dict[str, Any]:
    return row(9, T0 + 50, "gap", until_us=T0 + 90, source="aws.cloudtrail", what="4 hours missing")


def test_entries_are_in_order_of_time_and_the_undated_come_last() -> None:
    merged = merge(from_rows([row(1, None), row(2, T0 + 9), row(3, T0)]), [Entry("pin", "look here", T0 + 5, id="p1")])
    assert [entry.time_us for entry in merged] == [T0, T0 + 5, T0 + 9, None]


def test_a_clock_offset_moves_what_is_shown_and_never_the_record() -> None:
    merged = merge(from_rows([row(1, T0), row(2, T0 - 1, source="github.audit")]), offsets_ms={"okta.system": 2})
    assert [(entry.source, entry.time_us, entry.shown_us) for entry in merged] == [
        ("okta.system", T0, T0 - 2000),
        ("github.audit", T0 - 1, T0 - 1),
    ]
    assert [entry.shifted for entry in merged] == [True, False]


def test_captured_state_is_one_entry_for_each_document() -> None:
    state = from_state(
        [{"row_id": 5, "captured_us": T0}, {"row_id": 5, "captured_us": T0}, {"row_id": 6, "captured_us": None}],
        {5: CITED},
    )
    assert [(one.what, one.time_us) for one in state] == [("State captured: trail.json", T0), ("State captured", None)]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), [1, 2, 9]),
        (Wanted(kinds=frozenset({"act"})), [1, 2]),
        (Wanted(sources=frozenset({"aws.cloudtrail"})), [9]),
        (Wanted(actor="EVE"), [2, 9]),
        (Wanted(text="bucket"), [1, 9]),
        (Wanted(from_us=T0 + 60), [9]),
        (Wanted(to_us=T0 + 3), [1]),
    ],
)
def test_filters_keep_the_gaps_unless_kinds_are_chosen(wanted: Wanted, ids: list[int]) -> None:
    merged = merge(from_rows([row(1, T0, target_uid="Bucket/x"), row(2, T0 + 5, actor_uid="arn:eve"), gap()]))
    assert [int(entry.id) for entry in wanted_of(merged, wanted)] == ids


def test_undated_entries_are_not_in_any_span_of_time() -> None:
    merged = merge(from_rows([row(1, None)]))
    assert wanted_of(merged, Wanted(from_us=0)) == []
    assert len(wanted_of(merged, Wanted())) == 1


def test_pages_are_bounded_and_join_without_loss() -> None:
    merged = merge(from_rows([row(number, T0 + number // 3) for number in range(1, 1_203)]))
    seen: list[str] = []
    after = None
    while True:
        found = page(merged, Wanted(), after, 10_000)
        assert len(found.entries) <= 500
        seen += [entry.id for entry in found.entries]
        after = found.following
        if after is None:
            break
    assert seen == [entry.id for entry in merged]
    assert found.total == 1_202
    assert found.counts == {"act": 1_202}


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =HYPERLINK()", "\n=1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_csv_reads_back_with_quotes_lines_and_citation() -> None:
    entries = merge(from_rows([row(1, T0, what='a "quoted", two\r\nlines', actor_uid="=cmd()", score=90)], {1: CITED}))
    text = "".join(to_csv(entries))
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.startswith(",".join(CSV_COLUMNS) + "\r\n")
    assert read[0]["what"] == 'a "quoted", two\r\nlines'
    assert read[0]["actor"] == "'=cmd()"
    assert (read[0]["evidence_item"], read[0]["evidence_record"], read[0]["score"]) == ("E1", "17", "90")
    assert read[0]["time"] == "2024-01-01T00:00:00.000000Z"


def test_timesketch_lines_have_what_it_demands_and_their_citation() -> None:
    entries = merge(from_rows([row(n, T0 + n, technique="T1098", actor_uid="eve") for n in (1, 2, 3)], {1: CITED}))
    lines = [orjson.loads(line) for line in to_timesketch(entries)]
    assert len(lines) == 3
    assert all({"message", "datetime", "timestamp_desc", "timestamp"} <= line.keys() for line in lines)
    assert lines[0]["datetime"] == "2024-01-01T00:00:00.000001+00:00"
    assert lines[0]["timestamp"] == T0 + 1
    assert lines[0]["evidence_sha256"] == "ab" * 32
    assert lines[0]["tag"] == ["act", "T1098"]


def test_undated_entries_never_acquire_a_time() -> None:
    entries = merge(from_rows([row(1, None), row(2, 1 << 62), row(3, T0), row(4, T0), row(5, T0)]))
    assert len(list(to_timesketch(entries))) == 3
    assert undated(entries) == 2
    read = list(csv.DictReader(io.StringIO("".join(to_csv(entries)), newline="")))
    assert [line["time"] != "" for line in read] == [True, True, True, False, False]


def test_a_short_file_is_filled_to_three_lines_that_say_so() -> None:
    lines = [orjson.loads(line) for line in to_timesketch(merge(from_rows([row(1, T0)])))]
    assert [line["kind"] for line in lines] == ["act", "filler", "filler"]
    assert list(to_timesketch([])) == []
