r"""Opening an encoding around a place: what the bytes there stand for, and where each of them came from.

Rules:
1. Only a window around the place is opened, never a whole buffer.
2. The phase (which character of a group the place is) comes from the anchor, so that whatever stands to the left of
   the encoded text cannot put it out of step.
3. What wraps an encoded text is passed over: line ends, indentation, written line ends, quotes, commas, plus signs.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_JOINTS = rb"""
      \\+(?:r\\+n|[nrt]) | %(?:25)?0[aAdD] | &\#(?:10|13|[xX][aAdD]); | <br[ ]?/?> | =\r?\n
    | ["'`][\s,+.&|;\\_\#*/()>-]{0,64}["'`]
    | [\s\\]+(?:[\#*>|;]+[ \t]*)?
    | \x1b\[[0-9;]*m | \xe2\x80\x8b | \xc2\xa0
"""
_ESCAPED_SIGN = rb"\\+/ | \\+u00(?:2[bBfF]) | %(?:25)?2[bBfF] | &\#(?:43|47|[xX]2[bBfF]);"
_TOKENS = {
    "base64": re.compile(
        rb"(?P<joint>" + _JOINTS + rb")|(?P<sign>" + _ESCAPED_SIGN + rb")|(?P<run>[A-Za-z0-9+/_-]+)", re.VERBOSE
    ),
    "base32": re.compile(rb"(?P<joint>" + _JOINTS + rb")|(?P<sign>(?!))|(?P<run>[A-Z2-7]+)", re.VERBOSE),
}
_MARKED = re.compile(
    rb"(?P<joint>[\s\\]*\n[ \t]*[+-][ \t]?|" + _JOINTS + rb")|(?P<sign>(?!))|(?P<run>[A-Za-z0-9+/_-]+)", re.VERBOSE
)
"""For a text in which each line begins with a mark (a difference, a list) that is a character of base64 as well."""
_NEAR = re.compile(rb"""[A-Za-z0-9+/_\s"'`,.&|;\\#*()<>%\x1b\[\xe2\x80\x8b\xc2\xa0=-]*+""")
_SLASHES = (b"/", b"2f", b"2F", b"47", b"x2f;", b"x2F;", b"47;")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_TO_ALPHABET = bytes.maketrans(
    bytes([*range(0x20, 0x60), 0x60]), b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" + b"A"
)
_DIGITS = re.compile(rb"(?:[0-9A-Fa-f]{2}|[\s,:;\"'+|\\-]{1,40}+)*+")
_DIGITS_BACK = re.compile(rb"[0-9A-Fa-f\s,:;\"'+|\\-]*+")
_PAIRS = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
_DUMPED = re.compile(
    rb"[ \t]*(?:0[xX])?[0-9A-Fa-f]{4,16}(?:[ \t]*[:|])?[ \t]+"
    rb"((?:[0-9A-Fa-f]{2}[ -]){0,7}[0-9A-Fa-f]{2}[ ]{2}(?:[0-9A-Fa-f]{2}[ ]){0,7}[0-9A-Fa-f]{2}(?=\s*(?:[|>\r\n]|$))"
    rb"|(?:(?:[0-9A-Fa-f]{2}){1,8}[ -]){0,31}(?:[0-9A-Fa-f]{2}){1,8}(?![0-9A-Fa-f]))"
)
_NUMBERS = re.compile(rb"[0-9\s,;]*+")
_NUMBER = re.compile(rb"[0-9]+")
_ROT13 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)
_LARGEST_BYTE = 255
_UU_LINE, _UU_CHARACTERS = 45, 60


class Opened(NamedTuple):
    """What stands in an encoding."""

    data: bytes
    near: tuple[int, int]
    """Where in ``data`` that begins and ends which the anchor stands for."""
    form: str
    outer: Callable[[int, int], tuple[int, int, bool]]
    """From a range of ``data`` to the range of the window that spells it, and whether something wraps it there."""

    def __repr__(self) -> str:
        """Never the bytes."""
        return f"Opened({self.form!r}, {len(self.data)} bytes)"


Segment = tuple[int, int, bytes]
"""Place in the window, its length there, and the characters it stands for."""


class _Characters:
    """Characters of an encoding that were gathered from a window, and where they stood."""

    def __init__(self, segments: Sequence[Segment], drop: int, bits: int) -> None:
        self._segments = segments
        self._drop = drop
        self._bits = bits
        self._firsts: list[int] = []
        count = 0
        for _, _, characters in segments:
            self._firsts.append(count)
            count += len(characters)
        self.joined = b"".join(characters for _, _, characters in segments)[drop:]

    def outer(self, low: int, high: int) -> tuple[int, int, bool]:
        first = self._drop + low * 8 // self._bits
        last = self._drop + -(-high * 8 // self._bits) - 1
        start, _ = self._place(first)
        _, end = self._place(max(first, last))
        return start, end, end - start != max(first, last) + 1 - first

    def inner(self, character: int) -> int:
        """The byte that a character, counted before any was dropped, belongs to."""
        return max(0, character - self._drop) * self._bits // 8

    def _place(self, character: int) -> tuple[int, int]:
        index = max(0, bisect_right(self._firsts, character) - 1)
        start, size, characters = self._segments[index]
        within = min(character - self._firsts[index], len(characters) - 1)
        if size != len(characters):
            return start, start + size
        return start + within, start + within + 1


def _gather(window: bytes, start: int, end: int, tokens: re.Pattern[bytes]) -> tuple[list[Segment], int]:
    """Runs around a place, and how many characters stand before it."""
    near = _NEAR.match(window[:start][::-1])
    left = list(_runs(window, start - near.end() if near else start, start, tokens, whole=True))
    right = list(_runs(window, start, len(window), tokens, whole=False))
    del end
    return left + right, sum(len(characters) for _, _, characters in left)


def _runs(window: bytes, start: int, end: int, tokens: re.Pattern[bytes], *, whole: bool) -> Iterator[Segment]:
    """Runs from a place on; until the first byte that fits nothing, or (``whole``) only those after the last such."""
    found: list[Segment] = []
    place = start
    for token in tokens.finditer(window, start, end):
        if token.start() != place:
            if not whole:
                break
            found.clear()
        place = token.end()
        if token.lastgroup == "run":
            found.append((token.start(), place - token.start(), token[0]))
        elif token.lastgroup == "sign":
            sign = b"/" if token[0].endswith(_SLASHES) else b"+"
            found.append((token.start(), place - token.start(), sign))
    if whole and place != end:
        found.clear()
    yield from found


def _open_base64(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    for tokens in (_TOKENS["base64"], _MARKED):
        segments, before = _gather(window, start, end, tokens)
        held = _Characters(segments, (before - phase) % 4, 6)
        text = held.joined.translate(_FROM_URL)
        data = binascii.a2b_base64(text + b"A" * (-len(text) % 4))[: len(text) * 6 // 8]
        near = held.inner(before), held.inner(before + end - start)
        yield Opened(data, near, "base64", held.outer)
        if b"\n+" not in window and b"\n-" not in window and b"\n " not in window:
            return


def _open_base32(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    segments, before = _gather(window, start, end, _TOKENS["base32"])
    held = _Characters(segments, (before - phase) % 8, 5)
    text = held.joined
    data = base64.b32decode(text + b"A" * (-len(text) % 8))[: len(text) * 5 // 8]
    yield Opened(data, (held.inner(before), held.inner(before + end - start)), "base32", held.outer)


def _open_uuencode(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    segments: list[Segment] = []
    before = -1
    for line_start, line in _lines(window):
        count = (line[0] - 0x20) & 63 if line else 0
        characters = line[1 : 1 + -(-count * 8 // 6)]
        fits = bool(count) and len(line) - 1 <= -(-count // 3) * 4 + 1 and all(0x20 <= c <= 0x60 for c in line)  # noqa: PLR2004
        if not fits:
            if before >= 0:
                break
            segments.clear()
            continue
        if line_start <= start < line_start + len(line):
            before = sum(len(held) for _, _, held in segments) + start - line_start - 1
        segments.append((line_start + 1, len(characters), characters.translate(_TO_ALPHABET)))
        if count != _UU_LINE and before >= 0:
            break
    if before < 0:
        return
    held = _Characters(segments, 0, 6)
    data = binascii.a2b_base64(held.joined + b"A" * (-len(held.joined) % 4))[: len(held.joined) * 6 // 8]
    yield Opened(data, (held.inner(before), held.inner(before + end - start)), "uuencode", held.outer)


def _lines(window: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    for line in window.split(b"\n"):
        yield place, line.removesuffix(b"\r")
        place += len(line) + 1


def _open_hex(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    # The digit of a prefix must not be read as a digit of a byte.
    text = window.replace(b"0x", b"  ").replace(b"0X", b"  ")
    back = _DIGITS_BACK.match(text[:start][::-1])
    begin = start - back.end() if back else start
    right = _DIGITS.match(text, start)
    segments: list[Segment] = []
    for match in re.finditer(rb"[0-9A-Fa-f]+", text[begin:start]):
        odd = len(match[0]) % 2
        segments.append((begin + match.start() + odd, len(match[0]) - odd, match[0][odd:]))
    before = sum(len(characters) for _, _, characters in segments)
    pairs = _PAIRS.finditer(text, start, right.end() if right else end)
    segments.extend((match.start(), len(match[0]), match[0]) for match in pairs)
    yield _of_digits(segments, before, text[start:end], "hex")
    yield from _open_dump(window, start, end)


def _of_digits(segments: list[Segment], before: int, literal: bytes, form: str) -> Opened:
    held = _Characters([segment for segment in segments if segment[2]], 0, 4)
    digits = sum(len(match[0]) for match in re.finditer(rb"[0-9A-Fa-f]+", literal))
    return Opened(bytes.fromhex(held.joined.decode()), (before // 2, (before + digits) // 2), form, held.outer)


def _open_dump(window: bytes, start: int, end: int) -> Iterator[Opened]:
    """A dump: each line has an offset, bytes in hexadecimal, and often the same as characters."""
    segments: list[Segment] = []
    before = -1
    for line_start, line in _lines(window):
        match = _DUMPED.match(line)
        if match is None:
            if before >= 0:
                break
            segments.clear()
            continue
        for pair in _PAIRS.finditer(line, match.start(1), match.end(1)):
            low = line_start + pair.start()
            if low <= start < line_start + pair.end():
                before = sum(len(characters) for _, _, characters in segments) + start - low
            segments.append((low, len(pair[0]), pair[0]))
    if before >= 0 and before % 2 == 0:
        opened = _of_digits(segments, before, window[start:end], "hex dump")

        def outer(low: int, high: int) -> tuple[int, int, bool]:
            first, last, wraps = opened.outer(low, high)
            line = window.find(b"\n", last)
            # What the line shows as characters spells the same bytes again.
            return first, len(window) if line < 0 else line, wraps

        yield opened._replace(outer=outer)


def _open_decimal(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    back = _NUMBERS.match(window[:start][::-1])
    right = _NUMBERS.match(window, start)
    begin, until = start - (back.end() if back else 0), right.end() if right else end
    held: list[tuple[int, int, int]] = []
    for match in _NUMBER.finditer(window, begin, until):
        value = int(match[0]) if len(match[0]) <= 3 else _LARGEST_BYTE + 1  # noqa: PLR2004 - digits of a byte
        if value <= _LARGEST_BYTE:
            held.append((match.start(), match.end(), value))
        elif match.start() > start:
            break
        else:
            held.clear()
    starts = [low for low, _, _ in held]
    if start not in starts:
        return
    near = starts.index(start), bisect_right(starts, end - 1)
    yield Opened(
        bytes(value for _, _, value in held),
        near,
        "decimal list",
        lambda low, high: (held[low][0], held[max(low, high - 1)][1], False),
    )


def _open_utf16(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    for order, first in (("utf-16-le", start), ("utf-16-be", start - 1), ("utf-16-be", start)):
        if first >= 0:
            yield _of_units(window, (first, end), (order, 2), "utf-16")


def _open_utf32(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    for order, first in (("utf-32-le", start), *(("utf-32-be", start - back) for back in (3, 2, 1))):
        if first >= 0:
            yield _of_units(window, (first, end), (order, 4), "utf-32")


def _of_units(window: bytes, place: tuple[int, int], order: tuple[str, int], form: str) -> Opened:
    start, end = place
    name, width = order
    first = start % width
    left = window[first:start].decode(name, "replace").encode()
    middle = window[start : end + (start - end) % width].decode(name, "replace").encode()
    rest = window[end + (start - end) % width :].decode(name, "replace").encode()
    data = left + middle + rest

    def outer(low: int, high: int) -> tuple[int, int, bool]:
        begin, until = (len(data[:at].decode("utf-8", "ignore").encode(name)) for at in (low, high))
        return first + begin, first + until, False

    return Opened(data, (len(left), len(left) + len(middle)), form, outer)


def _open_reversed(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    size = len(window)
    near = size - end, size - start
    yield Opened(window[::-1], near, "reversed", lambda low, high: (size - high, size - low, False))


def _open_rot13(window: bytes, start: int, end: int, phase: int) -> Iterator[Opened]:
    del phase
    yield Opened(window.translate(_ROT13), (start, end), "rot13", lambda low, high: (low, high, False))


OPENERS: dict[str, Callable[[bytes, int, int, int], Iterator[Opened]]] = {
    "base64": _open_base64,
    "base32": _open_base32,
    "uuencode": _open_uuencode,
    "hex": _open_hex,
    "decimal": _open_decimal,
    "utf-16": _open_utf16,
    "utf-32": _open_utf32,
    "reversed": _open_reversed,
    "rot13": _open_rot13,
}
"""Each is given a window, where the anchor begins and ends in it, and its phase."""
