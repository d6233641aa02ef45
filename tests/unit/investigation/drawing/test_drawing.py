"""The pictures: well-formed, described, escaped, bounded, and readable without colour, script or style."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest

from holdfast.investigation.drawing import coverage_svg, identities_svg, standalone, timeline_svg, trust_svg
from holdfast.kernel.svg import WIDTH, Axis, fit, width_of

HOUR = 3_600_000_000
T0 = 473352 * HOUR
NS = "{http://www.w3.org/2000/svg}"
EVIL = '<script>alert("x")</script>&\x00\ud800'


def entry(kind: str, minutes: float, what: str = "did", **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "time_us": T0 + int(minutes * 60_000_000),
        "until_us": None,
        "source": "aws.cloudtrail",
        "what": what,
        "actor_uid": "eve",
        "score": 90,
        "events": 1,
        "row_id": int(minutes) + 1,
        **more,
    }


def cell(grade: str, first: int, last: int, **more: Any) -> dict[str, Any]:
    return {
        "source": "aws.cloudtrail",
        "account_uid": "111122223333",
        "region": "eu-west-1",
        "event_class": "management",
        "grade": grade,
        "from_hour": 473352 + first,
        "to_hour": 473352 + last,
        **more,
    }


def edge(start: str, end: str, relation: str = "assumes", **more: Any) -> dict[str, Any]:
    return {
        "from_uid": start,
        "from_type": "role",
        "relation": relation,
        "to_uid": end,
        "to_type": "role",
        "seen": "log",
        "condition": None,
        "account_uid": "111",
        **more,
    }


def hours(uid: str, hour: int, events: int, failures: int = 0) -> dict[str, Any]:
    return {"actor_uid": uid, "actor_name": uid, "hour": 473352 + hour, "events": events, "failures": failures}


def pictures(text: str = "did") -> dict[str, str]:
    gap = entry("gap", 3, text, until_us=T0 + HOUR)
    return {
        "timeline": timeline_svg([entry("lead", 1, text), entry("act", 2, text), gap]),
        "trust": trust_svg([edge(text, "b"), edge("b", "c", text)], frozenset({"b"})),
        "coverage": coverage_svg([cell("observed", 0, 9), cell("gap", 9, 12, account_uid=text)], T0, T0 + 24 * HOUR),
        "identities": identities_svg([hours(text, 1, 12, 3), hours("ada", 2, 2)], T0, T0 + 9 * HOUR, frozenset({text})),
    }


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg.encode())


@pytest.mark.parametrize("name", ["timeline", "trust", "coverage", "identities"])
def test_a_picture_is_well_formed_named_and_described(name: str) -> None:
    root = parsed(pictures()[name])
    assert root.tag == f"{NS}svg"
    assert root.get("role") == "img"
    title, desc = root.find(f"{NS}title"), root.find(f"{NS}desc")
    assert title is not None
    assert desc is not None
    assert title.text
    assert desc.text
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


@pytest.mark.parametrize("name", ["timeline", "trust", "coverage", "identities"])
def test_evidence_never_becomes_markup(name: str) -> None:
    svg = pictures(EVIL)[name]
    assert "<script" not in svg
    assert parsed(svg) is not None
    assert parsed(standalone(svg)) is not None


@pytest.mark.parametrize("name", ["timeline", "trust", "coverage", "identities"])
def test_a_strict_content_security_policy_holds(name: str) -> None:
    svg = pictures()[name]
    assert not re.search(r"<style|\sstyle=|<script|\son\w+=|href=", svg)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert all(one == "none" or one.startswith(("var(--", "url(#")) for one in colours), colours


def test_every_id_is_told_apart_between_pictures() -> None:
    ids = [found for svg in pictures().values() for found in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))


def test_nothing_gives_a_picture_that_says_so() -> None:
    for svg in (timeline_svg([]), trust_svg([]), coverage_svg([], T0, T0 + HOUR), identities_svg([], T0, T0 + HOUR)):
        desc = parsed(svg).find(f"{NS}desc")
        assert desc is not None
        assert desc.text


def test_texts_stay_within_the_picture() -> None:
    long = "arn:aws:iam::111122223333:role/" + "W" * 300
    for name, svg in pictures(long).items():
        for text in parsed(svg).iter(f"{NS}text"):
            size = float(text.get("font-size") or 12)
            wide = width_of(text.text or "", size) * 0.8
            x = float(text.get("x") or 0)
            left = x - (
                wide if text.get("text-anchor") == "end" else wide / 2 if text.get("text-anchor") == "middle" else 0
            )
            assert left >= -4, (name, text.text)
            assert left + wide <= WIDTH + 4, (name, text.text)


def test_no_picture_grows_without_bound() -> None:
    many = 3_000
    acts = [hours(f"user-{n % 300}", n % 400, n) for n in range(many * 10)]
    drawn = {
        "timeline": timeline_svg([entry("lead" if n % 2 else "act", n, f"act {n}") for n in range(many)]),
        "trust": trust_svg([edge(f"role-{n}", f"role-{n * 7 % 500}") for n in range(many)], frozenset({"role-3"})),
        "coverage": coverage_svg(
            [cell("gap" if n % 2 else "observed", n % 400, n % 400 + 1, account_uid=str(n // 20)) for n in range(many)],
            T0,
            T0 + 400 * HOUR,
        ),
        "identities": identities_svg(acts, T0, T0 + 400 * HOUR),
    }
    assert {name: len(svg) < 200_000 for name, svg in drawn.items()} == dict.fromkeys(drawn, True)
    assert all(" more " in svg or "are not drawn" in svg for svg in drawn.values())


def test_leads_alike_are_one_with_their_number_and_none_covers_another() -> None:
    rows = [entry("lead", n / 60, "Get password data") for n in range(30)]
    rows += [entry("lead", 1 + n / 60, f"step {n}") for n in range(12)]
    root = parsed(timeline_svg(rows))
    texts = [text.text or "" for text in root.iter(f"{NS}text")]
    assert any(text.startswith("Get password data (") for text in texts), texts
    marks = [text for text in root.iter(f"{NS}text") if text.get("font-size") == "10.5"]
    places = [(float(mark.get("x") or 0), float(mark.get("y") or 0)) for mark in marks]
    assert len(marks) == 13
    assert all(abs(a[0] - b[0]) >= 18 or abs(a[1] - b[1]) >= 18 for a in places for b in places if a is not b)


def test_undated_entries_are_counted_and_not_placed() -> None:
    svg = timeline_svg([entry("lead", 1), {**entry("act", 2), "time_us": None}])
    assert "1 entries have no time and cannot be placed" in svg


def test_gaps_are_drawn_as_gaps_with_their_word() -> None:
    svg = timeline_svg([entry("lead", 0), entry("gap", 20, "missing", until_us=T0 + HOUR), entry("lead", 90, "later")])
    assert 'fill="url(#timeline-gap)"' in svg
    assert ">gap<" in svg


def test_each_bad_grade_has_its_letter_or_pattern() -> None:
    grades = ("proven", "observed", "silent_expected", "gap", "cannot_tell", "out_of_retention", "never_enabled")
    rows = [cell(grade, 3 * number, 3 * number + 3) for number, grade in enumerate(grades)]
    svg = coverage_svg(rows, T0, T0 + 21 * HOUR - 1)
    letters = {text.text for text in parsed(svg).iter(f"{NS}text") if text.get("font-weight") == "700"}
    assert letters == {"G", "?", "R", "P"}
    assert all(
        words in svg for words in ("missing", "cannot be judged", "no longer kept", "never recorded", "quiet as usual")
    )


def test_the_worst_hour_of_a_stretch_is_shown() -> None:
    rows = [cell("observed", 0, 2000), cell("gap", 2000, 2001), cell("observed", 2001, 4000)]
    desc = parsed(coverage_svg(rows, T0, T0 + 4000 * HOUR)).find(f"{NS}desc")
    assert desc is not None
    assert "missing: 1" in (desc.text or "")


def test_classes_alike_are_one_row_and_the_worst_log_comes_first() -> None:
    rows = [
        cell("observed", 0, 9, source="a.log"),
        cell("gap", 0, 9, source="z.log"),
        cell("observed", 0, 9, source="a.log", event_class="signin"),
    ]
    texts = [text.text for text in parsed(coverage_svg(rows, T0, T0 + 9 * HOUR - 1)).iter(f"{NS}text")]
    assert texts.index("z.log") < texts.index("a.log")
    assert "111122223333 eu-west-1 · management, signin" in texts


def test_trust_runs_from_left_to_right_through_the_suspect() -> None:
    root = parsed(
        trust_svg([edge("job", "build"), edge("build", "deploy"), edge("deploy", "admin")], frozenset({"build"}))
    )
    where = {text.text: float(text.get("x") or 0) for text in root.iter(f"{NS}text")}
    assert where["job"] < where["◆ build"] < where["deploy"] < where["admin"]


def test_how_trust_is_known_is_drawn_by_the_line() -> None:
    svg = trust_svg([edge("a", "b"), edge("b", "c", seen="state"), edge("c", "d", seen="both")])
    assert 'stroke-dasharray="5 4"' in svg
    assert all(words in svg for words in ("seen in the logs", "in captured state only", "in both"))


def test_acts_differ_by_size_and_refusals_by_a_line() -> None:
    svg = identities_svg([hours("ada", 1, 5), hours("eve", 1, 5_000, 7)], T0, T0 + 9 * HOUR)
    assert "h4v4h-4z" in svg
    assert "h13v13h-13z" in svg
    assert "h8v2h-8z" in svg


@pytest.mark.parametrize("span", [60_000_000, HOUR, 24 * HOUR, 40 * 24 * HOUR, 900 * 24 * HOUR, 1])
def test_labels_of_time_never_overlap(span: int) -> None:
    root = ET.fromstring("<g>" + "".join(Axis(T0, T0 + span, 300.0, 1056.0).draw(80, 90)) + "</g>")
    lines: dict[str, list[tuple[float, float]]] = {}
    for text in root.iter("text"):
        wide, x = width_of(text.text or "") * 0.9, float(text.get("x") or 0)
        left = x - wide if text.get("text-anchor") == "end" else x - wide / 2
        lines.setdefault(text.get("y") or "", []).append((left, left + wide))
    for spans in lines.values():
        assert all(a[1] <= b[0] + 1 for a, b in pairwise(spans))


def test_a_text_is_cut_in_its_middle() -> None:
    cut = fit("arn:aws:iam::111122223333:role/platform-admin", 160)
    assert cut.startswith("arn:")
    assert cut.endswith("admin")
    assert "…" in cut
    assert fit("short", 160) == "short"


def test_a_file_of_its_own_has_colours_for_both_themes() -> None:
    text = standalone(pictures()["coverage"])
    assert text.startswith('<?xml version="1.0"')
    assert "prefers-color-scheme:dark" in text
