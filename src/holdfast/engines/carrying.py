r"""The library's SQL (DuckDB's) carried to Spark, ClickHouse, Trino and Athena, with equal results.

sqlglot translates; what it translates to something that answers differently, or not at all, is corrected here. Each
correction was found by running every construct of :mod:`holdfast.engines.whitelist` over hostile rows. Trino and
Athena are emitted and parsed again, never run: unproven.

Rules, Spark:
1. ``arg_min(x, (a, b))`` skips rows whose x is null and ranks a null key last, as DuckDB does: Spark takes a null x,
   and ranks null first.
2. ``$`` of a regular expression is the very end (``\z``): Java's also matches before a last line feed. ``.`` stops at
   a line feed only, and ``(?i)`` knows all letters.
3. ``generate_series(a, b)`` with b < a is empty: Spark counts down.
4. A backslash in ``LIKE`` is a backslash, not an escape.

Rules, ClickHouse:
1. Tables and common table expressions are named ``t_…``, and used under their own name as alias: ``FROM v AS w``
   leaves ``v.a`` valid there, so that a correlated ``w.a = v.a`` would compare a column with itself.
2. ``arg_min`` as for Spark. ``first_value`` and ``last_value`` keep nulls. Counts are Int64, not UInt64, which has no
   common type with the columns. ``bool_or`` is a maximum. ``//`` is ``intDivOrZero`` over a divisor that is null for 0.
3. Text functions count characters, not bytes. ``split_part`` and ``string_agg`` are built from arrays, null for null.
   ``concat_ws`` skips nulls.
4. JSON: a missing path and a JSON null are null, an empty text stays empty; ``[0]`` of an object is null (ClickHouse
   gives its first member).
5. A comparison that is a result is a truth value, not a number. A column keeps its plain name after a join.
6. ``%M`` of a time is the minute (ClickHouse: the month's name). ``.`` stops at a line feed.

Not handled here: the case of letters beyond those with one counterpart (``İ``), and numbers in JSON with an exponent
or a fraction, which each engine writes in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal

from sqlglot import exp

from holdfast.engines import carrying_clickhouse, carrying_spark
from holdfast.engines.stars import Names, written_out
from holdfast.engines.whitelist import parse
from holdfast.investigation.activity import Column, ColumnType

Dialect = Literal["spark", "clickhouse", "trino", "athena"]

_TYPES: dict[str, dict[ColumnType, str]] = {
    "spark": {"text": "STRING", "integer": "BIGINT", "boolean": "BOOLEAN"},
    "clickhouse": {"text": "Nullable(String)", "integer": "Nullable(Int64)", "boolean": "Nullable(Bool)"},
    "trino": {"text": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN"},
    "athena": {"text": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN"},
}
_CORRECTED = {"spark": carrying_spark.corrected, "clickhouse": carrying_clickhouse.corrected}


def cast(kind: ColumnType, dialect: Dialect) -> str:
    """The engine's own name of a type."""
    return _TYPES[dialect][kind]


def carry(sql: str, dialect: Dialect, tables: Names = MappingProxyType({})) -> str:
    """A query of the library in another engine's SQL.

    Args:
        sql: DuckDB's SQL, within the white list.
        dialect: for which engine.
        tables: columns of the tables it may read, by which ``n.*`` is written out where an engine needs that.
    """
    tree = written_out(parse(sql), tables)
    corrected = _CORRECTED.get(dialect)
    return (tree if corrected is None else corrected(tree)).sql(dialect)


def carry_table(sql: str, dialect: Dialect, columns: Sequence[Column], tables: Names = MappingProxyType({})) -> str:
    """The same with exactly these column types, and without an order."""
    cells = ", ".join(
        f"CAST({quoted(column.name, dialect)} AS {cast(column.type, dialect)}) AS {quoted(column.name, dialect)}"
        for column in columns
    )
    return f"SELECT {cells} FROM ({carry(sql, dialect, tables)}) AS carried"  # noqa: S608 - the library's own SQL


def quoted(name: str, dialect: Dialect) -> str:
    """A name as the engine quotes it."""
    return exp.to_identifier(name, quoted=True).sql(dialect)
