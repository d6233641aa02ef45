"""Reports as lines: what goes out comes back, and nothing else is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.exposure import report as reporting
from holdfast.exposure.report import Report, read, screened
from holdfast.kernel.errors import BadInputError
from tests.unit.exposure import world


def lines(report: Report = world.REPORT) -> list[str]:
    return list(report.lines())


def refused(told: list[str]) -> BadInputError:
    with pytest.raises(BadInputError) as error:
        read(told)
    assert error.value.code == "exposure-report-invalid"
    return error.value


def altered(kind: str, **more: Any) -> list[str]:
    """The report with fields of its first line of a kind replaced."""
    told = [json.loads(line) for line in lines()]
    next(one for one in told if one["kind"] == kind).update(more)
    return [json.dumps(one) for one in told]


def test_a_report_reads_back_as_it_was_written() -> None:
    assert read(lines()) == world.REPORT


def test_line_seven_is_hit_seven() -> None:
    told = lines()
    for number, hit in enumerate(world.REPORT.hits):
        assert json.loads(told[number]) == hit.as_json()


def test_empty_lines_and_order_of_the_lines_do_not_matter_as_long_as_the_last_is_last() -> None:
    told = lines()
    shuffled = [told[-2], "\n", *told[:-2], told[-1]]
    assert read(shuffled) == world.REPORT


@pytest.mark.parametrize(
    ("kind", "more", "why"),
    [
        ("hit", {"class": "sure"}, "class is none of exact, encoded, split, partial"),
        ("hit", {"what": "a file"}, "what has another form"),
        ("hit", {"object": "HEAD"}, "object has another form"),
        ("hit", {"start": -1}, "start is no number"),
        ("hit", {"start": True}, "start is missing or of another type"),
        ("hit", {"end": 3}, "end is before its start"),
        ("hit", {"line": 0}, "line is no number"),
        ("hit", {"inner": ["a", 1]}, "inner is no list"),
        ("hit", {"inner": ["a"] * 65}, "inner is no list"),
        ("hit", {"about": {"sent": 3}}, "about is no object"),
        ("hit", {"visibility": "everybody"}, "visibility is none of"),
        ("hit", {"target": "elsewhere"}, "targets lack one"),
        ("hit", {"secret": 1}, "secrets lack one"),
        ("hit", {"digest": "md5:00"}, "digest has another form"),
        ("fault", {"reason": None}, "reason is missing"),
        ("fault", {"more": 1}, "has 1 fields that no report has"),
        ("end", {"complete": True}, "complete is said beside what could not be looked into"),
        ("end", {"hits": 7}, "hits or faults are not as many"),
        ("end", {"faults": 0}, "hits or faults are not as many"),
        ("end", {"by_class": {}}, "by_class or by_form is not what the lines say"),
        ("end", {"by_form": {"raw": 99}}, "by_class or by_form is not what the lines say"),
        ("end", {"secrets": [{"number": 0, "fingerprint": "in the clear"}]}, "fingerprint has another form"),
        ("end", {"format": "holdfast-exposure/9"}, "format is none of"),
        ("end", {"totals": {}}, "is missing or of another type"),
        ("end", {"targets": 5}, "targets is missing"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_line_and_field(kind: str, more: dict[str, Any], why: str) -> None:
    assert why in refused(altered(kind, **more)).why


def test_a_provenance_is_held_to_its_form_too() -> None:
    origin = world.HEAD.as_json()["provenance"]
    for more in ({"reach": "far"}, {"paths": "one"}, {"at_head": 1}, {"first": {"commit": "x"}}, {"extra": 1}):
        refused(altered("hit", provenance={**origin, **more}))


def test_a_time_that_is_none_counts_as_unknown_because_anybody_can_write_a_commit() -> None:
    origin = world.HEAD.as_json()["provenance"]
    first = {**origin["first"], "committed": "the day before", "pushed": None}
    found = read(altered("hit", provenance={**origin, "first": first}))
    assert found.hits[0].provenance is not None
    assert found.hits[0].provenance.first is not None
    assert found.hits[0].provenance.first.committed == ""


def test_a_report_that_was_cut_is_no_report() -> None:
    assert "its last line" in refused(lines()[:-1]).why
    refused(lines()[3:])
    refused([*lines(), lines()[0]])
    refused([])


def test_one_that_is_too_long_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "MAX_BYTES", 1_000)

    def endless() -> Any:
        while True:
            yield lines()[0]

    with pytest.raises(BadInputError, match="longer than"):
        read(endless())


def test_a_target_with_a_fault_is_never_complete_whatever_the_report_says() -> None:
    told = [json.loads(line) for line in lines()]
    for target in told[-1]["targets"]:
        target["complete"] = True
    found = read(json.dumps(one) for one in told)
    assert {one.target for one in found.targets if not one.complete} == {world.FAULT.target}


def told_of(target: str, objects: int = 0) -> dict[str, Any]:
    """A target as a run of the command line tells of it."""
    totals = {**world.REPORT.totals.as_json(), "objects": objects}
    return {"target": target, "visibility": "unknown", "complete": True, "hits": 0, "faults": 0, "totals": totals}


@pytest.mark.parametrize(
    ("targets", "areas"),
    [
        ([("/estate/payments", 9)], ["source_control"]),
        ([("/estate", 9), ("/estate/payments/.git", 0)], [None, "source_control"]),
        ([("/estate/ci-logs", 0)], [None]),
        ([("oci://registry/payments", 0), ("pypi+https://index/x", 0)], ["artifact_registries"] * 2),
        ([("https://host/acme/payments.git", 9), ("git@host:acme/x.git", 0)], ["source_control"] * 2),
    ],
)
def test_git_objects_and_addresses_tell_what_a_target_is(targets: list[tuple[str, int]], areas: list[str]) -> None:
    end = Report((), (), (), ()).end()
    found = read([json.dumps({**end, "targets": [told_of(*one) for one in targets]})])
    assert [one.area for one in found.targets] == areas


def test_the_kind_of_a_target_tells_its_part_and_its_hits_do_where_they_agree() -> None:
    bare = [{"target": one.target} for one in world.TARGETS]
    found = read(altered("end", targets=bare))
    assert [one.area for one in found.targets] == [
        "source_control", "source_control", "artifact_registries", "chat", None,
    ]  # fmt: skip
    named = [{"target": one.target, "kind": one.kind} for one in world.TARGETS]
    found = read(altered("end", targets=named))
    assert [one.area for one in found.targets][:4] == [
        "source_control",
        "source_control",
        "artifact_registries",
        "chat",
    ]


def test_long_and_odd_names_are_cut_and_can_be_written() -> None:
    found = read(altered("hit", path="x" * 9_000 + "\ud800", artifact="a\x00b"))
    assert found.hits[0].path is not None
    assert len(found.hits[0].path) == 4_096
    assert found.hits[0].artifact == "a\ufffdb"
    "".join(found.lines()).encode()


def test_every_name_is_screened_and_nothing_else_is_changed() -> None:
    marked = screened(world.REPORT, lambda text: f"«{text}»")
    told = "".join(marked.lines())
    for name in (world.REPOSITORY, "config/settings.py", "Ben Ortiz", "#deploys", "truncated", "AWS key of payments"):
        assert f'"{name}' not in told
        assert f"«{name}" in told
    assert screened(marked, lambda text: text.strip("«»")) == world.REPORT


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["kind", "target", "hits", "provenance", "x"]), inner, max_size=5)
        ),
        max_leaves=20,
    )
)
def test_no_json_at_all_breaks_the_reader(value: Any) -> None:
    with pytest.raises(BadInputError):
        read([json.dumps(value)])


@given(st.sampled_from(["hit", "fault", "end"]), st.data())
def test_no_value_in_a_field_breaks_the_reader(kind: str, data: st.DataObject) -> None:
    told = [json.loads(line) for line in lines()]
    row = next(one for one in told if one["kind"] == kind)
    key = data.draw(st.sampled_from(sorted(set(row) - {"kind"})))
    row[key] = data.draw(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.lists(st.text(), max_size=3)
    )
    try:
        found = read(json.dumps(one) for one in told)
    except BadInputError:
        return
    assert read(found.lines()) == found
