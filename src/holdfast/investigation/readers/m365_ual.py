"""Microsoft 365's unified audit log: Management Activity API, Purview's CSV export, Log Analytics' OfficeActivity.

Rules:
1. The operation is ``Operation`` as the workload spells it (cmdlets, ``MailItemsAccessed``, ``UserLoggedIn``).
2. ``CreationTime`` is when it happened, in UTC; it comes without an offset.
3. ``ResultStatus`` tells the outcome, but for a sign-in it only says that the request was answered: there
   ``LogonError`` decides.
4. Records of mailbox items and of files are data; of sign-ins, sign-ins; the rest is management.
5. ``AppAccessContext`` names the session and the token that Entra's sign-in log names, too.
6. A mailbox is the target of what is done in it, also when its owner does it.
7. In an export as CSV the record is the JSON text in the column ``AuditData``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    address,
    compact,
    first,
    folded,
    lower,
    mapping,
    pairs,
    record_of,
    text,
    told,
    unfolded,
    when,
)  # fmt: skip
from holdfast.investigation.readers._microsoft import changes, new_keys
from holdfast.investigation.reading import Fields, Proof, Reader

_SIGN_IN_TYPES = frozenset({"9", "15", "azureactivedirectoryaccountlogon", "azureactivedirectorystslogon"})
_DATA_TYPES = frozenset({
    "2", "3", "6", "50", "exchangeitem", "exchangeitemgroup", "exchangeitemaggregated", "sharepointfileoperation",
})  # fmt: skip
_SIGNS = frozenset({"Operation", "operation", "AuditData", "auditData", "auditdata"})
_SIGN_INS = frozenset({"UserLoggedIn", "UserLoginFailed", "MailboxLogin", "UserLoggedOff", "TeamsSessionStarted"})
_USERS = {
    "0": "human", "regular": "human", "2": "human", "admin": "human", "1": "human", "reserved": "human",
    "3": "cloud_service", "dcadmin": "cloud_service", "4": "cloud_service", "system": "cloud_service",
    "5": "service_account", "application": "service_account", "6": "service_account",
    "serviceprincipal": "service_account", "7": "cloud_service", "custompolicy": "cloud_service",
    "8": "cloud_service", "systempolicy": "cloud_service", "9": "human", "partnertechnician": "human",
    "10": "human", "guest": "human",
}  # fmt: skip
_READS = (
    "MailItemsAccessed", "FileAccessed", "FileDownloaded", "FilePreviewed", "FileSyncDownloaded", "PageViewed",
    "SearchQueryPerformed", "Get-", "Search-", "Test-", "Export-", "MessageBind", "FolderBind", "ViewedSearch",
)  # fmt: skip
_WRITES = (
    "New-", "Set-", "Add-", "Remove-", "Enable-", "Disable-", "Update", "Add ", "Delete ", "Remove ", "Set ", "Consent",
    "FileUploaded", "FileModified", "FileDeleted", "FileRenamed", "FileMoved", "FileCopied", "FileRecycled",
    "HardDelete", "SoftDelete", "MoveToDeletedItems", "Move", "Copy", "Create", "Send", "SiteCollectionAdminAdded",
    "Sharing",    "AnonymousLink", "AddedToSecureLink", "CompanyLink", "SecureLink", "Install-", "Start-", "Stop-",
    "Grant-", "Revoke-",
)  # fmt: skip
_SUCCESSES = frozenset({"succeeded", "success", "true", "partiallysucceeded", "0"})
_FAILURES = frozenset({"failed", "failure", "false", "fail"})
_USED = frozenset({
    "auditdata", "operation", "operations", "creationtime", "creationdate", "timegenerated", "createddatetime", "id",
    "organizationid", "clientip", "clientipaddress", "useragent", "userid", "parameters", "modifiedproperties",
    "resultstatus", "tenantid", "appaccesscontext", "operationproperties", "extendedproperties",
})  # fmt: skip


def _view(record: Mapping[str, Any]) -> dict[str, Any]:
    outer = folded(record)
    inner = folded(mapping(outer.get("auditdata")))
    return outer | {key: value for key, value in inner.items() if value not in (None, "", [], {})}


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON, or a CSV row
    if not isinstance(record, Mapping) or _SIGNS.isdisjoint(record):
        return False
    flat = folded(record)
    if "auditdata" in flat:
        return isinstance(unfolded(flat["auditdata"]), Mapping)
    if "operation" not in flat or not any(key in flat for key in ("creationtime", "timegenerated", "organizationid")):
        return False
    return "recordtype" in flat and any(key in flat for key in ("workload", "officeworkload", "userkey", "usertype"))


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON, or a CSV row
    flat = _view(record_of(record))
    operation = first(flat.get("operation"), flat.get("operations"))
    context = folded(mapping(flat.get("appaccesscontext")))
    extended = pairs(flat.get("extendedproperties"), "Name", "Value")
    changed = changes(flat.get("modifiedproperties"))
    keys = new_keys(changed)
    return {
        "time_us": when(
            *(told(flat.get(key)) for key in ("creationtime", "creationdate", "timegenerated", "createddatetime"))
        ),
        "account_uid": _organisation(flat),
        "service": first(flat.get("workload"), flat.get("officeworkload")),
        "operation": operation,
        "event_class": _class(flat, operation or ""),
        "access": _access(operation or ""),
        **_outcome(flat, operation or ""),
        **_actor(flat),
        "session_uid": first(context.get("aadsessionid"), flat.get("sessionid"), extended.get("SessionId")),
        "credential_uid": told(context.get("uniquetokenid")),
        "issued_credential_uid": keys[0] if keys else None,
        **_target(flat),
        "src_ip": address(flat.get("clientip"), flat.get("clientipaddress"), flat.get("actoripaddress")),
        "user_agent": first(flat.get("useragent"), extended.get("UserAgent"), flat.get("clientinfostring")),
        "request": compact(pairs(flat.get("parameters"), "Name", "Value") | changed),
        "detail": compact(
            {key: unfolded(value) for key, value in flat.items() if key not in _USED}
            | {
                "properties": pairs(flat.get("operationproperties"), "Name", "Value"),
                "extended": extended,
                "app": context,
            }
        ),
        "event_uid": first(flat.get("id"), flat.get("identity"), flat.get("officeid"), flat.get("sourcerecordid")),
    }


def _organisation(flat: Mapping[str, Any]) -> str | None:
    tenant = first(flat.get("organizationid"), flat.get("officetenantid"), flat.get("tenantid"))
    return None if tenant is None or tenant.startswith("$") else tenant


def _class(flat: Mapping[str, Any], operation: str) -> str:
    kind = (told(flat.get("recordtype")) or "").lower()
    if kind in _SIGN_IN_TYPES or operation in _SIGN_INS:
        return "signin"
    return "data" if kind in _DATA_TYPES else "management"


def _access(operation: str) -> str | None:
    if operation.startswith(_READS):
        return "read"
    return "write" if operation.startswith(_WRITES) else None


def _outcome(flat: Mapping[str, Any], operation: str) -> Fields:
    failed = first(flat.get("logonerror"), flat.get("errornumber") if flat.get("errornumber") not in (0, "0") else None)
    if failed is not None or operation == "UserLoginFailed":
        return {"status": "failure", "error": failed or operation}
    result = (first(flat.get("resultstatus"), flat.get("issuccess")) or "").lower()
    if result in _SUCCESSES:
        return {"status": "success", "error": "PartiallySucceeded" if result == "partiallysucceeded" else None}
    return {"status": "failure", "error": first(flat.get("resultreasontype"), result)} if result in _FAILURES else {}


def _actor(flat: Mapping[str, Any]) -> Fields:
    user = first(flat.get("userid"), flat.get("userids"))
    kind = _USERS.get((text(flat.get("usertype")) or "").lower(), "unknown")
    if user is not None and user.lower() == "app@sharepoint":
        kind = "service_account"
    elif user is not None and user.lower().startswith(("serviceprincipal_", "nt authority", "nt service")):
        kind = "service_account" if user.lower().startswith("serviceprincipal_") else "cloud_service"
    elif kind == "unknown" and user is not None and "@" in user:
        kind = "human"
    return {"actor_type": kind, "actor_uid": user.lower() if user and "@" in user else user}


def _target(flat: Mapping[str, Any]) -> Fields:
    mailbox = lower(flat.get("mailboxownerupn"))
    if mailbox is not None:
        return {"target_uid": mailbox, "target_type": "mailbox"}
    uid = first(
        flat.get("objectid"), flat.get("officeobjectid"), flat.get("targetuserorgroupname"), flat.get("siteurl")
    )
    return {"target_uid": uid, "target_type": lower(flat.get("itemtype")) if uid else None}


def _reader(key: str, framing: Any, title: str, proof: Proof) -> Reader:  # noqa: ANN401 -- a Framing
    return Reader(
        key=key,
        title=title,
        framing=framing,
        proof=proof,
        recognises=_recognises,
        fields=_fields,
        event_classes=("management", "data", "signin"),
    )


_SCHEMA = "https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-schema"
READERS = [
    _reader(
        "m365.ual",
        "json",
        "Microsoft 365 unified audit log",
        Proof(
            "real_data",
            "OTRF Security-Datasets golden SAML, 1 record of a laboratory tenant in the Log Analytics form; "
            f"else {_SCHEMA}",
        ),
    ),
    _reader("m365.ual+csv", "csv", "Microsoft 365 unified audit log, exported as CSV", Proof("vendor_schema", _SCHEMA)),
]
