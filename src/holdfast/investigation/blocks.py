"""From bytes to records of several lines: entries of LDIF, and of the journal's own export.

Rules:
1. LDIF: entries end at an empty line; a line that begins with a blank continues the one before; ``name:: …`` is base64;
   comments go (https://www.rfc-editor.org/rfc/rfc2849). An entry becomes ``{"dn": text, name: [text, …]}``.
2. What ``ldapsearch`` says of its own search after the entries is no entry; a search that was cut off is a fault.
3. Journal: ``NAME=text``, or ``NAME`` and then eight bytes of length, little-endian, and as many bytes
   (https://systemd.io/JOURNAL_EXPORT_FORMATS/). A name told twice becomes a list.
4. Memory is bounded: an entry over the limit is passed over up to its end and counted once; what breaks off within an
   entry of the journal is a fault in its place.

Not handled here: values that LDIF takes from another file (``name:< …``): they become text that names the file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Literal

from holdfast.investigation.framing import Chunks, Fault

_LDIF = re.compile(rb"(?:#[^\n]*\n(?: [^\n]*\n)*+|[ \t\r]*\n|version: *\d+\r?\n)*+(?:dn|search):", re.IGNORECASE)
_JOURNAL = re.compile(rb"(?:__CURSOR|__REALTIME_TIMESTAMP)=[^\n]+\n")
_SAID = frozenset({"search", "result", "ref", "matcheddn", "text", "control", "resultcontrol"})
"""Names of the lines in which ``ldapsearch`` tells how its search ended."""
_BATCH = 500


def blocks(head: bytes) -> Literal["ldif", "journal"] | None:
    """Which kind of entries the first bytes begin; none when neither."""
    if _JOURNAL.match(head):
        return "journal"
    return "ldif" if _LDIF.match(head) else None


class _Bytes:
    """Bytes of chunks, by line and by number."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._rest, self._at = b"", 0
        self.ended = False

    def _more(self) -> bool:
        piece = next(self._chunks, None)
        if piece is None:
            self.ended = True
            return False
        self._rest, self._at = self._rest[self._at :] + piece, 0
        return True

    def line(self, limit: int) -> bytes | None:
        """The next line without its end, at most so many bytes of it; none at the end of the bytes."""
        looked = self._at
        while (end := self._rest.find(b"\n", looked)) < 0:
            held = len(self._rest) - self._at
            if held > limit:
                return self._cut(limit)
            looked = held if self._more() else -1
            if looked < 0:
                end = len(self._rest)
                break
        found = self._rest[self._at : end]
        if self.ended and not found and end >= len(self._rest):
            return None
        self._at = end + 1
        return found

    def _cut(self, limit: int) -> bytes:
        """The beginning of a line that is too long, which is gone then up to its end."""
        found = self._rest[self._at : self._at + limit + 1]
        while (end := self._rest.find(b"\n", self._at)) < 0:
            self._at = len(self._rest)
            if not self._more():
                break
        self._at = end + 1 if end >= 0 else len(self._rest)
        return found

    def exactly(self, size: int) -> bytes | None:
        """So many bytes; none when there are fewer."""
        parts, need = [], size
        while need > len(self._rest) - self._at:
            parts.append(self._rest[self._at :])
            need -= len(parts[-1])
            self._rest, self._at = b"", 0
            if not self._more():
                return None
        parts.append(self._rest[self._at : self._at + need])
        self._at += need
        return b"".join(parts)

    def passed(self, size: int) -> bool:
        """Whether so many bytes could be passed over."""
        while size:
            step = min(size, 1 << 20)
            if self.exactly(step) is None:
                return False
            size -= step
        return True


def _batches(found: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for one in found:
        batch.append(one)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def ldif_records(chunks: Chunks, limit: int) -> Iterator[list[Any]]:
    """Entries of LDIF as mappings of lists of text, in batches."""
    return _batches(_ldif(chunks, limit))


def _ldif(chunks: Chunks, limit: int) -> Iterator[Any]:
    source = _Bytes(chunks)
    lines: list[bytes] = []
    held = 0
    while (line := source.line(limit)) is not None:
        bare = line.rstrip(b"\r")
        if bare:
            held += len(bare)
            if held <= limit:
                lines.append(bare)
            continue
        yield from _entry(lines, limit, over=held > limit)
        lines, held = [], 0
    if chunks.fault is None:
        yield from _entry(lines, limit, over=held > limit)


def _entry(lines: list[bytes], limit: int, *, over: bool) -> Iterator[Any]:
    if over:
        yield Fault(f"LDIF entry over {limit >> 20} MB")
        return
    told: dict[str, Any] = {}
    for line in _unfolded(lines):
        name, colon, rest = line.partition(b":")
        if colon:
            told.setdefault(name.decode("utf-8", "replace"), []).append(_value(rest))
    if not told or told.keys() == {"version"}:
        return
    names = {name.lower() for name in told}
    if "dn" not in names and names <= _SAID:
        yield from _ending(told)
        return
    told["dn"] = (told.get("dn") or [None])[0]
    yield told


def _ending(told: dict[str, Any]) -> Iterator[Fault]:
    """How a search ended, when it did not end well: what follows is missing."""
    for result in told.get("result", []):
        code, _, words = str(result).partition(" ")
        if code != "0":
            yield Fault(f"the LDAP search ended early: {words or code}: what follows was not exported")


def _unfolded(lines: list[bytes]) -> list[bytes]:
    whole: list[list[bytes]] = []
    for line in lines:
        if line.startswith(b" ") and whole:
            whole[-1].append(line[1:])
        else:
            whole.append([line])
    return [joined for parts in whole if not (joined := b"".join(parts)).startswith(b"#")]


def _value(rest: bytes) -> str:
    if rest.startswith(b":"):
        try:
            rest = base64.b64decode(rest[1:].strip(), validate=True)
        except (binascii.Error, ValueError):
            rest = rest[1:].strip()
        return rest.decode("utf-8", "replace")
    return rest.lstrip(b" ").decode("utf-8", "replace")


def journal_records(chunks: Chunks, limit: int) -> Iterator[list[Any]]:
    """Entries of the journal's export as mappings of text, in batches."""
    return _batches(_journal(chunks, limit))


def _journal(chunks: Chunks, limit: int) -> Iterator[Any]:
    source = _Bytes(chunks)
    told: dict[str, Any] = {}
    held = 0
    while (line := source.line(limit)) is not None:
        if not line:
            if told:
                yield told if held <= limit else Fault(f"journal entry over {limit >> 20} MB")
            told, held = {}, 0
            continue
        name, equals, rest = line.partition(b"=")
        if not equals:
            found = _counted(source, limit - held)
            if isinstance(found, Fault):
                if chunks.fault is None:
                    yield found
                return
            rest = found
        held += len(line) + len(rest)
        if held <= limit:
            _keep(told, name.decode("utf-8", "replace"), rest.decode("utf-8", "replace"))
    if told and chunks.fault is None:
        yield told if held <= limit else Fault(f"journal entry over {limit >> 20} MB")


def _keep(told: dict[str, Any], name: str, value: str) -> None:
    before = told.get(name)
    if before is None:
        told[name] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        told[name] = [before, value]


def _counted(source: _Bytes, room: int) -> bytes | Fault:
    """A value after its length; a long one is cut to one byte more than there is room, which counts as too much."""
    length = source.exactly(8)
    if length is not None:
        size = int.from_bytes(length, "little")
        kept = source.exactly(min(size, max(room, 0) + 1))
        if kept is not None and source.passed(size - len(kept)) and source.exactly(1) == b"\n":
            return kept
    return Fault("journal export broken off or damaged: what follows could not be read")
