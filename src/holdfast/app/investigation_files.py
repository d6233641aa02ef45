"""The files of a result beside its answers: the timeline for other tools, its entries, and the pictures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from holdfast.app.investigating import Investigation
from holdfast.app.investigation_pictures import draw
from holdfast.investigation.answers import Citation
from holdfast.investigation.drawing import standalone
from holdfast.investigation.exports import to_csv, to_timesketch
from holdfast.investigation.spine import Entry


def write_files(found: Investigation, folder: Path) -> None:
    """Write them into a folder that exists: ``timeline.csv``, ``timeline.jsonl`` and four pictures."""
    with (folder / "timeline.csv").open("w", encoding="utf-8", newline="") as file:
        file.writelines(to_csv(found.timeline))
    with (folder / "timeline.jsonl").open("wb") as lines:
        lines.writelines(to_timesketch(found.timeline))
    for name, svg in draw(found.pictures, found.scope["from_us"], found.scope["to_us"]).items():
        (folder / f"{name}.svg").write_text(standalone(svg), encoding="utf-8")


def entries_json(entries: list[Entry]) -> list[dict[str, Any]]:
    """A timeline's entries as JSON values."""
    return [{**asdict(entry), "citation": entry.citation and asdict(entry.citation)} for entry in entries]


def entries_from(told: str | bytes) -> list[Entry]:
    """The entries of a kept timeline."""
    found = []
    for one in json.loads(told):
        citation = one.pop("citation")
        found.append(Entry(**one, citation=None if citation is None else Citation(**citation)))
    return found
