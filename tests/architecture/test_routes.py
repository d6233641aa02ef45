"""Every route there is, tried by nobody; every act, tried by everybody who may not do it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route
from tools.pages_of_code import use_cases

from holdfast.app.application import Application
from holdfast.app.authorisation import INCIDENT_ROLES, ORGANISATION_ROLES, Viewer, is_permitted, table
from holdfast.app.commanding import IncidentCommand, UseCase
from holdfast.app.inputs import free_text_fields
from holdfast.app.settings import load
from holdfast.cli.generated import api_path
from holdfast.kernel.errors import ForbiddenError
from holdfast.kernel.events import Actor
from holdfast.web.app import create_app
from holdfast.wiring import build

PUBLIC = {
    ("GET", "/api/v1/health"): "load balancers ask it; it says up or not",
    ("GET", "/api/v1/openapi.json"): "the description of the API is no secret",
    ("GET", "/api/v1/keys"): "verifier keys are there to be known",
    ("POST", "/api/v1/login"): "signing in",
    ("POST", "/api/v1/passkeys/options"): "signing in; names no account",
    ("POST", "/api/v1/passkeys/sign-in"): "signing in",
    ("GET", "/sign-in"): "signing in",
    ("POST", "/sign-in"): "signing in",
    ("POST", "/sign-in/passkey"): "signing in",
    ("GET", "/welcome"): "the page a one-time link leads to; the link is in the fragment and is posted",
    ("POST", "/welcome"): "the one-time link is the proof",
    ("POST", "/welcome/password"): "the one-time link is the proof",
    ("POST", "/welcome/passkey"): "the one-time link is the proof",
}
"""Routes that answer without a session or token, with the reason."""
WORDS = {"incident_id": "INC-2026-0001", "evidence_id": "ev-1", "use_case": "severity-raise", "name": "token"}
CASES = use_cases()


def somebody(*roles: str) -> Viewer:
    return Viewer("ana", frozenset(roles), Actor("person", "ana", "local"))


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("routes")
    made = build(load({"HOLDFAST_DATA": str(folder / "data"), "HOLDFAST_KEYS": str(folder / "keys")}))
    made.add_first_account("ben")
    made.execute("account-add", {"account": "ana", "roles": ["observer"]}, somebody(*ORGANISATION_ROLES))
    made.execute("declare", {"name": "a key is public"}, Viewer("ben", frozenset({"responder"}), made_by("ben")))
    yield made
    made.close()


def made_by(account: str) -> Actor:
    return Actor("person", account, "local")


@pytest.fixture(scope="module")
def app(application: Application) -> FastAPI:
    return create_app(application)


class Client:
    """One request after another, in process."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def send(self, method: str, path: str, **body: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, **body))

    async def _send(self, method: str, path: str, **body: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8300") as client:
            return await client.request(method, path, **body)


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    app.state.local_viewer = None
    yield Client(app)
    app.state.local_viewer = None


def asked(app: FastAPI) -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


def test_a_route_asks_who_is_there(app: FastAPI, client: Client) -> None:
    open_to_all = []
    for method, path in asked(app):
        address = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: WORDS.get(found[1], "x"), path)
        sent: dict[str, Any] = {"json": {}} if path.startswith("/api/") else {"data": {"a": "b"}}
        answer = client.send(method, address, **({} if method == "GET" else sent))
        led_away = answer.status_code in (302, 303, 307) and answer.headers["location"].startswith("/sign-in")
        if answer.status_code != 401 and not led_away:
            open_to_all.append((method, path, answer.status_code))
    assert [one for one in open_to_all if one[:2] not in PUBLIC] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("role", ORGANISATION_ROLES)
def test_an_act_is_refused_to_roles_that_may_not_do_it(case: UseCase, role: str, application: Application) -> None:
    state = application.states.incident("INC-2026-0001") if issubclass(case.command, IncidentCommand) else None
    viewer = somebody(role)
    act = table().acts[case.act]
    may = role in act.organisation and not (act.incident and state is not None)
    assert is_permitted(viewer, case.act, state) == may
    if not may:
        sent = case.command.model_construct(**dict.fromkeys(free_text_fields(case.command), "words"))
        with pytest.raises(ForbiddenError) as refused:
            application.execute(case.name, sent, viewer, incident_id=state.id if state else None)
        assert refused.value.code == "not-permitted"


@pytest.mark.parametrize("scope", ["read", "gate"])
def test_a_token_with_a_narrow_scope_changes_nothing(scope: str, application: Application) -> None:
    narrow = Viewer("ana", frozenset(ORGANISATION_ROLES), made_by("ana"), frozenset({scope}))
    for case in CASES:
        assert not is_permitted(narrow, case.act), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_field_the_command_does_not_have_is_refused(case: UseCase, app: FastAPI, client: Client) -> None:
    app.state.local_viewer = somebody(*ORGANISATION_ROLES)
    place = api_path(case, "INC-2026-0001" if issubclass(case.command, IncidentCommand) else None)
    answer = client.send("POST", f"/api/v1{place}", json={"surprise": 1})
    assert answer.status_code == 422
    assert {"field": "surprise", "fault": "Extra inputs are not permitted"} in answer.json()["details"]["faults"]


def test_the_table_knows_only_roles_that_exist() -> None:
    for act in table().acts.values():
        assert act.organisation <= set(ORGANISATION_ROLES)
        assert act.incident <= set(INCIDENT_ROLES)
