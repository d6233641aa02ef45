"""Microsoft Entra ID: directory audit and sign-ins, from Graph, diagnostic settings and Log Analytics.

Rules:
1. Three spellings of one log are read alike (see ``_microsoft``). The operation is ``activityDisplayName``; sign-ins
   are "Sign-in activity".
2. A directory audit entry's time is ``activityDateTime``; a sign-in's is ``createdDateTime``. Where a diagnostic
   setting tells another ``time`` beside it, that is when it was delivered.
3. A person is their user principal name in small letters, an application its service principal's id. A managed
   identity is a workload.
4. Keys that an act added to an application are told by ``KeyDescription``: the identifier of the new one is the issued
   credential, and a later sign-in of the application names it (``servicePrincipalCredentialKeyId``).
5. A sign-in issues a token (``uniqueTokenIdentifier``), by which other logs name it.
6. "Update application", dash, "Certificates and secrets management" has an en dash; where a pipeline wrote a hyphen
   it is the same operation.
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
    instant,
    lower,
    mapping,
    mappings,
    pairs,
    record_of,
    text,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.readers._microsoft import changes, new_keys, tenant, view
from holdfast.investigation.reading import Fields, Proof, Reader

_SIGN_INS = {
    "signinlogs": "human", "noninteractiveusersigninlogs": "human", "adfssigninlogs": "human",
    "aadnoninteractiveusersigninlogs": "human", "serviceprincipalsigninlogs": "service_account",
    "aadserviceprincipalsigninlogs": "service_account", "managedidentitysigninlogs": "workload",
    "aadmanagedidentitysigninlogs": "workload", "microsoftserviceprincipalsigninlogs": "cloud_service",
}  # fmt: skip
_SIGNS = frozenset({
    "category", "Category", "Type", "activityDateTime", "ActivityDateTime", "createdDateTime", "CreatedDateTime",
    "operationName", "operationname", "OperationName",
})  # fmt: skip
"""A record with none of these keys is looked at no further: other logs' records pass by quickly."""
_EVENT_KINDS = {"serviceprincipal": "service_account", "managedidentity": "workload"}
_WRITES = frozenset({"add", "assign", "update", "unassign", "delete", "create", "remove", "set"})
_RESULTS = {"success": "success", "failure": "failure", "timeout": "failure", "fail": "failure"}
_CERTIFICATES = "Update application \N{EN DASH} Certificates and secrets management"
_SIGN_IN_SIGNS = ("appid", "appdisplayname", "resourcedisplayname", "conditionalaccessstatus", "clientappused")
_SIGN_IN_DETAIL = (
    "appdisplayname", "appid", "clientappused", "authenticationprotocol", "authenticationrequirement",
    "conditionalaccessstatus", "isinteractive", "incomingtokentype", "clientcredentialtype", "devicedetail", "location",
    "risklevelduringsignin", "risklevelaggregated", "riskstate", "riskeventtypesv2", "correlationid", "userid",
    "crosstenantaccesstype", "hometenantid", "resourceid", "originaltransfermethod", "signineventtypes",
    "userdisplayname", "autonomoussystemnumber", "mfadetail", "authenticationdetails", "federatedcredentialid",
)  # fmt: skip


def _kind(record: Any) -> str | None:  # noqa: ANN401 -- parsed JSON
    """``audit`` or ``signin``; none when it is neither."""
    if not isinstance(record, Mapping) or _SIGNS.isdisjoint(record):
        return None
    outer = folded(record)
    categories = {(text(outer.get(key)) or "").lower() for key in ("category", "type")}
    if categories & _SIGN_INS.keys():
        return "signin"
    resource = (text(outer.get("resourceid")) or "").lower()
    inner = folded(mapping(outer.get("properties")))
    if "auditeventid" in inner:
        return None  # Intune writes to the same stream under the same category
    if categories & {"auditlogs"} or ("microsoft.aadiam" in resource and "operationname" in outer):
        return "audit"
    flat = outer | inner
    if "activitydatetime" in flat and "activitydisplayname" in flat:
        return "audit"
    signs = sum(key in flat for key in _SIGN_IN_SIGNS)
    return "signin" if "createddatetime" in flat and "ipaddress" in flat and signs > 1 else None


def _audit(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    flat = view(record_of(record))
    extra = pairs(flat.get("additionaldetails"), "key", "value")
    initiator = mapping(flat.get("initiatedby"))
    targets = [folded(target) for target in mappings(flat.get("targetresources"))]
    changed: dict[str, Any] = {}
    for target in targets:
        changed |= {
            name: change for name, change in changes(target.get("modifiedproperties")).items() if name not in changed
        }
    keys = new_keys(changed)
    result = _RESULTS.get((first(flat.get("result"), flat.get("resulttype")) or "").lower())
    return {
        "time_us": when(first(flat.get("activitydatetime"), flat.get("time"), flat.get("timegenerated"))),
        "delivered_us": instant(first(flat.get("ingestiontime"), flat.get("timereceived"))),
        "account_uid": tenant(flat),
        "service": told(flat.get("loggedbyservice")),
        "operation": _operation(flat),
        "event_class": "management",
        "access": "write" if (told(_operation_type(flat)) or "").lower() in _WRITES else None,
        "status": result,
        "error": first(flat.get("resultreason"), flat.get("resultdescription"), "failure")
        if result == "failure"
        else None,
        **_initiator(initiator, flat),
        "issued_credential_uid": keys[0] if keys else None,
        **_target(targets),
        "src_ip": address(
            dig(initiator, "user", "ipAddress"),
            flat.get("calleripaddress"),
            extra.get("ipaddr"),
            extra.get("ipAddress"),
        ),
        "user_agent": first(extra.get("User-Agent"), flat.get("useragent")),
        "request": compact(changed),
        "detail": _about(flat, extra, initiator, targets, keys),
        "event_uid": told(flat.get("id")),
    }


def _about(
    flat: Mapping[str, Any], extra: Mapping[str, Any], initiator: Mapping[str, Any], targets: list[Any], keys: list[str]
) -> dict[str, Any] | None:
    return compact(
        {
            "category": flat.get("category"),
            "correlation": flat.get("correlationid"),
            "reason": flat.get("resultreason"),
            "issued": keys[1:],
            "initiator": initiator,
            "targets": [_brief(target) for target in targets],
            "more": extra,
        }
    )


def _operation(flat: Mapping[str, Any]) -> str | None:
    named = first(flat.get("activitydisplayname"), flat.get("operationname"))
    same = named is not None and named.replace(" - ", " \N{EN DASH} ") == _CERTIFICATES
    return _CERTIFICATES if same else named


def _operation_type(flat: Mapping[str, Any]) -> object:
    return flat.get("operationtype") or flat.get("aadoperationtype")


def _initiator(initiator: Mapping[str, Any], flat: Mapping[str, Any]) -> Fields:
    user, app = folded(mapping(initiator.get("user"))), folded(mapping(initiator.get("app")))
    person = first(lower(user.get("userprincipalname")), user.get("id"))
    if person is not None:
        return {"actor_type": "human", "actor_uid": person, "actor_name": told(user.get("displayname"))}
    service = first(app.get("serviceprincipalid"), app.get("appid"), app.get("displayname"))
    if service is not None:
        name = first(app.get("displayname"), app.get("serviceprincipalname"))
        return {"actor_type": "service_account", "actor_uid": service, "actor_name": name}
    return {"actor_type": "unknown", "actor_name": told(flat.get("identity"))}


def _brief(target: Mapping[str, Any]) -> dict[str, Any] | None:
    return compact({key: target.get(key) for key in ("id", "displayname", "type", "userprincipalname")})


def _target(targets: list[dict[str, Any]]) -> Fields:
    if not targets:
        return {}
    target = targets[0]
    uid = first(lower(target.get("userprincipalname")), target.get("id"), target.get("displayname"))
    return {"target_uid": uid, "target_type": lower(target.get("type"))}


def _sign_in(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    flat = view(record_of(record))
    created = told(flat.get("createddatetime"))
    session = told(flat.get("sessionid"))
    status = folded(mapping(flat.get("status")))
    return {
        "time_us": when(created, flat.get("time"), flat.get("timegenerated")),
        "delivered_us": instant(first(flat.get("ingestiontime"), flat.get("timereceived"), flat.get("time")))
        if created
        else None,
        "account_uid": tenant(flat),
        "service": "signin",
        "operation": first(flat.get("operationname")) or "Sign-in activity",
        "event_class": "signin",
        **_result(flat, status),
        **_who(flat),
        "session_uid": session or told(flat.get("correlationid")),
        "credential_uid": first(
            flat.get("serviceprincipalcredentialkeyid"),
            flat.get("serviceprincipalcredentialthumbprint"),
            flat.get("federatedcredentialid"),
        ),
        "issued_credential_uid": told(flat.get("uniquetokenidentifier")),
        "target_uid": first(flat.get("resourcedisplayname"), flat.get("resourceidentity")),
        "target_type": "application" if first(flat.get("resourcedisplayname"), flat.get("resourceidentity")) else None,
        "src_ip": address(flat.get("ipaddress"), flat.get("calleripaddress")),
        "user_agent": told(flat.get("useragent")),
        "detail": compact({key: flat.get(key) for key in _SIGN_IN_DETAIL} | {"status": status}),
        "event_uid": first(flat.get("id"), flat.get("originalrequestid")),
    }


def _result(flat: Mapping[str, Any], status: Mapping[str, Any]) -> Fields:
    code = first(status.get("errorcode"), flat.get("resulttype"))
    if code is None:
        return {}
    if code == "0":
        return {"status": "success"}
    return {"status": "failure", "error": first(f"{code} {told(status.get('failurereason')) or ''}", code)}


def _who(flat: Mapping[str, Any]) -> Fields:
    kind = _SIGN_INS.get((told(flat.get("category")) or "").lower()) or _SIGN_INS.get(
        (told(flat.get("type")) or "").lower()
    )
    for event_kind in flat.get("signineventtypes") or () if isinstance(flat.get("signineventtypes"), list) else ():
        kind = _EVENT_KINDS.get((told(event_kind) or "").lower(), kind)
    person = first(lower(flat.get("userprincipalname")), flat.get("userid"))
    if kind in (None, "human") and person is not None:
        return {"actor_type": "human", "actor_uid": person, "actor_name": told(flat.get("userdisplayname"))}
    service = first(flat.get("serviceprincipalid"), flat.get("appid"))
    name = first(flat.get("serviceprincipalname"), flat.get("appdisplayname"))
    if kind == "human":
        return {"actor_type": "unknown"}
    return {
        "actor_type": kind or ("service_account" if service else "unknown"),
        "actor_uid": service,
        "actor_name": name,
    }


READERS = [
    Reader(
        key="entra.audit",
        title="Microsoft Entra ID directory audit log",
        framing="json",
        proof=Proof(
            "real_data",
            "OTRF Security-Datasets golden SAML, 4 records of a laboratory tenant in the Log Analytics form; the Graph "
            "form by https://learn.microsoft.com/en-us/graph/api/resources/directoryaudit",
        ),
        recognises=lambda record: _kind(record) == "audit",
        fields=_audit,
        priority=90,
    ),
    Reader(
        key="entra.signin",
        title="Microsoft Entra ID sign-in logs",
        framing="json",
        proof=Proof("vendor_schema", "https://learn.microsoft.com/en-us/graph/api/resources/signin"),
        recognises=lambda record: _kind(record) == "signin",
        fields=_sign_in,
        event_classes=("signin",),
        priority=90,
    ),
]
