"""The kernel that reads what objects name: entries of trees, parents and trees of commits, targets of tags.

One walk over all trees, commits and tags gives the names to search, what is missing, and the edges that lead from a
hit up to the commits that hold it.
"""

from __future__ import annotations

import numpy as np

from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.layout import (
    B_ARENA,
    B_ARENA_SIZE,
    B_FAULT_COUNT,
    BAD_COMMIT,
    BAD_TREE,
    BEFORE,
    COMMIT,
    COMMITS,
    DONE,
    EDGES,
    ENTRIES,
    FAULTY,
    HEADS,
    L_COMMIT,
    L_COMMIT_COUNT,
    L_MISSING_COUNT,
    L_NUMBERS,
    L_PARENT,
    L_PARENT_COUNT,
    L_PARENT_OF,
    L_TAG,
    L_TAG_COUNT,
    L_TAGGED,
    LENGTH,
    MADE,
    MATCHED,
    MISSING,
    MORE,
    NAMED,
    NAMES,
    OWN,
    P_FINAL,
    PARENTS,
    RECORDS,
    STATUS,
    TAGS,
    TOLD,
    TOO_LARGE,
    TOP,
    TREE,
    WANTED,
    Whole,
)
from holdfast.exposure.git.memory import byte_at, put_byte, put_word, word_at
from holdfast.exposure.git.trees import find, has_room, look_up, miss, read_tree
from holdfast.exposure.git.walking import (
    FLUSH,
    descend,
    fault,
    give_back,
    lay_out,
    make,
    prepare,
    take,
    uncounted,
    usable,
)

ROW = 5
"""Numbers of a commit: its own, its tree's, seconds of committing and of writing, parents."""
NO_TIME = -(1 << 62)
_NO_ID = -2
_SPACE, _LINE_END, _CLOSING, _MINUS = 32, 10, 62, 45
_TREE_WORD, _PARENT_WORD = 0x74726565, 0x706172656E74
_AUTHOR_WORD, _COMMITTER_WORD, _OBJECT_WORD = 0x617574686F72, 0x636F6D6D69747465, 0x6F626A656374
_SCRATCH = 64
_ENOUGH = 1 << 14
"""Ids after which they are looked up: so many stay in the processor's cache."""


@kernel
def _digit(byte: int) -> int:
    if 0x30 <= byte <= 0x39:  # noqa: PLR2004 - a digit
        return byte - 0x30
    if 0x61 <= byte <= 0x66:  # noqa: PLR2004 - a letter of a hexadecimal number
        return byte - 0x57
    return -1


@kernel
def _hexadecimal(state: Whole, at: int, width: int) -> int:
    """Number of the object that hexadecimal digits name: -1 unknown, -2 no id. Its bytes go to the end of the arena."""
    scratch = state[B_ARENA] + state[B_ARENA_SIZE] - _SCRATCH
    for k in range(width):
        high, low = _digit(byte_at(at + 2 * k)), _digit(byte_at(at + 2 * k + 1))
        if high < 0 or low < 0:
            return _NO_ID
        put_byte(scratch + k, (high << 4) | low)
    return find(state, scratch, width)


@kernel
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


@kernel
def _next_line(at: int, end: int) -> int:
    while at < end and byte_at(at) != _LINE_END:
        at += 1
    return at + 1


@kernel
def _word(at: int, end: int) -> int:
    """The first eight bytes of a line at most, up to a space, as a number."""
    value, count = 0, 0
    while at < end and count < 8 and byte_at(at) != _SPACE and byte_at(at) != _LINE_END:  # noqa: PLR2004 - bytes of a word
        value = (value << 8) | byte_at(at)
        at += 1
        count += 1
    return value


@kernel
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
        miss(state, number, scratch, width)
    written, committed, parents = NO_TIME, NO_TIME, 0
    at = _next_line(at, end)
    while at < end and byte_at(at) != _LINE_END:
        word = _word(at, end)
        if word == _PARENT_WORD and at + 7 + 2 * width <= end:
            parent = _hexadecimal(state, at + 7, width)
            parents += 1
            if parent == -1 and state[MISSING] < state[L_MISSING_COUNT]:
                miss(state, number, scratch, width)
            if parent >= 0 and state[PARENTS] < state[L_PARENT_COUNT]:
                put_word(state[L_PARENT_OF] + 8 * state[PARENTS], number)
                put_word(state[L_PARENT] + 8 * state[PARENTS], parent)
                state[PARENTS] += 1
        elif word == _AUTHOR_WORD:
            written = _time(at, end)
        elif word == _COMMITTER_WORD:
            # Git writes nothing that leads anywhere after it, and signatures are long.
            committed = _time(at, end)
            break
        at = _next_line(at, end)
    row = state[L_COMMIT] + 8 * ROW * state[COMMITS]
    put_word(row, number)
    put_word(row + 8, tree)
    put_word(row + 16, committed)
    put_word(row + 24, written)
    put_word(row + 32, parents)
    state[COMMITS] += 1
    return 1


@kernel
def _read_tag(state: Whole, number: int, width: int) -> int:
    at = state[B_ARENA] + state[TOP]
    end = at + state[OWN]
    if _word(at, end) != _OBJECT_WORD or at + 7 + 2 * width > end:
        return 0
    target = _hexadecimal(state, at + 7, width)
    if target == _NO_ID:
        return 0
    if target < 0:
        miss(state, number, state[B_ARENA] + state[B_ARENA_SIZE] - _SCRATCH, width)
    put_word(state[L_TAG] + 8 * state[TAGS], number)
    put_word(state[L_TAGGED] + 8 * state[TAGS], target)
    state[TAGS] += 1
    return 1


@kernel
def _may_go_on(state: Whole) -> bool:
    return (
        has_room(state)
        and state[LENGTH] <= FLUSH
        and state[WANTED] < _ENOUGH
        and state[FAULTY] < state[B_FAULT_COUNT] - 2
        and state[COMMITS] < state[L_COMMIT_COUNT]
        and state[PARENTS] < state[L_PARENT_COUNT] // 2
        and state[TAGS] < state[L_TAG_COUNT]
    )


@kernel
def _read(state: Whole, node: int, width: int) -> int:
    number = word_at(state[L_NUMBERS] + 8 * node)
    kind = byte_at(state[P_FINAL] + node)
    if kind == TREE:
        return read_tree(state, node, number, width)
    return _read_commit(state, number, width) if kind == COMMIT else _read_tag(state, number, width)


@kernel
def go_on(state: Whole, width: int) -> None:
    """Look up what a step left, with an empty buffer for missing ids."""
    state[MISSING] = 0
    look_up(state, width)


@kernel
def link_step(state: Whole, width: int, anchor: int) -> None:
    """Walk on through trees, commits and tags until a buffer is full; see ``walking.step``.

    Afterwards the wanted ids are looked up, until ``TOLD`` of them are: ``go_on`` does the rest.

    Args:
        state: the walk's row of numbers.
        width: bytes of an id.
        anchor: bytes of the longest literal; 0 lays out nothing to search.
    """
    row = uncounted(state)
    _walk(row, width, anchor)
    look_up(row, width)


@kernel
def _walk(state: Whole, width: int, anchor: int) -> None:
    state[RECORDS] = state[LENGTH] = state[FAULTY] = state[HEADS] = 0
    state[EDGES] = state[NAMED] = state[NAMES] = state[MISSING] = 0
    state[BEFORE] += state[WANTED]
    state[WANTED] = state[TOLD] = 0
    state[COMMITS] = state[PARENTS] = state[TAGS] = 0
    state[STATUS] = MORE
    while _may_go_on(state):
        node = take(state)
        if node < 0:
            state[STATUS] = DONE
            return
        code = prepare(state, node)
        if not usable(state, node, code):
            continue
        make(state, node)
        filled, records = state[LENGTH], state[RECORDS]
        empty = filled == 0 and state[EDGES] == 0 and state[NAMED] == 0 and state[MISSING] == 0 and state[WANTED] == 0
        read = np.int64(-1)
        if anchor == 0 or lay_out(state, node, anchor, False):
            read = np.int64(_read(state, node, width))
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
