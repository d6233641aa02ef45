"""Instants, addresses and odd values as vendors write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.investigation.readers._fields import (
    NOT_AN_INSTANT,
    address,
    compact,
    dig,
    first,
    folded,
    instant,
    mapping,
    pairs,
    text,
    told,
    when,
)
from holdfast.investigation.reading import UnreadableError

NOON = 1767268800000000
"""2026-01-01T12:00:00Z"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T12:00Z", NOON),
        ("2026-01-01 12:00:00", NOON),
        ("2026-01-01 12:00:00 UTC", NOON),
        ("2026-01-01T12:00:00.1Z", NOON + 100_000),
        ("2026-01-01T12:00:00.1234567Z", NOON + 123_456),
        ("2026-01-01T12:00:00.123456789Z", NOON + 123_456),
        ("2026-01-01T12:00:00,5Z", NOON + 500_000),
        ("2026-01-01T14:30:00+02:30", NOON),
        ("2026-01-01T04:00:00-0800", NOON),
        ("2026-01-01T11:59:60Z", NOON),
        ("/Date(1767268800123)/", NOON + 123_000),
        ("/Date(1767268800123+0200)/", NOON + 123_000),
        (1767268800, NOON),
        (1767268800.25, NOON + 250_000),
        (1767268800123, NOON + 123_000),
        (1767268800123456, NOON + 123_456),
        (1767268800123456789, NOON + 123_456),
        ("1767268800123", NOON + 123_000),
        ("1767268800.25", NOON + 250_000),
    ],
)
def test_a_time_is_read_however_it_is_spelt(written: object, expected: int) -> None:
    assert instant(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "redacted", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "01/02/2026 10:00", "", None, True, 0,
        12345, -1, float("nan"), float("inf"), 10**40, "0001-01-01T00:00:00", "2026-01-01T12:00:00+99", [], {},
    ],
)  # fmt: skip
def test_what_is_no_instant_gives_none(written: object) -> None:
    assert instant(written) is None


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001 -- made UTC below
def test_every_instant_comes_back_to_the_microsecond(moment: datetime) -> None:
    exact = moment.replace(tzinfo=UTC)
    micros = instant(exact.isoformat())
    assert micros is not None
    assert datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000) == exact


@given(st.one_of(st.text(), st.integers(), st.floats()))
def test_nothing_that_stands_for_a_time_raises(written: object) -> None:
    found = instant(written)
    assert found is None or found > 0


def test_a_record_without_time_is_undated_and_one_with_a_wrong_time_unreadable() -> None:
    assert when(None, "") is None
    assert when(None, "2026-01-01T12:00:00Z") == NOON
    assert when("0001-01-01T00:00:00") is None
    with pytest.raises(UnreadableError, match=NOT_AN_INSTANT):
        when("yesterday", "2026-01-01T12:00:00Z")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:443", "203.0.113.7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::FFFF:203.0.113.7]:80", "203.0.113.7"),
        ("075.050.255.67", "075.050.255.67"),
        ("not an address", "not an address"),
        ("", None),
        ("-", None),
        (None, None),
        (["203.0.113.7"], None),
    ],
)
def test_an_address_loses_its_port_and_nothing_else(written: object, expected: str | None) -> None:
    assert address(written) == expected


def test_values_of_the_wrong_kind_are_none() -> None:
    assert (text([]), text({}), text(True), text(7), text(" a ")) == (None, None, "true", "7", "a")
    assert text(10**5000) is None
    assert (told("unknown"), told("N/A"), first(None, "-", "x")) == (None, None, "x")
    assert dig({"a": [1]}, "a", "b") is None
    assert dig({"a": '{"b": 3}'}, "a", "b") == 3
    assert mapping("{broken") == {}
    assert compact({"a": None, "b": "", "c": 0}) == {"c": 0}
    assert folded({"Client_IP": "", "ClientIP": "1", "clientip": "2"}) == {"clientip": "1"}
    assert pairs([{"Name": "A", "Value": 1}, {"Name": "A", "Value": 2}, 3], "Name", "Value") == {"A": 1}
