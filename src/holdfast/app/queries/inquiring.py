"""What the newest investigation of an incident says, as pages show it: answers beside their questions, and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.app import investigation_results as results
from holdfast.app.application import Application
from holdfast.app.inquiries import Running
from holdfast.app.state import IncidentState

ROWS = 12
"""Rows of an answer that a page shows; the result holds all of them."""
_GRADES = ("proven", "observed", "silent_expected", "cannot_tell", "gap", "never_enabled", "out_of_retention")


@dataclass(frozen=True, slots=True)
class Shown:
    """The investigation panel."""

    running: Running | None
    evidence_id: str | None
    """Item of the newest result; none before the first run."""
    earlier: tuple[str, ...]
    """Items of earlier results, newest first."""
    result: Mapping[str, Any]
    """The newest result; empty before the first run."""
    answers: Mapping[str, Mapping[str, Any]]
    """Question to its answer: ``sentence``, ``standing``, ``findings``, ``rows`` (the first), ``more`` (how many are
    not shown), ``grades`` (grade to hours), ``would_change``, ``changed``."""
    unread: tuple[Mapping[str, Any], ...]
    """Inputs with records that could not be read."""
    new_items: tuple[str, ...]
    """Items captured since the result: running again may change it."""


def shown(app: Application, state: IncidentState) -> Shown:
    """The newest result and how far a run is."""
    inquiries = app.investigations()
    running = inquiries.running(state.id)
    kept = results.items(state)
    if not kept:
        return Shown(running, None, (), {}, {}, (), ())
    newest = kept[-1]
    result = results.read(app.vault, state, newest.id)
    changes = result.get("changes", {}).get("answers", {})
    answers = {question: _answer(answer, changes.get(question, {})) for question, answer in result["answers"].items()}
    later = [
        item.id for item in state.evidence.items.values() if item.seq > newest.seq and item.source != results.SOURCE
    ]
    return Shown(
        running=running,
        evidence_id=newest.id,
        earlier=tuple(item.id for item in reversed(kept[:-1])),
        result=result,
        answers=answers,
        unread=tuple(one for one in result["inputs"]["files"] if one["quarantined"]),
        new_items=tuple(later),
    )


def _answer(answer: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    hours: dict[str, int] = {}
    for one in answer["grades"]:
        hours[one["grade"]] = hours.get(one["grade"], 0) + int(one["hours"] or 0)
    rows = answer["rows"]
    return {
        **answer,
        "rows": rows[:ROWS],
        "more": max(0, len(rows) - ROWS),
        "grades": {grade: hours[grade] for grade in _GRADES if grade in hours},
        "telling": [one for one in answer["findings"] if one["total"] or one["standing"] == "cannot_tell"],
        "changed": changed,
    }
