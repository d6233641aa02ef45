"""Event types: examples that fit their declaration, fold and render."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from holdfast import plays
from holdfast.kernel.canonical import canonical
from holdfast.kernel.events import Actor, Event, EventType
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed
from holdfast.plays import running

from .journal import Journal, definition

MOMENT = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)


def event_of(kind: EventType, seq: int) -> Event:
    actor = Actor("person", "bea", "passkey")
    return Event("INC-1", seq, f"id-{seq}", kind.name, kind.version, MOMENT, MOMENT, "observed", actor, kind.example)


@pytest.mark.parametrize("kind", plays.TYPES, ids=lambda kind: kind.name)
def test_an_example_has_exactly_the_declared_fields_and_reads_as_a_sentence(kind: EventType) -> None:
    assert set(kind.example) == set(kind.fields)
    canonical(kind.example)
    assert kind.sentence.format(actor="bea", **kind.example)
    assert kind.facet is not None
    assert "{" not in kind.facet.format(**kind.example)


def test_every_example_folds_into_a_run_that_was_started() -> None:
    state = plays.apply(plays.EMPTY, event_of(plays.TYPES[0], 0))
    second = {**plays.TYPES[0].example, "play_id": "play-2"}
    state = plays.apply(state, Event(**{**_fields(event_of(plays.TYPES[0], 1)), "data": second}))
    for seq, kind in enumerate(plays.TYPES[1:], start=2):
        changed = plays.apply(state, event_of(kind, seq))
        assert changed != state, kind.name
        state = changed


def test_events_of_other_packages_and_of_later_versions_change_nothing() -> None:
    journal = Journal()
    journal.start("leaked-secret")
    for name, version in (("severity.raised", 1), ("step.done", 99)):
        event = Event(
            "INC-1", 9, "id-9", name, version, MOMENT, MOMENT, "observed", Actor("person", "bea", "token"), {}
        )
        assert plays.apply(journal.state, event) is journal.state


def test_a_subject_tells_two_runs_of_one_play_apart() -> None:
    journal, subject = Journal(), Sealed(TextId("txt-5"), "e" * 64)
    journal.take(running.start(journal.state, definition("ci-token"), "d" * 64, subject))
    assert journal.run().subject == subject


def _fields(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in Event.__slots__}
