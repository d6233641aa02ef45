"""What every table of an investigation looks like, told by an empty DuckDB that holds the same tables.

The library is DuckDB's SQL, so DuckDB says which columns and types a query gives; other engines cast their results to
exactly those. The database holds no rows, so asking costs about a millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import duckdb

from holdfast.investigation.activity import Column, ColumnType

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
DUCK_TYPES: dict[ColumnType, str] = {"text": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN"}
_PORTABLE: dict[str, ColumnType] = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    '"NULL"': "text",  # a column of nothing but nulls
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
        "integer",
    ),
}


def identifier(name: str) -> str:
    """A name of a table or column as it stands in SQL: quoted, because some (``check``) are words of the language.

    Raises:
        ValueError: it is anything but small letters, digits and underscores, from a letter on.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no name of a table or column")
    return f'"{name}"'


class Shapes:
    """Names, columns and types; a context manager."""

    def __init__(self) -> None:
        """Hold no table yet."""
        self._base = duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": 1})
        self._known: dict[str, tuple[Column, ...]] = {}

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    def __contains__(self, name: object) -> bool:
        """Whether the table is known."""
        return name in self._known

    def columns(self, name: str) -> tuple[Column, ...]:
        """Columns of a table; KeyError for one that is not known."""
        return self._known[name]

    def names(self) -> dict[str, list[str]]:
        """Columns' names of every table."""
        return {name: [column.name for column in columns] for name, columns in self._known.items()}

    def define(self, name: str, columns: Sequence[Column]) -> None:
        """Know a table by its columns."""
        cells = ", ".join(f"{identifier(column.name)} {DUCK_TYPES[column.type]}" for column in columns)
        self._base.execute(f"CREATE OR REPLACE TABLE {identifier(name)} ({cells})")
        self._known[name] = tuple(columns)

    def derive(self, name: str, sql: str) -> tuple[Column, ...]:
        """Know a table as the result of a query; its columns."""
        columns = self.describe(sql)
        self.define(name, columns)
        return columns

    def describe(self, sql: str) -> tuple[Column, ...]:
        """Columns of a query.

        Raises:
            ValueError: a column is neither text, nor a whole number, nor a boolean.
        """
        found = self._base.execute(f"DESCRIBE {sql}").fetchall()
        strange = [(name, kind) for name, kind, *_ in found if kind not in _PORTABLE]
        if strange:
            raise ValueError(f"results hold text, whole numbers and booleans only, not {strange}")
        return tuple(Column(name, _PORTABLE[kind], "") for name, kind, *_ in found)

    def close(self) -> None:
        """Forget everything."""
        self._base.close()
