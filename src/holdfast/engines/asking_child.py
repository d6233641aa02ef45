"""The process in which one question of a person runs; its rules are in :mod:`holdfast.engines.asking`.

It reads one JSON object from its input, writes one to its output, and ends.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import json
import math
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import duckdb

from holdfast.engines.asking_rules import RefusedError, check
from holdfast.engines.duck import CLOSED, shut, text_literal
from holdfast.engines.shapes import identifier

_BATCH = 200
_SPACE = 2 << 30
"""Bytes of address space beside the memory limit: libraries, stacks and what DuckDB reserves."""


def main() -> None:
    """Answer one question."""
    order = json.loads(sys.stdin.buffer.read())
    _limit(order)
    try:
        told = _answer(order)
    except RefusedError as error:
        told = {"refused": str(error)}
    except (duckdb.Error, MemoryError) as error:
        told = {"failed": str(error), "kind": type(error).__name__}
    sys.stdout.buffer.write(json.dumps(told, allow_nan=False).encode())


def _limit(order: dict[str, Any]) -> None:
    """What the operating system holds: no file is written, memory and processor time end."""
    seconds = math.ceil(order["seconds"])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for what, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, (order["memory_mb"] << 20) + _SPACE),
        (resource.RLIMIT_CPU, seconds * 8 + 10),
    ):
        with contextlib.suppress(OSError, ValueError):  # not every system has every limit
            resource.setrlimit(what, (most, most))


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    base = _open(order["tables"], order["memory_mb"])
    check(base, order["sql"], frozenset(order["tables"]))
    timer = threading.Timer(order["seconds"], base.interrupt)
    timer.daemon = True
    timer.start()
    begun = time.monotonic()
    base.execute("BEGIN TRANSACTION READ ONLY")
    parameters = order["parameters"]
    cursor = base.execute(order["sql"], parameters) if parameters else base.execute(order["sql"])
    columns = [(column[0], str(column[1])) for column in cursor.description]
    rows, cut = _rows(cursor, order["limit"], order["bytes"])
    timer.cancel()
    return {"columns": columns, "rows": rows, "cut": cut, "seconds": round(time.monotonic() - begun, 3)}


def _open(tables: dict[str, list[str]], memory_mb: int) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"memory_limit": f"{memory_mb}MB", "temp_directory": "", "threads": 2, **CLOSED}
    base = duckdb.connect(":memory:", config=config)
    base.execute("SET TimeZone = 'UTC'")
    base.execute("SET home_directory = '/nowhere'")
    shut(base, [Path(part) for parts in tables.values() for part in parts])
    for name, parts in tables.items():
        files = ", ".join(text_literal(part) for part in parts)
        read = f"read_parquet([{files}])"
        columns = [row[0] for row in base.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()]  # noqa: S608 - our own paths, quoted
        cells = ", ".join(["*", *_instants(columns)])
        base.execute(f"CREATE VIEW {identifier(name)} AS SELECT {cells} FROM {read}")  # noqa: S608 - likewise
    return base


def _instants(columns: list[str]) -> list[str]:
    """Instants for people beside the whole numbers: ``time_us`` as ``event_time``, ``first_us`` as ``first_time``."""
    named = {one: "event_time" if one == "time_us" else f"{one[:-3]}_time" for one in columns if one.endswith("_us")}
    return [
        f"make_timestamptz({identifier(one)}) AS {identifier(name)}"
        for one, name in named.items()
        if name not in columns
    ]


def _rows(cursor: duckdb.DuckDBPyConnection, limit: int, most: int) -> tuple[list[list[Any]], str | None]:
    rows: list[list[Any]] = []
    size = 0
    while batch := cursor.fetchmany(_BATCH):
        for row in batch:
            if len(rows) >= limit:
                return rows, "rows"
            cells = [_plain(cell) for cell in row]
            size += len(json.dumps(cells, allow_nan=False))
            if size > most:
                return rows, "bytes"
            rows.append(cells)
    return rows, None


def _plain(cell: Any) -> Any:  # noqa: ANN401, PLR0911 - any value of DuckDB; each kind has its own way out
    """A value as JSON holds it."""
    if cell is None or isinstance(cell, (bool, int, str)):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else str(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat().replace("+00:00", "Z")
    if isinstance(cell, dict):
        return {str(key): _plain(value) for key, value in cell.items()}
    if isinstance(cell, (list, tuple, set)):
        return [_plain(value) for value in cell]
    if isinstance(cell, decimal.Decimal):
        return str(cell)
    return cell.hex() if isinstance(cell, (bytes, bytearray)) else str(cell)


if __name__ == "__main__":
    main()
