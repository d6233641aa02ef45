"""The kernel that makes every object of some delta trees once and lays out what of it is worth searching."""

from __future__ import annotations

import numpy as np
from numba import njit

from holdfast.exposure.git.inflating import copy, inflate, make_inflater
from holdfast.exposure.git.layout import (
    BAD_DELTA,
    BASE,
    BELOW,
    BLOB,
    CORRUPT,
    DEPTH,
    DIRECT,
    DIRECT_AT,
    DIRECT_LENGTH,
    DIRECT_NODE,
    DONE,
    ENTRIES,
    FAULTY,
    FIRST,
    FORCE,
    GAP,
    HEADS,
    LENGTH,
    MADE,
    MATCHED,
    MORE,
    OWN,
    RECORDS,
    ROOT,
    SHORT,
    STATUS,
    TOO_DEEP,
    TOO_LARGE,
    TOP,
    Pack,
    Space,
    Stack,
    Whole,
)

HEAD = 265
"""Bytes of an object that tell whether it is an archive (tar has its mark at 257)."""
FLUSH = 1 << 19
"""Bytes laid out after which they are searched: so many stay in the processor's cache."""
LONG = 1 << 19
"""Bytes of a whole object from which on it is searched where it lies instead of being laid out."""
_TAR = 257


@njit(cache=True, nogil=True)
def new_inflater() -> int:
    """A decompressor, for the life of the worker."""
    return make_inflater()


@njit(cache=True, nogil=True)
def unpack(pack: Pack, node: int, target: int, room: int, inflater: int, used: np.ndarray) -> int:
    """Inflate an entry to an address; 0, or why not.

    Every entry must end exactly where the next one begins: bytes that no index names are a fault.
    """
    size = pack.size[node]
    if size > room:
        return TOO_LARGE
    available = pack.stop[node] - pack.start[node]
    place = pack.data.ctypes.data + pack.start[node]
    failed = inflate(inflater, place, available, target, size, used.ctypes.data, 0)
    if failed == 1:
        return CORRUPT
    if failed != 0:
        return SHORT
    return 0 if np.int64(used[0]) == available else GAP


@njit(cache=True, nogil=True)
def _number(data: np.ndarray, at: int, end: int) -> tuple[int, int]:
    """A size of a delta's head and where it ends; -1 when it does not end."""
    value, shift = np.int64(0), 0
    while at < end and shift < 56:  # noqa: PLR2004 - bits that fit
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at
    return np.int64(-1), at


@njit(cache=True, nogil=True)
def _operation(data: np.ndarray, at: int, byte: int) -> tuple[int, int, int]:
    """Offset and length of a copy, and where it ends; the caller left eight bytes of room."""
    offset, length = np.int64(0), np.int64(0)
    for k in range(4):
        if byte & (1 << k):
            offset |= np.int64(data[at]) << (8 * k)
            at += 1
    for k in range(3):
        if byte & (16 << k):
            length |= np.int64(data[at]) << (8 * k)
            at += 1
    return offset, length if length else np.int64(65536), at


@njit(cache=True, nogil=True)
def delta_sizes(data: np.ndarray, end: int, base: int) -> tuple[int, int]:
    """Length of a delta's result and where its operations begin; -1 when the delta does not fit or is damaged.

    All operations are checked here, so that whoever follows them needs no check.
    """
    said, at = _number(data, 0, end)
    made, at = _number(data, at, end)
    if said != base or made < 0:
        return np.int64(-1), at
    first, total = at, np.int64(0)
    for k in range(8):
        data[end + k] = 0
    while at < end:
        byte = np.int64(data[at])
        at += 1
        if byte & 128:
            offset, length, at = _operation(data, at, byte)
            if offset + length > base:
                return np.int64(-1), first
        else:
            length = byte
            at += length
            if byte == 0:
                return np.int64(-1), first
        total += length
        if total > made:
            return np.int64(-1), first
    return (made, first) if total == made and at == end else (np.int64(-1), first)


@njit(cache=True, nogil=True)
def apply_delta(data: np.ndarray, at: int, end: int, base: int, target: int, stop: int) -> None:
    """Make the first bytes of a checked delta's result, up to ``stop``; base and target are addresses."""
    source = data.ctypes.data
    done = np.int64(0)
    while at < end and done < stop:
        byte = np.int64(data[at])
        at += 1
        if byte & 128:
            offset, length, at = _operation(data, at, byte)
            copy(target + done, base + offset, min(length, stop - done))
        else:
            length = byte
            copy(target + done, source + at, min(length, stop - done))
            at += length
        done += length


@njit(cache=True, nogil=True)
def _window(  # noqa: PLR0913, PLR0917 - one window, and where it goes
    space: Space, state: Whole, node: int, source: int, start: int, length: int, reached: int
) -> int:
    """Lay out bytes of an object; where they end, or -1 when there is no room. What continues a window joins it."""
    at = state[LENGTH]
    if at + length > space.scan.shape[0]:
        return np.int64(-1)
    if start != reached:
        number = state[RECORDS]
        if number >= space.record_at.shape[0]:
            return np.int64(-1)
        space.record_at[number] = at
        space.record_node[number] = node
        space.record_from[number] = start
        state[RECORDS] = number + 1
    copy(space.scan.ctypes.data + at, source, length)
    state[LENGTH] = at + length
    return start + length


@njit(cache=True, nogil=True)
def _novel(  # noqa: C901, PLR0913, PLR0917, PLR0912 - one loop over operations; a call for each part costs more than it
    space: Space, state: Whole, node: int, at: int, end: int, base: int, width: int
) -> bool:
    """Lay out the novel windows of a checked delta's result; whether there was room for all."""
    data = space.delta
    source = data.ctypes.data
    margin = width - 1
    done, reached = np.int64(0), np.int64(-1)
    copied_at, copied_from, copied = np.int64(0), np.int64(0), np.int64(-1)
    while True:
        more = at < end
        literal = np.int64(0)
        offset, length = np.int64(0), np.int64(0)
        if more:
            byte = np.int64(data[at])
            at += 1
            if byte & 128:
                offset, length, at = _operation(data, at, byte)
                if copied >= 0 and offset == copied_from + copied:
                    copied += length
                    done += length
                    continue
            else:
                literal = byte
        if copied >= 0:
            head = min(copied, margin) if copied_at > 0 else np.int64(0)
            if head > 0:
                reached = _window(space, state, node, base + copied_from, copied_at, head, reached)
                if reached < 0:
                    return False
            tail = max(head, copied - margin) if more else copied
            if tail < copied:
                reached = _window(
                    space, state, node, base + copied_from + tail, copied_at + tail, copied - tail, reached
                )
                if reached < 0:
                    return False
        if not more:
            return True
        if literal > 0:
            reached = _window(space, state, node, source + at, done, literal, reached)
            if reached < 0:
                return False
            at += literal
            done += literal
            copied = np.int64(-1)
        else:
            copied_at, copied_from, copied = done, offset, length
            done += length


@njit(cache=True, nogil=True)
def fault(space: Space, state: Whole, node: int, code: int) -> None:
    """Note why an entry could not be made; there must be room."""
    number = state[FAULTY]
    space.fault_node[number] = node
    space.fault_code[number] = code
    state[FAULTY] = number + 1


@njit(cache=True, nogil=True)
def _look_at_head(space: Space, state: Whole, node: int, length: int) -> None:
    """Note an object that may be an archive; its first bytes lie in ``space.head``."""
    head = space.head
    if length < 4:  # noqa: PLR2004 - no archive is shorter
        return
    pair = (np.int64(head[0]) << 8) | np.int64(head[1])
    tar = (
        length >= HEAD
        and head[_TAR] == 0x75  # noqa: PLR2004 - ustar
        and head[_TAR + 1] == 0x73  # noqa: PLR2004
        and head[_TAR + 2] == 0x74  # noqa: PLR2004
        and head[_TAR + 3] == 0x61  # noqa: PLR2004
        and head[_TAR + 4] == 0x72  # noqa: PLR2004
    )
    if space.heads[pair] or tar:
        space.head_node[state[HEADS]] = node
        state[HEADS] += 1


@njit(cache=True, nogil=True)
def take(pack: Pack, roots: Whole, stack: Stack, state: Whole) -> int:
    """The next entry of the walk, parents before children; -1 when there is none."""
    while True:
        depth = state[DEPTH]
        if depth == 0:
            if state[ROOT] >= roots.shape[0]:
                return np.int64(-1)
            state[TOP] = state[BASE] = state[BELOW] = 0
            state[ROOT] += 1
            return roots[state[ROOT] - 1]
        frame = depth - 1
        place = stack.child[frame]
        if place >= pack.first_child[stack.node[frame] + 1]:
            state[DEPTH] = frame
            continue
        stack.child[frame] = place + 1
        state[BASE], state[BELOW] = stack.at[frame], stack.length[frame]
        state[TOP] = state[BASE] + state[BELOW]
        return pack.children[place]


@njit(cache=True, nogil=True)
def give_back(stack: Stack, state: Whole) -> None:
    """The entry just taken comes again."""
    if state[DEPTH] == 0:
        state[ROOT] -= 1
    else:
        stack.child[state[DEPTH] - 1] -= 1


@njit(cache=True, nogil=True)
def prepare(pack: Pack, node: int, space: Space, state: Whole, inflater: int) -> int:
    """Inflate an entry: a whole object to its place in the arena, a delta aside, checked. 0, or why not."""
    room = space.arena.shape[0] - state[TOP]
    size = pack.size[node]
    if state[DEPTH] == 0:
        state[OWN] = size
        return unpack(pack, node, space.arena.ctypes.data, room, inflater, space.used)
    code = unpack(pack, node, space.delta.ctypes.data, space.delta.shape[0] - 8, inflater, space.used)
    if code != 0 and code != GAP:  # noqa: PLR1714 - a set is slower here
        return code
    length, first = delta_sizes(space.delta, size, state[BELOW])
    state[OWN], state[FIRST] = length, first
    if length < 0:
        return BAD_DELTA
    return TOO_LARGE if length > room else code


@njit(cache=True, nogil=True)
def make(pack: Pack, node: int, space: Space, state: Whole) -> None:
    """Make a prepared object in the arena; whole ones are there already."""
    if state[DEPTH] > 0:
        arena = space.arena.ctypes.data
        apply_delta(space.delta, state[FIRST], pack.size[node], arena + state[BASE], arena + state[TOP], state[OWN])


@njit(cache=True, nogil=True)
def lay_out(pack: Pack, node: int, space: Space, state: Whole, width: int, whole: bool) -> bool:
    """Lay out what of a prepared object is to be searched; when there is no room, nothing of it."""
    records, filled = state[RECORDS], state[LENGTH]
    arena = space.arena.ctypes.data
    if whole or state[DEPTH] == 0:
        fits = _window(space, state, node, arena + state[TOP], 0, state[OWN], -1) >= 0
    else:
        fits = _novel(space, state, node, state[FIRST], pack.size[node], arena + state[BASE], width)
    if not fits:
        state[RECORDS], state[LENGTH] = records, filled
    return fits


@njit(cache=True, nogil=True)
def descend(pack: Pack, node: int, stack: Stack, space: Space, state: Whole) -> None:
    """Go on with what is made from the object in hand."""
    depth = state[DEPTH]
    if pack.first_child[node + 1] == pack.first_child[node]:
        return
    if depth >= stack.node.shape[0]:
        fault(space, state, node, TOO_DEEP)
        return
    stack.node[depth] = node
    stack.at[depth] = state[TOP]
    stack.length[depth] = state[OWN]
    stack.child[depth] = pack.first_child[node]
    state[DEPTH] = depth + 1


@njit(cache=True, nogil=True)
def _note_head(pack: Pack, node: int, space: Space, state: Whole, made: bool) -> None:
    size = min(state[OWN], HEAD)
    arena = space.arena.ctypes.data
    if made:
        copy(space.head.ctypes.data, arena + state[TOP], size)
    else:
        apply_delta(
            space.delta, state[FIRST], pack.size[node], arena + state[BASE], space.head.ctypes.data, size
        )
    _look_at_head(space, state, node, state[OWN])


@njit(cache=True, nogil=True)
def step(  # noqa: PLR0913, PLR0917 - the walk's own state, which no record holds together for the compiler
    pack: Pack, roots: Whole, stack: Stack, space: Space, state: Whole, width: int, whole: bool, inflater: int
) -> None:
    """Walk on until there is enough to search.

    Afterwards ``scan[:LENGTH]`` holds windows, told by the records; when ``STATUS`` is ``DIRECT``, the object that lies
    in the arena at ``DIRECT_AT`` is to be searched whole besides.

    Args:
        pack: the entries.
        roots: whole objects whose delta trees are walked.
        stack: kept between calls.
        space: buffers.
        state: kept between calls, zeros at first.
        width: bytes of the longest anchor.
        whole: whether every object is laid out whole and not only its novel windows.
        inflater: of this worker.
    """
    state[RECORDS] = state[LENGTH] = state[FAULTY] = state[HEADS] = 0
    state[STATUS] = MORE
    while (
        state[LENGTH] <= FLUSH
        and state[FAULTY] < space.fault_node.shape[0] - 1
        and state[HEADS] < space.head_node.shape[0]
    ):
        node = take(pack, roots, stack, state)
        if node < 0:
            state[STATUS] = DONE
            return
        code = prepare(pack, node, space, state, inflater)
        if code != 0:
            fault(space, state, node, code)
            if code != GAP:
                continue
        alone = state[DEPTH] == 0
        made = alone or whole or state[FORCE] != 0 or pack.first_child[node + 1] > pack.first_child[node]
        if made:
            make(pack, node, space, state)
        directly = state[FORCE] != 0 or ((whole or alone) and state[OWN] > LONG)
        filled = state[LENGTH]
        if not directly and not lay_out(pack, node, space, state, width, whole):
            # It comes again with empty buffers, or is searched whole where it lies.
            empty = state[RECORDS] == 0 and state[HEADS] == 0
            state[FAULTY] -= code != 0
            state[FORCE] = empty and state[FAULTY] == 0
            give_back(stack, state)
            if state[FORCE] != 0:
                continue
            return
        state[FORCE] = 0
        state[ENTRIES] += 1
        state[MADE] += state[OWN]
        state[MATCHED] += state[LENGTH] - filled
        if pack.final[node] == BLOB:
            _note_head(pack, node, space, state, made)
        if directly:
            state[MATCHED] += state[OWN]
            state[STATUS] = DIRECT
            state[DIRECT_AT], state[DIRECT_LENGTH], state[DIRECT_NODE] = state[TOP], state[OWN], node
        descend(pack, node, stack, space, state)
        if directly:
            return
