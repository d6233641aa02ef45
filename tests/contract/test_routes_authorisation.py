"""Every route of the API against every kind of account, generated from what the API says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from holdfast.app.authorisation import table
from holdfast.app.commanding import REGISTRY, IncidentCommand
from holdfast.app.queries import listing
from tests.house import PEOPLE, Api, House, open_house, served
from tests.unit.app.bodies import body_for

PUBLIC = {"read-keys", "health", "login", "passkey-options", "passkey-sign-in"}
"""What may be asked without being known: public keys, whether the server lives, and how to become known."""
WHO_AM_I = {"read-me"}
GATE = {"ask-gate", "ask-gate-with-pass"}
READING_POSTS = {"ask-gate-with-pass", "pack"}
BODIES: dict[str, Any] = {
    "ask-gate-with-pass": {"scope": "prod", "containment_pass": "x", "pipeline": "deploy"},
    "pack": {"recipient": "court", "purpose": "to show"},
    "ask-sql": {"sql": "SELECT 1"},
    "search-exposure": {"secret": "nobody's word of many letters", "items": ["ev-1"]},
    "login": {"account": "ada", "password": "wrong password", "code": "000000", "label": "test"},
    "passkey-sign-in": {"nonce": "x", "answer": {}},
    "enrol-passkey": {"answer": {}, "label": "test"},
}
Route = tuple[str, str, str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("routes")) as opened:
        yield opened


@pytest.fixture(scope="module")
def api(house: House) -> Iterator[Api]:
    with served(house) as opened:
        yield opened


@pytest.fixture(scope="module")
def routes(api: Api) -> list[Route]:
    """(method, path, operation) of everything under ``/api``."""
    described = api.request("GET", "/api/v1/openapi.json").json()["paths"]
    return [
        (method.upper(), path, operation["operationId"])
        for path, methods in described.items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="module")
def opened(house: House) -> str:
    """An open incident that ada commands."""
    found = house.commanded()
    house.collect(found)
    return found


@pytest.fixture(scope="module")
def hidden(house: House) -> str:
    """A restricted incident that ada commands, with a freeze in force."""
    found = house.commanded(sensitivity="restricted", codename="GREY HERON", name="the secret name")
    house.collect(found)
    until = (house.clock() + timedelta(hours=4)).isoformat()
    house.do("ada", "freeze-order", found, scopes=["hidden"], reason="secret reason", expires_at=until)
    return found


def ask(api: Api, route: Route, incident: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and body of a well-formed request to a route, the incident's id masked."""
    method, path, operation = route
    place = path.replace("{incident_id}", incident).replace("{evidence_id}", "ev-1")
    name = "summary.json" if operation == "read-exposure-file" else "answers.json"
    place = place.replace("{play_id}", "play-1").replace("{update_id}", "update-1").replace("{name}", name)
    more: dict[str, Any] = {"headers": headers}
    if operation == "upload-object":
        more["content"] = b"bytes"
    elif method == "POST":
        more["json"] = BODIES.get(operation) or (body_for(REGISTRY[operation]) if operation in REGISTRY else {})
    if operation == "ask-gate":
        more["params"] = {"scope": "prod"}
    if operation == "live":
        more["params"] = {"incident": incident}
    answer = api.request(method, place, **more)
    return answer.status_code, answer.text.replace(incident, "INCIDENT")


def on_incidents(routes: list[Route]) -> list[Route]:
    return [route for route in routes if "{incident_id}" in route[1] or route[2] == "live"]


def test_every_use_case_has_a_route_and_a_body_that_fits(routes: list[Route]) -> None:
    operations = {operation for _, _, operation in routes}
    assert set(REGISTRY) <= operations
    for case in REGISTRY.values():
        case.command.model_validate(body_for(case))
    assert len(operations) == len(routes)


def test_nobody_gets_anything_without_signing_in_but_what_is_public(api: Api, routes: list[Route], opened: str) -> None:
    for route in routes:
        for headers in ({}, {"Authorization": "Bearer hf_token_wrong"}, {"Cookie": "holdfast_session=wrong"}):
            if route[2] in PUBLIC:
                continue
            status, body = ask(api, route, opened, headers)
            assert status == 401, (route, headers, body)
            assert set(json.loads(body)) >= {"title", "detail", "next_step", "code"}


def test_what_is_public_names_no_incident_and_no_account(api: Api, house: House, opened: str, hidden: str) -> None:
    for path in ("/api/v1/keys", "/api/v1/health", "/api/v1/openapi.json"):
        told = api.request("GET", path).text
        assert hidden not in told
        assert opened not in told


@pytest.mark.parametrize("who", ["out:all", "eye:all", "aud:all", "out:read", "bot:all"])
def test_a_restricted_incident_answers_outsiders_as_one_that_does_not_exist(
    api: Api, house: House, routes: list[Route], hidden: str, who: str
) -> None:
    account, _, scope = who.partition(":")
    headers = house.headers(account, scope)
    before = house.app.record.size(hidden)
    for route in on_incidents(routes):
        if route[2] == "access-break-glass" and house.viewer(account).roles & {"responder"} and scope == "all":
            continue
        found = ask(api, route, hidden, headers)
        nothing = ask(api, route, "INC-R-zzzzzzzz", headers)
        assert found == nothing, route
        assert found[0] in (404, 403), (route, found)
    assert house.app.record.size(hidden) == before


def test_lists_gate_log_and_numbers_tell_outsiders_nothing_of_restricted_incidents(
    api: Api, house: House, opened: str, hidden: str
) -> None:
    words = (hidden, "GREY HERON", "the secret name", "secret reason")
    for account in ("out", "eye", "aud"):
        headers = house.headers(account)
        for path in ("/api/v1/incidents?status=any", "/api/v1/gate?scope=hidden", "/api/v1/log", "/api/v1/accounts"):
            told = api.request("GET", path, headers=headers).text
            assert not [word for word in words if word in told], (account, path)
    frozen = api.request("GET", "/api/v1/gate?scope=hidden", headers=house.headers("out")).json()
    assert frozen["verdict"] == "frozen"
    assert frozen["incident"] is None
    after = house.declare("ben")
    assert int(after.rpartition("-")[2]) == int(opened.rpartition("-")[2]) + 1
    wanted = listing.Wanted(None, None, None, 200)
    seen = listing.incidents(house.app.record, house.app.texts, house.viewer("ada"), wanted, house.clock())
    assert hidden in [one.row.incident_id for one in seen]


def test_observers_and_auditors_write_nothing_into_an_incident(
    api: Api, house: House, routes: list[Route], opened: str
) -> None:
    auditing = {"evidence-view", "evidence-reverify", "evidence-export", "pack", "ask-sql"}
    for account in ("eye", "aud"):
        before = house.app.record.size(opened)
        for route in routes:
            if route[0] != "POST" or route[2] in PUBLIC | GATE or (account == "aud" and route[2] in auditing):
                continue
            case = REGISTRY.get(route[2])
            if case is not None and case.act == "token.own":
                continue
            status, body = ask(api, route, opened, house.headers(account))
            assert status == 403, (account, route, body)
        assert house.app.record.size(opened) == before


def test_a_role_that_the_table_does_not_name_is_refused_everywhere(
    api: Api, house: House, routes: list[Route], opened: str
) -> None:
    acts = table().acts
    for route in routes:
        case = REGISTRY.get(route[2])
        if case is None:
            continue
        for account, roles in PEOPLE.items():
            act = acts[case.act]
            unheld = bool(act.incident) and account != "ada" and issubclass(case.command, IncidentCommand)
            if set(roles) & act.organisation and not unheld:
                continue
            status, body = ask(api, route, opened, house.headers(account))
            assert status == 403, (account, route, body)


def test_a_reading_token_writes_nothing_and_reads(api: Api, house: House, routes: list[Route], opened: str) -> None:
    before = (house.app.record.position(), house.app.record.size(opened))
    for route in routes:
        if route[0] == "POST" and route[2] not in PUBLIC | READING_POSTS:
            status, body = ask(api, route, opened, house.headers("ada", "read"))
            assert status == 403, (route, body)
    assert (
        ask(api, ("GET", "/api/v1/incidents/{incident_id}", "read-incident"), opened, house.headers("ada", "read"))[0]
        == 200
    )
    # Only the token itself was issued meanwhile.
    assert (house.app.record.position() - before[0], house.app.record.size(opened)) in ((0, before[1]), (1, before[1]))


@pytest.mark.parametrize("account", ["ada", "bot"])
def test_a_gate_token_asks_the_gate_and_nothing_else(
    api: Api, house: House, routes: list[Route], opened: str, account: str
) -> None:
    headers = house.headers(account, "gate")
    for route in routes:
        if route[2] in PUBLIC | WHO_AM_I:
            continue
        status, body = ask(api, route, opened, headers)
        if route[2] in GATE:
            assert status in (200, 422), (route, body)
        else:
            assert status == 403, (route, body)
            assert (status, body) == ask(api, route, "INC-1999-0001", headers), route


def test_no_token_whatever_its_scope_makes_a_lasting_credential(api: Api, house: House, opened: str) -> None:
    for scope in ("all", "read", "gate"):
        for path in ("/api/v1/passkeys/registration", "/api/v1/passkeys"):
            body = {"answer": {}, "label": "x"}
            answer = api.request("POST", path, json=body, headers=house.headers("ada", scope))
            assert answer.status_code == 403


def test_nobody_grants_what_is_beyond_their_reach(api: Api, house: House) -> None:
    for account, roles in PEOPLE.items():
        if "administrator" in roles:
            continue
        for case, body in (
            ("account/add", {"account": "mallory", "roles": ["responder"]}),
            ("account/grant", {"account": account, "role": "administrator"}),
            ("account/revoke", {"account": "ada", "role": "administrator"}),
            ("account/qualify", {"account": account, "role": "commander"}),
            ("account/invite", {"account": "ada"}),
            ("account/deactivate", {"account": "ada"}),
            ("token/issue-service", {"account": "bot", "label": "x"}),
            ("key/rotate", {}),
        ):
            answer = api.request("POST", f"/api/v1/{case}", json=body, headers=house.headers(account))
            assert answer.status_code == 403, (account, case)
    assert "mallory" not in house.app.states.installation().accounts


def test_breaking_the_glass_lets_a_responder_in_until_it_lapses_and_is_recorded(
    api: Api, house: House, hidden: str
) -> None:
    read = f"/api/v1/incidents/{hidden}"
    headers = house.headers("cem")
    assert api.request("GET", read, headers=headers).status_code == 404
    broken = api.request(
        "POST", f"{read}/access/break-glass", json={"reason": "nobody answers", "minutes": 30}, headers=headers
    )
    assert broken.status_code == 200
    assert api.request("GET", read, headers=headers).status_code == 200
    opened, told = house.events(hidden)[-2:]
    assert (opened.type, opened.actor.id) == ("breakglass.opened", "cem")
    assert (told.type, told.data["account"]) == ("notice.given", "ada")
    listed = api.request("GET", "/api/v1/incidents", headers=headers).json()["incidents"]
    assert hidden in json.dumps(listed)
    house.clock.now += timedelta(minutes=31)  # type: ignore[attr-defined]
    assert api.request("GET", read, headers=headers).status_code == 404
    listed = api.request("GET", "/api/v1/incidents", headers=headers).json()["incidents"]
    assert hidden not in json.dumps(listed)


def test_a_deactivated_account_and_a_revoked_token_stop_at_once(api: Api, house: House) -> None:
    house.system("account-add", account="gone", roles=["responder"])
    first, second = (house.do("gone", "token-issue", label="x") for _ in range(2))

    def status(token: str) -> int:
        return api.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code

    assert (status(first.once["token"]), status(second.once["token"])) == (200, 200)
    house.do("gone", "token-revoke", token_id=first.result["token_id"])
    assert (status(first.once["token"]), status(second.once["token"])) == (401, 200)
    house.do("ada", "account-deactivate", account="gone")
    assert status(second.once["token"]) == 401
    house.do("ada", "account-reactivate", account="gone")
    assert status(second.once["token"]) == 401
