"""A program that speaks the HTTP API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
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
        """The command post, and the whole state with its words, as JSON text."""
        told = [" ".join(self.sentences(person, incident).values())] if section in ("room", "timeline") else []
        post = _checked(self._clients[person].get(f"/incidents/{incident}/post"))
        state = _checked(self._clients[person].get(f"/incidents/{incident}"))
        told += [json.dumps(_texts(one), ensure_ascii=False) for one in (post, state)]
        return "\n".join(told)

    def rows(self, person: str, incident: str, section: str) -> list[str]:
        """Every object of the command post and the state, as JSON text beside its key."""
        del section
        paths = (f"/incidents/{incident}/post", f"/incidents/{incident}")
        return [row for path in paths for row in rows_of(_texts(_checked(self._clients[person].get(path))))]

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
