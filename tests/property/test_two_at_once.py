"""Two people at once: one wins, the other is told clearly, invariants hold, and no words and no evidence are lost."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from holdfast.app import checking
from holdfast.app.dispatching import Outcome
from holdfast.kernel.errors import ConflictError, HoldfastError, RefusedError
from tests.house import House, open_house

Told = Outcome | HoldfastError
WHEN = "2026-11-23T08:00:00Z"
PEOPLE = ("ada", "ben", "cem", "out")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("two")) as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    """Two processes' worth of application over one record, so that races are really lost."""
    folder = tmp_path_factory.mktemp("pair")
    more = {}
    if request.param == "postgresql":
        more["HOLDFAST_DATABASE"] = _database(request.getfixturevalue("postgres_server"))
    with open_house(folder, **more) as one, open_house(folder, **more) as two:
        yield one, two


def _database(server: str) -> str:
    import psycopg

    name = f"pair_{uuid.uuid4().hex}"
    with psycopg.connect(server.replace("DATABASE", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.replace("DATABASE", name)


def at_once(*acts: Callable[[], Outcome]) -> list[Told]:
    """What each was told, all started at one moment."""
    gate = threading.Barrier(len(acts))

    def start(act: Callable[[], Outcome]) -> Told:
        gate.wait()
        try:
            return act()
        except HoldfastError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(start, acts))


def act(house: House, account: str, case: str, incident: str, **fields: Any) -> Callable[[], Outcome]:
    return lambda: house.do(account, case, incident, **fields)


def won(told: list[Told]) -> list[Outcome]:
    return [one for one in told if isinstance(one, Outcome)]


def lost(told: list[Told]) -> list[HoldfastError]:
    """Every loser has been told what, why and what next."""
    found = [one for one in told if isinstance(one, HoldfastError)]
    for error in found:
        assert isinstance(error, RefusedError | ConflictError), (error.code, error.why)
        assert all((error.what, error.why, error.next_step))
    return found


def sound(house: House, incident: str) -> None:
    """At most one commander; the cached state is the fold of the record; the record has no fault."""
    cached = house.app.states.incident(incident)
    house.app.states.forget()
    assert house.app.states.incident(incident) == cached
    assert [event.seq for event in house.events(incident)] == list(range(cached.seq + 1))


def test_of_four_who_take_command_at_once_one_commands_and_the_others_are_told_who(house: House) -> None:
    incident = house.declare("ada")
    told = at_once(*(act(house, account, "command-take", incident) for account in PEOPLE))
    state = house.app.states.incident(incident).incidents
    assert len(won(told)) >= 1
    assert state.commander in PEOPLE
    assert not state.command.acting
    assert len(won(told)) + len(lost(told)) == 4
    sound(house, incident)


def test_of_two_who_take_command_having_seen_the_same_only_one_is_done(house: House) -> None:
    incident = house.declare("ada")
    saw = house.app.states.incident(incident).facets["command"]
    told = at_once(*(act(house, account, "command-take", incident, saw=saw) for account in ("ada", "ben")))
    assert len(won(told)) == 1
    (error,) = lost(told)
    if isinstance(error, ConflictError):
        assert error.details["facet"] == "command"
        assert error.details["saw"] == saw
        assert error.details["version"] == house.app.states.incident(incident).facets["command"]
    sound(house, incident)


def test_a_handover_accepted_while_it_is_withdrawn_is_one_of_the_two(house: House) -> None:
    incident = house.commanded("ada")
    house.do("ada", "handover-propose", incident, to="ben")
    told = at_once(act(house, "ben", "handover-accept", incident), act(house, "ada", "handover-withdraw", incident))
    assert len(won(told)) == 1
    assert len(lost(told)) == 1
    accepted = isinstance(told[0], Outcome)
    assert house.app.states.incident(incident).incidents.commander == ("ben" if accepted else "ada")
    sound(house, incident)


def test_a_handover_accepted_while_the_commander_is_relieved_leaves_one_commander(house: House) -> None:
    incident = house.commanded("ada")
    house.do("cem", "command-challenge", incident, reason="she does not answer")
    house.do("ada", "handover-propose", incident, to="ben")
    house.clock.now += timedelta(hours=2)  # type: ignore[attr-defined]
    told = at_once(
        act(house, "ben", "handover-accept", incident),
        act(house, "cem", "command-relieve", incident, reason="nobody commands"),
    )
    lost(told)
    assert won(told)
    assert house.app.states.incident(incident).incidents.commander in ("ben", "cem")
    sound(house, incident)


def test_two_severities_chosen_on_the_same_sight_are_one_change_and_one_conflict_that_names_it(house: House) -> None:
    incident = house.commanded("ada", answers=["scanner_finding=confirmed"])
    saw = house.app.states.incident(incident).facets["severity"]
    told = at_once(
        act(house, "ada", "severity-raise", incident, level="SEV-2", reason="reason of ada", saw=saw),
        act(house, "ben", "severity-raise", incident, level="SEV-1", reason="reason of ben", saw=saw),
    )
    assert len(won(told)) == 1
    (error,) = lost(told)
    if isinstance(error, ConflictError):
        assert error.details == {
            "facet": "severity",
            "saw": saw,
            "version": house.app.states.incident(incident).facets["severity"],
        }
        assert "kept" in error.next_step
    sound(house, incident)


@hypothesis.settings(max_examples=8, deadline=None)
@hypothesis.given(
    plan=st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["message", "evidence", "timeline"])), min_size=2, max_size=8
    ),
    commanding=st.booleans(),
)
def test_messages_evidence_and_entries_never_conflict_with_each_other_or_with_command(
    house: House, plan: list[tuple[str, str]], commanding: bool
) -> None:
    incident = house.declare("ada")

    def give(number: int, account: str, kind: str) -> Callable[[], Outcome]:
        if kind == "message":
            return act(house, account, "message-post", incident, text=f"words {number}")
        if kind == "timeline":
            return act(house, account, "timeline-add", incident, text=f"words {number}", occurred_at=WHEN)
        stored = house.app.upload(incident, house.viewer(account), io.BytesIO(f"bytes {number}".encode()))
        fields = {"sha256": stored[0], "size": stored[1], "kind": "log", "media_type": "text/plain"}
        return act(house, account, "evidence-add", incident, name=f"words {number}", **fields)

    acts = [give(number, account, kind) for number, (account, kind) in enumerate(plan)]
    more = [act(house, "ada", "command-take", incident)] if commanding else []
    told = at_once(*acts, *more)
    assert [one for one in told if isinstance(one, HoldfastError)] == []
    texts = [value["sealed"] for event in house.events(incident) for value in event.data.values() if _sealed(value)]
    said = sorted(words for words in house.app.texts.read(texts).values() if words.startswith("words "))
    assert said == sorted(f"words {number}" for number in range(len(plan)))
    sound(house, incident)


def _sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"commitment", "sealed"}


@hypothesis.settings(max_examples=6, deadline=None)
@hypothesis.given(
    st.lists(
        st.sampled_from(["command-take", "command-challenge", "handover-propose", "handover-accept", "command-vacate"]),
        min_size=4,
        max_size=9,
    ),
    st.randoms(use_true_random=False),
)
def test_any_mix_of_claims_to_command_leaves_at_most_one_commander(house: House, cases: list[str], chance: Any) -> None:
    incident = house.declare("ada")
    fields: dict[str, dict[str, Any]] = {
        "command-challenge": {"reason": "no answer"},
        "handover-propose": {"to": "cem"},
        "command-vacate": {"reason": "must go"},
    }

    def one(case: str) -> Callable[[], Outcome]:
        account = chance.choice(PEOPLE)
        return act(house, account, case, incident, **fields.get(case, {}))

    told = at_once(*(one(case) for case in cases))
    for error in (one for one in told if isinstance(one, HoldfastError)):
        assert error.status in (403, 404, 409, 422), error.code
    state = house.app.states.incident(incident).incidents
    assert state.commander is None or state.commander in PEOPLE
    sound(house, incident)


def test_two_processes_write_to_one_incident_and_every_word_is_kept(pair: tuple[House, House]) -> None:
    incident = pair[0].declare("ada")

    def write(number: int) -> None:
        pair[number % 2].do(PEOPLE[number % 4], "message-post", incident, text=f"words {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(16)))
    for house in pair:
        posted = [event for event in house.events(incident) if event.type == "message.posted"]
        texts = [event.data["text"]["sealed"] for event in posted]
        assert sorted(house.app.texts.read(texts).values()) == sorted(f"words {number}" for number in range(16))
        sound(house, incident)
    assert checking.check(pair[0].app).faults == []


def test_two_processes_declare_at_once_without_gap_or_double(pair: tuple[House, House]) -> None:
    def declare(number: int) -> str:
        return pair[number % 2].declare(PEOPLE[number % 4], kind="exercise")

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(declare, range(8)))
    assert sorted(given) == [f"EX-2026-{number:04d}" for number in range(1, 9)]


def test_one_key_sent_to_two_processes_at_once_is_carried_out_once(pair: tuple[House, House]) -> None:
    incident = pair[0].declare("ada")
    for case, fields in (("message-post", {"text": "once"}), ("command-take", {})):
        key = f"key-{case}"
        told = at_once(
            *(
                lambda house=house: house.do("ben", case, incident, key, **fields)  # noqa: B023 - used at once
                for house in (*pair, *pair)
            )
        )
        assert len(won(told)) == 4, told
        assert len({tuple(one.event_refs[0].items()) for one in won(told)}) == 1
        assert sum(not one.replayed for one in won(told)) == 1
    assert pair[0].types(incident).count("message.posted") == 1


def test_a_repeated_command_gets_its_answer_though_it_ended_the_right_to_give_it(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        incident = house.commanded("ada")
        first = house.do("ada", "command-vacate", incident, "key-vacate", reason="must go")
        again = house.do("ada", "command-vacate", incident, "key-vacate", reason="must go")
        assert again.replayed
        assert again.as_json() == first.as_json() | {"replayed": True}
        with pytest.raises(HoldfastError) as refused:
            house.do("ada", "command-vacate", incident, "key-vacate", reason="another reason")
        assert refused.value.code != "unexpected-failure"
