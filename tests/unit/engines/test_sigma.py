"""Sigma rules of our own, over events of our own: converted, refused with reasons, and equal to SQLite's answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.engines.duck import DuckEngine
from holdfast.engines.sigma import hits, sigma_rules
from holdfast.investigation.activity import ACTIVITY
from holdfast.kernel.errors import NotFoundError

pytest.importorskip("sigma.backends.sqlite", reason="the extra holdfast[sigma] is not installed")

EVENTS: list[dict[str, Any]] = [
    {"service": "iam", "operation": "CreateAccessKey", "actor_uid": "ada", "request": '{"userName":"bob"}'},
    {"service": "iam", "operation": "createaccesskey", "actor_uid": "low", "request": '{"userName":"bob"}'},
    {"service": "iam", "operation": "ListUsers", "actor_uid": "ada", "user_agent": "Tool/1.0"},
    {"service": "s3", "operation": "GetObject", "actor_uid": "ada", "request": '{"bucketName":"a_b","count":"12"}'},
    {"service": "s3", "operation": "GetObject", "actor_uid": "eve", "request": '{"bucketName":"axb","count":"7"}'},
    {"service": "s3", "operation": "PutObject", "actor_uid": "eve", "src_ip": "10.1.2.3", "error": "AccessDenied"},
]
HEAD = (
    "title: '{title}'\nid: {id}\nlevel: high\ntags: [attack.t1098]\nlogsource: {{product: aws, service: cloudtrail}}\n"
)
CONDITIONS: dict[str, str] = {
    "equal": "sel: {eventSource: iam.amazonaws.com, eventName: CreateAccessKey}\n  condition: sel",
    "start": "sel: {eventName|startswith: Create}\n  condition: sel",
    "inside": "sel: {eventName|contains: ACCESS}\n  condition: sel",
    "end": "sel: {eventName|endswith: object}\n  condition: sel",
    "underscore": "sel: {requestParameters.bucketName|startswith: a_}\n  condition: sel",
    "wild": "sel: {eventName: 'C*Key'}\n  condition: sel",
    "regex": "sel: {eventName|re: '^(Get|Put)Object$'}\n  condition: sel",
    "not": "sel: {eventSource: s3.amazonaws.com}\n  t: {sourceIPAddress|contains: '10.'}\n  condition: sel and not t",
    "null": "sel: {eventSource: s3.amazonaws.com, errorCode: null}\n  condition: sel",
    "many": "sel: {eventName: [ListUsers, PutObject]}\n  condition: sel",
    "network": "sel: {sourceIPAddress|cidr: 10.0.0.0/8}\n  condition: sel",
    "number": "sel: {requestParameters.count|gt: 9}\n  condition: sel",
}
EXPECTED: dict[str, set[int]] = {
    "equal": {1},
    "start": {1, 2},
    "inside": {1, 2},
    "end": {4, 5, 6},
    "underscore": {4},
    "wild": {1, 2},
    "regex": {4, 5, 6},
    "not": {4, 5},
    "null": {4, 5},
    "many": {3, 6},
    "network": {6},
    "number": {4},
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckEngine]:
    found = DuckEngine(tmp_path / "engine", threads=1)
    rows = [
        {"row_id": number, "time_us": number, "source": "aws.cloudtrail"} | one for number, one in enumerate(EVENTS, 1)
    ]
    found.define("activity", ACTIVITY, rows)
    yield found
    found.close()


def written(folder: Path, name: str, detection: str) -> None:
    number = f"{list(CONDITIONS).index(name) if name in CONDITIONS else 99:08}-1111-4111-8111-111111111111"
    text = HEAD.format(title=name, id=number) + f"detection:\n  {detection}\n"
    folder.joinpath(f"{name}.yml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_rule_finds_its_events(engine: DuckEngine, tmp_path: Path, name: str) -> None:
    written(tmp_path, name, CONDITIONS[name])
    rules = sigma_rules(tmp_path)
    assert rules.refused == ()
    found, refused = hits(engine, rules)
    assert ({row["row_id"] for row in found}, refused) == (EXPECTED[name], [])
    assert {(row["title"], row["level"], row["tags"], row["file"]) for row in found} == {
        (name, "high", "attack.t1098", f"{name}.yml")
    }


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """An event under the names that rules use, as SQLite would hold it."""
    import json

    request = json.loads(event.get("request") or "{}")
    return {
        "eventSource": f"{event['service']}.amazonaws.com",
        "eventName": event["operation"],
        "errorCode": event.get("error"),
        "sourceIPAddress": event.get("src_ip"),
        "requestParameters.bucketName": request.get("bucketName"),
        "requestParameters.count": int(request["count"]) if "count" in request else None,
    }


@pytest.mark.parametrize("name", CONDITIONS)
def test_sqlite_answers_the_same(tmp_path: Path, name: str) -> None:
    import re

    from sigma.backends.sqlite.sqlite import sqliteBackend
    from sigma.collection import SigmaCollection

    base = sqlite3.connect(":memory:")
    base.create_function(
        "REGEXP", 2, lambda pattern, value: value is not None and re.search(pattern, value) is not None
    )
    rows = [flat(event) for event in EVENTS]
    names = ", ".join(f'"{column}"' for column in rows[0])
    base.execute(f"CREATE TABLE logs (n INTEGER, {names})")
    for number, row in enumerate(rows, 1):
        base.execute(f"INSERT INTO logs VALUES ({', '.join('?' * (len(row) + 1))})", [number, *row.values()])
    written(tmp_path, name, CONDITIONS[name])
    text = tmp_path.joinpath(f"{name}.yml").read_text(encoding="utf-8")
    (query,) = sqliteBackend().convert(SigmaCollection.from_yaml(text))
    found = {row[0] for row in base.execute(query.replace("<TABLE_NAME>", "logs"))}
    base.close()
    assert found == EXPECTED[name]


def test_what_does_not_run_is_named_with_its_reason(engine: DuckEngine, tmp_path: Path) -> None:
    written(tmp_path, "equal", CONDITIONS["equal"])
    written(tmp_path, "unknown-field", "sel: {someField: x}\n  condition: sel")
    written(tmp_path, "keywords", "kw: [foo, bar]\n  condition: kw")
    tmp_path.joinpath("windows.yml").write_text(
        "title: w\nlogsource: {product: windows, category: process_creation}\n"
        "detection: {sel: {a: b}, condition: sel}\n"
    )
    tmp_path.joinpath("broken.yml").write_text("title: [unclosed\n")
    tmp_path.joinpath("list.yml").write_text("- a\n- b\n")
    tmp_path.joinpath("large.yml").write_text("# " + "x" * 300_000)
    tmp_path.joinpath("joined.yml").write_text("title: j\ncorrelation: {type: event_count}\n")
    rules = sigma_rules(tmp_path)
    reasons = {one.file: one.reason for one in rules.refused}
    assert [rule.title for rule in rules.rules] == ["equal"]
    assert reasons["unknown-field.yml"] == "it reads the field someField, which has no place here"
    assert reasons["keywords.yml"].startswith("it does not convert: ")
    assert reasons["windows.yml"] == "its log is not one that is read here: windows process_creation"
    assert reasons["broken.yml"].startswith("it cannot be read: ")
    assert reasons["list.yml"] == "it is no rule"
    assert reasons["large.yml"] == "the file is larger than 262144 bytes"
    assert reasons["joined.yml"] == "it joins several rules, which is not supported"
    found, refused = hits(engine, rules)
    assert (len(found), len(refused)) == (1, 7)


def test_a_rule_cannot_reach_beyond_the_table(engine: DuckEngine, tmp_path: Path) -> None:
    written(tmp_path, "hostile", 'sel: {eventName: "x\' OR 1=1 --"}\n  condition: sel')
    written(tmp_path, "path", "sel: {\"requestParameters.a') OR ('1'='1\": x}\n  condition: sel")
    rules = sigma_rules(tmp_path)
    found, _ = hits(engine, rules)
    assert found == []
    assert [one.file for one in rules.refused] == ["path.yml"]


class Moody(DuckEngine):
    """An engine that does not take some rules."""

    def rows(self, sql: str, limit: int | None = None) -> list[dict[str, Any]]:
        if "ListUsers" in sql:
            raise RuntimeError("no such operation here")
        return super().rows(sql, limit)


def test_one_rule_that_the_engine_does_not_take_stops_no_other(tmp_path: Path) -> None:
    written(tmp_path, "many", CONDITIONS["many"])
    written(tmp_path, "equal", CONDITIONS["equal"])
    engine = Moody(tmp_path / "engine", threads=1)
    engine.define("activity", ACTIVITY, [{"row_id": 1, "source": "aws.cloudtrail"} | EVENTS[0]])
    found, refused = hits(engine, sigma_rules(tmp_path))
    engine.close()
    assert [row["title"] for row in found] == ["equal"]
    assert [(one.file, one.reason) for one in refused] == [
        ("many.yml", "the engine does not take it: no such operation here")
    ]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        sigma_rules(tmp_path / "none")
    assert caught.value.code == "sigma-folder-not-found"
