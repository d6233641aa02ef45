"""Results of units as rows of a cache: objects by id, because numbers are those of one store only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.engines.exposure.git_store import Store
from holdfast.engines.exposure.git_work import Result, Row
from holdfast.exposure.results import Match


def to_rows(found: Result, store: Store) -> list[dict[str, Any]]:
    """Rows of a unit without faults."""
    rows: list[dict[str, Any]] = [
        {
            "objects": found.objects,
            "files": found.files,
            "made": found.made,
            "matched": found.matched,
            "elsewhere": sorted(found.kept_elsewhere),
            "not_searched": sorted(found.not_searched),
        }
    ]
    for row in found.rows:
        match = row.match
        rows.append(
            {
                "object": store.oid(row.number),
                "kind": row.kind,
                "match": [match.secret, match.start, match.end, match.form, match.cls],
                "line": row.line,
                "inner": list(row.inner),
                "name": row.name,
            }
        )
    return rows


def from_rows(rows: Sequence[Mapping[str, Any]], store: Store) -> Result | None:
    """A unit's result; none when an object of it is not in this store."""
    head = rows[0]
    found = Result(
        objects=head["objects"],
        files=head["files"],
        made=head["made"],
        matched=head["matched"],
        kept_elsewhere=set(head["elsewhere"]),
        not_searched=set(head["not_searched"]),
        cached=1,
    )
    for row in rows[1:]:
        number = store.number(row["object"])
        if number < 0:
            return None
        found.rows.append(Row(number, row["kind"], Match(*row["match"]), row["line"], tuple(row["inner"]), row["name"]))
    return found
