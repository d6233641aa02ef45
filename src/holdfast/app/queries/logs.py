"""The installation log as an auditor may see it."""

from __future__ import annotations

import json
from typing import Any

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer
from holdfast.app.installation import STREAM
from holdfast.app.ports import RowQuery
from holdfast.kernel.instants import format_instant
from holdfast.ledger.tree import leaf_hash

MOST = 1_000_000


def installation_log(app: Application, viewer: Viewer) -> tuple[str, list[dict[str, Any]]]:
    """The signed checkpoint, and every leaf: its hash, and its body unless the viewer may not know of the incident."""
    now = format_instant(app.tools.clock())
    restricted = app.record.rows(RowQuery("", now, limit=MOST, restricted=True, everything=True))
    allowed = app.record.rows(RowQuery(viewer.account, now, limit=MOST, restricted=True))
    hidden = {row.incident_id for row in restricted} - {row.incident_id for row in allowed}
    proof = app.record.installation_proof(STREAM)
    leaves = []
    for leaf in proof.leaves:
        body = json.loads(leaf)
        shown = None if body["stream"] in hidden else body
        leaves.append({"body": shown, "hash": leaf_hash(leaf).hex()})
    return proof.note.decode(), leaves
