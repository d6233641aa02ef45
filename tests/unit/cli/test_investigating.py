"""``holdfast investigate`` and ``holdfast sql`` as somebody types them, without a server and without an incident."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from holdfast.cli.main import build
from tests.unit.app.test_inquiries import KEY, record, trail


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    made = record(
        1,
        "CreateAccessKey",
        requestParameters={"userName": "backup"},
        responseElements={"accessKey": {"accessKeyId": "AKIAI44QH8DHBEXAMPLE", "userName": "backup"}},
    )
    (folder / "trail.json").write_bytes(trail(made, made, record(2, "StopLogging"), record(3, "ListUsers")))
    (folder / "notes.txt").write_text("nothing that any reader knows\n", encoding="utf-8")
    return folder


def typed(*words: str, said: str | None = None) -> Result:
    return CliRunner().invoke(build(), [*words], input=said)


def answered(*words: str, said: str | None = None) -> dict[str, Any]:
    ended = typed(*words, "--json", said=said)
    assert ended.exit_code == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_folder_is_answered_in_one_object_whose_records_add_up(logs: Path) -> None:
    told = answered("investigate", str(logs))
    inputs = told["inputs"]
    assert inputs["records"] == inputs["rows"] + inputs["duplicates"] + inputs["quarantined"]
    assert (inputs["rows"], inputs["duplicates"], inputs["quarantined"]) == (3, 1, 1)
    assert {one["path"]: one["reason"] for one in inputs["files"] if one["quarantined"]} == {
        str(logs / "notes.txt"): "plain text that no reader recognises (1)"
    }
    assert list(told["answers"]) == ["I1", "I2", "I3", "I4", "I5", "I6", "I7"]
    for answer in told["answers"].values():
        assert answer["sentence"].endswith(".")
        assert answer["as_of"] == told["as_of"]
        assert {"rows", "grades", "would_change", "findings", "standing"} <= answer.keys()


def test_a_row_cites_the_very_record(logs: Path) -> None:
    told = answered("investigate", str(logs))
    rows = [row for row in told["answers"]["I5"]["rows"] if "AKIAI44QH8DHBEXAMPLE" in row["what"]]
    assert rows
    citation = rows[0]["citation"]
    assert citation["file"] == str(logs / "trail.json")
    records = json.loads((logs / "trail.json").read_bytes())["Records"]
    assert records[citation["record"]]["eventID"] == citation["event_id"]


def test_people_read_sentences_and_are_told_what_was_not_read(logs: Path) -> None:
    ended = typed("investigate", str(logs))
    assert ended.exit_code == 0
    assert "Read 5 records in 2 files: 3 rows, 1 duplicates, 1 not readable." in ended.stdout
    assert "notes.txt: plain text that no reader recognises" in ended.stderr
    assert all(f"\n{question} " in ended.stdout for question in ("I1", "I2", "I3", "I4", "I5", "I6", "I7"))


def test_a_subject_that_nobody_knows_is_said_to_be_unknown(logs: Path) -> None:
    told = answered("investigate", str(logs), "--subject", "AKIANOBODYKNOWSTHIS1")
    assert "AKIANOBODYKNOWSTHIS1" in told["answers"]["I2"]["sentence"]
    assert told["scope"]["subjects"] == ["AKIANOBODYKNOWSTHIS1"]


def test_the_acts_of_our_own_people_are_not_the_attackers(logs: Path) -> None:
    told = answered("investigate", str(logs), "--responder", "arn:aws:iam::111122223333:user/payments")
    assert not [row for row in told["answers"]["I5"]["rows"] if "Create access key" in row["what"]]


def test_the_window_bounds_what_is_asked(logs: Path) -> None:
    told = answered("investigate", str(logs), "--from", "2026-11-23T02:02:30Z", "--to", "2026-11-23T03:00Z")
    assert told["scope"] == {
        "from": "2026-11-23T02:02:30Z",
        "to": "2026-11-23T03:00:00Z",
        "given": True,
        "subjects": [],
    }
    assert not [row for row in told["answers"]["I5"]["rows"] if "Create access key" in row["what"]]


def test_timeline_pictures_and_answers_are_written_to_a_folder(logs: Path, tmp_path: Path) -> None:
    there = tmp_path / "export"
    answered("investigate", str(logs), "--export", str(there))
    names = {file.name for file in there.iterdir()}
    assert names == {
        "answers.json",
        "coverage.svg",
        "identities.svg",
        "timeline.csv",
        "timeline.jsonl",
        "timeline.svg",
        "trust.svg",
    }
    lines = [json.loads(line) for line in (there / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all({"message", "datetime", "timestamp_desc"} <= line.keys() for line in lines)
    again = typed("investigate", str(logs), "--export", str(there))
    assert again.exit_code == 2
    assert "not empty" in again.stderr


def test_a_clock_that_is_ahead_is_set_right_in_the_timeline_only(logs: Path, tmp_path: Path) -> None:
    there = tmp_path / "export"
    told = answered("investigate", str(logs), "--clock", "aws.cloudtrail=90000", "--export", str(there))
    with (there / "timeline.csv").open(encoding="utf-8", newline="") as file:
        (made,) = [line for line in csv.DictReader(file) if line["operation"] == "CreateAccessKey"]
    assert made["time"].startswith("2026-11-23T02:01:00")
    assert made["shown_time"].startswith("2026-11-23T01:59:30")
    assert "02:01:00" in json.dumps(told["answers"]["I5"])


def test_a_kept_table_answers_questions_in_sql_and_nothing_else(logs: Path, tmp_path: Path) -> None:
    table = tmp_path / "table"
    assert typed("investigate", str(logs), "--keep", str(table)).exit_code == 0
    told = answered("sql", "--table", str(table), "SELECT operation FROM activity ORDER BY row_id")
    assert [row[0] for row in told["rows"]] == ["CreateAccessKey", "StopLogging", "ListUsers"]
    saved = answered("sql", "--table", str(table), "--saved", "credential_use", "--with", f"credential={KEY}")
    assert saved["rows"]
    names = json.loads(typed("sql", "--table", str(table), "--tables", "--json").stdout)
    assert {"activity", "usage", "signals", "suspects", "coverage", "inputs"} <= set(names)
    described = answered("sql", "--table", str(table), "DESCRIBE SELECT * FROM signals")
    assert "score" in [row[0] for row in described["rows"]]
    assert {one["id"] for one in json.loads(typed("sql", "--list", "--json").stdout)} >= {"credential_use", "leads"}
    printed = typed("sql", "--table", str(table), "--csv", "SELECT '=1+1' AS cell")
    assert list(csv.reader(io.StringIO(printed.stdout)))[1] == ["'=1+1"]
    for hostile in ("SELECT * FROM read_text('/etc/hostname')", "COPY activity TO 'x.csv'", "ATTACH 'y.db'"):
        refused = typed("sql", "--table", str(table), hostile)
        assert refused.exit_code == 2
        assert "Next:" in refused.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("investigate",), "nothing-to-investigate"),
        (("investigate", "/nowhere/at/all"), "source-not-found"),
        (("investigate", ".", "--incident", "INC-2026-0001"), "investigate-captured-only"),
        (("investigate", "--incident", "INC-2026-0001", "--probe", "aws"), "option-without-incident-only"),
        (("investigate", "--incident", "INC-2026-0001", "--engine", "spark"), "option-without-incident-only"),
        (("investigate", ".", "--engine", "abacus"), "engine-unknown"),
        (("investigate", ".", "--probe", "crystal ball"), "probe-unknown"),
        (("investigate", ".", "--from", "yesterday"), "instant-not-understood"),
        (("investigate", ".", "--map", "/nowhere.toml"), "mapping-unreadable"),
        (("investigate", ".", "--clock", "okta.system"), "clock-not-understood"),
        (("sql", "SELECT 1"), "table-not-named"),
        (("sql", "--table", "."), "question-missing"),
        (("sql", "--table", ".", "--saved", "nothing"), "saved-question-unknown"),
        (("sql", "--table", ".", "--with", "novalue", "SELECT 1"), "parameter-not-understood"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(
    words: tuple[str, ...], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = typed(*words, "--json")
    told = json.loads(ended.stderr)
    assert told["code"] == code
    assert told["next_step"]
    assert ended.exit_code == told["exit_code"]


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_an_address_that_answers_is_still_open_and_one_that_refuses_is_not(logs: Path, listening: str) -> None:
    told = answered("investigate", str(logs), "--probe", listening)
    assert {one["uid"]: one["standing"] for one in told["probes"]}[listening] == "exploitable"
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    told = answered("investigate", str(logs), "--probe", gone)
    (one,) = [probe for probe in told["probes"] if probe["uid"] == gone]
    assert one["standing"] == "closed"
    assert one["probed"]


def test_a_secret_at_head_is_looked_for_by_its_value_from_standard_input(logs: Path, tmp_path: Path) -> None:
    repository = tmp_path / "payments"
    secret = "correct-horse-battery-staple-0815"
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    (repository / "settings").write_text(f"key={secret}\n", encoding="utf-8")
    subprocess.run(["git", "-C", str(repository), "add", "--all"], check=True)
    subprocess.run(["git", "-C", str(repository), *identity, "commit", "--quiet", "-m", "x"], check=True)
    words = ("investigate", str(logs), "--repository", str(repository))
    told = answered(*words, said=secret + "\n")
    asked = f"secret at HEAD of {repository}"
    assert {one["uid"]: one["standing"] for one in told["probes"]}[asked] == "exploitable"
    assert secret not in json.dumps(told)
    (repository / "settings").write_text("key from the environment\n", encoding="utf-8")
    subprocess.run(["git", "-C", str(repository), *identity, "commit", "--quiet", "-am", "y"], check=True)
    told = answered(*words, said=secret + "\n")
    assert {one["uid"]: one["standing"] for one in told["probes"]}[asked] == "closed"
    assert typed(*words, said="").exit_code == 2


def test_the_suspects_own_key_is_used_on_a_recorded_order_only(logs: Path) -> None:
    ended = typed("investigate", str(logs), "--suspect-key", KEY, "--json", said="not-a-real-secret\n")
    told = json.loads(ended.stderr)
    assert told["code"] == "probe-needs-order"
    assert "not-a-real-secret" not in ended.stderr + ended.stdout


def test_ones_own_sigma_rules_are_run_and_what_cannot_be_run_is_named(logs: Path, tmp_path: Path) -> None:
    pytest.importorskip("sigma")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "stop.yml").write_text(
        "title: A trail is stopped\nid: 00000000-0000-4000-8000-000000000001\nstatus: test\nlevel: high\n"
        "logsource:\n  product: aws\n  service: cloudtrail\n"
        "detection:\n  selection:\n    eventName: StopLogging\n  condition: selection\n",
        encoding="utf-8",
    )
    (rules / "broken.yml").write_text("title: Broken\n", encoding="utf-8")
    told = answered("investigate", str(logs), "--sigma", str(rules))
    rows = [row for row in told["answers"]["I5"]["rows"] if row["finding"] == "i5_sigma"]
    assert [row["what"] for row in rows] == ["A trail is stopped (high)"]
    assert rows[0]["citation"]["record"] == 2
    assert [one["file"] for one in told["sigma_refused"]] == ["broken.yml"]
