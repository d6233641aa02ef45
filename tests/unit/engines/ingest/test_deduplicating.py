"""One event told twice is one row, whoever reads it in whatever order."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.app.ports_investigation import Ingested, Source
from holdfast.engines.ingest import Limits, ParquetIngest
from holdfast.engines.ingest import ingest as planning
from tests.unit.engines.ingest.helping import NOW, counts, event, ingest, native, packed, rows, write


def test_an_event_in_two_trails_is_one_row(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1), event(2)), "b.json": native(event(2), event(3), event(2))})
    assert counts(made) == {"logs/a.json": (2, 2, 0, 0), "logs/b.json": (3, 1, 2, 0)}
    assert [row["src_file"] for row in rows(made)] == ["logs/a.json", "logs/a.json", "logs/b.json"]
    assert made.tables["conflicts"][1] == []


def test_another_delivery_is_no_other_event(tmp_path: Path) -> None:
    names = [f"1_CloudTrail_eu-west-1_20260501T10{minute}Z_x.json" for minute in (10, 15)]
    made = ingest(tmp_path, {name: native(event(1)) for name in names})
    assert [one["duplicates"] for one in made.inputs] == [0, 1]


def test_a_part_that_loses_every_row_is_gone(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1)), "b.zip": b""})
    assert len(made.parts) == 1
    assert all(part.exists() for part in made.parts)


def test_one_id_with_two_contents_is_kept_and_told(tmp_path: Path) -> None:
    changed = event(2, sourceIPAddress="198.51.100.9")
    made = ingest(tmp_path, {"a.json": native(event(1), event(2)), "b.json": native(changed, event(2), changed)})
    assert counts(made) == {"logs/a.json": (2, 2, 0, 0), "logs/b.json": (3, 1, 2, 0)}
    assert made.inputs[1]["reason"] == "same event id, different content (1)"
    kept = rows(made)
    assert made.tables["conflicts"][1] == [
        {
            "event_uid": event(2)["eventID"],
            "source": "aws.cloudtrail",
            "row_id": kept[1]["row_id"],
            "other_row_id": kept[2]["row_id"],
        }
    ]


def test_rows_without_an_event_id_are_nobody_s_duplicates(tmp_path: Path) -> None:
    made = ingest(tmp_path, {"a.json": native(event(1, eventID=None), event(1, eventID=None))})
    assert counts(made) == {"logs/a.json": (2, 2, 0, 0)}


def _many(folder: Path) -> Path:
    files = {
        f"{number:02d}.json.gz": packed(
            native(*(event((number * 40 + at) % 700, awsRegion="eu-west-1") for at in range(100)))
        )
        for number in range(24)
    }
    return write(folder, files)


def _told(made: Ingested) -> tuple[object, object, object]:
    return rows(made), [dict(one) for one in made.inputs], made.quarantined


def test_the_result_is_the_same_for_any_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = _many(tmp_path)
    monkeypatch.setattr(planning, "_ALONE", 0)
    monkeypatch.setattr(planning, "_SMALLEST", 10_000)
    limits = Limits(rows=128, part_rows=256)
    alone = ParquetIngest(lambda: NOW, 0, limits=limits)([Source(logs, "logs")], tmp_path / "alone")
    files = [Source(path, f"logs/{path.name}") for path in sorted(logs.iterdir(), reverse=True)]
    made = ParquetIngest(lambda: NOW, 2, limits=limits)(files, tmp_path / "out")
    assert _told(made) == _told(alone)
    assert sum(one["rows"] for one in made.inputs) == 700
    assert sum(one["duplicates"] for one in made.inputs) == 1700
    ids = [row["row_id"] for row in rows(made)]
    assert ids == sorted(set(ids))
