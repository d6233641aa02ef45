"""Lines of the kernel's audit log (``audit.log``), raw or enriched.

Rules:
1. One line is one row. Lines of one event share the time and the serial in ``msg=audit(time:serial)``, which is in the
   detail as ``event``; the id of a row is that, the type and the number of the item. Equal serials of two boots differ
   in their time.
2. Who acts is the user who once signed in (``auid``), for that stays through ``su`` and ``sudo``; where nobody did, it
   is ``uid``. A name is told by enriched lines only; otherwise the number stands as ``uid=1000``. In sign-ins
   (``USER_LOGIN``, ``USER_AUTH`` and the like) it is the account that is asked for, ``acct``.
3. ``success=no`` and ``res=failed`` are failures; ``exit`` tells why.
4. Text in hex, as the kernel writes what has blanks or is not ASCII, is read: command lines, paths, accounts.

Not handled here: joining the lines of one event into one row; a name for a number of a system call in raw lines.
"""

from __future__ import annotations

import re
from typing import Any

from holdfast.investigation.readers._fields import NOT_AN_INSTANT, NOT_THIS_SHAPE, address, compact, instant, told
from holdfast.investigation.reading import Fields, Proof, Reader, UnreadableError

_LINE = re.compile(
    r"(?:node=(?P<node>\S+) )?type=(?P<type>[\w\[\]]+) "
    r"msg=audit\((?P<time>\d{1,12}\.\d{1,6}):(?P<serial>\d+)\): ?(?P<rest>.*)",
    re.DOTALL,
)
_PAIR = re.compile(r"(?<![\w-])([A-Za-z][\w-]{0,63})=('[^']*'|\"[^\"]*\"|\{[^}]{0,4096}\}|\S*)")
_INNER = re.compile(r"(?<![\w-])([A-Za-z][\w-]{0,63})=(\"[^\"]*\"|.*?)(?= [A-Za-z][\w-]{0,63}=|$)", re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_HEXED = frozenset({"proctitle", "acct", "exe", "comm", "name", "cwd", "cmd", "data", "path", "grp", "dir", "key"})
_UNSET = frozenset({"unset", "4294967295", "-1", "?", "(none)", "(null)", ""})
_SIGN_INS = frozenset({
    "USER_LOGIN", "USER_LOGOUT", "USER_AUTH", "USER_ACCT", "USER_START", "USER_END", "USER_ERR", "LOGIN", "CRED_ACQ",
    "CRED_DISP", "CRED_REFR", "CRYPTO_KEY_USER", "CRYPTO_SESSION",
})  # fmt: skip
_ACCOUNTS = {
    "ADD_USER": "user", "DEL_USER": "user", "USER_MGMT": "user", "USER_CHAUTHTOK": "user", "ACCT_LOCK": "user",
    "ACCT_UNLOCK": "user", "ADD_GROUP": "group", "DEL_GROUP": "group", "GRP_MGMT": "group",
}  # fmt: skip
_WRITES = frozenset({*_ACCOUNTS, "CONFIG_CHANGE", "MAC_CONFIG_CHANGE", "MAC_STATUS", "SERVICE_STOP", "DAEMON_END"})


def _recognises(line: Any) -> bool:  # noqa: ANN401 -- a line
    return isinstance(line, str) and _LINE.fullmatch(line) is not None


def _fields(line: Any) -> Fields:  # noqa: ANN401 -- a line
    match = _LINE.fullmatch(line) if isinstance(line, str) else None
    if match is None:
        raise UnreadableError(NOT_THIS_SHAPE)
    when = instant(match["time"])
    if when is None:
        raise UnreadableError(NOT_AN_INSTANT)
    kind, told_of = match["type"], _pairs(match["rest"])
    event = f"{match['time']}:{match['serial']}"
    return {
        "time_us": when,
        "account_uid": match["node"],
        "service": "auditd",
        "operation": kind,
        "event_class": "signin" if kind in _SIGN_INS else "host",
        "access": "write" if kind in _WRITES else None,
        **_status(told_of),
        **_actor(kind, told_of),
        **_target(kind, told_of),
        "src_ip": address(_given(told_of.get("addr"))),
        "request": compact({"command": _command(kind, told_of)}),
        "detail": {"event": event, **told_of},
        "event_uid": "/".join(part for part in (match["node"], event, kind, told_of.get("item")) if part),
    }


def _pairs(rest: str) -> dict[str, str]:
    """Names and values; those within ``msg='…'`` as if they stood outside, and names of enriched lines in capitals."""
    raw, _, enriched = rest.partition("\x1d")
    found: dict[str, str] = {}
    for name, value in _PAIR.findall(raw):
        if name == "msg" and value.startswith("'"):
            found |= {inner: _plain(inner, worth) for inner, worth in _INNER.findall(value[1:-1])}
        else:
            found[name] = _plain(name, value)
    for name, value in _PAIR.findall(enriched):
        found[name if name.isupper() else name.upper()] = value.strip('"')
    return found


def _plain(name: str, value: str) -> str:
    if value.startswith('"'):
        return value.strip('"')
    if _HEX.fullmatch(value) and (name in _HEXED or (re.fullmatch(r"a\d+", name) and len(value) % 2 == 0)):
        return _hex(name, value)
    return value.strip()


def _hex(name: str, value: str) -> str:
    """Text in hex, when it is one: an argument that only looks like it (``a0=3``, ``a1=DEAD``) stays."""
    bare = bytes.fromhex(value)
    try:
        text = bare.decode("utf-8")
    except UnicodeDecodeError:
        return value
    printable = text.replace("\0", " ").strip()
    return printable if name != "key" or printable.isprintable() else printable.replace("\x01", ",")


def _given(value: str | None) -> str | None:
    return None if value is None or value in _UNSET else told(value)


def _status(told_of: dict[str, str]) -> Fields:
    said = told_of.get("success") or told_of.get("res") or told_of.get("result")
    if said in ("yes", "success", "1"):
        return {"status": "success"}
    if said in ("no", "failed", "fail", "0"):
        return {"status": "failure", "error": _given(told_of.get("exit")) or "failed"}
    return {"status": None}


def _actor(kind: str, told_of: dict[str, str]) -> Fields:
    asked = _given(told_of.get("acct")) if kind in _SIGN_INS else None
    name = asked or _named(told_of, "auid") or _named(told_of, "uid")
    return {"actor_type": "root" if name == "root" else "unknown", "actor_uid": name, "actor_name": name}


def _named(told_of: dict[str, str], key: str) -> str | None:
    number = _given(told_of.get(key))
    if number is None:
        return None
    name = _given(told_of.get(key.upper()))
    if name and not name.startswith("unknown"):
        return name
    return "root" if number == "0" else f"uid={number}"


def _target(kind: str, told_of: dict[str, str]) -> Fields:
    if kind in _ACCOUNTS:
        named = _given(told_of.get("acct")) or _account(told_of)
        return {"target_uid": named, "target_type": _ACCOUNTS[kind]}
    if kind == "PATH":
        return {"target_uid": _given(told_of.get("name")), "target_type": "file"}
    if kind in ("SYSCALL", "USER_CMD", "EXECVE"):
        return {"target_uid": _given(told_of.get("exe") or told_of.get("a0")), "target_type": "program"}
    if kind.startswith("SERVICE_"):
        return {"target_uid": _given(told_of.get("unit")), "target_type": "service"}
    return {}


def _account(told_of: dict[str, str]) -> str | None:
    number, name = _given(told_of.get("id")), _given(told_of.get("ID"))
    return name if name and not name.startswith("unknown") else f"uid={number}" if number else None


def _command(kind: str, told_of: dict[str, str]) -> str | None:
    if kind == "PROCTITLE":
        return told_of.get("proctitle")
    if kind == "USER_CMD":
        return told_of.get("cmd")
    if kind == "EXECVE":
        count = told_of.get("argc", "")
        places = range(min(int(count), 256)) if count.isascii() and count.isdecimal() and len(count) < 6 else ()  # noqa: PLR2004 -- no longer number of arguments
        return " ".join(told_of.get(f"a{place}", "") for place in places) or None
    return None


READER = Reader(
    key="host.auditd",
    title="Linux audit log (auditd)",
    framing="lines",
    proof=Proof("real_server", "auditd 3.0.9 (Debian 12), enriched, over the kernel's audit, run by tests/real"),
    recognises=_recognises,
    fields=_fields,
    event_classes=("signin", "host"),
)
