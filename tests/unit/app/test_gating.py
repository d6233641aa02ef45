"""The gate that pipelines ask: go, frozen with the reason, or cannot tell; and the pass that opens it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.app import gating
from holdfast.kernel.errors import BadInputError, DamagedError
from tests.house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


def freeze(house: House, incident: str, *scopes: str, hours: float = 4, **more: Any) -> None:
    until = (house.clock() + timedelta(hours=hours)).isoformat()
    house.do("ada", "freeze-order", incident, scopes=list(scopes), reason="hold still", expires_at=until, **more)


def ask(house: House, scope: str) -> dict[str, Any]:
    return gating.as_json(house.app, gating.ask(house.app, scope))


def a_pass(house: House, incident: str, scope: str, **more: Any) -> str:
    until = (house.clock() + timedelta(hours=1)).isoformat()
    fields = {"scope": scope, "issued_to": "deploy", "expires_at": until, "reason": "to contain it"} | more
    token: str = house.do("ada", "freeze-pass", incident, **fields).once["token"]
    return token


def offer(house: House, scope: str, token: str, asker: str = "deploy") -> gating.GateAnswer:
    return gating.ask_with_pass(house.app, scope, token, asker, house.viewer("bot"))


def test_without_a_freeze_the_gate_says_go(house: House) -> None:
    house.commanded()
    assert ask(house, "prod/payments") | {"words": ""} == {
        "ask": None,
        "exit_code": 0,
        "freeze": None,
        "incident": None,
        "passed_by": None,
        "reason": None,
        "until": None,
        "verdict": "go",
        "words": "",
    }


def test_a_freeze_covers_its_scope_and_everything_below_but_its_exceptions(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod", exceptions=["prod/website"])
    told = ask(house, "prod/payments")
    assert (told["verdict"], told["exit_code"], told["reason"], told["incident"]) == (
        "frozen",
        10,
        "hold still",
        incident,
    )
    assert [ask(house, scope)["verdict"] for scope in ("prod", "prod/website", "production", "staging")] == [
        "frozen",
        "go",
        "go",
        "go",
    ]


def test_a_freeze_ends_by_lifting_and_by_its_time(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    freeze(house, incident, "staging", hours=1)
    house.do("ada", "freeze-lift", incident, freeze_id="freeze-1", reason="safe")
    assert ask(house, "prod")["verdict"] == "go"
    assert ask(house, "staging")["verdict"] == "frozen"
    house.clock.now += timedelta(hours=1)  # type: ignore[attr-defined]
    assert ask(house, "staging")["verdict"] == "go"


def test_a_restricted_incident_freezes_without_being_named(house: House) -> None:
    incident = house.commanded(sensitivity="restricted", codename="GREY HERON")
    freeze(house, incident, "prod")
    told = ask(house, "prod")
    assert told["verdict"] == "frozen"
    assert not {incident, "GREY HERON", "hold still", "freeze-1"} & {str(value) for value in told.values()}
    assert incident not in str(told)


@pytest.mark.parametrize("scope", ["", "PROD", "prod//x", "../prod", "prod/", "a b"])
def test_what_is_no_scope_cannot_be_told(house: House, scope: str) -> None:
    assert (ask(house, scope)["verdict"], ask(house, scope)["exit_code"]) == ("unknown", 11)


def test_an_incident_that_cannot_be_read_makes_the_gate_say_that_it_cannot_tell(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(house, house.commanded(), "prod")

    def damaged(*_: object) -> None:
        raise DamagedError("record-damaged", "It cannot be read.", why="x", next_step="x")

    monkeypatch.setattr(type(house.app.states), "incident", damaged)
    assert ask(house, "elsewhere")["verdict"] == "unknown"


def test_a_pass_opens_its_scope_for_its_holder_and_each_use_is_recorded(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    token = a_pass(house, incident, "prod/payments", max_uses=2)
    for _ in range(2):
        assert offer(house, "prod/payments", token).verdict == "go"
    used = [event for event in house.events(incident) if event.type == "pass.used"]
    assert len(used) == 2
    assert {event.actor.id for event in used} == {"bot"}
    assert offer(house, "prod/payments", token).verdict == "frozen"
    assert token not in str([event.data for event in house.events(incident)])


@pytest.mark.parametrize(
    ("scope", "asker"), [("prod", "deploy"), ("prod/website", "deploy"), ("prod/payments", "other")]
)
def test_a_pass_opens_nothing_else_and_for_nobody_else(house: House, scope: str, asker: str) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    assert offer(house, scope, a_pass(house, incident, "prod/payments"), asker).verdict == "frozen"
    assert "pass.used" not in house.types(incident)


def test_a_pass_opens_no_other_incidents_freeze(house: House) -> None:
    one, two = house.commanded(), house.commanded()
    freeze(house, one, "prod")
    freeze(house, two, "prod")
    assert offer(house, "prod", a_pass(house, one, "prod")).verdict == "frozen"
    assert "pass.used" not in house.types(one)


def test_a_revoked_and_a_lapsed_pass_open_nothing(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    revoked, lapsed = (a_pass(house, incident, "prod") for _ in range(2))
    house.do("ada", "freeze-revoke-pass", incident, pass_id="pass-1", reason="not needed")
    assert offer(house, "prod", revoked).verdict == "frozen"
    house.clock.now += timedelta(hours=1)  # type: ignore[attr-defined]
    assert offer(house, "prod", lapsed).verdict == "frozen"


def test_a_forged_pass_is_refused_whatever_was_changed(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    token = a_pass(house, incident, "prod")
    for number in range(0, len(token), 7):
        forged = token[:number] + ("A" if token[number] != "A" else "B") + token[number + 1 :]
        with pytest.raises(BadInputError):
            offer(house, "prod", forged)
    for nonsense in ("", "x", "a.b", "hf_token_x", "\0", "é" * 50):
        with pytest.raises(BadInputError):
            offer(house, "prod", nonsense)
    assert "pass.used" not in house.types(incident)


def test_a_pass_signed_before_the_key_was_rotated_still_opens(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    token = a_pass(house, incident, "prod")
    house.do("ada", "key-rotate")
    assert offer(house, "prod", token).verdict == "go"


def test_where_nothing_is_frozen_a_pass_is_not_used_up(house: House) -> None:
    incident = house.commanded()
    freeze(house, incident, "prod")
    token = a_pass(house, incident, "prod", max_uses=1)
    assert offer(house, "staging", token).verdict == "go"
    assert offer(house, "prod", token).verdict == "go"
