"""The embedded engine: DuckDB, without network, extensions or files other than those it is given.

Rules:
1. It reads the Parquet parts it is given and nothing else: after :meth:`DuckEngine.activity` the database is shut
   (``enable_external_access``) but for those files, and its configuration is locked. Extensions are never fetched or
   loaded, and Python's own variables are no tables.
2. It spills into a folder of its own that only its owner may enter, removed on closing.
3. Names of tables and columns are checked before they stand in SQL.
4. Rows come out in the order a query asks for; a query without an order has none.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.engines.shapes import identifier
from holdfast.investigation.activity import ACTIVITY, Column
from holdfast.kernel.errors import TooLargeError

_ARROW = {"text": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}
CLOSED: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
}
"""Settings that keep DuckDB to itself, for every database opened here."""
_BATCH = 100_000


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Columns as Arrow tells them."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns])


def arrow_table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of the named columns; what a row leaves out is null."""
    kept = list(rows)
    cells = {column.name: [row.get(column.name) for row in kept] for column in columns}
    return pa.table(cells, schema=arrow_schema(columns))


def text_literal(text: str) -> str:
    """A text as it stands in DuckDB's SQL."""
    if "\0" in text:
        raise ValueError("a text in SQL has no null character")
    return "'" + text.replace("'", "''") + "'"


def shut(base: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Leave a database these files and nothing else of the outside, for good."""
    listed = ", ".join(text_literal(str(path)) for path in paths)
    base.execute(f"SET allowed_paths = [{listed}]")
    base.execute("SET enable_external_access = false")
    base.execute("SET lock_configuration = true")


class DuckEngine:
    """One investigation's database, in memory and spilling to its own folder."""

    name = "duckdb"

    def __init__(self, folder: Path, *, memory: str = "3GB", threads: int | None = None) -> None:
        """Open an empty database that may spill into ``folder``."""
        self._spill = folder / "spill"
        self._spill.mkdir(mode=0o700, parents=True, exist_ok=True)
        config: dict[str, Any] = {"memory_limit": memory, "temp_directory": str(self._spill), **CLOSED}
        config["preserve_insertion_order"] = "false"  # orders are asked for; keeping others costs memory
        if threads is not None:
            config["threads"] = threads
        self._base = duckdb.connect(":memory:", config=config)
        self._parts: tuple[Path, ...] | None = None
        self._tables: set[str] = set()

    def activity(self, parts: Sequence[Path]) -> None:
        """Make the table ``activity``: a view on the Parquet files, after which no other file can be read.

        Raises:
            ValueError: it was made before, of other files.
        """
        kept = tuple(parts)
        if self._parts is not None and self._parts != kept:
            raise ValueError("an engine reads the files it was first given, and no others")
        if self._parts is None:
            shut(self._base, kept)
            self._parts = kept
        if not kept:
            self.define("activity", ACTIVITY, [])
            return
        names = ", ".join(text_literal(str(part)) for part in kept)
        self._base.execute(f"CREATE OR REPLACE VIEW activity AS SELECT * FROM read_parquet([{names}])")  # noqa: S608 - our own paths, quoted

    def define(self, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Make a small table from rows."""
        table = identifier(name)
        self._base.register("given_rows", arrow_table(columns, rows))
        self._base.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM given_rows")  # noqa: S608 - checked
        self._base.unregister("given_rows")
        self._tables.add(name)

    def materialise(self, name: str, sql: str) -> None:
        """Make a table from a query."""
        self._base.execute(f"CREATE OR REPLACE TABLE {identifier(name)} AS {sql}")
        self._tables.add(name)

    def rows(self, sql: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of a query."""
        cursor = self._base.execute(sql)
        names = [column[0] for column in cursor.description]
        found = cursor.fetchall() if limit is None else cursor.fetchmany(limit)
        return [dict(zip(names, row, strict=True)) for row in found]

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Stop whatever runs in the block when the time is up.

        Raises:
            TooLargeError: it was stopped.
        """
        timer = threading.Timer(seconds, self._base.interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise TooLargeError(
                "investigation-too-slow",
                "The query was stopped before its end.",
                why=f"It ran longer than {seconds:g} seconds.",
                next_step="Narrow the window or the sources, or use an engine for estates: --engine spark",
            ) from None
        finally:
            timer.cancel()
            timer.join()

    def keep(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        """Write every table but the activity to Parquet, for questions asked in a process of their own.

        Returns:
            The files of every table, those of the activity included.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found: dict[str, tuple[Path, ...]] = {"activity": self._parts} if self._parts else {}
        for name in sorted(self._tables - set(found)):
            part = folder / f"{name}.parquet"
            reader: Any = self._base.sql(f"SELECT * FROM {identifier(name)}").to_arrow_reader(_BATCH)  # noqa: S608 - checked
            with pq.ParquetWriter(part, reader.schema, compression="zstd") as writer:
                for batch in reader:
                    writer.write_batch(batch)
            found[name] = (part,)
        return found

    def close(self) -> None:
        """Close the database and remove what it spilled."""
        self._base.close()
        shutil.rmtree(self._spill, ignore_errors=True)
