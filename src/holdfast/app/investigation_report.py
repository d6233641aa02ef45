"""An investigation as one JSON object: what ``--json`` prints, the API answers, and an incident keeps as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from holdfast import __version__
from holdfast.app.investigating import Investigation
from holdfast.app.investigation_results import FORMAT
from holdfast.investigation.answers import Answer, AnswerRow, CellGrade
from holdfast.investigation.assembly import instant_text
from holdfast.investigation.probing import ProbeResult
from holdfast.investigation.queries import library_digest


def as_json(found: Investigation) -> dict[str, Any]:
    """The whole result."""
    scope = found.scope
    return {
        "format": FORMAT,
        "holdfast": __version__,
        "engine": found.engine.name,
        "library": library_digest(),
        "as_of": instant_text(scope["as_of_us"]),
        "scope": {
            "from": instant_text(scope["from_us"]),
            "to": instant_text(scope["to_us"]),
            "given": scope["given"],
            "subjects": list(found.order.subjects),
        },
        "inputs": {**found.totals(), "files": [_input(one) for one in found.ingested.inputs]},
        "answers": {question: answer_json(answer) for question, answer in found.answers.items()},
        "probes": [_probed(one) for one in found.probes],
        "sigma_refused": [asdict(one) for one in found.refused],
    }


def _probed(one: ProbeResult) -> dict[str, Any]:
    """A check with what it saw: the evidence of I7."""
    return {
        "uid": one.question.uid,
        "check": one.question.check,
        "standing": one.standing,
        "probed": instant_text(one.probed_us),
        "why": one.why,
        "evidence": dict(one.evidence),
        "acted_as": one.acted_as,
        "order": one.order,
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """One answer with the rows behind it."""
    return {
        "question": answer.question,
        "sentence": answer.sentence,
        "standing": answer.standing,
        "as_of": instant_text(answer.as_of_us),
        "findings": [
            {
                "id": one.query,
                "title": one.title,
                "part": one.part,
                "sentence": one.sentence,
                "standing": one.standing,
                "total": one.total,
            }
            for one in answer.findings
        ],
        "rows": [_row(row) for row in answer.rows],
        "grades": [_grade(one) for one in answer.grades],
        "would_change": list(answer.would_change),
    }


def _row(row: AnswerRow) -> dict[str, Any]:
    told: dict[str, Any] = {
        **row.cells,
        "finding": row.finding,
        "what": row.what,
        "citation": None if row.citation is None else row.citation.as_json(),
    }
    if row.also:
        told["also"] = [one.as_json() for one in row.also]
    return told


def _grade(one: CellGrade) -> dict[str, Any]:
    return {
        "source": one.source,
        "account": one.account,
        "region": one.region,
        "event_class": one.event_class,
        "grade": one.grade,
        "from": instant_text(one.from_us),
        "to": instant_text(one.to_us),
        "hours": one.hours,
        "why": one.why,
    }


def _input(one: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in one.items() if not name.endswith("_us") and name != "input_no"}
    return {
        **told,
        **{name[:-3]: instant_text(one[name]) for name in ("first_us", "last_us", "delivered_us", "read_us")},
    }
