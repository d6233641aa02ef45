"""A program that speaks the HTTP API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.driver import Json, RefusedHere
from tests.acceptance.installation import Installation


class ApiSurface:
    """The API, with a token for each person."""

    name = "api"

    def __init__(self, installation: Installation) -> None:
        self._clients = {
            name: httpx.Client(
                base_url=f"{installation.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
            for name, token in installation.tokens.items()
        }

    def close(self) -> None:
        """Let go of the connections."""
        for client in self._clients.values():
            client.close()

    def declare(self, person: str, **fields: Any) -> str:
        """POST /incidents."""
        return str(self._post(person, "/incidents", fields)["incident"])

    def act(self, person: str, use_case: str, incident: str, on: str, fields: Mapping[str, Any]) -> Json:
        """POST /incidents/{id}/{noun}/{verb}, where the path is what the API itself describes."""
        del on
        return dict(self._post(person, f"/incidents/{incident}/{self._place(use_case)}", fields)["result"])

    def capture(self, person: str, incident: str, path: Path, kind: str, source: str | None) -> None:
        """Upload the bytes, then record the item."""
        client = self._clients[person]
        uploaded = _checked(client.post(f"/incidents/{incident}/objects", content=path.read_bytes()))
        fields = {**uploaded, "kind": kind, "name": path.name, "media_type": "text/plain"}
        if source is not None:
            fields["source"] = source
        self._post(person, f"/incidents/{incident}/evidence/add", fields)

    def rendered(self, person: str, incident: str, section: str) -> str:
        """The section as the API answers it, as JSON text."""
        told = [" ".join(self.sentences(person, incident).values())] if section in ("room", "timeline") else []
        told += [json.dumps(one, ensure_ascii=False) for one in self._answers(person, incident, section)]
        return "\n".join(told)

    def rows(self, person: str, incident: str, section: str) -> list[str]:
        """Every object of the section, as JSON text beside its key."""
        return [row for one in self._answers(person, incident, section) for row in rows_of(one)]

    def _answers(self, person: str, incident: str, section: str) -> list[Any]:
        """What the API says of a section; of those without a read of their own, the command post and the state."""
        base = f"/incidents/{incident}"
        answers = [self._read(person, base + path) for path in SECTIONS.get(section, ("/post", ""))]
        for listed in ("plays", "updates"):
            if section == listed:
                ids = [
                    one["id"]
                    for found in answers
                    for one in _objects(found)
                    if str(one.get("id")).startswith(listed[:-1] + "-")
                ]
                answers += [self._read(person, f"{base}/{listed}/{one}") for one in dict.fromkeys(ids)]
        return answers

    def _read(self, person: str, path: str) -> Any:
        return _texts(_checked(self._clients[person].get(path)))

    def sentences(self, person: str, incident: str) -> dict[int, str]:
        """GET …/timeline."""
        found = _checked(self._clients[person].get(f"/incidents/{incident}/timeline"))["entries"]
        return {entry["seq"]: " ".join(f"{entry['actor']['id']} {entry['sentence']}".split()) for entry in found}

    def gate(self, person: str, incident: str, scope: str, containment_pass: str | None = None) -> str:
        """GET or POST /gate, which nobody has to name an incident for."""
        del incident
        if containment_pass is None:
            answer = self._clients[person].get("/gate", params={"scope": scope})
        else:
            body = {"scope": scope, "containment_pass": containment_pass, "pipeline": "deploy-payments"}
            answer = self._clients[person].post("/gate", json=body)
        return str(_checked(answer)["verdict"])

    def _place(self, use_case: str) -> str:
        if not hasattr(self, "_places"):
            described = _checked(next(iter(self._clients.values())).get("/openapi.json"))
            self._places = {
                operation["post"]["operationId"]: path.removeprefix("/api/v1/incidents/{incident_id}/")
                for path, operation in described["paths"].items()
                if "post" in operation
            }
        return str(self._places[use_case])

    def _post(self, person: str, path: str, fields: Mapping[str, Any]) -> Json:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return _checked(self._clients[person].post(path, json=dict(fields), headers=headers))


SECTIONS: Mapping[str, tuple[str, ...]] = {
    "investigation": ("/questions",),
    "plays": ("/plays",),
    "claims": ("/claims",),
    "updates": ("/updates",),
    "recovery": ("/closure", ""),
    "review": ("/review",),
}
"""Reads of a section, below the incident."""


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def _checked(answer: httpx.Response) -> Json:
    told = answer.json()
    if answer.is_success:
        return dict(told)
    assert answer.headers["content-type"].startswith("application/problem+json")
    raise RefusedHere(told["code"], told["detail"])


def rows_of(value: Any, key: str = "") -> list[str]:
    """Every object inside a JSON value as text, with the key it stands under."""
    found: list[str] = []
    if isinstance(value, dict):
        found.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        found += rows_of(item, str(name))
    return found


def _texts(value: Any) -> Any:
    """JSON with every sealed text as its words in one line."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value
