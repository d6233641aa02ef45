"""A zip, read from its end: what its directory lists, and what it does not.

Rules:
1. Each byte is opened once; members that share bytes are told and not opened again.
2. A member that cannot be opened is a fault of its own; the next one is still read.
3. Where a match of the zip's own bytes lies tells whether it was told by the member's own search.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from isal import isal_zlib

from holdfast.engines.exposure.inflating import MAKERS, DamagedError, Inflater, ZipLzma
from holdfast.engines.exposure.running import Place, Run, Sink, Where
from holdfast.exposure import zips
from holdfast.exposure.zips import Entry, Held, Reader

_STEP = 1 << 18
_MOST_STRAYS = 10_000
NOT_LISTED = " (not in the directory)"


@dataclass(slots=True)
class _Range:
    start: int
    data: int
    end: int
    name: str
    searched: bool
    """Whether the content stands there as it is, and was searched to its end."""


class Zip:
    """Collects a zip, unless it can be read where it is, and opens it when it is whole."""

    def __init__(self, run: Run, where: Where, reader: Reader | None = None) -> None:
        """Of a reader, or of what will be fed."""
        self._run, self._where, self._reader = run, where, reader
        self._data = bytearray()
        self._refused = False
        self._ranges: list[_Range] = []
        self._until = 0
        self._strays = 0

    def place(self, at: int, end: int) -> Place | None:
        """See :class:`~holdfast.engines.exposure.running.Opener`; known only after it was closed."""
        number = bisect_right(self._ranges, at, key=lambda one: one.start) - 1
        found = self._ranges[number] if number >= 0 else None
        if found is None or at >= found.end:
            return Place(self._where.inner, 0, known=False)
        if at < found.data:
            return Place((*self._where.inner, f"{found.name} (header)"), found.start, known=False)
        if found.searched and end <= found.end:
            return None
        return Place((*self._where.inner, f"{found.name} (as stored)"), found.data, known=False)

    def feed(self, piece: bytes) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        if self._reader is not None or self._refused:
            return
        if self._run.hold(len(piece)):
            self._data += piece
        else:
            self._refused = True
            self._let_go()
            told = f"a zip within another container is not opened: more than {self._run.limits.held >> 20} MB in memory"
            self._run.fault(self._where.inner, told)

    def close(self) -> None:
        """See :class:`~holdfast.engines.exposure.running.Sink`."""
        if self._refused:
            return
        try:
            self._walk(self._reader or Held(self._data))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._run.held -= len(self._data)
        self._data = bytearray()

    def _walk(self, reader: Reader) -> None:
        told = zips.directory(reader)
        for reason in told.faults:
            self._run.fault(self._where.inner, reason)
        shared = 0
        for entry in sorted(told.entries, key=lambda one: one.at):
            if entry.at < self._until:
                shared += 1
                continue
            found = zips.located(reader, entry)
            if found is None:
                self._fault(entry.name, "not where the directory says")
                continue
            self._unlisted(reader, self._until, entry.at)
            self._until = max(self._until, self._entry(reader, found, found.name))
        if shared:
            self._run.fault(self._where.inner, f"{shared} members share bytes with others and are not opened again")
        self._unlisted(reader, self._until, told.start)

    def _unlisted(self, reader: Reader, start: int, end: int) -> None:
        """Open what stands between the listed members."""
        while start < end and (entry := zips.stray(reader, start, end)) is not None:
            self._strays += 1
            if self._strays > _MOST_STRAYS:
                told = f"more than {_MOST_STRAYS:,} members that are not in the directory: the rest is not opened"
                self._run.fault(self._where.inner, told)
                return
            start = max(self._entry(reader, entry, entry.name + NOT_LISTED, end), entry.data)

    def _entry(self, reader: Reader, entry: Entry, name: str, limit: int | None = None) -> int:
        """Open a member; returns where it ends."""
        self._run.member()
        limit = reader.size if limit is None else limit
        packed = entry.packed
        if packed == zips.UNTIL_ITS_END:
            known = entry.method in zips.METHODS and entry.method != zips.STORED and not entry.encrypted
            packed = (limit if known else zips.next_record(reader, entry.data, limit)) - entry.data
        end = entry.data + packed
        ranged = _Range(entry.at, entry.data, min(end, reader.size), name, searched=False)
        self._ranges.append(ranged)
        if entry.folder:
            return ranged.end
        if entry.encrypted:
            self._fault(name, "encrypted")
        elif entry.method not in zips.METHODS:
            kind = zips.NAMES.get(entry.method, f"method {entry.method}")
            self._fault(name, f"compressed by {kind}, which is not undone")
        else:
            whole, ranged.end = self._content(reader, entry, name, ranged.end)
            ranged.searched = whole and entry.method == zips.STORED
            if end > reader.size and entry.packed != zips.UNTIL_ITS_END:
                self._fault(name, "truncated")
        return ranged.end

    def _content(self, reader: Reader, entry: Entry, name: str, end: int) -> tuple[bool, int]:
        """Search what a member holds; whether it was whole, and where it ends."""
        child = self._run.stream(self._where.within(name, "zip"))
        content = _Content(self._run, child, entry)
        stopped = ""
        try:
            content.read(reader, end)
        except DamagedError as damage:
            stopped = str(damage)
        child.close()
        stopped = stopped or content.missing()
        if stopped:
            self._fault(name, stopped)
        return not stopped, content.place if entry.packed == zips.UNTIL_ITS_END else end

    def _fault(self, name: str, reason: str) -> None:
        self._run.fault((*self._where.inner, name), reason)


class _Content:
    """The content of one member on its way."""

    def __init__(self, run: Run, child: Sink, entry: Entry) -> None:
        self._run, self._child, self._entry = run, child, entry
        self._inflater = _inflater(entry.method)
        self._crc = self._given = 0
        self.place = entry.data

    def read(self, reader: Reader, end: int) -> None:
        inflater = self._inflater
        for piece in _read(reader, self._entry.data, end):
            self.place += len(piece)
            if inflater is None:
                self._crc = isal_zlib.crc32(piece, self._crc)
                self._child.feed(piece)
                continue
            for out in inflater.feed(piece):
                self._pass_on(out)
            if inflater.ended:
                self.place -= len(inflater.rest)
                return

    def missing(self) -> str:
        """What is wrong at the end; nothing if all is well."""
        if self._inflater is not None and not self._inflater.ended and not self._endless():
            return "truncated"
        wrong = self._entry.crc is not None and self._crc != self._entry.crc
        return "a checksum does not match" if wrong else ""

    def _endless(self) -> bool:
        """LZMA in a zip may have no mark at its end; then its size tells."""
        return self._entry.method == _RAW_LZMA and self._given >= self._entry.size

    def _pass_on(self, out: bytes) -> None:
        self._crc = isal_zlib.crc32(out, self._crc)
        self._given += len(out)
        self._child.feed(out)
        self._run.spend(len(out))
        limits = self._run.limits
        if self._given > limits.ratio_from and self._given > (self.place - self._entry.data) * limits.ratio:
            raise DamagedError(f"inflates to more than {limits.ratio} times its size: broken off")


_RAW_LZMA = 14


def _inflater(method: int) -> Inflater | None:
    if method == zips.STORED:
        return None
    return ZipLzma() if method == _RAW_LZMA else MAKERS[zips.METHODS[method]]()


def _read(reader: Reader, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        piece = reader.read(start, min(_STEP, end - start))
        if not piece:
            return
        start += len(piece)
        yield piece
