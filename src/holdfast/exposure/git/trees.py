"""The part of the links' kernel that reads trees: new entries are noted to be looked up, the rest comes from the base.

Whatever is told lands in the buffers of a walk (``L_…`` of ``layout``). Ids are looked up some thousands at a time:
one alone waits for memory three times, and many wait together.
"""

from __future__ import annotations

import numpy as np

from holdfast.exposure.git.deltas import operation
from holdfast.exposure.git.inflating import copy
from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.layout import (
    B_ARENA,
    B_DELTA,
    BEFORE,
    BELOW,
    DEPTH,
    EDGES,
    ENTRIES_AT,
    FIRST,
    FOLDERS,
    ID_ROOM,
    K_BITS,
    K_BUCKET,
    K_IDS,
    K_MARKS,
    K_MAYBE,
    L_BEGINS,
    L_EDGE_CHILD,
    L_EDGE_COUNT,
    L_EDGE_TREE,
    L_FRAME_AT,
    L_FRAME_COUNT,
    L_FRAME_SPECIAL_AT,
    L_FRAME_SPECIALS,
    L_MISSING_COUNT,
    L_MISSING_FROM,
    L_MISSING_ID,
    L_NAMED_AT,
    L_NAMED_CHILD,
    L_NAMED_COUNT,
    L_NAMED_LENGTH,
    L_NAMED_TREE,
    L_NAMES,
    L_NAMES_SIZE,
    L_SPECIAL,
    L_TOLD,
    L_WANTED,
    L_WANTED_COUNT,
    L_WANTED_FROM,
    LEAN,
    MARKED,
    MISSING,
    MOVED,
    NAMED,
    NAMES,
    NEAR,
    OWN,
    SPECIAL_AT,
    SPECIALS,
    TOLD,
    TOP,
    WANTED,
    Whole,
)
from holdfast.exposure.git.memory import (
    big_word_at,
    byte_at,
    fetch,
    int_at,
    lowest,
    move,
    put_int,
    put_word,
    shift_ints,
    word_at,
)
from holdfast.exposure.git.walking import delta_end, sprouts

LONGEST_NAME = 1 << 16
"""Bytes of one name that are told; file systems stop at 255."""
_DIRECTORY, _LINK, _ONE = 0x34, 0x36, 0x31
"""Modes of entries: ``40000`` is a folder, ``160000`` another repository."""
_DAMAGED, _FULL = -1, -2
_SPACE = 32
_AT_ONCE = 32
"""Look-ups that wait for memory together."""
_LOW_BITS, _HIGH_BITS = 0x0101010101010101, -0x7F7F7F7F7F7F7F80
"""Of eight bytes the lowest bits, and the highest."""


@kernel
def _bucket(state: Whole, at: int) -> int:
    return state[K_BUCKET] + 4 * np.int64(big_word_at(at) >> state[K_BITS])


@kernel
def find(state: Whole, at: int, width: int) -> int:
    """Number of the object whose id lies at an address; -1 when there is none.

    Sixteen bytes are compared: that those of two objects are equal, by chance or by design, is out of reach.
    """
    first, second = word_at(at), word_at(at + 8)
    bucket = _bucket(state, at)
    for place in range(int_at(bucket), int_at(bucket + 4)):
        row = state[K_IDS] + width * place
        if word_at(row) == first and word_at(row + 8) == second:
            return np.int64(place)
    return np.int64(-1)


@kernel
def look_up(state: Whole, width: int) -> None:
    """Look up what is wanted, until all is told or the buffer of missing ids is full."""
    ids, sources = state[L_WANTED], state[L_WANTED_FROM]
    while state[TOLD] < state[WANTED] and state[MISSING] + _AT_ONCE <= state[L_MISSING_COUNT]:
        begin, end = state[TOLD], min(state[TOLD] + _AT_ONCE, state[WANTED])
        for k in range(begin, end):
            fetch(_bucket(state, ids + ID_ROOM * k))
        for k in range(begin, end):
            row = state[K_IDS] + width * int_at(_bucket(state, ids + ID_ROOM * k))
            fetch(row)
            fetch(row + 64)
        for k in range(begin, end):
            number = find(state, ids + ID_ROOM * k, width)
            if number < 0:
                miss(state, word_at(sources + 8 * k), ids + ID_ROOM * k, width)
            put_word(sources + 8 * k, number)
        state[TOLD] = end


@kernel
def _entry(at: int, end: int, width: int) -> tuple[int, int]:
    """Where the name of a tree's entry begins and where it ends; -1 when the entry is damaged."""
    space = at
    while space < end and space < at + 8 and byte_at(space) != _SPACE:
        space += 1
    if space >= end or byte_at(space) != _SPACE:
        return -1, at
    stop = space + 1
    while stop < end:
        word = word_at(stop)
        zeros = (word - _LOW_BITS) & ~word & _HIGH_BITS
        if zeros != 0:
            stop += lowest(zeros) >> 3
            break
        stop += 8
    if stop + 1 + width > end:
        return -1, at
    return space + 1, stop


@kernel
def _name(state: Whole, tree: int, child: int, start: int, stop: int) -> None:
    place, at = state[NAMED], state[NAMES]
    length = min(stop - start, LONGEST_NAME)
    put_word(state[L_NAMED_TREE] + 8 * place, tree)
    put_word(state[L_NAMED_CHILD] + 8 * place, child)
    put_word(state[L_NAMED_AT] + 8 * place, at)
    put_word(state[L_NAMED_LENGTH] + 8 * place, length)
    copy(state[L_NAMES] + at, start, length)
    state[NAMED] = place + 1
    state[NAMES] = at + length


@kernel
def miss(state: Whole, source: int, at: int, width: int) -> None:
    """Tell an id that is named and not here; there must be room."""
    place = state[MISSING]
    put_word(state[L_MISSING_FROM] + 8 * place, source)
    copy(state[L_MISSING_ID] + width * place, at, width)
    state[MISSING] = place + 1


@kernel
def has_room(state: Whole) -> bool:
    """Whether one more of everything can be told."""
    return (
        state[NAMED] < state[L_NAMED_COUNT]
        and state[NAMES] + LONGEST_NAME < state[L_NAMES_SIZE]
        and state[MISSING] < state[L_MISSING_COUNT]
        and state[EDGES] < state[L_EDGE_COUNT]
        and state[WANTED] < state[L_WANTED_COUNT]
    )


@kernel
def _want(state: Whole, tree: int, at: int, folder: bool) -> None:
    """Note an id that is to be looked up."""
    place = state[WANTED]
    move(state[L_WANTED] + ID_ROOM * place, at)
    put_word(state[L_WANTED_FROM] + 8 * place, tree)
    if folder and state[FOLDERS]:
        put_int(state[L_EDGE_TREE] + 4 * state[EDGES], tree)
        put_int(state[L_EDGE_CHILD] + 4 * state[EDGES], state[BEFORE] + place)
        state[EDGES] += 1
    state[WANTED] = place + 1


@kernel
def _read_entry(state: Whole, tree: int, place: int, reached: int, width: int) -> int:
    """Read the entry at ``reached`` of the tree in the arena as number ``place``; where it ends, or why not."""
    if not has_room(state):
        return _FULL
    top = state[B_ARENA] + state[TOP]
    at = top + reached
    start, stop = _entry(at, top + state[OWN], width)
    if start < 0:
        return _DAMAGED
    put_int(state[L_BEGINS] + 4 * place, reached)
    if byte_at(at) == _ONE and byte_at(at + 1) == _LINK:
        _name(state, tree, -1, start, stop)
        return stop + 1 + width - top
    _want(state, tree, stop + 1, byte_at(at) == _DIRECTORY)
    if state[MARKED] and byte_at(state[K_MAYBE] + (word_at(stop + 1) & 0xFFFF)):
        number = find(state, stop + 1, width)
        if number >= 0 and byte_at(state[K_MARKS] + number):
            _name(state, tree, number, start, stop)
            _remember(state, place, number)
    return stop + 1 + width - top


@kernel
def _first_from(begins: int, low: int, high: int, wanted: int) -> int:
    while low < high:
        middle = (low + high) >> 1
        if int_at(begins + 4 * middle) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _first_near(begins: int, near: int, low: int, high: int, wanted: int) -> int:
    """As ``_first_from``, looked for from a place on, in growing steps."""
    if near > low and int_at(begins + 4 * near - 4) >= wanted:
        return _first_from(begins, low, near - 1, wanted)
    step = 1
    while near + step <= high and int_at(begins + 4 * (near + step - 1)) < wanted:
        near += step
        step *= 2
    return _first_from(begins, near, min(high, near + step - 1), wanted)


@kernel
def _remember(state: Whole, place: int, number: int) -> None:
    """Note that the entry at a place names a marked object: what is made from this tree looks at those only."""
    if state[LEAN]:
        return
    at = 4 * (state[SPECIAL_AT] + state[SPECIALS])
    put_int(state[L_SPECIAL] + at, place - state[ENTRIES_AT])
    put_int(state[L_TOLD] + at, number)
    state[SPECIALS] += 1


@kernel
def _take_over(state: Whole, tree: int, place: int, count: int, own: int, shift: int, width: int) -> bool:
    """Take over some entries of the base, one after the other; whether there was room to tell of them."""
    begins, frame = state[L_BEGINS], 8 * (state[DEPTH] - 1)
    if not state[LEAN]:
        for k in range(0, count, MOVED // 4):
            shift_ints(begins + 4 * (own + k), begins + 4 * (place + k), shift)
    if not state[MARKED]:
        return True
    special, first = state[L_SPECIAL], place - word_at(state[L_FRAME_AT] + frame)
    at = word_at(state[L_FRAME_SPECIAL_AT] + frame)
    last = at + word_at(state[L_FRAME_SPECIALS] + frame)
    at = _first_from(special, at, last, first)
    top = state[B_ARENA] + state[TOP]
    while at < last and int_at(special + 4 * at) < first + count:
        if not has_room(state):
            return False
        mine, number = int_at(special + 4 * at) - first, int_at(state[L_TOLD] + 4 * at)
        start, stop = _entry(top + int_at(begins + 4 * (place + mine)) + shift, top + state[OWN], width)
        _name(state, tree, number, start, stop)
        _remember(state, own + mine, number)
        at += 1
    return True


@kernel
def _inherit(
    state: Whole, tree: int, own: int, reached: int, done: int, offset: int, length: int, width: int
) -> tuple[int, int]:
    """Take over the entries of the base that a copy holds whole.

    Gives the next place and how far the tree is read, or -1 and why. Between entries that are known from the base,
    what is new is read.
    """
    begins = state[L_BEGINS]
    frame = 8 * (state[DEPTH] - 1)
    bottom = word_at(state[L_FRAME_AT] + frame)
    last = bottom + word_at(state[L_FRAME_COUNT] + frame)
    place = _first_near(begins, state[NEAR], bottom, last, offset)
    shift, limit = done - offset, offset + length
    while place < last and int_at(begins + 4 * place) < limit:
        begin = int_at(begins + 4 * place) + shift
        if begin < reached:
            place += 1
        elif begin > reached:
            reached = _read_entry(state, tree, own, reached, width)
            if reached < 0:
                return -1, reached
            own += 1
        else:
            behind = state[NEAR] = _first_near(begins, place, place, last, limit + 1)
            whole = behind == last and state[BELOW] <= limit
            count = behind - place - (0 if whole else 1)
            needed = state[MARKED] or not state[LEAN]
            if needed and not _take_over(state, tree, place, count, own, shift, width):
                return -1, _FULL
            return own + count, (state[BELOW] if whole else int_at(begins + 4 * behind - 4)) + shift
    return own, reached


@kernel
def _read_copies(state: Whole, node: int, tree: int, own: int, width: int) -> tuple[int, int]:
    """Read a tree that is made from another as far as its last copy."""
    at, end = state[B_DELTA] + state[FIRST], delta_end(state, node)
    done, reached = 0, 0
    while at < end:
        byte = byte_at(at)
        at += 1
        if byte & 128:
            offset, length, at = operation(at, byte)
            own, reached = _inherit(state, tree, own, reached, done, offset, length, width)
            if own < 0:
                return own, reached
            done += length
        else:
            at += byte
            done += byte
    return own, reached


@kernel
def read_tree(state: Whole, node: int, tree: int, width: int) -> int:
    """Read the tree in the arena: 1 when it is whole, 0 when it is damaged, -1 when there is no room."""
    depth = state[DEPTH]
    first, reached = 0, 0
    state[LEAN] = not sprouts(state, node)
    if depth > 0:
        frame = 8 * (depth - 1)
        state[NEAR] = word_at(state[L_FRAME_AT] + frame)
        first = state[NEAR] + word_at(state[L_FRAME_COUNT] + frame)
        state[SPECIAL_AT] = word_at(state[L_FRAME_SPECIAL_AT] + frame) + word_at(state[L_FRAME_SPECIALS] + frame)
    else:
        state[SPECIAL_AT] = 0
    state[ENTRIES_AT], state[SPECIALS] = first, 0
    own = first
    if depth > 0:
        own, reached = _read_copies(state, node, tree, own, width)
    while 0 <= reached < state[OWN]:
        reached = _read_entry(state, tree, own, reached, width)
        own += 1
    whole = reached == state[OWN]
    # Of a damaged tree nothing is taken over: what is made from it is read anew.
    put_word(state[L_FRAME_AT] + 8 * depth, first)
    put_word(state[L_FRAME_COUNT] + 8 * depth, own - first if whole else 0)
    put_word(state[L_FRAME_SPECIAL_AT] + 8 * depth, state[SPECIAL_AT])
    put_word(state[L_FRAME_SPECIALS] + 8 * depth, state[SPECIALS] if whole else 0)
    return -1 if reached == _FULL else whole
