from __future__ import annotations

from string import Formatter

import pytest

from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import EventType, NewEvent
from holdfast.recovery import EMPTY, TYPES
from holdfast.recovery.folding import _FOLDS
from tests.unit.recovery.record import Record


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_an_example_holds_exactly_the_declared_fields_and_is_recordable(kind: EventType) -> None:
    assert set(kind.example) == set(kind.fields)
    assert canonical(kind.example)
    named = {name for _, name, _, _ in Formatter().parse(kind.sentence + (kind.facet or "")) if name}
    assert named - {"actor"} <= set(kind.fields)


def test_every_declared_type_is_folded_and_of_others_only_the_reopening() -> None:
    assert {kind.name for kind in TYPES} | {"incident.reopened"} == set(_FOLDS)


def test_events_of_others_change_nothing() -> None:
    record = Record()
    record.add([NewEvent("severity.raised", {"level": "SEV-1"})])
    assert record.state is EMPTY
