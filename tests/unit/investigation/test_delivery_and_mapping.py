"""Delivery from names, and records by a person's mapping."""

from __future__ import annotations

import pytest

from holdfast.investigation.delivery import delivered_us
from holdfast.investigation.mapping import look, readers_of
from holdfast.investigation.reading import Mapped


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("x/218007301253_CloudTrail_us-east-1_20230710T1145Z_7xgo.json.gz", 1_688_989_500_000_000),
        ("b.tar!x/1_CloudTrail_us-east-1_20230710T1145Z_7xgo.json", 1_688_989_500_000_000),
        ("stream-1-2023-07-10-11-45-30-0a1b2c3d-1111-2222-3333-444455556666", 1_688_989_530_000_000),
        ("1_CloudTrail_us-east-1_20231310T9945Z_x.json", None),
        ("audit.log", None),
    ],
)
def test_delivery_is_told_by_the_name_or_not(path: str, told: int | None) -> None:
    assert delivered_us(path) == told


def test_a_mapping_of_unknown_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        readers_of(Mapped("x", {"nonsense": "a"}))


def test_paths_lead_through_objects_lists_and_keys_with_dots() -> None:
    record = {"a": {"b": [{"c": 1}], "d.e": 2}, "f.g": 3}
    assert [look(record, path) for path in ("a.b.0.c", "a.d.e", "f.g", "a.x", "a.b.7")] == [1, 2, 3, None, None]


def test_a_record_without_time_is_kept_undated() -> None:
    reader, _ = readers_of(Mapped("x", {"time_us": "at", "actor_uid": "who"}))
    told = reader.fields({"at": "whenever", "who": "ana"})
    assert (told["time_us"], told["actor_uid"], told["source"]) == (None, "ana", "x")
    assert not reader.recognises({"other": 1})
