"""A person's mapping of an unknown log: which column of the activity table is where in a record.

The document (TOML) says ``format = "activity-mapping"``, ``source``, and in ``[columns]`` a path for each column:
``actor_uid = "user.email"``, ``time_us = "when"`` (an instant as RFC 3339 text, or seconds, milliseconds or
microseconds since 1970). A path that begins with ``=`` is a constant: ``service = "=billing"``.

Not handled here: reading records by it (``mapping``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.activity import ACTIVITY
from holdfast.investigation.reading import Mapped
from holdfast.kernel.documents import Table, fault

_OWN = frozenset({"row_id", "hour", "src_digest", "src_file", "src_ord", "source"})
"""Columns the ingest fills."""
MAPPABLE = tuple(column.name for column in ACTIVITY if column.name not in _OWN)


def mapped_from(document: Mapping[str, Any]) -> Mapped:
    """The mapping from its document.

    Raises:
        BadInputError: ``library-document-not-valid``, naming the faulty place.
    """
    table = Table(document, "")
    table.text("format", "activity-mapping")
    source = table.text("source", r"[a-z][a-z0-9_.+-]{1,59}")
    columns: dict[str, str] = {}
    for name, path in table.mapping("columns").items():
        if name not in MAPPABLE:
            raise fault(f"columns.{name}", f"there is no such column; there are {', '.join(MAPPABLE)}")
        if not isinstance(path, str) or not path.strip():
            raise fault(f"columns.{name}", "it is not the path of a field, such as user.email")
        columns[name] = path
    table.finish()
    if "time_us" not in columns:
        raise fault("columns.time_us", "it is missing, and a log without instants has no timeline")
    return Mapped(source, columns)
