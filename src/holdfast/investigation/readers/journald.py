"""The journal of systemd, as ``journalctl -o json`` and ``journalctl -o export`` write it.

Rules:
1. It happened when the sender says (``_SOURCE_REALTIME_TIMESTAMP``); it was delivered when journald took it
   (``__REALTIME_TIMESTAMP``).
2. The program is ``SYSLOG_IDENTIFIER``, or what the kernel says runs (``_COMM``); what its message means stands in
   ``_host``. Who runs it by the kernel's word (``_UID``, ``_AUDIT_LOGINUID``) is in the detail: a message is what a
   program says, and any program may call itself ``sshd``. One of sshd or sudo by a user who is not root is marked.
3. ``__CURSOR`` is the entry's id: the same journal exported twice, in either form, is one.
4. JSON tells a message with bytes that are no text as a list of numbers; it becomes text with replacements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from holdfast.investigation.readers._fields import compact, first, record_of, text, told, when
from holdfast.investigation.readers._host import said
from holdfast.investigation.reading import Fields, Proof, Reader

_BYTE = 256
_ROOTS = frozenset({"sshd", "sshd-session", "sudo", "su", "useradd", "usermod", "userdel", "passwd"})


def _recognises(record: Any) -> bool:  # noqa: ANN401 -- parsed
    return (
        isinstance(record, Mapping)
        and "__REALTIME_TIMESTAMP" in record
        and ("__CURSOR" in record or "MESSAGE" in record or "_BOOT_ID" in record)
    )


def _text(value: object) -> str | None:
    """One text: of a list of bytes their text, of several values the first."""
    if isinstance(value, list) and value:
        if all(isinstance(one, int) and 0 <= one < _BYTE for one in value):
            return bytes(value).decode("utf-8", "replace")
        return _text(value[0])
    return text(value)


def _fields(record: Any) -> Fields:  # noqa: ANN401 -- parsed
    entry = record_of(record)
    message = _text(entry.get("MESSAGE")) or ""
    program = first(_text(entry.get("SYSLOG_IDENTIFIER")), _text(entry.get("_COMM")), _text(entry.get("_EXE"))) or ""
    own = said(program, message)
    taken = _text(entry.get("__REALTIME_TIMESTAMP"))
    uid = told(_text(entry.get("_UID")))
    return {
        "time_us": when(_text(entry.get("_SOURCE_REALTIME_TIMESTAMP")), taken),
        "delivered_us": when(taken),
        "account_uid": first(_text(entry.get("_HOSTNAME")), _text(entry.get("_MACHINE_ID"))),
        **own,
        "detail": {
            **(own.get("detail") or {}),
            **(
                compact(
                    {
                        "message": message,
                        "pid": first(_text(entry.get("_PID")), _text(entry.get("SYSLOG_PID"))),
                        "uid": uid,
                        "login_uid": _text(entry.get("_AUDIT_LOGINUID")),
                        "unit": _text(entry.get("_SYSTEMD_UNIT")),
                        "exe": _text(entry.get("_EXE")),
                        "command_line": _text(entry.get("_CMDLINE")),
                        "priority": _text(entry.get("PRIORITY")),
                        "boot": _text(entry.get("_BOOT_ID")),
                        "machine": _text(entry.get("_MACHINE_ID")),
                        "not_by_root": True if program.lower() in _ROOTS and uid not in (None, "0") else None,
                    }
                )
                or {}
            ),
        },
        "event_uid": _text(entry.get("__CURSOR")),
    }


def _reader(framing: Literal["json", "journal"], key: str, form: str) -> Reader:
    return Reader(
        key=key,
        title=f"systemd journal ({form})",
        framing=framing,
        proof=Proof("real_server", "journald 252 (Debian 12) with OpenSSH 9.2p1 and shadow 4.13, run by tests/real"),
        recognises=_recognises,
        fields=_fields,
        event_classes=("signin", "host"),
    )


READERS = (_reader("json", "host.journald", "journalctl -o json"),
           _reader("journal", "host.journald+export", "journalctl -o export"))  # fmt: skip
