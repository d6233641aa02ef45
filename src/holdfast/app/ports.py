"""What the use cases need of the outside: protocols only. Stores and engines implement them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from holdfast.kernel.events import Event
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class SealedWords:
    """Words on their way into the store: what is kept here, and what is kept apart."""

    reference: Sealed
    ciphertext: bytes
    key: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Remembered:
    """An earlier answer under the same idempotency key."""

    request: str
    response: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident as lists and the gate see it; ``body`` holds small extras as JSON values."""

    incident_id: str
    seq: int
    restricted: bool
    kind: str
    name: str
    """Text id of the sealed short name."""
    severity: str
    provisional: bool
    status: str
    disposition: str
    commander: str
    acting: bool
    declared_at: str
    next_update_at: str
    frozen: bool
    """Whether a freeze may be in force; the gate looks at these only."""
    body: Mapping[str, Any]
    viewers: Mapping[str, str] = field(default_factory=dict)
    """Accounts that may see a restricted incident, to the instant it ends ('' for never)."""


@dataclass(frozen=True, slots=True)
class Append:
    """One transaction: events of one stream and everything that must be durable with them."""

    stream_id: str
    expected: int
    """Sequence number the first event must get; a lost race raises :class:`LostRaceError`."""
    events: Sequence[Event]
    words: Sequence[SealedWords] = ()
    row: IncidentRow | None = None
    number: tuple[str, int] | None = None
    """Series and number that an opening takes, in the same transaction."""
    account: str = ""
    idempotency_key: str | None = None
    request: str = ""
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstallationProof:
    """The installation log's newest signed checkpoint with every leaf, and a stream's two leaves in it."""

    note: bytes
    leaves: tuple[bytes, ...]
    opening: int
    newest: int


@dataclass(frozen=True, slots=True)
class StreamProofs:
    """What is stored beside a stream's events; nothing here is believed before it is checked."""

    size: int
    frontier: bytes
    checkpoints: tuple[tuple[int, int, bytes], ...]
    """Size, place in the installation log and signed note of each, smallest first."""


class LostRaceError(Exception):
    """Another append to the stream came first: load, decide again, try again."""


class Record(Protocol):
    """The append-only record."""

    def append(self, batch: Append) -> int:
        """Commit durably; the gap-free commit position of the last event."""
        ...

    def load(self, stream_id: str, after: int = -1, upto: int | None = None) -> list[Event]:
        """Events of a stream with ``after < seq <= upto``, in order."""
        ...

    def lines(self, stream_id: str) -> Iterator[bytes]:
        """The stored canonical bytes of every event of a stream, in order."""
        ...

    def size(self, stream_id: str) -> int:
        """Number of events, 0 for a stream that does not exist."""
        ...

    def position(self) -> int:
        """The newest commit position."""
        ...

    def changed(self, after: int, limit: int = 1000) -> list[tuple[int, str]]:
        """(position, stream id) of events committed after a position, in order, without gaps."""
        ...

    def remembered(self, account: str, key: str) -> Remembered | None:
        """What an idempotency key answered before."""
        ...

    def last_number(self, series: str) -> int:
        """Highest number given in a series; the append that opens an incident takes the next."""
        ...

    def rows(self, query: RowQuery) -> list[IncidentRow]:
        """Incidents visible to the viewer, newest first."""
        ...

    def open_incidents(self) -> list[tuple[str, int]]:
        """(incident id, version) of every incident that is not closed, newest declaration first."""
        ...

    def row(self, incident_id: str) -> IncidentRow | None:
        """One projection row."""
        ...

    def put_document(self, digest: str, body: bytes) -> None:
        """Keep a pinned library document."""
        ...

    def document(self, digest: str) -> bytes | None:
        """A pinned library document."""
        ...

    def note_upload(self, stream_id: str, sha256: str, size: int, account: str, at: datetime) -> None:
        """Bind an uploaded object to an incident."""
        ...

    def upload(self, stream_id: str, sha256: str) -> int | None:
        """Size of an object bound to the incident, or none."""
        ...

    def forget_upload(self, stream_id: str, sha256: str) -> None:
        """Unbind an erased object from an incident."""
        ...

    def bound(self, sha256: str) -> bool:
        """Whether any incident still holds an object."""
        ...

    def checkpoint(self, stream_id: str, size: int | None = None) -> bytes | None:
        """Signed checkpoint at a size, or the newest."""
        ...

    def installation_proof(self, stream_id: str) -> InstallationProof:
        """What shows that the installation log holds a stream."""
        ...

    def installation_log(self) -> tuple[bytes, list[bytes]]:
        """The installation log's signed checkpoint and every leaf, also when no stream is left."""
        ...

    def stream_proofs(self, stream_id: str) -> StreamProofs:
        """What the store keeps beside a stream's events to prove them."""
        ...

    def streams_with(self, types: Sequence[str]) -> list[str]:
        """Streams that hold an event of these types."""
        ...

    def streams(self) -> list[str]:
        """Every stream id."""
        ...

    def origin(self, stream_id: str) -> str:
        """Origin line of a stream's checkpoints."""
        ...


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Which incidents to list, for whom."""

    viewer: str
    now: str
    status: str | None = None
    kind: str | None = None
    before: tuple[str, str] | None = None
    """(declared_at, incident_id) of the last row of the page before."""
    limit: int = 50
    frozen: bool | None = None
    restricted: bool | None = None
    everything: bool = False
    """Only for the application's own rounds (gate, clocks, fsck), never for a person."""


class Texts(Protocol):
    """Words behind sealed references."""

    def seal(self, text: str, text_id: str, randomness: Randomness) -> SealedWords:
        """Encrypt and commit to a text under fresh key and salt; stores nothing."""
        ...

    def read(self, text_ids: Sequence[str]) -> dict[str, str]:
        """Words by text id; an erased or unknown one is absent."""
        ...

    def material(self, text_id: str) -> tuple[bytes, str] | None:
        """(salt, words) for a pack, or none when erased."""
        ...

    def erase(self, text_id: str) -> None:
        """Destroy key, salt and ciphertext, durably."""
        ...


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, count: int, /) -> bytes:
        """``count`` random bytes."""
        ...


class Clock(Protocol):
    """The present instant, UTC."""

    def __call__(self) -> datetime:
        """Now."""
        ...
