"""One job: a few files, or members of one archive, read by one process into Parquet files of its own."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from holdfast.engines.ingest.inflating import PIECE
from holdfast.engines.ingest.opening import Archive, Member, opened
from holdfast.engines.ingest.reading import Desk, Setup
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.writing import Part, PartWriter
from holdfast.investigation.delivery import delivered_us
from holdfast.investigation.framing import BrokenOffError

_IN_MEMORY = 32 << 20
"""Captured files up to here are read once; larger ones twice, because their digest stands in every row."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A captured file to read."""

    path: Path
    shown: str
    item: str | None
    size: int
    input_no: int
    trouble: str | None = None
    members: Mapping[int, tuple[int, str]] | None = None
    """Place in the archive to input number and shown path; none: read the file itself, and list it if an archive."""


@dataclass(frozen=True, slots=True)
class Job:
    """Files that one process reads, in order of their numbers."""

    name: str
    folder: Path
    files: tuple[Wanted, ...]

    @property
    def size(self) -> int:
        """Bytes as captured."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Listed:
    """An archive: its members' names in order."""

    file: Wanted
    names: tuple[str, ...]


@dataclass(slots=True)
class Done:
    """What a job gave."""

    parts: list[Part] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    tables: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    archives: list[Listed] = field(default_factory=list)


def read_job(job: Job, setup: Setup) -> Done:
    """Read the files. Only faults of our own disk are raised."""
    writer = PartWriter(job.folder, job.name, setup.limits)
    desk = Desk(setup, writer)
    done = Done()
    for file in job.files:
        _Reading(desk, setup, job.folder, done).file(file)
    done.parts = writer.close()
    done.tables = desk.tables.rows
    return done


@dataclass(slots=True)
class _Reading:
    desk: Desk
    setup: Setup
    spool: Path
    done: Done

    def file(self, file: Wanted) -> None:
        tally = Tally(file.input_no, file.shown, file.item, size=file.size, delivered_us=delivered_us(file.shown))
        if file.trouble is not None:
            tally.quarantine(file.trouble)
            self.done.tallies.append(tally)
            return
        try:
            with _opened(file.path) as stream:
                content, digest = _content(stream)
                tally.sha256 = digest
                if file.members is None:
                    self._whole(file, tally, content)
                else:
                    self._members(file, digest, content)
                _unchanged(content, digest)
        except BrokenOffError as fault:
            tally.quarantine(str(fault))
        except OSError as fault:
            tally.quarantine(f"cannot be opened: {(fault.strerror or 'no reason told').lower()}")
        if file.members is None or tally.quarantined:
            self.done.tallies.append(tally)

    def _whole(self, file: Wanted, tally: Tally, content: IO[bytes]) -> None:
        names: list[str] = []
        archive = False
        for met in opened(content, file.size, self.setup.limits, self.spool):
            if isinstance(met, Archive):
                archive = True
            elif archive:
                names.append(met.name)
            else:
                self.desk.read(tally, met.chunks)
        if archive:
            tally.kind = "archive"
            self.done.archives.append(Listed(file, tuple(names)))

    def _members(self, file: Wanted, digest: str, content: IO[bytes]) -> None:
        for place, met in enumerate(_only_members(opened(content, file.size, self.setup.limits, self.spool))):
            if file.members is None or place not in file.members:
                continue
            number, shown = file.members[place]
            tally = Tally(number, shown, file.item, digest, met.size, delivered_us(shown))
            self.done.tallies.append(tally)
            self.desk.read(tally, met.chunks)


def _only_members(met: Iterator[Member | Archive]) -> Iterator[Member]:
    return (one for one in met if isinstance(one, Member))


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)


def _content(stream: IO[bytes]) -> tuple[IO[bytes], str]:
    """The captured bytes and their SHA-256."""
    data = stream.read(_IN_MEMORY + 1)
    if len(data) <= _IN_MEMORY and not stream.read(1):
        return io.BytesIO(data), hashlib.sha256(data).hexdigest()
    del data
    return stream, _digest(stream)


def _digest(stream: IO[bytes]) -> str:
    stream.seek(0)
    state = hashlib.sha256()
    while piece := stream.read(PIECE):
        state.update(piece)
    stream.seek(0)
    return state.hexdigest()


def _unchanged(content: IO[bytes], digest: str) -> None:
    """Hold that a large file is still what its digest says.

    Raises:
        BrokenOffError: it changed while it was read.
    """
    if not isinstance(content, io.BytesIO) and _digest(content) != digest:
        raise BrokenOffError("changed while it was read")
