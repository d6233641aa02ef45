"""Entries of several lines: LDIF and the journal's export, whole, broken off, over the limit, cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.investigation.blocks import blocks, journal_records, ldif_records
from holdfast.investigation.framing import BrokenOffError, Chunks, Fault

LDIF = b"""# extended LDIF
#
dn: cn=one,
 dc=corp
cn: one
sn:: w4RybmU=
reqMod: a:+ first
reqMod: b:+ second
description:
 folded

# a comment
dn: cn=two,dc=corp
cn: two

# search result
search: 2
result: 0 Success

# numEntries: 2
"""
JOURNAL = (
    b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=one\nTAG=a\nTAG=b\n\n"
    b"__CURSOR=s=2\nMESSAGE\n" + (4).to_bytes(8, "little") + b"x\n\ny\nPRIORITY=3\n\n"
)
LIMIT = 1 << 20


def read(framed: Any, data: bytes, size: int = 1 << 16, limit: int = LIMIT) -> list[Any]:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return [one for batch in framed(Chunks(pieces), limit) for one in batch]


def broken(data: bytes) -> Iterator[bytes]:
    yield data
    raise BrokenOffError("truncated")


def reasons(found: list[Any]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Fault)]


def test_entries_of_ldif_become_mappings_of_lists() -> None:
    assert read(ldif_records, LDIF) == [
        {"dn": "cn=one,dc=corp", "cn": ["one"], "sn": ["Ärne"], "reqMod": ["a:+ first", "b:+ second"],
         "description": ["folded"]},
        {"dn": "cn=two,dc=corp", "cn": ["two"]},
    ]  # fmt: skip


def test_carriage_returns_and_a_missing_end_change_nothing() -> None:
    assert read(ldif_records, LDIF.replace(b"\n", b"\r\n")) == read(ldif_records, LDIF)
    assert read(ldif_records, b"version: 1\n\ndn: cn=x\ncn: x") == [{"dn": "cn=x", "cn": ["x"]}]


def test_a_search_that_was_cut_off_is_a_fault_and_one_that_ended_is_none() -> None:
    cut = LDIF.replace(b"result: 0 Success", b"result: 4 Size limit exceeded")
    assert reasons(read(ldif_records, cut)) == [
        "the LDAP search ended early: Size limit exceeded: what follows was not exported"
    ]
    assert reasons(read(ldif_records, LDIF)) == []


def test_entries_of_the_journal_keep_text_over_several_lines_and_names_told_twice() -> None:
    assert read(journal_records, JOURNAL) == [
        {"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1700000000000000", "MESSAGE": "one", "TAG": ["a", "b"]},
        {"__CURSOR": "s=2", "MESSAGE": "x\n\ny", "PRIORITY": "3"},
    ]


@pytest.mark.parametrize("left", [JOURNAL[:-16], JOURNAL[:-20], JOURNAL[:-22]])
def test_a_journal_that_ends_within_a_counted_value_is_a_fault(left: bytes) -> None:
    found = read(journal_records, left)
    assert found[0]["MESSAGE"] == "one"
    assert reasons(found) == ["journal export broken off or damaged: what follows could not be read"]


@pytest.mark.parametrize(("framed", "data"), [(ldif_records, LDIF[:-60]), (journal_records, JOURNAL[:-6])])
def test_what_breaks_off_is_told_by_the_chunks_and_the_half_entry_is_left_out(framed: Any, data: bytes) -> None:
    chunks = Chunks(broken(data))
    found = [one for batch in framed(chunks, LIMIT) for one in batch]
    assert len(found) == len([one for one in found if not isinstance(one, Fault)])
    assert chunks.fault == "truncated"


def test_an_entry_over_the_limit_is_counted_once_and_the_next_is_read() -> None:
    long = b"dn: cn=long\n" + b"a: " + b"x" * 3000 + b"\nb: y\n\n" + b"dn: cn=next\ncn: next\n"
    found = read(ldif_records, long, size=100, limit=1000)
    assert [type(one) for one in found] == [Fault, dict]
    counted = b"__CURSOR=a\nM\n" + (3000).to_bytes(8, "little") + b"x" * 3000 + b"\n\n__CURSOR=b\n\n"
    found = read(journal_records, counted, size=100, limit=1000)
    assert [type(one) for one in found] == [Fault, dict]
    plain = b"__CURSOR=a\nM=" + b"x" * 3000 + b"\n\n__CURSOR=b\n\n"
    assert [type(one) for one in read(journal_records, plain, size=100, limit=1000)] == [Fault, dict]


@given(st.integers(1, 40))
def test_where_the_pieces_are_cut_changes_nothing(size: int) -> None:
    assert read(ldif_records, LDIF, size) == read(ldif_records, LDIF)
    assert read(journal_records, JOURNAL, size) == read(journal_records, JOURNAL)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_break_it(noise: bytes, size: int) -> None:
    for framed, start in ((ldif_records, b"dn: x\n"), (journal_records, b"__CURSOR=x\n")):
        for one in read(framed, start + noise, size):
            assert isinstance(one, dict | Fault)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (LDIF, "ldif"),
        (b"version: 1\ndn: cn=x\n", "ldif"),
        (b"\n\ndn:: Y249eA==\n", "ldif"),
        (JOURNAL, "journal"),
        (b"dnsmasq: started\n", None),
        (b"version: 1\nservices:\n", None),
        (b"{}", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_kind(head: bytes, kind: str | None) -> None:
    assert blocks(head) == kind
