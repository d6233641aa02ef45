"""Captured files as plain members: what is compressed is inflated, what is an archive is walked through.

Rules:
1. A compressed file is the same input as the file; only members of archives (tar, zip) are inputs of their own, named
   after an exclamation mark.
2. Links, devices and encrypted members are named with a reason; nothing is ever written under a member's name.
3. Archives within archives are opened down to a depth, members up to a number, bytes up to a budget.
"""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from holdfast.engines.ingest.inflating import PIECE, Budget, compression, inflated
from holdfast.engines.ingest.limits import Limits
from holdfast.investigation.framing import BrokenOffError, Chunks

_TAR_AT, _HEAD = 257, 512


@dataclass(slots=True)
class Member:
    """Plain bytes with a name: of an archive, or the whole file when the name is empty."""

    name: str
    size: int
    chunks: Chunks
    packed: bool = False
    """Whether it was compressed by itself, whatever it lay in."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What is met where an archive begins; its members follow."""

    name: str


Met = Member | Archive
"""Whoever walks through reads each member before asking for the next, or not at all."""


def opened(file: IO[bytes], size: int, limits: Limits, spool: Path) -> Iterator[Met]:
    """Everything in a captured file. The first that comes tells whether it is an archive."""
    opener = _Opener(Budget(size, limits), limits, spool, file)
    yield from opener.walk(Chunks(file_chunks(file)), "", size, 0)


def file_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """A file in pieces.

    Raises:
        BrokenOffError: it could not be read on.
    """
    while True:
        try:
            piece = stream.read(PIECE)
        except OSError as fault:
            raise BrokenOffError(f"the disk could not read it: {fault.strerror or 'no reason told'}") from fault
        if not piece:
            return
        yield piece


class _Opener:
    def __init__(self, budget: Budget, limits: Limits, spool: Path, file: IO[bytes]) -> None:
        self._budget, self._limits, self._spool, self._file = budget, limits, spool, file
        self._members = 0

    def walk(self, chunks: Chunks, name: str, size: int, depth: int) -> Iterator[Met]:
        head, _ = chunks.head(_HEAD)
        layers = depth
        while (kind := compression(head)) is not None:
            layers += 1
            if layers > self._limits.depth:
                yield Member(name, size, _broken(f"compressed or archived more than {self._limits.depth} times"))
                return
            chunks = Chunks(inflated(chunks, kind, self._budget))
            head, _ = chunks.head(_HEAD)
        if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
            outermost = not name and layers == 0
            members = self._zip_members(self._file, name, layers) if outermost else self._zip(chunks, name, layers)
            yield from self._inner(members, name, layers)
        elif head[_TAR_AT : _TAR_AT + 5] == b"ustar":
            yield from self._inner(self._tar(chunks, name, layers), name, layers)
        else:
            yield Member(name, size, chunks, layers > depth)

    def _inner(self, members: Iterator[Met], name: str, layers: int) -> Iterator[Met]:
        if layers >= self._limits.depth:
            yield Member(name, 0, _broken(f"compressed or archived more than {self._limits.depth} times"))
            return
        yield Archive(name)
        try:
            yield from members
        except BrokenOffError as fault:
            yield Member(f"{name}!", 0, _broken(str(fault)))

    def _count(self) -> None:
        self._members += 1
        if self._members > self._limits.members:
            raise BrokenOffError(f"more than {self._limits.members:,} members: the rest was not read")

    def _tar(self, chunks: Chunks, name: str, layers: int) -> Iterator[Met]:
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", _Stream(chunks)), mode="r|", errorlevel=0) as archive:
                for entry in archive:
                    if entry.isdir():
                        continue
                    self._count()
                    shown = f"{name}!{_shown(entry.name)}"
                    stream = archive.extractfile(entry) if entry.isreg() else None
                    if stream is None:
                        yield Member(shown, 0, _broken("a link or a special file"))
                    else:
                        yield from self.walk(Chunks(_tar_chunks(stream)), shown, entry.size, layers + 1)
        except (tarfile.TarError, OSError, EOFError, ValueError) as fault:
            raise BrokenOffError(chunks.fault or "damaged archive: the rest was not read") from fault
        chunks.check()

    def _zip(self, chunks: Chunks, name: str, layers: int) -> Iterator[Met]:
        with tempfile.TemporaryFile(dir=self._spool) as file:
            length = 0
            for piece in chunks:
                length += len(piece)
                if length > self._limits.spool:
                    raise BrokenOffError(f"a zip over {self._limits.spool >> 20} MB within another archive")
                file.write(piece)
            yield from self._zip_members(file, name, layers)
        chunks.check()

    def _zip_members(self, file: IO[bytes], name: str, layers: int) -> Iterator[Met]:
        try:
            with zipfile.ZipFile(file) as archive:
                for entry in archive.infolist():
                    if entry.filename.endswith("/"):  # ``is_dir`` fails on a member without a name
                        continue
                    self._count()
                    shown = f"{name}!{_shown(entry.filename)}"
                    pieces = Chunks(self._zip_chunks(archive, entry))
                    yield from self.walk(pieces, shown, entry.file_size, layers + 1)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, OverflowError) as fault:
            raise BrokenOffError("damaged archive: the rest was not read") from fault

    def _zip_chunks(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        if entry.flag_bits & 1:
            raise BrokenOffError("encrypted")
        try:
            with archive.open(entry) as stream:
                while piece := stream.read(PIECE):
                    self._budget.spend(len(piece))
                    yield piece
        except (zipfile.BadZipFile, NotImplementedError, zlib.error, OSError, EOFError, ValueError) as fault:
            raise BrokenOffError("a damaged member of an archive") from fault


def _tar_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    try:
        while piece := stream.read(PIECE):
            yield piece
    except (tarfile.TarError, OSError, EOFError) as fault:
        raise BrokenOffError("truncated") from fault


def _broken(reason: str) -> Chunks:
    def pieces() -> Iterator[bytes]:
        raise BrokenOffError(reason)
        yield b""

    return Chunks(pieces())


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


class _Stream:
    """Chunks as a file that tarfile reads."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, size: int) -> bytes:
        parts, need = [], size
        while need > 0:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            parts.append(self._rest[:need])
            self._rest = self._rest[need:]
            need -= len(parts[-1])
        return b"".join(parts)
