"""From bytes to records: lines, JSON values, CSV rows. Nothing here opens files or inflates anything.

Rules:
1. Content decides, never a file's name. What cannot be a record becomes a :class:`Fault` in its place, counted once.
2. Memory is bounded: whole JSON documents up to :attr:`Limits.document` bytes, lines and values up to
   :attr:`Limits.line`; a longer line is passed over up to its end.
3. Values JSON does not know (NaN, lone surrogates, invalid UTF-8) are read with replacements, for a view has to be
   writable; the evidence keeps the bytes. Whole numbers beyond 64 bits lose their last digits.

Not handled here: a key told twice within one object (the last one counts, as in most readers of JSON).
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import orjson

Shape = Literal["empty", "binary", "json", "text"]
Value = Any
"""A parsed record or document: whatever JSON, CSV or a line of text may be."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\x1b\x0c")
_MOSTLY = 0.1
"""Share of control characters from which a file counts as binary; a log with a few NULs in it does not."""
HEAD = 1 << 16
_SAMPLED, _FIRST = 4 << 20, 20
"""Bytes and lines that are looked at to tell one value a line from values over several lines."""
_MAX_64, _MIN_64, _FINITE = (1 << 64) - 1, -(1 << 63), 1000
_DEEPEST = 200


class BrokenOffError(Exception):
    """The bytes end before they should; the message says why, in the same few words for equal causes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an input may be in memory, in bytes."""

    line: int = 16 << 20
    """Longest line, CSV field or single value of a stream."""
    whole: int = 32 << 20
    """A JSON document up to here is parsed at once; a longer list of records value by value, slower."""
    document: int = 64 << 20
    """Largest single JSON object that is no list of records."""
    yaml: int = 4 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """Stands in the place of a record that cannot be read."""

    reason: str


class Chunks:
    """Pieces of bytes that can be looked into first, and that remember why they broke off."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Take pieces of any length; :class:`BrokenOffError` among them ends them."""
        self._pieces = iter(pieces)
        self.fault: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next piece.

        Raises:
            StopIteration: there is none, or the bytes broke off: then :attr:`fault` says why.
        """
        try:
            return next(self._pieces)
        except BrokenOffError as broken:
            self.fault = str(broken)
            raise StopIteration from None

    def check(self) -> None:
        """Raise the fault that ended the pieces, if one did.

        Raises:
            BrokenOffError: they broke off.
        """
        if self.fault is not None:
            raise BrokenOffError(self.fault)

    def head(self, size: int) -> tuple[bytes, bool]:
        """At least ``size`` bytes from the start if there are so many, and whether that is all; nothing is used up."""
        taken: list[bytes] = []
        length = 0
        for piece in self:
            taken.append(piece)
            length += len(piece)
            if length > size:
                self._pieces = chain(taken, self._pieces)
                return b"".join(taken), False
        self._pieces = iter(taken)
        return b"".join(taken), True


def shape(head: bytes) -> Shape:
    """What the first bytes look like."""
    bare = head.removeprefix(codecs.BOM_UTF8).lstrip(b"\x00 \t\r\n")
    if not bare:
        return "binary" if b"\x00" in head else "empty"
    if bare[:1] in b"{[":
        return "json"
    odd = len(head) - len(head.translate(None, _CONTROLS))
    return "binary" if odd > _MOSTLY * len(head) else "text"


def begun(chunks: Chunks) -> Chunks:
    """The same bytes from the first on that is no white space."""

    def pieces() -> Iterator[bytes]:
        blank = True
        for piece in chunks:
            blank = blank and (not piece or piece.isspace())
            if not blank:
                yield piece
        chunks.check()

    return Chunks(pieces())


def decoded(chunks: Chunks) -> Chunks:
    """The same text as UTF-8 without a mark: UTF-16 and UTF-32 are told by their byte order mark only."""
    head, _ = chunks.head(4)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Chunks(_recoded(chunks, mark, name))
    return chunks


def _recoded(chunks: Chunks, mark: bytes, name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    first = True
    for piece in chunks:
        bare = piece
        if first and len(piece) < len(mark):
            bare += next(chunks, b"")
        bare = bare.removeprefix(mark) if first else bare
        first = False
        yield bare if name == "utf-8" else decoder.decode(bare).encode("utf-8", "replace")
    chunks.check()


def lines(chunks: Chunks, limit: int) -> Iterator[list[bytes | Fault]]:
    """Lines without their ends, in batches; empty lines are left out."""
    rest: list[bytes] = []
    held = 0
    passing = False
    for piece in chunks:
        start = 0
        if passing:
            start = piece.find(b"\n") + 1
            if not start:
                continue
            passing = False
        last = piece.rfind(b"\n") + 1
        if last > start or (last and last == start and start == len(piece)):
            rest.append(piece[start:last])
            batch = [line for line in b"".join(rest).split(b"\n") if line and not line.isspace()]
            yield [line if len(line) <= limit else _long(limit) for line in batch]
            rest, held, start = [], 0, last
        if start < len(piece):
            rest.append(piece[start:])
            held += len(piece) - start
        if held > limit:
            yield [_long(limit)]
            rest, held, passing = [], 0, True
    last_line = b"".join(rest)
    if last_line and not last_line.isspace() and (chunks.fault is None or _is_value(last_line)):
        yield [last_line]


def _long(limit: int) -> Fault:
    return Fault(f"line over {limit >> 20} MB")


def text_lines(chunks: Chunks, limit: int) -> Iterator[list[Any]]:
    """Lines as text, without a carriage return at the end; invalid UTF-8 is replaced."""
    for batch in lines(chunks, limit):
        yield [line if isinstance(line, Fault) else line.rstrip(b"\r").decode("utf-8", "replace") for line in batch]


def loads(data: bytes | str) -> Value:
    """One JSON value, read strictly and fast, or else with replacements (rule 3).

    Raises:
        ValueError: it is not one JSON value.
        RecursionError: it is nested too deeply.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        return plain(json.loads(text, strict=False))


def plain(value: Value, depth: int = 0) -> Value:
    """The same value with nothing in it that cannot be written again.

    Raises:
        RecursionError: it is nested more than 200 deep.
    """
    if depth > _DEEPEST:
        raise RecursionError("nested too deeply")
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {plain(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, depth + 1) for inner in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, int) and not _MIN_64 <= value <= _MAX_64:
        return float(value) if value.bit_length() < _FINITE else "a number of more than 300 digits"
    return value


def json_values(chunks: Chunks, limits: Limits) -> Iterator[list[Any]]:
    """Top-level JSON values in batches: one document, one a line, or one after another however they are broken.

    Of a document too large to be parsed at once, the elements of its list of records come instead.
    """
    head, complete = chunks.head(limits.whole)
    if complete and chunks.fault is None:
        try:
            yield [loads(head)]
        except (ValueError, RecursionError):
            pass
        else:
            return
    if _is_by_line(head, complete=complete):
        yield from _json_lines(chunks, limits)
    else:
        opened = bool(_opening(head[:HEAD].decode("utf-8", "replace"))) and not (complete and _first_is_whole(head))
        yield from elements(chunks, limits, opened=opened)


def _is_by_line(head: bytes, *, complete: bool) -> bool:
    """Whether one of the first lines is a JSON object of its own; the others may be damaged or too long."""
    begun = head[:_SAMPLED].split(b"\n", _FIRST)
    whole = begun if complete and len(head) <= _SAMPLED else begun[:-1]
    return any(line.lstrip(b"\x00\x1e \t\r").startswith(b"{") and _is_value(line) for line in whole[:_FIRST])


def _is_value(line: bytes) -> bool:
    try:
        loads(line.strip(b"\x00\x1e \t\r"))
    except (ValueError, RecursionError):
        return False
    return line.strip() not in {b"{}", b"[]"}


def _first_is_whole(data: bytes) -> bool:
    text = data.decode("utf-8", "replace").lstrip("\x00 \t\r\n")
    try:
        _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_lines(chunks: Chunks, limits: Limits) -> Iterator[list[Any]]:
    for batch in lines(chunks, limits.line):
        try:
            yield [orjson.loads(line) for line in batch]  # type: ignore[arg-type] # a fault raises, and the slow way has it
        except (orjson.JSONDecodeError, TypeError):
            yield [_one(line) for line in batch]


def _one(line: bytes | Fault) -> Value:
    if isinstance(line, Fault):
        return line
    try:
        return loads(line.strip(b"\x00\x1e \t\r"))
    except ValueError:
        return Fault("a line that is not JSON")
    except RecursionError:
        return Fault("JSON nested too deeply")


_END = object()
_DECODER = json.JSONDecoder(strict=False)
_OPENING = re.compile(r'[\s\x00]*(?:\[|\{(?:[^\[\]{}]|\{[^\[\]{}]*\})*?"(?:[A-Za-z]\w{0,40})"\s*:\s*\[)')
_BETWEEN = re.compile(r"[\s,\x00\x1e]*")
_WINDOW = 1 << 20


def _opening(text: str) -> int:
    """Where the elements of a list of records begin, at the top or one key below it; 0 if there is none."""
    match = _OPENING.match(text)
    if not match:
        return 0
    found = match.group().strip("\x00 \t\r\n")
    if found == "[":
        return match.end()
    try:
        json.loads(found + "]}", strict=False)
    except ValueError:
        return 0
    return match.end()


class _Text:
    """Text of chunks, more of it on request."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.at = 0
        self.ended = False

    def more(self, size: int) -> None:
        """Forget what lies behind, and take at least ``size`` more characters if there are so many."""
        parts = [self.text[self.at :]]
        got = 0
        while got < size and not self.ended:
            piece = next(self._chunks, None)
            self.ended = piece is None
            parts.append(self._decoder.decode(piece or b"", final=self.ended))
            got += len(parts[-1])
        self.text, self.at = "".join(parts), 0


def elements(chunks: Chunks, limits: Limits, *, opened: bool) -> Iterator[list[Any]]:
    """Values one after another, with commas or nothing between them; of a list that is open if ``opened``."""
    text = _Text(chunks)
    text.more(_WINDOW)
    if opened:
        text.at = _opening(text.text[:HEAD])
    batch: list[Any] = []
    while True:
        found = _next_value(text, limits.document if not opened else limits.line, opened=opened)
        if found is _END:
            break
        batch.append(found)
        if isinstance(found, Fault):
            break
        if len(batch) >= 1000:  # noqa: PLR2004 - a batch, whatever its size
            yield batch
            batch = []
    if batch:
        yield batch


def _next_value(text: _Text, limit: int, *, opened: bool) -> Value:
    while True:
        text.at = _BETWEEN.match(text.text, text.at).end()  # type: ignore[union-attr] # it matches nothing, too
        if text.at < len(text.text) or text.ended:
            break
        text.more(_WINDOW)
    if text.at >= len(text.text):
        return Fault("JSON broken off") if opened and text_unbroken(text) else _END
    if opened and text.text[text.at] == "]":
        return _tail(text)
    return _value(text, limit)


def text_unbroken(text: _Text) -> bool:
    """Whether the bytes ended without a fault that is counted already."""
    return text._chunks.fault is None  # noqa: SLF001 - of this module


def _value(text: _Text, limit: int) -> Value:
    size = _WINDOW
    while True:
        try:
            value, end = _DECODER.raw_decode(text.text, text.at)
            if end < len(text.text) or text.ended:
                text.at = end
                return plain(value)
            trouble = ""
        except ValueError:
            trouble = "JSON broken off or not valid: what follows could not be read"
        except RecursionError:
            return Fault("JSON nested too deeply: what follows could not be read")
        if text.ended:
            return Fault(trouble) if text_unbroken(text) else _END
        if len(text.text) - text.at > limit:
            return Fault(f"JSON value over {limit >> 20} MB, or not valid: what follows could not be read")
        text.more(size)
        size *= 2


def _tail(text: _Text) -> Value:
    """What comes after the list: nothing but the end of its object, or a fault."""
    text.at += 1
    if not text.ended:
        text.more(_WINDOW)
    rest = text.text[text.at :].strip("\x00 \t\r\n")
    if not text.ended or (rest not in {"", "}"} and not _flat(rest)):
        return Fault("more after the list of records: it could not be read")
    return _END


def _flat(rest: str) -> bool:
    """Whether the rest of an object is plain values only, such as a token for the next page."""
    try:
        told = json.loads("{" + rest.removeprefix(","))
    except (ValueError, RecursionError):
        return False
    return not any(isinstance(value, (dict, list)) and value for value in told.values())


def csv_records(chunks: Chunks, limit: int) -> Iterator[list[Any]]:
    """Rows of a table with a header as mappings of text, in batches; the delimiter is told by the header."""
    faults: list[Fault] = []
    batches = _csv_lines(chunks, limit, faults)
    header = next(batches, "")
    csv.field_size_limit(limit)
    rows = csv.reader(chain([header], batches), delimiter=delimiter(header))
    names: list[str] = []
    try:
        names = _names(next(rows, []))
    except csv.Error:  # a bare carriage return within the header, for one
        faults.append(Fault("CSV whose header cannot be split"))
    batch: list[Any] = []
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error:
            batch.append(Fault("CSV that cannot be split"))
            continue
        batch += faults
        faults.clear()
        if row:
            batch.append(_mapping(names, row))
        if len(batch) >= 1000:  # noqa: PLR2004 - a batch, whatever its size
            yield batch
            batch = []
    if batch or faults:
        yield batch + faults


def delimiter(header: str) -> str:
    """Comma, semicolon, tab or bar: whichever the header has most of."""
    return max(",;\t|", key=header.count)


def _csv_lines(chunks: Chunks, limit: int, faults: list[Fault]) -> Iterator[str]:
    for batch in lines(chunks, limit):
        for line in batch:
            if isinstance(line, Fault):
                faults.append(line)
            else:
                yield line.decode("utf-8", "replace").rstrip("\r") + "\n"


def _names(row: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for place, name in enumerate(row, 1):
        bare = name.strip() or f"column {place}"
        seen[bare] = seen.get(bare, 0) + 1
        names.append(bare if seen[bare] == 1 else f"{bare} {seen[bare]}")
    return names


def _mapping(names: list[str], row: list[str]) -> dict[str, str]:
    told = dict(zip(names, row, strict=False))
    for place in range(len(names), len(row)):
        told[f"column {place + 1}"] = row[place]
    return told
