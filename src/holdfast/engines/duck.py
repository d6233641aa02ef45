"""The embedded engine: DuckDB, without network, extensions or files other than those it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from holdfast.investigation.activity import ACTIVITY, Column

_ARROW = {"text": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Columns as Arrow tells them."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns])


def arrow_table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of the named columns; what a row leaves out is null."""
    kept = list(rows)
    cells = {column.name: [row.get(column.name) for row in kept] for column in columns}
    return pa.table(cells, schema=arrow_schema(columns))


class DuckEngine:
    """One investigation's database, in memory and spilling to its own folder."""

    name = "duckdb"

    def __init__(self, folder: Path, *, memory: str = "3GB", threads: int | None = None) -> None:
        """Open an empty database that may spill into ``folder``."""
        config: dict[str, Any] = {"memory_limit": memory, "temp_directory": str(folder / "spill")}
        if threads is not None:
            config["threads"] = threads
        self._base = duckdb.connect(":memory:", config=config)

    def activity(self, parts: Sequence[Path]) -> None:
        """Make the table ``activity``: a view on the Parquet files."""
        if not parts:
            self.define("activity", ACTIVITY, [])
            return
        names = ", ".join("'" + str(part).replace("'", "''") + "'" for part in parts)
        self._base.execute(f"CREATE OR REPLACE VIEW activity AS SELECT * FROM read_parquet([{names}])")  # noqa: S608 - our own paths, quoted

    def define(self, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Make a small table from rows."""
        given = arrow_table(columns, rows)
        self._base.register("given_rows", given)
        self._base.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given_rows")  # noqa: S608 - our own names
        self._base.unregister("given_rows")

    def materialise(self, name: str, sql: str) -> None:
        """Make a table from a query."""
        self._base.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")

    def rows(self, sql: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of a query."""
        cursor = self._base.execute(sql)
        names = [column[0] for column in cursor.description]
        found = cursor.fetchall() if limit is None else cursor.fetchmany(limit)
        return [dict(zip(names, row, strict=True)) for row in found]

    def close(self) -> None:
        """Close the database."""
        self._base.close()
