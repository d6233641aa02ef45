"""The event catalogue: complete, decidable where it says so, and every condition right about its examples."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from holdfast.investigation import catalogue
from holdfast.investigation.catalogue import CATEGORIES, conditions, entries, filled, moved, same_technique, scoring
from holdfast.investigation.queries import stages
from holdfast.kernel.errors import BadInputError

COLUMNS = (
    "operation", "actor_type", "actor_uid", "session_uid", "credential_uid", "account_uid", "status", "request",
    "detail", "target_uid", "service", "src_service",
)  # fmt: skip
EXAMPLES = [
    pytest.param(condition, case, id=f"{condition.name}: {case['name']}")
    for condition in conditions().values()
    for case in condition.cases
]


def flat_sql() -> str:
    """How the stage itself makes ``flat``, taken from it, so that examples and product read alike."""
    sql = next(stage.sql for stage in stages() if stage.id == "noted")
    start = sql.index("CASE WHEN c.reads THEN ") + len("CASE WHEN c.reads THEN ")
    return sql[start : sql.index("END AS flat")].replace("a.request", "request").replace("a.detail", "detail")


def decided(sql: str, given: dict[str, Any]) -> bool:
    cells = ", ".join(f"CAST(? AS VARCHAR) AS {name}" for name in COLUMNS)
    asked = f"SELECT coalesce(({sql}), FALSE) FROM (SELECT *, {flat_sql()} AS flat FROM (SELECT {cells}))"
    with duckdb.connect(":memory:") as base:
        found = base.execute(asked, [given.get(name) for name in COLUMNS]).fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(("condition", "case"), EXAMPLES)
def test_a_condition_is_right_about_its_example(condition: catalogue.Condition, case: dict[str, Any]) -> None:
    assert decided(condition.sql, case["given"]) is case["expect"]


@pytest.mark.parametrize("name", sorted(conditions()))
def test_a_condition_answers_a_record_without_anything(name: str) -> None:
    assert decided(conditions()[name].sql, {}) in (True, False)


def test_every_source_of_the_catalogue_is_there() -> None:
    assert len(entries()) >= 416
    assert {entry.source for entry in entries()} == {
        "aws.cloudtrail", "github.audit", "gitlab.audit", "okta.system", "entra.audit", "azure.activity", "m365.ual",
        "gws.admin", "gws.login", "gws.user_accounts", "gws.token", "gws.drive", "gws.device", "gcp.audit", "k8s.audit",
        "vault.audit",
    }  # fmt: skip


def test_every_condition_is_used_and_every_category_known() -> None:
    assert {entry.when for entry in entries()} == set(conditions())
    assert {entry.category for entry in entries()} <= set(CATEGORIES)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.id)
def test_an_entry_that_only_hints_is_never_a_lead_by_itself(entry: catalogue.Entry) -> None:
    if entry.decided_by != "record":
        assert max(entry.score, entry.otherwise) < scoring().threshold
    assert entry.otherwise <= entry.score
    assert entry.techniques
    assert entry.why


def test_nothing_reads_the_name_a_program_gives_itself() -> None:
    told = [condition.sql for condition in conditions().values()]
    told += [stage.sql for stage in stages() if stage.id in ("noted", "around", "signals", "piles", "addresses")]
    assert not [sql for sql in told if "user_agent" in sql or "useragent" in sql]


def test_a_technique_that_moved_is_known_by_both_ids() -> None:
    assert moved()["T1562.008"] == "T1685.002"
    assert same_technique("T1562.008", "T1685.002")
    assert same_technique("T1098", "T1098.001")
    assert not same_technique("T1098", "T1136")


def test_the_table_has_a_row_for_each_spelling() -> None:
    rows = [row for row in catalogue.rows() if row["catalogue_id"] == "aws.lambda_AddPermission"]
    assert {row["operation"] for row in rows} == {"AddPermission", "AddPermission20150331v2", "AddPermission20150331"}


def test_places_in_sql_are_filled_and_unknown_ones_refused() -> None:
    assert filled("SELECT 1") == "SELECT 1"
    assert filled("{{threshold}} {{points:refused}}") == "60 (10)"
    assert "'StopLogging'" in filled("{{operations}}")
    assert "WHEN 'admin_policy' THEN" in filled("{{conditions}}")
    with pytest.raises(KeyError):
        filled("{{points:nonesuch}}")


def test_points_outside_the_scale_are_refused() -> None:
    with pytest.raises(BadInputError):
        catalogue._points(101, "events[0].points.holds")
    with pytest.raises(BadInputError):
        catalogue._points(True, "events[0].points.holds")
