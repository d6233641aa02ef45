"""Carrying out erasure orders: the events come first, durably; destruction follows, and may be repeated."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.app.ports import Record, Texts
from holdfast.app.ports_vault import Vault
from holdfast.app.state import IncidentState
from holdfast.evidence import manifests
from holdfast.kernel.errors import HoldfastError
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
            manifest = event.data["manifest"]
            items = [item for item in state.evidence.items.values() if item.standing == "kept"]
            kept = {
                digest for item in items for digest in (item.sha256, item.manifest, *_members(vault, item.manifest))
            }
            # The manifest goes last: after a crash it still names what is left to destroy.
            for digest in (*_members(vault, manifest), event.data["sha256"], manifest):
                if digest is not None and digest not in kept:
                    _destroy(record, vault, state.id, digest)


def _members(vault: Vault, manifest: str | None) -> list[str]:
    if manifest is None or not vault.exists(manifest):
        return []
    try:
        with vault.open(manifest) as stream:
            return [member.sha256 for member in manifests.members(manifests.parse(stream.read()))]
    except HoldfastError:
        # A damaged manifest names nothing any more; fsck reports it, and the erasure is not held up by it.
        return []


def _destroy(record: Record, vault: Vault, incident_id: str, digest: str) -> None:
    record.forget_upload(incident_id, digest)
    if not record.bound(digest):
        vault.erase(digest)
