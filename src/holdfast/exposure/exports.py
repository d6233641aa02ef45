"""Naming a hit within an export: which channel, message, issue or step it is in.

Slack exports, Matrix exports of Element, issues of Jira (JSON and XML), tickets of Request Tracker, logs of GitHub
Actions, dumps of pastes.

Rules:
1. Content decides, not the name of the file; a name only helps where the format has it in the name (a Slack channel).
2. A document is parsed only because something was found in it, up to a limit in size and in depth. What cannot be
   parsed is a file like any other: naming is a help, and never decides what was found.
3. Instants are told as RFC 3339 in UTC.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.exposure.containers import Looks, looks
from holdfast.exposure.mail import told

LARGEST = 64 << 20
"""Bytes of a document that is parsed."""
_DEEPEST = 200
_SHOWN = 200
_DAY = re.compile(r"(?:^|/)([^/]+)/\d{4}-\d\d-\d\d\.json$")
_STEP = re.compile(r"(?:^|/)(?:(?P<job>[^/]+)/)?(?P<number>\d+)_(?P<step>[^/]+)\.txt$")
_TICKET = re.compile(r"(?:^|/)(?:ticket[-_/])?(\d+)(?:[-_/]history)?\.json$")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?$")
_LINE_TIME = re.compile(rb"(?:\xef\xbb\xbf)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ")
_GROUP = re.compile(rb"##\[group\](.{1,200})")
_BRACES = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
_XML_ENTITY = re.compile(rb"<(Issue|Comment|Action|item)\b([^>]{0,4096})", re.IGNORECASE)
_XML_FIELD = re.compile(rb'([A-Za-z]+)\s*=\s*"([^"]{0,400})"')
_XML_KEY = re.compile(rb"<key[^>]*>([^<]{1,80})</key>")
_XML_SUMMARY = re.compile(rb"<summary>([^<]{1,300})</summary>")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What a hit in an export is in."""

    kind: str
    """``message``, ``issue``, ``mail``, ``ci-log``, ``paste``."""
    about: Pairs


def names_of_people(document: bytes) -> dict[str, str]:
    """Names by the ids of a Slack export's ``users.json``; empty where it is none."""
    people = _parsed(document) if len(document) <= LARGEST else None
    if not isinstance(people, list):
        return {}
    found: dict[str, str] = {}
    for one in people:
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            profile = one.get("profile")
            inner = profile if isinstance(profile, dict) else {}
            name = inner.get("real_name") or one.get("real_name") or one.get("name")
            if isinstance(name, str):
                found[one["id"]] = name[:_SHOWN]
    return found


class Export:
    """A document in which something was found."""

    def __init__(self, document: bytes, name: str, people: Mapping[str, str], places: Iterable[int]) -> None:
        """Look at it once for all hits.

        Args:
            document: all of it.
            name: path of the document within its export, which names a channel or a step.
            people: from :func:`names_of_people`.
            places: bytes of the hits that will be asked for.
        """
        self._document, self._name, self._people = document, name, people
        self._kind = looks(document[:512])
        whole = self._kind == "json" and len(document) <= LARGEST
        self._around = _enclosing(document, sorted(set(places))) if whole else {}
        self._values: dict[tuple[int, int], object] = {}

    def named(self, at: int) -> Named | None:
        """What is at one of the places; none where it is no export that is known here."""
        if self._kind == "log" or (self._kind == "" and _STEP.search(self._name)):
            return _log(self._document, at, self._name)
        if self._kind == "xml":
            return _xml(self._document, at)
        return self._json(at) if self._kind == "json" else None

    def _json(self, at: int) -> Named | None:
        line = _one_line(self._document, at)
        chain = [line] if line is not None else [self._value(*one) for one in self._around.get(at, ())]
        objects = [one for one in chain if isinstance(one, dict)]
        for number, value in enumerate(objects):
            around = Around(value, objects[number + 1 :], self._name, self._people)
            for reader in (_slack, _matrix, _jira, _ticket):
                if (found := reader(around)) is not None:
                    return found
        return next((found for value in objects if (found := _paste(value)) is not None), None)

    def _value(self, start: int, end: int) -> object:
        if (start, end) not in self._values:
            self._values[start, end] = _parsed(self._document[start:end])
        return self._values[start, end]


def worth_parsing(guess: Looks, name: str) -> bool:
    """Whether a hit in such a member may be named better."""
    return guess in {"json", "xml", "log"} or _STEP.search(name) is not None


def is_day_of_channel(name: str) -> bool:
    """Whether a path is one of a Slack export's days."""
    return _DAY.search(name) is not None


@dataclass(frozen=True, slots=True)
class Around:
    """An object around a hit, and those around that, innermost first."""

    value: Mapping[str, Any]
    outer: Sequence[Mapping[str, Any]]
    name: str
    people: Mapping[str, str]


def _one_line(document: bytes, at: int) -> Mapping[str, Any] | None:
    """The record of JSON lines that a place is in; none where lines are no records."""
    start, end = document.rfind(b"\n", 0, at) + 1, document.find(b"\n", at)
    line = document[start : end if end >= 0 else len(document)].strip()
    alone = not document[:start].strip() and (end < 0 or not document[end : end + 64].strip())
    if alone or not line.startswith(b"{") or not line.endswith(b"}"):
        return None
    value = _parsed(line)
    return value if isinstance(value, dict) else None


def _enclosing(document: bytes, places: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """Stretches of the objects and lists around each place, innermost first."""
    around: dict[int, list[tuple[int, int]]] = {place: [] for place in places}
    open_at: list[int] = []
    for at in _marks(document):
        if document[at] in b"{[":
            open_at.append(at)
            if len(open_at) > _DEEPEST:
                return around
        elif open_at:
            start = open_at.pop()
            for number in range(bisect_left(places, start), bisect_right(places, at)):
                around[places[number]].append((start, at + 1))
            if not open_at:
                return around
    return around


def _marks(document: bytes) -> Iterator[int]:
    """Places of the brackets that are not within texts."""
    text = False
    for mark in _BRACES.finditer(document):
        sign = mark[0]
        if sign == b'"':
            text = not text
        elif not text and len(sign) == 1:
            yield mark.start()


def _slack(around: Around) -> Named | None:
    value = around.value
    when = value.get("ts")
    if not isinstance(when, str) or not ("user" in value or "bot_id" in value or value.get("type") == "message"):
        return None
    channel = _DAY.search(around.name)
    who = value.get("user") or value.get("bot_id") or ""
    profile = value.get("user_profile")
    shown = around.people.get(who, "") if isinstance(who, str) else ""
    shown = shown or _get(profile, "real_name") or _get(value, "username") or str(who)
    return _told("message", channel=channel[1] if channel else "", author=shown, sent=_epoch(when), message=when)


def _matrix(around: Around) -> Named | None:
    value = around.value
    if not isinstance(value.get("origin_server_ts"), int) or "sender" not in value:
        return None
    room = next((one for one in around.outer if "messages" in one), {})
    return _told(
        "message",
        channel=_get(room, "room_name") or _get(value, "room_id"),
        author=_get(value, "sender"),
        sent=_epoch(value["origin_server_ts"] // 1000),
        message=_get(value, "event_id"),
    )


def _jira(around: Around) -> Named | None:
    objects = [around.value, *around.outer]
    issue = next((one for one in objects if isinstance(one.get("fields"), dict) and "key" in one), None)
    if issue is None:
        return None
    fields = issue["fields"]
    comment = next((one for one in objects if "author" in one and "body" in one), None)
    writer = (comment or {}).get("author") or fields.get("reporter") or fields.get("creator")
    when = _get(comment, "created") or _get(fields, "created")
    return _told(
        "issue",
        issue=_get(issue, "key"),
        subject=_get(fields, "summary"),
        author=_get(writer, "displayName") or _get(writer, "name"),
        sent=_instant(when),
        part="comment" if comment is not None else "",
    )


def _ticket(around: Around) -> Named | None:
    objects = [around.value, *around.outer]
    found = next((one for one in objects if one.get("type") in {"ticket", "transaction"} or "Subject" in one), None)
    if found is None or not ({"Created", "Creator", "Subject", "_url", "id"} & set(found)):
        return None
    ticket = found.get("Object") if found.get("type") == "transaction" else found
    number = _get(ticket, "id") or (matched[1] if (matched := _TICKET.search(around.name)) else "")
    by = found.get("Creator")
    return _told(
        "issue",
        issue=number,
        subject=_get(found, "Subject"),
        author=_get(by, "id") or (by if isinstance(by, str) else ""),
        sent=_instant(_get(found, "Created")),
    )


def _paste(value: Mapping[str, Any]) -> Named | None:
    key = next((value[one] for one in ("paste_key", "key", "slug", "paste_id", "id") if one in value), None)
    body = next((one for one in ("content", "body", "text", "code", "raw", "files") if one in value), None)
    if not isinstance(key, str | int) or body is None:
        return None
    when = next((value[one] for one in ("date", "created", "created_at", "timestamp", "pub_date") if one in value), "")
    who = next((value[one] for one in ("user", "author", "username") if isinstance(value.get(one), str)), "")
    sent = _epoch(when) if not isinstance(when, str) or when.isdigit() else _instant(when)
    return _told("paste", paste=str(key), subject=_get(value, "title"), author=who, sent=sent)


# -- others


def _xml(document: bytes, at: int) -> Named | None:
    """Jira's XML: of its backups (entities with attributes), and of single issues (an RSS with items)."""
    start = max(0, at - LARGEST)
    before = deque(_XML_ENTITY.finditer(document, start, min(len(document), at + 4096)), maxlen=64)
    last = next((one for one in reversed(before) if one.start() <= at), None)
    if last is None:
        return None
    if last[1].lower() == b"item":
        end = document.find(b"</item>", at)
        area = document[last.start() : end if end >= 0 else at + 4096]
        key, summary = _XML_KEY.search(area), _XML_SUMMARY.search(area)
        return _told("issue", issue=_plain(key), subject=_plain(summary)) if key else None
    fields = {one[1].decode(): one[2].decode("utf-8", "replace") for one in _XML_FIELD.finditer(last[2])}
    number = fields.get("key") or fields.get("issue") or fields.get("number") or fields.get("id") or ""
    return _told(
        "issue",
        issue=number,
        subject=fields.get("summary", ""),
        author=fields.get("author") or fields.get("creator") or fields.get("reporter") or "",
        sent=_instant(fields.get("created", "")),
    )


def _log(document: bytes, at: int, name: str) -> Named | None:
    """Logs of GitHub Actions: an instant before each line, the step in the name or in a group."""
    start = document.rfind(b"\n", 0, at) + 1
    when = _LINE_TIME.match(document, start)
    step = _STEP.search(name)
    group = document.rfind(b"##[group]", 0, at)
    within = _GROUP.match(document, group) if group >= 0 else None
    if when is None and step is None:
        return None
    return _told(
        "ci-log",
        job=(step["job"] or "") if step else "",
        step=step["step"] if step else _plain(within),
        sent=f"{when[1].decode()}Z" if when else "",
    )


def _told(kind: str, **pairs: str) -> Named:
    return Named(kind, tuple((name, value[:_SHOWN]) for name, value in pairs.items() if value))


def _plain(match: re.Match[bytes] | None) -> str:
    return match[1].decode("utf-8", "replace").strip() if match else ""


def _get(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else str(found) if isinstance(found, int) else ""


def _parsed(data: bytes) -> object:
    """A JSON value; none where it is not one, or one that is made to exhaust whoever parses it."""
    if _depth(data) > _DEEPEST:
        return None
    try:
        parsed: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return parsed


def _depth(data: bytes) -> int:
    """Brackets that are open at once, at most; those within texts are counted, too, which errs on the safe side."""
    deepest = depth = 0
    for sign in _brackets(data):
        depth += 1 if sign in b"[{" else -1
        deepest = max(deepest, depth)
        if deepest > _DEEPEST:
            break
    return deepest


def _brackets(data: bytes) -> Iterator[bytes]:
    for match in re.finditer(rb"[\[\]{}]", data):
        yield match[0]


def _epoch(value: object) -> str:
    """Seconds since 1970 as an instant."""
    try:
        return told(datetime.fromtimestamp(int(float(str(value))), UTC))
    except (ValueError, OverflowError, OSError):
        return ""


def _instant(text: str) -> str:
    """An instant in another spelling of ISO 8601; as it stands where it is none."""
    match = _INSTANT.match(text.strip())
    if match is None:
        return text[:_SHOWN]
    zone = (match[3] or "Z").replace("Z", "+00:00")
    try:
        return told(datetime.fromisoformat(f"{match[1]}T{match[2]}{zone[:3]}:{zone[-2:]}"))
    except (ValueError, OverflowError):
        return text[:_SHOWN]
