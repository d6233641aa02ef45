r"""How a secret may be spelled, as literals that a matcher can find: its anchors.

An anchor is a piece of a spelling that stands in it whatever surrounds the secret: of base64, for instance, only
characters that the secret determines alone, at each of the three alignments.

Rules:
1. No anchor is longer than 24 bytes; nearly all are 12 or more; none is shorter than 8.
2. Of each spelling two pieces are taken that do not overlap and stand close together, so that one cut between them or
   within one of them (a line end, a concatenation) leaves the other. Secrets of fewer than 16 bytes have one piece.
3. Pieces of letters and digits are preferred: they are the same in JSON, HTML, shells and URLs, in whatever holds them.
4. Pieces that stand in everybody's secrets (the head of a token, the frame of a key) are avoided.
5. A spelling whose every anchor would be altered by some common way of escaping gets anchors for that way too.
"""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from holdfast.exposure.escaping import ESCAPERS, Escaper
from holdfast.exposure.needles import Needle
from holdfast.exposure.pieces import Ground

LONGEST_ANCHOR = 24
"""Bytes. Shorter anchors make fewer bytes of a history worth looking at."""
SHORTEST_ANCHOR = 8
PIECE = 12
"""Bytes of the secret in a piece: 16 characters of base64."""
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_URL = bytes.maketrans(b"+/", b"-_")
_TO_UU = bytes.maketrans(_BASE64, bytes([0x60, *range(0x21, 0x60)]))
_WRAP = 16
"""Characters of base64 in an anchor: two of them fit between line ends that are 32 apart."""


class Anchor(NamedTuple):
    """One literal and what it is a piece of."""

    literal: bytes
    form: str
    """What the spelling is called where it holds the secret directly."""
    layer: str
    """What has to be opened to see the secret: a key of ``decoding.OPENERS``; ``text`` when nothing has to be."""
    low: int
    high: int
    """The part of the needle's text that the literal spells."""
    phase: int = 0
    """Place of its first character within a group of the encoding."""
    at: int = -1
    """Place of the literal in the needle itself, when it stands in it as it is."""

    def __repr__(self) -> str:
        """Never the literal."""
        return f"Anchor({self.form!r}, {len(self.literal)} bytes)"


def anchors_of(needle: Needle) -> Iterator[Anchor]:
    """Every anchor of one needle; a literal may come more than once."""
    ground = Ground(needle.text, needle.ranges)
    pieces = ground.pieces(PIECE, PIECE * 2 + 8, SHORTEST_ANCHOR)
    raw = list(_raw(needle, ground, pieces))
    spelled = [_encoded(needle, pieces), _hexadecimal(needle, ground)]
    if not needle.binary:
        literals = [anchor.literal for anchor in raw]
        spelled += [_unicode(needle, ground, pieces), _turned(needle, pieces)]
        spelled += [_escaped(needle, ground, literals), _decimal(needle, ground)]
    for anchor in chain(raw, *spelled):
        # Of characters of several bytes that are cut in two little may be left.
        if len(anchor.literal) >= SHORTEST_ANCHOR:
            yield anchor


def _raw(needle: Needle, ground: Ground, pieces: list[tuple[int, int]]) -> Iterator[Anchor]:
    taken = list(pieces)
    taken += ground.ends(PIECE)
    taken += ground.spread(PIECE)
    for low, high in sorted(set(taken)):
        literal = needle.text[low:high][:LONGEST_ANCHOR]
        at = needle.raw.find(literal)
        if at >= 0:
            yield Anchor(literal, needle.label or "raw", "text", low, low + len(literal), 0, at)


def _encoded(needle: Needle, pieces: list[tuple[int, int]]) -> Iterator[Anchor]:
    for low, high in pieces:
        piece = needle.text[low:high]
        for shift in range(3):
            core, phase = _core(base64.b64encode, piece, shift, 6)
            for literal in _alphabets(core[:_WRAP]):
                yield Anchor(literal, "base64", "base64", low, low + len(literal) * 3 // 4, phase)
            if not needle.binary:
                core = core[:_WRAP].translate(_TO_UU)
                for literal in {core, core.replace(b"`", b" ")}:
                    yield Anchor(literal, "uuencode", "uuencode", low, low + len(literal) * 3 // 4, phase)
        if not needle.binary:
            for shift in range(5):
                core, phase = _core(base64.b32encode, piece, shift, 5)
                core = core[:LONGEST_ANCHOR]
                yield Anchor(core, "base32", "base32", low, low + len(core) * 5 // 8, phase)
    if not needle.binary and pieces:
        yield from _encoded_twice(needle, pieces)


def _encoded_twice(needle: Needle, pieces: list[tuple[int, int]]) -> Iterator[Anchor]:
    low, high = pieces[0]
    wide = _wide(needle.text[low:high], "utf-16-le")
    yield from _cut_base64(wide, "base64 > utf-16", low, high)
    if len(pieces) > 1 and pieces[1][0] == high:
        high = pieces[1][1]
    for shift in range(3):
        inner, _ = _core(base64.b64encode, needle.text[low:high], shift, 6)
        for text in _alphabets(inner[: _WRAP * 2]):
            yield from _cut_base64(text, "base64 > base64", low, high)


def _cut_base64(inside: bytes, form: str, low: int, high: int) -> Iterator[Anchor]:
    """Base64 of what determines it, at three alignments, each cut into two adjacent pieces."""
    for shift in range(3):
        core, phase = _core(base64.b64encode, inside, shift, 6)
        size = len(core) // 2 if len(core) >= SHORTEST_ANCHOR * 2 + 4 else len(core)
        size = min(size, 20)
        for start in range(0, len(core) - size + 1, size):
            for literal in _alphabets(core[start : start + size]):
                yield Anchor(literal, form, "base64", low, high, (phase + start) % 4)


def _core(encode: Callable[[bytes], bytes], piece: bytes, shift: int, bits: int) -> tuple[bytes, int]:
    """The characters that a piece determines alone when ``shift`` bytes stand before it, and the first one's phase."""
    characters = encode(b"\0" * shift + piece)
    first = -(-shift * 8 // bits)
    last = (shift + len(piece)) * 8 // bits
    return characters[first:last], first % (4 if bits == 6 else 8)  # noqa: PLR2004 - characters of a group


def _alphabets(core: bytes) -> tuple[bytes, ...]:
    other = core.translate(_TO_URL)
    return (core,) if other == core else (core, other)


def _hexadecimal(needle: Needle, ground: Ground) -> Iterator[Anchor]:
    """Hexadecimal digits in both cases: run together, in pairs, in groups of two bytes, and as lists."""
    for low, high in ground.pair(8, 16, 8, plain=True):
        for digits in _cases(needle.text[low:high].hex()):
            yield Anchor(digits, "hex", "hex", low, high)
    for low, high in ground.pair(4, 8, 4, plain=True):
        text = needle.text[low:high]
        for form, literal in _listed(text):
            for cased in _cases(literal):
                yield Anchor(cased.replace(b"0X", b"0x"), form, "hex", low, high)


def _listed(text: bytes) -> Iterator[tuple[str, str]]:
    pairs = [f"{byte:02x}" for byte in text]
    yield "hex list", " ".join(pairs)
    yield "hex list", ":".join(pairs)
    yield "hex list", ", ".join(f"0x{pair}" for pair in pairs)
    yield "hex list", ",".join(f"0x{pair}" for pair in pairs)
    yield "hex dump", f"{pairs[0]}{pairs[1]} {pairs[2]}{pairs[3]}"
    yield "hex dump", f"{pairs[0]} {pairs[1]}{pairs[2]} {pairs[3]}"


def _cases(digits: str) -> set[bytes]:
    return {digits.lower().encode(), digits.upper().encode()}


def _unicode(needle: Needle, ground: Ground, pieces: list[tuple[int, int]]) -> Iterator[Anchor]:
    """Two and four bytes to a character: without its outer zeros one literal serves both orders of bytes."""
    for low, high in pieces[:2]:
        for order in ("utf-16-le", "utf-16-be"):
            literal = _wide(needle.text[low:high], order)[:LONGEST_ANCHOR]
            literal = literal.removesuffix(b"\0") if order.endswith("le") else literal.removeprefix(b"\0")
            if len(literal) >= SHORTEST_ANCHOR:
                yield Anchor(literal, "utf-16", "utf-16", low, high)
    for low, high in ground.pair(6, 12, 6):
        for order in ("utf-32-le", "utf-32-be"):
            literal = _wide(needle.text[low:high], order)[:LONGEST_ANCHOR]
            yield Anchor(literal.strip(b"\0"), "utf-32", "utf-32", low, high)


def _wide(text: bytes, order: str) -> bytes:
    try:
        return text.decode("utf-8").encode(order)
    except UnicodeDecodeError:
        # A piece may begin or end within a character.
        return text.decode("utf-8", "ignore").encode(order)


def _turned(needle: Needle, pieces: list[tuple[int, int]]) -> Iterator[Anchor]:
    for low, high in pieces[:2]:
        text = needle.text[low:high][:LONGEST_ANCHOR]
        yield Anchor(text[::-1], "reversed", "reversed", low, low + len(text))
        turned = rot13(text)
        if turned != text:
            yield Anchor(turned, "rot13", "rot13", low, low + len(text))


def rot13(text: bytes) -> bytes:
    """Letters moved by thirteen places."""
    return codecs.encode(text.decode("latin-1"), "rot13").encode("latin-1")


def _decimal(needle: Needle, ground: Ground) -> Iterator[Anchor]:
    for low, high in ground.pair(5, 10, 4):
        for joint in (", ", ","):
            literal = joint.join(str(byte) for byte in needle.text[low:high]).encode()[:LONGEST_ANCHOR]
            yield Anchor(literal, "decimal list", "decimal", low, high)


def _escaped(needle: Needle, ground: Ground, raw: list[bytes]) -> Iterator[Anchor]:
    seen = {needle.text}
    for escaper in ESCAPERS:
        if escaper.width:  # every character
            yield from _of_units(needle, ground, escaper)
            continue
        spelled = b"".join(escaper.units(needle.text))
        enough = 1 if len(needle.text) < PIECE * 2 else 2
        if sum(1 for literal in raw if literal in spelled) < enough:
            yield from _of_stretches(needle, escaper)
            if spelled not in seen and not any(ground.safe(*piece) for piece in ground.pieces(PIECE, PIECE * 2, 8)):
                yield from _of_escaped(spelled, escaper.form, len(needle.text))
            seen.add(spelled)


def _of_units(needle: Needle, ground: Ground, escaper: Escaper) -> Iterator[Anchor]:
    """Pieces of a spelling in which every character is escaped."""
    count = LONGEST_ANCHOR // escaper.width
    units = escaper.units(needle.text)
    for low, high in ground.pair(count, count * 2, min(4, count), plain=bool(escaper.prefix)):
        literal = b"".join(units[low:high])[:LONGEST_ANCHOR]
        if len(literal) >= SHORTEST_ANCHOR:
            for cased in escaper.cases(literal):
                yield Anchor(cased, escaper.form, "text", low, high)


def _of_escaped(spelled: bytes, form: str, size: int) -> Iterator[Anchor]:
    """What a secret without any run of letters and digits looks like when it is escaped, and encoded then."""
    head = spelled[:PIECE]
    if form not in ("json", "url") or len(head) < SHORTEST_ANCHOR:
        return
    for shift in range(3):
        core, phase = _core(base64.b64encode, head, shift, 6)
        for literal in _alphabets(core[:_WRAP]):
            yield Anchor(literal, f"base64 > {form}", "base64", 0, min(size, PIECE), phase)
    literal = _wide(head, "utf-16-le").removesuffix(b"\0")[:LONGEST_ANCHOR]
    yield Anchor(literal, f"utf-16 > {form}", "utf-16", 0, min(size, PIECE))


def _of_stretches(needle: Needle, escaper: Escaper) -> Iterator[Anchor]:
    """The first two stretches, and the last one, of a spelling in which some characters are escaped."""
    units = escaper.units(needle.text)
    places = [0]
    for unit in units:
        places.append(places[-1] + len(unit))
    size = max(SHORTEST_ANCHOR, min(LONGEST_ANCHOR - 6, places[-1] // 2))
    spelled = b"".join(units)
    for start in sorted({0, max(0, len(spelled) - size)}):
        literal = spelled[start : start + size]
        low = max(index for index, place in enumerate(places) if place <= start)
        high = max(index for index, place in enumerate(places) if place <= start + size)
        if len(literal) >= SHORTEST_ANCHOR and spelled != needle.text:
            yield Anchor(literal, escaper.form, "text", low, min(high, len(needle.text)))
