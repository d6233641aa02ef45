from __future__ import annotations

import json
import re
from string import Formatter

import pytest
from tools import golden

from holdfast.app.state import TYPES
from holdfast.app.states import UPCASTERS, upcast
from holdfast.kernel.events import EventType, event_from

ALL = tuple(golden.types().values())
KINDS = {"action", "decision", "message", "evidence", "finding", "clock", "communication", "system"}


def named(kind: EventType) -> str:
    return f"{kind.name}.v{kind.version}"


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_an_event_type_says_what_it_holds(kind: EventType) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", kind.name)
    assert kind.kind in KINDS
    assert set(kind.example) == set(kind.fields)
    assert all(kind.fields.values())


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_an_event_type_reads_as_a_sentence_with_its_example(kind: EventType) -> None:
    said = {name: "words" if isinstance(value, dict | list) else value for name, value in kind.example.items()}
    sentence = kind.sentence.format(actor="ana.reyes", **said)
    assert "{" not in sentence
    for template in (kind.sentence, kind.facet or ""):
        used = {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(template) if name}
        assert used <= {*kind.fields, "actor"}


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_the_bytes_of_an_event_never_change(kind: EventType) -> None:
    kept = golden.kept()
    assert (kind.name, kind.version) in kept, "a new type or version: python -m tools.golden adds its line"
    assert golden.line(kind) == kept[kind.name, kind.version]


def test_every_golden_line_is_still_understood_or_carried_to_a_version_that_is() -> None:
    known = set(golden.types())
    for name, line in golden.kept().items():
        event = event_from(json.loads(line))
        assert event.canonical() == line
        newest = upcast(event)
        assert (newest.type, newest.version) in known, name


def test_an_upcaster_ends_at_a_type_that_is_declared() -> None:
    for name, version in UPCASTERS:
        assert (name, version + 1) in TYPES
