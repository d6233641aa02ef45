"""ClickHouse as an engine, embedded through chdb: the same library, carried over.

Rules:
1. Every table lives in the engine's own folder, and chdb reads nothing else but the Parquet parts it is given.
2. Columns are nullable, and joins without a match give null (``join_use_nulls``), as in the library's SQL.
3. Results have the types that DuckDB says they have: ClickHouse's own truth values are numbers.

Not handled here: a ClickHouse server. chdb is the same engine, so equal results are proven for the SQL; reaching a
server with its own settings and rights is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.engines.carrying import carry, carry_table, cast
from holdfast.engines.carrying_clickhouse import PREFIX
from holdfast.engines.duck import arrow_schema, arrow_table
from holdfast.engines.shapes import Shapes, identifier
from holdfast.investigation.activity import ACTIVITY, Column
from holdfast.kernel.errors import UnavailableError

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "join_use_nulls": "1",
        "aggregate_functions_null_for_empty": "0",
        "prefer_column_name_to_alias": "1",
        "transform_null_in": "0",
        "cast_keep_nullable": "1",
        "data_type_default_nullable": "1",
        "union_default_mode": "'DISTINCT'",
        "enable_analyzer": "1",
        "allow_experimental_correlated_subqueries": "1",
        "least_greatest_legacy_null_behavior": "0",
        "session_timezone": "'UTC'",
        "output_format_arrow_string_as_string": "1",
        "max_bytes_before_external_group_by": "1000000000",
        "max_bytes_before_external_sort": "1000000000",
    }
)


class ClickHouseEngine:
    """One investigation's database in a folder of its own."""

    name = "clickhouse"

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Open an empty database.

        Raises:
            UnavailableError: chdb is not installed.
        """
        try:
            from chdb import session  # noqa: PLC0415 - optional: the product starts without it
        except ImportError as error:
            raise UnavailableError(
                "engine-not-installed",
                "ClickHouse cannot be used here.",
                why=f"The package chdb cannot be loaded ({error}).",
                next_step="Install it: pip install 'holdfast[clickhouse]'; or leave out --engine for the embedded one.",
            ) from None
        self._folder = folder / "clickhouse"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened: Any = session.Session  # it has no types
        self._session = opened(str(self._folder / "data"))
        self._shapes = Shapes()
        settings = dict(SETTINGS) | ({} if threads is None else {"max_threads": str(threads)})
        for name, value in settings.items():
            self._query(f"SET {name} = {value}")

    def activity(self, parts: Sequence[Path]) -> None:
        """Make the table ``activity``: a view on the Parquet files."""
        if not parts:
            self.define("activity", ACTIVITY, [])
            return
        self._shapes.define("activity", ACTIVITY)
        names = ", ".join(identifier(column.name) for column in ACTIVITY)
        reads = (f"SELECT {names} FROM {_file(part)}" for part in parts)  # noqa: S608 - our own names, quoted
        self._drop("activity")
        self._query(f"CREATE VIEW {_table('activity')} AS {' UNION ALL '.join(reads)}")

    def define(self, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Make a small table from rows."""
        self._shapes.define(name, columns)
        self._drop(name)
        cells = ", ".join(f"{identifier(column.name)} {cast(column.type, 'clickhouse')}" for column in columns)
        self._query(f"CREATE TABLE {_table(name)} ({cells}) ENGINE = Memory")
        table = arrow_table(columns, rows)
        if table.num_rows:
            part = self._folder / "given.parquet"
            pq.write_table(table, part)
            listed = ", ".join(identifier(column.name) for column in columns)
            self._query(f"INSERT INTO {_table(name)} SELECT {listed} FROM {_file(part)}")  # noqa: S608 - our own names, quoted
            part.unlink()

    def materialise(self, name: str, sql: str) -> None:
        """Make a table from a query."""
        carried = carry_table(sql, "clickhouse", self._shapes.derive(name, sql), self._shapes.names())
        self._drop(name)
        self._query(f"CREATE TABLE {_table(name)} ENGINE = MergeTree ORDER BY tuple() AS {carried}")

    def rows(self, sql: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of a query."""
        schema = arrow_schema(self._shapes.describe(sql))
        limited = "" if limit is None else f" SETTINGS limit = {limit}"
        answer = self._session.query(carry(sql, "clickhouse", self._shapes.names()) + limited, "ArrowStream")
        if not answer.size():
            return []
        table = pa.ipc.open_stream(pa.py_buffer(answer.bytes())).read_all()
        found: list[dict[str, Any]] = table.rename_columns(schema.names).cast(schema).to_pylist()
        return found

    def close(self) -> None:
        """Close the database; the folder is its giver's to remove."""
        self._session.close()
        self._shapes.close()

    def _query(self, sql: str) -> None:
        self._session.query(sql)

    def _drop(self, name: str) -> None:
        self._query(f"DROP TABLE IF EXISTS {_table(name)} SYNC")


def _table(name: str) -> str:
    return identifier(PREFIX + name)


def _file(part: Path) -> str:
    path = str(part).replace("\\", "\\\\").replace("'", "\\'")
    return f"file('{path}', Parquet)"
