"""A record on its own: two databases, a signer, and events that mean nothing in particular."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast.app.ports import Append, IncidentRow, SealedWords
from holdfast.kernel.events import SYSTEM, Event
from holdfast.kernel.ids import RANDOM_BYTES, uuid7
from holdfast.ledger.checkpoints import Checkpoint, parse
from holdfast.ledger.notes import open_note
from holdfast.store.database import Databases, open_databases, sqlite_url
from holdfast.store.record import SqlRecord
from holdfast.store.signing import FileSigner
from holdfast.store.texts import SealedTexts, seal

NOW = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)


@dataclass
class Bench:
    """A record and what it stands on."""

    folder: Path
    databases: Databases
    signer: FileSigner
    texts: SealedTexts
    record: SqlRecord

    def checkpoint(self, stream: str, size: int | None = None) -> Checkpoint:
        note = self.record.checkpoint(stream, size)
        assert note is not None
        return parse(open_note(note, self.signer.verifier_keys())[0])


@contextmanager
def bench(folder: Path, record_url: str | None = None, keys_url: str | None = None) -> Iterator[Bench]:
    """Open a record; the same folder and addresses open the same one again."""
    databases = open_databases(
        record_url or sqlite_url(folder / "record.sqlite"), keys_url or sqlite_url(folder / "keys" / "text-keys.sqlite")
    )
    signer = FileSigner.load_or_create(folder / "signing", "holdfast")
    texts = SealedTexts(databases)
    record = SqlRecord(databases, texts, signer, uuid7(NOW, os.urandom(RANDOM_BYTES)))
    try:
        yield Bench(folder, databases, signer, texts, record)
    finally:
        databases.close()


def event(stream: str, seq: int, data: dict[str, Any] | None = None, type_: str = "note.taken") -> Event:
    return Event(
        incident_id=stream,
        seq=seq,
        event_id=uuid7(NOW, os.urandom(RANDOM_BYTES)),
        type=type_,
        version=1,
        occurred_at=NOW,
        recorded_at=NOW,
        basis="observed",
        actor=SYSTEM,
        data={} if data is None else data,
    )


def batch(stream: str, expected: int, count: int = 1, **more: Any) -> Append:
    events = more.pop("events", None) or [event(stream, expected + index) for index in range(count)]
    return Append(stream_id=stream, expected=expected, events=events, **more)


def words(text: str) -> SealedWords:
    return seal(text, uuid7(NOW, os.urandom(RANDOM_BYTES)), os.urandom)


def row(stream: str, seq: int = 0, **more: Any) -> IncidentRow:
    values: dict[str, Any] = {
        "incident_id": stream,
        "seq": seq,
        "restricted": False,
        "kind": "real",
        "name": "",
        "severity": "SEV-2",
        "provisional": False,
        "status": "investigating",
        "disposition": "open",
        "commander": "",
        "acting": False,
        "declared_at": "2026-11-23T03:07:00.000Z",
        "next_update_at": "",
        "frozen": False,
        "body": {"codename": None},
    }
    return IncidentRow(**(values | more))


def bytes_within(folder: Path) -> bytes:
    """Every byte of every file below a folder, for looking for what must not be there."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
