"""Files as vendors export them, through the whole ingest: every record accounted for, under the right source."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from holdfast.app.ports_investigation import Ingested, Source
from holdfast.engines.ingest import ParquetIngest
from tests.unit.investigation.readers.samples import (
    ENTRA_GRAPH,
    GCP,
    GITHUB,
    GITHUB_JOB,
    GITHUB_RUN,
    GWS,
    JSON,
    K8S,
    K8S_AKS,
    M365,
    M365_CSV,
    SLACK,
    VAULT,
)
from tests.unit.investigation.readers.test_google import TWO_ACTS


def _read(tmp_path: Path, data: bytes, name: str = "log.json") -> tuple[Ingested, list[dict[str, Any]]]:
    (tmp_path / name).write_bytes(data)
    made = ParquetIngest(clock_us=lambda: 0, workers=0)([Source(tmp_path / name, name)], tmp_path / "out")
    rows: list[dict[str, Any]] = []
    for part in made.parts:
        rows += pq.read_table(part).to_pylist()
    for told in made.inputs:
        assert told["records"] == told["rows"] + told["duplicates"] + told["quarantined"]
    return made, rows


def _lines(*records: object) -> bytes:
    return b"\n".join(orjson.dumps(record) for record in records)


def test_one_file_of_every_source_is_read_record_by_record(tmp_path: Path) -> None:
    made, rows = _read(tmp_path, _lines(*(record for _, record in JSON)))
    assert Counter(row["source"] for row in rows) == Counter(key for key, _ in JSON) - Counter(
        {"entra.audit": 1, "github.actions": 1}
    )
    assert (made.inputs[0]["duplicates"], made.inputs[0]["quarantined"]) == (2, 0)


@pytest.mark.parametrize(
    ("document", "operations"),
    [
        ({"value": [ENTRA_GRAPH]}, ["Add service principal credentials"]),
        ({"entries": [GCP]}, ["google.iam.admin.v1.CreateServiceAccountKey"]),
        ({"entries": [SLACK]}, ["app_installed"]),
        ({"total_count": 1, "workflow_runs": [GITHUB_RUN]}, ["workflow_run"]),
        ({"total_count": 1, "jobs": [GITHUB_JOB]}, ["workflow_job"]),
        ({"kind": "EventList", "items": [K8S]}, ["create pods/exec"]),
        ({"records": [K8S_AKS]}, ["create pods/exec"]),
        ({"kind": "admin#reports#activities", "items": [GWS, TWO_ACTS]}, ["ASSIGN_ROLE", "ASSIGN_ROLE", "CREATE_USER"]),
        ([TWO_ACTS], ["ASSIGN_ROLE", "CREATE_USER"]),
        ([GITHUB, {**GITHUB, "_document_id": "2"}], ["repo.create_actions_secret"] * 2),
        (
            {"logGroup": "/aws/eks/one/cluster", "logEvents": [{"id": "1", "message": orjson.dumps(K8S).decode()}]},
            ["create pods/exec"],
        ),
    ],
)
def test_envelopes_of_apis_and_streams_are_opened(tmp_path: Path, document: object, operations: list[str]) -> None:
    made, rows = _read(tmp_path, orjson.dumps(document))
    assert {row["operation"] for row in rows} == set(operations)
    assert made.inputs[0]["records"] == len(operations)
    assert made.inputs[0]["quarantined"] == 0


def test_a_compressed_export_as_csv_is_read(tmp_path: Path) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(M365_CSV))
    table.writeheader()
    table.writerow(M365_CSV)
    made, rows = _read(tmp_path, gzip.compress(text.getvalue().encode()), "export.csv.gz")
    assert [(row["source"], row["operation"]) for row in rows] == [("m365.ual", "New-InboxRule")]
    assert made.inputs[0]["reader"] == "m365.ual+csv"


def test_a_wrong_time_is_quarantined_with_its_reason_and_a_missing_one_kept(tmp_path: Path) -> None:
    undated = {key: value for key, value in VAULT.items() if key != "time"}
    made, rows = _read(
        tmp_path, _lines({**VAULT, "time": "yesterday"}, undated, {**M365, "CreationTime": "31/12/2026"})
    )
    assert [row["time_us"] for row in rows] == [None]
    assert made.inputs[0]["quarantined"] == 2
    assert {told["reason"] for told in made.quarantined} == {"the time is not a valid instant"}
