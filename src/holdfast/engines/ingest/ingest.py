"""Sources into Parquet: plan, read on several processes, take duplicates out, account for everything.

Rules:
1. Files are numbered by path; what archives hold is numbered after all files, by archive and place. So the result is
   the same for any number of processes and any order of the sources.
2. Nothing in a source raises. Faults of our own disk do.
3. For every input, and in total: records = rows + duplicates + quarantined.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast.app.ports_investigation import Ingested, Progress, Source
from holdfast.engines.ingest.contents import content_digests
from holdfast.engines.ingest.deduplicating import CONFLICTS, Duplicates, deduplicate
from holdfast.engines.ingest.limits import Limits
from holdfast.engines.ingest.reading import Setup
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.walking import found
from holdfast.engines.ingest.work import Done, Job, Listed, Wanted
from holdfast.engines.ingest.workers import run_jobs
from holdfast.investigation import captured
from holdfast.investigation.activity import Column
from holdfast.investigation.reading import Mapped

_ALONE = 4 << 20
"""Bytes up to which starting processes costs more than it gives."""
_SMALLEST, _LARGEST, _JOBS, _FILES = 2 << 20, 32 << 20, 24, 2000
"""Bytes of a job, how many there should be, and files in one."""
_PACKED = (".gz", ".zst", ".xz", ".bz2", ".zip", ".tgz")


@dataclass(slots=True)
class ParquetIngest:
    """The ingest port on Parquet files."""

    clock_us: Callable[[], int]
    workers: int = 2
    """Processes; 0 reads in this one."""
    unproven: frozenset[str] = frozenset()
    """Keys of readers that are off because nothing proves them, and that a person asks for."""
    mapping: Mapped | None = None
    limits: Limits = field(default_factory=Limits)

    def __call__(self, sources: Sequence[Source], folder: Path, progress: Progress | None = None) -> Ingested:
        """Read everything into the folder, which is made; what it holds of an earlier run is left alone."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return _Run(self, folder, progress or _quiet).all(sources)
        except BaseException:
            shutil.rmtree(folder / "parts", ignore_errors=True)  # interrupted: leave no half of a result
            raise


def _quiet(done: int, total: int, what: str) -> None:
    """Nobody listens."""


class _Run:
    def __init__(self, ingest: ParquetIngest, folder: Path, progress: Progress) -> None:
        self._ingest, self._progress = ingest, progress
        self._folder = folder
        self._parts = folder / "parts"
        self._setup = Setup(ingest.limits, ingest.unproven, ingest.mapping)
        self._read = self._total = 0

    def all(self, sources: Sequence[Source]) -> Ingested:
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir(mode=0o700)
        files = [
            Wanted(one.path, one.shown, one.item, one.size, number, one.trouble)
            for number, one in enumerate(found(sources, self._ingest.limits), 1)
        ]
        self._total = sum(file.size for file in files)
        workers = self._ingest.workers if self._total > _ALONE else 0
        results = self._jobs(self._plan(files, "f"), workers)
        archives = [one for done in results for one in done.archives]
        members = _numbered(archives, len(files))
        results += self._jobs(self._plan(members, "m"), self._ingest.workers if archives else 0)
        tallies = {tally.input_no: tally for done in results for tally in _in_order(done)}
        parts = [part for done in results for part in done.parts]
        self._progress(self._total, self._total, "looking for duplicates")
        duplicates = deduplicate(parts, self._setup, workers)
        kept = {part.path for part in duplicates.parts}
        for left in self._parts.iterdir():  # hashes, and what a process that died had begun
            if left not in kept:
                left.unlink()
        return self._ingested(results, tallies, duplicates, [*files, *members])

    def _plan(self, files: Sequence[Wanted], prefix: str) -> list[Job]:
        weight = max(_SMALLEST, min(_LARGEST, sum(map(_weight, files)) // _JOBS))
        jobs: list[list[Wanted]] = []
        held = 0
        for file in files:
            if not jobs or held + _weight(file) > weight or len(jobs[-1]) >= _FILES:
                jobs.append([])
                held = 0
            jobs[-1].append(file)
            held += _weight(file)
        return [Job(f"{prefix}{place:05d}", self._parts, tuple(job)) for place, job in enumerate(jobs)]

    def _jobs(self, jobs: Sequence[Job], workers: int) -> list[Done]:
        return run_jobs(jobs, self._setup, workers, self._finished)

    def _finished(self, job: Job) -> None:
        if job.files[0].members is None:
            self._read += job.size
        self._progress(self._read, self._total, job.files[-1].shown)

    def _ingested(
        self, results: Sequence[Done], tallies: Mapping[int, Tally], duplicates: Duplicates, files: Sequence[Wanted]
    ) -> Ingested:
        for number, count in duplicates.dropped.items():
            tallies[number].duplicates += count
            tallies[number].rows -= count
        for number, count in duplicates.conflicting.items():
            tallies[number].reasons["same event id, different content"] += count
        tables: dict[str, tuple[tuple[Column, ...], list[Mapping[str, Any]]]] = {
            name: (columns, [row for done in results for row in done.tables.get(name, ())])
            for name, columns in captured.tables().items()
        }
        tables["conflicts"] = (CONFLICTS, duplicates.conflicts)
        ordered = [tallies[number] for number in sorted(tallies)]
        contents = content_digests(ordered, files, self._ingest.limits, self._parts)
        now = self._ingest.clock_us()
        inputs = tuple({**tally.row(now), "content_sha256": contents.get(tally.input_no)} for tally in ordered)
        listed = tuple(one for tally in ordered for one in sorted(tally.listed, key=lambda one: one["ordinal"]))
        return Ingested(self._folder, tuple(part.path for part in duplicates.parts), inputs, listed, tables)


def _weight(file: Wanted) -> int:
    """Bytes as if compressed; a guess by name that only evens out the jobs."""
    return file.size if file.shown.lower().endswith(_PACKED) else file.size // 8


def _in_order(done: Done) -> list[Tally]:
    return sorted(done.tallies, key=lambda tally: tally.input_no)


def _numbered(archives: Sequence[Listed], used: int) -> list[Wanted]:
    """Archives again, each with numbers for its members."""
    wanted = []
    number = used
    for archive in archives:
        members: dict[int, tuple[int, str]] = {}
        seen: dict[str, int] = {}
        for place, name in enumerate(archive.names):
            number += 1
            seen[name] = seen.get(name, 0) + 1
            again = f"#{seen[name]}" if seen[name] > 1 else ""
            members[place] = (number, f"{archive.file.shown}{name}{again}")
        wanted.append(replace(archive.file, members=members))
    return wanted
