"""Projection rows: what lists and the freeze gate read. Caches of the record, rebuilt on demand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from holdfast.app.ports import IncidentRow, RowQuery
from holdfast.kernel.canonical import canonical
from holdfast.store.database import Databases, looking, reading
from holdfast.store.schema import incident_row, incident_viewer

_COLUMNS = tuple(column.name for column in incident_row.columns if column.name != "body")


class Projections:
    """Mixed into ``SqlRecord``."""

    _databases: Databases

    def rows(self, query: RowQuery) -> list[IncidentRow]:
        """Incidents the viewer may see, newest declaration first."""
        with looking(self._databases.record) as connection:
            return [_row(found) for found in connection.execute(_select(query))]

    def open_incidents(self) -> list[tuple[str, int]]:
        """(incident id, version) of every incident that is not closed, newest declaration first."""
        columns = incident_row.c
        query = select(columns.incident_id, columns.seq).where(columns.status != "closed")
        with looking(self._databases.record) as connection:
            found = connection.execute(query.order_by(columns.declared_at.desc(), columns.incident_id.desc()))
            return [(row.incident_id, int(row.seq)) for row in found]

    def row(self, incident_id: str) -> IncidentRow | None:
        """One row with its viewers, for callers that check visibility themselves."""
        with reading(self._databases.record) as connection:
            found = connection.execute(select(incident_row).where(incident_row.c.incident_id == incident_id)).first()
            listed = select(incident_viewer.c.account, incident_viewer.c.until)
            viewers = connection.execute(listed.where(incident_viewer.c.incident_id == incident_id)).all()
        return None if found is None else replace(_row(found), viewers={one.account: one.until for one in viewers})

    def replace_rows(self, rows: Iterable[IncidentRow]) -> int:
        """Drop every projection and write these instead, in one transaction; how many."""
        count = 0
        with self._databases.record.begin() as connection:
            connection.execute(delete(incident_viewer))
            connection.execute(delete(incident_row))
            for row in rows:
                write_row(connection, row)
                count += 1
        return count


def write_row(connection: Connection, row: IncidentRow, *, new: bool = False) -> None:
    """Insert or replace a row and its viewers; ``new`` when the incident opens with this append."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    values["body"] = canonical(row.body)
    if new or connection.execute(_CHANGE_ROW, {"the_incident": row.incident_id, **values}).rowcount == 0:
        connection.execute(_ADD_ROW, values)
    if not new:
        connection.execute(_DROP_VIEWERS, {"the_incident": row.incident_id})
    if row.viewers:
        connection.execute(
            _ADD_VIEWER,
            [
                {"incident_id": row.incident_id, "account": account, "until": until}
                for account, until in row.viewers.items()
            ],
        )


_ADD_ROW = insert(incident_row)
_ADD_VIEWER = insert(incident_viewer)
_CHANGE_ROW = (
    update(incident_row)
    .where(incident_row.c.incident_id == bindparam("the_incident"))
    .values({name: bindparam(name) for name in (*_COLUMNS, "body")})
)
_DROP_VIEWERS = delete(incident_viewer).where(incident_viewer.c.incident_id == bindparam("the_incident"))


def _select(query: RowQuery) -> Select[Any]:
    columns = incident_row.c
    wanted: list[ColumnElement[bool]] = []
    if not query.everything:
        listed = exists().where(
            and_(
                incident_viewer.c.incident_id == columns.incident_id,
                incident_viewer.c.account == query.viewer,
                or_(incident_viewer.c.until == "", incident_viewer.c.until > query.now),
            )
        )
        wanted.append(or_(columns.restricted.is_(False), listed))
    if query.status == "open":
        wanted.append(columns.status != "closed")
    elif query.status is not None:
        wanted.append(columns.status == query.status)
    if query.kind is not None:
        wanted.append(columns.kind == query.kind)
    if query.restricted is not None:
        wanted.append(columns.restricted.is_(query.restricted))
    if query.frozen is not None:
        wanted.append(columns.frozen.is_(query.frozen))
    if query.before is not None:
        wanted.append(tuple_(columns.declared_at, columns.incident_id) < tuple_(*query.before))
    order = (columns.declared_at.desc(), columns.incident_id.desc())
    return select(incident_row).where(*wanted).order_by(*order).limit(query.limit)


def _row(found: Row[Any]) -> IncidentRow:
    return IncidentRow(**{name: getattr(found, name) for name in _COLUMNS}, body=json.loads(found.body))
