"""OpenLDAP's access log (``cn=log`` of the accesslog overlay) as LDIF, from ``ldapsearch`` or ``slapcat``.

Rules:
1. The clock is ``reqStart``. Its fraction counts operations within the second rather than microseconds; it keeps order.
2. Who acts is ``reqAuthzID``. In a bind that is still who the connection was before, so there it is ``reqDN``, who asks
   to be let in. No DN is anonymous.
3. ``reqResult`` 0 is success; 5 and 6 are answers of a comparison; 10 (referral), 14 (a bind that takes another step)
   are neither; all others are failures (https://www.rfc-editor.org/rfc/rfc4511, appendix A).
4. Distinguished names in small letters, without blanks after commas: the directory itself takes them for equal.
5. Values of attributes that hold a password, a hash of one or a key are withheld, in what is new and in what was.
6. The entry at the root of the log is no event and is counted as such.

Not handled here: addresses of clients (the overlay does not record them; ``slapd``'s own log at level 256 does), the
auditlog overlay's LDIF of changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.readers._fields import WITHHELD, compact, record_of, told, when
from holdfast.investigation.reading import Fields, Proof, Reader, UnreadableError

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,](\d{1,9}))?Z")
_READS = frozenset({"search", "compare"})
_WRITES = frozenset({"add", "delete", "modify", "modrdn", "extended"})
_SECRET = re.compile(
    r"password|passwd|userpkcs12|privatekey|secret|sambalmpassword|sambantpassword|krbprincipalkey|pwdhistory|oathsecret"
    r"|unicodepwd|authpassword",
    re.IGNORECASE,
)
_MOD = re.compile(r"([^:\s]+):([-+=#])(?: (.*))?", re.DOTALL)
_OLD = re.compile(r"([^:\s]+): (.*)", re.DOTALL)
_RESULTS = {
    1: "operationsError", 2: "protocolError", 3: "timeLimitExceeded", 4: "sizeLimitExceeded",
    7: "authMethodNotSupported", 8: "strongerAuthRequired", 11: "adminLimitExceeded", 13: "confidentialityRequired",
    16: "noSuchAttribute", 17: "undefinedAttributeType", 19: "constraintViolation", 20: "attributeOrValueExists",
    21: "invalidAttributeSyntax", 32: "noSuchObject", 34: "invalidDNSyntax", 48: "inappropriateAuthentication",
    49: "invalidCredentials", 50: "insufficientAccessRights", 51: "busy", 52: "unavailable", 53: "unwillingToPerform",
    65: "objectClassViolation", 66: "notAllowedOnNonLeaf", 68: "entryAlreadyExists", 80: "other",
}  # fmt: skip
_NEITHER = frozenset({"10", "14"})
_SUCCESS = frozenset({"0", "5", "6"})


def _folded(record: Any) -> dict[str, list[Any]]:  # noqa: ANN401 -- an entry of LDIF
    found: dict[str, list[Any]] = {}
    for name, values in record_of(record).items():
        found[str(name).lower()] = values if isinstance(values, list) else [values]
    return found


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- an entry of LDIF
    if not isinstance(record, Mapping):
        return False
    names = {str(name).lower() for name in record}
    return {"reqstart", "reqtype"} <= names or "auditcontainer" in _classes(record)


def _classes(record: Mapping[str, Any]) -> set[str]:
    found: Any = next((values for name, values in record.items() if str(name).lower() == "objectclass"), [])
    return {str(one).lower() for one in found} if isinstance(found, list) else set()


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- an entry of LDIF
    entry = _folded(record)
    operation = (_one(entry, "reqtype") or "").lower()
    if not operation:
        raise UnreadableError("the entry at the root of the access log, which is no event")
    kind = operation.partition("(")[0].partition("{")[0]
    target = _dn(_one(entry, "reqdn"))
    actor = target if kind == "bind" else _dn(_one(entry, "reqauthzid"))
    return {
        "time_us": _when(_one(entry, "reqstart")),
        "service": "ldap",
        "operation": operation,
        "event_class": "signin" if kind in ("bind", "unbind") else "data" if kind in _READS else "management",
        "access": "read" if kind in _READS else "write" if kind in _WRITES else None,
        **_result(entry),
        "actor_type": "unknown" if actor else "anonymous",
        "actor_uid": actor,
        "actor_name": _name(actor),
        "target_uid": None if kind == "bind" else target,
        "target_type": None if kind == "bind" or target is None else "entry",
        "request": compact(
            {
                "changes": [_changed(str(one)) for one in entry.get("reqmod", [])],
                "filter": _one(entry, "reqfilter"),
                "scope": _one(entry, "reqscope"),
                "attributes": entry.get("reqattr"),
                "assertion": _assertion(_one(entry, "reqassertion")),
                "new_rdn": _one(entry, "reqnewrdn"),
                "new_superior": _one(entry, "reqnewsuperior"),
                "method": _one(entry, "reqmethod"),
            }
        ),
        "detail": compact(
            {
                "connection": _one(entry, "reqsession"),
                "before": [_before(str(one)) for one in entry.get("reqold", [])],
                "entries": _one(entry, "reqentries"),
                "message": _one(entry, "reqmessage"),
                "result": _one(entry, "reqresult"),
                "authorised_as": _dn(_one(entry, "reqauthzid")),
                "entry_uuid": _one(entry, "reqentryuuid"),
            }
        ),
        "event_uid": _dn(_one(entry, "dn")),
    }


def _one(entry: Mapping[str, list[Any]], name: str) -> str | None:
    values = entry.get(name)
    return told(values[0]) if values else None


def _when(text: str | None) -> int | None:
    if text is None:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise UnreadableError("the time is not a valid instant")
    year, month, day, hour, minute, second, fraction = match.groups()
    return when(f"{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction or '0'}Z")


def _dn(text: str | None) -> str | None:
    if text is None:
        return None
    bare = text.removeprefix("dn:").strip().lower()
    return re.sub(r"\s{0,9}([,=])\s{0,9}", r"\1", bare) or None


def _name(dn: str | None) -> str | None:
    """The value of the first part of the name, which is how people call an entry."""
    return dn.partition(",")[0].partition("=")[2] or None if dn else None


def _result(entry: Mapping[str, list[Any]]) -> Fields:
    code = _one(entry, "reqresult")
    if code is None or code in _NEITHER:
        return {"status": None}
    if code in _SUCCESS:
        return {"status": "success"}
    name = _RESULTS.get(int(code)) if code.isascii() and code.isdecimal() and len(code) < 6 else None  # noqa: PLR2004 -- result codes are short
    return {"status": "failure", "error": f"{code} {name}" if name else code}


def _changed(text: str) -> dict[str, Any]:
    """``attribute:+ value``: added, ``-`` removed, ``=`` replaced, ``#`` incremented."""
    match = _MOD.match(text)
    if match is None:
        return {"attribute": text.partition(":")[0], "value": WITHHELD}
    value = WITHHELD if match[3] and _SECRET.search(match[1]) else match[3]
    return {"attribute": match[1], "change": match[2], "value": value}


def _before(text: str) -> dict[str, Any]:
    match = _OLD.match(text)
    if match is None:
        return {"attribute": text.partition(":")[0]}
    return {"attribute": match[1], "value": WITHHELD if _SECRET.search(match[1]) else match[2]}


def _assertion(text: str | None) -> str | None:
    """What a comparison claimed: ``attribute=value``."""
    return text if text is None or not _SECRET.search(text) else f"{text.partition('=')[0]}={WITHHELD}"


READER = Reader(
    key="ldap.accesslog",
    title="OpenLDAP access log (accesslog overlay)",
    framing="ldif",
    proof=Proof("real_server", "OpenLDAP slapd 2.5.13 (Debian 12) with the accesslog overlay, run by tests/real"),
    recognises=_recognises,
    fields=_fields,
    event_classes=("management", "signin", "data"),
)
