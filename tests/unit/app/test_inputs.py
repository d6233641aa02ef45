"""What a person typed is scanned before it is stored; no words slip into an event unsealed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.app.commanding import REGISTRY, Command, FreeText, Line, UseCase
from holdfast.app.commands import declare_all
from holdfast.app.inputs import free_text_fields, screen, screen_text
from holdfast.web.shapes import Shape, shape_of
from tests.unit.app.bodies import body_for

declare_all()
KEY = b"k" * 32
TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


def fields() -> list[tuple[str, str, Shape]]:
    return [
        (name, field, shape_of(info))
        for name, case in sorted(REGISTRY.items())
        for field, info in case.command.model_fields.items()
    ]


@pytest.mark.parametrize(
    ("case", "field", "shape"), fields(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_field_is_words_to_be_sealed_or_held_to_a_form(case: str, field: str, shape: Shape) -> None:
    inner = shape.item if shape.kind in ("list", "table") and shape.item is not None else shape
    if inner.kind == "words":
        assert field in free_text_fields(REGISTRY[case].command)
        assert inner.max_length is not None
    elif inner.kind == "text":
        assert inner.pattern is not None, "plain text that is neither sealed nor held to a pattern"
    else:
        assert inner.kind in ("choice", "flag", "number", "instant", "date", "pairs")


def sent(case: UseCase) -> Command:
    return case.command.model_validate(body_for(case))


def test_a_secret_becomes_its_fingerprint_in_every_field_that_holds_words() -> None:
    for name, case in REGISTRY.items():
        for field in free_text_fields(case.command):
            shape = shape_of(case.command.model_fields[field])
            if shape.kind != "words":
                continue
            command = sent(case).model_copy(update={field: f"see {TOKEN} there"})
            clean, notices = screen(command, KEY)
            assert TOKEN not in getattr(clean, field), (name, field)
            assert [notice.field for notice in notices] == [field]


def test_secrets_inside_lists_and_tables_are_found_too() -> None:
    class Held(Command):
        """A command whose words are inside."""

        lines: list[Line]
        table: dict[str, Line]
        maybe: list[Line] | None = None

    told = Held(lines=["plain", f"a {TOKEN}"], table={"a": f"b {TOKEN}"}, maybe=[TOKEN])
    clean, notices = screen(told, KEY)
    assert TOKEN not in str(clean)
    assert clean.lines[0] == "plain"  # type: ignore[attr-defined]
    assert [notice.field for notice in notices] == ["lines", "table", "maybe"]


def test_one_secret_has_one_fingerprint_under_one_key_and_another_under_another() -> None:
    assert screen_text(f"a {TOKEN}", KEY).split()[1:] == screen_text(f"b {TOKEN}", KEY).split()[1:]
    assert screen_text(f"a {TOKEN}", KEY) != screen_text(f"a {TOKEN}", b"o" * 32)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_words_without_secrets_stay_word_for_word(text: str) -> None:
    assert screen_text(text, KEY) == text


def test_free_text_is_told_as_one_line_or_many() -> None:
    declared = free_text_fields(REGISTRY["declare"].command)
    assert declared["name"] == FreeText(multiline=False)
    assert declared["suspected_impact"] == FreeText(multiline=True)
