"""From an answer of a run to the record: how each part of the question stands by it. Pure.

Rules:
1. A part is done when a finding for it is answered, with rows or with a no that the coverage allows.
2. A part whose findings cannot tell, or for which there is no finding, is unknown, with the reason.
3. A person decides: what was settled by hand before stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.investigation.questions import Question
from holdfast.investigation.state import QuestionState
from holdfast.kernel.parts import Standing, open_parts

ITEMS = 100
"""Evidence items that an adopted answer cites at most, besides the result itself."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """How one open part is to be settled."""

    key: str
    standing: Standing
    reason: str | None


def parts(question: Question, state: QuestionState, answer: Mapping[str, Any]) -> tuple[PartPlan, ...]:
    """How the open parts of a question stand by an answer."""
    findings = answer["findings"]
    plans = []
    for part in open_parts(question.parts, state.parts):
        own = [one for one in findings if one["part"] == part.key] or [one for one in findings if not one["part"]]
        if any(one["standing"] == "answered" for one in own):
            plans.append(PartPlan(part.key, "done", None))
        else:
            reason = own[0]["sentence"] if own else "The library has no query for it; it was not looked at."
            plans.append(PartPlan(part.key, "unknown", reason))
    return tuple(plans)


def items(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Evidence ids that the rows of an answer cite, each once, the most cited first."""
    counts: dict[str, int] = {}
    for row in answer["rows"]:
        for citation in (row.get("citation") or {}, *row.get("also", ())):
            item = citation.get("item")
            if item:
                counts[item] = counts.get(item, 0) + 1
    ranked = sorted(counts, key=lambda item: (-counts[item], len(item), item))
    return tuple(ranked[:ITEMS])
