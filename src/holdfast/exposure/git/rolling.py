"""The kernel that finds windows which may be looked for: made of some characters, with a place in a bitmap.

It looks at the last byte of a window first. Where that is none of the characters, all windows that hold it are passed
over; so runs that are long enough are found by looking at few bytes, and only within them anything is computed.
Its only array is a row of numbers with the addresses of everything else; see ``holdfast.exposure.filters``, which holds
the same computation in plain Python.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.memory import byte_at, put_word, word_at

DATA, SIZE, NEXT, TABLE, WIDE, BITMAP, FOUND, ROOM, GROUPS, COUNT, SHORTEST, LONGEST = range(12)
"""The buffer and its bytes; where to go on; which bytes belong (256 places of 1 byte), or whether every other byte of a
window is zero instead; the bitmap; where what is found is put (a group and an end) and how much; lengths and numbers of
groups (three words each), how many, and the shortest and longest length."""
STATE = 16
BLOCK = 1024
"""Windows of each group that are looked at before room is asked for again."""
_HALF, _PLACES, _TOP = 0xFFFFFFFF, (1 << 18) - 1, 46
_WORD, _TWO, _THREE = 8, 16, 24


@kernel
def _next(told: int, word: int, factor: int) -> int:
    told = (told ^ word) * factor
    return told ^ ((told >> 32) & _HALF)


@kernel
def _spot(at: int, last: int, begin: int, factor: int) -> int:
    """Place in the bitmap of a window whose last word is at ``last``."""
    told = begin
    while at < last:
        told = _next(told, word_at(at), factor)
        at += _WORD
    return (((told ^ word_at(last)) * factor) >> _TOP) & _PLACES


@kernel
def _after(data: int, low: int, last: int, table: int, wide: bool) -> int:
    """Where the next window may begin, if one of the bytes from ``low`` to ``last`` does not belong; -1 if all do.

    Of windows with zeros between their characters two bytes in a row that are none do not belong together.
    """
    if wide:
        while last > low:
            if byte_at(data + last) != 0 and byte_at(data + last - 1) != 0:
                return last
            last -= 1
        return -1
    while last >= low:
        if byte_at(table + byte_at(data + last)) == 0:
            return last + 1
        last -= 1
    return -1


@kernel
def _end(data: int, at: int, limit: int, table: int, wide: bool) -> int:
    """Where a run ends that was seen to go on to ``at``."""
    if wide:
        while at < limit and (byte_at(data + at) == 0 or byte_at(data + at - 1) == 0):
            at += 1
    else:
        while at < limit and byte_at(table + byte_at(data + at)) != 0:
            at += 1
    return at


@kernel
def _note(state: NDArray[np.int64], group: int, end: int, place: int, count: int) -> int:
    """Note a window if its place is in the bitmap; how many are found by now."""
    if byte_at(state[BITMAP] + (place >> 3)) >> (place & 7) & 1:
        put_word(state[FOUND] + 16 * count, group)
        put_word(state[FOUND] + 16 * count + 8, end - state[DATA])
        return count + 1
    return count


@kernel
def _look(state: NDArray[np.int64], group: int, start: int, stop: int, count: int) -> int:
    """Windows of a group that begin from ``start`` on and before ``stop``; how many are found by now.

    The loop of :func:`_spot` is written out for the usual lengths.
    """
    about = state[GROUPS] + 24 * group
    length, begin, factor = word_at(about), word_at(about + 8), word_at(about + 16)
    at, end, last = state[DATA] + start, state[DATA] + stop, length - _WORD
    if _WORD < length <= _TWO:
        while at < end:
            told = _next(begin, word_at(at), factor) ^ word_at(at + last)
            count = _note(state, group, at + length, ((told * factor) >> _TOP) & _PLACES, count)
            at += 1
    elif _TWO < length <= _THREE:
        while at < end:
            told = _next(_next(begin, word_at(at), factor), word_at(at + _WORD), factor) ^ word_at(at + last)
            count = _note(state, group, at + length, ((told * factor) >> _TOP) & _PLACES, count)
            at += 1
    else:
        while at < end:
            count = _note(state, group, at + length, _spot(at, at + last, begin, factor), count)
            at += 1
    return count


@kernel
def scan(state: NDArray[np.int64]) -> int:
    """Windows that begin from ``NEXT`` on, as many as there is room for; how many.

    Args:
        state: the row of numbers; ``NEXT`` becomes where the next window begins, and the buffer's end when it is done.
    """
    data, size, table, wide = state[DATA], state[SIZE], state[TABLE], state[WIDE] != 0
    groups, shortest, count, start = state[COUNT], state[SHORTEST], 0, state[NEXT]
    while start + shortest <= size and count + groups * BLOCK <= state[ROOM]:
        after = _after(data, start, start + shortest - 1, table, wide)
        if after >= 0:
            start = after
            continue
        block = min(start + BLOCK, size)
        # A window that begins in this block ends at most so far behind it.
        end = _end(data, start + shortest, min(block + state[LONGEST], size), table, wide)
        for group in range(groups):
            length = word_at(state[GROUPS] + 24 * group)
            count = _look(state, group, start, min(block, end - length + 1), count)
        start = min(end - shortest + 1, block)
    state[NEXT] = start if start + shortest <= size else size
    return count
