"""Results as rows of a cache: of a unit, and of a whole repository that has not changed since.

Rows of units name objects by their id, because numbers are those of one store only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.engines.exposure.git_layout import Repository
from holdfast.engines.exposure.git_store import Store
from holdfast.engines.exposure.git_work import Result, Row
from holdfast.exposure.query import Query
from holdfast.exposure.results import Hit, Match, Provenance, Totals, Touch, Unknown


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
            "within": [list(one) for one in found.within],
        }
    ]
    for row in found.rows:
        match = row.match
        rows.append(
            {
                "object": store.oid(row.number),
                "kind": row.kind,
                "match": [match.secret, match.start, match.end, match.form, match.cls, _unknown(match.unknown)],
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
        within=[(where, why) for where, why in head["within"]],
        cached=1,
    )
    for row in rows[1:]:
        number = store.number(row["object"])
        if number < 0:
            return None
        secret, start, end, form, cls, unknown = row["match"]
        match = Match(secret, start, end, form, cls, None if unknown is None else Unknown(*unknown))
        found.rows.append(Row(number, row["kind"], match, row["line"], tuple(row["inner"]), row["name"]))
    return found


def _unknown(one: Unknown | None) -> list[str | None] | None:
    return None if one is None else [one.rule, one.fingerprint, one.allowed]


@dataclass(slots=True)
class Told:
    """What a search of a repository told, but for git's own files."""

    hits: list[Hit] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Those that the same contents always have."""
    totals: Totals = field(default_factory=Totals)
    whole: bool = True
    """Whether nothing else went wrong, so that it may be kept."""


def unit_of(repository: Repository, *more: object) -> str | None:
    """Names the contents of a repository and everything that its answer rests on; none when that cannot be told."""
    told = hashlib.sha256()
    try:
        for pack in repository.packs:
            about = pack.path.stat()
            told.update(f"{pack.path.name} {about.st_size} {about.st_mtime_ns} {about.st_ino}\n".encode())
            with pack.index.open("rb") as file:
                file.seek(-2 * repository.width, 2)
                told.update(file.read())
        for oid, path in sorted(repository.loose):
            about = path.stat()
            told.update(f"{oid} {about.st_size} {about.st_mtime_ns}\n".encode())
    except OSError:
        return None
    parts = (repository.refs, repository.pointers, repository.shallow, repository.head, repository.promised, more)
    told.update(json.dumps(parts, default=str, sort_keys=True).encode("utf-8", "surrogatepass"))
    return f"repository:{told.hexdigest()}"


def whole_to_rows(told: Told, query: Query) -> list[dict[str, Any]]:
    """A repository's answer, without the secret in any name."""
    head = {"faults": told.faults, "totals": told.totals.as_json()}
    rows: list[dict[str, Any]] = _redacted([head, *(hit.as_json() for hit in told.hits)], query)
    return rows


def whole_from_rows(rows: Sequence[Mapping[str, Any]]) -> Told:
    """The answer again."""
    head = rows[0]
    totals = Totals(**{**head["totals"], "cached": 1, "not_searched": frozenset(head["totals"]["not_searched"])})
    return Told([_hit(row) for row in rows[1:]], [(where, why) for where, why in head["faults"]], totals)


def _redacted(value: Any, query: Query) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return query.redact(value)
    if isinstance(value, Mapping):
        return {name: _redacted(one, query) for name, one in value.items()}
    return [_redacted(one, query) for one in value] if isinstance(value, list | tuple) else value


def _hit(row: Mapping[str, Any]) -> Hit:
    told = row["provenance"]
    named = ("target", "form", "object", "path", "start", "end", "line", "visibility", "artifact", "digest", "copies")
    return Hit(
        **{name: row[name] for name in named},
        kind=row["what"],
        cls=row["class"],
        secret=row["secret"],
        unknown=None if row["rule"] is None else Unknown(row["rule"], row["fingerprint"], row.get("allowed")),
        inner=tuple(row["inner"]),
        about=tuple(row["about"].items()),
        provenance=None if told is None else _provenance(told),
    )


def _provenance(row: Mapping[str, Any]) -> Provenance:
    lists = {name: tuple(row[name]) for name in ("paths", "heads", "refs")}
    touches = {name: None if row[name] is None else Touch(**row[name]) for name in ("first", "last")}
    return Provenance(**{**row, **lists, **touches})
