"""How a case inside a library document is played on an engine.

Rules:
1. Tables a case gives are as given: columns left out are null, and activity rows without a row id are numbered from 1.
2. Tables it does not give are made by their own stage from what is there; those nobody makes are empty.
3. What is expected is compared in order, by the columns it names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from holdfast.app.investigating import given_tables
from holdfast.app.ports_investigation import Engine
from holdfast.engines.shapes import Shapes
from holdfast.investigation.activity import Column
from holdfast.investigation.queries import Case, Query, Stage, queries, stages
from holdfast.investigation.stages import Closure, ordered

Row = Mapping[str, Any]
Document = Stage | Query

DOCUMENTS: dict[str, Document] = {document.id: document for document in (*stages(), *queries())}
CASES: dict[str, tuple[Document, Case]] = {
    f"{document.id}: {case.name}": (document, case) for document in DOCUMENTS.values() for case in document.cases
}


@cache
def shapes() -> Shapes:
    """Every table of the library, in its shape; one whose SQL is wrong is left out, and fails its own tests."""
    found = Shapes()
    for name, columns in given_tables().items():
        found.define(name, columns)
    for stage in ordered(given_tables()):
        if isinstance(stage, Closure):
            found.define(stage.id, stage.columns)
        else:
            with contextlib.suppress(duckdb.Error, ValueError):
                found.derive(stage.id, stage.sql)
    return found


def needed(document: Document, given: Sequence[str]) -> list[Stage | Closure]:
    """The stages that must run first, in order: those the document reads, as far as they are not given."""
    makers = {stage.id: stage for stage in ordered(given_tables())}
    wanted: set[str] = set()
    waiting = list(document.after)
    while waiting:
        name = waiting.pop()
        if name in makers and name not in given and name not in wanted:
            wanted.add(name)
            waiting += makers[name].after
    return [stage for name, stage in makers.items() if name in wanted]


def filled(columns: Sequence[Column], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Sparse rows as whole ones; a column that does not exist is a mistake of the case."""
    names = [column.name for column in columns]
    for row in rows:
        unknown = set(row) - set(names)
        assert not unknown, f"no such column: {sorted(unknown)}"
    whole = [{name: row.get(name) for name in names} for row in rows]
    for number, row in enumerate(whole, 1):
        if "row_id" in row and row["row_id"] is None:
            row["row_id"] = number
    return whole


def tables_of(document: Document, case: Case) -> dict[str, list[dict[str, Any]]]:
    """Every given table the document's run reads, with its rows."""
    first = given_tables()
    read = {name for stage in needed(document, list(case.given)) for name in stage.after} | set(document.after)
    names = [name for name in first if name in read or name in case.given] + [n for n in case.given if n not in first]
    return {name: filled(shapes().columns(name), case.given.get(name, ())) for name in names}


def make(engine: Engine, stage: Stage | Closure) -> None:
    """Make one table."""
    if isinstance(stage, Closure):
        given = {name: engine.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in stage.after}
        engine.define(stage.id, stage.columns, stage.rows(given))
    else:
        engine.materialise(stage.id, stage.sql)


def play(engine: Engine, document: Document, case: Case) -> list[dict[str, Any]]:
    """Run one case; the rows that come out."""
    for name, rows in tables_of(document, case).items():
        engine.define(name, shapes().columns(name), rows)
    for stage in needed(document, list(case.given)):
        make(engine, stage)
    return engine.rows(document.sql)


def check(document: Document, case: Case, found: Sequence[Row]) -> None:
    """Compare with what the case expects."""
    seen = [{name: row[name] for name in wanted} for row, wanted in zip(found, case.expect, strict=False)]
    assert (seen, len(found)) == ([dict(row) for row in case.expect], len(case.expect)), (
        f"{document.id}, case {case.name!r}: {list(found)}"
    )


def parts(folder: Path) -> list[Path]:
    """Parquet files in a folder, in order."""
    return sorted(folder.glob("*.parquet"))
