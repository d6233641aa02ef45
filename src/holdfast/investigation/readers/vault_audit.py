"""HashiCorp Vault's audit device log, one JSON object a line.

Rules:
1. A request is told twice: as ``request`` when it comes and as ``response`` when it is answered, under one
   ``request.id``. The response is the act; the request is kept under the class "other", without an outcome unless it
   was refused, because a request without its response is one that Vault never answered.
2. The operation is Vault's verb and the path: ``update sys/policies/acl/admin``. Vault writes ``update`` for most
   writes by POST.
3. The lasting identity is the entity; without one it is the display name. The credential is the token's accessor, which
   Vault writes as an HMAC unless told otherwise: it is equal wherever the same device wrote it.
4. A login, a new token or a wrapped answer issues the credential whose accessor the response tells.
5. Vault hashes strings before it writes them; one that is not hashed below a path of secrets is replaced here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    WITHHELD,
    address,
    compact,
    dig,
    first,
    items,
    mapping,
    record_of,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.reading import Fields, Proof, Reader

_READS = frozenset({"read", "list", "help", "header", "resolve-role", "alias-lookahead"})
_LOGIN = re.compile(r"auth/.+/(?:login|callback|oidc/callback)(?:/|$)")
_GOVERNED = ("sys/", "auth/", "identity/")
_MACHINES = {
    "approle": "service_account", "cert": "service_account", "kubernetes": "workload", "aws": "workload",
    "gcp": "workload", "azure": "workload", "cf": "workload", "alicloud": "workload",
}  # fmt: skip
_PEOPLE = frozenset({"userpass", "ldap", "oidc", "github", "okta", "radius", "saml", "kerberos"})
_PIPELINES = ("repository", "project_path", "job_id", "workflow", "pipeline_id")
_DEEPEST = 12


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    if not isinstance(record, Mapping) or record.get("type") not in ("request", "response"):
        return False
    request = record.get("request")
    return isinstance(request, Mapping) and "path" in request and ("operation" in request or "id" in request)


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    entry = record_of(record)
    request, response = mapping(entry.get("request")), mapping(entry.get("response"))
    verb, path = told(request.get("operation")), told(request.get("path")) or ""
    answered, uid = entry.get("type") == "response", told(request.get("id"))
    kind = _class(path)
    space = mapping(request.get("namespace"))
    return {
        "time_us": when(entry.get("time")),
        "account_uid": first(space.get("path"), space.get("id")),
        "service": first(request.get("mount_type"), path.partition("/")[0]),
        "operation": f"{verb} {path}" if verb and path else verb or path or None,
        "event_class": kind if answered else "other",
        "access": None if verb is None else "read" if verb in _READS else "write",
        **_outcome(entry, answered=answered),
        **_actor(entry, request, response),
        "issued_credential_uid": _issued(response),
        "target_uid": path or None,
        "target_type": told(request.get("mount_type")),
        "src_ip": address(request.get("remote_address")),
        "user_agent": first(*items(dig(request, "headers", "user-agent"))),
        "request": _safe(request.get("data"), kind),
        "response": _safe(response.get("data"), kind),
        "detail": _detail(entry, request, response),
        "event_uid": f"{uid}/{entry.get('type')}" if uid else None,
    }


def _class(path: str) -> str:
    if _LOGIN.match(path):
        return "signin"
    return "management" if path.startswith(_GOVERNED) else "data"


def _outcome(entry: Mapping[str, Any], *, answered: bool) -> Fields:
    error = told(entry.get("error"))
    if error is not None:
        return {"status": "failure", "error": " ".join(error.split())[:200]}
    return {"status": "success"} if answered else {}


def _actor(entry: Mapping[str, Any], request: Mapping[str, Any], response: Mapping[str, Any]) -> Fields:
    """Who acts: of a login, whom it was for."""
    given = mapping(entry.get("auth"))
    login = mapping(response.get("auth")) if not given.get("accessor") else {}
    auth = login or given
    metadata = mapping(auth.get("metadata"))
    display = told(auth.get("display_name"))
    person = first(metadata.get("email"), metadata.get("username"), metadata.get("role_name"), metadata.get("role"))
    accessor = None if login else first(given.get("accessor"), request.get("client_token_accessor"))
    return {
        "actor_type": _kind(display, metadata, items(auth.get("policies"))),
        "actor_uid": first(auth.get("entity_id"), display),
        "actor_name": person or display,
        "credential_uid": accessor,
    }


def _kind(display: str | None, metadata: Mapping[str, Any], policies: list[Any]) -> str:
    if display is None:
        return "unknown"
    if display == "root" and "root" in policies:
        return "root"
    if any(name in metadata for name in _PIPELINES):
        return "ci_token"
    if "service_account_name" in metadata:
        return "workload"
    method = display.partition("-")[0]
    if method in _PEOPLE:
        return "human"
    return _MACHINES.get(method, "unknown")


def _issued(response: Mapping[str, Any]) -> str | None:
    return first(dig(response, "auth", "accessor"), dig(response, "wrap_info", "accessor"))


def _safe(value: object, kind: str) -> Any:  # noqa: ANN401 -- JSON
    if value in (None, {}, []):
        return None
    return _hashed_only(value, _DEEPEST) if kind != "management" else value


def _hashed_only(value: Any, depth: int) -> Any:  # noqa: ANN401 -- JSON
    """The value with every string that Vault did not hash replaced."""
    if depth == 0:
        return WITHHELD
    if isinstance(value, Mapping):
        return {key: _hashed_only(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hashed_only(inner, depth - 1) for inner in value]
    return WITHHELD if isinstance(value, str) and value and not value.startswith("hmac-sha") else value


def _detail(entry: Mapping[str, Any], request: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any] | None:
    auth, new = mapping(entry.get("auth")), mapping(response.get("auth"))
    return compact(
        {
            "type": entry.get("type"),
            "request_id": request.get("id"),
            "mount_point": request.get("mount_point"),
            "mount_accessor": request.get("mount_accessor"),
            "policies": auth.get("policies"),
            "granting_policies": dig(auth, "policy_results", "granting_policies"),
            "metadata": auth.get("metadata"),
            "token_type": auth.get("token_type"),
            "display_name": auth.get("display_name"),
            "entity_id": auth.get("entity_id"),
            "new_token": compact(
                {
                    key: new.get(key)
                    for key in ("display_name", "policies", "token_type", "token_ttl", "metadata", "entity_id")
                }
            ),
            "wrap_ttl": dig(response, "wrap_info", "ttl"),
            "remote_port": request.get("remote_port"),
            "forwarded_from": entry.get("forwarded_from"),
            "policy_override": request.get("policy_override"),
        }
    )


READER = Reader(
    key="vault.audit",
    title="HashiCorp Vault audit log",
    framing="json",
    proof=Proof("vendor_schema", "https://developer.hashicorp.com/vault/docs/audit/schema"),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "data", "signin"),
)
