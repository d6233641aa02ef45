"""What a machine that must not know a secret is given to look for it: keyed marks of windows, and public patterns.

It says where something may be; whoever holds the secret reads those places again and decides.

Rules:
1. Whoever holds a filter can try guesses on it. So nothing in it stands for less of a secret than a whole guess of
   :data:`~holdfast.exposure.guessing.ENOUGH_BITS`: each mark is of a window that covers so much, and its places in the
   bitmap depend on the whole window, multiplied and folded, so that no part of it can be tried by itself.
2. A spelling that takes several characters for each byte has anchors that stand for a few bytes only. No mark is made
   of them: a public pattern, the same for every secret, tells where there is such a spelling of anything.
3. Where neither is possible a longer window is taken. What is lost by that is told, and so is what is lost whole.
4. A value that can be guessed is not looked for in this way at all: :func:`build` refuses it.

The functions that compute here are the reference; :mod:`holdfast.exposure.git.rolling` does the same, fast.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from holdfast.exposure.guessing import ENOUGH_BITS, bits, guessable
from holdfast.exposure.needles import Needle
from holdfast.exposure.query import Query
from holdfast.exposure.spelling import SHORTEST_ANCHOR, Anchor
from holdfast.exposure.widening import spellings
from holdfast.kernel.errors import BadInputError

Kind = Literal["plain", "base64", "uu", "wide", "any"]
"""What the windows of a group are made of: letters and digits; characters of base64 and some that stand beside them;
capital letters and signs; characters with zeros between them; or anything."""
BITMAP_BITS = 18
MARK = 16
"""Bytes of a keyed mark."""
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
ALPHABETS: dict[Kind, frozenset[int]] = {
    "plain": _PLAIN,
    "base64": _PLAIN | frozenset(b"+/-_="),
    "uu": frozenset(range(0x20, 0x61)),
    "any": frozenset(range(256)),
}
_PAIR = rb"[2-7][0-9A-Fa-f]"
_WIDE = (b"[A-Za-z0-9+/_-]", b"[AQgw]", b"[AB]", b"[A-Za-z0-9+/_-]", b"A", b"[C-H]", b"[AEIMQUYcgkosw048]", b"A")
"""Base64 of two characters of UTF-16, then of one: these come in turn, wherever it begins."""
_NUMBER = rb"(?:3[3-9]|[4-9][0-9]|1[012][0-9])"
GATES: tuple[bytes, ...] = (
    rb"(?:%(p)b[ :]){3}%(p)b",
    rb"(?:0x%(p)b, ?){3}0x%(p)b",
    rb"%(p)b%(p)b %(p)b%(p)b",
    rb"%(p)b %(p)b%(p)b %(p)b",
    rb"(?:%%%(p)b){5}",
    rb"(?:%%(?:25)+%(p)b){3}",
    rb"(?:\\{1,4}x%(p)b){4}",
    rb"(?:\\{1,4}[01][0-7][0-7]){5}",
    rb"(?:\\{1,4}[uU](?:0000)?00%(p)b){3}",
    rb"(?:\\{1,4}u\{0*%(p)b\}){3}",
    rb"(?:&#(?:[xX]0*%(p)b|[0-9]{2,3});){3}",
    rb"(?:%(n)b, ?){3}%(n)b",
    rb"(?:[!-~]\x00\x00\x00){5}",
    *(b"".join((_WIDE * 2)[turn : turn + len(_WIDE)]) for turn in range(len(_WIDE))),
)
"""Spellings of anything printable: lists, dumps and escapes of several bytes in a row, UTF-32, base64 of UTF-16."""
GATES = tuple(gate % {b"p": _PAIR, b"n": _NUMBER} for gate in GATES)
_GATE = re.compile(b"|".join(b"(?:%b)" % gate for gate in GATES))
_WORD = (1 << 64) - 1
_MOST = 6.7
"""Bits of a byte at most, as guessing counts them: of more kinds of characters there are none."""
_SHARES = {"base64 > base64": 9 / 16, "base64 > utf-16": 3 / 8}
"""Bytes of the secret in a character of what is spelled twice; of other such spellings less than a quarter."""


@dataclass(frozen=True, slots=True, repr=False)
class Group:
    """Windows of one length and kind."""

    length: int
    kind: Kind
    marks: frozenset[bytes]


@dataclass(frozen=True, slots=True, repr=False)
class Filter:
    """What is sent. It holds a key made for one search, a bitmap, and marks; nothing in plain."""

    key: bytes
    groups: tuple[Group, ...]
    bitmap: bytes

    @property
    def width(self) -> int:
        """Bytes that have to be looked at together."""
        return max([group.length for group in self.groups], default=1)


@dataclass(frozen=True, slots=True)
class Built:
    """A filter, and what cannot be found with it."""

    filter: Filter
    not_searched: frozenset[str]


@dataclass(frozen=True, slots=True, repr=False)
class _Window:
    """What stands for an anchor."""

    literal: bytes
    least: int
    """Bytes from its beginning that cover enough."""


def build(query: Query, key: bytes) -> Built:
    """Make a filter of a query's anchors.

    Args:
        query: what is searched for.
        key: 32 random bytes, for this search only.

    Raises:
        BadInputError: a secret can be guessed (``secret-guessable``).
    """
    if any(guessable(secret.reveal()) for secret in query.secrets):
        raise BadInputError(
            "secret-guessable",
            "Nothing was sent to other machines, and nothing was searched.",
            why="The secret can be guessed, and whoever holds the filter made from it could try guesses.",
            next_step="Search on this machine alone: leave out --spark.",
        )
    scale = _Scale()
    windows: dict[bytes, _Window] = {}
    longer, lost = set[str](), set[str]()
    for needle, anchor in query.pieces():
        if (window := scale.window(needle.text, anchor, anchor.literal)) is not None:
            windows[window.literal] = window
        elif _GATE.search(anchor.literal) is None:
            found = list(scale.widened(needle, anchor))
            windows |= {one.literal: one for one in found}
            (longer if found else lost).add(anchor.form)
    told = set[str]()
    if longer:
        told.add(f"on other machines, short pieces of a secret: {', '.join(sorted(longer))}")
    if lost:
        told.add(f"on other machines, some spellings of a secret: {', '.join(sorted(lost))}")
    return Built(_filter(windows.values(), key), frozenset(told))


def candidates(made: Filter, data: bytes) -> list[tuple[int, int]]:
    """The reference: group and end of every window that has a mark, ordered by end and group."""
    found = []
    for number, group in enumerate(made.groups):
        begin, factor = numbers_of(made.key, group.kind, group.length)
        for start in range(len(data) - group.length + 1):
            window = data[start : start + group.length]
            if not _fits(group.kind, window):
                continue
            place = spot(window, begin, factor)
            if made.bitmap[place >> 3] >> (place & 7) & 1 and marked(made, group, window):
                found.append((start + group.length, number))
    return [(number, end) for end, number in sorted(found)]


def gates(data: bytes) -> bool:
    """Whether there is a spelling in it that is found by its pattern."""
    return _GATE.search(data) is not None


def mark(key: bytes, window: bytes) -> bytes:
    """The keyed mark of a window."""
    return hmac.digest(key, window, "sha256")[:MARK]


def marked(made: Filter, group: Group, window: bytes) -> bool:
    """Whether a window of a group's length is one of those looked for, beyond chance."""
    return mark(made.key, window) in group.marks


def numbers_of(key: bytes, kind: Kind, length: int) -> tuple[int, int]:
    """What places in the bitmap are computed with, for a group: where to begin, and an odd factor."""
    told = hmac.digest(key, f"places {kind} {length}".encode(), hashlib.sha256)
    return int.from_bytes(told[:8], "little"), int.from_bytes(told[8:16], "little") | 1


def spot(window: bytes, begin: int, factor: int) -> int:
    """Place of a window in the bitmap: each word of it is taken in, multiplied and folded."""
    told, last = begin, len(window) - 8
    for at in range(0, last, 8):
        told = (told ^ int.from_bytes(window[at : at + 8], "little")) * factor & _WORD
        told ^= told >> 32
    return ((told ^ int.from_bytes(window[last:], "little")) * factor & _WORD) >> (64 - BITMAP_BITS)


def _filter(windows: Iterable[_Window], key: bytes) -> Filter:
    bitmap = bytearray(1 << (BITMAP_BITS - 3))
    groups = []
    for kind, length, cut in _grouped(windows):
        begin, factor = numbers_of(key, kind, length)
        for window in cut:
            place = spot(window, begin, factor)
            bitmap[place >> 3] |= 1 << (place & 7)
        groups.append(Group(length, kind, frozenset(mark(key, window) for window in cut)))
    return Filter(key, tuple(groups), bytes(bitmap))


def _grouped(windows: Iterable[_Window]) -> Iterator[tuple[Kind, int, set[bytes]]]:
    """As few lengths as will do: each window is cut to one between what is enough and what there is."""
    by_kind: dict[Kind, list[_Window]] = {}
    for window in windows:
        by_kind.setdefault(_kind(window.literal), []).append(window)
    for kind in sorted(by_kind):
        left = sorted(by_kind[kind], key=lambda one: (len(one.literal), one.literal))
        while left:
            length = len(left[0].literal)
            yield kind, length, {one.literal[:length] for one in left if one.least <= length}
            left = [one for one in left if one.least > length]


def _kind(literal: bytes) -> Kind:
    kinds: Sequence[Kind] = ("plain", "base64", "uu", "wide")
    # A window that is cut must still be of its kind, so all of the literal is.
    return next((kind for kind in kinds if _fits(kind, literal)), "any")


def _fits(kind: Kind, window: bytes) -> bool:
    if kind == "wide":
        return all(not (one and other) for one, other in pairwise(window))
    return ALPHABETS[kind].issuperset(window)


class _Scale:
    """Weighs pieces; of most there are many spellings."""

    def __init__(self) -> None:
        self._known: dict[bytes, bool] = {}

    def enough(self, piece: bytes) -> bool:
        """Whether a piece is too much to be guessed."""
        if piece not in self._known:
            self._known[piece] = len(piece) * _MOST >= ENOUGH_BITS and bits(piece) >= ENOUGH_BITS
        return self._known[piece]

    def window(self, text: bytes, anchor: Anchor, literal: bytes) -> _Window | None:
        """A spelling of an anchor's piece, if it covers enough."""
        piece = text[anchor.low : anchor.high]
        share = _SHARES.get(anchor.form, 1 / 8) if " > " in anchor.form else len(piece) / len(literal)
        for length in range(SHORTEST_ANCHOR, len(literal) + 1):
            covered = min(len(piece), int(length * share + 1e-9))
            if all(self.enough(piece[at : at + covered]) for at in range(len(piece) - covered + 1)):
                return _Window(literal, length)
        return None

    def widened(self, needle: Needle, anchor: Anchor) -> Iterator[_Window]:
        """Longer spellings that hold an anchor's piece: grown to the one side first, and to the other."""
        within = [(low, high) for low, high in needle.ranges if low <= anchor.low and anchor.high <= high]
        lowest, highest = within[0] if within else (0, len(needle.text))
        for rightwards in (True, False):
            low, high = anchor.low, anchor.high
            while True:
                grown = anchor._replace(low=low, high=high)
                found = self._all(needle.text, grown) if self.enough(needle.text[low:high]) else []
                if found or (low == lowest and high == highest):
                    yield from found
                    break
                if high < highest and (rightwards or low == lowest):
                    high += 1
                else:
                    low -= 1

    def _all(self, text: bytes, anchor: Anchor) -> list[_Window]:
        """Every spelling of a piece, if all cover enough."""
        found = [self.window(text, anchor, one) for one in spellings(anchor.form, text[anchor.low : anchor.high])]
        return [] if None in found else [one for one in found if one is not None]
