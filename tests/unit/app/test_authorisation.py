"""The table of acts is whole, and decides by roles and scopes alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from holdfast.app.authorisation import (
    INCIDENT_ROLES,
    ORGANISATION_ROLES,
    READING,
    Viewer,
    held_roles,
    is_permitted,
    permit,
    table,
    within_reach,
)
from holdfast.app.commanding import REGISTRY
from holdfast.app.commands import declare_all
from holdfast.kernel.errors import ForbiddenError
from holdfast.kernel.events import Actor
from tests.house import House, open_house

declare_all()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("authorisation")) as opened:
        yield opened


def viewer(*roles: str, scopes: tuple[str, ...] = ("all",)) -> Viewer:
    return Viewer("ana", frozenset(roles), Actor("person", "ana", "passkey"), frozenset(scopes))


def test_every_use_case_has_a_row_and_every_row_an_organisation_role() -> None:
    acts = table().acts
    assert {case.act for case in REGISTRY.values()} <= set(acts)
    assert all(act.organisation for act in acts.values())


def test_observers_hold_no_act_but_reading_and_their_own_tokens() -> None:
    held = {name for name, act in table().acts.items() if "observer" in act.organisation}
    assert held == {"incident.read", "account.read", "token.own"}


@pytest.mark.parametrize("role", ORGANISATION_ROLES)
def test_an_act_is_permitted_exactly_to_the_roles_its_row_names(role: str) -> None:
    for name, act in table().acts.items():
        assert is_permitted(viewer(role), name) == (role in act.organisation)


def test_without_a_role_nothing_is_permitted() -> None:
    assert not [name for name in table().acts if is_permitted(viewer(), name)]


def test_a_reading_token_permits_only_reading_and_a_gate_token_nothing() -> None:
    everything = viewer(*ORGANISATION_ROLES, scopes=("read",))
    assert {name for name in table().acts if is_permitted(everything, name)} == READING
    gate = viewer(*ORGANISATION_ROLES, scopes=("gate",))
    assert not [name for name in table().acts if is_permitted(gate, name)]


def test_an_incident_role_is_needed_where_the_row_names_one_and_an_acting_commander_has_it(house: House) -> None:
    state = house.app.states.incident(house.declare("ada"))
    assert state.incidents.command.acting
    assert held_roles(state, "ada") == {"commander"}
    permit(house.viewer("ada"), "severity.lower", state)
    with pytest.raises(ForbiddenError) as refused:
        permit(house.viewer("ben"), "severity.lower", state)
    assert "commander" in refused.value.why
    assert "commander" in refused.value.next_step


def test_only_administrators_have_a_reach() -> None:
    for role in ORGANISATION_ROLES:
        for granted in ORGANISATION_ROLES:
            assert within_reach(viewer(role), granted) == (role == "administrator")
    assert not within_reach(viewer("administrator"), "root")


def test_the_table_names_known_roles_only() -> None:
    for act in table().acts.values():
        assert act.organisation <= set(ORGANISATION_ROLES)
        assert act.incident <= set(INCIDENT_ROLES)
