"""Which pieces of a secret are looked for: those that look most like chance, and survive most ways of writing."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import accumulate

_PROOF, _PLAIN = 40, 60
_RANDOM = 15
"""Changes within twelve characters from which they look like chance: ``https://hook`` has 10, ``postgres://u`` 12."""
_LONG = 200
"""Bytes of a secret of which several parts may be leaked by themselves."""
_CANDIDATES = 96
_RUN = 8
_RANGES = 8
"""Parts of a secret that are tried for pieces; of more, some are left out."""

Range = tuple[int, int]
_DIGIT, _UPPER, _LOWER, _OTHER = range(4)


def _kind(byte: int) -> int:
    character = bytes([byte])
    if not character.isalnum():
        return _OTHER
    if character.isdigit():
        return _DIGIT
    return _UPPER if character.isupper() else _LOWER


_KINDS = tuple(map(_kind, range(256)))


class Ground:
    """A text, weighed once."""

    def __init__(self, text: bytes, ranges: Sequence[Range]) -> None:
        """Weigh a text; pieces come from within one of the ranges."""
        self.text = text
        self.ranges = ranges if len(ranges) <= _RANGES else ranges[:: -(-len(ranges) // _RANGES)]
        self._all = ranges
        kinds = [_KINDS[byte] for byte in text]
        pairs = zip(text, text[1:], kinds, kinds[1:], strict=False)
        self._changes = [0, 0, *accumulate((one != two) + (kind != next_kind) for one, two, kind, next_kind in pairs)]
        self._unsafe = [0, *accumulate(kind == _OTHER for kind in kinds)]
        self._lettered = [0, *accumulate((byte & 15) > 9 or byte >> 4 > 9 for byte in text)]  # noqa: PLR2004

    def weight(self, low: int, high: int, *, plain: bool = False) -> int:
        """How good a piece is: changes of kind and character, letters and digits only, no letter in hexadecimal."""
        weight = self._changes[high] - self._changes[low + 1]
        if self._unsafe[high] == self._unsafe[low]:
            weight += _PROOF
        if plain and self._lettered[high] == self._lettered[low]:
            weight += _PLAIN
        return weight

    def safe(self, low: int, high: int) -> bool:
        """Whether a piece is made of letters and digits."""
        return self._unsafe[high] == self._unsafe[low]

    def pair(self, size: int, span: int, least: int, *, plain: bool = False) -> list[Range]:
        """The best two pieces that do not overlap, or the best one where there is no room for two.

        Args:
            size: bytes of each; fewer where there is not enough room.
            span: bytes from the beginning of the first to the end of the second, at most.
            least: bytes below which a piece is too short.
            plain: prefer pieces whose hexadecimal digits are all digits.
        """
        best: tuple[int, list[Range]] = (-1, [])
        for start, end in self.ranges:
            use = min(size, (end - start) // 2)
            if use >= least:
                best = max(best, self._best_pair((start, end), use, max(span, 2 * use), plain=plain))
        return best[1] or self._single(size * 2 - 1, least, plain=plain)

    def pieces(self, size: int, span: int, least: int) -> list[Range]:
        """The best pair, and pieces of letters and digits instead or as well where it has none."""
        found = self.pair(size, span, least)
        if sum(self.safe(*piece) for piece in found) >= min(2, len(found)):
            return found
        runs = sorted(self._runs(size)[:2])
        if len(runs) > 1 and runs[1][1] - runs[0][0] <= 2 * size:
            return runs
        return found + [run for run in runs if run not in found]

    def ends(self, size: int) -> list[Range]:
        """Head and tail, where they look like chance."""
        found: list[Range] = []
        for start, end in (self._all[0], self._all[-1]):
            found += [(start, min(end, start + size)), (max(start, end - size), end)]
        edges = [piece for piece in (found[0], found[3]) if piece[1] - piece[0] == size]
        return [piece for piece in edges if self.weight(*piece) % _PROOF >= _RANDOM]

    def spread(self, size: int) -> list[Range]:
        """A few more pieces of a long text, so that a part of it is recognised."""
        if len(self.text) < _LONG:
            return []
        found: list[Range] = []
        for share in (0, 1, 2, 3):
            low, high = len(self.text) * share // 4, len(self.text) * (share + 1) // 4
            within = [(max(a, low), min(b, high)) for a, b in self._all if min(b, high) - max(a, low) >= size]
            if within:
                found += self._within(within).pair(size, size * 2, size)
        return found

    def _within(self, ranges: Sequence[Range]) -> Ground:
        """The same text, of which fewer parts may be taken."""
        other = copy(self)
        other.ranges = ranges[:_RANGES]
        return other

    def _best_pair(self, within: Range, size: int, span: int, *, plain: bool) -> tuple[int, list[Range]]:
        start, end = within
        best: tuple[int, list[Range]] = (-1, [])
        step = max(1, (end - start - 2 * size + 1) // _CANDIDATES)
        for low in range(start, end - 2 * size + 1, step):
            mine = self.weight(low, low + size, plain=plain)
            for other in range(low + size, min(low + span, end) - size + 1):
                weight = mine + self.weight(other, other + size, plain=plain)
                # Of equal ones the first is kept, and the closest to its fellow.
                if weight > best[0]:
                    best = (weight, [(low, low + size), (other, other + size)])
        return best

    def _single(self, size: int, least: int, *, plain: bool) -> list[Range]:
        candidates = [
            (low, min(end, low + size))
            for start, end in self.ranges
            for low in range(start, max(start, end - size) + 1)
            if min(end, low + size) - low >= least
        ]
        return [max(candidates, key=lambda piece: self.weight(*piece, plain=plain))] if candidates else []

    def _runs(self, size: int) -> list[Range]:
        """Pieces of the longest runs of letters and digits."""
        found: list[Range] = []
        for start, end in self.ranges:
            low = start
            for place in range(start, end + 1):
                if place == end or self._unsafe[place + 1] > self._unsafe[place]:
                    # Words are no secrets: ``postgres`` stands in every address of a database.
                    if place - low >= _RUN and self._changes[place] - self._changes[low + 1] >= place - low:
                        found.append((low, place))
                    low = place + 1
        found.sort(key=lambda run: run[0] - run[1])
        pieces: list[Range] = []
        for low, high in found[:2]:
            half = min(size, (high - low) // 2)
            pieces += (
                [(low, low + half), (low + half, low + 2 * half)] if half >= _RUN else [(low, min(high, low + size))]
            )
        return pieces
