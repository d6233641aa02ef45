"""Reports of exposure searches, kept as evidence: which items they are, what is in them, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from holdfast.app.investigation_results import members
from holdfast.app.ports_vault import Vault
from holdfast.app.state import IncidentState
from holdfast.evidence.state import Item
from holdfast.exposure import places as placing
from holdfast.exposure import report as reporting
from holdfast.exposure import summary, worklist
from holdfast.exposure.drawing import exposure_svg
from holdfast.exposure.places import Place
from holdfast.exposure.report import Report
from holdfast.exposure.state import Search
from holdfast.exposure.worklist import Worklist
from holdfast.kernel.errors import BadInputError, NotFoundError
from holdfast.kernel.svg import standalone

SOURCE = "exposure"
"""What an item's ``source`` says when it is the report of a search."""
REPORT = "report.jsonl"
SUMMARY = "summary.json"
PLACES = "places.csv"
WORKLIST = "worklist.csv"
PICTURE = "exposure.svg"
FILES = (REPORT, SUMMARY, PLACES, WORKLIST, PICTURE)
_MAX_FILE = 256 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """One kept report, with what it comes to."""

    item: Item
    search: Search
    """As the record has it: who made it, when, from where."""
    report: Report
    places: tuple[Place, ...]
    worklist: Worklist

    @property
    def headline(self) -> str:
        """It in one sentence."""
        return summary.headline(self.report, self.places)


def items(state: IncidentState) -> list[Item]:
    """Every kept report of an incident, oldest first."""
    found = state.evidence.items.values()
    recorded = state.exposure.searches
    return [
        item
        for item in found
        if item.source == SOURCE and item.standing == "kept" and item.manifest and item.id in recorded
    ]


def read(vault: Vault, state: IncidentState, evidence_id: str) -> Result:
    """A kept report.

    Raises:
        NotFoundError: there is no such item, or it is no report of an exposure search.
    """
    raw = file(vault, state, evidence_id, REPORT)
    try:
        report = reporting.read(raw.splitlines())
    except BadInputError:
        raise _no_report(evidence_id) from None
    item, found = state.evidence.items[evidence_id], placing.places(report)
    return Result(item, state.exposure.searches[evidence_id], report, found, worklist.worklist(report, found))


def readable(vault: Vault, state: IncidentState) -> Iterator[Result]:
    """Reports that can be read, newest first."""
    for item in reversed(items(state)):
        try:
            found = read(vault, state, item.id)
        except NotFoundError:
            continue
        yield found


def file(vault: Vault, state: IncidentState, evidence_id: str, name: str) -> bytes:
    """One file of a kept report.

    Raises:
        NotFoundError: the item is no report, or has no such file.
    """
    item = next((one for one in items(state) if one.id == evidence_id), None)
    if item is None or item.manifest is None:
        raise _no_report(evidence_id)
    for member in members(vault, item.manifest):
        if member["path"] == name and member["size"] <= _MAX_FILE:
            with vault.open(member["sha256"]) as stream:
                return stream.read()
    raise _no_report(evidence_id)


def write(report: Report, folder: Path, as_of: datetime) -> tuple[Place, ...]:
    """Write every file of a result into a folder; the places it comes to."""
    found = placing.places(report)
    listed = worklist.worklist(report, found)
    told = {**summary.as_json(report, found), "worklist": listed.as_json()}
    for name, lines in (
        (REPORT, report.lines()),
        (SUMMARY, [json.dumps(told, ensure_ascii=False, indent=1)]),
        (PLACES, placing.to_csv(found, report)),
        (WORKLIST, worklist.to_csv(listed)),
        (PICTURE, [standalone(exposure_svg(found, as_of))]),
    ):
        with (folder / name).open("x", encoding="utf-8", newline="") as target:
            target.writelines(lines)
    return found


def _no_report(evidence_id: str) -> NotFoundError:
    return NotFoundError(
        "exposure-unknown",
        f"{evidence_id} shows no places.",
        why="It is not the report of an exposure search, or has no such file.",
        next_step="Make one: holdfast exposure search --incident INC TARGET",
    )
