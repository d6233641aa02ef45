"""The tar file of a pack, written and read so that each archive has exactly one spelling.

A member is a POSIX.1-2001 ustar header, the contents, zeros up to 512 bytes. Mode 0644; owner, group and time
are zero. A path of more than 100 bytes is split before its last segment. A size of 8 GiB or more takes a pax
header with the single record ``size``. Two zero blocks end the file, and nothing follows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from holdfast.kernel.errors import DamagedError

BLOCK = 512
END = bytes(2 * BLOCK)
CHUNK = 1 << 20
MAX_OCTAL_SIZE = 0o77777777777
_NAME_BYTES, _PREFIX_BYTES = 100, 155
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
PATH = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{1,6}}")
"""What a member may be called: plain ASCII segments, none of which begins with a dot or a dash."""
_PAX_NAME = "PaxHeaders/size"
_PAX_SIZE = re.compile(rb"([0-9]+) size=([1-9][0-9]{9,17})\n\0*")


class Source(Protocol):
    """Where a pack is read from: any binary file object."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer from its start; how many bytes, 0 at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive."""

    path: str
    size: int
    offset: int
    """Where its header begins, bytes from the start of the archive."""


def header(path: str, size: int) -> bytes:
    """The header block or blocks of a member: 512 bytes, or 1536 from 8 GiB on.

    Raises:
        ValueError: a path that :data:`PATH` or the header cannot hold.
    """
    if size <= MAX_OCTAL_SIZE:
        return _block(path, size, b"0")
    record = f" size={size}\n".encode()
    length = next(n for n in range(len(record), len(record) + 4) if n == len(str(n)) + len(record))
    body = str(length).encode() + record
    # A reader without pax takes the field; a reader with pax takes the record.
    return _block(_PAX_NAME, len(body), b"x") + body.ljust(BLOCK, b"\0") + _block(path, 0, b"0")


def padding(size: int) -> bytes:
    """The zeros after contents of this size."""
    return bytes(-size % BLOCK)


def _block(path: str, size: int, kind: bytes) -> bytes:
    prefix, _, name = ("", "", path) if len(path) <= _NAME_BYTES else path.rpartition("/")
    if not PATH.fullmatch(path) or len(name) > _NAME_BYTES or len(prefix) > _PREFIX_BYTES:
        msg = f"{path!r} cannot be the path of a pack's member"
        raise ValueError(msg)
    fields = (
        name.encode().ljust(_NAME_BYTES, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,
        f"{size:011o}\0".encode() + b"00000000000\0",
        b" " * 8,
        kind + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2,
        prefix.encode().ljust(_PREFIX_BYTES + 12, b"\0"),
    )
    blank = b"".join(fields)
    return blank[:148] + f"{sum(blank):06o}\0 ".encode() + blank[156:]


class Reader:
    """One pass over an archive; every byte not handed out as contents is compared with what it must be."""

    def __init__(self, source: Source) -> None:
        """Read from the source's present position to its end."""
        self._source = source
        self._buffer = memoryview(bytearray(CHUNK))
        self._left = 0
        self._member = Member("the first header", 0, 0)
        self.offset = 0
        """Bytes read so far."""

    def members(self) -> Iterator[Member]:
        """Every member in order; each one's :meth:`contents` can be read until the next is asked for.

        Raises:
            DamagedError: at the first byte that differs from the only spelling there is.
        """
        last = ""
        while True:
            for _ in self.contents():
                pass  # over what the caller left unread
            self._pad()
            block = self._exactly(BLOCK)
            if not block.strip(b"\0"):
                self._end(block)
                return
            self._member = self._parse(block)
            self._left = self._member.size
            path = self._member.path
            if path <= last:
                why = "it is there twice" if path == last else f"it comes after {last}"
                raise damaged("pack-order", path, f"Members are in order of their paths, and {why}.")
            last = path
            yield self._member

    def contents(self) -> Iterator[memoryview]:
        """The present member's bytes in pieces of at most 1 MiB; a piece is valid until the next."""
        while self._left:
            piece = self._buffer[: min(self._left, CHUNK)]
            self._fill(piece)
            self._left -= len(piece)
            yield piece

    def _pad(self) -> None:
        if self._exactly(-self._member.size % BLOCK).strip(b"\0"):
            raise damaged("pack-padding", self._member.path, "The padding after its contents is not zero.")

    def _end(self, block: bytes) -> None:
        if self._exactly(BLOCK) != block:
            raise damaged("pack-end", f"byte {self.offset - BLOCK}", "A single zero block does not end an archive.")
        if self._source.readinto(self._buffer[:1]):
            raise damaged("pack-appended", f"byte {self.offset}", "There are bytes after the end of the archive.")

    def _parse(self, block: bytes) -> Member:
        offset, raw = self.offset - BLOCK, block
        size = _octal(block)
        if block[156:157] == b"x":
            body = self._exactly(BLOCK)
            found = _PAX_SIZE.fullmatch(body)
            size = int(found[2]) if found else -1
            block = self._exactly(BLOCK)
            raw += body + block
        name, prefix = (part.rstrip(b"\0").decode("ascii", "replace") for part in (block[:100], block[345:500]))
        path = f"{prefix}/{name}" if prefix else name
        if not PATH.fullmatch(path):
            raise damaged("pack-name", f"byte {offset}", f"{path[:80]!r} is no name that a pack may hold.")
        try:
            expected = header(path, size)
        except ValueError:
            expected = b""
        if raw != expected:
            at = next((i for i, pair in enumerate(zip(raw, expected, strict=False)) if pair[0] != pair[1]), 0)
            raise damaged("pack-header", f"byte {offset + at} (the header of {path})", "The header was altered.")
        return Member(path, size, offset)

    def _exactly(self, count: int) -> bytes:
        piece = self._buffer[:count]
        self._fill(piece)
        return bytes(piece)

    def _fill(self, piece: memoryview) -> None:
        got = 0
        while got < len(piece):
            count = self._source.readinto(piece[got:])
            if not count:
                place = f"byte {self.offset + got} (in or after {self._member.path})"
                raise damaged("pack-truncated", place, "The archive ends before its end.")
            got += count
        self.offset += got


def damaged(code: str, place: str, why: str) -> DamagedError:
    """The refusal of a pack at a place."""
    return DamagedError(
        code,
        f"The pack is refused at {place}.",
        why=why,
        next_step="Do not rely on it. Ask its sender for another copy, and tell them the place.",
        details={"place": place},
    )


def _octal(block: bytes) -> int:
    field = block[124:135]
    return int(field, 8) if re.fullmatch(rb"[0-7]{11}", field) else -1
