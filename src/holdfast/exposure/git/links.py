"""The kernel that reads what objects name: entries of trees, parents and trees of commits, targets of tags.

One walk over all trees, commits and tags gives the names to search, what is missing, and the edges that lead from a
hit up to the commits that hold it. Entries that a tree copies whole from its base are taken over and not read again.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from holdfast.exposure.git.inflating import copy
from holdfast.exposure.git.layout import (
    B_ARENA,
    B_ARENA_SIZE,
    B_DELTA,
    B_FAULT_COUNT,
    BAD_COMMIT,
    BAD_TREE,
    BELOW,
    COMMIT,
    COMMITS,
    DEPTH,
    DONE,
    EDGES,
    ENTRIES,
    FAULTY,
    FIRST,
    GAP,
    HEADS,
    K_BITS,
    K_BUCKET,
    K_FIRST,
    K_MARKS,
    K_SECOND,
    L_BEGINS,
    L_COMMIT,
    L_COMMIT_COUNT,
    L_EDGE_CHILD,
    L_EDGE_COUNT,
    L_EDGE_TREE,
    L_FRAME_AT,
    L_FRAME_COUNT,
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
    L_NUMBERS,
    L_PARENT,
    L_PARENT_COUNT,
    L_PARENT_OF,
    L_TAG,
    L_TAG_COUNT,
    L_TAGGED,
    L_TOLD,
    LEAN,
    LENGTH,
    MADE,
    MARKED,
    MATCHED,
    MISSING,
    MORE,
    NAMED,
    NAMES,
    OWN,
    P_FINAL,
    PARENTS,
    R_FIRST,
    R_NUMBER,
    R_SECOND,
    RECORDS,
    STATUS,
    TAGS,
    TOO_LARGE,
    TOP,
    TREE,
    Whole,
)
from holdfast.exposure.git.memory import big_word_at, byte_at, int_at, put_byte, put_int, put_word, word_at
from holdfast.exposure.git.walking import (
    FLUSH,
    delta_end,
    descend,
    fault,
    give_back,
    lay_out,
    make,
    operation,
    prepare,
    sprouts,
    take,
)

RECENT = 1 << 16
"""Look-ups that are remembered."""
LONGEST_NAME = 1 << 16
"""Bytes of one name that are told; file systems stop at 255."""
ROW = 5
"""Numbers of a commit: its own, its tree's, seconds of committing and of writing, parents."""
NO_TIME = -(1 << 62)
_DIRECTORY, _LINK, _ONE = 0x34, 0x36, 0x31
"""Modes of entries: ``40000`` is a folder, ``160000`` another repository."""
_DAMAGED, _FULL = -1, -2
_NO_ID = -2
_SPACE, _LINE_END, _CLOSING, _MINUS = 32, 10, 62, 45
_TREE_WORD, _PARENT_WORD = 0x74726565, 0x706172656E74
_AUTHOR_WORD, _COMMITTER_WORD, _OBJECT_WORD = 0x617574686F72, 0x636F6D6D69747465, 0x6F626A656374
_SCRATCH = 64


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _miss(state: Whole, source: int, at: int, width: int) -> None:
    place = state[MISSING]
    put_word(state[L_MISSING_FROM] + 8 * place, source)
    copy(state[L_MISSING_ID] + width * place, at, width)
    state[MISSING] = place + 1


@njit(cache=True, nogil=True)
def _has_room(state: Whole) -> bool:
    return (
        state[NAMED] < state[L_NAMED_COUNT]
        and state[NAMES] + LONGEST_NAME < state[L_NAMES_SIZE]
        and state[MISSING] < state[L_MISSING_COUNT]
        and state[EDGES] < state[L_EDGE_COUNT]
    )


@njit(cache=True, nogil=True)
def _tell(state: Whole, tree: int, told: int, start: int, stop: int, edges: bool) -> None:  # noqa: FBT001 - places only
    """Tell an entry whose object is known: a folder's edge, a marked object's name."""
    number = (told >> 1) - 1
    if byte_at(state[K_MARKS] + number):
        _name(state, tree, number, start, stop)
    if edges and told & 1:
        put_int(state[L_EDGE_TREE] + 4 * state[EDGES], tree)
        put_int(state[L_EDGE_CHILD] + 4 * state[EDGES], number)
        state[EDGES] += 1


@njit(cache=True, nogil=True)
def _read_entry(state: Whole, tree: int, place: int, reached: int, width: int, edges: bool) -> int:  # noqa: FBT001, PLR0913, PLR0917 - one entry
    """Read the entry at ``reached`` of the tree in the arena as number ``place``; where it ends, or why not."""
    if not _has_room(state):
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
                _miss(state, tree, stop + 1, width)
        put_word(state[R_FIRST] + slot, first)
        put_word(state[R_SECOND] + slot, second)
        put_word(state[R_NUMBER] + slot, number)
    told = np.int64(0)
    if number >= 0:
        told = 2 * number + 2 + (byte_at(at) == _DIRECTORY)
        _tell(state, tree, told, start, stop, edges)
    put_int(state[L_BEGINS] + 4 * place, reached)
    put_int(state[L_TOLD] + 4 * place, told)
    return stop + 1 + width - top


@njit(cache=True, nogil=True)
def _first_from(begins: int, low: int, high: int, wanted: int) -> int:
    while low < high:
        middle = (low + high) >> 1
        if int_at(begins + 4 * middle) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _take_over(state: Whole, tree: int, place: int, own: int, shift: int, width: int, edges: bool) -> bool:  # noqa: FBT001, PLR0913, PLR0917 - one entry
    """Take over one entry of the base; whether there was room."""
    told = int_at(state[L_TOLD] + 4 * place)
    begin = int_at(state[L_BEGINS] + 4 * place) + shift
    put_int(state[L_BEGINS] + 4 * own, begin)
    put_int(state[L_TOLD] + 4 * own, told)
    if told == 0:
        return True
    marked = state[MARKED] and byte_at(state[K_MARKS] + (told >> 1) - 1)
    if marked or (edges and told & 1):
        if not _has_room(state):
            return False
        start = stop = 0
        if marked:
            top = state[B_ARENA] + state[TOP]
            start, stop = _entry(top + begin, top + state[OWN], width)
        _tell(state, tree, told, start, stop, edges)
    return True


@njit(cache=True, nogil=True)
def _inherit(  # noqa: PLR0913, PLR0917 - one copy of a delta
    state: Whole, tree: int, own: int, reached: int, done: int, offset: int, length: int, width: int, edges: bool  # noqa: FBT001
) -> tuple[int, int]:
    """Take over the entries of the base that a copy holds whole: next place and how far the tree is read, or -1 and why.

    Between entries that are known from the base, what is new is read.
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
            continue
        if begin > reached:
            reached = _read_entry(state, tree, own, reached, width, edges)
            if reached < 0:
                return -1, reached
            own += 1
            continue
        if state[LEAN]:
            behind = _first_from(begins, place, last, limit + 1)
            if behind == last and state[BELOW] <= limit:
                return own, state[BELOW] + shift
            return own, int_at(begins + 4 * behind - 4) + shift
        while place < last:
            end = int_at(begins + 4 * place + 4) if place + 1 < last else state[BELOW]
            if end > limit:
                return own, reached
            if not _take_over(state, tree, place, own, shift, width, edges):
                return -1, _FULL
            own += 1
            place += 1
            reached = end + shift
    return own, reached


@njit(cache=True, nogil=True)
def _read_copies(state: Whole, node: int, tree: int, own: int, width: int, edges: bool) -> tuple[int, int]:  # noqa: FBT001, PLR0913, PLR0917 - one tree
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


@njit(cache=True, nogil=True)
def _read_tree(state: Whole, node: int, tree: int, width: int, edges: bool) -> int:  # noqa: FBT001 - places only
    """Read the tree in the arena: 1 when it is whole, 0 when it is damaged, -1 when there is no room."""
    depth = state[DEPTH]
    first, reached = 0, 0
    state[LEAN] = not (edges or state[MARKED] or sprouts(state, node))
    if depth > 0:
        frame = 8 * (depth - 1)
        first = word_at(state[L_FRAME_AT] + frame) + word_at(state[L_FRAME_COUNT] + frame)
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
    return -1 if reached == _FULL else whole


@njit(cache=True, nogil=True)
def _digit(byte: int) -> int:
    if 0x30 <= byte <= 0x39:  # noqa: PLR2004 - a digit
        return byte - 0x30
    if 0x61 <= byte <= 0x66:  # noqa: PLR2004 - a letter of a hexadecimal number
        return byte - 0x57
    return -1


@njit(cache=True, nogil=True)
def _hexadecimal(state: Whole, at: int, width: int) -> int:
    """Number of the object that hexadecimal digits name: -1 unknown, -2 no id. Its bytes go to the end of the arena."""
    scratch = state[B_ARENA] + state[B_ARENA_SIZE] - _SCRATCH
    for k in range(width):
        high, low = _digit(byte_at(at + 2 * k)), _digit(byte_at(at + 2 * k + 1))
        if high < 0 or low < 0:
            return _NO_ID
        put_byte(scratch + k, (high << 4) | low)
    return find(state, scratch)


@njit(cache=True, nogil=True)
def _time(at: int, end: int) -> int:
    """Seconds since 1970 at the end of an author's or committer's line; ``NO_TIME`` when there are none."""
    mark = -1
    while at < end and byte_at(at) != _LINE_END:
        if byte_at(at) == _CLOSING:
            mark = at
        at += 1
    if mark < 0 or mark + 2 >= at:
        return NO_TIME
    place, value, sign, digits = mark + 2, 0, 1, 0
    if byte_at(place) == _MINUS:
        sign = -1
        place += 1
    while place < at and 0x30 <= byte_at(place) <= 0x39 and digits < 15:  # noqa: PLR2004 - digits that fit
        value = value * 10 + byte_at(place) - 0x30
        place += 1
        digits += 1
    return sign * value if digits else NO_TIME


@njit(cache=True, nogil=True)
def _next_line(at: int, end: int) -> int:
    while at < end and byte_at(at) != _LINE_END:
        at += 1
    return at + 1


@njit(cache=True, nogil=True)
def _word(at: int, end: int) -> int:
    """The first eight bytes of a line at most, up to a space, as a number."""
    value, count = 0, 0
    while at < end and count < 8 and byte_at(at) != _SPACE and byte_at(at) != _LINE_END:  # noqa: PLR2004 - bytes of a word
        value = (value << 8) | byte_at(at)
        at += 1
        count += 1
    return value


@njit(cache=True, nogil=True)
def _read_commit(state: Whole, number: int, width: int) -> int:
    """Read the head of the commit in the arena: 1, or 0 when it is none."""
    at = state[B_ARENA] + state[TOP]
    end = at + state[OWN]
    scratch = state[B_ARENA] + state[B_ARENA_SIZE] - _SCRATCH
    if _word(at, end) != _TREE_WORD or at + 5 + 2 * width > end:
        return 0
    tree = _hexadecimal(state, at + 5, width)
    if tree == _NO_ID:
        return 0
    if tree < 0:
        _miss(state, number, scratch, width)
    written, committed, parents = NO_TIME, NO_TIME, 0
    at = _next_line(at, end)
    while at < end and byte_at(at) != _LINE_END:
        word = _word(at, end)
        if word == _PARENT_WORD and at + 7 + 2 * width <= end:
            parent = _hexadecimal(state, at + 7, width)
            parents += 1
            if parent == -1 and state[MISSING] < state[L_MISSING_COUNT]:
                _miss(state, number, scratch, width)
            if parent >= 0 and state[PARENTS] < state[L_PARENT_COUNT]:
                put_word(state[L_PARENT_OF] + 8 * state[PARENTS], number)
                put_word(state[L_PARENT] + 8 * state[PARENTS], parent)
                state[PARENTS] += 1
        elif word == _AUTHOR_WORD:
            written = _time(at, end)
        elif word == _COMMITTER_WORD:
            committed = _time(at, end)
        at = _next_line(at, end)
    row = state[L_COMMIT] + 8 * ROW * state[COMMITS]
    put_word(row, number)
    put_word(row + 8, tree)
    put_word(row + 16, committed)
    put_word(row + 24, written)
    put_word(row + 32, parents)
    state[COMMITS] += 1
    return 1


@njit(cache=True, nogil=True)
def _read_tag(state: Whole, number: int, width: int) -> int:
    at = state[B_ARENA] + state[TOP]
    end = at + state[OWN]
    if _word(at, end) != _OBJECT_WORD or at + 7 + 2 * width > end:
        return 0
    target = _hexadecimal(state, at + 7, width)
    if target == _NO_ID:
        return 0
    if target < 0:
        _miss(state, number, state[B_ARENA] + state[B_ARENA_SIZE] - _SCRATCH, width)
    put_word(state[L_TAG] + 8 * state[TAGS], number)
    put_word(state[L_TAGGED] + 8 * state[TAGS], target)
    state[TAGS] += 1
    return 1


@njit(cache=True, nogil=True)
def _may_go_on(state: Whole) -> bool:
    return (
        _has_room(state)
        and state[LENGTH] <= FLUSH
        and state[FAULTY] < state[B_FAULT_COUNT] - 2
        and state[COMMITS] < state[L_COMMIT_COUNT]
        and state[PARENTS] < state[L_PARENT_COUNT] // 2
        and state[TAGS] < state[L_TAG_COUNT]
    )


@njit(cache=True, nogil=True)
def _read(state: Whole, node: int, width: int, edges: bool) -> int:  # noqa: FBT001 - places only
    number = word_at(state[L_NUMBERS] + 8 * node)
    kind = byte_at(state[P_FINAL] + node)
    if kind == TREE:
        return _read_tree(state, node, number, width, edges)
    return _read_commit(state, number, width) if kind == COMMIT else _read_tag(state, number, width)


@njit(cache=True, nogil=True)
def link_step(state: Whole, width: int, anchor: int, edges: bool) -> None:  # noqa: FBT001 - the compiler takes places only
    """Walk on through trees, commits and tags until a buffer is full; see ``walking.step``.

    Args:
        state: the walk's row of numbers.
        width: bytes of an id.
        anchor: bytes of the longest literal; 0 lays out nothing to search.
        edges: whether folders within folders are told.
    """
    state[RECORDS] = state[LENGTH] = state[FAULTY] = state[HEADS] = 0
    state[EDGES] = state[NAMED] = state[NAMES] = state[MISSING] = 0
    state[COMMITS] = state[PARENTS] = state[TAGS] = 0
    state[STATUS] = MORE
    while _may_go_on(state):
        node = take(state)
        if node < 0:
            state[STATUS] = DONE
            return
        code = prepare(state, node)
        if code != 0:
            fault(state, node, code)
            if code != GAP:
                continue
        make(state, node)
        filled, records = state[LENGTH], state[RECORDS]
        empty = filled == 0 and state[EDGES] == 0 and state[NAMED] == 0 and state[MISSING] == 0
        read = np.int64(-1)
        if anchor == 0 or lay_out(state, node, anchor, False):  # noqa: FBT003 - as above
            read = np.int64(_read(state, node, width, edges))
        if read < 0:
            # No room: it comes again with empty buffers, and what was told of it is told twice, which harms nothing.
            state[LENGTH], state[RECORDS] = filled, records
            if empty:
                fault(state, node, TOO_LARGE)
                continue
            state[FAULTY] -= code != 0
            give_back(state)
            return
        if read == 0:
            fault(state, node, BAD_TREE if byte_at(state[P_FINAL] + node) == TREE else BAD_COMMIT)
        state[ENTRIES] += 1
        state[MADE] += state[OWN]
        state[MATCHED] += state[LENGTH] - filled
        descend(state, node)
