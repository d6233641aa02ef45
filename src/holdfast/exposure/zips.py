"""Zip as arithmetic over a reader: what the central directory says, what the local headers say, and what is left over.

Rules:
1. Neither directory nor local header is believed alone: a member is where its local header is, and no byte belongs to
   two members. That ends bombs that list the same bytes many times.
2. Stretches that no member covers are looked through for local headers: a directory can be missing, cut or a lie.
3. Sizes are never trusted for memory: whoever inflates counts.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from typing import Protocol

STORED, DEFLATED = 0, 8
METHODS = {0: "stored", 8: "deflate", 12: "bzip2", 14: "lzma", 93: "zstd", 20: "zstd", 95: "xz"}
"""Ways of compression that are undone."""
NAMES = {1: "shrink", 6: "implode", 9: "deflate64", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES"}
"""Those that are not, by name."""
UNTIL_ITS_END = -1
"""A size that only the compression itself tells."""

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_LOCAL_SIZE, _CENTRAL_SIZE, _END_SIZE, _LOCATOR_SIZE, _END64_SIZE = 30, 46, 22, 20, 56
TAIL = _END_SIZE + 0xFFFF
"""Bytes in which the end of a zip is."""
_FULL, _FULL16 = 0xFFFFFFFF, 0xFFFF
_ENCRYPTED, _DESCRIPTOR, _UTF8, _MASKED = 1, 8, 1 << 11, 1 << 13
_RECORD = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x07\x08|\x05\x06|\x06\x06)")
_STEP = 1 << 20
LARGEST_DIRECTORY = 64 << 20
"""Bytes; a zip with a larger one is read by its local headers."""
_MOST_ENDS = 16
"""Places that may be the end of a zip and are looked at: a comment may hold what looks like one."""


class Reader(Protocol):
    """Bytes at places."""

    size: int

    def read(self, at: int, length: int) -> bytes:
        """At most so many bytes from a place on; fewer at the end or where it became shorter."""
        ...

    def after_hole(self, at: int) -> int:
        """The place from which on there is something other than a hole of a sparse file; ``at`` itself mostly."""
        ...


class Held:
    """A reader of bytes in memory."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        """Of these."""
        self._data = memoryview(data)
        self.size = len(self._data)

    def read(self, at: int, length: int) -> bytes:
        """See :class:`Reader`."""
        return bytes(self._data[at : at + length])

    def after_hole(self, at: int) -> int:
        """See :class:`Reader`."""
        return at


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as a header tells it."""

    name: str
    at: int
    """Byte of the local header."""
    method: int
    flags: int
    crc: int | None
    packed: int
    """Bytes as stored, or :data:`UNTIL_ITS_END`."""
    size: int
    data: int = 0
    """Byte at which the content begins; 0 before the local header was read."""

    @property
    def encrypted(self) -> bool:
        """Whether only a password opens it."""
        return bool(self.flags & _ENCRYPTED)

    @property
    def folder(self) -> bool:
        """Whether it is a folder without content."""
        return self.name.endswith("/") and self.packed == 0


@dataclass(frozen=True, slots=True)
class Directory:
    """What the end of a zip says."""

    entries: tuple[Entry, ...]
    start: int
    """Byte at which the directory begins; what follows are no members."""
    faults: tuple[str, ...] = ()


def directory(reader: Reader) -> Directory:
    """The central directory; with faults and no entries where there is none."""
    start = max(0, reader.size - TAIL)
    tail = reader.read(start, TAIL)
    at = tail.rfind(_END)
    for _ in range(_MOST_ENDS):
        if at < 0:
            break
        if len(tail) - at >= _END_SIZE and (found := _from_end(reader, start + at, tail[at : at + _END_SIZE])):
            return found
        at = tail.rfind(_END, 0, at)
    return Directory((), reader.size, ("no central directory: read by its local headers",))


def may_end(tail: bytes) -> bool:
    """Whether the last :data:`TAIL` bytes hold what could be the end of a zip."""
    return _END in tail


def has_end(reader: Reader) -> bool:
    """Whether bytes that begin otherwise end as a zip does."""
    return may_end(reader.read(max(0, reader.size - TAIL), TAIL)) and bool(directory(reader).entries)


def local(reader: Reader, at: int) -> Entry | None:
    """The member whose local header is at a place; none when there is no header."""
    head = reader.read(at, _LOCAL_SIZE)
    if len(head) < _LOCAL_SIZE or head[:4] != _LOCAL:
        return None
    flags, method, _, _, crc, packed, size, name_size, extra_size = struct.unpack("<HHHHLLLHH", head[6:30])
    rest = reader.read(at + _LOCAL_SIZE, name_size + extra_size)
    wide = _wide(rest[name_size:], (size, packed))
    size, packed = wide[0], wide[1]
    told: int | None = crc
    if flags & _DESCRIPTOR and not packed:
        packed, told = UNTIL_ITS_END, None
    name = _name(rest[:name_size], flags)
    return Entry(name, at, method, flags, told, packed, size, at + _LOCAL_SIZE + name_size + extra_size)


def located(reader: Reader, entry: Entry) -> Entry | None:
    """An entry of the directory with the place of its content; none when no local header is where it says."""
    found = local(reader, entry.at)
    if found is None:
        return None
    return replace(entry, data=found.data, flags=entry.flags | (found.flags & _ENCRYPTED))


def stray(reader: Reader, start: int, end: int) -> Entry | None:
    """The first member that a local header in a stretch tells of."""
    while start < end:
        window = reader.read(start, min(_STEP, end - start))
        at = window.find(_LOCAL)
        if at < 0:
            if len(window) < _STEP:
                return None
            start += len(window) - len(_LOCAL) + 1
            continue
        entry = local(reader, start + at)
        if entry is not None and _plausible(entry, end):
            return entry
        start += at + len(_LOCAL)
    return None


def next_record(reader: Reader, start: int, end: int) -> int:
    """Where the next header or descriptor is, or the end of the stretch."""
    while start < end:
        window = reader.read(start, min(_STEP, end - start))
        found = _RECORD.search(window)
        if found is not None:
            return start + found.start()
        if len(window) < _STEP:
            return start + len(window)
        start += len(window) - len(_LOCAL) + 1
    return end


def _plausible(entry: Entry, end: int) -> bool:
    known = entry.method in METHODS or entry.method in NAMES
    return entry.data <= end and known and bool(entry.name) and "\0" not in entry.name


def _from_end(reader: Reader, at: int, record: bytes) -> Directory | None:
    disk, _, here, total, size, offset, _ = struct.unpack("<HHHHLLH", record[4:22])
    faults: list[str] = []
    end = at
    if _FULL in (size, offset) or total == _FULL16:
        wide = _end64(reader, at)
        if wide is not None:
            total, size, offset, end = wide
    elif disk or here != total:
        faults.append("one of several volumes: the others are not here")
    start = end - size
    if start < 0 or size > LARGEST_DIRECTORY or (total and reader.read(start, 4) != _CENTRAL):
        return None
    # Whatever was put before the archive shifts every place by the same number of bytes.
    entries, whole = _entries(reader.read(start, size), start - offset)
    if not entries and total:
        return None
    if not whole or len(entries) != total:
        faults.append(f"the central directory tells {len(entries)} of {total} members")
    return Directory(tuple(entries), start, tuple(faults))


def _end64(reader: Reader, at: int) -> tuple[int, int, int, int] | None:
    """Members, size and place of the directory by the wider record, and where the directory ends."""
    if at < _LOCATOR_SIZE:
        return None
    locator = reader.read(at - _LOCATOR_SIZE, _LOCATOR_SIZE)
    if locator[:4] != _LOCATOR64:
        return None
    told = struct.unpack("<Q", locator[8:16])[0]
    for place in (told, at - _LOCATOR_SIZE - _END64_SIZE):
        record = reader.read(place, _END64_SIZE) if 0 <= place < reader.size else b""
        if len(record) == _END64_SIZE and record[:4] == _END64:
            total, size, offset = struct.unpack("<QQQ", record[32:56])
            return total, size, offset, place
    return None


def _entries(area: bytes, shift: int) -> tuple[list[Entry], bool]:
    found: list[Entry] = []
    place = 0
    while place + _CENTRAL_SIZE <= len(area):
        if area[place : place + 4] != _CENTRAL:
            return found, False
        flags, method, _, _, crc, packed, size, name_size, extra_size, note_size = struct.unpack(
            "<HHHHLLLHHH", area[place + 8 : place + 34]
        )
        offset = struct.unpack("<L", area[place + 42 : place + 46])[0]
        name = place + _CENTRAL_SIZE
        extra = area[name + name_size : name + name_size + extra_size]
        wide = _wide(extra, (size, packed, offset))
        size, packed, offset = wide[0], wide[1], wide[2]
        told = None if flags & _MASKED else crc
        found.append(
            Entry(_name(area[name : name + name_size], flags), offset + shift, method, flags, told, packed, size)
        )
        place = name + name_size + extra_size + note_size
    return found, place == len(area)


def _wide(extra: bytes, narrow: tuple[int, ...]) -> list[int]:
    """Numbers of 32 bits, those that are full replaced by the ones of 64 bits."""
    found = list(narrow)
    place = 0
    while place + 4 <= len(extra):
        key, size = struct.unpack("<HH", extra[place : place + 4])
        if key == 1:
            area = extra[place + 4 : place + 4 + size]
            for number, value in enumerate(narrow):
                if value == _FULL and len(area) >= 8:  # noqa: PLR2004 - 64 bits
                    found[number] = struct.unpack("<Q", area[:8])[0]
                    area = area[8:]
            break
        place += 4 + size
    return found


def _name(raw: bytes, flags: int) -> str:
    """Names are UTF-8 when a flag says so; most that say nothing are, too, and the rest is from the days of DOS."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw.decode("cp437")
