"""How the parts of a question stand by an answer of a run."""

from __future__ import annotations

from typing import Any

from holdfast.investigation import adopting
from holdfast.investigation.questions import Question
from holdfast.investigation.state import UNTOUCHED
from holdfast.kernel.parts import Part

QUESTION = Question("I4", "Data", "What?", "Why.", (), (), (Part("read", "Read"), Part("export", "Export")))


def answer(*findings: tuple[str, str], rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    told = [{"part": part, "standing": standing, "sentence": f"{part}: {standing}"} for part, standing in findings]
    return {"findings": told, "rows": rows or []}


def test_a_part_with_an_answered_finding_is_done_and_one_that_cannot_be_told_is_unknown() -> None:
    plans = adopting.parts(QUESTION, UNTOUCHED, answer(("read", "answered"), ("export", "cannot_tell")))
    assert [(one.key, one.standing, one.reason) for one in plans] == [
        ("read", "done", None),
        ("export", "unknown", "export: cannot_tell"),
    ]


def test_a_part_without_a_finding_of_its_own_rests_on_those_for_the_whole_question() -> None:
    (read, export) = adopting.parts(QUESTION, UNTOUCHED, answer(("", "answered"), ("export", "cannot_tell")))
    assert (read.standing, export.standing) == ("done", "unknown")


def test_a_part_nobody_asked_about_is_unknown_with_the_reason() -> None:
    (_, export) = adopting.parts(QUESTION, UNTOUCHED, answer(("read", "answered")))
    assert export.standing == "unknown"
    assert "not looked at" in (export.reason or "")


def test_the_items_most_cited_come_first_each_once() -> None:
    rows = [
        {"citation": {"item": "ev-2"}, "also": [{"item": "ev-10"}]},
        {"citation": {"item": "ev-10"}},
        {"citation": None},
    ]
    assert adopting.items(answer(rows=rows)) == ("ev-10", "ev-2")
