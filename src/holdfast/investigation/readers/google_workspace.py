"""Google Workspace activity reports: the Reports API, one source for each application.

Rules:
1. One activity may tell several events: it is an envelope of as many records, under the activity's time and actor.
2. Event names are unique within an application only, so the application is the source: ``gws.admin``, ``gws.login``.
   Devices are called ``mobile`` by the API and ``gws.device`` here.
3. An event tells what was done: a success, unless its name or its parameters say that it failed.
4. An application that acts for a person by domain-wide delegation stands behind that person's act.
5. Flattened exports, in which one event's name and parameters stand beside the activity's id, are read alike.

Not handled here: the same activities as Cloud Logging exports them (``gcp.audit``), Gmail logs in BigQuery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.investigation.readers._fields import (
    address,
    compact,
    first,
    lower,
    mapping,
    mappings,
    record_of,
    rest,
    told,
    when,
)  # fmt: skip
from holdfast.investigation.reading import Fields, Proof, Reader

_APPLICATIONS = (
    "access_transparency", "admin", "calendar", "chat", "chrome", "classroom", "context_aware_access", "data_studio",
    "drive", "gcp", "gemini_in_workspace_apps", "gmail", "groups", "groups_enterprise", "jamboard", "keep", "login",
    "meet", "mobile", "rules", "saml", "token", "user_accounts", "vault",
)  # fmt: skip
_NAMES = {"mobile": "device"}
_SIGN_IN = frozenset({"login", "saml", "context_aware_access"})
_DATA = frozenset({
    "drive", "gmail", "calendar", "chat", "classroom", "data_studio", "jamboard", "keep", "meet", "chrome",
    "gemini_in_workspace_apps",
})  # fmt: skip
_READS = (
    "view",
    "download",
    "print",
    "preview",
    "copy",
    "DOWNLOAD",
    "VIEW",
    "source_copy",
    "sheets_import",
    "activity",
)
_FAILED = ("login_failure", "saml_login_failure", "failure", "denied", "blocked", "ACCESS_DENY")
_VALUES = (
    "value", "boolValue", "intValue", "multiValue", "multiIntValue", "messageValue", "multiMessageValue",
    "multiBoolValue",
)  # fmt: skip
_TARGETS = (
    ("USER_EMAIL", "user"), ("GROUP_EMAIL", "group"), ("affected_email_address", "user"), ("doc_id", "document"),
    ("client_id", "application"), ("API_CLIENT_NAME", "application"), ("APP_ID", "application"),
    ("APPLICATION_NAME", "application"), ("app_name", "application"), ("SETTING_NAME", "setting"),
    ("ROLE_NAME", "role"), ("DOMAIN_NAME", "domain"), ("DEVICE_ID", "device"), ("target_user", "user"),
    ("calendar_id", "calendar"), ("ORG_UNIT_NAME", "organisation unit"),
    ("email_forwarding_destination_address", "address"),
)  # fmt: skip
_USED = frozenset({"id", "actor", "ipAddress", "events", "name", "type", "parameters", "kind", "etag", "part"})


def _application(record: Any) -> str | None:  # noqa: ANN401 -- parsed JSON
    uid = record.get("id") if isinstance(record, dict) else None
    if not isinstance(uid, dict) or "applicationName" not in uid:
        return None
    if not any(key in record for key in ("events", "name", "parameters")):
        return None
    return told(uid["applicationName"])


def _is_one(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    """Whether it tells one event: an activity of several is an envelope of them."""
    return len(mappings(record.get("events"))) < 2  # noqa: PLR2004 -- several


def _unwrap(envelope: Mapping[str, Any]) -> list[Any] | None:
    """The activity once for each of its events, numbered from 0; of a page of activities, all of theirs."""
    if _application(envelope) is not None:
        return None if _is_one(envelope) else _parts(envelope)
    pages = envelope.get("items")
    if not isinstance(pages, list) or not pages or _application(pages[0]) is None:
        return None
    return [
        part for page in pages for part in ([page] if _application(page) is None or _is_one(page) else _parts(page))
    ]


def _parts(activity: Mapping[str, Any]) -> list[Any]:
    events = mappings(activity.get("events"))
    return [{**activity, "events": [event], "part": number} for number, event in enumerate(events)]


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed JSON
    activity = record_of(record)
    event, uid = (mappings(activity.get("events")) or [activity])[0], mapping(activity.get("id"))
    name, application = told(event.get("name")), told(uid.get("applicationName")) or ""
    parameters = _parameters(event.get("parameters"))
    return {
        "time_us": when(uid.get("time")),
        "account_uid": first(uid.get("customerId"), activity.get("ownerDomain")),
        "service": application or None,
        "operation": name,
        **_class(application, name or ""),
        **_outcome(name or "", parameters),
        **_actor(activity),
        **_target(parameters),
        "src_ip": address(activity.get("ipAddress")),
        "user_agent": first(parameters.get("user_agent"), parameters.get("USER_AGENT")),
        "request": compact(parameters),
        "detail": compact(
            {
                **(rest(activity, _USED) or {}),
                "event_type": event.get("type"),
                "actor": activity.get("actor"),
            }
        ),
        "event_uid": _uid(uid, activity.get("part")),
    }


def _parameters(value: object) -> dict[str, Any]:
    """Parameters by name: the API lists them with one of several kinds of value; flattened exports map them."""
    flat = mapping(value)
    if flat:
        return dict(flat)
    found: dict[str, Any] = {}
    for item in mappings(value):
        name = told(item.get("name"))
        if name is not None:
            found[name] = next((item[key] for key in _VALUES if key in item), None)
    return found


def _class(application: str, name: str) -> Fields:
    if application in _SIGN_IN:
        changes = name.startswith(("2sv", "password", "recovery", "titanium", "email_forwarding"))
        return {"event_class": "management", "access": "write"} if changes else {"event_class": "signin"}
    data = application in _DATA and name not in ("change_user_access", "change_owner", "change_document_visibility")
    reads = name.startswith(_READS)
    return {"event_class": "data" if data else "management", "access": "read" if reads else "write"}


def _outcome(name: str, parameters: Mapping[str, Any]) -> Fields:
    why = first(parameters.get("login_failure_type"), parameters.get("failure_type"), parameters.get("api_error_code"))
    if name.endswith(_FAILED) or (why is not None and "failure" in name):
        return {"status": "failure", "error": why or name}
    return {"status": "success"}


def _actor(activity: Mapping[str, Any]) -> Fields:
    actor = mapping(activity.get("actor"))
    email, caller = lower(actor.get("email")), told(actor.get("callerType"))
    application = mapping(actor.get("applicationInfo"))
    behind = told(application.get("oauthClientId")) if application.get("impersonation") is True else None
    if email is not None and email.endswith("gserviceaccount.com"):
        kind = "workload"
    elif caller == "KEY":
        kind = "service_account"
    else:
        kind = "human" if email is not None or caller == "USER" else "unknown"
    uid = first(email, actor.get("key") if caller == "KEY" else None, actor.get("profileId"))
    return {"actor_type": kind, "actor_uid": uid, "parent_uid": behind, "session_uid": _as_someone(behind, email)}


def _as_someone(behind: str | None, email: str | None) -> str | None:
    return f"{behind} as {email}" if behind and email else None


def _target(parameters: Mapping[str, Any]) -> Fields:
    for name, kind in _TARGETS:
        if (found := told(parameters.get(name))) is not None:
            return {"target_uid": found.lower() if "@" in found else found, "target_type": kind}
    return {}


def _uid(uid: Mapping[str, Any], part: object) -> str | None:
    qualifier = told(uid.get("uniqueQualifier"))
    if qualifier is None:
        return None
    named = f"{told(uid.get('applicationName'))}/{told(uid.get('time'))}/{qualifier}"
    return f"{named}/{part}" if isinstance(part, int) and part else named


def _asks(application: str) -> Callable[[Any], bool]:
    return lambda record: _application(record) == application and _is_one(record)


def _of_others(record: Any) -> bool:  # noqa: ANN401 -- parsed JSON
    application = _application(record)
    return application is not None and application not in _APPLICATIONS and _is_one(record)


def _reader(name: str, recognises: Callable[[Any], bool], priority: int = 100) -> Reader:
    event_class = "signin" if name in _SIGN_IN else "data" if name in _DATA else "management"
    return Reader(
        key=f"gws.{_NAMES.get(name, name)}",
        title=f"Google Workspace activities: {name.replace('_', ' ')}",
        framing="json",
        proof=Proof(
            "vendor_schema",
            "https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list (Activity)",
        ),
        recognises=recognises,
        fields=_fields,
        event_classes=(event_class,) if event_class == "management" else (event_class, "management"),
        unwrap=_unwrap if name == "admin" else None,
        priority=priority,
    )


READERS = [*(_reader(name, _asks(name)) for name in _APPLICATIONS), _reader("other", _of_others, 110)]
"""One for each application of the Reports API, and one for those that are newer than this list."""
