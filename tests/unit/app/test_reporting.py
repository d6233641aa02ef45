"""The report: the same bytes every time, everything shown, nobody's words executed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from holdfast.app.reporting import (
    ClaimRow,
    CustodyRow,
    EvidenceRow,
    Field,
    GateRow,
    Report,
    Section,
    TimelineRow,
    render_html,
    render_pdf,
    visible,
)

REPORT = Report(
    "INC-2026-0042",
    "Leaked deploy key",
    "2026-11-23T03:07:00.000Z",
    header=(Field("Severity", "SEV-1"), Field("Commander", "ana")),
    sections=(Section("Communications", (Field("Update 1", "We are looking into it.\nMore at 04:00."),)),),
    timeline=(TimelineRow(0, "03:07", "ines", "decision", "ines declared the incident"),),
    evidence=(
        EvidenceRow(
            "ev-1",
            "cloud trail.jsonl",
            "log",
            "9f" * 32,
            48211,
            "in this pack",
            "omar",
            (CustodyRow("03:09", "ines", "ines collected ev-1"),),
        ),
    ),
    claims=(ClaimRow("claim-1", "fact", "The key was used from one address.", "ana, citing ev-1"),),
    gates=(GateRow("X1", "Contained", "met", "event 17"),),
    review=(Field("V1", "What happened"),),
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    '#panic("x") $x^2$ *bold* @ref <label> \\u{41} // comment',
    '") #read("/etc/passwd") ("',
    "\u202egnp.exe\u202c\u0007\x1b[31m\ud7ff",
    "x" * 5000,
]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_html(REPORT) == render_html(REPORT)
    assert render_pdf(REPORT) == render_pdf(REPORT)


def test_the_pdf_is_one_and_says_nothing_of_when_it_was_made() -> None:
    pdf = render_pdf(REPORT)
    assert pdf.startswith(b"%PDF-1.")
    assert b"/CreationDate" not in pdf
    assert b"/ModDate" not in pdf


def test_the_page_shows_every_part_and_needs_nothing_from_outside() -> None:
    page = render_html(REPORT).decode()
    for words in ("SEV-1", "More at 04:00.", "ines declared", "9f9f", "one address", "Contained", "V1", "48211"):
        assert words in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_shown_and_never_run(words: str) -> None:
    report = replace(
        REPORT,
        title=words,
        header=(Field(words, words),),
        timeline=(TimelineRow(0, words, words, words, words),),
        evidence=(EvidenceRow(words, words, words, words, 1, words, words, (CustodyRow(words, words, words),)),),
        claims=(ClaimRow(words, words, words, words),),
        gates=(GateRow(words, words, words, words),),
    )
    page = render_html(report).decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "49" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL) or "49" in words
    assert render_pdf(report).startswith(b"%PDF-")


def test_an_empty_report_renders() -> None:
    empty = Report("INC-1", "", "never")
    assert "No evidence was collected." in render_html(empty).decode()
    assert render_pdf(empty).startswith(b"%PDF-")


def test_hidden_characters_show_as_their_code_points() -> None:
    assert visible("a\u202eb\x00") == "a⟨U+202E⟩b⟨U+0000⟩"
    assert visible("plain, Ünïcode 漢字\nnext") == "plain, Ünïcode 漢字\nnext"
