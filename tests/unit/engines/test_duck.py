"""The embedded engine keeps to itself, and to the files it was given."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from holdfast.engines.duck import DuckEngine, arrow_table, text_literal
from holdfast.engines.shapes import Shapes, identifier
from holdfast.investigation.activity import ACTIVITY, Column
from holdfast.kernel.errors import TooLargeError

NAMES = (Column("name", "text", ""), Column("check", "boolean", ""), Column("n", "integer", ""))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckEngine]:
    found = DuckEngine(tmp_path / "own", threads=1)
    yield found
    found.close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    found = tmp_path / "it's a part.parquet"
    pq.write_table(arrow_table(ACTIVITY, [{"row_id": 1, "operation": "x"}]), found)
    return found


def test_activity_is_a_view_on_its_parts(engine: DuckEngine, part: Path) -> None:
    engine.activity([part])
    assert engine.rows("SELECT row_id, operation, actor_uid FROM activity") == [
        {"row_id": 1, "operation": "x", "actor_uid": None}
    ]


def test_without_parts_there_is_an_empty_activity(engine: DuckEngine) -> None:
    engine.activity([])
    assert engine.rows("SELECT * FROM activity") == []


def test_other_files_cannot_be_read_or_written(engine: DuckEngine, part: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    engine.activity([part])
    for sql in (f"FROM read_csv('{other}')", f"FROM '{other}'", "SET enable_external_access = true", "LOAD httpfs"):
        with pytest.raises(duckdb.Error):
            engine.rows(sql)
    with pytest.raises(duckdb.Error):
        engine.rows(f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'")
    assert not (tmp_path / "out.csv").exists()


def test_an_engine_reads_no_second_set_of_files(engine: DuckEngine, part: Path) -> None:
    engine.activity([part])
    engine.activity([part])
    with pytest.raises(ValueError, match="no others"):
        engine.activity([part.with_name("other.parquet")])


def test_variables_of_the_program_are_no_tables(engine: DuckEngine) -> None:
    private = arrow_table(NAMES, [{"name": "secret"}])
    assert private.num_rows == 1
    with pytest.raises(duckdb.CatalogException):
        engine.rows("SELECT * FROM private")


def test_rows_left_out_are_null_and_reserved_names_are_names(engine: DuckEngine) -> None:
    engine.define("names", NAMES, [{"name": "a", "check": True}, {"n": 5}])
    assert engine.rows('SELECT name, "check", n FROM names ORDER BY n') == [
        {"name": None, "check": None, "n": 5},
        {"name": "a", "check": True, "n": None},
    ]
    assert engine.rows("SELECT n FROM names ORDER BY n", 1) == [{"n": 5}]


@pytest.mark.parametrize("name", ["", "A", "a b", "a;b", 'a"', "1a", "a" * 61])
def test_a_name_is_checked_before_it_stands_in_sql(engine: DuckEngine, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        engine.define(name, NAMES, [])
    with pytest.raises(ValueError, match="no name"):
        identifier(name)


def test_a_text_keeps_its_quotes_and_may_hold_no_null_character() -> None:
    assert text_literal("it's") == "'it''s'"
    with pytest.raises(ValueError, match="null character"):
        text_literal("a\0b")


def test_it_spills_where_only_its_owner_may_look_and_leaves_nothing(tmp_path: Path) -> None:
    engine = DuckEngine(tmp_path)
    assert stat.S_IMODE((tmp_path / "spill").stat().st_mode) == 0o700
    engine.close()
    assert not (tmp_path / "spill").exists()


def test_what_takes_too_long_is_stopped(engine: DuckEngine) -> None:
    with pytest.raises(TooLargeError), engine.within(0.2):
        engine.rows("SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b")
    with engine.within(10):
        assert engine.rows("SELECT 1 AS one") == [{"one": 1}]


def test_tables_are_kept_as_files_for_questions(engine: DuckEngine, part: Path, tmp_path: Path) -> None:
    engine.activity([part])
    engine.materialise("counted", "SELECT count(*) AS n FROM activity")
    kept = engine.keep(tmp_path / "kept")
    assert kept["activity"] == (part,)
    assert pq.read_table(kept["counted"][0]).to_pylist() == [{"n": 1}]


def test_results_hold_text_whole_numbers_and_booleans() -> None:
    with Shapes() as shapes:
        shapes.define("names", NAMES)
        kinds = [
            column.type for column in shapes.describe("SELECT name, sum(n) AS s, n > 1 AS f FROM names GROUP BY ALL")
        ]
        assert kinds == ["text", "integer", "boolean"]
        with pytest.raises(ValueError, match="DOUBLE"):
            shapes.describe("SELECT n / 2 AS half FROM names")
