"""Azure's activity log and the resource logs beside it, from the REST API, diagnostic settings and Log Analytics.

Rules:
1. The operation is ``operationName`` in the vendor's spelling; event hubs write it in capitals, so operations that are
   known to matter get their documented spelling back.
2. A long operation is told when it begins and when it ends, under one ``correlationId``: a beginning is kept under the
   class "other" and without an outcome.
3. The caller is a person when it is a user principal name; by their claims, managed identities are workloads and
   applications service accounts. ``uti`` is the token, as Entra's sign-in log names it.
4. ``submissionTimestamp`` is when it was delivered.
5. Logs of a resource's own data (blobs, key vaults) have the source ``azure.resource`` and are data.
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
    lower,
    mapping,
    record_of,
    text,
    told,
    unfolded,
    when,
)  # fmt: skip
from holdfast.investigation.readers._microsoft import MANAGED
from holdfast.investigation.reading import Fields, Proof, Reader

_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_TENANT = "http://schemas.microsoft.com/identity/claims/tenantid"
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_ACTION = re.compile(r"[\w.]+\.[\w.]+(?:/[\w.$-]+)+")
_CATEGORIES = frozenset({
    "administrative", "policy", "security", "servicehealth", "resourcehealth", "alert", "autoscale", "recommendation",
    "write", "delete", "action",
})  # fmt: skip
_OTHERS = frozenset({
    "kube-audit", "kube-audit-admin", "auditlogs", "signinlogs", "noninteractiveusersigninlogs", "adfssigninlogs",
    "serviceprincipalsigninlogs", "managedidentitysigninlogs", "microsoftserviceprincipalsigninlogs",
})  # fmt: skip
"""Categories that Kubernetes' and Entra's readers read."""
_NAMED = frozenset({"operationName", "operationname", "OperationName", "OperationNameValue"})
_SPELT = {name.lower(): name for name in (
    "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleDefinitions/write",
    "Microsoft.Authorization/elevateAccess/action", "Microsoft.Authorization/locks/delete",
    "Microsoft.Compute/disks/beginGetAccess/action", "Microsoft.Compute/snapshots/beginGetAccess/action",
    "Microsoft.Compute/virtualMachines/extensions/write", "Microsoft.Compute/virtualMachines/runCommand/action",
    "Microsoft.EventHub/namespaces/eventhubs/delete", "Microsoft.Insights/diagnosticSettings/delete",
    "Microsoft.KeyVault/vaults/accessPolicies/write", "Microsoft.Network/bastionHosts/createshareablelinks/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
    "Microsoft.Network/networkSecurityGroups/securityRules/write",
    "Microsoft.Security/alertsSuppressionRules/write", "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Storage/storageAccounts/regenerateKey/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/write",
)}  # fmt: skip
_SUCCESSES = frozenset({"success", "succeeded", "ok"})
_FAILURES = frozenset({"failure", "failed", "error", "clientothererror", "authorizationerror", "authenticationerror"})
_READS = ("get", "list", "read", "query", "secretget", "secretlist", "keyget", "vaultget", "head")


def _operation(flat: Mapping[str, Any]) -> str | None:
    raw = unfolded(flat.get("operationnamevalue") or flat.get("operationname"))
    named = first(raw.get("value")) if isinstance(raw, Mapping) else told(raw)
    return None if named is None else _SPELT.get(named.lower(), named)


def _kind(record: Any) -> str | None:  # noqa: ANN401 -- parsed JSON
    """``activity``, ``resource``, or none when it is neither."""
    if not isinstance(record, Mapping) or _NAMED.isdisjoint(record):
        return None
    flat = folded(record)
    where = (first(flat.get("resourceid"), flat.get("id")) or "").lower()
    if not where.startswith("/subscriptions/") and "subscriptionid" not in flat:
        return None
    if not any(key in flat for key in ("eventtimestamp", "time", "timegenerated")):
        return None
    category = _value(flat.get("categoryvalue") or flat.get("category")).lower()
    if category in _OTHERS or "microsoft.aadiam" in where:
        return None
    known = "eventdataid" in flat or category in _CATEGORIES
    return "activity" if known and _ACTION.fullmatch(_operation(flat) or "") else "resource"


def _value(raw: object) -> str:
    """The text of a field that the REST API tells as a mapping of value and localised value."""
    found = unfolded(raw)
    return (told(found.get("value")) if isinstance(found, Mapping) else told(found)) or ""


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    flat = folded(record_of(record))
    identity = mapping(flat.get("identity"))
    claims = mapping(flat.get("claims")) or mapping(identity.get("claims"))
    properties = mapping(flat.get("properties"))
    operation = _operation(flat)
    resource = first(flat.get("resourceid"), flat.get("resourceuri"))
    activity = _kind(record) == "activity"
    begun = _value(flat.get("eventname")) == "BeginRequest" or _result(flat) in ("started", "start")
    return {
        "time_us": when(flat.get("eventtimestamp"), flat.get("time"), flat.get("timegenerated")),
        "delivered_us": instant(first(flat.get("submissiontimestamp"), flat.get("eventsubmissiontimestamp"))),
        "account_uid": _subscription(flat, resource),
        "region": told(flat.get("location")),
        "service": _service(operation, flat),
        "operation": operation,
        "event_class": "other" if begun else "management" if activity else "data",
        "access": _access(operation or ""),
        **({} if begun else _outcome(flat, properties)),
        **_caller(flat, claims, identity),
        "target_uid": first(properties.get("objectKey"), resource),
        "target_type": _value(flat.get("resourcetype")).lower() or None,
        "src_ip": address(
            dig(flat.get("httprequest"), "clientIpAddress"), flat.get("calleripaddress"), claims.get("ipaddr")
        ),
        "user_agent": first(properties.get("userAgentHeader"), properties.get("clientInfo")),
        "request": unfolded(properties.get("requestbody") or properties.get("requestBody")) or None,
        "response": unfolded(properties.get("responseBody") or properties.get("responsebody")) or None,
        "detail": _detail(flat, identity, claims, properties),
        "event_uid": told(flat.get("eventdataid")),
    }


def _result(flat: Mapping[str, Any]) -> str:
    return _value(flat.get("activitystatusvalue") or flat.get("status") or flat.get("resulttype")).lower()


def _outcome(flat: Mapping[str, Any], properties: Mapping[str, Any]) -> Fields:
    result = _result(flat) or (told(properties.get("metricResponseType")) or "").lower()
    if result in _SUCCESSES:
        return {"status": "success"}
    if result not in _FAILURES:
        return {}
    why = first(_value(flat.get("substatus")), flat.get("resultsignature"), properties.get("statusCode"), result)
    return {"status": "failure", "error": why}


def _subscription(flat: Mapping[str, Any], resource: str | None) -> str | None:
    match = _SUBSCRIPTION.search(resource or "")
    return first(flat.get("subscriptionid"), match[1] if match else None, flat.get("tenantid"))


def _service(operation: str | None, flat: Mapping[str, Any]) -> str | None:
    if operation is not None and "/" in operation:
        return operation.partition("/")[0]
    return first(_value(flat.get("resourceprovidername")), flat.get("category"))


def _access(operation: str) -> str | None:
    last = operation.rpartition("/")[2].lower()
    if last in ("write", "delete", "action"):
        return "write"
    if last == "read" or last.startswith(_READS):
        return "read"
    return "write" if last.startswith(("put", "set", "create", "delete", "update", "append", "copy")) else None


def _caller(flat: Mapping[str, Any], claims: Mapping[str, Any], identity: Mapping[str, Any]) -> Fields:
    caller = first(flat.get("caller"), claims.get(f"{_CLAIM}upn"), claims.get("upn"), claims.get(f"{_CLAIM}name"))
    uid = lower(caller) or first(claims.get(_OBJECT), claims.get("appid"), identity.get("tokenHash"))
    managed = MANAGED in (text(claims.get("xms_mirid")) or "").lower()
    if managed:
        kind = "workload"
    elif uid is not None and "@" in uid:
        kind = "human"
    elif claims.get("idtyp") == "app" or claims.get("appid"):
        kind = "service_account"
    else:
        kind = "unknown"
    return {
        "actor_type": kind,
        "actor_uid": uid,
        "actor_name": told(claims.get("name")),
        "credential_uid": told(claims.get("uti")),
    }


def _detail(
    flat: Mapping[str, Any], identity: Mapping[str, Any], claims: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, Any] | None:
    bodies = ("requestbody", "requestBody", "responseBody", "responsebody")
    return compact(
        {
            "category": _value(flat.get("categoryvalue") or flat.get("category")),
            "correlation": flat.get("correlationid"),
            "operation_id": flat.get("operationid"),
            "result": _result(flat),
            "signature": flat.get("resultsignature"),
            "tenant": first(claims.get(_TENANT), flat.get("tenantid")),
            "object_id": claims.get(_OBJECT),
            "app_id": claims.get("appid"),
            "managed_identity": claims.get("xms_mirid"),
            "methods": claims.get("http://schemas.microsoft.com/claims/authnmethodsreferences"),
            "authorization": flat.get("authorization") or identity.get("authorization"),
            "properties": {key: value for key, value in properties.items() if key not in bodies},
        }
    )


_SCHEMA = "https://learn.microsoft.com/en-us/azure/azure-monitor/essentials/activity-log-schema"
READERS = [
    Reader(
        key="azure.activity",
        title="Azure activity log",
        framing="json",
        proof=Proof("vendor_schema", _SCHEMA),
        recognises=lambda record: _kind(record) == "activity",
        fields=_fields,
        priority=95,
    ),
    Reader(
        key="azure.resource",
        title="Azure resource logs (storage, key vaults)",
        framing="json",
        proof=Proof(
            "vendor_schema", "https://learn.microsoft.com/en-us/azure/azure-monitor/essentials/resource-logs-schema"
        ),
        recognises=lambda record: _kind(record) == "resource",
        fields=_fields,
        event_classes=("data",),
        priority=95,
    ),
]
