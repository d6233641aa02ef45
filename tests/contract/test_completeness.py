"""Completeness from files to grades: a synthetic digest chain on disk through ingest, stages and coverage."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from holdfast.app.investigating import given_tables
from holdfast.app.ports_investigation import Source
from holdfast.engines.duck import DuckEngine
from holdfast.engines.ingest import ParquetIngest
from holdfast.investigation.activity import INPUTS
from holdfast.investigation.queries import Stage, stages
from holdfast.investigation.stages import CLOSURES, Closure
from tests.unit.investigation.digest_chain import ACCOUNT, REGION, Chain, public_keys

HOURS = 8


def record(number: int, name: str) -> dict[str, Any]:
    """One event of a log file, at the time the file's name tells, two minutes earlier."""
    day, clock = name.split("_")[3].rstrip("Z").split("T")
    instant = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{max(int(clock[2:]) - 2, 0):02d}:00Z"
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ada", "accountId": ACCOUNT},
        "eventTime": instant,
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.1",
        "eventID": f"0000-{number}",
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        "readOnly": True,
    }


def write(folder: Path, *, keys: bool = True) -> Chain:
    """The chain as somebody would have copied it: gz files, keys, and the newest digest's metadata."""
    names: list[str] = []

    def content(name: str) -> bytes:
        names.append(name)
        return orjson.dumps({"Records": [record(len(names), name)]})

    chain = Chain(hours=HOURS, content=content)
    for name, log in chain.logs.items():
        (folder / name).write_bytes(gzip.compress(log))
    for name, _, digest in chain.documents:
        (folder / name.rsplit("/", 1)[-1]).write_bytes(gzip.compress(digest))
    last = list(chain.signatures)[-1]
    head = {"Metadata": {"signature": chain.signatures[last], "signature-algorithm": "SHA256withRSA"}}
    (folder / f"{last.rsplit('/', 1)[-1]}.head.json").write_bytes(orjson.dumps(head))
    if keys:
        (folder / "keys.json").write_bytes(orjson.dumps(public_keys("first")))
    return chain


def tables(folder: Path, scratch: Path) -> dict[str, list[dict[str, Any]]]:
    """Read a folder and make what completeness needs."""
    found = ParquetIngest(clock_us=lambda: 0, workers=0)([Source(folder, "copied")], scratch / "read")
    engine = DuckEngine(scratch)
    engine.activity(found.parts)
    for name, columns in given_tables().items():
        if name != "activity":
            engine.define(name, columns, ())
    engine.define("inputs", INPUTS, found.inputs)
    for name, (columns, rows) in found.tables.items():
        engine.define(name, columns, rows)
    everything: list[Stage | Closure] = [*stages(), *CLOSURES]
    made = {one.id: one for one in everything}
    for name in ("hourly", "logging_changes", "log_checks", "digests", "coverage"):
        one = made[name]
        if isinstance(one, Closure):
            given: dict[str, Any] = {read: engine.rows(f"SELECT * FROM {read}") for read in one.after}
            engine.define(name, one.columns, one.rows(given))
        else:
            engine.materialise(name, one.sql)
    result = {name: engine.rows(f"SELECT * FROM {name}") for name in ("inputs", "digests", "coverage")}
    engine.close()
    return result


def hours(rows: list[dict[str, Any]], grade: str) -> int:
    return sum(row["hours"] for row in rows if row["grade"] == grade and row["event_class"] == "management")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "copied"
    folder.mkdir()
    return folder


def test_a_copied_chain_proves_its_hours(copied: Path, tmp_path: Path) -> None:
    write(copied)
    found = tables(copied, tmp_path)
    assert [row["standing"] for row in found["digests"]] == ["valid"] * HOURS
    assert {(row["files"], row["files_ok"]) for row in found["digests"]} == {(2, 2)}
    assert hours(found["coverage"], "proven") >= HOURS - 2
    assert all(row["kind"] == "digest" for row in found["inputs"] if "Digest" in row["path"])
    assert sum(row["quarantined"] for row in found["inputs"]) == 0


def test_without_keys_nothing_is_proven_and_nothing_is_lost(copied: Path, tmp_path: Path) -> None:
    write(copied, keys=False)
    found = tables(copied, tmp_path)
    assert [row["standing"] for row in found["digests"]] == ["cannot_tell"] * HOURS
    assert hours(found["coverage"], "proven") == 0
    assert hours(found["coverage"], "gap") == 0


def test_an_altered_log_file_is_found_on_disk(copied: Path, tmp_path: Path) -> None:
    chain = write(copied)
    name = list(chain.logs)[6]
    (copied / name).write_bytes(gzip.compress(chain.logs[name].replace(b"ListUsers", b"ListRoles")))
    found = tables(copied, tmp_path)
    assert [(row["standing"], row["part"]) for row in found["digests"] if row["part"] == "log_file"] == [
        ("altered", "log_file")
    ]
    assert hours(found["coverage"], "gap") == 1


def test_a_cut_log_file_is_a_gap_and_its_records_are_accounted_for(copied: Path, tmp_path: Path) -> None:
    chain = write(copied)
    name = list(chain.logs)[6]
    whole = gzip.compress(chain.logs[name])
    (copied / name).write_bytes(whole[: len(whole) // 2])
    found = tables(copied, tmp_path)
    assert sum(row["quarantined"] for row in found["inputs"]) >= 1
    assert hours(found["coverage"], "gap") >= 1
    assert all(row["records"] == row["rows"] + row["duplicates"] + row["quarantined"] for row in found["inputs"])
