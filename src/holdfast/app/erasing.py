"""Carrying out erasure orders: the events come first, durably; destruction follows, and may be repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from holdfast.app.ports import Record, Texts
from holdfast.app.ports_vault import Vault
from holdfast.app.state import IncidentState
from holdfast.evidence import manifests
from holdfast.kernel.events import Event

ERASING = ("text.erased", "evidence.erased")


def carry_out(record: Record, texts: Texts, vault: Vault, state: IncidentState, events: Sequence[Event]) -> None:
    """Destroy what the erasure events among ``events`` name. Doing it again changes nothing.

    Bytes that another incident, or another item that is kept here, also holds stay in the vault for it.
    """
    for event in events:
        if event.type == "text.erased":
            texts.erase(event.data["text_id"])
        elif event.type == "evidence.erased":
            digests = [event.data["sha256"], *_contents(vault, event.data["manifest"])]
            kept = {item.sha256 for item in state.evidence.items.values() if item.standing == "kept"}
            kept |= {digest for item in _with_manifest(state) for digest in _contents(vault, item)}
            for digest in digests:
                if digest not in kept:
                    _destroy(record, vault, state.id, digest)


def _with_manifest(state: IncidentState) -> Iterable[str]:
    items = state.evidence.items.values()
    return [item.manifest for item in items if item.standing == "kept" and item.manifest is not None]


def _contents(vault: Vault, manifest: str | None) -> list[str]:
    if manifest is None or not vault.exists(manifest):
        return []
    with vault.open(manifest) as stream:
        document = json.load(stream)
    return [*(member.sha256 for member in manifests.members(document)), manifest]


def _destroy(record: Record, vault: Vault, incident_id: str, digest: str) -> None:
    record.forget_upload(incident_id, digest)
    if not record.bound(digest):
        vault.erase(digest)
