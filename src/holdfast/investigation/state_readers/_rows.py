"""What the state readers share: collecting rows of one document, each with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from holdfast.investigation.captured import Origin

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """Rows of one document by table."""

    origin: Origin
    account: str | None = None
    edges: list[Row] = field(default_factory=list)
    grants: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    gaps: list[Row] = field(default_factory=list)

    def edge(self, start: tuple[str, str], relation: str, end: tuple[str, str], condition: object = None) -> None:
        """``start`` and ``end`` are uid and type."""
        self.edges.append(
            self._dated(
                {
                    "from_uid": start[0],
                    "from_type": start[1],
                    "relation": relation,
                    "to_uid": end[0],
                    "to_type": end[1],
                    "condition": as_text(condition),
                }
            )
        )

    def item(self, uid: str, kind: str, **attributes: object) -> None:
        """One row for each attribute that is told."""
        for attribute, value in attributes.items():
            text = as_text(value)
            if text is not None:
                self.items.append(self._dated({"uid": uid, "type": kind, "attribute": attribute, "value": text}))

    def grant(self, **columns: object) -> None:
        """One row of ``grants``."""
        self.grants.append(self._dated({"condition": None, "boundary": False, **columns}))

    def gap(self, kind: str, uid: str, why: str) -> None:
        """One thing that could not be understood."""
        self.gaps.append({"kind": kind, "uid": uid, "why": why, "row_id": self.origin.row_id})

    def tables(self) -> Mapping[str, Iterable[Row]]:
        """Table name to rows."""
        return {
            "trust_edges": self.edges,
            "grants": self.grants,
            "state_items": self.items,
            "state_gaps": self.gaps,
        }

    def _dated(self, row: Row) -> Row:
        return {
            **row,
            "account_uid": self.account,
            "captured_us": self.origin.captured_us,
            "row_id": self.origin.row_id,
        }


def as_text(value: object) -> str | None:
    """A value as the tables hold it: text as it is, true and false, numbers, and JSON for what has parts."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()


def listed(value: object) -> list[Any]:
    """A list, or one thing as a list, or nothing as an empty one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The mappings of a list; whatever else is in it is left out."""
    return [one for one in listed(value) if isinstance(one, Mapping)]


def table(value: object) -> Mapping[str, Any]:
    """A mapping, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def words(value: object) -> list[str]:
    """The texts of a list or of one thing; whole numbers as text, other kinds left out."""
    return [str(one) for one in listed(value) if isinstance(one, str | int) and not isinstance(one, bool)]
