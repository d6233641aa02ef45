"""The parts of the kernels that read a delta's operations and make what they tell; all they take are addresses."""

from __future__ import annotations

from holdfast.exposure.git.inflating import copy
from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.layout import MOVED
from holdfast.exposure.git.memory import byte_at, move, ones, put_word, word_at

ROOM = 2 * MOVED
"""Bytes after whatever is copied and wherever it is copied to: short stretches are moved by whole vectors."""


@kernel
def _number(at: int, end: int) -> tuple[int, int]:
    """A size of a delta's head and where it ends; -1 when it does not end."""
    value, shift = 0, 0
    while at < end and shift < 56:  # noqa: PLR2004 - bits that fit
        byte = byte_at(at)
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at
    return -1, at


@kernel
def put(target: int, source: int, count: int) -> None:
    """Copy bytes; after short stretches some more are written over, at most ``ROOM``."""
    if count <= MOVED:
        move(target, source)
    elif count <= 2 * MOVED:
        move(target, source)
        move(target + MOVED, source + MOVED)
    else:
        copy(target, source, count)


@kernel
def operation(at: int, byte: int) -> tuple[int, int, int]:
    """Offset and length of a copy whose first byte was read, and where it ends; eight bytes must follow the delta."""
    low, high = byte & 15, (byte >> 4) & 7
    if low & (low + 1) == 0 and high & (high + 1) == 0:  # no byte of either number is left out between others
        few: int = ones(low)
        more: int = ones(high)
        word = word_at(at)
        offset = word & ((1 << (8 * few)) - 1)
        length = (word >> (8 * few)) & ((1 << (8 * more)) - 1)
        return offset, length or 65536, at + few + more
    offset, length = 0, 0
    for k in range(4):
        if byte & (1 << k):
            offset |= byte_at(at) << (8 * k)
            at += 1
    for k in range(3):
        if byte & (16 << k):
            length |= byte_at(at) << (8 * k)
            at += 1
    return offset, length or 65536, at


@kernel
def delta_sizes(delta: int, size: int, base: int) -> tuple[int, int]:
    """Length of a delta's result and where its operations begin; -1 when the delta does not fit or is damaged.

    All operations are checked here, so that whoever follows them needs no check.
    """
    end = delta + size
    put_word(end, 0)
    said, at = _number(delta, end)
    made, at = _number(at, end)
    first, total = at - delta, 0
    if said != base or made < 0:
        return -1, first
    while at < end:
        byte = byte_at(at)
        at += 1
        if byte & 128:
            offset, length, at = operation(at, byte)
            if offset + length > base:
                return -1, first
        else:
            length = byte
            at += length
            if byte == 0:
                return -1, first
        total += length
        if total > made:
            return -1, first
    return (made, first) if total == made and at == end else (-1, first)


@kernel
def apply_delta(at: int, end: int, base: int, target: int, stop: int) -> None:
    """Make the first ``stop`` bytes of a checked delta's result, and up to ``ROOM`` more; all but it are addresses."""
    done = 0
    while at < end and done < stop:
        byte = byte_at(at)
        at += 1
        if byte & 128:
            offset, length, at = operation(at, byte)
            put(target + done, base + offset, min(length, stop - done))
        else:
            length = byte
            put(target + done, at, min(length, stop - done))
            at += length
        done += length
