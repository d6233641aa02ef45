"""Mail as it passes by: messages and their parts, whichever way those are encoded.

Reads mailboxes (mbox) and single messages (.eml), line by line and without a library that keeps them whole.

Rules:
1. A line of dashes and a boundary that a header named ends a part; a line that begins with ``From`` and a time ends
   a message.
2. What a header says of a part's encoding holds for that part alone; damaged encodings give what they give.
3. Headers are kept up to a limit; content is not kept.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

LONGEST_HEADERS = 256 << 10
LONGEST_LINE = 64 << 10
MOST_BOUNDARIES = 64
_BREAK = re.compile(rb"^(?:--|From )", re.MULTILINE)
_MBOX = re.compile(rb"From \S*.{0,80}\d\d:\d\d")
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_FILE = re.compile(r'(?:file)?name\*?\s*=\s*(?:"([^"]{1,300})"|([^\s;"]{1,300}))', re.IGNORECASE)
_NOT_BASE64 = bytes(sorted(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")))
_SOFT = re.compile(rb"=[ \t]*\r?\n")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_SHOWN = 200

About = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class MailPart:
    """One part of a message, or its only content."""

    number: int
    name: str
    encoding: str
    about: About


class MailEvent(NamedTuple):
    """What happens next."""

    what: Literal["message", "part", "data", "end"]
    at: int
    """Byte of the mail."""
    part: MailPart | None = None
    data: bytes = b""
    """Decoded."""
    about: About = ()


@dataclass(slots=True)
class _Decoder:
    encoding: str
    held: bytes = b""

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        if self.encoding == "base64":
            text = self.held + data.translate(None, _NOT_BASE64)
            whole = len(text) - len(text) % 4
            self.held = text[whole:]
            out = binascii.a2b_base64(text[:whole])
            if last and len(self.held) > 1:
                out += binascii.a2b_base64(self.held + b"=" * (4 - len(self.held)))
            return out
        text = self.held + data
        cut = len(text)
        if not last and (mark := text.rfind(b"=", max(0, cut - 80))) >= 0 and b"\n" not in text[mark:]:
            cut = mark
        self.held = text[cut:]
        return _HEX.sub(lambda match: bytes((int(match[1], 16),)), _SOFT.sub(b"", text[:cut]))


@dataclass(slots=True)
class MailWalker:
    """Tells what passes, in order."""

    at: int = 0
    """Bytes passed."""
    _text: bytes = b""
    _place: int = 0
    """How far the text has been taken."""
    _headers: bytes = b""
    _in_headers: bool = True
    _boundaries: list[bytes] = field(default_factory=list)
    _number: int = 0
    _about: About = ()
    _part: MailPart | None = None
    _decoder: _Decoder | None = None
    _fresh: bool = True

    def feed(self, piece: bytes) -> list[MailEvent]:
        """What happens in the next piece."""
        self._text, self._place = self._text[self._place :] + piece, 0
        events: list[MailEvent] = []
        while self._step(events, last=False):
            pass
        return events

    def close(self) -> list[MailEvent]:
        """What happens at the end."""
        events: list[MailEvent] = []
        while self._place < len(self._text) and self._step(events, last=True):
            pass
        if self._in_headers and self._headers:
            self._headers_over(events)
        self._end(events)
        return events

    def _step(self, events: list[MailEvent], *, last: bool) -> bool:
        return self._header(events, last=last) if self._in_headers else self._body(events, last=last)

    def _take(self, length: int) -> bytes:
        taken = self._text[self._place : self._place + length]
        self._place += length
        self.at += length
        return taken

    def _header(self, events: list[MailEvent], *, last: bool) -> bool:
        end = self._text.find(b"\n", self._place)
        if end < 0 and not last and len(self._text) - self._place < LONGEST_LINE:
            return False
        line = self._take((end + 1 if end >= 0 else len(self._text)) - self._place)
        if line.strip():
            if len(self._headers) < LONGEST_HEADERS:
                self._headers += line
        elif self._headers or self._number:
            self._headers_over(events)
        return self._place < len(self._text)

    def _headers_over(self, events: list[MailEvent]) -> None:
        fields = _fields(self._headers)
        if self._fresh:
            self._fresh = False
            self._about = _about(fields)
            events.append(MailEvent("message", self.at, about=self._about))
        self._headers, self._in_headers = b"", False
        kind = fields.get("content-type", "")
        found = _BOUNDARY.search(kind)
        if found and len(self._boundaries) < MOST_BOUNDARIES:
            self._boundaries.append((found[1] or found[2]).encode("utf-8", "surrogateescape"))
        if kind.lower().startswith("message/rfc822"):
            self._in_headers = True
            return
        encoding = fields.get("content-transfer-encoding", "").strip().lower()
        if encoding in {"base64", "quoted-printable"}:
            self._number += 1
            named = _FILE.search(fields.get("content-disposition", "")) or _FILE.search(kind)
            name = _plain(named[1] or named[2]) if named else ""
            self._part = MailPart(self._number, name or f"part {self._number}", encoding, self._about)
            self._decoder = _Decoder(encoding)
            events.append(MailEvent("part", self.at, self._part))

    def _body(self, events: list[MailEvent], *, last: bool) -> bool:
        place = self._place
        while (found := _BREAK.search(self._text, place)) is not None:
            start, end = found.start(), self._text.find(b"\n", found.start())
            if end < 0 and not last and len(self._text) - start < LONGEST_LINE:
                self._content(start, events)
                return False
            end = len(self._text) - 1 if end < 0 else end
            line = self._text[start : min(end, start + LONGEST_LINE) + 1].rstrip()
            if self._is_boundary(line) or (line.startswith(b"From ") and _MBOX.match(line)):
                self._content(start, events)
                self._end(events)
                self._take(end + 1 - start)
                self._next(line)
                return self._place < len(self._text)
            place = end + 1
        line_start = max(self._text.rfind(b"\n") + 1, self._place)
        waits = not last and len(self._text) - line_start < LONGEST_LINE
        self._content(line_start if waits else len(self._text), events)
        return False

    def _next(self, line: bytes) -> None:
        self._in_headers = True
        if line.startswith(b"From "):
            self._fresh, self._boundaries, self._number = True, [], 0
        elif line.endswith(b"--"):
            # After the last part comes text that nobody reads, or the rest of an outer part: no headers.
            self._in_headers = False

    def _is_boundary(self, line: bytes) -> bool:
        bare = line[2:]
        return line.startswith(b"--") and any(bare in {one, one + b"--"} for one in self._boundaries)

    def _content(self, until: int, events: list[MailEvent]) -> None:
        if until <= self._place:
            return
        at, data = self.at, self._take(until - self._place)
        if self._decoder is not None:
            events.append(MailEvent("data", at, self._part, self._decoder.feed(data)))

    def _end(self, events: list[MailEvent]) -> None:
        if self._decoder is not None:
            events.append(MailEvent("data", self.at, self._part, self._decoder.feed(b"", last=True)))
            events.append(MailEvent("end", self.at, self._part))
        self._part = self._decoder = None


def _fields(headers: bytes) -> dict[str, str]:
    """Fields by their names in lower case, the first of each; folded lines are one."""
    text = headers.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    found: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n"):
        name, colon, value = line.partition(":")
        if colon and " " not in name.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _about(fields: dict[str, str]) -> About:
    pairs = [
        ("subject", _plain(fields.get("subject", ""))),
        ("author", _plain(fields.get("from", ""))),
        ("to", _plain(fields.get("to", ""))),
        ("sent", sent(fields.get("date", ""))),
        ("message", fields.get("message-id", "")[:_SHOWN]),
    ]
    return tuple((name, value) for name, value in pairs if value)


def sent(date: str) -> str:
    """A mail's date as RFC 3339 in UTC; as it stands where it cannot be read."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return date[:_SHOWN]
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return told(aware)
    except (ValueError, OverflowError):
        return date[:_SHOWN]


def told(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(value: str) -> str:
    """An encoded header field as text."""
    try:
        return str(make_header(decode_header(value[:4096])))[:_SHOWN]
    except (HeaderParseError, LookupError, ValueError, UnicodeError):
        return value[:_SHOWN]
