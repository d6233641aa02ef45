"""GitLab's audit events: REST API, streaming destinations, and ``audit_json.log`` of a server of one's own.

Rules:
1. The operation is ``event_type``; events without one (older ones of the API) are named by ``details``: what was
   added, changed or removed, or else their message.
2. An event is written for what was done, so it is a success, unless its name says that it failed.
3. Authors without an account have negative numbers: -1 nobody signed in, -2 a deploy token, -3 a deploy key; a job's
   token and runners are told by ``author_class``.
4. The account is the top-level group (``gitlab_instance`` for the whole server).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import address, compact, first, lower, mapping, record_of, rest, told, when
from holdfast.investigation.reading import Fields, Proof, Reader

_AUTHORS = {"-1": "anonymous", "-2": "service_account", "-3": "deploy_key"}
_CLASSES = (
    ("unauthenticated", "anonymous"), ("deploytoken", "service_account"), ("deploykey", "deploy_key"),
    ("runner", "ci_token"), ("build", "ci_token"), ("job", "ci_token"),
)  # fmt: skip
_BOT = re.compile(r"(?:project|group)_\d+_bot|service_account_")
_ISSUED = re.compile(
    r"(?:token|deploy_key|ssh_key|gpg_key|oauth_application|cluster_agent_token|secret)\w*_(?:created|create|issued)"
)
_READS = re.compile(r"(?:_accessed|_read_\w+|_downloaded|_viewed)$|^secrets_manager_read|_clone$|_fetch$")
_SIGN_IN = re.compile(r"authenticated|logged_?in|sign_?in|login|user_access_locked")
_USED = frozenset({
    "id", "created_at", "time", "event_type", "ip_address", "author_name", "author_email", "entity_path",
    "target_id", "target_type", "details",
})  # fmt: skip


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    return isinstance(record, Mapping) and all(key in record for key in ("author_id", "entity_type", "entity_id"))


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event = record_of(record)
    details = mapping(event.get("details"))
    operation = _operation(event, details)
    path = first(event.get("entity_path"), details.get("entity_path"))
    kind, number = told(event.get("entity_type")), told(event.get("id"))
    return {
        "time_us": when(event.get("created_at"), event.get("time")),
        "account_uid": path.partition("/")[0] if path and kind != "User" else None,
        "service": kind.lower().rpartition("::")[2] if kind else None,
        "operation": operation,
        **_class(operation or ""),
        **_actor(event, details),
        **_target(event, details, operation or "", path),
        "src_ip": address(event.get("ip_address"), details.get("ip_address")),
        "request": compact(
            {
                key: first(details.get(key), event.get(key))
                for key in ("add", "change", "remove", "from", "to", "as", "with", "expiry_from", "expiry_to")
            }
        ),
        "detail": compact({"entity_path": path, **(rest(event, _USED) or {}), "details": details}),
        "event_uid": f"{kind}/{number}" if number else None,
    }


def _operation(event: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    named = first(event.get("event_type"), details.get("event_name"), event.get("event_name"))
    for verb in ("add", "change", "remove"):
        if named is None and (what := first(details.get(verb), event.get(verb))):
            return f"{verb} {what}"
    return named or first(details.get("custom_message"), event.get("custom_message"))


def _class(operation: str) -> Fields:
    failed = "failed" in operation
    outcome: Fields = {"status": "failure", "error": operation} if failed else {"status": "success"}
    if _SIGN_IN.search(operation) and "application" not in operation:
        return {"event_class": "signin", **outcome}
    reads = _READS.search(operation) is not None
    data = reads and ("secret" in operation or "repository" in operation)
    return {"event_class": "data" if data else "management", "access": "read" if reads else "write", **outcome}


def _actor(event: Mapping[str, Any], details: Mapping[str, Any]) -> Fields:
    number = told(event.get("author_id"))
    name = first(event.get("author_name"), details.get("author_name"))
    email = first(lower(event.get("author_email")), lower(details.get("author_email")))
    made = first(details.get("author_class"), event.get("author_class"))
    return {
        "actor_type": _kind(number, made, f"{email or ''} {name or ''}"),
        "actor_uid": email or (f"gitlab:user:{number}" if number else None),
        "actor_name": name,
    }


def _kind(number: str | None, made: str | None, names: str) -> str:
    if number in _AUTHORS and made in (None, "User"):
        return _AUTHORS[number]
    folded = (made or "").lower()
    for part, kind in _CLASSES:
        if part in folded:
            return kind
    if _BOT.search(names):
        return "service_account"
    return "unknown" if number is None else "human"


def _target(event: Mapping[str, Any], details: Mapping[str, Any], operation: str, path: str | None) -> Fields:
    number = first(event.get("target_id"), details.get("target_id"))
    kind = first(event.get("target_type"), details.get("target_type"))
    named = first(event.get("target_details"), details.get("target_details"))
    issued = f"{kind or 'token'}:{number}" if number and _ISSUED.search(operation) else None
    return {
        "issued_credential_uid": issued,
        "target_uid": named or number or path,
        "target_type": kind.lower().rpartition("::")[2] if kind else None,
    }


READER = Reader(
    key="gitlab.audit",
    title="GitLab audit events",
    framing="json",
    proof=Proof(
        "vendor_schema",
        "https://docs.gitlab.com/user/compliance/audit_event_schema and https://docs.gitlab.com/api/audit_events",
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "data", "signin"),
)
