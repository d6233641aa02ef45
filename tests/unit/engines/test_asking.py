"""People's SQL: one SELECT over the tables; nothing writes, reads other files, reaches out, or runs away."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from holdfast.app.investigating import given_tables
from holdfast.engines.asking import Asker, plain
from holdfast.engines.asking_child import _answer, _open
from holdfast.engines.asking_rules import RefusedError
from holdfast.engines.duck import DuckEngine, arrow_table
from holdfast.investigation.activity import ACTIVITY, GIVEN
from holdfast.investigation.saved import Saved, saved
from holdfast.investigation.stages import ordered
from holdfast.kernel.errors import BadInputError, TooLargeError
from tests.contract import hostile
from tests.contract.library import make

SECRET = "the-secret-in-another-file"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asking's place")


@pytest.fixture(scope="module")
def kept(place: Path) -> dict[str, tuple[Path, ...]]:
    (place / "secret.csv").write_text(f"a,b\n{SECRET},2\n")
    (place / "secret.txt").write_text(SECRET)
    part = place / "part.parquet"
    pq.write_table(arrow_table(ACTIVITY, hostile.activity(300)), part)
    engine = DuckEngine(place / "engine", threads=1)
    engine.activity([part])
    for name, rows in hostile.tables().items():
        engine.define(name, given_tables()[name], rows)
    for stage in ordered(given_tables()):
        make(engine, stage)
    found = engine.keep(place / "kept")
    engine.close()
    return found


@pytest.fixture(scope="module")
def ask(kept: dict[str, tuple[Path, ...]]) -> Asker:
    return Asker(kept, memory_mb=512)


@pytest.fixture(scope="module")
def tables(kept: dict[str, tuple[Path, ...]]) -> dict[str, list[str]]:
    return {name: [str(part) for part in parts] for name, parts in kept.items()}


def in_process(tables: dict[str, list[str]], sql: str, parameters: dict[str, str]) -> dict[str, Any]:
    """What the process does with a question, without a process: it is quicker for many."""
    order = {"tables": tables, "sql": sql, "parameters": parameters, "limit": 3, "bytes": 1 << 20}
    return _answer({**order, "memory_mb": 512, "seconds": 10})


def test_the_tables_are_those_of_the_investigation_with_instants_for_people(ask: Asker) -> None:
    reply = ask("SELECT min(event_time) AS first, count(*) AS events FROM activity WHERE event_time IS NOT NULL")
    assert reply.columns == (("first", "TIMESTAMP WITH TIME ZONE"), ("events", "BIGINT"))
    assert str(reply.rows[0][0]).startswith("2026-01-0")
    assert str(reply.rows[0][0]).endswith("Z")
    assert reply.rows[0][1] > 200


@pytest.mark.parametrize("name", [*GIVEN, "usage", "signals", "sessions", "people", "coverage", "suspects"])
def test_every_table_people_need_is_there(tables: dict[str, list[str]], name: str) -> None:
    assert in_process(tables, f"SELECT * FROM {name}", {})["columns"]


@pytest.mark.parametrize("question", saved(), ids=lambda one: one.id)
def test_a_saved_question_runs(tables: dict[str, list[str]], question: Saved) -> None:
    given = {one.name: one.example for one in question.parameters}
    assert in_process(tables, question.sql, given)["columns"]


def test_a_parameter_is_a_value_and_never_sql(ask: Asker) -> None:
    reply = ask("SELECT $value AS said", {"value": "x'; DROP TABLE activity; --"})
    assert reply.rows == (("x'; DROP TABLE activity; --",),)


def test_values_come_out_as_json_holds_them(ask: Asker) -> None:
    sql = (
        "SELECT 1.5::DECIMAL(3,1) AS d, 'inf'::DOUBLE AS f, [1, 2] AS l, {'a': NULL} AS s, '\\x00'::BLOB AS b,"
        " DATE '2026-01-01' AS day, 170141183460469231731687303715884105727 AS big"
    )
    assert ask(sql).rows == (("1.5", "inf", [1, 2], {"a": None}, "00", "2026-01-01", 2**127 - 1),)


def test_more_rows_than_asked_for_are_cut_and_said_to_be(ask: Asker) -> None:
    reply = ask("SELECT * FROM range(1000000000000)", limit=5)
    assert (len(reply.rows), reply.cut) == (5, "rows")


def test_an_answer_that_weighs_too_much_is_cut_and_said_to_be(ask: Asker) -> None:
    reply = ask("SELECT repeat('x', 100000) AS t FROM range(500)", limit=500)
    assert reply.cut == "bytes"
    assert 0 < len(reply.rows) < 100


def test_a_table_can_be_described(ask: Asker) -> None:
    names = [row[0] for row in ask("DESCRIBE activity").rows]
    assert {"row_id", "event_time", "delivered_time"} <= set(names)


def test_a_mistake_is_told_in_one_sentence(ask: Asker) -> None:
    with pytest.raises(BadInputError) as caught:
        ask("SELECT operatoin FROM activity")
    assert caught.value.code == "sql-not-valid"
    assert "operatoin" in caught.value.why
    assert "\n" not in caught.value.why


def test_a_message_names_no_path() -> None:
    told = plain('IO Error: Cannot open file "/home/ada/incident 7/x.csv": No such file\n\nLINE 1: SELECT')
    assert "home" not in told


ATTACKS = (
    # writing
    "COPY activity TO 'PLACE/out.csv'",
    "COPY (SELECT 1) TO 'PLACE/out.parquet' (FORMAT parquet)",
    "EXPORT DATABASE 'PLACE/out'",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO f(a) AS a",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "INSERT INTO activity SELECT * FROM activity",
    "UPDATE inputs SET path = ''",
    "DELETE FROM inputs",
    "DROP VIEW activity",
    "ALTER VIEW activity RENAME TO x",
    "WITH x AS (DELETE FROM inputs RETURNING *) SELECT * FROM x",
    "BEGIN; DELETE FROM inputs; COMMIT",
    "CHECKPOINT",
    "VACUUM",
    # several statements
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY activity TO 'PLACE/out.csv'",
    "ROLLBACK; SELECT 1",
    # files
    "SELECT * FROM 'PLACE/secret.csv'",
    'SELECT * FROM "PLACE/secret.csv"',
    "FROM 'PLACE/secret.csv'",
    "SELECT * FROM read_csv('PLACE/secret.csv')",
    "SELECT * FROM read_csv_auto('PLACE/secret.csv')",
    "SELECT * FROM read_text('PLACE/secret.txt')",
    "SELECT * FROM read_blob('PLACE/secret.txt')",
    "SELECT * FROM read_json('PLACE/secret.txt')",
    "SELECT * FROM read_parquet('PLACE/part.parquet')",
    "SELECT * FROM parquet_scan('PLACE/part.parquet')",
    "SELECT * FROM parquet_metadata('PLACE/part.parquet')",
    "SELECT * FROM sniff_csv('PLACE/secret.csv')",
    "SELECT * FROM glob('PLACE/*')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM query('SELECT * FROM read_text(''PLACE/secret.txt'')')",
    "SELECT * FROM query_table('PLACE/secret.csv')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT (SELECT content FROM read_text('PLACE/secret.txt')) AS x",
    "WITH x AS (SELECT * FROM read_text('PLACE/secret.txt')) SELECT * FROM x",
    "SELECT * FROM activity WHERE actor_uid IN (SELECT content FROM read_text('PLACE/secret.txt'))",
    "SELECT 1 UNION ALL SELECT count(*) FROM 'PLACE/secret.csv'",
    'WITH "PLACE/secret.csv" AS (SELECT 1) SELECT * FROM "PLACE/secret.csv"',
    'SELECT * FROM (SELECT 1) AS a, (WITH "PLACE/secret.csv" AS (SELECT 1) SELECT 2) AS b, "PLACE/secret.csv"',
    "ATTACH 'PLACE/other.db'",
    "ATTACH 'PLACE/other.db' (READ_ONLY)",
    "SELECT * FROM read_duckdb('PLACE/other.db')",
    "PIVOT 'PLACE/secret.csv' ON a",
    "DESCRIBE 'PLACE/secret.csv'",
    "SUMMARIZE 'PLACE/secret.csv'",
    "IMPORT DATABASE 'PLACE'",
    # network and extensions
    "SELECT * FROM 'https://example.org/x.csv'",
    "SELECT * FROM read_csv('s3://bucket/x.csv')",
    "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL spatial FROM 'http://example.org'",
    # settings and the inside of the database
    "SET enable_external_access = true",
    "SET GLOBAL lock_configuration = false",
    "RESET allowed_paths",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "EXPLAIN ANALYZE SELECT 1",
    "SET VARIABLE x = 1",
    "SELECT getvariable('x')",
    "SELECT current_setting('temp_directory')",
    "SELECT current_setting('allowed_paths')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "SELECT * FROM duckdb_views()",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM system.main.duckdb_tables",
    "SELECT getenv('HOME')",
    "SELECT sleep_ms(100)",
    "SELECT write_log('x')",
    "SELECT nextval('x')",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT main.getenv('HOME')",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM python_map_function(1)",
    "SELECT * FROM test_all_types()",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "USE memory.pg_catalog",
    "SHOW ALL TABLES",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_rules_let_nothing_but_a_select_over_the_tables_pass(tables: dict[str, list[str]], attack: str) -> None:
    with pytest.raises((RefusedError, duckdb.ParserException)):
        in_process({name: tables[name] for name in ("activity", "inputs")}, attack, {})


@pytest.mark.parametrize("attack", ATTACKS)
def test_without_the_rules_the_locks_hold(tables: dict[str, list[str]], place: Path, attack: str) -> None:
    """The same straight into the process's database: nothing is written, no other file read, no lock opened."""
    before = sorted(str(path) for path in place.rglob("*"))
    base = _open({name: tables[name] for name in ("activity", "inputs")}, 512)
    try:
        base.execute("BEGIN TRANSACTION READ ONLY")
        found = str(base.execute(attack.replace("PLACE", str(place))).fetchall())
    except duckdb.Error as error:
        found = str(error)
    assert SECRET not in found
    assert sorted(str(path) for path in place.rglob("*")) == before
    with contextlib.suppress(duckdb.Error):
        base.execute("ROLLBACK")
    assert base.execute("SELECT current_setting('enable_external_access')").fetchall() == [(False,)]
    assert base.execute("SELECT count(*) > 0 FROM activity").fetchall() == [(True,)]
    base.close()


@pytest.mark.parametrize("attack", [ATTACKS[0], ATTACKS[18], ATTACKS[25], ATTACKS[52]])
def test_a_refusal_says_what_to_do(ask: Asker, attack: str) -> None:
    with pytest.raises(BadInputError) as caught:
        ask(attack)
    assert caught.value.code == "sql-not-allowed"
    assert caught.value.next_step


def test_the_process_may_write_no_file(tmp_path: Path) -> None:
    code = (
        "from holdfast.engines.asking_child import _limit\n"
        "_limit({'seconds': 1, 'memory_mb': 512})\n"
        f"open({str(tmp_path / 'x')!r}, 'wb', buffering=0).write(b'x' * 10)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"File too large" in done.stderr
    assert not (tmp_path / "x").read_bytes()


BOMBS = (
    "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c",
    "SELECT count(*) FROM activity a, activity b, activity c, signals s WHERE a.detail || b.detail <> c.detail",
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r AS (SELECT 'x' AS t UNION ALL SELECT t || t FROM r) SELECT max(length(t)) FROM r",
    "SELECT list(i) FROM range(1000000000000) AS t(i)",
    "SELECT length(repeat('a', 4000000000))",
    "SELECT string_agg(detail, '') FROM activity, range(10000000)",
    "SELECT * FROM range(100000000) AS t(i) ORDER BY hash(i)",
)


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_eats_time_or_memory_is_stopped(ask: Asker, bomb: str) -> None:
    with pytest.raises(TooLargeError) as caught:
        ask(bomb, timeout_s=1)
    assert caught.value.code == "sql-too-heavy"


def test_patterns_take_time_in_proportion_only(ask: Asker) -> None:
    assert ask("SELECT regexp_matches(repeat('a', 1000000), '(a*)*b') AS found", timeout_s=5).rows == ((False,),)


def test_questions_after_a_bomb_are_answered(ask: Asker) -> None:
    assert ask("SELECT 1 AS one").rows == ((1,),)
