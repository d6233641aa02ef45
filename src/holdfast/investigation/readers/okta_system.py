"""Okta's System Log, as its API lists it and as log streams and event hooks deliver it.

Rules:
1. ``published`` is the only clock the log tells.
2. The lasting identity is the login (``alternateId``) in small letters; the number Okta gives it is in the detail.
3. ``outcome.result`` SUCCESS and ALLOW are successes, FAILURE and DENY failures; CHALLENGE, SKIPPED, DEFERRED and
   UNKNOWN are neither.
4. A sign-in session is ``externalSessionId``. Starting one, also by impersonation, issues it; the actor is who asked.
5. Some pipelines write the outer keys in small letters: they are read alike.
6. An API token acts as ``transaction.detail.requestApiTokenId``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    address,
    compact,
    dig,
    first,
    folded,
    lower,
    mapping,
    mappings,
    record_of,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.reading import Fields, Proof, Reader

_RESULTS = {"SUCCESS": "success", "ALLOW": "success", "FAILURE": "failure", "DENY": "failure"}
_KINDS = {
    "User": "human", "SystemPrincipal": "cloud_service", "PublicClientApp": "service_account",
    "PrivateClientApp": "service_account", "ServiceClientApp": "service_account", "AppInstance": "service_account",
    "ServicePrincipal": "service_account", "AccessToken": "service_account", "OAuth2Client": "service_account",
    "IP address": "anonymous",
}  # fmt: skip
_SIGN_IN = ("user.session.", "user.authentication.", "policy.evaluate_sign_on", "app.oauth2.", "user.mfa.okta_verify")
_WRITES = frozenset({
    "create", "update", "delete", "add", "remove", "activate", "deactivate", "suspend", "unsuspend", "grant", "revoke",
    "reset", "reset_all", "unlock", "lock", "assign", "unassign", "import", "change", "initiate", "enable", "disable",
    "provision", "deprovision", "clear", "rotate", "update_password", "reset_password", "convert",
})  # fmt: skip
_READS = frozenset({"show_password", "read", "view", "download", "export", "get", "list"})
_SESSIONS = frozenset({"user.session.start", "user.session.impersonation.initiate"})


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    if not isinstance(record, Mapping) or not isinstance(record.get("actor"), Mapping):
        return False
    flat = folded(record)
    signs = ("published", "legacyeventtype", "uuid", "authenticationcontext", "debugcontext")
    return isinstance(flat.get("eventtype"), str) and any(key in flat for key in signs)


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    event = folded(record_of(record))
    operation = told(event.get("eventtype")) or ""
    client, outcome = mapping(event.get("client")), mapping(event.get("outcome"))
    result = told(outcome.get("result"))
    return {
        "time_us": when(event.get("published")),
        "service": operation.partition(".")[0] or None,
        "operation": operation or None,
        **_class(operation),
        "status": _RESULTS.get((result or "").upper()),
        "error": told(outcome.get("reason")) if _RESULTS.get((result or "").upper()) == "failure" else None,
        **_actor(event),
        **_session(event, operation),
        **_target(event, operation),
        "src_ip": address(client.get("ipAddress"), *_hops(event)),
        "user_agent": told(dig(client, "userAgent", "rawUserAgent")),
        "detail": _detail(event, client, outcome),
        "event_uid": told(event.get("uuid")),
    }


def _hops(event: Mapping[str, Any]) -> list[Any]:
    return [hop.get("ip") for hop in mappings(dig(event, "request", "ipChain"))]


def _class(operation: str) -> Fields:
    if operation.startswith(_SIGN_IN):
        return {"event_class": "signin"}
    verb = operation.rpartition(".")[2]
    if verb in _READS:
        return {"event_class": "management", "access": "read"}
    return {"event_class": "management", "access": "write" if verb in _WRITES else None}


def _actor(event: Mapping[str, Any]) -> Fields:
    actor = mapping(event.get("actor"))
    return {
        "actor_type": _KINDS.get(told(actor.get("type")) or "", "unknown"),
        "actor_uid": lower(actor.get("alternateId")) or told(actor.get("id")),
        "actor_name": told(actor.get("displayName")),
    }


def _session(event: Mapping[str, Any], operation: str) -> Fields:
    session = told(dig(event, "authenticationcontext", "externalSessionId"))
    return {
        "issued_session_uid" if operation in _SESSIONS else "session_uid": session,
        "credential_uid": told(dig(event, "transaction", "detail", "requestApiTokenId")),
        "issued_credential_uid": _issued(event, operation),
    }


def _issued(event: Mapping[str, Any], operation: str) -> str | None:
    """The token or secret that the act made: its target says which."""
    if operation.rpartition(".")[2] not in ("create", "grant", "rotate", "activate"):
        return None
    for target in mappings(event.get("target")):
        kind = (told(target.get("type")) or "").lower()
        if "token" in kind or "secret" in kind or kind == "code":
            return told(target.get("id"))
    return None


def _target(event: Mapping[str, Any], operation: str) -> Fields:
    targets = mappings(event.get("target"))
    if not targets:
        return {}
    wanted = {"user": "user", "group": "usergroup"}.get(operation.partition(".")[0])
    chosen = next((target for target in targets if (told(target.get("type")) or "").lower() == wanted), targets[0])
    kind = (told(chosen.get("type")) or "").lower() or None
    login = lower(chosen.get("alternateId")) if kind == "user" else None
    return {"target_uid": login or first(chosen.get("id"), chosen.get("alternateId")), "target_type": kind}


def _detail(event: Mapping[str, Any], client: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any] | None:
    context, place = mapping(event.get("authenticationcontext")), mapping(client.get("geographicalContext"))
    return compact(
        {
            "actor_id": dig(event, "actor", "id"),
            "actor_type": dig(event, "actor", "type"),
            "result": outcome.get("result"),
            "reason": outcome.get("reason"),
            "message": event.get("displaymessage"),
            "severity": event.get("severity"),
            "credential_type": context.get("credentialType"),
            "authentication_provider": context.get("authenticationProvider"),
            "issuer": context.get("issuer"),
            "root_session": context.get("rootSessionId"),
            "country": place.get("country"),
            "device": client.get("device"),
            "zone": client.get("zone"),
            "security": event.get("securitycontext"),
            "debug": dig(event, "debugcontext", "debugData"),
            "transaction": event.get("transaction"),
            "targets": event.get("target"),
        }
    )


def _unwrap(envelope: Mapping[str, Any]) -> list[Any] | None:
    """The event that a log stream to EventBridge wraps."""
    inner = envelope.get("detail")
    if isinstance(inner, Mapping) and "detail-type" in envelope and _recognises(inner):
        return [inner]
    return None


READER = Reader(
    key="okta.system",
    title="Okta System Log",
    framing="json",
    proof=Proof(
        "vendor_schema",
        "https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/ (schema LogEvent)",
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "signin"),
    unwrap=_unwrap,
)
