"""One worker's walk through delta trees: windows first, then the families in which something was found, whole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from holdfast.exposure.git import layout
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
    OFS_DELTA,
    OWN,
    RECORDS,
    STATE,
    STATUS,
    TOP,
    Whole,
)
from holdfast.exposure.git.packs import Entries
from holdfast.exposure.matching import Matcher

with contextlib.suppress(ImportError):  # the plain engine needs no kernels; ``inflater.ready`` tells why there are none
    from holdfast.exposure.git import deltas, walking

ARENA = 1 << 30
"""Bytes of address space for the objects of one path; only what is used becomes memory."""
DELTA = 128 << 20
SCAN = 64 << 20
"""Windows of one object must fit; they are searched as soon as there is half a megabyte."""
DEPTH = 1 << 14
_RECORDS = 1 << 16
_NOTED = 4096
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
        self.state = np.zeros(STATE, np.int64)
        room = deltas.ROOM
        self.arena, self.scan = np.empty(ARENA + room, np.uint8), np.empty(SCAN + room, np.uint8)
        self._delta, self._head = np.empty(DELTA, np.uint8), np.zeros(walking.HEAD + room, np.uint8)
        self._heads = np.zeros(1 << 16, np.uint8)
        for start in _STARTS:
            self._heads[int.from_bytes(start, "big")] = 1
        self.record_at, self.record_node, self.record_from = (np.zeros(_RECORDS, np.int64) for _ in range(3))
        self._fault_node, self._fault_code, self._head_node = (np.zeros(_NOTED, np.int64) for _ in range(3))
        self._any = self._joints = np.full((1 << 16) // 8, 255, np.uint8)
        self._stack = [np.zeros(DEPTH, np.int64) for _ in range(4)]
        self._point()

    def _point(self) -> None:
        state = self.state
        state[layout.INFLATER] = walking.new_inflater()
        for place, array in (
            (layout.B_ARENA, self.arena),
            (layout.B_DELTA, self._delta),
            (layout.B_SCAN, self.scan),
            (layout.B_HEAD, self._head),
            (layout.B_HEADS, self._heads),
            (layout.B_RECORD_AT, self.record_at),
            (layout.B_RECORD_NODE, self.record_node),
            (layout.B_RECORD_FROM, self.record_from),
            (layout.B_FAULT_NODE, self._fault_node),
            (layout.B_FAULT_CODE, self._fault_code),
            (layout.B_HEAD_NODE, self._head_node),
            (layout.B_NODE, self._stack[0]),
            (layout.B_AT, self._stack[1]),
            (layout.B_LEN, self._stack[2]),
            (layout.B_CHILD, self._stack[3]),
        ):
            state[place] = array.ctypes.data
        state[layout.B_ARENA_SIZE], state[layout.B_DELTA_SIZE], state[layout.B_SCAN_SIZE] = ARENA, DELTA, SCAN
        state[layout.B_RECORD_COUNT] = _RECORDS
        state[layout.B_FAULT_COUNT] = state[layout.B_HEAD_COUNT] = _NOTED
        state[layout.B_DEPTH] = DEPTH

    def seek(self, matcher: Matcher | None, width: int) -> None:
        """Lay out what is worth searching for what a matcher finds, or for whatever of a width may be looked for."""
        joints = None if matcher is None else matcher.joints
        self.state[layout.B_NEAR] = width if matcher is None else matcher.near
        self._joints = self._any if joints is None else joints
        assert self._joints.flags.c_contiguous
        self.state[layout.B_JOINTS] = self._joints.ctypes.data
        self.state[layout.B_SHORTEST] = 1 if matcher is None or joints is None else min(matcher.lengths, default=1)

    def load(self, entries: Entries) -> None:
        """Have the kernels at hand, so that processes that are forked inherit them."""
        self.seek(None, 1)
        layout.point_at_pack(self.state, entries.pack, np.zeros(0, np.int64))
        walking.step(self.state, 1, False)  # noqa: FBT003 - the compiler takes places only
        walking.make_last(self.state)

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
        for _, place in self._steps(entries, roots, matcher, walked, whole=True):
            assert place is not None
            hear(place)

    def made(self, entries: Entries, entry: int) -> bytes | None:
        """What an entry makes; nothing when it cannot be made here."""
        table = entries.pack
        chain = [entry]
        while table.base[chain[-1]] >= 0 and len(chain) < DEPTH:
            chain.append(int(table.base[chain[-1]]))
        roots = np.array(chain[::-1], np.int64)
        layout.point_at_pack(self.state, table, roots)
        if table.base[chain[-1]] >= 0 or table.kind[chain[-1]] >= OFS_DELTA or walking.make_last(self.state) != 0:
            return None
        at = int(self.state[TOP])
        return self.arena[at : at + int(self.state[OWN])].tobytes()

    def windows(self, entries: Entries, roots: Whole, width: int, walked: Walked) -> Iterator[memoryview]:
        """The novel windows of some delta trees, for whatever else looks at them; each valid until the next."""
        state = self.state
        self.seek(None, width)
        layout.point_at_pack(state, entries.pack, roots)
        while state[STATUS] != DONE:
            walking.step(state, width, False)  # noqa: FBT003 - the compiler takes places only
            self._note(walked)
            if state[LENGTH]:
                yield self.scan.data[: int(state[LENGTH])]
            if state[STATUS] == DIRECT:
                at, length = int(state[DIRECT_AT]), int(state[DIRECT_LENGTH])
                yield self.arena.data[at : at + length]
        self._count(walked)

    def _steps(
        self, entries: Entries, roots: Whole, matcher: Matcher, walked: Walked, *, whole: bool
    ) -> Iterator[tuple[int, Whereabouts | None]]:
        state = self.state
        self.seek(matcher, matcher.width)
        layout.point_at_pack(state, entries.pack, roots)
        width = matcher.width
        lengths = np.array(matcher.lengths or [1], np.int64)
        scan, arena = self.scan.data, self.arena.data
        while state[STATUS] != DONE:
            walking.step(state, width, whole)
            self._note(walked)
            status = int(state[STATUS])
            found = matcher.among(scan[: int(state[LENGTH])], self.record_at[: int(state[RECORDS])])
            yield from self.placed(found, int(state[RECORDS]), int(state[LENGTH]), lengths, whole=whole)
            if status == DIRECT:
                at, length, node = int(state[DIRECT_AT]), int(state[DIRECT_LENGTH]), int(state[DIRECT_NODE])
                data = arena[at : at + length]
                if found := matcher.find(data):
                    yield node, Whereabouts(node, data, found) if whole else None
        self._count(walked)

    def _note(self, walked: Walked) -> None:
        walked.faults += self.faults()
        walked.heads += self._head_node[: self.state[HEADS]].tolist()

    def _count(self, walked: Walked) -> None:
        walked.entries += int(self.state[ENTRIES])
        walked.made += int(self.state[MADE])
        walked.matched += int(self.state[MATCHED])

    def faults(self) -> list[tuple[int, int]]:
        """Entries and codes that the last step noted."""
        count = self.state[FAULTY]
        return list(zip(self._fault_node[:count].tolist(), self._fault_code[:count].tolist(), strict=True))

    def placed(
        self, found: list[tuple[int, int]], records: int, length: int, lengths: Whole, *, whole: bool
    ) -> Iterator[tuple[int, Whereabouts | None]]:
        """What was found, by object; what lies over the border of two windows is no find."""
        if not found:
            return
        starts = self.record_at[:records]
        numbers, ends = (np.array(column, np.int64) for column in zip(*found, strict=True))
        record = np.searchsorted(starts, ends - 1, side="right") - 1
        within = ends - lengths[numbers] >= starts[record]
        numbers, ends, record = numbers[within], ends[within], record[within]
        for one in np.unique(record):
            node = int(self.record_node[one])
            if not whole:
                yield node, None
                continue
            begin = int(starts[one])
            stop = int(starts[one + 1]) if one + 1 < records else length
            mine = record == one
            own = list(zip(numbers[mine].tolist(), (ends[mine] - begin).tolist(), strict=True))
            yield node, Whereabouts(node, self.scan.data[begin:stop], own)
