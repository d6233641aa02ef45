from __future__ import annotations

from string import Formatter

import pytest

from holdfast.evidence import EMPTY, TYPES, apply
from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import EventType, NewEvent
from tests.unit.evidence.folding import Record

BY_NAME = {kind.name: kind for kind in TYPES}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_the_example_has_exactly_the_declared_fields_and_is_recordable(kind: EventType) -> None:
    assert set(kind.example) == set(kind.fields)
    assert canonical(kind.example)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_sentence_and_facet_name_declared_fields_only(kind: EventType) -> None:
    for template in (kind.sentence, kind.facet or ""):
        named = {name for _, name, _, _ in Formatter().parse(template) if name}
        assert named <= set(kind.fields) | {"actor"}


def test_every_example_folds_in_the_order_of_a_whole_life() -> None:
    life = (
        "evidence.collected",
        "evidence.viewed",
        "evidence.transfer_proposed",
        "evidence.transfer_refused",
        "evidence.transfer_proposed",
        "evidence.transfer_accepted",
        "evidence.reverified",
        "hold.placed",
        "hold.released",
        "erasure.requested",
        "erasure.declined",
        "erasure.requested",
        "erasure.approved",
        "evidence.erased",
        "text.erased",
    )
    record = Record()
    record.add(NewEvent(name, BY_NAME[name].example) for name in life)
    item = record.state.items["ev-1"]
    assert (item.custodian, item.handovers, item.verified, item.standing) == ("omar", 1, "matches", "erased")
    assert set(life) | {"evidence.exported"} == set(BY_NAME)


def test_an_event_of_another_package_changes_nothing() -> None:
    record = Record()
    event = record.add([NewEvent("severity.raised", {"level": "SEV-1"})])[0]
    assert apply(EMPTY, event) is EMPTY
