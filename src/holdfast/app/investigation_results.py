"""Results of investigations, kept as evidence: which items they are, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.app.ports_vault import Vault
from holdfast.app.state import IncidentState
from holdfast.evidence import manifests
from holdfast.evidence.state import Item
from holdfast.kernel.errors import HoldfastError, NotFoundError
from holdfast.kernel.instants import parse_instant

SOURCE = "investigation"
"""What an item's ``source`` says when it is the result of a run."""
RESULT = "answers.json"
PICTURES = "pictures.json"
"""Rows that the pictures are drawn from."""
ENTRIES = "entries.json"
"""Entries of the timeline."""
FORMAT = "holdfast-investigation/1"
_MAX_FILE = 256 << 20
_LISTS = ("findings", "rows", "grades", "would_change")


def items(state: IncidentState) -> list[Item]:
    """Every kept result of an incident, oldest first."""
    found = state.evidence.items.values()
    return [item for item in found if item.source == SOURCE and item.standing == "kept" and item.manifest]


def read(vault: Vault, state: IncidentState, evidence_id: str) -> Mapping[str, Any]:
    """The answers of a result.

    Raises:
        NotFoundError: there is no such item, or it is no result of an investigation.
    """
    try:
        found = json.loads(file(vault, state, evidence_id, RESULT))
    except ValueError:
        raise _no_result(evidence_id) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not _is_whole(found):
        raise _no_result(evidence_id)
    return found


def readable(vault: Vault, state: IncidentState) -> Iterator[tuple[Item, Mapping[str, Any]]]:
    """Results that can be read, newest first: whoever may add evidence can add one that is none."""
    for item in reversed(items(state)):
        try:
            found = read(vault, state, item.id)
        except NotFoundError:
            continue
        yield item, found


def _is_whole(found: Mapping[str, Any]) -> bool:
    """Whether it has what pages and later runs read of it."""
    try:
        parts = (found["answers"], found["inputs"], found["scope"])
        listed = [found["inputs"]["files"], *(answer[name] for answer in found["answers"].values() for name in _LISTS)]
        told = [*parts, *(one for rows in listed for one in rows if not isinstance(one, str))]
        bounds = (found["scope"]["from"], found["scope"]["to"], found["as_of"])
        return all(isinstance(one, dict) for one in told) and all(parse_instant(one) for one in bounds)
    except (KeyError, TypeError, ValueError, AttributeError, HoldfastError):
        return False


def file(vault: Vault, state: IncidentState, evidence_id: str, name: str) -> bytes:
    """One file of a result: the answers, a picture, the timeline.

    Raises:
        NotFoundError: the item is no result, or has no such file.
    """
    item = state.evidence.items.get(evidence_id)
    if item is None or item.source != SOURCE or item.manifest is None or item.standing != "kept":
        raise _no_result(evidence_id)
    for member in members(vault, item.manifest):
        if member["path"] == name and member["size"] <= _MAX_FILE:
            with vault.open(member["sha256"]) as stream:
                return stream.read()
    raise _no_result(evidence_id)


def members(vault: Vault, manifest: str) -> list[Mapping[str, Any]]:
    """The files that a folder's manifest names."""
    with vault.open(manifest) as stream:
        document = manifests.parse(stream.read())
    return [one for one in document.get("entries", ()) if one.get("type") == "file" and "sha256" in one]


def _no_result(evidence_id: str) -> NotFoundError:
    return NotFoundError(
        "investigation-unknown",
        f"{evidence_id} shows no answers.",
        why="It is not the result of an investigation, or has no such file.",
        next_step="Run one: holdfast investigate --incident INC",
    )
