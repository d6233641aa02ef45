"""Capture manifests: what a folder or a command looked like when it was captured, in canonical JSON.

Rules:
1. A manifest names every entry it met. What could not be read is named with the reason, and makes the capture
   incomplete; a symbolic link is recorded with its target and not followed, which does not.
2. Paths are relative, with ``/``. Bytes that are no UTF-8 are shown as U+FFFD, and the exact bytes stand beside
   in hexadecimal (``path_hex``, ``target_hex``).
3. Nanosecond times are decimal text (they need more than 53 bits), modes are octal text.
4. Arguments of a command are redacted before they get here; of the environment, all names but only values of
   the allow-list are kept.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from holdfast.evidence.events import SHORTFALLS, Shortfall
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import format_instant

FOLDER = "holdfast-folder-1"
COMMAND = "holdfast-command-1"
ENVIRONMENT_VALUES = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TZ", "USER")
"""Environment variables whose values say how a command ran and hold no secret; of all others only the name stays."""
REDACTED = "[redacted]"
_TELLING = r"[A-Za-z0-9_.-]*(?:passw|pwd|secret|token|api-?key|access-?key|private-?key|credential|auth)[A-Za-z0-9_.-]*"
_ASSIGNED = re.compile(rf"(-{{0,2}}{_TELLING})=.", re.IGNORECASE | re.DOTALL)
"""``--token=X`` or ``TOKEN=X``."""
_OPTION = re.compile(rf"--?{_TELLING}", re.IGNORECASE)
"""``--token``, whose value is the next argument."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Member:
    """An object a manifest names."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One entry of a folder."""

    path: bytes
    """Relative, with ``/``."""
    mode: int
    """As ``stat`` gives it, type included; 0 when it could not be asked."""
    mtime_ns: int
    member: Member | None = None
    """The file's bytes; none for a symbolic link, or when they could not be read."""
    target: bytes | None = None
    """Of a symbolic link."""
    shortfall: Shortfall | None = None
    """Why the entry is missing or not as it was; with a member, the bytes kept are those that were read."""


@dataclass(frozen=True, slots=True)
class Span:
    """When, and by which program, something was captured."""

    started: datetime
    ended: datetime
    collector: str
    collector_version: str


@dataclass(frozen=True, slots=True)
class CommandRun:
    """How a command ran."""

    arguments: Sequence[str]
    """Redacted."""
    redacted: int
    """How many arguments were."""
    working_folder: str
    environment: Mapping[str, str]
    """As the command got it; :func:`command_manifest` keeps the values of the allow-list only."""
    exit_status: int | None
    """None when a signal ended it."""
    signal: str | None
    stdout: Member
    stderr: Member
    shortfalls: tuple[Shortfall, ...]


def folder_manifest(root: str, entries: Iterable[FolderEntry], span: Span) -> dict[str, Any]:
    """The manifest of a folder, entries in order of their path's bytes. ``root`` is what the folder was called."""
    ordered = sorted(entries, key=lambda entry: entry.path)
    members = [entry.member for entry in ordered if entry.member is not None]
    shortfalls = _in_order(entry.shortfall for entry in ordered if entry.shortfall is not None)
    return {
        "manifest": FOLDER,
        "root": _text(root),
        **_span(span),
        "complete": not shortfalls,
        "shortfalls": shortfalls,
        "files": len(members),
        "bytes": sum(member.size for member in members),
        "entries": [_entry(entry) for entry in ordered],
    }


def command_manifest(run: CommandRun, span: Span) -> dict[str, Any]:
    """The manifest of a command's output."""
    shortfalls = _in_order(run.shortfalls)
    names = sorted(_text(name) for name in run.environment)
    values = {name: _text(run.environment[name]) for name in ENVIRONMENT_VALUES if name in run.environment}
    return {
        "manifest": COMMAND,
        **_span(span),
        "complete": not shortfalls,
        "shortfalls": shortfalls,
        "arguments": [_text(argument) for argument in run.arguments],
        "arguments_redacted": run.redacted,
        "working_folder": _text(run.working_folder),
        "environment": {"names": names, "values": values},
        "exit_status": run.exit_status,
        "signal": run.signal,
        "stdout": {"sha256": run.stdout.sha256, "size": run.stdout.size},
        "stderr": {"sha256": run.stderr.sha256, "size": run.stderr.size},
    }


def redacted_arguments(arguments: Sequence[str], redact: Callable[[str], str]) -> tuple[tuple[str, ...], int]:
    """Arguments without secrets, and how many were changed.

    ``redact`` finds secrets by their looks. A password has none, so the value of an option or assignment named
    after a secret (``--db-password X``, ``--token=X``, ``TOKEN=X``) goes as well. A password glued to a one-letter
    option (``-pX``) cannot be told from other options and stays.
    """
    clean: list[str] = []
    follows = False
    for argument in arguments:
        assigned = _ASSIGNED.match(argument)
        if follows and not argument.startswith("-"):
            clean.append(REDACTED)
        elif assigned is not None:
            clean.append(f"{assigned[1]}={REDACTED}")
        else:
            clean.append(redact(argument))
        follows = _OPTION.fullmatch(argument) is not None
    changed = sum(old != new for old, new in zip(arguments, clean, strict=True))
    return tuple(clean), changed


def parse(raw: bytes) -> Mapping[str, Any]:
    """The manifest from its bytes.

    Raises:
        BadInputError: not a JSON object.
    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise _unfit() from None
    if not isinstance(document, dict):
        raise _unfit()
    return document


def objects(sha256: str, manifest: str | None, document: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Digests of everything an item consists of, sorted: its bytes, its manifest, and what that names."""
    found = {sha256}
    if manifest is not None:
        found.add(manifest)
    if document is not None:
        found.update(member.sha256 for member in members(document))
    return tuple(sorted(found))


def members(document: Mapping[str, Any]) -> tuple[Member, ...]:
    """Every object a manifest names, each once, in order of digest.

    Raises:
        BadInputError: not a manifest this version understands.
    """
    try:
        if document["manifest"] == FOLDER:
            named = [entry for entry in document["entries"] if entry["type"] == "file" and "sha256" in entry]
        elif document["manifest"] == COMMAND:
            named = [document["stdout"], document["stderr"]]
        else:
            raise _unfit()
        found = {_member(one) for one in named}
    except (KeyError, TypeError, AttributeError):
        raise _unfit() from None
    return tuple(sorted(found, key=lambda member: (member.sha256, member.size)))


def shortfalls(document: Mapping[str, Any]) -> tuple[Shortfall, ...]:
    """Why the capture a manifest describes is incomplete, derived from its entries; empty when it is complete.

    Raises:
        BadInputError: not a manifest this version understands.
    """
    try:
        found = set(document["shortfalls"])
        found |= {entry["shortfall"] for entry in document.get("entries", ()) if entry["shortfall"] is not None}
        known = found <= set(SHORTFALLS) and bool(found) != document["complete"]
    except (KeyError, TypeError, AttributeError):
        raise _unfit() from None
    if not known:
        raise _unfit()
    return tuple(code for code in SHORTFALLS if code in found)


def _unfit() -> BadInputError:
    return BadInputError(
        "manifest-not-understood",
        "The capture manifest was not accepted.",
        why="It is not a folder or command manifest of a format this version knows.",
        next_step="Capture it again with the holdfast command of this version.",
    )


def _member(value: Mapping[str, Any]) -> Member:
    sha256, size = value["sha256"], value["size"]
    fit = isinstance(sha256, str) and _DIGEST.fullmatch(sha256) and type(size) is int and size >= 0
    if not fit:
        raise _unfit()
    return Member(sha256, cast("int", size))


def _entry(entry: FolderEntry) -> dict[str, Any]:
    kind = "file"
    if entry.target is not None:
        kind = "symlink"
    elif entry.member is None:
        kind = "folder" if stat.S_ISDIR(entry.mode) and entry.shortfall is None else "unread"
    found: dict[str, Any] = {
        **_path("path", entry.path),
        "type": kind,
        "mode": f"{entry.mode & 0o7777:04o}",
        "mtime_ns": str(entry.mtime_ns),
        "shortfall": entry.shortfall,
    }
    if entry.target is not None:
        found |= _path("target", entry.target)
    if entry.member is not None:
        found |= {"sha256": entry.member.sha256, "size": entry.member.size}
    return found


def _path(key: str, raw: bytes) -> dict[str, str]:
    try:
        return {key: raw.decode()}
    except UnicodeDecodeError:
        return {key: raw.decode(errors="replace"), f"{key}_hex": raw.hex()}


def _span(span: Span) -> dict[str, str]:
    return {
        "started": format_instant(span.started),
        "ended": format_instant(span.ended),
        "collector": span.collector,
        "collector_version": span.collector_version,
    }


def _text(raw: str) -> str:
    """Text a record may hold: lone surrogates, as undecodable arguments have them, become U+FFFD."""
    return raw if _is_text(raw) else raw.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _is_text(raw: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in raw)


def _in_order(codes: Iterable[Shortfall]) -> list[Shortfall]:
    found = set(codes)
    return [code for code in SHORTFALLS if code in found]
