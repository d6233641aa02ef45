"""Which ids and parts of the runbook the record itself says were done.

Ids are read out of the recorded events: the line, part, question, step, gate, prompt or role they hold. Where an
event holds no id because its type stands for one (a freeze is F4), the id is the only one its type declares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from holdfast.app.state import TYPES
from holdfast.incidents.roles import role_book

Json = dict[str, Any]
WHOLE = ""
"""Stands for an id as such, beside its parts."""


class Ledger:
    """Id to the parts performed; the id itself is the part :data:`WHOLE`."""

    def __init__(self) -> None:
        self.done: dict[str, set[str]] = defaultdict(set)
        self.standings: dict[tuple[str, str], set[str]] = defaultdict(set)

    def take(self, events: Iterable[Json]) -> None:
        """Note what these events say."""
        for event in events:
            for item, part in performed(event):
                self.done[item].add(part)
            data = event["data"]
            if "part" in data and "standing" in data:
                self.standings[_of(data), data["part"]].add(data["standing"])

    def take_board(self, lines: Iterable[Json]) -> None:
        """Note the parts of the board that the record itself has settled."""
        for line in lines:
            self.done[line["id"]] |= {part["key"] for part in line["parts"] if part["standing"] != "open"}

    def take_text(self, item: str, headings: Iterable[str]) -> None:
        """Note the fields or contents that a sent text really has."""
        self.done[item] |= set(headings)

    def parts(self, item: str) -> set[str]:
        """The parts performed, without the id itself."""
        return self.done[item] - {WHOLE}


def _of(data: Mapping[str, Any]) -> str:
    return str(next((data[name] for name in ("line", "question", "step") if name in data), "X4"))


def performed(event: Json) -> Iterator[tuple[str, str]]:
    """(id, part) pairs an event is the record of."""
    yield from _named(event["data"], event["type"])
    declared = TYPES[event["type"], event["version"]].runbook
    if len(declared) == 1:
        yield declared[0], WHOLE
        if event["type"] == "impact.stated":
            yield declared[0], event["data"]["impact"]
        if event["type"] == "revalidation.part_settled":
            yield declared[0], event["data"]["part"]


def _named(data: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    if "line" in data:
        yield data["line"], data.get("part", WHOLE)
    if "question" in data and kind == "question.part_settled":
        yield data["question"], data["part"]
    if kind == "question.answered":
        yield data["question"], WHOLE
    if kind == "step.part_settled":
        yield data["step"], data["part"]
    if kind == "step.done":
        yield data["step"], WHOLE
    if kind in ("gate.proven", "gate.waived"):
        yield data["gate"], kind
    if kind == "review.answered":
        yield data["prompt"], WHOLE
    if kind in ("severity.answered", "severity.set"):
        yield data["level"].replace("SEV-", "S"), data["rule"]
    if kind == "role.assigned":
        yield next(role.runbook for role in role_book().roles.values() if role.key == data["role"]), WHOLE
