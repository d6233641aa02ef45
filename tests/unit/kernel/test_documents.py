"""Strict reading of library documents."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.kernel.documents import Table
from holdfast.kernel.errors import BadInputError


def test_what_is_there_is_read_and_what_is_absent_takes_its_default() -> None:
    table = Table({"name": "Chat", "version": 2, "flag": True, "hints": ["a"], "parts": [{"key": "x"}]}, "")
    assert (table.text("name"), table.text_or("other", "none")) == ("Chat", "none")
    assert table.positive("version") == 2
    assert (table.flag_or("flag", otherwise=False), table.flag_or("no_flag", otherwise=True)) == (True, True)
    assert (table.texts("hints"), table.texts("traps")) == (("a",), ())
    assert ([part.text("key") for part in table.tables("parts")], table.tables("steps")) == (["x"], ())
    table.finish()


@pytest.mark.parametrize(
    ("read", "place"),
    [
        (lambda table: table.text("missing"), "top.missing"),
        (lambda table: table.text("blank"), "top.blank"),
        (lambda table: table.text("number"), "top.number"),
        (lambda table: table.text("name", "[a-z]+"), "top.name"),
        (lambda table: table.positive("zero"), "top.zero"),
        (lambda table: table.positive("flag"), "top.flag"),
        (lambda table: table.flag_or("number", otherwise=True), "top.number"),
        (lambda table: table.texts("mixed"), "top.mixed[1]"),
        (lambda table: table.tables("mixed"), "top.mixed[0]"),
        (lambda table: table.finish(), "top.blank"),
    ],
)
def test_a_fault_names_its_place(read: Callable[[Table], object], place: str) -> None:
    document = {"name": "Chat", "blank": " \n", "number": 3, "zero": 0, "flag": True, "mixed": ["a", 1]}
    with pytest.raises(BadInputError) as refusal:
        read(Table(document, "top"))
    assert refusal.value.code == "library-document-not-valid"
    assert refusal.value.details == {"place": place}


def test_a_key_that_nobody_reads_is_a_fault() -> None:
    table = Table({"destroy_evidence": True, "id": "LS3"}, "steps[2]")
    table.text("id")
    table.flag_or("destroys_evidence", otherwise=False)
    with pytest.raises(BadInputError, match="no such key is known here") as refusal:
        table.finish()
    assert refusal.value.details == {"place": "steps[2].destroy_evidence"}


def test_what_is_not_a_table_is_a_fault() -> None:
    with pytest.raises(BadInputError):
        Table(["id"], "steps[0]")
