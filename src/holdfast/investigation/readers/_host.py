"""What programs of a host say in its system log: sign-ins, becoming another user, accounts; and syslog's instants.

Rules:
1. Messages of sshd, sudo, su, the programs that keep accounts, PAM, logind and cron are told apart; any other is a row
   with the operation ``message``, so that no line is lost.
2. Who acts is a local login, as it stands: two hosts may give one name to two people, ``account_uid`` is the host.
3. What authenticated is the fingerprint of the key (``SHA256:…``), the same text on every host that trusts the key.
4. A refused or revoked key is a failure of the key's holder; sshd names the user only in its next line.
5. An instant without a year gets it from the file's path, when that holds a date or a year: the latest year in which
   the instant is not after that date. Otherwise it is not told, and the line is counted as unreadable. One without an
   offset is taken for UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from holdfast.investigation.readers._fields import NOT_AN_INSTANT, address, compact, told, when
from holdfast.investigation.reading import Fields, UnreadableError

NO_YEAR = "a time without a year: put the year into the file's name, as in auth.log-20261231"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHORT = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d(?:\.\d{1,9})?)")
_DATED = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12]\d|3[01]))?)?(?!\d)")

_Tell = Callable[[re.Match[str]], Fields]


def instant(text: str, path: str | None) -> int:
    """Microseconds since 1970 UTC of a syslog time, with or without a year.

    Raises:
        UnreadableError: it is no instant, or its year cannot be told.
    """
    short = _SHORT.fullmatch(text)
    if short is None:
        found = when(text)
        if found is None:
            raise UnreadableError(NOT_AN_INSTANT)
        return found
    if short[1] not in _MONTHS:
        raise UnreadableError(NOT_AN_INSTANT)
    month, day = _MONTHS.index(short[1]) + 1, int(short[2])
    year = _year(month, day, path or "")
    if year is None:
        raise UnreadableError(NO_YEAR)
    return when(f"{year:04}-{month:02}-{day:02}T{short[3]}Z") or 0


def _year(month: int, day: int, path: str) -> int | None:
    """From the last date in the path, which stands for the day after which nothing was written."""
    dates = list(_DATED.finditer(path))
    if not dates:
        return None
    year, in_month, in_day = (int(part) if part else None for part in dates[-1].groups())
    if year is None or in_month is None:
        return year
    try:
        last = date(year, in_month, in_day or 28) + timedelta(days=1 if in_day else 4)
    except (ValueError, OverflowError):
        return year
    return year if (month, day) <= (last.month, last.day) or last.year > year else year - 1


def said(program: str, message: str) -> Fields:
    """What a program's message tells; always at least ``service``, ``operation`` and ``event_class``."""
    name = program.rpartition("/")[2].split("(")[0].lower()
    for form, tell in _FORMS.get(_ALIASES.get(name, name), ()):
        match = form.match(message)
        if match is not None:
            return {"service": name, "event_class": "signin", **tell(match)}
    for form, tell in _PAM:
        match = form.match(message)
        if match is not None:
            return {"service": name, "event_class": "signin", **tell(match)}
    return {"service": name or None, "operation": "message", "event_class": "host"}


def _kind(user: str | None) -> str:
    return "root" if user == "root" else "unknown"


def _user(match: re.Match[str], name: str = "user") -> Fields:
    user = told(match[name])
    return {"actor_uid": user, "actor_name": user, "actor_type": _kind(user)}


def _from(match: re.Match[str]) -> Fields:
    told_of = match.groupdict()
    return {"src_ip": address(told_of.get("ip")), "credential_uid": told_of.get("key")}


def _accepted(match: re.Match[str]) -> Fields:
    ca = match["ca"]
    return {
        "operation": f"Accepted {match['method']}", "status": "success", **_user(match), **_from(match),
        "request": compact({"method": match["method"], "port": match["port"], "key_type": match["type"]}),
        "detail": compact({"certificate_authority": ca, "certificate": match["cert"]}),
    }  # fmt: skip


def _failed(match: re.Match[str]) -> Fields:
    reason = "invalid user" if match["invalid"] else "refused"
    return {
        "operation": f"Failed {match['method']}", "status": "failure", "error": reason, **_user(match), **_from(match),
        "request": compact({"method": match["method"], "port": match["port"], "key_type": match["type"]}),
    }  # fmt: skip


def _revoked(match: re.Match[str]) -> Fields:
    return {
        "operation": "revoked key refused", "status": "failure", "error": "key revoked", "actor_type": "unknown",
        "credential_uid": match["key"], "request": {"key_type": match["type"], "revoked_by": match["file"]},
    }  # fmt: skip


def _plain(operation: str, status: str | None = None, error: str | None = None) -> _Tell:
    """A message that names a user, an address or both, and nothing else of interest."""

    def tell(match: re.Match[str]) -> Fields:
        user = _user(match) if match.groupdict().get("user") else {"actor_type": "unknown"}
        return {"operation": operation, "status": status, "error": error, **user, **_from(match)}

    return tell


def _host(operation: str) -> _Tell:
    def tell(match: re.Match[str]) -> Fields:
        return {**_plain(operation)(match), "event_class": "host"}

    return tell


def _sudo(match: re.Match[str]) -> Fields:
    parts = dict(part.partition("=")[::2] for part in re.split(r" ; (?=[A-Z_]+=)", match["rest"]) if "=" in part)
    refused = told(match["refused"])
    return {
        "operation": "sudo", "event_class": "host", "access": "write", **_user(match),
        "status": "failure" if refused else "success", "error": refused,
        "target_uid": told(parts.get("USER")), "target_type": "user",
        "request": compact({"command": parts.get("COMMAND"), "cwd": parts.get("PWD"), "tty": parts.get("TTY")}),
    }  # fmt: skip


def _su(match: re.Match[str]) -> Fields:
    failed = bool(match["failed"])
    return {
        "operation": "su", "event_class": "host", "access": "write", **_user(match),
        "status": "failure" if failed else "success", "error": "refused" if failed else None,
        "target_uid": match["target"], "target_type": "user",
    }  # fmt: skip


def _account(operation: str, kind: str = "user") -> _Tell:
    """A change of the host's accounts; who made it the message does not say."""

    def tell(match: re.Match[str]) -> Fields:
        more = {name: value for name, value in match.groupdict().items() if name != "target"}
        return {
            "operation": operation, "event_class": "host", "access": "write", "actor_type": "unknown",
            "status": "success", "target_uid": match["target"], "target_type": kind, "request": compact(more),
        }  # fmt: skip

    return tell


def _session(match: re.Match[str]) -> Fields:
    opened = match["what"] == "opened"
    by = told(match.groupdict().get("by"))
    user = match["user"]
    service, actor = match["service"], by if opened and by else user
    return {
        "operation": f"session {match['what']}", "event_class": "signin" if service in _REMOTE else "host",
        "status": "success" if opened else None, "actor_uid": actor, "actor_name": actor, "actor_type": _kind(actor),
        "target_uid": user, "target_type": "user", "detail": {"pam": service},
    }  # fmt: skip


def _cron(match: re.Match[str]) -> Fields:
    return {
        "operation": "cron", "event_class": "host", **_user(match), "request": {"command": match["command"]},
    }  # fmt: skip


_REMOTE = frozenset({"sshd", "login", "gdm-password", "lightdm"})
_USER = r"(?P<user>.*)"
"""Up to the last place that fits: who has no account may choose any name, ``x from 192.0.2.1 port 1``, too."""
_NUMBERS = r"UID=(?P<uid>\d+), GID=(?P<gid>\d+)"
_PAM_USER = r"(?P<user>[^\s(]+)(?:\(uid=\d+\))?(?: by (?P<by>[^\s(]*)(?:\(uid=\d+\))?)?"
_PEER = r"(?P<ip>\S+) port (?P<port>\d+)"
_KEY = r"(?P<type>[A-Z0-9-]+) (?P<key>(?:SHA256|MD5):\S+)"
_CERT = r"(?P<cert>ID .*? \(serial \d+\)) CA \S+ (?P<ca>(?:SHA256|MD5):\S+)"
_SSHD: tuple[tuple[re.Pattern[str], _Tell], ...] = tuple(
    (re.compile(form, re.DOTALL), tell)
    for form, tell in (
        (
            rf"Accepted (?!key )(?P<method>\S+) for {_USER} from {_PEER}(?: ssh\d?)?(?:: {_KEY}(?: {_CERT})?)?",
            _accepted,
        ),
        (
            rf"Failed (?P<method>\S+) for (?P<invalid>invalid user )?{_USER} from {_PEER}(?: ssh\d?)?(?:: {_KEY})?",
            _failed,
        ),
        (rf"(?:error: )?Authentication key {_KEY} revoked by file (?P<file>.*)", _revoked),
        (rf"Invalid user (?P<user>.*) from {_PEER}", _plain("Invalid user", "failure", "invalid user")),
        (
            rf"(?:error: )?maximum authentication attempts exceeded for (?:invalid user )?(?P<user>.*) from {_PEER}",
            _plain("too many attempts", "failure", "too many attempts"),
        ),
        (r"User (?P<user>\S+) from (?P<ip>\S+) not allowed because", _plain("refused", "failure", "not allowed")),
        (r"User (?P<user>\S+) not allowed because", _plain("refused", "failure", "not allowed")),
        (
            rf"Starting session: .* for (?P<user>\S+) from {_PEER}",
            _host("Starting session"),
        ),
        (rf"Postponed (?P<method>\S+) for (?:invalid user )?(?P<user>.*) from {_PEER}", _host("Postponed")),
        (rf"Accepted key {_KEY} found at", _host("Accepted key")),
        (r"Accepted certificate .* \S+ (?P<key>SHA256:\S+)", _host("Accepted certificate")),
        (rf"Connection from {_PEER}", _host("Connection from")),
        (
            rf"(?:Connection \w+ by|Disconnected from) (?:authenticating |invalid )?(?:user {_USER} )?{_PEER}",
            _host("Disconnected"),
        ),
        (rf"Received disconnect from {_PEER}", _host("Disconnected")),
        (rf"Did not receive identification string from {_PEER}", _host("Disconnected")),
    )
)
_ACCOUNTS: tuple[tuple[re.Pattern[str], _Tell], ...] = tuple(
    (re.compile(form), tell)
    for form, tell in (
        (
            rf"new user: name=(?P<target>[^,]+), {_NUMBERS}, home=(?P<home>[^,]*), shell=(?P<shell>[^,]*)",
            _account("new user"),
        ),
        (r"new group: name=(?P<target>[^,]+), GID=(?P<gid>\d+)", _account("new group", "group")),
        (r"add '(?P<target>[^']+)' to (?:shadow )?group '(?P<group>[^']+)'", _account("add to group")),
        (r"delete '(?P<target>[^']+)' from (?:shadow )?group '(?P<group>[^']+)'", _account("delete from group")),
        (r"delete user '(?P<target>[^']+)'", _account("delete user")),
        (r"removed (?:shadow )?group '(?P<target>[^']+)'", _account("delete group", "group")),
        (r"change user '(?P<target>[^']+)' (?P<change>\w+)", _account("change user")),
        (r"(?:lock|unlock) user '(?P<target>[^']+)' password", _account("lock or unlock user")),
        (r"password (?:for '?)?.*changed (?:for|by) '?(?P<target>[\w.-]+)'?", _account("password changed")),
    )
)
_SUDO = (
    re.compile(r" *(?P<user>\S+) : (?:(?P<refused>[^;=]+?) ; )?(?P<rest>[A-Z_]+=.*)", re.DOTALL),
    _sudo,
)
_SU = (
    (re.compile(r"(?P<failed>FAILED SU )?\(to (?P<target>\S+)\) (?P<user>\S+) on"), _su),
    (re.compile(r"(?:Successful|(?P<failed>FAILED)) su for (?P<target>\S+) by (?P<user>\S+)"), _su),
)
_FORMS: Mapping[str, tuple[tuple[re.Pattern[str], _Tell], ...]] = {
    "sshd": _SSHD,
    "sudo": (_SUDO,),
    "su": _SU,
    "useradd": _ACCOUNTS,
    "systemd-logind": (
        (re.compile(r"New session \S+ of user (?P<user>[\w.@-]+)"), _host("New session")),
    ),
    "cron": ((re.compile(r"\((?P<user>[^)]+)\) CMD \((?P<command>.*)\)", re.DOTALL), _cron),),
}  # fmt: skip
_ALIASES = {
    "sshd-session": "sshd", "sshd-auth": "sshd", "usermod": "useradd", "userdel": "useradd", "groupadd": "useradd",
    "groupdel": "useradd", "groupmod": "useradd", "gpasswd": "useradd", "passwd": "useradd", "chpasswd": "useradd",
    "crond": "cron",
}  # fmt: skip
_PAM: tuple[tuple[re.Pattern[str], _Tell], ...] = tuple(
    (re.compile(form), tell)
    for form, tell in (
        (
            rf"pam_unix\((?P<service>[\w-]+):session\): session (?P<what>opened|closed) for user {_PAM_USER}",
            _session,
        ),
        (
            r"pam_\w+\([\w-]+:auth\): authentication failure;.* rhost=(?P<ip>\S*)(?:\s+user=(?P<user>\S+))?",
            _plain("authentication failure", "failure", "refused"),
        ),
        (r"pam_unix\([\w-]+:chauthtok\): password changed for (?P<target>\S+)", _account("password changed")),
    )
)
