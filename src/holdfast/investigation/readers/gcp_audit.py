"""Google Cloud audit logs: entries of Cloud Logging with an ``AuditLog`` payload, as exported or listed.

Rules:
1. ``timestamp`` is when it happened, ``receiveTimestamp`` when Cloud Logging had it.
2. The log's name tells the class: ``data_access`` is data, everything else management. ``permissionType`` tells reading
   from writing; an activity log without it is of writes.
3. ``status.code`` tells the outcome, an empty status success. Without a status, permissions that were granted or not
   tell it; failing those, nothing does.
4. A service account is a workload; accounts that Google itself owns are the cloud's. A redacted caller is unknown.
5. ``serviceAccountDelegationInfo`` lists who really asked: its first entry stands behind the act.
6. A service account's key is told as ``serviceAccounts/<account>/keys/<key>`` wherever it is made or used.

Not handled here: entries of the same project that are no audit logs (load balancers, VPC flows).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    address,
    compact,
    dig,
    first,
    folded,
    instant,
    items,
    lower,
    mapping,
    mappings,
    record_of,
    text,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.reading import Fields, Proof, Reader

_CODES = {
    "1": "CANCELLED", "2": "UNKNOWN", "3": "INVALID_ARGUMENT", "4": "DEADLINE_EXCEEDED", "5": "NOT_FOUND",
    "6": "ALREADY_EXISTS", "7": "PERMISSION_DENIED", "8": "RESOURCE_EXHAUSTED", "9": "FAILED_PRECONDITION",
    "10": "ABORTED", "11": "OUT_OF_RANGE", "12": "UNIMPLEMENTED", "13": "INTERNAL", "14": "UNAVAILABLE",
    "15": "DATA_LOSS", "16": "UNAUTHENTICATED",
}  # fmt: skip
_KEY = re.compile(r"serviceAccounts/[^/]+/keys/[^/]+")
_OWNER = re.compile(r"(?:projects|organizations|folders|billingAccounts)/([^/]+)/logs/")
_GOOGLES = re.compile(r"^service-\d+@|@cloudservices\.gserviceaccount|@system\.gserviceaccount|@gs-project-accounts\.")
_READ_VERBS = ("get", "list", "search", "lookup", "query", "watch", "test", "read", "describe", "fetch", "batchget")
_TYPES = {
    "ADMIN_READ": "read", "DATA_READ": "read", "ADMIN_WRITE": "write", "DATA_WRITE": "write",
}  # fmt: skip
_INSIDE = frozenset({"private", "gce-internal-ip"})
"""Callers inside Google's network, which the log tells instead of an address."""


def _payload(record: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in ("protoPayload", "protopayload_auditlog"):
        found = record.get(key)
        if isinstance(found, Mapping):
            return found
    return {}


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    if not isinstance(record, Mapping):
        return False
    payload, log = _payload(record), record.get("logName") or record.get("logname")
    if not payload:
        return False
    if any(key in payload for key in ("methodName", "serviceName", "authenticationInfo", "authorizationInfo")):
        return True
    return isinstance(log, str) and "cloudaudit.googleapis.com" in log


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    entry = record_of(record)
    payload, flat = _payload(entry), folded(entry)
    resource = mapping(entry.get("resource"))
    labels = mapping(resource.get("labels"))
    log = (told(flat.get("logname")) or "").replace("%2F", "/")
    service = (told(payload.get("serviceName")) or "").removesuffix(".googleapis.com") or None
    method = told(payload.get("methodName"))
    return {
        "time_us": when(flat.get("timestamp")),
        "delivered_us": instant(flat.get("receivetimestamp")),
        "account_uid": _owner(labels, log),
        "region": _region(labels, payload),
        "service": service,
        "operation": method,
        "event_class": _class(log, service),
        "access": _access(payload, log, method or ""),
        **_outcome(payload),
        **_caller(payload),
        "issued_credential_uid": _issued(payload, method or ""),
        "target_uid": told(payload.get("resourceName")),
        "target_type": told(resource.get("type")),
        **_origin(folded(mapping(payload.get("requestMetadata")))),
        "request": payload.get("request") or None,
        "response": payload.get("response") or None,
        "detail": _detail(entry, payload, labels),
        "event_uid": _uid(flat),
    }


def _owner(labels: Mapping[str, Any], log: str) -> str | None:
    named = first(labels.get("project_id"))
    match = _OWNER.search(log)
    return named or (match[1] if match else first(labels.get("organization_id"), labels.get("folder_id")))


def _region(labels: Mapping[str, Any], payload: Mapping[str, Any]) -> str | None:
    current = items(dig(payload, "resourceLocation", "currentLocations"))
    return first(labels.get("location"), labels.get("region"), labels.get("zone"), *current)


def _class(log: str, service: str | None) -> str:
    if service == "login":
        return "signin"
    return "data" if log.endswith("/data_access") else "management"


def _access(payload: Mapping[str, Any], log: str, method: str) -> str | None:
    kinds = {_TYPES.get(told(info.get("permissionType")) or "") for info in mappings(payload.get("authorizationInfo"))}
    if "write" in kinds or "read" in kinds:
        return "write" if "write" in kinds else "read"
    verb = method.rpartition(".")[2].lower()
    if verb.startswith(_READ_VERBS):
        return "read"
    return "write" if log.endswith(("/activity", "/system_event")) or "io.k8s." in method else None


def _outcome(payload: Mapping[str, Any]) -> Fields:
    status = mapping(payload.get("status"))
    code = first(status.get("code"))
    if code not in (None, "0"):
        return {"status": "failure", "error": _CODES.get(code or "", code)}
    if code == "0" or isinstance(payload.get("status"), Mapping):
        return {"status": "success"}
    granted = [info.get("granted") for info in mappings(payload.get("authorizationInfo"))]
    if granted and all(answer is True for answer in granted):
        return {"status": "success"}
    return {"status": "failure", "error": "PERMISSION_DENIED"} if False in granted else {}


def _caller(payload: Mapping[str, Any]) -> Fields:
    info = mapping(payload.get("authenticationInfo"))
    email = lower(info.get("principalEmail"))
    subject = first(info.get("principalSubject"), info.get("authoritySelector"))
    uid = email or _of_subject(subject)
    key = _KEY.search(told(info.get("serviceAccountKeyName")) or "")
    behind = _behind(info)
    return {
        "actor_type": _kind(uid, subject),
        "actor_uid": uid,
        "credential_uid": key[0] if key else None,
        "parent_uid": behind,
        "session_uid": f"{behind} as {uid}" if behind and uid else None,
    }


def _of_subject(subject: str | None) -> str | None:
    """``user:a@b`` and ``serviceAccount:a@b`` without their kind; federated subjects as they are."""
    if subject is None:
        return None
    kind, colon, name = subject.partition(":")
    return name.lower() if colon and kind in ("user", "serviceAccount", "group") else subject


def _kind(uid: str | None, subject: str | None) -> str:
    if uid is None:
        return "unknown"
    if uid in ("system:anonymous", "system:unauthenticated"):
        return "anonymous"
    if uid.startswith("system:"):
        return "workload" if uid.startswith("system:serviceaccount:") else "cloud_service"
    if _GOOGLES.search(uid):
        return "cloud_service"
    federated = (subject or "").startswith(("principal://", "principalSet://"))
    if uid.endswith("gserviceaccount.com") or federated or (subject or "").startswith("serviceAccount:"):
        return "workload"
    return "human" if "@" in uid else "unknown"


def _behind(info: Mapping[str, Any]) -> str | None:
    """Who really asked, where a service account acts for another."""
    for part in mappings(info.get("serviceAccountDelegationInfo")):
        first_party = mapping(part.get("firstPartyPrincipal"))
        return first(
            lower(first_party.get("principalEmail")),
            _of_subject(told(part.get("principalSubject"))),
            dig(part, "thirdPartyPrincipal", "thirdPartyClaims", "sub"),
        )
    return None


def _issued(payload: Mapping[str, Any], method: str) -> str | None:
    if not method.endswith(("CreateServiceAccountKey", "UploadServiceAccountKey", "CreateHmacKey", "hmacKeys.create")):
        return None
    named = text(dig(payload, "response", "name")) or ""
    key = _KEY.search(named)
    return key[0] if key else first(dig(payload, "response", "metadata", "accessId"), named)


def _origin(request: Mapping[str, Any]) -> Fields:
    caller = told(request.get("callerip"))
    inside = caller in _INSIDE
    return {
        "src_ip": None if inside else address(caller),
        "src_service": caller if inside else None,
        "user_agent": told(request.get("callersupplieduseragent")),
    }


def _detail(entry: Mapping[str, Any], payload: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any] | None:
    return compact(
        {
            "log": entry.get("logName"),
            "severity": entry.get("severity"),
            "operation": entry.get("operation"),
            "labels": labels,
            "status": payload.get("status"),
            "authentication": payload.get("authenticationInfo"),
            "authorization": payload.get("authorizationInfo"),
            "service_data": payload.get("serviceData"),
            "metadata": payload.get("metadata"),
            "entry_labels": entry.get("labels"),
        }
    )


def _uid(flat: Mapping[str, Any]) -> str | None:
    """Cloud Logging holds entries of equal log, instant and insert id to be one."""
    given = told(flat.get("insertid"))
    return None if given is None else f"{told(flat.get('logname')) or ''}/{told(flat.get('timestamp')) or ''}/{given}"


READER = Reader(
    key="gcp.audit",
    title="Google Cloud audit logs",
    framing="json",
    proof=Proof(
        "vendor_schema",
        "https://github.com/googleapis/googleapis/blob/master/google/cloud/audit/audit_log.proto and "
        "https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry",
    ),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "data"),
)
