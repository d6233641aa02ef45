"""Whatever is sent to the API, it answers as it says it does: no 5xx, no status it does not name, always a problem."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode

from tests.house import Api, House, open_house, served

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))
"""Well-formed and malformed requests for each operation, so many of each."""
ENDLESS = {"live"}
PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "next_step", "retry_helps", "details"}
QUIET = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """A body of lines, as reports are: bytes as they are, anything else as one line of JSON."""
    return value if isinstance(value, bytes) else json.dumps(value, default=str).encode() + b"\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("fuzz")) as opened:
        yield opened


@pytest.fixture(scope="module")
def api(house: House) -> Iterator[Api]:
    with served(house) as opened:
        yield opened


@pytest.fixture(scope="module")
def incident(house: House) -> str:
    """A commanded incident with evidence, a play, a freeze and words."""
    found = house.commanded(play="leaked-secret")
    house.collect(found)
    house.do("ada", "message-post", found, text="here")
    return found


@pytest.fixture(scope="module")
def schema(api: Api) -> Any:
    return schemathesis.openapi.from_dict(api.request("GET", "/api/v1/openapi.json").json())


def held(answer: httpx.Response, documented: set[str], sent: str) -> None:
    """What every answer must be."""
    assert answer.status_code < 500 or answer.status_code == 503, f"{sent} → {answer.status_code} {answer.text[:500]}"
    assert str(answer.status_code) in documented, f"{sent} → {answer.status_code} is not documented"
    if answer.status_code >= 400:
        a_problem(answer)


def a_problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert set(found) == PROBLEM_FIELDS
    assert found["status"] == answer.status_code
    assert all(found[name].strip() for name in ("title", "detail", "next_step", "code"))
    assert len(answer.content) < 20_000
    return found


def send(api: Api, case: Any, headers: dict[str, str]) -> httpx.Response:
    """The case as it would go over the wire; a header that HTTP cannot carry is left out."""
    given = case.as_transport_kwargs(base_url="http://localhost:8300")
    data = given.get("data")
    more: dict[str, Any] = {"json": given["json"]} if "json" in given else {}
    if isinstance(data, bytes | str):
        more["content"] = data
    elif data is not None:
        more["data"] = data
    kept = {
        name: str(value)
        for name, value in given["headers"].items()
        if name.lower() not in ("cookie", "authorization") and str(value).isascii() and str(value).isprintable()
    }
    params = {name: value for name, value in given["params"].items() if value is not None}
    url = given["url"].encode("ascii", "ignore").decode()
    return api.request(given["method"], url, params=params, headers=kept | headers, **more)


def checker(api: Api, headers: dict[str, str], documented: set[str], sent: str) -> Callable[[Any], None]:
    def check(case: Any) -> None:
        held(send(api, case, headers), documented, f"{sent} {case.body!r:.300}")

    return check


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["well-formed", "malformed"])
def test_every_operation_answers_as_documented(
    api: Api, house: House, schema: Any, incident: str, mode: GenerationMode
) -> None:
    headers = house.headers("ada")
    places = {"incident_id": incident, "evidence_id": "ev-1", "play_id": "play-1", "update_id": "update-1"}
    done = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.definition.raw["operationId"] in ENDLESS:
            continue
        documented = set(operation.responses.status_codes)
        fixed = {name: value for name, value in places.items() if f"{{{name}}}" in operation.path}

        more = {"path_parameters": fixed} if fixed else {}
        cases = operation.as_strategy(generation_mode=mode, **more)
        sent = f"{operation.method} {operation.path}"
        try:
            QUIET(hypothesis.given(case=cases)(checker(api, headers, documented, sent)))()
        except hypothesis.errors.Unsatisfiable:
            continue  # it takes nothing that could be malformed
        done += 1
    assert done > 140


HOSTILE: dict[str, bytes] = {
    "not json": b"{",
    "not utf-8": b'{"text": "\xff\xfe"}',
    "a list": b"[]",
    "nothing": b"",
    "deep": b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep, cut": b"[" * 200_000,
    "nan": b'{"text": NaN}',
    "infinity": b'{"text": "a", "saw": -Infinity}',
    "lone surrogate": b'{"text": "\\ud800"}',
    "lone surrogate in a name": b'{"\\udfff": 1, "text": "a"}',
    "huge integer": b'{"text": "a", "saw": ' + b"9" * 4000 + b"}",
    "huger integer": b'{"text": "a", "saw": ' + b"9" * 5_000 + b"}",
    "unknown fields": b'{"text": "a", "incident_id": "x", "actor": {"id": "ben"}}',
    "long name": b'{"text": "a", "' + b"n" * 1_000_000 + b'": 1}',
    "too long a text": json.dumps({"text": "a" * 50_001}).encode(),
    "number as text": b'{"text": 7}',
    "null": b'{"text": null}',
    "twice the same key": b'{"text": "a", "text": 1}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_a_clear_refusal_and_changes_nothing(
    api: Api, house: House, incident: str, name: str
) -> None:
    before = house.app.record.size(incident)
    path = f"/api/v1/incidents/{incident}/message/post"
    headers = house.headers("ada") | {"Content-Type": "application/json"}
    answer = api.request("POST", path, content=HOSTILE[name], headers=headers)
    assert answer.status_code in (400, 413, 422), answer.text[:300]
    a_problem(answer)
    assert house.app.record.size(incident) == before


@pytest.mark.parametrize("length", [8 << 20, 9 << 20])
def test_a_body_without_end_is_cut_off(api: Api, house: House, incident: str, length: int) -> None:
    async def parts() -> Any:
        yield b'{"text": "'
        for _ in range(length >> 20):
            yield b"a" * (1 << 20)
        yield b'"}'

    headers = house.headers("ada") | {"Content-Type": "application/json"}
    path = f"/api/v1/incidents/{incident}/message/post"
    answer = api.request("POST", path, content=parts(), headers=headers)
    assert answer.status_code == 413
    assert a_problem(answer)["code"] == "body-too-large"
    said = api.request("POST", path, content=b"a" * (9 << 20), headers=headers)
    assert said.status_code == 413


KEPT = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "template": "{{ 7 * 7 }} {% include '/etc/passwd' %} ${jndi:ldap://x}",
    "sql": "'; DROP TABLE event; --",
    "right to left": "\u202egnp.exe\u202c \u2066\u2069 \ufeff",
    "controls": "a\x00b\x07c\x1b[31md\r\ne\u2028f",
    "format": "{actor} %s %n {0.__class__}",
    "emoji and astral": "\U0001f512\U0010ffff é e\u0301",
    "longest": "ä" * 50_000,
}


@pytest.mark.parametrize("name", KEPT)
def test_hostile_words_are_kept_word_for_word_and_nothing_comes_of_them(
    api: Api, house: House, incident: str, name: str
) -> None:
    path = f"/api/v1/incidents/{incident}"
    headers = house.headers("ada")
    answer = api.request("POST", f"{path}/message/post", json={"text": KEPT[name]}, headers=headers)
    assert answer.status_code == 200, answer.text[:300]
    event = house.events(incident)[answer.json()["version"]]
    text = event.data["text"]["sealed"]
    assert house.app.texts.read([text])[text] == KEPT[name]
    after = answer.json()["version"] - 1
    timeline = api.request("GET", f"{path}/timeline?after={after}", headers=headers)
    assert timeline.status_code == 200
    assert timeline.headers["content-type"] == "application/json"
    assert house.app.record.size(incident) == answer.json()["version"] + 1


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b", "..\\..\\boot.ini", "/abs", "CON", "x" * 300, '"; rm -rf /', "\u202egpj.exe"]
)
def test_a_hostile_file_name_is_shown_and_never_used_as_a_path(
    api: Api, house: House, incident: str, name: str
) -> None:
    headers = house.headers("ada")
    path = f"/api/v1/incidents/{incident}"
    stored = api.request("POST", f"{path}/objects", content=name.encode(), headers=headers).json()
    body = {**stored, "kind": "log", "media_type": "text/html", "name": name}
    answer = api.request("POST", f"{path}/evidence/add", json=body, headers=headers)
    assert answer.status_code == 200, answer.text[:400]
    item = list(house.app.states.incident(incident).evidence.items)[-1]
    got = api.request("GET", f"{path}/evidence/{item}/content", headers=headers)
    assert got.content == name.encode()
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    assert not set(got.headers["content-disposition"]) & set("/\\\x00\r\n")
    assert "sandbox" in got.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/incidents/%00",
        "/api/v1/incidents/..%2f..%2fetc",
        "/api/v1/incidents/INC-2026-0001%0a",
        "/api/v1/incidents/" + "A" * 5000,
        "/api/v1/nothing",
        "/api/v1/incidents/%ff%fe",
        "/api/v1/incidents?after=%00&limit=99999999999999999999",
        "/api/v1/gate?scope=../..",
    ],
)
def test_a_hostile_address_is_a_problem_too(api: Api, house: House, path: str) -> None:
    answer = api.request("GET", path, headers=house.headers("ada"))
    assert answer.status_code in (404, 422)
    a_problem(answer)


def test_a_method_that_an_address_does_not_take_is_a_problem_with_its_own_status(api: Api, house: House) -> None:
    answer = api.request("DELETE", "/api/v1/incidents", headers=house.headers("ada"))
    assert answer.status_code == 405
    assert a_problem(answer)["code"] == "method-not-allowed"


def test_a_mistake_of_ours_is_a_problem_that_holds_nothing_of_it(
    api: Api, house: House, incident: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("inner secret")

    monkeypatch.setattr(type(house.app.record), "load", broken)
    answer = api.request("GET", f"/api/v1/incidents/{incident}/events", headers=house.headers("ada"))
    assert answer.status_code == 500
    assert a_problem(answer)["code"] == "unexpected-failure"
    assert "inner secret" not in answer.text


def test_an_object_over_the_limit_is_refused_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    with open_house(tmp_path, HOLDFAST_MAX_OBJECT_BYTES="1000000") as house, served(house) as api:
        incident = house.commanded()

        async def parts() -> Any:
            for _ in range(64):
                yield b"a" * (1 << 18)

        answer = api.request(
            "POST", f"/api/v1/incidents/{incident}/objects", content=parts(), headers=house.headers("ada")
        )
        assert answer.status_code == 413
        a_problem(answer)
        left = [path for path in (tmp_path / "data" / "objects").rglob("*") if path.is_file() and path.stat().st_size]
        assert left == []
