"""The incident list: rows of the projection, with names where the viewer may read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.app.authorisation import Viewer
from holdfast.app.ports import IncidentRow, Record, RowQuery, Texts
from holdfast.app.work import ERASED
from holdfast.kernel.instants import format_instant


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident of the list."""

    row: IncidentRow
    name: str
    overdue: bool
    """Whether a promised update is late."""

    def as_json(self) -> dict[str, Any]:
        """For API and CLI."""
        row = self.row
        return {
            "acting": row.acting,
            "codename": row.body.get("codename"),
            "commander": row.commander or None,
            "declared_at": row.declared_at,
            "disposition": row.disposition,
            "frozen": row.frozen,
            "incident": row.incident_id,
            "kind": row.kind,
            "name": self.name,
            "next_update_at": row.next_update_at or None,
            "overdue": self.overdue,
            "peak": row.body.get("peak"),
            "provisional": row.provisional,
            "restricted": row.restricted,
            "severity": row.severity or None,
            "status": row.status,
            "version": row.seq,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list asks for."""

    status: str | None = "open"
    kind: str | None = None
    before: tuple[str, str] | None = None
    limit: int = 50


def incidents(record: Record, texts: Texts, viewer: Viewer, wanted: Wanted, now: datetime) -> list[Listed]:
    """Visible incidents, newest declaration first."""
    rows = record.rows(
        RowQuery(viewer.account, format_instant(now), wanted.status, wanted.kind, wanted.before, wanted.limit)
    )
    words = texts.read([row.name for row in rows if row.name])
    instant = format_instant(now)
    return [
        Listed(row, words.get(row.name, ERASED), bool(row.next_update_at) and row.next_update_at < instant)
        for row in rows
    ]
