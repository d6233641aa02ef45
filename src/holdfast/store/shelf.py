"""What stands beside the record: idempotent answers, numbers, pinned documents, uploads, proofs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from holdfast.app.ports import InstallationProof, Remembered, StreamProofs
from holdfast.kernel.instants import format_instant
from holdfast.store import schema
from holdfast.store.database import Databases, looking, reading


class Shelf:
    """Mixed into ``SqlRecord``."""

    _databases: Databases
    _numbers: dict[str, int]
    """Last number of each series as this process knows it: a guess, checked when a number is taken."""

    def take_number(self, connection: Connection, series: str, number: int) -> bool:
        """Give a number inside the append that uses it: no gap after a crash, never the same one twice."""
        taken = connection.execute(_NEXT_NUMBER, {"the_series": series, "next": number, "before": number - 1}).rowcount
        if taken == 0 and number == 1 and connection.execute(_LAST_NUMBER, {"the_series": series}).first() is None:
            connection.execute(insert(schema.number_series), {"series": series, "last": 1})
            taken = 1
        if taken == 1:
            self._numbers[series] = number
        return taken == 1

    def forget_number(self, series: str) -> None:
        """Look into the database for the next guess."""
        self._numbers.pop(series, None)

    def remembered(self, account: str, key: str) -> Remembered | None:
        """What was answered under this account's idempotency key."""
        table = schema.idempotency
        query = select(table.c.request, table.c.response).where(table.c.account == account, table.c.key == key)
        with looking(self._databases.record) as connection:
            row = connection.execute(query).first()
        return None if row is None else Remembered(row.request, json.loads(row.response))

    def last_number(self, series: str) -> int:
        """The highest number given in a series, 0 before the first; a stale guess costs one lost race."""
        known = self._numbers.get(series)
        if known is not None:
            return known
        with looking(self._databases.record) as connection:
            row = connection.execute(_LAST_NUMBER, {"the_series": series}).first()
        return 0 if row is None else int(row.last)

    def put_document(self, digest: str, body: bytes) -> None:
        """Keep a document under its digest, once."""
        if self.document(digest) is None:
            try:
                with self._databases.record.begin() as connection:
                    connection.execute(insert(schema.document), {"digest": digest, "body": body})
            except IntegrityError:
                return

    def document(self, digest: str) -> bytes | None:
        """The document, or none."""
        with looking(self._databases.record) as connection:
            row = connection.execute(select(schema.document.c.body).where(schema.document.c.digest == digest)).first()
        return None if row is None else bytes(row.body)

    def note_upload(self, stream_id: str, sha256: str, size: int, account: str, at: datetime) -> None:
        """Bind an uploaded object to an incident; doing it twice is the same as once."""
        values = {"stream_id": stream_id, "sha256": sha256, "size": size, "account": account, "at": format_instant(at)}
        try:
            with self._databases.record.begin() as connection:
                connection.execute(insert(schema.uploaded_object), values)
        except IntegrityError:
            return

    def upload(self, stream_id: str, sha256: str) -> int | None:
        """Size of an uploaded object of the incident, or none."""
        table = schema.uploaded_object
        query = select(table.c.size).where(table.c.stream_id == stream_id, table.c.sha256 == sha256)
        with looking(self._databases.record) as connection:
            row = connection.execute(query).first()
        return None if row is None else int(row.size)

    def forget_upload(self, stream_id: str, sha256: str) -> None:
        """Unbind an erased object from an incident."""
        table = schema.uploaded_object
        with self._databases.record.begin() as connection:
            connection.execute(delete(table).where(table.c.stream_id == stream_id, table.c.sha256 == sha256))

    def bound(self, sha256: str) -> bool:
        """Whether any incident still holds an object."""
        table = schema.uploaded_object
        with looking(self._databases.record) as connection:
            return connection.execute(select(table.c.size).where(table.c.sha256 == sha256)).first() is not None

    def streams_with(self, types: Sequence[str]) -> list[str]:
        """Streams that hold at least one event of these types."""
        table = schema.event
        query = select(table.c.stream_id).where(table.c.type.in_(list(types))).distinct()
        with looking(self._databases.record) as connection:
            return list(connection.execute(query).scalars())

    def checkpoint(self, stream_id: str, size: int | None = None) -> bytes | None:
        """The signed checkpoint of a stream at a size, or its newest."""
        table = schema.checkpoint
        query = select(table.c.note).where(table.c.stream_id == stream_id)
        query = query.order_by(table.c.size.desc()).limit(1) if size is None else query.where(table.c.size == size)
        with looking(self._databases.record) as connection:
            row = connection.execute(query).first()
        return None if row is None else bytes(row.note)

    def installation_proof(self, stream_id: str) -> InstallationProof:
        """The installation log as it stands, and where a stream's opening and newest checkpoint are in it."""
        points = schema.checkpoint
        with reading(self._databases.record) as connection:
            note = connection.execute(select(schema.head.c.log_checkpoint)).scalar_one()
            bodies = connection.execute(
                select(schema.installation_leaf.c.body).order_by(schema.installation_leaf.c.leaf)
            )
            opening = connection.execute(
                select(schema.stream.c.opening_leaf).where(schema.stream.c.stream_id == stream_id)
            ).scalar_one()
            newest = connection.execute(
                select(points.c.log_leaf).where(points.c.stream_id == stream_id).order_by(points.c.size.desc()).limit(1)
            ).scalar_one()
            return InstallationProof(bytes(note), tuple(bytes(row.body) for row in bodies), int(opening), int(newest))

    def installation_log(self) -> tuple[bytes, list[bytes]]:
        """The installation log's signed checkpoint and every leaf."""
        leaf = schema.installation_leaf
        with reading(self._databases.record) as connection:
            note = connection.execute(select(schema.head.c.log_checkpoint)).scalar() or b""
            bodies = connection.execute(select(leaf.c.body).order_by(leaf.c.leaf)).scalars()
            return bytes(note), [bytes(body) for body in bodies]

    def stream_proofs(self, stream_id: str) -> StreamProofs:
        """Size, frontier and every checkpoint kept of a stream; empty for one that is gone."""
        points, streams = schema.checkpoint, schema.stream
        kept = select(points.c.size, points.c.log_leaf, points.c.note).where(points.c.stream_id == stream_id)
        with reading(self._databases.record) as connection:
            row = connection.execute(
                select(streams.c.size, streams.c.frontier).where(streams.c.stream_id == stream_id)
            ).first()
            found = connection.execute(kept.order_by(points.c.size))
            checkpoints = tuple((int(one.size), int(one.log_leaf), bytes(one.note)) for one in found)
        return StreamProofs(*((0, b"") if row is None else (int(row.size), bytes(row.frontier))), checkpoints)

    def streams(self) -> list[str]:
        """Every stream, in no order that means anything."""
        with looking(self._databases.record) as connection:
            return list(connection.execute(select(schema.stream.c.stream_id)).scalars())


_SERIES = schema.number_series
_LAST_NUMBER = select(_SERIES.c.last).where(_SERIES.c.series == bindparam("the_series"))
_NEXT_NUMBER = (
    update(_SERIES)
    .where(_SERIES.c.series == bindparam("the_series"), _SERIES.c.last == bindparam("before"))
    .values(last=bindparam("next"))
)
