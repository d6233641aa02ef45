"""What a later run says otherwise than an earlier one. Pure; both are results as ``--json`` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 200
"""Rows named of one question; the counts are complete."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What changed from one result to another.

    Returns:
        ``inputs`` (counts, later minus earlier) and, for each question that changed, both sentences when they differ,
        the rows that are new, the rows that are gone, and the grades that differ.
    """
    counts = {
        name: after["inputs"][name] - before["inputs"][name]
        for name in ("records", "rows", "duplicates", "quarantined")
    }
    questions: dict[str, Any] = {}
    for question, answer in after["answers"].items():
        told = _answer(before["answers"].get(question, {}), answer)
        if told:
            questions[question] = told
    return {"inputs": counts, "answers": questions}


def _answer(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if before.get("sentence") != after["sentence"]:
        told["sentence"] = {"before": before.get("sentence"), "after": after["sentence"]}
    for name, key in (("rows", _row_key), ("grades", _grade_key)):
        old = {key(one): one for one in before.get(name, ())}
        new = {key(one): one for one in after[name]}
        added = [one for found, one in new.items() if found not in old]
        gone = [one for found, one in old.items() if found not in new]
        if added:
            told[f"new_{name}"] = {"total": len(added), "first": added[:MOST]}
        if gone:
            told[f"gone_{name}"] = {"total": len(gone), "first": gone[:MOST]}
    return told


def _row_key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """A row is the same when the same query says the same of the same event, in whatever file it was delivered."""
    citation = row.get("citation") or {}
    event = citation.get("event_id") or f"{citation.get('sha256')}#{citation.get('record')}"
    return (row["finding"], row["what"], event)


def _grade_key(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in ("source", "account", "region", "event_class", "grade", "from", "to"))
