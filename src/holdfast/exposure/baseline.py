"""What is known and what is allowed: files that keep a check from telling the same again, for a reason, until a day.

A baseline lists what was there when the check began; an allow list says what is no secret, or is meant to be there.

Rules:
1. An entry names a value by its keyed fingerprint, never by the value. The file says under which key (by a mark of
   it): under another one fingerprints cannot be compared, and that is told, not passed over.
2. An allowance has a reason. One that has run out allows nothing more, and is told.
3. A rule is allowed for paths only, by a glob; ``*`` stands for any characters, ``/`` too.
4. A known value at another path is new.
5. Within a file ``holdfast:allow REASON`` allows what stands on the same line.
6. A value that leaked before is allowed by nothing.
"""

from __future__ import annotations

import hmac
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import format_instant, parse_instant

_INLINE = re.compile(rb"holdfast:allow[ \t]+(?P<reason>[^\r\n]*[A-Za-z0-9][^\r\n]*)")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BASELINE_HEADER = "# What holdfast exposure check knows already; made by --write-baseline. No secret is in here.\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is known or allowed."""

    fingerprint: str = ""
    rule: str = ""
    path: str = ""
    """Of a baseline the very path, of an allowance a glob; empty for every path."""
    note: str = ""
    """Of an allowance its reason."""
    expires: datetime | None = None

    def told(self) -> str:
        """What it is about, in words."""
        about = " ".join(one for one in (self.rule, self.fingerprint and f"fp:{self.fingerprint}", self.path) if one)
        return f"{about} ({self.note})" if self.note else about

    def live(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was there before."""

    key_mark: str
    entries: tuple[Entry, ...] = ()
    _places: frozenset[tuple[str, str, str]] = field(default=frozenset(), repr=False)

    def known(self, rule: str, fingerprint: str, path: str) -> bool:
        """Whether it is in the baseline."""
        return (rule, fingerprint, path) in self._places

    def text(self) -> str:
        """The file: TOML."""
        rows = [f"{_BASELINE_HEADER}schema = 1\nkey = {json.dumps(self.key_mark)}\n"]
        rows += [f"[[known]]\n{_fields(one, 'note')}" for one in self.entries]
        return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may be there."""

    entries: tuple[Entry, ...] = ()

    def reason(self, rule: str, fingerprint: str, path: str) -> str | None:
        """Why it is allowed, or none."""
        for one in self.entries:
            named = one.fingerprint == fingerprint if one.fingerprint else True
            ruled = one.rule == rule if one.rule else True
            if named and ruled and (not one.path or fnmatchcase(path, one.path)):
                return one.note
        return None


@dataclass(frozen=True, slots=True)
class Read:
    """A file, without what has run out."""

    baseline: Baseline | None = None
    allowed: AllowList = AllowList()
    expired: tuple[str, ...] = ()
    """Entries that count no more, in words."""


def key_mark(key: bytes) -> str:
    """What names a fingerprint key without telling it."""
    return hmac.digest(key, b"holdfast exposure baseline", "sha256").hex()[:16]


def baseline_of(found: Iterable[Entry], key: bytes) -> Baseline:
    """A baseline of what was found, each once, in order."""
    entries = {(one.path, one.rule, one.fingerprint): one for one in found}
    return _baseline(key_mark(key), [entries[place] for place in sorted(entries)])


def read_baseline(text: str, key: bytes, now: datetime) -> Read:
    """Read a baseline.

    Raises:
        BadInputError: it cannot be used, or was made under another key.
    """
    try:
        document = tomllib.loads(text)
        entries = [_entry(row, "note") for row in document.get("known", ())]
        mark = document["key"]
        _sound(document, all(one.fingerprint and one.rule for one in entries))
    except (KeyError, TypeError, ValueError, AttributeError, BadInputError) as error:
        raise BadInputError(
            "baseline-invalid",
            "Nothing was checked.",
            why=f"The baseline cannot be used: {type(error).__name__}: {str(error)[:100]}.",
            next_step="Make it anew: holdfast exposure check PATH --rules --write-baseline FILE",
        ) from None
    _same_key(mark, key, "baseline")
    return Read(
        baseline=_baseline(mark, [one for one in entries if one.live(now)]),
        expired=tuple(one.told() for one in entries if not one.live(now)),
    )


def read_allow_list(text: str, key: bytes, now: datetime) -> Read:
    """Read an allow list.

    Raises:
        BadInputError: it cannot be used (an entry without reason, without a fingerprint or a path), or its
            fingerprints are of another key.
    """
    try:
        document = tomllib.loads(text)
        entries = [_entry(row, "reason") for row in document.get("allow", ())]
        _sound(document, all(one.note.strip() and (one.fingerprint or (one.rule and one.path)) for one in entries))
    except (KeyError, TypeError, ValueError, AttributeError, BadInputError) as error:
        raise BadInputError(
            "allow-list-invalid",
            "Nothing was checked.",
            why=f"The allow list cannot be used: {type(error).__name__}: {str(error)[:100]}.",
            next_step="Correct it: an entry [[allow]] has a fingerprint, or a rule and a path, and a reason.",
        ) from None
    if any(one.fingerprint for one in entries):
        _same_key(str(document.get("key", "")), key, "allow list")
    return Read(
        allowed=AllowList(tuple(one for one in entries if one.live(now))),
        expired=tuple(one.told() for one in entries if not one.live(now)),
    )


def inline_reason(line: bytes) -> str | None:
    """The reason that a line gives for what stands on it."""
    match = _INLINE.search(line)
    return None if match is None else match["reason"].decode("utf-8", "replace").strip()


def _baseline(mark: str, entries: Sequence[Entry]) -> Baseline:
    return Baseline(mark, tuple(entries), frozenset((one.rule, one.fingerprint, one.path) for one in entries))


def _entry(row: Mapping[str, Any], note: str) -> Entry:
    fingerprint, expires = str(row.get("fingerprint", "")), row.get("expires")
    unknown = set(row) - {"fingerprint", "rule", "path", note, "expires"}
    if unknown or (fingerprint and not _FINGERPRINT.fullmatch(fingerprint)):
        msg = f"an entry has an unknown field or fingerprint: {sorted(unknown)}"
        raise ValueError(msg)
    texts = {name: str(row.get(name, "")) for name in ("rule", "path")}
    return Entry(fingerprint=fingerprint, note=str(row.get(note, "")), expires=_instant(expires), **texts)


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    text = str(value)
    return parse_instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)


def _sound(document: Mapping[str, Any], entries: object) -> None:
    if document.get("schema") != 1 or not entries:
        msg = "another schema, or an entry without what it needs"
        raise ValueError(msg)


def _same_key(mark: str, key: bytes, what: str) -> None:
    if not hmac.compare_digest(mark.encode(), key_mark(key).encode()):
        raise BadInputError(
            "fingerprints-of-another-key",
            "Nothing was checked.",
            why=f"The fingerprints of the {what} were made under another key, so they cannot be compared.",
            next_step="Use that key, which a team shares as a private file: holdfast exposure check --fingerprint-key "
            "FILE",
        )


def _fields(entry: Entry, note: str) -> str:
    rows = [("fingerprint", entry.fingerprint), ("rule", entry.rule), ("path", entry.path), (note, entry.note)]
    if entry.expires is not None:
        rows.append(("expires", format_instant(entry.expires)))
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in rows if value)
