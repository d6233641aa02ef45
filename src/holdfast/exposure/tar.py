"""Tar as arithmetic over buffers: what each byte of an archive is, while it passes by.

ustar, pax, GNU long names and volumes, both kinds of sparse files, and what was written before ustar.

Rules:
1. Nothing is believed: a header counts only when its checksum is right. What is no header where one should be is told,
   and the next block that is one is looked for.
2. Content is never kept, only headers, long names and maps of sparse files, each up to a limit.
3. An archive without its end is truncated, even when the last member is whole.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

BLOCK = 512
LONGEST_META = 1 << 20
"""Bytes of a long name or of pax records; what is longer is passed over and told."""
MOST_PIECES = 100_000
"""Pieces of a sparse file."""
_MAGIC_AT, _SUM_AT, _SUM_END, _TYPE_AT = 257, 148, 156, 156
_WITHOUT_CONTENT = frozenset(b"123456")
_META = frozenset(b"LKxgX")
_OLD_SPARSE = ord("S")
_EMPTY = bytes(BLOCK)
_SPARSE_1 = (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"))
_WANTED = frozenset({"path", "linkpath", "size"}) | {
    f"GNU.sparse.{one}" for one in ("name", "map", "major", "minor", "realsize", "size", "numblocks")
}
"""Records that say where something is; others are not kept, so that no archive fills the memory."""
_OCTAL = re.compile(rb"[ \x00]*([0-7]+)[ \x00]*")
_MAX_SIZE = 1 << 62


@dataclass(slots=True)
class Member:
    """One member as its headers tell it."""

    name: str
    header: int
    """Byte of the archive at which the first of its headers begins."""
    data: int
    """Byte at which its content begins as stored."""
    size: int
    """Bytes of content as stored."""
    type: int
    link: str = ""
    pieces: list[tuple[int, int]] | None = None
    """Of a sparse file: place and length of each piece that is stored, in order; none for other files."""
    real_size: int = 0
    _ends: list[int] | None = None
    """Stored bytes up to the end of each piece."""

    def place(self, stored: int) -> int:
        """Where a byte of the stored content is in the file."""
        return self.stretch(stored)[0]

    def stretch(self, stored: int) -> tuple[int, int]:
        """Where a byte of the stored content is in the file, and how many follow it without a hole."""
        if self.pieces is None:
            return stored, self.size - stored
        if self._ends is None or len(self._ends) != len(self.pieces):
            self._ends = list(accumulate(length for _, length in self.pieces))
        number = bisect_right(self._ends, stored)
        if number == len(self.pieces):
            return max(self.real_size, sum(self.pieces[-1]) if self.pieces else 0), self.size - stored
        at, length = self.pieces[number]
        return at + length - (self._ends[number] - stored), self._ends[number] - stored


class Part(NamedTuple):
    """A stretch of a piece that was fed."""

    what: Literal["member", "data", "end", "fault"]
    member: Member | None
    at: int
    """Of data: where in the piece."""
    length: int
    reason: str = ""


def begins(head: bytes) -> bool:
    """Whether a tar begins with these bytes."""
    if head[_MAGIC_AT : _MAGIC_AT + 5] == b"ustar":
        return _OCTAL.fullmatch(head[_SUM_AT:_SUM_END]) is not None and head[0] != 0
    if len(head) < BLOCK or head[0] == 0 or _OCTAL.fullmatch(head[_SUM_AT:_SUM_END]) is None:
        return False
    return head[_TYPE_AT] in b"\x0001234567" and _sum_is_right(head)


class Walker:
    """Tells of every stretch what it is, in order."""

    def __init__(self) -> None:
        """At the beginning of an archive."""
        self.at = 0
        """Bytes passed."""
        self._held = b""
        self._left = 0
        self._pad = 0
        self._member: Member | None = None
        self._meta: bytearray | None = None
        self._meta_type = 0
        self._first_header: int | None = None
        self._long: dict[str, str] = {}
        self._globals: dict[str, str] = {}
        self._records: dict[str, str] = {}
        self._pieces_of_records: list[tuple[int, int]] | None = None
        self._ended = False
        self._lost = False
        self._map = b""
        self._map_wanted = False
        self._more_pieces = False

    def feed(self, piece: bytes) -> list[Part]:
        """What the stretches of the next piece are."""
        parts: list[Part] = []
        place, size = 0, len(piece)
        while place < size:
            if self._left:
                place += self._content(piece, place, parts)
            elif self._pad:
                step = min(self._pad, size - place)
                self._pad -= step
                place += step
                self.at += step
            else:
                place += self._block(piece, place, parts)
        return parts

    def close(self) -> list[Part]:
        """What is missing at the end."""
        if self._member is not None:
            name = self._member.name
            return [Part("end", self._member, 0, 0), Part("fault", None, 0, 0, f"truncated within {name}")]
        if not self._ended or self._left or self._pad or self._held:
            return [Part("fault", None, 0, 0, "truncated: the end of the archive is missing")]
        return []

    # -- content

    def _content(self, piece: bytes, place: int, parts: list[Part]) -> int:
        step = min(self._left, len(piece) - place)
        if self._meta is not None:
            if len(self._meta) <= LONGEST_META:
                self._meta += piece[place : place + step]
        elif self._map_wanted:
            step = min(step, BLOCK - len(self._map) % BLOCK)
            self._map += piece[place : place + step]
        elif self._member is not None:
            parts.append(Part("data", self._member, place, step))
        self._left -= step
        self.at += step
        if self._map_wanted and len(self._map) % BLOCK == 0:
            self._read_map(parts)
        if not self._left:
            self._finish(parts)
        return step

    def _finish(self, parts: list[Part]) -> None:
        if self._meta is not None:
            self._apply_meta(parts)
            self._meta = None
        elif self._member is not None:
            if self._map_wanted:
                self._map_wanted = False
                parts.append(Part("fault", None, 0, 0, f"the map of the sparse file {self._member.name} is damaged"))
            parts.append(Part("end", self._member, 0, 0))
            self._member = None

    def _read_map(self, parts: list[Part]) -> None:
        """The map that stands before the content of a sparse file of pax 1.0: decimal numbers, one a line."""
        member = self._member
        assert member is not None
        lines = self._map.split(b"\n")
        count = _decimal(lines[0]) if len(lines) > 1 else None
        if len(lines) > 1 and (count is None or count > MOST_PIECES):
            self._map_over(member)
            parts.append(Part("fault", None, 0, 0, f"the map of the sparse file {member.name} is damaged"))
        elif count is not None and len(lines) > 2 * count + 1:
            numbers = [_decimal(line) for line in lines[1 : 2 * count + 1]]
            self._map_over(member)
            member.pieces = _pieces([number or 0 for number in numbers])

    def _map_over(self, member: Member) -> None:
        self._map_wanted = False
        member.data += len(self._map)
        member.size -= len(self._map)

    # -- headers

    def _block(self, piece: bytes, place: int, parts: list[Part]) -> int:
        if not self._held and len(piece) - place >= BLOCK:
            block, step = piece[place : place + BLOCK], BLOCK
        else:
            step = min(BLOCK - len(self._held), len(piece) - place)
            self._held += piece[place : place + step]
            if len(self._held) < BLOCK:
                self.at += step
                return step
            block, self._held = self._held, b""
        at = self.at + step - BLOCK
        self.at += step
        if self._more_pieces:
            self._pieces_block(block, parts)
        elif block == _EMPTY:
            self._ended = True
        else:
            self._header(bytes(block), at, parts)
        return step

    def _header(self, block: bytes, at: int, parts: list[Part]) -> None:
        size = _number(block[124:136])
        if not _sum_is_right(block) or size is None or size > _MAX_SIZE:
            if not self._lost and not self._ended:
                parts.append(Part("fault", None, 0, 0, f"a damaged header at byte {at}"))
            self._lost = True
            return
        self._lost = self._ended = False
        if self._first_header is None:
            self._first_header = at
        kind = block[_TYPE_AT]
        if kind in _META:
            self._meta, self._meta_type = bytearray(), kind
            self._start(size, parts)
            return
        self._begin(block, kind, size, parts)

    def _begin(self, block: bytes, kind: int, size: int, parts: list[Part]) -> None:
        records = {**self._globals, **self._records} if self._globals else self._records
        if "size" in records and (told := _decimal(records["size"].encode())) is not None:
            size = told
        first = self._first_header
        member = Member(self._name(block, records), self.at - BLOCK if first is None else first, self.at, size, kind)
        if kind in _WITHOUT_CONTENT:
            member.size = size = 0
            member.link = self._long.pop("link", "") or records.get("linkpath", "") or _text(block[157:257])
        self._long, self._records, self._first_header = {}, {}, None
        self._member = member
        if records or kind == _OLD_SPARSE:
            self._sparse(member, block, records)
        parts.append(Part("member", member, 0, 0))
        if self._more_pieces:
            self._left = 0
        else:
            self._start(size, parts)

    def _sparse(self, member: Member, block: bytes, records: dict[str, str]) -> None:
        if member.type == _OLD_SPARSE:
            member.pieces = _old_pieces(block[386:482])
            member.real_size = _number(block[483:495]) or 0
            self._more_pieces = bool(block[482])
        elif all(records.get(key) == value for key, value in _SPARSE_1):
            self._map, self._map_wanted = b"", member.size > 0
        elif "GNU.sparse.map" in records:
            member.pieces = _pieces([_decimal(one.encode()) or 0 for one in records["GNU.sparse.map"].split(",")])
        elif "GNU.sparse.numblocks" in records:
            member.pieces = self._pieces_of_records
        told = records.get("GNU.sparse.realsize") or records.get("GNU.sparse.size") or ""
        member.real_size = _decimal(told.encode()) or member.real_size

    def _pieces_block(self, block: bytes, parts: list[Part]) -> None:
        member = self._member
        assert member is not None
        assert member.pieces is not None
        if len(member.pieces) < MOST_PIECES:
            member.pieces += _old_pieces(block[:504])
        self._more_pieces = bool(block[504])
        if not self._more_pieces:
            member.data = self.at
            self._start(member.size, parts)

    def _start(self, size: int, parts: list[Part]) -> None:
        self._left, self._pad = size, -size % BLOCK
        if not size:
            self._finish(parts)

    def _name(self, block: bytes, records: dict[str, str]) -> str:
        name = records.get("GNU.sparse.name") or self._long.pop("name", "") or records.get("path", "")
        if name:
            return name
        name = _text(block[:100])
        prefix = _text(block[345:500]) if block[_MAGIC_AT : _MAGIC_AT + 6] == b"ustar\x00" else ""
        return f"{prefix}/{name}" if prefix else name

    # -- what stands before a header

    def _apply_meta(self, parts: list[Part]) -> None:
        assert self._meta is not None
        if len(self._meta) > LONGEST_META:
            parts.append(Part("fault", None, 0, 0, f"a name or record of more than {LONGEST_META >> 10} KB is ignored"))
        elif self._meta_type in b"LK":
            self._long["name" if self._meta_type == ord("L") else "link"] = _text(bytes(self._meta))
        else:
            found, whole = _records(bytes(self._meta))
            if not whole:
                parts.append(Part("fault", None, 0, 0, f"damaged pax records before byte {self.at}"))
            target = self._globals if self._meta_type == ord("g") else self._records
            target.update(found)
            numbers = [_decimal(value.encode()) or 0 for key, value in found.items() if key.startswith("\0")]
            self._pieces_of_records = _pieces(numbers) if numbers else None
        if self._meta_type == ord("g"):
            self._first_header = None


def _records(data: bytes) -> tuple[dict[str, str], bool]:
    """Pax records: length, space, key, equals sign, value and line end each; places of sparse files in their order."""
    found: dict[str, str] = {}
    place = 0
    while place < len(data) and data[place]:
        space = data.find(b" ", place, place + 20)
        length = _decimal(data[place:space]) if space > 0 else None
        record = data[space + 1 : place + length - 1] if length else b""
        key, equals, value = record.partition(b"=")
        if not length or not equals or place + length > len(data):
            return found, False
        name = _text(key)
        if name in {"GNU.sparse.offset", "GNU.sparse.numbytes"}:
            found[f"\0{place}"] = _text(value)
        elif name in _WANTED:
            found[name] = value.decode("utf-8", "surrogateescape")
        place += length
    return found, True


def _pieces(numbers: list[int]) -> list[tuple[int, int]]:
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _old_pieces(area: bytes) -> list[tuple[int, int]]:
    found = []
    for place in range(0, len(area) - 23, 24):
        at, length = _number(area[place : place + 12]), _number(area[place + 12 : place + 24])
        if at is None or length is None or not area[place]:
            break
        found.append((at, length))
    return found


def _number(field: bytes) -> int | None:
    """Octal digits, or base 256 when the first bit is set."""
    if field and field[0] & 0x80:
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big") if field[0] != 0xFF else None  # noqa: PLR2004 - negative
    match = _OCTAL.fullmatch(field)
    if match:
        return int(match[1], 8)
    return 0 if not field.strip(b" \x00") else None


def _decimal(field: bytes) -> int | None:
    return int(field) if field.isdigit() and len(field) < 19 else None  # noqa: PLR2004 - 63 bits


def _text(field: bytes) -> str:
    return field.partition(b"\x00")[0].decode("utf-8", "surrogateescape")


def _sum_is_right(block: bytes) -> bool:
    told = _number(block[_SUM_AT:_SUM_END])
    total = sum(block[:_SUM_AT]) + sum(block[_SUM_END:]) + 8 * 32
    if told == total:
        return True
    high = sum(1 for byte in block if byte >= 128) - sum(1 for byte in block[_SUM_AT:_SUM_END] if byte >= 128)  # noqa: PLR2004 - signed bytes
    return told == total - 256 * high
