"""Real CloudTrail in every form we have: every record is read, or counted with its reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from holdfast.app.ports_investigation import Ingested, Source
from holdfast.engines.ingest import ParquetIngest
from tests.unit.engines.ingest.helping import rows

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data are not here: {DATA}")


def read(folder: Path, name: str) -> Ingested:
    made = ParquetIngest(lambda: 0, 0)([Source(DATA / name, name)], folder)
    for one in made.inputs:
        assert one["records"] == one["rows"] + one["duplicates"] + one["quarantined"], one
    return made


def totals(made: Ingested, suffix: str = "") -> Counter[str]:
    found: Counter[str] = Counter()
    for one in made.inputs:
        if one["path"].endswith(suffix):
            found.update({key: one[key] for key in ("records", "rows", "duplicates", "quarantined")})
    return found


def test_native_files_give_every_event(tmp_path: Path) -> None:
    made = read(tmp_path, "invictus_aws/CloudTrail")
    assert totals(made) == {"records": 2900, "rows": 2900, "duplicates": 0, "quarantined": 0}
    assert {one["reader"] for one in made.inputs} == {"aws.cloudtrail"}
    assert all(one["delivered_us"] for one in made.inputs)
    found = rows(made)
    ids = {
        record["eventID"]
        for path in (DATA / "invictus_aws/CloudTrail").iterdir()
        for record in json.loads(path.read_bytes())["Records"]
    }
    assert {row["event_uid"] for row in found} == ids
    assert all(row["time_us"] and row["account_uid"] and row["service"] for row in found)
    assert all(
        "[redacted sessionToken]" in row["response"]
        for row in found
        if row["issued_credential_uid"] and row["operation"] == "AssumeRole"
    )
    assert {row["actor_type"] for row in found} == {"human", "unknown", "workload", "cloud_service"}


def test_arrays_of_anonymised_events_keep_invalid_values_as_text(tmp_path: Path) -> None:
    made = read(tmp_path, "stratus_detonation")
    found = totals(made, ".json")
    assert found["quarantined"] == 0
    assert found["records"] == 158
    assert "075.050.255.67" in {row["src_ip"] for row in rows(made)} or any(
        (row["src_ip"] or "").startswith("0") for row in rows(made)
    )


def test_sessions_without_an_identity_are_read(tmp_path: Path) -> None:
    made = read(tmp_path, "console_sessions")
    found = totals(made, "InputEvents.json")
    assert found["records"] == 3223
    assert found["quarantined"] == 0
    signals = [one for one in made.inputs if one["path"].endswith("ExpectedSignals.json")]
    assert {one["kind"] for one in signals} == {"unrecognised"}


def test_samples_of_single_calls_are_read_or_named(tmp_path: Path) -> None:
    made = read(tmp_path, "traildiscover/logExamples")
    named = {one["path"]: one["reason"] for one in made.inputs if one["quarantined"]}
    assert totals(made)["rows"] + totals(made)["duplicates"] > 250
    assert all(named.values())
    assert len(named) < 5
