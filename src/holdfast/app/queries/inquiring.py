"""What the newest investigation of an incident says, as pages show it: answers beside their questions, and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.app import exposure_results
from holdfast.app import investigation_results as results
from holdfast.app.application import Application
from holdfast.app.inquiries import Running
from holdfast.app.investigation_files import entries_from
from holdfast.app.investigation_pictures import PICTURES, draw
from holdfast.app.queries import timeline
from holdfast.app.queries.unmasking import unmasked_within
from holdfast.app.state import IncidentState
from holdfast.investigation.spine import Entry, merge
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.instants import parse_instant

ROWS = 12
"""Rows of an answer that a page shows; the result holds all of them."""
_NOT_OURS = (NotFoundError, ValueError, TypeError, KeyError, AttributeError)
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
    """Question to its answer: ``sentence``, ``standing``, ``telling`` findings, ``doubts`` (each ``reason`` once, with
    the ``titles`` it holds for), first ``rows``,
    ``more`` (how many are not shown), ``grades`` (grade to hours), ``would_change``, ``changed``."""
    unread: tuple[Mapping[str, Any], ...]
    """Inputs with records that could not be read."""
    pictures: Mapping[str, str]
    """SVG by name."""
    new_items: tuple[str, ...]
    """Items captured since the result: running again may change it."""


def shown(app: Application, state: IncidentState) -> Shown:
    """The newest result and how far a run is."""
    inquiries = app.investigations()
    running = inquiries.running(state.id)
    latest = inquiries.latest(state)
    if latest is None:
        return Shown(running, None, (), {}, {}, (), dict.fromkeys(PICTURES, ""), ())
    newest, result = latest
    changes = result.get("changes", {}).get("answers", {})
    answers = {question: _answer(answer, changes.get(question, {})) for question, answer in result["answers"].items()}
    made = (results.SOURCE, exposure_results.SOURCE)
    later = [item.id for item in state.evidence.items.values() if item.seq > newest.seq and item.source not in made]
    return Shown(
        running=running,
        evidence_id=newest.id,
        earlier=tuple(item.id for item in reversed(results.items(state)) if item.id != newest.id),
        result=result,
        answers=answers,
        unread=tuple(one for one in result["inputs"]["files"] if one["quarantined"]),
        pictures=_pictures(app, state, newest.id, result),
        new_items=tuple(later),
    )


def _pictures(app: Application, state: IncidentState, evidence_id: str, result: Mapping[str, Any]) -> dict[str, str]:
    start, end = (_microseconds(result["scope"][name]) for name in ("from", "to"))
    try:
        return draw(json.loads(results.file(app.vault, state, evidence_id, results.PICTURES)), start, end)
    except _NOT_OURS:  # somebody else's folder may call itself a result
        return dict.fromkeys(PICTURES, "")


def entries(app: Application, state: IncidentState) -> list[Entry]:
    """One timeline: what the newest result found, and the incident's own record with its pins.

    The record's words are joined here and not kept in the result: they are sealed, and may be erased.
    """
    latest = app.investigations().latest(state)
    found = [] if latest is None else _found(app, state, latest[0].id)
    own = []
    for entry in timeline.entries(state, app.record.load(state.id), app.texts):
        at = _microseconds(entry.occurred_at)
        own.append(
            Entry(
                kind="pin" if entry.pinned else "incident",
                what=entry.sentence,
                time_us=at,
                shown_us=at,
                source="holdfast",
                actor=entry.actor,
                id=f"#{entry.seq}",
            )
        )
    return merge(found, own)


def _found(app: Application, state: IncidentState, evidence_id: str) -> list[Entry]:
    try:
        return entries_from(results.file(app.vault, state, evidence_id, results.ENTRIES))
    except _NOT_OURS:
        return []


def _microseconds(text: str) -> int:
    moment = parse_instant(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _answer(answer: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    hours: dict[str, int] = {}
    for one in answer["grades"]:
        hours[one["grade"]] = hours.get(one["grade"], 0) + int(one["hours"] or 0)
    rows = answer["rows"]
    found = {
        **answer,
        "rows": rows[:ROWS],
        "more": max(0, len(rows) - ROWS),
        "grades": {grade: hours[grade] for grade in _GRADES if grade in hours},
        "telling": [one for one in answer["findings"] if one["total"]],
        "doubts": _doubts(answer["findings"]),
        "changed": changed,
    }
    told: dict[str, Any] = unmasked_within(found)
    return told


def _doubts(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What cannot be told by its reason, so that a reason that holds for ten things is read once."""
    titles: dict[str, list[str]] = {}
    for one in findings:
        if one["standing"] == "cannot_tell":
            title = str(one["title"])
            reason = str(one["sentence"]).removeprefix(f"Cannot tell ({title.lower()}): ")
            titles.setdefault(reason, []).append(title)
    return [{"reason": reason, "titles": names} for reason, names in titles.items()]
