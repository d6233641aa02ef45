"""One worker's walk through delta trees: windows first, then the families in which something was found, whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from holdfast.exposure.git import walking
from holdfast.exposure.git.layout import (
    DIRECT,
    DIRECT_AT,
    DIRECT_LENGTH,
    DIRECT_NODE,
    DONE,
    ENTRIES,
    FAULTY,
    HEADS,
    LENGTH,
    MADE,
    MATCHED,
    RECORDS,
    STATE,
    STATUS,
    Space,
    Stack,
    Whole,
)
from holdfast.exposure.git.packs import Entries
from holdfast.exposure.matching import Matcher

ARENA = 1 << 30
"""Bytes of address space for the objects of one path; only what is used becomes memory."""
DELTA = 128 << 20
SCAN = 64 << 20
"""Windows of one object must fit; they are searched as soon as there is half a megabyte."""
_RECORDS = 1 << 16
_NOTED = 4096
_DEPTH = 1 << 14
_STARTS = (b"\x1f\x8b", b"PK", b"\x28\xb5", b"BZ", b"\xfd7", b"7z", b"Ra", b"%P")
"""First two bytes of what may be an archive."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An object as it lies in memory during a walk: valid until the next one comes."""

    entry: int
    data: memoryview
    found: list[tuple[int, int]]
    """Number of the literal and where it ends, in this object."""


@dataclass(slots=True)
class Walked:
    """What a walk did."""

    entries: int = 0
    made: int = 0
    matched: int = 0
    faults: list[tuple[int, int]] = field(default_factory=list)
    """Entry and code."""
    heads: list[int] = field(default_factory=list)
    """Entries that may be archives."""


class Walker:
    """Buffers of one worker, used again and again."""

    def __init__(self) -> None:
        """Ask for the address space."""
        self._inflater = walking.new_inflater()
        whole = lambda count: np.zeros(count, np.int64)  # noqa: E731 - said once
        heads = np.zeros(1 << 16, np.uint8)
        for start in _STARTS:
            heads[int.from_bytes(start, "big")] = 1
        self._space = Space(
            arena=np.empty(ARENA, np.uint8),
            delta=np.empty(DELTA, np.uint8),
            scan=np.empty(SCAN, np.uint8),
            record_at=whole(_RECORDS),
            record_node=whole(_RECORDS),
            record_from=whole(_RECORDS),
            fault_node=whole(_NOTED),
            fault_code=whole(_NOTED),
            head_node=whole(_NOTED),
            heads=heads,
            head=np.zeros(walking.HEAD, np.uint8),
            used=np.zeros(1, np.uint64),
        )
        self._stack = Stack(*(whole(_DEPTH) for _ in range(4)))

    def families(self, entries: Entries, roots: Whole, matcher: Matcher, walked: Walked) -> set[int]:
        """Roots of the delta trees in whose novel windows a literal is."""
        found: set[int] = set()
        family = entries.pack.family
        for node, _ in self._steps(entries, roots, matcher, walked, whole=False):
            found.add(int(family[node]))
        return found

    def objects(
        self, entries: Entries, roots: Whole, matcher: Matcher, hear: Callable[[Whereabouts], None], walked: Walked
    ) -> None:
        """Every object of some delta trees in which a literal is."""
        for node, place in self._steps(entries, roots, matcher, walked, whole=True):
            assert place is not None
            hear(place)

    def _steps(  # noqa: PLR0913 - one walk
        self, entries: Entries, roots: Whole, matcher: Matcher, walked: Walked, *, whole: bool
    ) -> Iterator[tuple[int, Whereabouts | None]]:
        state = np.zeros(STATE, np.int64)
        space = self._space
        width = max(map(len, matcher.literals), default=1)
        lengths = np.array([len(one) for one in matcher.literals] or [1], np.int64)
        scan, arena = memoryview(space.scan), memoryview(space.arena)
        while state[STATUS] != DONE:
            walking.step(entries.pack, roots, self._stack, space, state, width, whole, self._inflater)
            walked.faults += zip(
                space.fault_node[: state[FAULTY]].tolist(), space.fault_code[: state[FAULTY]].tolist(), strict=True
            )
            walked.heads += space.head_node[: state[HEADS]].tolist()
            found = matcher.find(scan[: int(state[LENGTH])])
            if found:
                yield from self._placed(found, int(state[RECORDS]), int(state[LENGTH]), lengths, whole=whole)
            if state[STATUS] == DIRECT:
                at, length, node = int(state[DIRECT_AT]), int(state[DIRECT_LENGTH]), int(state[DIRECT_NODE])
                data = arena[at : at + length]
                if found := matcher.find(data):
                    yield node, Whereabouts(node, data, found) if whole else None
        walked.entries += int(state[ENTRIES])
        walked.made += int(state[MADE])
        walked.matched += int(state[MATCHED])

    def _placed(
        self, found: list[tuple[int, int]], records: int, length: int, lengths: Whole, *, whole: bool
    ) -> Iterator[tuple[int, Whereabouts | None]]:
        """What was found, by object; what lies over the border of two windows is no find."""
        space = self._space
        starts = space.record_at[:records]
        numbers, ends = (np.array(column, np.int64) for column in zip(*found, strict=True))
        record = np.searchsorted(starts, ends - 1, side="right") - 1
        within = ends - lengths[numbers] >= starts[record]
        numbers, ends, record = numbers[within], ends[within], record[within]
        for one in np.unique(record):
            node = int(space.record_node[one])
            if not whole:
                yield node, None
                continue
            begin = int(starts[one])
            stop = int(starts[one + 1]) if one + 1 < records else length
            mine = record == one
            own = list(zip(numbers[mine].tolist(), (ends[mine] - begin).tolist(), strict=True))
            yield node, Whereabouts(node, memoryview(space.scan)[begin:stop], own)
