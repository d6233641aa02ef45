"""A matcher that knows nothing of a secret: it finds where one may be, by a filter and by public patterns.

It stands where a matcher of anchors stands, in a walk through delta trees or in a stream. What it finds is read again
by whoever has the secret.

Rules:
1. Windows of the filter come with the number of their group; places of patterns come under :data:`RULE`, whose length
   is not known.
2. Every place in which an anchor is, is found, apart from what the filter's maker said cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import hyperscan
import numpy as np
from numpy.typing import NDArray

from holdfast.exposure.filters import ALPHABETS, GATES, Filter, Group, Kind, marked, numbers_of
from holdfast.exposure.git import rolling
from holdfast.exposure.matching import RULE, Buffer
from holdfast.exposure.spelling import LONGEST_ANCHOR

_SIGN = 1 << 63


class Sieve:
    """See :class:`~holdfast.exposure.matching.Matcher`."""

    plain = False
    joints: NDArray[np.uint8] | None = None

    def __init__(self, made: Filter, more: Sequence[bytes] = ()) -> None:
        """Of a filter.

        Args:
            made: the filter.
            more: literals that are no secret, told as places of patterns are.
        """
        self.literals: tuple[bytes, ...] = ()
        # The last is that of ``RULE``: one byte of it is in the text that it belongs to.
        self.lengths = (*(group.length for group in made.groups), 1)
        self.width = self.near = max(made.width, LONGEST_ANCHOR, *map(len, more), 1)
        self._filter = made
        self._bitmap = np.frombuffer(made.bitmap, np.uint8)
        self._kinds: dict[Kind, list[int]] = {}
        for number, group in enumerate(made.groups):
            self._kinds.setdefault(group.kind, []).append(number)
        self._found = np.zeros((rolling.BLOCK * (len(made.groups) + 1), 2), np.int64)
        self._tables = {kind: _table(alphabet) for kind, alphabet in ALPHABETS.items()}
        self._held: list[NDArray[np.int64]] = []
        """What kernels have the addresses of."""
        self._states = [(kind, self._state(kind, numbers)) for kind, numbers in self._kinds.items()]
        patterns = [*GATES, *(b"".join(b"\\x%02x" % byte for byte in one) for one in more)]
        self._patterns = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._patterns.compile(
            expressions=patterns, ids=list(range(len(patterns))), elements=len(patterns), flags=[0] * len(patterns)
        )

    def among(self, data: Buffer, starts: NDArray[np.int64]) -> list[tuple[int, int]]:
        """See :class:`~holdfast.exposure.matching.Matcher`; of patterns one place in each text is enough."""
        ends = np.array(self._spelled(data), np.int64)
        _, first = np.unique(np.searchsorted(starts, ends - 1, side="right"), return_index=True)
        return self._sorted(data, ends[first].tolist())

    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """See :class:`~holdfast.exposure.matching.Matcher`."""
        return self._sorted(data, self._spelled(data))

    def _sorted(self, data: Buffer, spelled: Sequence[int]) -> list[tuple[int, int]]:
        found = {*self._windows(data), *((end, RULE) for end in spelled)}
        return [(number, end) for end, number in sorted(found)]

    def _spelled(self, data: Buffer) -> list[int]:
        """Ends of what is found by patterns."""
        found: list[int] = []

        def hear(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append(end)

        if len(data):
            self._patterns.scan(cast("bytes", data), match_event_handler=hear)
        return found

    def _windows(self, data: Buffer) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        if not len(data):
            return found
        held = np.frombuffer(data, np.uint8)
        view = held.data
        for kind, state in self._states:
            numbers = self._kinds[kind]
            state[rolling.DATA], state[rolling.SIZE], state[rolling.NEXT] = held.ctypes.data, len(held), 0
            while state[rolling.NEXT] < len(held):
                count = rolling.scan(state)
                for place, end in self._found[:count].tolist():
                    group = self._filter.groups[numbers[place]]
                    if marked(self._filter, group, bytes(view[end - group.length : end])):
                        found.append((end, numbers[place]))
        return found

    def _state(self, kind: Kind, numbers: Sequence[int]) -> NDArray[np.int64]:
        groups = [self._filter.groups[number] for number in numbers]
        table = np.array([_words(self._filter, group) for group in groups], np.int64)
        self._held.append(table)
        wide = kind == "wide"
        state = np.zeros(rolling.STATE, np.int64)
        for place, value in (
            (rolling.TABLE, 0 if wide else self._tables[kind].ctypes.data),
            (rolling.WIDE, wide),
            (rolling.BITMAP, self._bitmap.ctypes.data),
            (rolling.FOUND, self._found.ctypes.data),
            (rolling.ROOM, len(self._found)),
            (rolling.GROUPS, table.ctypes.data),
            (rolling.COUNT, len(groups)),
            (rolling.SHORTEST, min(group.length for group in groups)),
            (rolling.LONGEST, max(group.length for group in groups)),
        ):
            state[place] = value
        return state


def _words(made: Filter, group: Group) -> tuple[int, int, int]:
    """Length and numbers of a group, as the kernel reads them."""
    begin, factor = numbers_of(made.key, group.kind, group.length)
    return group.length, (begin ^ _SIGN) - _SIGN, (factor ^ _SIGN) - _SIGN


def _table(alphabet: frozenset[int]) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[sorted(alphabet)] = 1
    return table
