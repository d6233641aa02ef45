"""The part of the links' kernel that reads trees: new entries are looked up, what is copied from a base is taken over.

Whatever is told lands in the buffers of a walk (``L_…`` of ``layout``).
"""

from __future__ import annotations

import numpy as np

from holdfast.exposure.git.inflating import copy
from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.layout import (
    B_ARENA,
    B_DELTA,
    BELOW,
    DEPTH,
    EDGES,
    ENTRIES_AT,
    FIRST,
    K_BITS,
    K_BUCKET,
    K_FIRST,
    K_MARKS,
    K_SECOND,
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
    LEAN,
    MARKED,
    MISSING,
    NAMED,
    NAMES,
    OWN,
    R_FIRST,
    R_NUMBER,
    R_SECOND,
    SPECIAL_AT,
    SPECIALS,
    TOP,
    Whole,
)
from holdfast.exposure.git.memory import big_word_at, byte_at, int_at, put_int, put_word, word_at
from holdfast.exposure.git.walking import delta_end, operation, sprouts

RECENT = 1 << 16
"""Look-ups that are remembered."""
LONGEST_NAME = 1 << 16
"""Bytes of one name that are told; file systems stop at 255."""
_DIRECTORY, _LINK, _ONE = 0x34, 0x36, 0x31
"""Modes of entries: ``40000`` is a folder, ``160000`` another repository."""
_DAMAGED, _FULL = -1, -2
_SPACE = 32


@kernel
def find(state: Whole, at: int) -> int:
    """Number of the object whose id lies at an address; -1 when there is none.

    Sixteen bytes are compared: that those of two objects are equal, by chance or by design, is out of reach.
    """
    first, second = word_at(at), word_at(at + 8)
    number = big_word_at(at) >> state[K_BITS]
    bucket = state[K_BUCKET] + 8 * np.int64(number)
    for place in range(word_at(bucket), word_at(bucket + 8)):
        if word_at(state[K_FIRST] + 8 * place) == first and word_at(state[K_SECOND] + 8 * place) == second:
            return np.int64(place)
    return np.int64(-1)


@kernel
def _entry(at: int, end: int, width: int) -> tuple[int, int]:
    """Where the name of a tree's entry begins and where it ends; -1 when the entry is damaged."""
    space = at
    while space < end and space < at + 8 and byte_at(space) != _SPACE:
        space += 1
    if space >= end or byte_at(space) != _SPACE:
        return -1, at
    stop = space + 1
    while stop < end and byte_at(stop) != 0:
        stop += 1
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
    )


@kernel
def _tell(state: Whole, tree: int, told: int, start: int, stop: int, edges: bool) -> None:
    """Tell an entry whose object is known: a folder's edge, a marked object's name."""
    number = (told >> 1) - 1
    if byte_at(state[K_MARKS] + number):
        _name(state, tree, number, start, stop)
    if edges and told & 1:
        put_int(state[L_EDGE_TREE] + 4 * state[EDGES], tree)
        put_int(state[L_EDGE_CHILD] + 4 * state[EDGES], number)
        state[EDGES] += 1


@kernel
def _read_entry(state: Whole, tree: int, place: int, reached: int, width: int, edges: bool) -> int:
    """Read the entry at ``reached`` of the tree in the arena as number ``place``; where it ends, or why not."""
    if not has_room(state):
        return _FULL
    top = state[B_ARENA] + state[TOP]
    at = top + reached
    start, stop = _entry(at, top + state[OWN], width)
    if start < 0:
        return _DAMAGED
    first, second = word_at(stop + 1), word_at(stop + 9)
    slot = 8 * ((first >> 20) & (RECENT - 1))
    number = np.int64(-1)
    if word_at(state[R_FIRST] + slot) == first and word_at(state[R_SECOND] + slot) == second:
        number = word_at(state[R_NUMBER] + slot)
    else:
        if byte_at(at) == _ONE and byte_at(at + 1) == _LINK:
            _name(state, tree, -1, start, stop)
        else:
            number = find(state, stop + 1)
            if number < 0:
                miss(state, tree, stop + 1, width)
        put_word(state[R_FIRST] + slot, first)
        put_word(state[R_SECOND] + slot, second)
        put_word(state[R_NUMBER] + slot, number)
    told = np.int64(0)
    if number >= 0:
        told = 2 * number + 2 + (byte_at(at) == _DIRECTORY)
        _tell(state, tree, told, start, stop, edges)
        if told & 1 or byte_at(state[K_MARKS] + number):
            _remember(state, place)
    put_int(state[L_BEGINS] + 4 * place, reached)
    put_int(state[L_TOLD] + 4 * place, told)
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
def _remember(state: Whole, place: int) -> None:
    """Note that the entry at a place is a folder or marked: what is made from this tree looks at those only."""
    at = state[SPECIAL_AT] + state[SPECIALS]
    put_int(state[L_SPECIAL] + 4 * at, place - state[ENTRIES_AT])
    state[SPECIALS] += 1


@kernel
def _take_over(state: Whole, tree: int, place: int, count: int, own: int, shift: int, width: int, edges: bool) -> bool:
    """Take over some entries of the base, one after the other; whether there was room to tell of them."""
    begins, told = state[L_BEGINS], state[L_TOLD]
    for k in range(count):
        put_int(begins + 4 * (own + k), int_at(begins + 4 * (place + k)) + shift)
    copy(told + 4 * own, told + 4 * place, 4 * count)
    frame = 8 * (state[DEPTH] - 1)
    bottom = word_at(state[L_FRAME_AT] + frame)
    special = state[L_SPECIAL]
    at = word_at(state[L_FRAME_SPECIAL_AT] + frame)
    last = at + word_at(state[L_FRAME_SPECIALS] + frame)
    at = _first_from(special, at, last, place - bottom)
    while at < last and int_at(special + 4 * at) < place - bottom + count:
        if not has_room(state):
            return False
        mine = own + int_at(special + 4 * at) - (place - bottom)
        what = int_at(told + 4 * mine)
        start = stop = 0
        if state[MARKED] and byte_at(state[K_MARKS] + (what >> 1) - 1):
            top = state[B_ARENA] + state[TOP]
            start, stop = _entry(top + int_at(begins + 4 * mine), top + state[OWN], width)
        _tell(state, tree, what, start, stop, edges)
        _remember(state, mine)
        at += 1
    return True


@kernel
def _inherit(
    state: Whole, tree: int, own: int, reached: int, done: int, offset: int, length: int, width: int, edges: bool
) -> tuple[int, int]:
    """Take over the entries of the base that a copy holds whole.

    Gives the next place and how far the tree is read, or -1 and why. Between entries that are known from the base,
    what is new is read.
    """
    begins = state[L_BEGINS]
    frame = 8 * (state[DEPTH] - 1)
    bottom = word_at(state[L_FRAME_AT] + frame)
    last = bottom + word_at(state[L_FRAME_COUNT] + frame)
    place = _first_from(begins, bottom, last, offset)
    shift, limit = done - offset, offset + length
    while place < last and int_at(begins + 4 * place) < limit:
        begin = int_at(begins + 4 * place) + shift
        if begin < reached:
            place += 1
        elif begin > reached:
            reached = _read_entry(state, tree, own, reached, width, edges)
            if reached < 0:
                return -1, reached
            own += 1
        else:
            behind = _first_from(begins, place, last, limit + 1)
            whole = behind == last and state[BELOW] <= limit
            count = behind - place - (0 if whole else 1)
            if not state[LEAN] and not _take_over(state, tree, place, count, own, shift, width, edges):
                return -1, _FULL
            return own + count, (state[BELOW] if whole else int_at(begins + 4 * behind - 4)) + shift
    return own, reached


@kernel
def _read_copies(state: Whole, node: int, tree: int, own: int, width: int, edges: bool) -> tuple[int, int]:
    """Read a tree that is made from another as far as its last copy."""
    at, end = state[B_DELTA] + state[FIRST], delta_end(state, node)
    done, reached = 0, 0
    while at < end:
        byte = byte_at(at)
        at += 1
        if byte & 128:
            offset, length, at = operation(at, byte)
            own, reached = _inherit(state, tree, own, reached, done, offset, length, width, edges)
            if own < 0:
                return own, reached
            done += length
        else:
            at += byte
            done += byte
    return own, reached


@kernel
def read_tree(state: Whole, node: int, tree: int, width: int, edges: bool) -> int:
    """Read the tree in the arena: 1 when it is whole, 0 when it is damaged, -1 when there is no room."""
    depth = state[DEPTH]
    first, reached = 0, 0
    state[LEAN] = not (edges or state[MARKED] or sprouts(state, node))
    if depth > 0:
        frame = 8 * (depth - 1)
        first = word_at(state[L_FRAME_AT] + frame) + word_at(state[L_FRAME_COUNT] + frame)
        state[SPECIAL_AT] = word_at(state[L_FRAME_SPECIAL_AT] + frame) + word_at(state[L_FRAME_SPECIALS] + frame)
    else:
        state[SPECIAL_AT] = 0
    state[ENTRIES_AT], state[SPECIALS] = first, 0
    own = first
    if depth > 0:
        own, reached = _read_copies(state, node, tree, own, width, edges)
    while 0 <= reached < state[OWN]:
        reached = _read_entry(state, tree, own, reached, width, edges)
        own += 1
    whole = reached == state[OWN]
    # Of a damaged tree nothing is taken over: what is made from it is read anew.
    put_word(state[L_FRAME_AT] + 8 * depth, first)
    put_word(state[L_FRAME_COUNT] + 8 * depth, own - first if whole else 0)
    put_word(state[L_FRAME_SPECIAL_AT] + 8 * depth, state[SPECIAL_AT])
    put_word(state[L_FRAME_SPECIALS] + 8 * depth, state[SPECIALS] if whole else 0)
    return -1 if reached == _FULL else whole
