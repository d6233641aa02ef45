"""Rows of many inputs into Parquet files, in the order of their row ids, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holdfast.engines.ingest import columns
from holdfast.engines.ingest.columns import Hashes, Numbers
from holdfast.engines.ingest.limits import Limits
from holdfast.engines.ingest.tally import Tally
from holdfast.investigation.activity import ORDINALS

_OURS = ("row_id", "hour", "src_digest", "src_file", "src_ord")
_TOLD = tuple(name for name in columns.SCHEMA.names if name not in _OURS)
_CHUNK = 8192
"""Rows that are held as Python values before they become Arrow columns, which are a tenth of the size."""
_BYTES = 96 << 20
"""Bytes of Arrow columns that are held before they are written."""
OPTIONS: Mapping[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": list(columns.REPEATED),
    "store_schema": False,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: its rows lie in order of row id."""

    path: Path
    rows: int
    hashes: Path | None
    """Of source and event id for each row, in the same order; none when no row has an event id."""


@dataclass(slots=True)
class _Run:
    """Rows of one input that lie together."""

    tally: Tally
    ordinals: list[Sequence[int]] = field(default_factory=list)
    length: int = 0


def open_part(path: Path) -> pq.ParquetWriter:
    """A writer of activity rows into a file that only its owner can read."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
    return pq.ParquetWriter(path, columns.SCHEMA, **OPTIONS)


class PartWriter:
    """Takes columns of rows; gives Parquet files."""

    def __init__(self, folder: Path, name: str, limits: Limits) -> None:
        """Write ``name-000.parquet`` and so on into the folder."""
        self._folder, self._name, self._limits = folder, name, limits
        self._values: dict[str, list[Any]] = {column: [] for column in _TOLD}
        self._runs: list[_Run] = []
        self._held = 0
        self._tables: list[pa.Table] = []
        self._waiting = self._bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._written = 0
        self._hashes: list[Hashes] = []
        self.parts: list[Part] = []

    def add(self, tally: Tally, ordinals: Sequence[int], told: Mapping[str, Sequence[Any]]) -> None:
        """Rows of an input, in order; columns that are not told are null."""
        count = len(ordinals)
        if not count:
            return
        for name, values in self._values.items():
            values.extend(told.get(name) or repeat(None, count))
        if not self._runs or self._runs[-1].tally is not tally:
            self._runs.append(_Run(tally))
        run = self._runs[-1]
        run.ordinals.append(ordinals)
        run.length += count
        tally.rows += count
        tally.records += count
        self._held += count
        if self._held >= _CHUNK:
            self._arrow()

    def _arrow(self) -> None:
        if not self._held:
            return
        made = {name: columns.array(name, values) for name, values in self._values.items()}
        for name in columns.REDACTED:
            made[name] = columns.clean(made[name])
        runs = self._runs
        lengths = [run.length for run in runs]
        ordinals = np.concatenate([np.asarray(each, np.int64) for run in runs for each in run.ordinals])
        numbers = np.repeat(np.asarray([run.tally.input_no for run in runs], np.int64), lengths)
        made["row_id"] = pa.array(numbers * ORDINALS + ordinals)
        made["src_ord"] = pa.array(ordinals)
        made["hour"] = columns.hours(made["time_us"])
        made["src_digest"] = columns.constant([run.tally.sha256 for run in runs], lengths).cast(pa.string())
        made["src_file"] = columns.constant([run.tally.path for run in runs], lengths).cast(pa.string())
        made["delivered_us"] = _delivered(made["delivered_us"], runs, lengths)
        self._spans(made["time_us"], lengths)
        self._hashes.append(_identities(made["source"], made["event_uid"]))
        table = pa.table([made[name] for name in columns.SCHEMA.names], schema=columns.SCHEMA)
        self._tables.append(table)
        self._bytes += table.nbytes
        self._waiting += self._held
        self._held = 0
        self._runs = []
        for values in self._values.values():
            values.clear()
        if self._waiting >= self._limits.rows or self._bytes >= _BYTES:
            self._write()

    def _spans(self, times: pa.Array, lengths: Sequence[int]) -> None:
        at = 0
        for run, length in zip(self._runs, lengths, strict=True):
            span = pc.min_max(times.slice(at, length)).as_py()
            if span["min"] is not None:
                run.tally.seen(span["min"], span["max"])
            at += length

    def _write(self) -> None:
        if not self._tables:
            return
        if self._writer is None:
            self._writer = open_part(self._path())
        table = pa.concat_tables(self._tables)
        self._writer.write_table(table, row_group_size=table.num_rows)
        self._written += table.num_rows
        self._tables, self._waiting, self._bytes = [], 0, 0
        if self._written >= self._limits.part_rows:
            self._close_part()

    def _path(self) -> Path:
        return self._folder / f"{self._name}-{len(self.parts):03d}.parquet"

    def _close_part(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        path = self._path()
        hashes = np.concatenate(self._hashes)
        kept: Path | None = None
        if hashes.any():
            kept = path.with_suffix(".npy")
            with os.fdopen(os.open(kept, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                np.save(file, hashes)
        self.parts.append(Part(path, self._written, kept))
        self._writer, self._written, self._hashes = None, 0, []

    def close(self) -> list[Part]:
        """Write what is left; the files in order."""
        self._arrow()
        self._write()
        self._close_part()
        return self.parts


def _delivered(told: pa.Array, runs: Sequence[_Run], lengths: Sequence[int]) -> pa.Array:
    """The delivery that rows tell, or else that of their input."""
    if not told.null_count:
        return told
    numbers = np.repeat(np.asarray([run.tally.delivered_us or 0 for run in runs], np.int64), lengths)
    missing = np.repeat(np.asarray([run.tally.delivered_us is None for run in runs], bool), lengths)
    return pc.coalesce(told, pa.array(numbers, pa.int64(), mask=missing))


def _identities(source: pa.Array, event_uid: pa.Array) -> Hashes:
    """Hashes of source and event id together; 0 where there is no event id."""
    events = columns.hashed(event_uid)
    if not events.any():
        return events
    coded = pc.dictionary_encode(source.fill_null(""))
    sources = columns.hashed(coded.dictionary)[coded.indices.to_numpy(zero_copy_only=False)]
    mixed = np.maximum(events ^ (sources << np.uint64(1)), np.uint64(1))
    return np.where(events == 0, np.uint64(0), mixed)


__all__ = ["Numbers", "Part", "PartWriter", "open_part"]
