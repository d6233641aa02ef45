"""What the use cases need of an evidence vault: a protocol. ``store`` implements it.

Rules of every vault:
1. An object is named by the SHA-256 of its bytes and never changes.
2. :meth:`Vault.put` returns only after bytes and name are durable; a failed put leaves nothing visible.
3. Bytes are streamed; no object is ever whole in memory.
4. Whether an object may be erased (no hold, nobody else's evidence) is decided by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

Verdict = Literal["ok", "differs", "missing"]


class ByteSource(Protocol):
    """Anything bytes can be read from, such as an open file or a pipe."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; ``b""`` at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored."""

    sha256: str
    """64 lower-case hex digits."""
    size: int
    """Bytes."""


class Upload(Protocol):
    """Bytes on their way into the vault. Leave it through :meth:`commit` or :meth:`abort`."""

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Add bytes. A caller that reuses a buffer leaves it alone for the next ``8`` writes.

        Raises:
            TooLargeError: over the limit; the upload is aborted.
        """
        ...

    def commit(self) -> Stored:
        """Make the object durable and visible under its digest."""
        ...

    def abort(self) -> None:
        """Drop what was written. Harmless after :meth:`commit`."""
        ...


class Vault(Protocol):
    """Content-addressed objects."""

    def begin(self, *, limit: int | None = None) -> Upload:
        """Start an upload of at most ``limit`` bytes."""
        ...

    def put(self, stream: ByteSource, *, limit: int | None = None) -> Stored:
        """Store a stream to its end.

        Raises:
            TooLargeError: over ``limit`` bytes; nothing is kept.
        """
        ...

    def open(self, digest: str) -> BinaryIO:
        """The object's bytes, not re-hashed.

        Raises:
            DamagedError: the vault has no such object.
        """
        ...

    def exists(self, digest: str) -> bool:
        """Whether the object is there, not re-hashed."""
        ...

    def size(self, digest: str) -> int | None:
        """Bytes of the object, or none when it is missing."""
        ...

    def verify(self, digest: str) -> Verdict:
        """Hash the object again."""
        ...

    def erase(self, digest: str) -> bool:
        """Remove the object durably, by an erasure order; whether it was there."""
        ...

    def iter_digests(self) -> Iterator[str]:
        """Every object, in order of digest."""
        ...
