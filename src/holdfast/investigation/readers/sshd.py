"""System log lines of hosts: sshd, sudo, su, accounts and what else stands in ``auth.log`` or ``messages``.

Rules:
1. Read are RFC 3339 times, the short form of ``journalctl -o short-iso`` and ``-o short-iso-precise``, the traditional
   form without a year, and RFC 5424; each with or without a priority in front.
2. What the messages mean and where a missing year comes from stands in ``_host``.
3. Lines have no id: two equal ones are two events, and the same log delivered twice as two files counts twice.

Not handled here: lines that continue a message of several lines; they are counted as not recognised.
"""

from __future__ import annotations

import re
from typing import Any

from holdfast.investigation.readers._fields import NOT_THIS_SHAPE, told
from holdfast.investigation.readers._host import instant, said
from holdfast.investigation.reading import Fields, Proof, Reader, UnreadableError

_PRIORITY = r"(?:<(?P<priority>\d{1,3})>)?"
_PROGRAM = r"(?P<program>[A-Za-z_][\w./@()-]{0,63}?)(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)"
_HOST = r"(?P<host>[A-Za-z0-9][\w.:-]{0,254})"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_SHORT = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?: \d|\d\d) \d\d:\d\d:\d\d(?:\.\d{1,9})?"
_LINE = re.compile(rf"{_PRIORITY}(?P<time>{_ISO}|{_SHORT}) {_HOST} {_PROGRAM}", re.DOTALL)
_RFC5424 = re.compile(
    rf"<(?P<priority>\d{{1,3}})>1 (?P<time>{_ISO}|-) (?P<host>\S{{1,255}}) "
    r"(?P<program>\S{1,48}) (?P<pid>\S{1,128}) "
    r"\S{1,32} (?:-|\[(?:[^\]\\]|\\.)*\](?:\[(?:[^\]\\]|\\.)*\])*)(?: \ufeff?(?P<message>.*))?",
    re.DOTALL,
)


def _match(line: Any) -> re.Match[str] | None:  # noqa: ANN401 -- a line
    return (_LINE.fullmatch(line) or _RFC5424.fullmatch(line)) if isinstance(line, str) else None


def _recognises(line: Any) -> bool:  # noqa: ANN401 -- a line
    return _match(line) is not None


def _fields_at(line: Any, path: str | None) -> Fields:  # noqa: ANN401 -- a line
    match = _match(line)
    if match is None:
        raise UnreadableError(NOT_THIS_SHAPE)
    message = match["message"] or ""
    own = said(match["program"], message)
    detail = {"message": message, "pid": told(match["pid"]), "priority": match["priority"]}
    return {
        "time_us": None if match["time"] == "-" else instant(match["time"], path),
        "account_uid": told(match["host"]),
        **own,
        "detail": {**(own.get("detail") or {}), **{name: value for name, value in detail.items() if value}},
    }


def _fields(line: Any) -> Fields:  # noqa: ANN401 -- a line
    return _fields_at(line, None)


READER = Reader(
    key="host.syslog",
    title="System log of a host (sshd, sudo, accounts)",
    framing="lines",
    proof=Proof(
        "real_server", "OpenSSH 9.2p1 and shadow 4.13 (Debian 12) in the short forms of journald 252, run by tests/real"
    ),
    recognises=_recognises,
    fields=_fields,
    fields_at=_fields_at,
    event_classes=("signin", "host"),
    priority=120,
)
