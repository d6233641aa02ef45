"""A reader made from a person's mapping: for JSON or CSV that no shipped reader knows.

Rules:
1. Each named column takes the first value found under its path: ``actor_uid = "user.email"``; keys with dots in them
   are found too. A path that begins with ``=`` is a constant: ``service = "=billing"``.
2. ``time_us`` and ``delivered_us`` are read from RFC 3339 text or from a number of seconds, milliseconds, microseconds
   or nanoseconds since 1970, told apart by size. Text without a zone counts as UTC.
3. A record in which none of the paths leads anywhere is not recognised; one without a readable time is kept undated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.activity import ACTIVITY
from holdfast.investigation.framing import Value
from holdfast.investigation.readers._fields import instant
from holdfast.investigation.reading import Fields, Framing, Mapped, Proof, Reader

_COLUMNS = {column.name: column.type for column in ACTIVITY}


def readers_of(mapped: Mapped) -> tuple[Reader, ...]:
    """One reader for JSON and one for CSV, asked last."""
    unknown = sorted(set(mapped.columns) - set(_COLUMNS))
    if unknown:
        raise ValueError(f"not columns of the activity table: {', '.join(unknown)}")
    return tuple(_reader(mapped, framing) for framing in ("json", "csv"))


def _reader(mapped: Mapped, framing: Framing) -> Reader:
    paths = {name: path for name, path in mapped.columns.items() if not path.startswith("=")}
    constants = {name: path[1:] for name, path in mapped.columns.items() if path.startswith("=")}

    def recognises(record: Value) -> bool:
        return isinstance(record, dict) and any(look(record, path) is not None for path in paths.values())

    def fields(record: Value) -> Fields:
        told: Fields = {"source": mapped.source, "event_class": "other", **constants}
        for name, path in paths.items():
            value = look(record, path)
            if value not in (None, ""):
                told[name] = instant(value) if name.endswith("_us") else value
        told.setdefault("detail", record)
        return told

    proof = Proof("unproven", "a mapping given by the person who asks")
    return Reader(
        mapped.source, f"{mapped.source}, by mapping", framing, proof, recognises, fields, ("other",), priority=10_000
    )


def look(record: Mapping[str, Any], path: str) -> Value:
    """The value under a dotted path; none when it leads nowhere."""
    if path in record:
        return record[path]
    at: Value = record
    parts = path.split(".")
    for place, part in enumerate(parts):
        if isinstance(at, list) and part.isdigit() and int(part) < len(at):
            at = at[int(part)]
        elif isinstance(at, dict) and part in at:
            at = at[part]
        elif isinstance(at, dict):
            return at.get(".".join(parts[place:]))
        else:
            return None
    return at
