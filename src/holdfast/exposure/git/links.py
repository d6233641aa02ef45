"""The kernel that reads what objects name: entries of trees, parents and trees of commits, targets of tags.

One walk over all trees, commits and tags gives the names to search, what is missing, and the edges that lead from a
hit up to the commits that hold it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from holdfast.exposure.git.inflating import copy
from holdfast.exposure.git.layout import (
    BAD_COMMIT,
    BAD_TREE,
    COMMIT,
    COMMITS,
    DONE,
    EDGES,
    ENTRIES,
    FAULTY,
    GAP,
    HEADS,
    LENGTH,
    MADE,
    MATCHED,
    MISSING,
    MORE,
    NAMED,
    NAMES,
    OWN,
    PARENTS,
    RECORDS,
    STATUS,
    TAGS,
    TOO_LARGE,
    TOP,
    TREE,
    Bytes,
    Pack,
    Space,
    Stack,
    Whole,
)
from holdfast.exposure.git.walking import FLUSH, descend, fault, give_back, lay_out, make, prepare, take

_CACHE = 1 << 16
_FOLDER, _LINK = 0x34, 0x36
"""Modes of entries: ``40000`` is a folder, ``160000`` another repository."""
_UNKNOWN = -1
_LONGEST = 1 << 16
"""Bytes of one name; git's own limit is lower."""


class Known(NamedTuple):
    """Every object of a repository by its id, sorted; its number is its place."""

    first: NDArray[np.uint64]
    """The first eight bytes of the ids."""
    second: NDArray[np.uint64]
    """The next eight: that both are equal by chance or by design is out of reach."""
    marks: NDArray[np.uint8]
    """Objects whose places are wanted: entries that name them are told with their names."""


class Recent(NamedTuple):
    """Answers of look-ups, by the first bytes of the id."""

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    number: Whole


class Links(NamedTuple):
    """What was read in one step."""

    edge_tree: NDArray[np.int32]
    edge_child: NDArray[np.int32]
    """Folders within folders, by number."""
    named_tree: Whole
    named_child: Whole
    """Marked entries; -1 for another repository."""
    named_at: Whole
    named_length: Whole
    names: Bytes
    missing_from: Whole
    missing_id: Bytes
    commit: Whole
    """Rows of number, number of the tree, time of committing, time of writing, parents."""
    parent_of: Whole
    parent: Whole
    tag: Whole
    tagged: Whole


class Parts(NamedTuple):
    """Everything a walk needs besides the pack, so that a call stays readable."""

    stack: Stack
    space: Space
    state: Whole
    known: Known
    recent: Recent
    links: Links
    numbers: Whole
    """Number of the object that each entry of the pack makes."""


@njit(cache=True, nogil=True)
def _word(data: Bytes, at: int) -> int:
    value = np.uint64(0)
    for k in range(8):
        value = (value << np.uint64(8)) | np.uint64(data[at + k])
    return value


@njit(cache=True, nogil=True)
def find(known: Known, first: int, second: int) -> int:
    """Number of the object with these first sixteen bytes; -1 when there is none."""
    low, high = np.int64(0), np.int64(known.first.shape[0] - 1)
    while low <= high:
        bottom, top = known.first[low], known.first[high]
        if first < bottom or first > top:
            return np.int64(-1)
        if top == bottom:
            middle = low
        else:
            share = np.float64(first - bottom) / np.float64(top - bottom)
            middle = low + np.int64(share * (high - low))
            middle = min(max(middle, low), high)
        value = known.first[middle]
        if value < first:
            low = middle + 1
        elif value > first:
            high = middle - 1
        else:
            while middle > 0 and known.first[middle - 1] == first:
                middle -= 1
            while middle < known.first.shape[0] and known.first[middle] == first:
                if known.second[middle] == second:
                    return middle
                middle += 1
            return np.int64(-1)
    return np.int64(-1)


@njit(cache=True, nogil=True)
def _entry(data: Bytes, at: int, end: int, width: int) -> tuple[int, int]:
    """Where the name of a tree's entry begins and where it ends; -1 when the entry is damaged."""
    space = at
    while space < end and space < at + 8 and data[space] != 32:  # noqa: PLR2004 - a space
        space += 1
    if space >= end or data[space] != 32:  # noqa: PLR2004 - likewise
        return np.int64(-1), at
    stop = space + 1
    while stop < end and data[stop] != 0:
        stop += 1
    if stop + 1 + width > end:
        return np.int64(-1), at
    return space + 1, stop


@njit(cache=True, nogil=True)
def _name(parts: Parts, tree: int, child: int, start: int, stop: int) -> None:
    links, state, arena = parts.links, parts.state, parts.space.arena
    place, at = state[NAMED], state[NAMES]
    length = min(stop - start, _LONGEST)
    links.named_tree[place] = tree
    links.named_child[place] = child
    links.named_at[place] = at
    links.named_length[place] = length
    copy(links.names.ctypes.data + at, arena.ctypes.data + start, length)
    state[NAMED] = place + 1
    state[NAMES] = at + length


@njit(cache=True, nogil=True)
def _miss(parts: Parts, source: int, at: int, width: int) -> None:
    state, links = parts.state, parts.links
    place = state[MISSING]
    links.missing_from[place] = source
    for k in range(width):
        links.missing_id[place, k] = parts.space.arena[at + k]
    state[MISSING] = place + 1


@njit(cache=True, nogil=True)
def _has_room(parts: Parts) -> bool:
    state, links = parts.state, parts.links
    return (
        state[NAMED] < links.named_tree.shape[0]
        and state[NAMES] + _LONGEST < links.names.shape[0]
        and state[MISSING] < links.missing_from.shape[0]
        and state[EDGES] < links.edge_tree.shape[0]
    )


@njit(cache=True, nogil=True)
def _read_tree(parts: Parts, tree: int, width: int, edges: bool) -> int:
    """Read the entries of the tree in the arena: 1 when it is whole, 0 when it is damaged, -1 when there is no room."""
    state, known, recent, links = parts.state, parts.known, parts.recent, parts.links
    data = parts.space.arena
    at = state[TOP]
    end = at + state[OWN]
    while at < end:
        if not _has_room(parts):
            return -1
        start, stop = _entry(data, at, end, width)
        if start < 0:
            return 0
        place = stop + 1
        first, second = _word(data, place), _word(data, place + 8)
        slot = np.int64((first >> np.uint64(20)) & np.uint64(_CACHE - 1))
        link = data[at] == 0x31 and data[at + 1] == _LINK  # noqa: PLR2004 - a one
        number = np.int64(-1)
        if recent.first[slot] == first and recent.second[slot] == second:
            number = recent.number[slot]
        else:
            if link:
                _name(parts, tree, -1, start, stop)
            else:
                number = find(known, first, second)
                if number < 0:
                    _miss(parts, tree, place, width)
            recent.first[slot], recent.second[slot], recent.number[slot] = first, second, number
        if number >= 0:
            if known.marks[number]:
                _name(parts, tree, number, start, stop)
            if edges and data[at] == _FOLDER:
                links.edge_tree[state[EDGES]] = tree
                links.edge_child[state[EDGES]] = number
                state[EDGES] += 1
        at = place + width
    return 1


@njit(cache=True, nogil=True)
def _digit(byte: int) -> int:
    if 0x30 <= byte <= 0x39:  # noqa: PLR2004 - a digit
        return byte - 0x30
    if 0x61 <= byte <= 0x66:  # noqa: PLR2004 - a letter of a hexadecimal number
        return byte - 0x57
    return -1


@njit(cache=True, nogil=True)
def _hexadecimal(parts: Parts, at: int, width: int) -> int:
    """Number of the object that hexadecimal digits name: -1 unknown, -2 no id. Its bytes go to the end of the arena."""
    data = parts.space.arena
    scratch = data.shape[0] - 64
    for k in range(width):
        high, low = _digit(np.int64(data[at + 2 * k])), _digit(np.int64(data[at + 2 * k + 1]))
        if high < 0 or low < 0:
            return -2
        data[scratch + k] = (high << 4) | low
    return find(parts.known, _word(data, scratch), _word(data, scratch + 8))


@njit(cache=True, nogil=True)
def _starts(data: Bytes, at: int, end: int, word: bytes) -> bool:
    if at + len(word) > end:
        return False
    for k in range(len(word)):  # noqa: SIM110 - the compiler takes loops
        if data[at + k] != word[k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _time(data: Bytes, at: int, end: int) -> int:
    """Seconds since 1970 at the end of an author's or committer's line; the smallest number when there are none."""
    mark = np.int64(-1)
    while at < end and data[at] != 10:  # noqa: PLR2004 - a line end
        if data[at] == 62:  # noqa: PLR2004 - what closes an address
            mark = at
        at += 1
    if mark < 0 or mark + 2 >= at:
        return np.int64(-(1 << 62))
    place, value, sign = mark + 2, np.int64(0), np.int64(1)
    if data[place] == 45:  # noqa: PLR2004 - a minus
        sign = np.int64(-1)
        place += 1
    while place < at and 48 <= data[place] <= 57 and value < (1 << 52):  # noqa: PLR2004 - digits
        value = value * 10 + np.int64(data[place] - 48)
        place += 1
    return sign * value


@njit(cache=True, nogil=True)
def _next_line(data: Bytes, at: int, end: int) -> int:
    while at < end and data[at] != 10:  # noqa: PLR2004 - a line end
        at += 1
    return at + 1


@njit(cache=True, nogil=True)
def _read_commit(parts: Parts, number: int, width: int) -> bool:
    """Read the head of the commit in the arena; whether it is one."""
    state, links, data = parts.state, parts.links, parts.space.arena
    at = state[TOP]
    end = at + state[OWN]
    if not _starts(data, at, end - 2 * width, b"tree "):
        return False
    tree = _hexadecimal(parts, at + 5, width)
    scratch = data.shape[0] - 64
    if tree == -2:
        return False
    if tree == _UNKNOWN:
        _miss(parts, number, scratch, width)
    place = state[COMMITS]
    links.commit[5 * place] = number
    links.commit[5 * place + 1] = tree
    links.commit[5 * place + 2] = links.commit[5 * place + 3] = -(1 << 62)
    parents = 0
    at = _next_line(data, at, end)
    while at < end and data[at] != 10:  # noqa: PLR2004 - an empty line ends the head
        if _starts(data, at, end - 2 * width, b"parent "):
            parent = _hexadecimal(parts, at + 7, width)
            parents += 1
            if parent == _UNKNOWN:
                _miss(parts, number, scratch, width)
            if parent >= 0 and state[PARENTS] < links.parent.shape[0]:
                links.parent_of[state[PARENTS]] = number
                links.parent[state[PARENTS]] = parent
                state[PARENTS] += 1
        elif _starts(data, at, end, b"author "):
            links.commit[5 * place + 3] = _time(data, at, end)
        elif _starts(data, at, end, b"committer "):
            links.commit[5 * place + 2] = _time(data, at, end)
        at = _next_line(data, at, end)
    links.commit[5 * place + 4] = parents
    state[COMMITS] = place + 1
    return True


@njit(cache=True, nogil=True)
def _read_tag(parts: Parts, number: int, width: int) -> bool:
    state, links, data = parts.state, parts.links, parts.space.arena
    at = state[TOP]
    if not _starts(data, at, at + state[OWN] - 2 * width, b"object "):
        return False
    target = _hexadecimal(parts, at + 7, width)
    if target == -2:
        return False
    if target == _UNKNOWN:
        _miss(parts, number, data.shape[0] - 64, width)
    links.tag[state[TAGS]] = number
    links.tagged[state[TAGS]] = target
    state[TAGS] += 1
    return True


@njit(cache=True, nogil=True)
def _reset(state: Whole) -> None:
    state[RECORDS] = state[LENGTH] = state[FAULTY] = state[HEADS] = 0
    state[EDGES] = state[NAMED] = state[NAMES] = state[MISSING] = 0
    state[COMMITS] = state[PARENTS] = state[TAGS] = 0
    state[STATUS] = MORE


@njit(cache=True, nogil=True)
def _may_go_on(parts: Parts) -> bool:
    state, space, links = parts.state, parts.space, parts.links
    return (
        _has_room(parts)
        and state[LENGTH] <= FLUSH
        and state[FAULTY] < space.fault_node.shape[0] - 2
        and 5 * state[COMMITS] + 5 <= links.commit.shape[0]
        and state[PARENTS] < links.parent.shape[0] // 2
        and state[TAGS] < links.tag.shape[0]
    )


@njit(cache=True, nogil=True)
def link_step(  # noqa: PLR0913, PLR0917 - what differs between two walks
    pack: Pack, roots: Whole, parts: Parts, inflater: int, width: int, anchor: int, edges: bool, whole: bool
) -> None:
    """Walk on through trees, commits and tags until a buffer is full; see ``walking.step``.

    Args:
        pack: the entries.
        roots: whole trees, commits and tags.
        parts: everything else; its state is kept between calls.
        inflater: of this worker.
        width: bytes of an id.
        anchor: bytes of the longest literal; 0 lays out nothing to search.
        edges: whether folders within folders are told.
        whole: whether objects are laid out whole.
    """
    stack, space, state = parts.stack, parts.space, parts.state
    _reset(state)
    while _may_go_on(parts):
        node = take(pack, roots, stack, state)
        if node < 0:
            state[STATUS] = DONE
            return
        code = prepare(pack, node, space, state, inflater)
        if code != 0:
            fault(space, state, node, code)
            if code != GAP:
                continue
        make(pack, node, space, state)
        number = parts.numbers[node]
        kind = pack.final[node]
        filled, records = state[LENGTH], state[RECORDS]
        empty = filled == 0 and state[EDGES] == 0 and state[NAMED] == 0 and state[MISSING] == 0
        enough = anchor == 0 or lay_out(pack, node, space, state, anchor, whole)
        read = -1
        if enough:
            if kind == TREE:
                read = _read_tree(parts, number, width, edges)
            elif kind == COMMIT:
                read = int(_read_commit(parts, number, width))
            else:
                read = int(_read_tag(parts, number, width))
        if read < 0:
            # No room: it comes again with empty buffers, and what was told of it is told twice, which harms nothing.
            state[LENGTH], state[RECORDS] = filled, records
            if empty:
                fault(space, state, node, TOO_LARGE)
                continue
            if code != 0:
                state[FAULTY] -= 1
            give_back(stack, state)
            return
        if read == 0:
            fault(space, state, node, BAD_TREE if kind == TREE else BAD_COMMIT)
        state[ENTRIES] += 1
        state[MADE] += state[OWN]
        state[MATCHED] += state[LENGTH] - filled
        descend(pack, node, stack, space, state)
