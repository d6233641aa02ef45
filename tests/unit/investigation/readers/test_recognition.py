"""Each record belongs to one reader, and no record breaks one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.investigation.activity import ACTIVITY
from holdfast.investigation.catalogue import entries
from holdfast.investigation.readers import shipped
from holdfast.investigation.reading import Reader, UnreadableError
from tests.unit.investigation.readers.samples import JSON, M365_CSV

MINE = (
    "github.", "gitlab.", "okta.", "entra.", "m365.", "gws.", "gcp.", "k8s.", "vault.", "azure.", "slack.",
)  # fmt: skip
READERS = {reader.key: reader for reader in shipped() if reader.key.startswith(MINE)}
COLUMNS = {column.name: column.type for column in ACTIVITY}
IDS = [f"{place}-{key}" for place, (key, _) in enumerate(JSON)]
NOISE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


def _recognising(record: object, framing: str = "json") -> list[str]:
    return [reader.key for reader in shipped() if reader.framing == framing and reader.recognises(record)]


@pytest.mark.parametrize(("key", "record"), JSON, ids=IDS)
def test_a_record_is_recognised_by_its_reader_alone(key: str, record: dict[str, Any]) -> None:
    assert _recognising(record) == [key]


def test_a_row_of_the_csv_export_is_recognised_by_its_reader_alone() -> None:
    assert _recognising(M365_CSV, "csv") == ["m365.ual+csv"]


@pytest.mark.parametrize(("key", "record"), JSON, ids=IDS)
def test_fields_are_columns_of_the_activity_table_and_tell_time_and_act(key: str, record: dict[str, Any]) -> None:
    told = READERS[key].fields(record)
    assert told.keys() <= COLUMNS.keys()
    assert told["operation"]
    assert told["event_class"] in READERS[key].event_classes
    assert 1767261600 * 10**6 <= told["time_us"] < 1767268800 * 10**6
    for name, value in told.items():
        assert value is None or isinstance(value, int if COLUMNS[name] == "integer" else str | dict | list), name
    orjson.dumps(told)


@pytest.mark.parametrize("record", [None, 7, "text", [], {}, {"id": 1}, {"Records": []}, {"a": {"b": []}}], ids=repr)
def test_nothing_else_is_recognised(record: object) -> None:
    assert not [key for key in _recognising(record) if key.startswith(MINE)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_value_in_any_place_breaks_a_reader(data: st.DataObject) -> None:
    key, record = data.draw(st.sampled_from(JSON))
    broken = _with(orjson.loads(orjson.dumps(record)), data.draw)
    reader = READERS[key]
    assert reader.recognises(broken) in (True, False)
    _reads_or_refuses(reader, broken)
    if reader.unwrap is not None:
        assert reader.unwrap(broken) is None or isinstance(reader.unwrap(broken), list)


def _with(record: dict[str, Any], draw: Callable[[Any], Any]) -> dict[str, Any]:
    """The record with one or two of its values, anywhere, exchanged for noise."""
    for _ in range(draw(st.integers(1, 2))):
        place: Any = record
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            chosen = draw(st.sampled_from(keys))
            inner = place[chosen]
            if isinstance(inner, dict | list) and inner and draw(st.booleans()):
                place = inner
                continue
            place[chosen] = draw(NOISE)
            break
    return record


def _reads_or_refuses(reader: Reader, record: object) -> None:
    try:
        told = reader.fields(record)
    except UnreadableError as fault:
        assert str(fault)  # noqa: PT017 -- both outcomes are right; what is held is that there is no third
    else:
        assert told.keys() <= COLUMNS.keys()


@pytest.mark.parametrize("record", [None, 7, "text", []], ids=repr)
def test_what_is_no_mapping_is_refused_with_a_reason(record: object) -> None:
    for reader in READERS.values():
        with pytest.raises(UnreadableError):
            reader.fields(record)


def test_every_source_of_the_catalogue_outside_aws_has_a_reader() -> None:
    sources = {entry.source for entry in entries() if not entry.source.startswith("aws.")}
    assert sources <= {key.partition("+")[0] for key in READERS}


def test_every_reader_says_what_it_was_proven_on() -> None:
    for reader in READERS.values():
        assert reader.proof.standing in ("real_data", "vendor_schema")
        assert "https://" in reader.proof.source, reader.key
