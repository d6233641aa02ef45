"""Files to read, and what came of them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from holdfast.app.ports_investigation import Ingested, Source
from holdfast.engines.ingest import Limits, ParquetIngest

NOW = 1_780_000_000_000_000


def event(number: int, **changed: Any) -> dict[str, Any]:
    """A CloudTrail event of ours."""
    told: dict[str, Any] = {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::111122223333:user/ana",
            "accountId": "111122223333",
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "ana",
        },
        "eventTime": f"2026-05-01T10:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketAcl",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2",
        "requestParameters": {"bucketName": f"bucket-{number}"},
        "responseElements": None,
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }
    return {**told, **changed}


def native(*events: Mapping[str, Any]) -> bytes:
    """A native CloudTrail file."""
    return json.dumps({"Records": list(events)}).encode()


def packed(content: bytes) -> bytes:
    """Gzip."""
    return gzip.compress(content, mtime=0)


def tarred(members: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Files in a folder of logs."""
    logs = folder / "logs"
    for name, content in files.items():
        path = logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return logs


def ingest(folder: Path, files: Mapping[str, bytes] | None = None, **options: Any) -> Ingested:
    """Read the files; the account of every input is held to add up."""
    logs = write(folder, files) if files is not None else folder / "logs"
    limits = options.pop("limits", Limits())
    options.setdefault("workers", 0)
    made = ParquetIngest(lambda: NOW, limits=limits, **options)([Source(logs, "logs")], folder / "out")
    for one in made.inputs:
        assert one["records"] == one["rows"] + one["duplicates"] + one["quarantined"], one
    assert sum(one["rows"] for one in made.inputs) == len(rows(made))
    return made


def rows(made: Ingested) -> list[dict[str, Any]]:
    """Every row, by row id."""
    found = [row for part in made.parts for row in pq.read_table(part).to_pylist()]
    return sorted(found, key=lambda row: row["row_id"])


def counts(made: Ingested) -> dict[str, tuple[int, int, int, int]]:
    """Path to records, rows, duplicates and quarantined."""
    return {one["path"]: (one["records"], one["rows"], one["duplicates"], one["quarantined"]) for one in made.inputs}


def reasons(made: Ingested) -> dict[str, str | None]:
    """Path to the reason."""
    return {one["path"]: one["reason"] for one in made.inputs}
