"""Compressions undone, in pieces of about 1 MB, one member or frame after the other.

Rules:
1. What could be inflated before damage is given, to the last byte: deflate is done again, slowly, around the damage.
2. An input of a few bytes that stands for gigabytes comes out in pieces, so that whoever counts can stop.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol, cast

import zstandard
from isal import isal_zlib

PIECE = 1 << 20
_SLICE = 1 << 16
_KEPT = 8 << 20
_AGAIN = 256 << 20
_MEMORY = 1 << 30
_WINDOW = 1 << 27
_OUTPUT = 1 << 16
"""Bytes that are lost at most where a block is damaged."""
_ISAL_ERROR = cast("type[Exception]", isal_zlib.error)


class DamagedError(Exception):
    """A compression cannot be undone from here on; the message says why, without a full stop."""


class Inflater(Protocol):
    """Undoes one member, stream or frame."""

    ended: bool
    rest: bytes
    """Once it has ended: what was fed after its end."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes stand for.

        Raises:
            DamagedError: they stand for nothing, after everything before was given.
        """
        ...


class Deflate:
    """gzip, zlib and raw deflate."""

    def __init__(self, bits: int) -> None:
        """With the window bits of zlib: 31 for gzip, -15 for raw."""
        self._bits = bits
        self._inflater = isal_zlib.decompressobj(bits)
        self._kept: list[bytes] | None = []
        self._kept_size = self._given = 0
        self.ended = False
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See :class:`Inflater`."""
        yield from _gathered(self._slices(data))

    def _slices(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _SLICE):
            yield from self._slice(data[at : at + _SLICE])
            if self.ended:
                self.rest = self._inflater.unused_data + data[at + _SLICE :]
                return

    def _slice(self, piece: bytes) -> Iterator[bytes]:
        self._keep(piece)
        while True:
            try:
                out = self._inflater.decompress(piece, PIECE)
            except _ISAL_ERROR as error:
                yield from self._last()
                raise DamagedError(_deflate_reason(str(error))) from error
            self._given += len(out)
            if out:
                yield out
            self.ended = self._inflater.eof
            piece = self._inflater.unconsumed_tail
            if self.ended or (not piece and len(out) < PIECE):
                return

    def _keep(self, piece: bytes) -> None:
        if self._kept is not None:
            self._kept.append(piece)
            self._kept_size += len(piece)
            if self._kept_size > _KEPT or self._given > _AGAIN:
                self._kept = None

    def _last(self) -> Iterator[bytes]:
        """What stands between the last bytes given and the damage."""
        if self._kept is None:
            return
        again = zlib.decompressobj(self._bits)
        skip = self._given
        *whole, last = self._kept
        try:
            for piece in [*whole, *(last[at : at + 1] for at in range(len(last)))]:
                rest = piece
                while rest:
                    out = again.decompress(rest, PIECE)
                    rest = again.unconsumed_tail
                    if len(out) > skip:
                        yield out[skip:]
                    skip = max(0, skip - len(out))
        except zlib.error:
            return


class Blocks:
    """bzip2 and xz, whose library keeps what it did not use."""

    def __init__(self, inflater: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        """By a fresh decompressor."""
        self._inflater = inflater
        self.ended = False
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See :class:`Inflater`."""
        yield from _gathered(self._pieces(data))

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), PIECE):
            yield from self._piece(data[at : at + PIECE])
            if self.ended:
                self.rest = self._inflater.unused_data + data[at + PIECE :]
                return

    def _piece(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                out = self._inflater.decompress(data, _OUTPUT)
            except (OSError, lzma.LZMAError, EOFError, ValueError) as error:
                raise DamagedError(_block_reason(error)) from error
            if out:
                yield out
            self.ended = self._inflater.eof
            data = b""
            if self.ended or self._inflater.needs_input:
                return


class ZipLzma:
    """LZMA as zip stores it: a header of its own, then a raw stream."""

    def __init__(self) -> None:
        """Before the header."""
        self._head = b""
        self._blocks: Blocks | None = None
        self.ended = False
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See :class:`Inflater`."""
        if self._blocks is None:
            self._head += data
            if len(self._head) < 9:  # noqa: PLR2004 - version, size of what follows, and those properties
                return
            data = self._head[9:]
            self._blocks = Blocks(_raw_lzma(self._head[:9]))
        yield from self._blocks.feed(data)
        self.ended, self.rest = self._blocks.ended, self._blocks.rest


class Zstd:
    """One frame of zstandard, or one that is skipped."""

    def __init__(self) -> None:
        """Before the frame."""
        self._out: list[bytes] = []
        self._writer = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_writer(
            cast("IO[bytes]", self), write_size=PIECE, closefd=False
        )
        self._frame = _Frame()
        self.ended = False
        self.rest = b""

    def write(self, data: bytes) -> int:
        """Hear what the library inflated."""
        self._out.append(bytes(data))
        return len(data)

    @property
    def skipped(self) -> bool:
        """Whether the frame is one that holds nothing to inflate."""
        return self._frame.skipped

    def again(self) -> None:
        """Begin the next frame."""
        self._frame = _Frame()
        self.ended, self.rest = False, b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See :class:`Inflater`."""
        yield from _gathered(self._blocks(data))

    def _blocks(self, data: bytes) -> Iterator[bytes]:
        place = 0
        while place < len(data) and not self._frame.ended:
            step = self._frame.step(data, place)
            try:
                self._writer.write(data[place : place + step])
            except zstandard.ZstdError as error:
                yield from self._drained()
                raise DamagedError(self._frame.reason or _zstd_reason(str(error))) from error
            place += step
            yield from self._drained()
            if self._frame.reason:
                raise DamagedError(self._frame.reason)
        if self._frame.ended:
            self.ended, self.rest = True, data[place:]

    def _drained(self) -> Iterator[bytes]:
        if self._out:
            out, self._out = b"".join(self._out), []
            yield out


class _Frame:
    """The parts of a frame by their sizes, so that its end is known and no step is more than one block: 128 KB."""

    def __init__(self) -> None:
        self._head = b""
        self._wanted = 5
        self._stage = "magic"
        self._left = 0
        self._last = self._checksum = False
        self.ended = False
        self.reason = ""

    @property
    def skipped(self) -> bool:
        return self._stage == "skipped"

    def step(self, data: bytes, place: int) -> int:
        """How many of the bytes belong to the next block."""
        start, blocks = place, 0
        while place < len(data) and not self.ended and not self.reason and not blocks:
            if self._left:
                take = min(self._left, len(data) - place)
                self._left -= take
                place += take
                if not self._left:
                    blocks += self._stage == "block"
                    self._after()
                continue
            take = min(self._wanted - len(self._head), len(data) - place)
            self._head += data[place : place + take]
            place += take
            if len(self._head) == self._wanted:
                self._read()
        return place - start

    def _read(self) -> None:
        head = self._head
        if self._stage == "magic":
            self._magic(head)
            return
        self._head = b""
        if self._stage == "skip":
            self._left = struct.unpack("<L", head[4:8])[0]
            self._stage = "skipped"
        elif self._stage == "frame":
            self._stage, self._wanted = "block", 3
            return
        else:
            value = int.from_bytes(head, "little")
            self._last, kind = bool(value & 1), value >> 1 & 3
            self._left = 1 if kind == 1 else value >> 3
        if not self._left:
            self._after()

    def _magic(self, head: bytes) -> None:
        if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:  # noqa: PLR2004 - 0x50 to 0x5f: skippable
            self._stage, self._wanted = "skip", 8
            return
        told = head[4]
        single = bool(told & 0x20)
        dictionary = (0, 1, 2, 4)[told & 3]
        size = (1 if single else 0, 2, 4, 8)[told >> 6]
        self._checksum = bool(told & 4)
        self._stage, self._wanted = "frame", 5 + (0 if single else 1) + dictionary + size
        if dictionary:
            self.reason = "it needs a dictionary that is not here"
        elif self._wanted == len(head):
            self._read()

    def _after(self) -> None:
        if self._stage == "block" and self._last:
            self._stage, self._left = "checksum", 4 if self._checksum else 0
            self.ended = not self._left
        elif self._stage in {"checksum", "skipped"}:
            self.ended = True
        else:
            self._wanted = 3


def _gathered(outputs: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces of about 1 MB; what was gathered before damage is given before it is told."""
    parts: list[bytes] = []
    size = 0
    try:
        for out in outputs:
            parts.append(out)
            size += len(out)
            if size >= PIECE:
                yield parts[0] if len(parts) == 1 else b"".join(parts)
                parts, size = [], 0
    except DamagedError:
        if parts:
            yield b"".join(parts)
        raise
    if parts:
        yield b"".join(parts)


MAKERS: dict[str, Callable[[], Inflater]] = {
    "gzip": lambda: Deflate(31),
    "deflate": lambda: Deflate(-15),
    "bzip2": lambda: Blocks(bz2.BZ2Decompressor()),
    "xz": lambda: Blocks(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)),
    "lzma": lambda: Blocks(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)),
    "zstd": Zstd,
}


def _raw_lzma(head: bytes) -> lzma.LZMADecompressor:
    size, mixed, dictionary = struct.unpack("<HBL", head[2:9])
    bits = {"lc": mixed % 9, "lp": mixed // 9 % 5, "pb": mixed // 45}
    if size != 5 or mixed >= 225 or dictionary > _MEMORY or bits["lc"] + bits["lp"] > 4:  # noqa: PLR2004 - the format's own
        msg = "damaged LZMA properties"
        raise DamagedError(msg)
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), **bits}]
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError, OverflowError) as error:
        msg = "damaged LZMA properties"
        raise DamagedError(msg) from error


def _deflate_reason(told: str) -> str:
    return "a checksum does not match" if "hecksum" in told or "length" in told.lower() else "damaged compression"


def _block_reason(error: Exception) -> str:
    told = str(error)
    if "emory" in told:
        return "it needs more than 1 GB of memory"
    return "a checksum does not match" if "hecksum" in told or "CRC" in told else "damaged compression"


def _zstd_reason(told: str) -> str:
    if "too much memory" in told:
        return f"it needs a window of more than {_WINDOW >> 20} MB"
    if "ictionary" in told:
        return "it needs a dictionary that is not here"
    return "a checksum does not match" if "hecksum" in told else "damaged compression"
