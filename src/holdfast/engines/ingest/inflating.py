"""Compressed bytes as pieces of plain ones, within limits.

Rules:
1. The first bytes tell the compression: gzip (of several members, too), zstandard, bzip2, xz.
2. What could be inflated before a fault is given; then :class:`BrokenOffError` says why there is no more.
3. A file that inflates to hundreds of times its size is broken off: no log does.
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import pyarrow as pa
from isal import isal_zlib

from holdfast.engines.ingest.limits import Limits
from holdfast.investigation.framing import BrokenOffError, Chunks

PIECE = 1 << 20
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
TRUNCATED = "truncated"
DAMAGED = "damaged compression"


class Budget:
    """Bytes that one captured file may still inflate to."""

    def __init__(self, size: int, limits: Limits) -> None:
        """Of a file of this size."""
        self._size, self._limits = max(size, 1), limits
        self._spent = 0

    def spend(self, length: int) -> None:
        """Count inflated bytes.

        Raises:
            BrokenOffError: there are too many.
        """
        self._spent += length
        if self._spent > self._limits.inflated:
            raise BrokenOffError(f"inflates to more than {self._limits.inflated >> 30} GB")
        if self._spent > self._limits.ratio_from and self._spent > self._size * self._limits.ratio:
            raise BrokenOffError(f"inflates to more than {self._limits.ratio} times its size")


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


_ERRORS = (cast("type[Exception]", isal_zlib.error), OSError, lzma.LZMAError, EOFError)
_MAKERS: dict[str, Callable[[], _Inflater]] = {
    "gzip": lambda: isal_zlib.decompressobj(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}
_LONGEST = max(len(magic) for magic, _ in _MAGIC)


def compression(head: bytes) -> str | None:
    """Name of the compression that the bytes begin with."""
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


def inflated(chunks: Chunks, name: str, budget: Budget) -> Iterator[bytes]:
    """Plain bytes, in pieces of at most 1 MB.

    Raises:
        BrokenOffError: they are damaged, truncated or too many.
    """
    if name == "zstd":
        yield from _zstd(chunks, budget)
        return
    make = _MAKERS[name]
    inflater = make()
    for piece in chunks:
        data, full = piece, False
        while data or (full and not inflater.eof):
            if inflater.eof:
                data = _next_member(data, name)
                if not data:
                    break
                inflater = make()
            out = _decompressed(inflater, data)
            data, full = _rest(inflater), len(out) == PIECE
            if out:
                budget.spend(len(out))
                yield out
    chunks.check()
    if not inflater.eof:
        raise BrokenOffError(TRUNCATED)


def _decompressed(inflater: _Inflater, data: bytes) -> bytes:
    try:
        return inflater.decompress(data, PIECE)
    except _ERRORS as fault:
        raise BrokenOffError(DAMAGED) from fault


def _next_member(data: bytes, name: str) -> bytes:
    """What follows a member: another one, or nothing but padding."""
    bare = data.lstrip(b"\x00")
    if len(bare) >= _LONGEST and compression(bare) != name:
        raise BrokenOffError("other bytes after the compressed ones")
    return bare


def _rest(inflater: _Inflater) -> bytes:
    """Input that was not used yet: after the end of a member, or because the output was full."""
    if inflater.eof:
        return inflater.unused_data
    return getattr(inflater, "unconsumed_tail", b"")


class _Reader:
    """A file of chunks, as far as Arrow reads it."""

    closed = False

    def __init__(self, chunks: Chunks) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._chunks, b"")
        take = len(self._rest) if size < 0 else size
        out, self._rest = self._rest[:take], self._rest[take:]
        return out

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        pass


def _zstd(chunks: Chunks, budget: Budget) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(_Reader(chunks), mode="r"), "zstd")
    while True:
        try:
            out = stream.read(PIECE)
        except (OSError, pa.ArrowException) as fault:
            chunks.check()
            raise BrokenOffError(TRUNCATED if "runcated" in str(fault) else DAMAGED) from fault
        if not out:
            break
        budget.spend(len(out))
        yield out
    chunks.check()
