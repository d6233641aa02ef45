"""Folded states are never stale, old events read as new ones, and unknown ones do no harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.app.state import IncidentState
from holdfast.app.states import UPCASTERS, States, fold, upcast
from tests.contract.records import batch, event
from tests.house import House, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("states")) as opened:
        yield opened


def test_a_cached_state_equals_the_fold_from_the_beginning(house: House) -> None:
    incident = house.commanded()
    house.do("ben", "message-post", incident, text="x")
    cached = house.app.states.incident(incident)
    house.app.states.forget()
    assert house.app.states.incident(incident) == cached == fold(IncidentState(incident), house.events(incident))


def test_a_state_held_by_one_process_sees_what_another_has_written(house: House) -> None:
    incident = house.commanded()
    other = States(house.app.record)
    before = other.incident(incident)
    house.do("ben", "message-post", incident, text="x")
    assert other.incident(incident).seq == before.seq + 1
    assert before.seq + 1 == house.app.states.incident(incident).seq


def test_an_incident_that_does_not_exist_is_not_kept(house: House) -> None:
    states = States(house.app.record)
    assert states.incident("INC-1999-0001").seq == -1
    assert not states._cache


def test_only_so_many_states_are_kept_and_the_least_used_goes_first(house: House) -> None:
    states = States(house.app.record, kept=2)
    one, two, three = (house.declare() for _ in range(3))
    for incident in (one, two, one, three):
        states.incident(incident)
    assert list(states._cache) == [one, three]


def test_an_unknown_event_changes_only_the_sequence_number(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        incident = house.commanded()
        before = house.app.states.incident(incident)
        strange = event(incident, before.seq + 1, {"from": "the future"}, "quantum.entangled")
        house.app.record.append(batch(incident, before.seq + 1, events=[strange]))
        assert house.app.states.incident(incident) == replace(before, seq=before.seq + 1)
        told = house.do("ben", "message-post", incident, text="after it")
        assert told.version == before.seq + 2


def test_a_known_event_of_a_later_version_is_kept_and_not_guessed_at(house: House) -> None:
    later = replace(event("INC-2026-0001", 0, {"anything": 1}, "incident.declared"), version=99)
    assert fold(IncidentState("INC-2026-0001"), [later]) == IncidentState("INC-2026-0001", seq=0)


def test_upcasters_chain_from_version_to_version_and_leave_the_stored_event_alone() -> None:
    def named(data: Any) -> dict[str, Any]:
        return {"name": data["n"]}

    def listed(data: Any) -> dict[str, Any]:
        return {"names": [data["name"]]}

    old = event("INC-2026-0001", 0, {"n": "x"}, "thing.named")
    line = old.canonical()
    new = upcast(old, {("thing.named", 1): named, ("thing.named", 2): listed, ("other", 1): dict})
    assert (new.version, new.data) == (3, {"names": ["x"]})
    assert old.canonical() == line
    assert replace(new, version=1, data=old.data) == old
    assert upcast(new, {("thing.named", 1): named}) == new


def test_every_shipped_upcaster_leads_to_a_version_that_exists() -> None:
    from holdfast.app.state import TYPES

    for name, version in UPCASTERS:
        assert (name, version + 1) in TYPES or (name, version + 1) in UPCASTERS
