"""The picture: it reads by shape and word, is bounded, and runs nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from holdfast.exposure.drawing import ROWS, exposure_svg
from holdfast.exposure.places import places
from holdfast.exposure.report import Report, Searched
from holdfast.kernel.svg import WIDTH, standalone
from tests.unit.exposure import world

AT = datetime(2026, 11, 23, 3, 20, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(report: Report) -> ET.Element:
    return ET.fromstring(exposure_svg(places(report), AT))


def texts(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def test_it_says_in_words_what_it_shows() -> None:
    root = drawn(world.REPORT)
    assert root.get("role") == "img"
    desc = root.find(f"{SVG}desc")
    assert desc is not None
    assert desc.text == (
        "8 places: 6 still there, 1 in older versions only, 1 unreachable. The earliest: acme/payments.git: "
        "config/settings.py, 2 Nov 2026, 14:03 UTC (pushed). Of 2 no time is known."
    )


def test_each_place_has_a_row_with_who_could_read_it_and_whether_it_is_still_there() -> None:
    told = texts(drawn(world.REPORT))
    for words in ("config/settings.py", "public", "still there", "in older versions", "no ref leads there", "members"):
        assert words in told


def test_what_is_unreachable_or_without_a_time_has_a_band_of_its_own() -> None:
    told = texts(drawn(world.REPORT))
    lost = told.index("No ref leads there, but a host may serve it by its id")
    undated = told.index("Since when is not known")
    assert told.index("config/settings.py") < lost < told.index("notes.txt") < undated
    assert undated < told.index("run-4711/attempt-1.log")


def test_a_push_is_a_full_sign_and_a_commit_an_empty_one() -> None:
    pushed, committed = (
        exposure_svg(places(replace(world.REPORT, hits=(hit,))), AT) for hit in (world.HEAD, world.OLD)
    )
    assert "pushed, by the host" in pushed
    assert "committed; when it was pushed is not known" not in pushed
    assert "committed; when it was pushed is not known" in committed


@pytest.mark.parametrize("count", [0, 1, ROWS, ROWS + 1, 500])
def test_it_is_bounded_and_counts_what_it_does_not_show(count: int) -> None:
    root = drawn(world.many(count))
    assert float(root.get("height", "0")) < 1_400
    told = " ".join(texts(root))
    if count == 0:
        assert "found nowhere" in told
    if count == 500:
        assert "and 16 more repositories and other targets" in told
        assert "13 places, 0 still there" in told


def test_nothing_is_drawn_outside_of_it() -> None:
    for report in (world.REPORT, world.many(500), world.many(1)):
        for element in drawn(report).iter():
            for name in ("x", "x1", "x2", "cx"):
                if name in element.attrib:
                    assert -20 <= float(element.attrib[name]) <= WIDTH


def test_times_that_are_all_alike_or_after_the_search_are_drawn_all_the_same() -> None:
    late = world.in_git(1, "a", world.touch(1, "2031-01-01T00:00:00Z"), heads=("x",), heads_total=1)
    same = world.in_git(2, "b", world.touch(2, "2031-01-01T00:00:00Z"), heads=("x",), heads_total=1)
    drawn(replace(world.REPORT, hits=(late, same)))
    drawn(replace(world.REPORT, hits=(world.LOG,)))


def test_hostile_names_are_words_and_nothing_more() -> None:
    nasty = '<script>alert(1)</script>" onload="x\u0000\ud7ff'
    hit = replace(world.HEAD, target=nasty, path=nasty)
    report = replace(world.REPORT, hits=(hit,), targets=(Searched(nasty),))
    svg = exposure_svg(places(report), AT)
    ET.fromstring(svg)
    assert not re.search(r"<script|onload=\"", svg)


def test_a_file_of_its_own_brings_its_colours_along_for_light_and_dark() -> None:
    alone = standalone(exposure_svg(places(world.REPORT), AT))
    assert "prefers-color-scheme:dark" in alone
    ET.fromstring(alone.encode())
