"""Keystone's audit events (CADF), as its log driver writes them and as JSON: notification, message or bare event.

Rules:
1. The clock is ``eventTime`` of the event; a notification without one tells ``timestamp``.
2. Who acts is ``initiator.user_id``, of OpenStack services the initiator's ``id``; names are only how people call them,
   for a deleted user's name may be given again.
3. A sign-in is ``authenticate``; any ``outcome`` but success and failure (pending, unknown) is neither. Who is refused
   is named, yet did not act: the event is a failure.
4. ``created.application_credential`` and ``created.credential`` issue what their target names; an event of a role names
   the role, the user and the project in the detail and has the user as its target.
5. Other lines of the same log file are rows of class ``other``: Keystone tells some refusals (a disabled user, a token
   that is not valid) only there. Their clock is the machine's local one and is taken for UTC.

Not handled here: notifications in the basic format, which do not say who acted; lines of a traceback, which have no
time of their own, are counted as unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.investigation.readers._fields import (
    address,
    compact,
    dig,
    first,
    mapping,
    record_of,
    rest,
    told,
    when,
)
from holdfast.investigation.reading import Fields, Proof, Reader, UnreadableError

_PROOF = Proof("real_server", "Keystone 30.0.0 (PyPI) with notification_format=cadf, driver=log, run by tests/real")
_READS = frozenset({"read", "list", "read/list", "monitor", "search", "query", "get"})
_OUTCOMES = {"success": "success", "failure": "failure"}
_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?) (\d+) (TRACE|DEBUG|INFO|AUDIT|WARNING|ERROR|CRITICAL) "
    r"([\w.]+) (?:\[([^\]]*)\] )?(.*)",
    re.DOTALL,
)
_FROM = re.compile(r"Authorization failed\..* from ([0-9A-Fa-f.:]+):")
_DISABLED = re.compile(r"User is disabled: ([0-9a-f]{32,64})")
_ISSUED = frozenset({"created.application_credential", "created.credential", "created.trust"})
_USED = frozenset({
    "typeURI", "eventType", "id", "eventTime", "action", "outcome", "observer", "initiator", "target", "resource_info",
    "reason", "requestPath",
})  # fmt: skip


def _event(record: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:  # noqa: ANN401 -- parsed JSON
    """The notification around a CADF event (empty when there is none) and the event; none when it is no such event."""
    if not isinstance(record, Mapping):
        return None
    outer = mapping(record.get("oslo.message")) or record
    event = mapping(outer.get("payload")) if "payload" in outer else outer
    kind = event.get("typeURI")
    if isinstance(kind, str) and "/cloud/audit/" in kind and isinstance(event.get("action"), str):
        return (outer if event is not outer else {}), event
    return None


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    return _event(record) is not None


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    found = _event(record_of(record))
    if found is None:
        raise UnreadableError("the record is not of this source's shape")
    notification, event = found
    operation, initiator = told(event.get("action")) or "", mapping(event.get("initiator"))
    outcome = _OUTCOMES.get((told(event.get("outcome")) or "").lower())
    return {
        "time_us": when(event.get("eventTime"), notification.get("timestamp")),
        "account_uid": first(initiator.get("project_id"), initiator.get("domain_id")),
        "service": (first(notification.get("event_type"), dig(event, "observer", "name")) or "keystone").split(".")[0],
        "operation": operation or None,
        "event_class": "signin" if operation.startswith("authenticate") else "management",
        "access": "read" if operation.split(".")[0] in _READS else "write",
        "status": outcome,
        "error": _error(event) if outcome == "failure" else None,
        **_actor(initiator),
        **_target(event, operation),
        "src_ip": address(dig(initiator, "host", "address")),
        "user_agent": told(dig(initiator, "host", "agent")),
        "request": compact({"path": event.get("requestPath")}),
        "detail": compact(
            {
                "event_type": notification.get("event_type"),
                "publisher": notification.get("publisher_id"),
                "request_id": first(initiator.get("request_id"), initiator.get("global_request_id")),
                "outcome": event.get("outcome"),
                "reason": event.get("reason"),
                **(rest(event, _USED) or {}),
            }
        ),
        "event_uid": told(event.get("id")),
    }


def _error(event: Mapping[str, Any]) -> str | None:
    reason = mapping(event.get("reason"))
    return first(reason.get("reasonType"), reason.get("reasonCode"))


def _actor(initiator: Mapping[str, Any]) -> Fields:
    if not initiator:
        return {"actor_type": "unknown"}
    kind = told(initiator.get("typeURI")) or ""
    used = first(
        dig(initiator, "credential", "application_credential_id"), initiator.get("application_credential_id"),
        dig(initiator, "credential", "token"),
    )  # fmt: skip
    return {
        "actor_type": "human" if kind.endswith("account/user") else "service_account" if kind else "unknown",
        "actor_uid": first(initiator.get("user_id"), initiator.get("id")),
        "actor_name": first(initiator.get("username"), initiator.get("name")),
        "credential_uid": used,
    }


def _target(event: Mapping[str, Any], operation: str) -> Fields:
    target = mapping(event.get("target"))
    uid = first(event.get("resource_info"), target.get("id"))
    kind = (told(target.get("typeURI")) or "").rpartition("/")[2] or None
    if "role_assignment" in operation and (user := first(event.get("user"), event.get("group"))) is not None:
        return {"target_uid": user, "target_type": "user" if event.get("user") else "group"}
    if operation.startswith("authenticate"):  # its target is a made-up id that no other record has
        return {}
    named = operation.rpartition(".")[2] if "." in operation else kind
    issued = {"issued_credential_uid": uid} if operation in _ISSUED else {}
    return {"target_uid": uid, "target_type": named, **issued}


def _says(line: Any) -> bool:  # noqa: ANN401 -- a line
    return isinstance(line, str) and (match := _LINE.match(line)) is not None and _openstack(match)


def _openstack(match: re.Match[str]) -> bool:
    return match[4].startswith(("oslo", "keystone")) or "/cloud/audit/" in match[6]


def _line(line: Any) -> Fields:  # noqa: ANN401 -- a line
    match = _LINE.match(line) if isinstance(line, str) else None
    if match is None:
        raise UnreadableError("the line is not of this log's shape")
    event = _carried(match[6])
    if event is not None:
        return _fields(event)
    refused, disabled = _FROM.search(match[6]), _DISABLED.search(match[6])
    failed = refused is not None or disabled is not None
    return {
        "time_us": when(match[1]),
        "service": match[4].partition(".")[0],
        "operation": "authorization refused" if failed else "log",
        "event_class": "signin" if failed else "other",
        "status": "failure" if failed else None,
        "error": "User is disabled" if disabled else "Authorization failed" if refused else None,
        "actor_type": "unknown",
        "actor_uid": disabled[1] if disabled else _requester(match[5]),
        "src_ip": address(refused[1]) if refused else None,
        "detail": {"level": match[3], "logger": match[4], "message": match[6][:4000], "context": match[5]},
    }


def _requester(context: str | None) -> str | None:
    """The user of the request, which the line's context names third, after the request ids."""
    parts = (context or "").split()
    return told(parts[2]) if len(parts) > 2 else None  # noqa: PLR2004 -- the third


def _carried(message: str) -> dict[str, Any] | None:
    start = message.find("{")
    if start < 0 or "/cloud/audit/" not in message:
        return None
    try:
        found = orjson.loads(message[start:])
    except orjson.JSONDecodeError:
        raise UnreadableError("a notification broken off or not JSON") from None
    return found if _recognises(found) else None


READERS = (
    Reader(
        key="openstack.cadf",
        title="OpenStack audit events (CADF)",
        framing="json",
        proof=_PROOF,
        recognises=_recognises,
        fields=_fields,
        event_classes=("management", "signin"),
    ),
    Reader(
        key="openstack.cadf+log",
        title="OpenStack audit events (CADF) in Keystone's log file",
        framing="lines",
        proof=_PROOF,
        recognises=_says,
        fields=_line,
        event_classes=("management", "signin", "other"),
    ),
)
