"""Slack's audit log of an enterprise, as its Audit Logs API lists it.

Rules:
1. An entry is written for what was done: a success, unless its action says that it failed.
2. The lasting identity is the person's mail address in small letters, or else Slack's number for them.
3. ``context.session_id`` is the session; ``entity`` is what was acted upon.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    address,
    compact,
    dig,
    first,
    lower,
    mapping,
    record_of,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.reading import Fields, Proof, Reader

_SIGN_IN = ("user_login", "user_logout", "user_session")
_DATA = ("file_", "message_", "public_channel_preview", "private_channel_preview")
_READS = ("downloaded", "viewed", "preview", "exported", "accessed")
_ISSUING = frozenset({"app_installed", "app_token_preserved", "user_session_created", "bot_token_upgraded"})


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    if not isinstance(record, Mapping) or not isinstance(record.get("action"), str):
        return False
    actor, context = record.get("actor"), record.get("context")
    return (
        isinstance(actor, Mapping)
        and actor.get("type") in ("user", "app", "bot", "service")
        and (isinstance(record.get("entity"), Mapping) or (isinstance(context, Mapping) and "location" in context))
    )


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event = record_of(record)
    operation = told(event.get("action")) or ""
    context = mapping(event.get("context"))
    session = told(context.get("session_id"))
    failed = "failed" in operation or "denied" in operation
    return {
        "time_us": when(event.get("date_create")),
        "account_uid": first(dig(context, "location", "id"), dig(event, "actor", "user", "team")),
        "service": operation.partition("_")[0] or None,
        "operation": operation or None,
        **_class(operation),
        "status": "failure" if failed else "success",
        "error": operation if failed else None,
        **_actor(mapping(event.get("actor"))),
        "issued_session_uid" if operation == "user_login" else "session_uid": session,
        **_entity(mapping(event.get("entity")), operation),
        "src_ip": address(context.get("ip_address")),
        "user_agent": told(context.get("ua")),
        "request": compact(mapping(event.get("details"))),
        "detail": compact({"location": context.get("location"), "app": context.get("app"), "by": event.get("actor")}),
        "event_uid": told(event.get("id")),
    }


def _class(operation: str) -> Fields:
    if operation.startswith(_SIGN_IN):
        return {"event_class": "signin"}
    reads = any(word in operation for word in _READS)
    return {
        "event_class": "data" if operation.startswith(_DATA) else "management",
        "access": "read" if reads else "write",
    }


def _actor(actor: Mapping[str, Any]) -> Fields:
    kind = told(actor.get("type"))
    who = mapping(actor.get(kind or "user"))
    return {
        "actor_type": "human" if kind == "user" else "service_account",
        "actor_uid": first(lower(who.get("email")), who.get("id")),
        "actor_name": told(who.get("name")),
    }


def _entity(entity: Mapping[str, Any], operation: str) -> Fields:
    kind = told(entity.get("type"))
    what = mapping(entity.get(kind or ""))
    uid = first(lower(what.get("email")), what.get("id"), what.get("name"))
    return {
        "target_uid": uid,
        "target_type": kind,
        "issued_credential_uid": f"app:{uid}" if uid and kind == "app" and operation in _ISSUING else None,
    }


READER = Reader(
    key="slack.audit",
    title="Slack audit log of an enterprise",
    framing="json",
    proof=Proof("vendor_schema", "https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference"),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "data", "signin"),
)
