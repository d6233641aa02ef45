"""The library answers alike on every engine a document names: its cases, and the whole chain over hostile rows.

DuckDB is the measure. Spark runs here in one local session, ClickHouse in process through chdb. Trino and Athena are
emitted and read again, never run: unproven.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlglot

from holdfast.app.investigating import given_tables
from holdfast.app.ports_investigation import Engine
from holdfast.engines.carrying import carry
from holdfast.engines.clickhouse import ClickHouseEngine
from holdfast.engines.duck import DuckEngine, arrow_table
from holdfast.engines.spark import SparkEngine
from holdfast.engines.whitelist import faults
from holdfast.investigation.activity import ACTIVITY
from holdfast.investigation.stages import Closure, ordered
from holdfast.kernel.errors import UnavailableError
from tests.contract import constructs, hostile
from tests.contract.library import CASES, DOCUMENTS, check, make, play, shapes

OTHERS = ("spark", "clickhouse")
SMALL = {
    # Small rows, many plans: compiling each to machine code costs more than it saves.
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.memory": "1g",
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    """Engines by name, each started when it is first asked for: one Spark session for the whole module."""
    found = _Engines(tmp_path_factory)
    yield found
    for engine in found.values():
        engine.close()


class _Engines(dict[str, Engine]):
    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self._folders = folders

    def __missing__(self, name: str) -> Engine:
        folder = self._folders.mktemp(name)
        if name == "duckdb":
            engine: Engine = DuckEngine(folder, threads=1)
        elif name == "clickhouse":
            engine = ClickHouseEngine(folder, threads=1)
        else:
            engine = _spark(folder)
        self[name] = engine
        return engine


def _spark(folder: Path) -> Engine:
    try:
        return SparkEngine(folder, master="local[2]", options=SMALL)
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error.why} {error.next_step}")


# --- what may be written


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_uses_only_what_is_known_to_answer_alike(name: str) -> None:
    assert faults(DOCUMENTS[name].sql) == []


@pytest.mark.parametrize(("sql", "named"), constructs.REFUSED)
def test_what_answers_differently_is_refused_by_name(sql: str, named: str) -> None:
    assert named in faults(sql)


@pytest.mark.parametrize("dialect", ["trino", "athena"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_emitted_for_engines_that_are_unproven(name: str, dialect: Any) -> None:
    emitted = carry(DOCUMENTS[name].sql, dialect)
    assert isinstance(sqlglot.parse_one(emitted, read=dialect), sqlglot.exp.Query)


# --- constructs


@pytest.mark.parametrize("other", OTHERS)
def test_values_and_aggregates_answer_alike(opened: dict[str, Engine], other: str) -> None:
    values = ", ".join(f"{sql} AS r{number}" for number, sql in enumerate(constructs.VALUES))
    totals = ", ".join(f"{sql} AS r{number}" for number, sql in enumerate(constructs.AGGREGATES))
    _alike(opened, other, f"SELECT row_id, {values} FROM v ORDER BY row_id", constructs.VALUES)
    _alike(opened, other, f"SELECT b, {totals} FROM v GROUP BY b ORDER BY b", constructs.AGGREGATES)


@pytest.mark.parametrize("other", OTHERS)
def test_queries_answer_alike(opened: dict[str, Engine], other: str) -> None:
    engines = _with_v(opened, other)
    for sql in constructs.QUERIES:
        wanted, found = (_sorted(engine.rows(sql)) for engine in engines)
        assert (sql, found) == (sql, wanted)


def _with_v(opened: dict[str, Engine], other: str) -> list[Engine]:
    engines = [opened["duckdb"], opened[other]]
    for engine in engines:
        engine.define("v", constructs.COLUMNS, constructs.rows())
    return engines


def _alike(opened: dict[str, Engine], other: str, sql: str, each: Sequence[str]) -> None:
    """The same cells; what differs is named by its construct."""
    wanted, found = (engine.rows(sql) for engine in _with_v(opened, other))
    assert len(wanted) == len(found)
    differ = {
        each[int(name[1:])]: (ours, theirs[name])
        for mine, theirs in zip(wanted, found, strict=True)
        for name, ours in mine.items()
        if theirs[name] != ours
    }
    assert differ == {}


# --- cases


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", CASES)
def test_a_case_holds(opened: dict[str, Engine], tmp_path: Path, name: str, other: str) -> None:
    """The tables it reads are made by DuckDB, so that one document is tried at a time."""
    document, case = CASES[name]
    if other not in document.engines:
        pytest.skip("the document says why it is not for this engine")
    duck, engine = DuckEngine(tmp_path, threads=1), opened[other]
    try:
        play(duck, document, case)
        for table in document.after:
            engine.define(table, shapes().columns(table), duck.rows(f"SELECT * FROM {table}"))
    finally:
        duck.close()
    check(document, case, engine.rows(document.sql))


def test_spark_keeps_its_tables_in_a_shared_folder(opened: dict[str, Engine], tmp_path: Path) -> None:
    assert opened["spark"].name == "spark"  # its session is this one's too, and is ended with it
    part, shared = tmp_path / "it's one.parquet", tmp_path / "shared"
    pq.write_table(arrow_table(ACTIVITY, [{"row_id": 1, "operation": "x"}, {"row_id": 2}]), part)
    engine = SparkEngine(tmp_path / "driver", place=str(shared), options=SMALL)
    engine.activity([part])
    engine.define("names", constructs.COLUMNS[:1], [{"row_id": 2}])
    engine.materialise(
        "joined", "SELECT a.row_id, a.operation FROM activity AS a JOIN names AS n ON n.row_id = a.row_id"
    )
    assert engine.rows("SELECT * FROM joined") == [{"row_id": 2, "operation": None}]
    assert (shared / "activity" / part.name).exists()


# --- the whole chain


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Hostile rows as the ingest leaves them: two Parquet files."""
    folder, rows = tmp_path_factory.mktemp("parts"), hostile.activity()
    found = []
    for number in (0, 1):
        part = folder / f"part it's {number}.parquet"
        pq.write_table(arrow_table(ACTIVITY, rows[number::2]), part, compression="zstd")
        found.append(part)
    return found


@pytest.fixture(scope="module")
def measure(opened: dict[str, Engine], parts: list[Path]) -> Mapping[str, list[dict[str, Any]]]:
    """What DuckDB makes of them: rows of every stage and query."""
    return _chain(opened["duckdb"], parts, None)


@pytest.mark.parametrize("other", OTHERS)
def test_the_whole_chain_answers_alike(
    opened: dict[str, Engine], parts: list[Path], measure: Mapping[str, list[dict[str, Any]]], other: str
) -> None:
    found = _chain(opened[other], parts, measure)
    assert set(found) == set(measure)
    different = {name: _first_difference(measure[name], rows) for name, rows in found.items() if rows != measure[name]}
    assert different == {}


def test_the_hostile_rows_reach_most_of_the_library(measure: Mapping[str, list[dict[str, Any]]]) -> None:
    empty = sorted(name for name, rows in measure.items() if not rows)
    assert len(empty) * 4 <= len(measure), empty


def _chain(
    engine: Engine, parts: list[Path], given: Mapping[str, list[dict[str, Any]]] | None
) -> dict[str, list[dict[str, Any]]]:
    """Every stage, sorted, and every query in its own order. What is not for this engine is taken as given."""
    engine.activity(parts)
    for name, rows in hostile.tables().items():
        engine.define(name, given_tables()[name], rows)
    found: dict[str, list[dict[str, Any]]] = {}
    for stage in ordered(given_tables()):
        if given is not None and not isinstance(stage, Closure) and engine.name not in stage.engines:
            engine.define(stage.id, shapes().columns(stage.id), given[stage.id])
        else:
            make(engine, stage)
        found[stage.id] = _sorted(engine.rows(f"SELECT * FROM {stage.id}"))
    for document in DOCUMENTS.values():
        if document.id not in found:
            for_it = given is None or engine.name in document.engines
            found[document.id] = engine.rows(document.sql) if for_it or given is None else given[document.id]
    return found


def _sorted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def _first_difference(wanted: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> str:
    for place, (mine, theirs) in enumerate(zip(wanted, found, strict=False)):
        if mine != theirs:
            cells = {name: (mine[name], theirs.get(name)) for name in mine if mine[name] != theirs.get(name)}
            return f"{len(wanted)} and {len(found)} rows; row {place}: {cells}"
    return f"{len(wanted)} and {len(found)} rows"
