"""The kernel that makes every object of some delta trees once and lays out what of it is worth searching.

Its only array is the walk's row of numbers (see ``layout``); everything else is reached by the addresses in it.
"""

from __future__ import annotations

from numba.np.numpy_support import carray

from holdfast.exposure.git.deltas import ROOM, apply_delta, delta_sizes, operation, put
from holdfast.exposure.git.inflating import inflate, make_inflater
from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.layout import (
    B_ARENA,
    B_ARENA_SIZE,
    B_AT,
    B_CHILD,
    B_DELTA,
    B_DELTA_SIZE,
    B_DEPTH,
    B_FAULT_CODE,
    B_FAULT_COUNT,
    B_FAULT_NODE,
    B_HEAD,
    B_HEAD_COUNT,
    B_HEAD_NODE,
    B_HEADS,
    B_JOINTS,
    B_LEN,
    B_NEAR,
    B_NODE,
    B_RECORD_AT,
    B_RECORD_COUNT,
    B_RECORD_FROM,
    B_RECORD_NODE,
    B_SCAN,
    B_SCAN_SIZE,
    B_SHORTEST,
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
    INFLATER,
    LENGTH,
    MADE,
    MATCHED,
    MORE,
    OWN,
    P_CHILDREN,
    P_DATA,
    P_FINAL,
    P_FIRST,
    P_ROOT_COUNT,
    P_ROOTS,
    P_SIZE,
    P_START,
    P_STOP,
    RECORDS,
    ROOT,
    SHORT,
    STATE,
    STATUS,
    TOO_DEEP,
    TOO_LARGE,
    TOP,
    USED,
    Whole,
)
from holdfast.exposure.git.memory import byte_at, put_word, word_at, words_at

HEAD = 265
"""Bytes of an object that tell whether it is an archive (tar has its mark at 257)."""
FLUSH = 1 << 19
"""Bytes laid out after which they are searched: so many stay in the processor's cache."""
LONG = 1 << 19
"""Bytes of a whole object from which on it is searched where it lies instead of being laid out."""
_TAR, _USTAR = 257, 0x7261747375
_SHORTEST = 4
_LOW = 0xFFFFFFFFFF


@kernel
def uncounted(state: Whole) -> Whole:
    """The same row of numbers, to which no references are counted."""
    return carray(words_at(state.ctypes.data), STATE)


@kernel
def new_inflater() -> int:
    """A decompressor, for the life of the worker."""
    return make_inflater()


@kernel
def unpack(state: Whole, node: int, target: int, room: int) -> int:
    """Inflate an entry to an address; 0, or why not.

    Every entry must end exactly where the next one begins: bytes that no index names are a fault.
    """
    size = word_at(state[P_SIZE] + 8 * node)
    if size > room:
        return TOO_LARGE
    start = word_at(state[P_START] + 8 * node)
    available = word_at(state[P_STOP] + 8 * node) - start
    used = state.ctypes.data + 8 * USED
    failed = inflate(state[INFLATER], state[P_DATA] + start, available, target, size, used, 0)
    if failed == 1:
        return CORRUPT
    if failed != 0:
        return SHORT
    return 0 if state[USED] == available else GAP


@kernel
def _window(state: Whole, node: int, source: int, start: int, length: int, reached: int) -> int:
    """Lay out bytes of an object; where they end, or -1 when there is no room. What continues a window joins it."""
    at = state[LENGTH]
    if at + length > state[B_SCAN_SIZE]:
        return -1
    if start != reached:
        number = state[RECORDS]
        if number >= state[B_RECORD_COUNT]:
            return -1
        put_word(state[B_RECORD_AT] + 8 * number, at)
        put_word(state[B_RECORD_NODE] + 8 * number, node)
        put_word(state[B_RECORD_FROM] + 8 * number, start)
        state[RECORDS] = number + 1
    put(state[B_SCAN] + at, source, length)
    state[LENGTH] = at + length
    return start + length


@kernel
def _joint(state: Whole, last: int, first: int, margin: int) -> int:
    """How far what is looked for may reach across two bytes, by their addresses; 0 when nothing can lie across."""
    one, other = byte_at(last), byte_at(first)
    pair = (one << 8) | other
    if (byte_at(state[B_JOINTS] + (pair >> 3)) >> (pair & 7)) & 1 == 0:
        return 0
    # Only text in UTF-16 reaches farther, and of two bytes of it one is zero.
    return margin if one == 0 or other == 0 else state[B_NEAR] - 1


@kernel
def _stretch(
    state: Whole, node: int, source: int, start: int, length: int, reached: int, copied: bool, before: int, after: int
) -> int:
    """Lay out what of a stretch is worth searching; as ``_window``.

    Of a copied one that is what is near its ends, as far as is said, and of a new one all but those too short to hold
    anything, where something may lie across an end.
    """
    if not copied:
        if before > 0 or after > 0 or length >= state[B_SHORTEST]:
            reached = _window(state, node, source, start, length, reached)
        return reached
    head = min(length, before)
    if head > 0:
        reached = _window(state, node, source, start, head, reached)
        if reached < 0:
            return -1
    tail = max(head, length - after)
    if tail < length:
        reached = _window(state, node, source + tail, start + tail, length - tail, reached)
    return reached


@kernel
def _novel(state: Whole, node: int, at: int, end: int, base: int, margin: int) -> bool:
    """Lay out the novel windows of a checked delta's result; whether there was room for all."""
    done, reached = 0, -2
    source, start, length, copied, before = 0, 0, 0, False, 0
    while at < end:
        byte = byte_at(at)
        at += 1
        place, more, copies = at, byte, byte & 128 != 0
        if copies:
            offset, more, at = operation(at, byte)
            place = base + offset
            if copied and place == source + length:
                length += more
                done += more
                continue
        else:
            at += byte
        if length > 0:
            after = _joint(state, source + length - 1, place, margin)
            reached = _stretch(state, node, source, start, length, reached, copied, before, after)
            if reached == -1:
                return False
            before = after
        source, start, length, copied = place, done, more, copies
        done += more
    return _stretch(state, node, source, start, length, reached, copied, before, 0) != -1


@kernel
def fault(state: Whole, node: int, code: int) -> None:
    """Note why an entry could not be made; there must be room."""
    number = state[FAULTY]
    put_word(state[B_FAULT_NODE] + 8 * number, node)
    put_word(state[B_FAULT_CODE] + 8 * number, code)
    state[FAULTY] = number + 1


@kernel
def take(state: Whole) -> int:
    """The next entry of the walk, parents before children; -1 when there is none."""
    while True:
        depth = state[DEPTH]
        if depth == 0:
            if state[ROOT] >= state[P_ROOT_COUNT]:
                return -1
            state[TOP] = state[BASE] = state[BELOW] = 0
            state[ROOT] += 1
            return word_at(state[P_ROOTS] + 8 * (state[ROOT] - 1))
        frame = 8 * (depth - 1)
        place = word_at(state[B_CHILD] + frame)
        if place >= word_at(state[P_FIRST] + 8 * (word_at(state[B_NODE] + frame) + 1)):
            state[DEPTH] = depth - 1
            continue
        put_word(state[B_CHILD] + frame, place + 1)
        state[BASE], state[BELOW] = word_at(state[B_AT] + frame), word_at(state[B_LEN] + frame)
        state[TOP] = state[BASE] + state[BELOW]
        return word_at(state[P_CHILDREN] + 8 * place)


@kernel
def give_back(state: Whole) -> None:
    """The entry just taken comes again."""
    if state[DEPTH] == 0:
        state[ROOT] -= 1
    else:
        place = state[B_CHILD] + 8 * (state[DEPTH] - 1)
        put_word(place, word_at(place) - 1)


@kernel
def sprouts(state: Whole, node: int) -> bool:
    """Whether other entries are made from an entry."""
    return word_at(state[P_FIRST] + 8 * node + 8) > word_at(state[P_FIRST] + 8 * node)


@kernel
def prepare(state: Whole, node: int) -> int:
    """Inflate an entry: a whole object to its place in the arena, a delta aside, checked. 0, or why not."""
    room = state[B_ARENA_SIZE] - state[TOP]
    size = word_at(state[P_SIZE] + 8 * node)
    if state[DEPTH] == 0:
        state[OWN] = size
        return unpack(state, node, state[B_ARENA], room)
    code = unpack(state, node, state[B_DELTA], state[B_DELTA_SIZE] - ROOM)
    if code not in (0, GAP):
        return code
    length, first = delta_sizes(state[B_DELTA], size, state[BELOW])
    state[OWN], state[FIRST] = length, first
    if length < 0:
        return BAD_DELTA
    return TOO_LARGE if length > room else code


@kernel
def usable(state: Whole, node: int, code: int) -> bool:
    """Whether an entry can be gone on with; why not, or not quite, is noted."""
    if code != 0:
        fault(state, node, code)
    return code in (0, GAP)


@kernel
def delta_end(state: Whole, node: int) -> int:
    """Where the delta in hand ends."""
    return state[B_DELTA] + word_at(state[P_SIZE] + 8 * node)


@kernel
def make(state: Whole, node: int) -> None:
    """Make a prepared object in the arena; whole ones are there already."""
    if state[DEPTH] > 0:
        arena, first = state[B_ARENA], state[B_DELTA] + state[FIRST]
        apply_delta(first, delta_end(state, node), arena + state[BASE], arena + state[TOP], state[OWN])


@kernel
def make_last(state: Whole) -> int:
    """Make each root from the one before it, the first from nothing: 0 when the last is in the arena, or why not."""
    for place in range(state[P_ROOT_COUNT]):
        state[DEPTH] = min(place, 1)
        if place > 0:
            state[BASE], state[BELOW] = state[TOP], state[OWN]
            state[TOP] += state[OWN]
        node = word_at(state[P_ROOTS] + 8 * place)
        code = prepare(state, node)
        if code not in (0, GAP):
            return code
        make(state, node)
    return 0


@kernel
def lay_out(state: Whole, node: int, width: int, whole: bool) -> bool:
    """Lay out what of a prepared object is to be searched; when there is no room, nothing of it."""
    records, filled = state[RECORDS], state[LENGTH]
    arena = state[B_ARENA]
    if whole or state[DEPTH] == 0:
        fits = _window(state, node, arena + state[TOP], 0, state[OWN], -2) != -1
    else:
        first = state[B_DELTA] + state[FIRST]
        fits = _novel(state, node, first, delta_end(state, node), arena + state[BASE], width - 1)
    if not fits:
        state[RECORDS], state[LENGTH] = records, filled
    return fits


@kernel
def descend(state: Whole, node: int) -> None:
    """Go on with what is made from the object in hand."""
    depth = state[DEPTH]
    if not sprouts(state, node):
        return
    if depth >= state[B_DEPTH]:
        fault(state, node, TOO_DEEP)
        return
    put_word(state[B_NODE] + 8 * depth, node)
    put_word(state[B_AT] + 8 * depth, state[TOP])
    put_word(state[B_LEN] + 8 * depth, state[OWN])
    put_word(state[B_CHILD] + 8 * depth, word_at(state[P_FIRST] + 8 * node))
    state[DEPTH] = depth + 1


@kernel
def _note_head(state: Whole, node: int, made: bool) -> None:
    """Note an object that may be an archive by its first bytes."""
    size = min(state[OWN], HEAD)
    if size < _SHORTEST:
        return
    arena, head = state[B_ARENA], state[B_HEAD]
    if made:
        head = arena + state[TOP]
    else:
        first = state[B_DELTA] + state[FIRST]
        apply_delta(first, delta_end(state, node), arena + state[BASE], head, size)
    pair = (byte_at(head) << 8) | byte_at(head + 1)
    if byte_at(state[B_HEADS] + pair) or (size == HEAD and word_at(head + _TAR) & _LOW == _USTAR):
        put_word(state[B_HEAD_NODE] + 8 * state[HEADS], node)
        state[HEADS] += 1


@kernel
def _come_again(state: Whole, code: int) -> bool:
    """What did not fit comes again with empty buffers; when they were empty, it is searched whole where it lies."""
    empty = state[RECORDS] == 0 and state[HEADS] == 0
    state[FAULTY] -= code != 0
    state[FORCE] = empty and state[FAULTY] == 0
    give_back(state)
    return bool(state[FORCE] != 0)


@kernel
def _may_go_on(state: Whole) -> bool:
    return state[LENGTH] <= FLUSH and state[FAULTY] < state[B_FAULT_COUNT] - 1 and state[HEADS] < state[B_HEAD_COUNT]


@kernel
def step(state: Whole, width: int, whole: bool) -> None:
    """Walk on until there is enough to search.

    Afterwards the scan buffer holds ``LENGTH`` bytes of windows, told by the records; when ``STATUS`` is ``DIRECT``,
    the object that lies in the arena at ``DIRECT_AT`` is to be searched whole besides.

    Args:
        state: the walk's row of numbers.
        width: bytes of the longest anchor.
        whole: whether every object is laid out whole and not only its novel windows.
    """
    _walk(uncounted(state), width, whole)


@kernel
def _walk(state: Whole, width: int, whole: bool) -> None:
    state[RECORDS] = state[LENGTH] = state[FAULTY] = state[HEADS] = 0
    state[STATUS] = MORE
    while _may_go_on(state):
        node = take(state)
        if node < 0:
            state[STATUS] = DONE
            return
        code = prepare(state, node)
        if not usable(state, node, code):
            continue
        alone = state[DEPTH] == 0
        made = alone or whole or state[FORCE] != 0 or sprouts(state, node)
        if made:
            make(state, node)
        directly = state[FORCE] != 0 or ((whole or alone) and state[OWN] > LONG)
        filled = state[LENGTH]
        if not directly and not lay_out(state, node, width, whole):
            if _come_again(state, code):
                continue
            return
        state[FORCE] = 0
        state[ENTRIES] += 1
        state[MADE] += state[OWN]
        state[MATCHED] += state[LENGTH] - filled
        if byte_at(state[P_FINAL] + node) == BLOB:
            _note_head(state, node, made)
        descend(state, node)
        if directly:
            state[MATCHED] += state[OWN]
            state[STATUS] = DIRECT
            state[DIRECT_AT], state[DIRECT_LENGTH], state[DIRECT_NODE] = state[TOP], state[OWN], node
            return
