"""The append-only record: events, signed checkpoints, the installation log, in one transaction.

Numbered as in ``docs/adr/0002-the-record.md``:
1. take the write lock on ``head`` (and so on the commit position and the installation log);
2. compare the stream's size with what the decider saw: a lost race changes nothing;
3. add the events' canonical bytes, each at the next position, without gaps;
4. grow the stream's tree; sign its new checkpoint;
5. add the opening (for a new stream) and the checkpoint to the installation log; sign that too;
6. add ciphertexts, projection row and idempotent answer; commit durably; only then acknowledge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from holdfast.app.ports import Append, LostRaceError
from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import Event, event_from
from holdfast.kernel.instants import format_instant
from holdfast.ledger.checkpoints import Checkpoint, checkpoint_leaf, opening_leaf, stream_origin
from holdfast.ledger.notes import Signer, sign_note
from holdfast.ledger.tree import EMPTY_FRONTIER, Frontier, leaf_hash
from holdfast.store import schema
from holdfast.store.database import Databases, looking
from holdfast.store.projections import Projections, write_row
from holdfast.store.shelf import Shelf
from holdfast.store.texts import SealedTexts, insert_ciphertexts

INSTALLATION = "installation"


class SqlRecord(Projections, Shelf):
    """The ``Record`` port on SQLite or PostgreSQL."""

    def __init__(self, databases: Databases, texts: SealedTexts, signer: Signer, new_installation_id: str) -> None:
        """Open the record; a fresh one takes the id given."""
        self._databases = databases
        self._numbers: dict[str, int] = {}
        self._texts = texts
        self._signer = signer
        self.installation_id = self._first_start(new_installation_id)

    @property
    def log_origin(self) -> str:
        """Origin line of the installation log's checkpoints."""
        return f"holdfast/{self.installation_id}"

    def origin(self, stream_id: str) -> str:
        """Origin line of a stream's checkpoints."""
        return stream_origin(self.log_origin, stream_id)

    def use_signer(self, signer: Signer) -> None:
        """Sign with another key from the next append on."""
        self._signer = signer

    def append(self, batch: Append) -> int:
        """Commit durably and return the position of the last event.

        Raises:
            LostRaceError: the stream has grown since the events were decided, or the key is taken.
        """
        self._texts.keep_keys(batch.words)
        try:
            with self._databases.record.begin() as connection:
                return self._append(connection, batch)
        except (IntegrityError, LostRaceError) as error:
            if batch.number is not None:
                # Another process may have given numbers: what this one remembers is no guess any more.
                self.forget_number(batch.number[0])
            raise LostRaceError(batch.stream_id) from error

    def _append(self, connection: Connection, batch: Append) -> int:
        head = connection.execute(_LOCK_HEAD).one()
        found = connection.execute(_STREAM, {"stream": batch.stream_id}).first()
        size = 0 if found is None else found.size
        if size != batch.expected:
            raise LostRaceError(batch.stream_id)
        if batch.number is not None and not self.take_number(connection, *batch.number):
            raise LostRaceError(batch.stream_id)
        leaves = Frontier.from_bytes(head.log_frontier) if head.log_frontier else EMPTY_FRONTIER
        log_bodies: list[bytes] = []
        lines = [event.canonical() for event in batch.events]
        frontier = EMPTY_FRONTIER if found is None else Frontier.from_bytes(found.frontier)
        for line in lines:
            frontier = frontier.append(leaf_hash(line))
        if found is None:
            log_bodies.append(opening_leaf(batch.stream_id, leaf_hash(lines[0])))
        point = Checkpoint(self.origin(batch.stream_id), frontier.size, frontier.root())
        log_bodies.append(checkpoint_leaf(batch.stream_id, point.size, point.root))
        first_leaf = leaves.size
        for body in log_bodies:
            leaves = leaves.append(leaf_hash(body))
        self._write_events(connection, batch, lines, head.position)
        self._write_stream(connection, batch.stream_id, frontier, None if found else first_leaf)
        connection.execute(
            _ADD_CHECKPOINT,
            {
                "stream_id": batch.stream_id,
                "size": frontier.size,
                "log_leaf": leaves.size - 1,
                "note": self._sign(point),
            },
        )
        connection.execute(
            _ADD_LEAF,
            [{"leaf": first_leaf + index, "body": body} for index, body in enumerate(log_bodies)],
        )
        position = head.position + len(lines)
        self._write_head(connection, position, leaves)
        self._write_rest(connection, batch)
        return int(position)

    @staticmethod
    def _write_events(connection: Connection, batch: Append, lines: Sequence[bytes], position: int) -> None:
        connection.execute(
            _ADD_EVENT,
            [
                {
                    "position": position + 1 + index,
                    "stream_id": batch.stream_id,
                    "seq": event.seq,
                    "event_id": event.event_id,
                    "type": event.type,
                    "body": line,
                }
                for index, (event, line) in enumerate(zip(batch.events, lines, strict=True))
            ],
        )

    @staticmethod
    def _write_stream(connection: Connection, stream_id: str, frontier: Frontier, opening: int | None) -> None:
        values = {"size": frontier.size, "frontier": frontier.to_bytes()}
        if opening is None:
            connection.execute(_GROW_STREAM, {"stream": stream_id, **values})
        else:
            connection.execute(_ADD_STREAM, {"stream_id": stream_id, "opening_leaf": opening, **values})

    def _write_head(self, connection: Connection, position: int, leaves: Frontier) -> None:
        point = Checkpoint(self.log_origin, leaves.size, leaves.root())
        connection.execute(
            _MOVE_HEAD,
            {
                "position": position,
                "log_size": leaves.size,
                "log_frontier": leaves.to_bytes(),
                "log_checkpoint": self._sign(point),
            },
        )

    def _sign(self, point: Checkpoint) -> bytes:
        """A note that names the very key that signed it, though another thread may rotate the key meanwhile."""
        while True:
            key = self._signer.key
            note = point.signed(self._signer)
            if self._signer.key == key:
                return note

    @staticmethod
    def _write_rest(connection: Connection, batch: Append) -> None:
        insert_ciphertexts(connection, batch.stream_id, batch.words)
        if batch.row is not None:
            write_row(connection, batch.row, new=batch.expected == 0)
        if batch.idempotency_key is not None:
            connection.execute(
                _REMEMBER,
                {
                    "account": batch.account,
                    "key": batch.idempotency_key,
                    "request": batch.request,
                    "response": canonical(batch.response),
                    "at": format_instant(batch.events[-1].recorded_at),
                },
            )

    def load(self, stream_id: str, after: int = -1, upto: int | None = None) -> list[Event]:
        """Events with ``after < seq <= upto``, in order."""
        with looking(self._databases.record) as connection:
            rows = connection.execute(
                _LOAD, {"stream": stream_id, "after": after, "upto": 2**53 if upto is None else upto}
            )
            return [event_from(json.loads(row.body)) for row in rows]

    def lines(self, stream_id: str) -> Iterator[bytes]:
        """Stored bytes of every event, in order, a thousand at a time."""
        after = -1
        while True:
            with looking(self._databases.record) as connection:
                rows = connection.execute(_LINES, {"stream": stream_id, "after": after}).all()
            if not rows:
                return
            for row in rows:
                yield row.body
            after = rows[-1].seq

    def size(self, stream_id: str) -> int:
        """Number of events of a stream."""
        with looking(self._databases.record) as connection:
            row = connection.execute(_STREAM_SIZE, {"stream": stream_id}).first()
        return 0 if row is None else int(row.size)

    def position(self) -> int:
        """Newest commit position."""
        with looking(self._databases.record) as connection:
            return int(connection.execute(select(schema.head.c.position)).scalar_one())

    def changed(self, after: int, limit: int = 1000) -> list[tuple[int, str]]:
        """(position, stream) after a position; positions have no gaps, so nothing can be missed."""
        query = (
            select(schema.event.c.position, schema.event.c.stream_id)
            .where(schema.event.c.position > after)
            .order_by(schema.event.c.position)
            .limit(limit)
        )
        with looking(self._databases.record) as connection:
            return [(int(row.position), row.stream_id) for row in connection.execute(query)]

    def _first_start(self, new_installation_id: str) -> str:
        with self._databases.record.begin() as connection:
            query = select(schema.meta.c.value).where(schema.meta.c.key == "installation")
            row = connection.execute(query).first()
            if row is not None:
                return str(row.value)
            connection.execute(insert(schema.meta), {"key": "installation", "value": new_installation_id})
            point = Checkpoint(f"holdfast/{new_installation_id}", 0, EMPTY_FRONTIER.root())
            connection.execute(
                insert(schema.head),
                {
                    "id": 1,
                    "position": 0,
                    "log_size": 0,
                    "log_frontier": b"",
                    "log_checkpoint": sign_note(point.body(), [self._signer]),
                },
            )
            return new_installation_id


_EVENT = schema.event
_LOCK_HEAD = select(schema.head).where(schema.head.c.id == 1).with_for_update()
_STREAM = select(schema.stream).where(schema.stream.c.stream_id == bindparam("stream"))
_ADD_EVENT = insert(schema.event)
_ADD_CHECKPOINT = insert(schema.checkpoint)
_ADD_LEAF = insert(schema.installation_leaf)
_ADD_STREAM = insert(schema.stream)
_REMEMBER = insert(schema.idempotency)
_GROW_STREAM = (
    update(schema.stream)
    .where(schema.stream.c.stream_id == bindparam("stream"))
    .values(size=bindparam("size"), frontier=bindparam("frontier"))
)
_MOVE_HEAD = (
    update(schema.head)
    .where(schema.head.c.id == 1)
    .values({name: bindparam(name) for name in ("position", "log_size", "log_frontier", "log_checkpoint")})
)
_STREAM_SIZE = select(schema.stream.c.size).where(schema.stream.c.stream_id == bindparam("stream"))
_LOAD = (
    select(_EVENT.c.body)
    .where(
        _EVENT.c.stream_id == bindparam("stream"), _EVENT.c.seq > bindparam("after"), _EVENT.c.seq <= bindparam("upto")
    )
    .order_by(_EVENT.c.seq)
)
_LINES = (
    select(_EVENT.c.seq, _EVENT.c.body)
    .where(_EVENT.c.stream_id == bindparam("stream"), _EVENT.c.seq > bindparam("after"))
    .order_by(_EVENT.c.seq)
    .limit(1000)
)
