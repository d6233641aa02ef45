"""One event told twice is one row: duplicates over all inputs of a run, by source and event id.

Rules:
1. Equal content (all columns but ``row_id``, ``src_…`` and ``delivered_us``) under an equal source and event id is a
   duplicate of the row with the lowest id, which stays.
2. Different content under an equal source and event id stays, and is told: it can be a sign of tampering.
3. A row without an event id is nobody's duplicate.

How: 64-bit hashes of the ids, sorted, tell which rows can be duplicates at all; only those are read again and compared
by 128-bit digests (BLAKE2b), which nobody can make collide to have a row dropped. Files that lose rows are written
anew. Memory is 16 bytes for each row of the run, and a bounded share of the candidates.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holdfast.engines.ingest.columns import SCHEMA, Hashes, Numbers
from holdfast.engines.ingest.reading import Setup
from holdfast.engines.ingest.workers import Workers
from holdfast.engines.ingest.writing import Part, open_part
from holdfast.investigation.activity import ORDINALS, Column

CONFLICTS: tuple[Column, ...] = (
    Column("event_uid", "text", "id under which different contents are told"),
    Column("source", "text", "source as in activity"),
    Column("row_id", "integer", "the row that was told first, by row id"),
    Column("other_row_id", "integer", "a row with another content"),
)
_COMPARED = tuple(
    name for name in SCHEMA.names if name not in {"row_id", "src_digest", "src_file", "src_ord", "delivered_us"}
)
_LISTED = 10_000
_BUCKET = 1 << 20
"""Candidates that are compared at once."""
_CANDIDATE = np.dtype([("event", "<u8"), ("high", "<u8"), ("low", "<u8"), ("row_id", "<i8")])


@dataclass(slots=True)
class Duplicates:
    """What is left, and what was taken out."""

    parts: list[Part]
    dropped: Counter[int] = field(default_factory=Counter)
    """Input number to rows that were duplicates."""
    conflicting: Counter[int] = field(default_factory=Counter)
    """Input number to rows whose content differs from an earlier row of the same event id."""
    conflicts: list[Mapping[str, Any]] = field(default_factory=list)


def deduplicate(parts: Sequence[Part], setup: Setup, workers: int) -> Duplicates:
    """Take the duplicates out of the files."""
    found = Duplicates(list(parts))
    twice = _twice([part.hashes for part in parts if part.hashes])
    if not len(twice):
        return found
    jobs = [_Compare(part, twice[np.isin(twice, _hashes(part))]) for part in parts if part.hashes]
    compared = _run(compare, [job for job in jobs if len(job.twice)], setup, workers)
    drop, others, conflicts = _decide([path for path in compared if path])
    found.dropped.update(_by_input(drop))
    found.conflicting.update(_by_input(others))
    found.conflicts = _named(parts, conflicts)
    if len(drop):
        found.parts = _rewritten(parts, np.sort(drop), setup, workers)
    return found


def _hashes(part: Part) -> Hashes:
    return np.load(part.hashes) if part.hashes else np.zeros(0, np.uint64)


def _twice(files: Sequence[Path]) -> Hashes:
    """Hashes that occur more than once in all files."""
    if not files:
        return np.zeros(0, np.uint64)
    every = np.concatenate([np.load(file) for file in files])
    every.sort()
    same = every[1:][every[1:] == every[:-1]]
    return np.unique(same[same != 0])


@dataclass(frozen=True, slots=True)
class _Compare:
    part: Part
    twice: Hashes


def compare(job: _Compare, _setup: Setup) -> Path:
    """Digests of the rows that may be duplicates, in a file beside the part."""
    hashes = _hashes(job.part)
    made = []
    at = 0
    with pq.ParquetFile(job.part.path) as file:
        for group in range(file.num_row_groups):
            length = file.metadata.row_group(group).num_rows
            places = np.flatnonzero(np.isin(hashes[at : at + length], job.twice))
            at += length
            if len(places):
                made.append(_digests(file.read_row_group(group, columns=[*_COMPARED, "row_id"]).take(places)))
    path = job.part.path.with_suffix(".candidates.npy")
    np.save(path, np.concatenate(made) if made else np.zeros(0, _CANDIDATE))
    return path


def _digests(table: pa.Table) -> NDArray[Any]:
    told = np.zeros(table.num_rows, _CANDIDATE)
    told["row_id"] = table["row_id"].to_numpy()
    values = [table[name].to_pylist() for name in _COMPARED]
    source, event = _COMPARED.index("source"), _COMPARED.index("event_uid")
    for place, row in enumerate(zip(*values, strict=True)):
        content = hashlib.blake2b(repr(row).encode(), digest_size=16).digest()
        identity = hashlib.blake2b(repr((row[source], row[event])).encode(), digest_size=8).digest()
        told[place]["event"] = int.from_bytes(identity, "little")
        told[place]["high"] = int.from_bytes(content[:8], "little")
        told[place]["low"] = int.from_bytes(content[8:], "little")
    return told


def _by_input(ids: Numbers) -> dict[int, int]:
    """How many of the rows are of each input."""
    numbers, counts = np.unique(ids // ORDINALS, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _decide(files: Sequence[Path]) -> tuple[Numbers, Numbers, list[tuple[int, int]]]:
    """Row ids to drop; row ids that differ from an earlier row of the same event; the first of those as pairs."""
    maps = [np.load(path, mmap_mode="r") for path in files]
    buckets = max(1, sum(map(len, maps)) // _BUCKET)
    drop: list[Numbers] = []
    others: list[Numbers] = []
    pairs = np.zeros((0, 2), np.int64)
    for bucket in range(buckets):
        held = np.concatenate([told[told["event"] % np.uint64(buckets) == bucket] for told in maps])
        held = held[np.lexsort((held["row_id"], held["low"], held["high"], held["event"]))]
        same_event = held["event"][1:] == held["event"][:-1]
        same = same_event & (held["high"][1:] == held["high"][:-1]) & (held["low"][1:] == held["low"][:-1])
        drop.append(held["row_id"][1:][same])
        differing = _differing(held[np.concatenate([[True], ~same])] if len(held) else held)
        others.append(differing[:, 1])
        pairs = np.concatenate([pairs, differing])
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))][:_LISTED]
    for path in files:
        path.unlink()
    return _joined(drop), _joined(others), [(int(first), int(other)) for first, other in pairs]


def _joined(parts: Sequence[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _differing(kept: NDArray[Any]) -> Numbers:
    """Pairs of the first row of an event and each other one, of rows that all differ."""
    ordered = kept[np.lexsort((kept["row_id"], kept["event"]))]
    if not len(ordered):
        return np.zeros((0, 2), np.int64)
    begins = np.concatenate([[True], ordered["event"][1:] != ordered["event"][:-1]])
    first = ordered["row_id"][np.flatnonzero(begins)[np.cumsum(begins) - 1]]
    return np.stack([first[~begins], ordered["row_id"][~begins]], axis=1)


def _named(parts: Sequence[Part], pairs: Sequence[tuple[int, int]]) -> list[Mapping[str, Any]]:
    """The pairs with their event ids."""
    wanted = np.asarray(sorted({first for first, _ in pairs}), np.int64)
    names: dict[int, tuple[str, str]] = {}
    for part in parts if len(wanted) else ():
        table = pq.read_table(part.path, columns=["row_id", "source", "event_uid"])
        rows = table.take(np.flatnonzero(np.isin(table["row_id"].to_numpy(), wanted)))
        for row in rows.to_pylist():
            names[row["row_id"]] = (row["source"], row["event_uid"])
    return [
        {"event_uid": names[first][1], "source": names[first][0], "row_id": first, "other_row_id": other}
        for first, other in pairs
    ]


@dataclass(frozen=True, slots=True)
class _Rewrite:
    part: Part
    drop: Numbers


def rewrite(job: _Rewrite, _setup: Setup) -> int:
    """Write the file anew without the rows; gives how many are left."""
    fresh = job.part.path.with_suffix(".fresh")
    left = 0
    writer = open_part(fresh)
    with pq.ParquetFile(job.part.path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            table = table.filter(pa.array(~np.isin(table["row_id"].to_numpy(), job.drop)))
            left += table.num_rows
            if table.num_rows:
                writer.write_table(table, row_group_size=table.num_rows)
    writer.close()
    fresh.replace(job.part.path)
    return left


def _rewritten(parts: Sequence[Part], drop: Numbers, setup: Setup, workers: int) -> list[Part]:
    jobs = []
    for part in parts:
        ids = pq.read_table(part.path, columns=["row_id"])["row_id"].to_numpy()
        inside = drop[np.searchsorted(drop, ids[0]) : np.searchsorted(drop, ids[-1], side="right")]
        if len(inside):
            jobs.append(_Rewrite(part, inside))
    left = dict(zip((job.part.path for job in jobs), _run(rewrite, jobs, setup, workers), strict=True))
    kept = [Part(part.path, left.get(part.path, part.rows), part.hashes) for part in parts]
    for part in kept:
        if not part.rows:
            part.path.unlink()
    return [part for part in kept if part.rows]


def _run(act: Any, jobs: Sequence[Any], setup: Setup, workers: int) -> list[Any]:  # noqa: ANN401 - one of two functions here
    """Results in order; what dies on another process is done here, where its fault can be seen."""
    results: dict[int, Any] = {}
    if workers > 0 and len(jobs) > 1:
        Workers(act, setup, workers).run(jobs, results.__setitem__)
    for place, job in enumerate(jobs):
        if place not in results:
            results[place] = act(job, setup)
    return [results[place] for place in range(len(jobs))]
