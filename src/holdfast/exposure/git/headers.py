"""Kernels that read the headers of a pack's entries and put its delta trees together."""

from __future__ import annotations

import numpy as np

from holdfast.exposure.git.jit import kernel, part
from holdfast.exposure.git.layout import OFS_DELTA, REF_DELTA, Bytes, Whole

COARSE = 8
"""Bits of the length of a stretch of a pack, by which entries are found."""
_TOGETHER = 64
_LONGEST = 62
"""Bits that a size may have."""


@kernel
def read_headers(
    data: Bytes,
    offsets: Whole,
    stop: Whole,
    width: int,
    kind: np.ndarray,
    size: Whole,
    start: Whole,
    base: Whole,
    named: Whole,
) -> int:
    """Read every entry's header; the number of entries that name their base by its id.

    ``named`` gets those entries. A damaged header leaves kind 0.
    """
    count = 0
    coarse = np.empty((data.shape[0] >> COARSE) + 1, np.int32)
    _fill_coarse(offsets, coarse)
    for i in range(offsets.shape[0]):
        if i % _TOGETHER == 0:  # many reads wait for memory together, one after the other each waits alone
            for k in range(i, min(i + _TOGETHER, offsets.shape[0])):
                start[k] = data[offsets[k]] if offsets[k] < stop[k] else 0
        kind[i] = 0
        base[i] = -1
        size[i] = 0
        at, end = offsets[i], stop[i]
        start[i] = end
        if at >= end:
            continue
        what, length, at = _type_and_size(data, at, end)
        if what in {0, 5} or length < 0:
            continue
        if what == OFS_DELTA:
            back, at = _distance(data, at, end)
            if back < 0:
                continue
            base[i] = _entry_at(offsets, coarse, offsets[i] - back) if back > 0 else -1
        elif what == REF_DELTA:
            if at + width > end:
                continue
            named[count] = i
            count += 1
            at += width
        kind[i] = what
        size[i] = length
        start[i] = at
    return count


@part
def _type_and_size(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Type and size in the head of an entry, and where it goes on; size -1 when the head does not end."""
    byte = np.int64(data[at])
    at += 1
    what = (byte >> 4) & 7
    length = byte & 15
    shift = 4
    while byte & 128 and at < end and shift < _LONGEST:
        byte = np.int64(data[at])
        at += 1
        length |= (byte & 127) << shift
        shift += 7
    return what, np.int64(-1) if byte & 128 else length, at


@part
def _distance(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """How far back the base of a delta begins, and where the head goes on; -1 when the head does not end."""
    if at >= end:
        return np.int64(-1), at
    byte = np.int64(data[at])
    at += 1
    back = byte & 127
    while byte & 128 and at < end and back < (1 << 54):
        byte = np.int64(data[at])
        at += 1
        back = ((back + 1) << 7) | (byte & 127)
    return np.int64(-1) if byte & 128 else back, at


@part
def _entry_at(offsets: Whole, coarse: np.ndarray, wanted: int) -> int:
    """Entry that begins at an offset; -1 when none does."""
    if wanted < 0:
        return -1
    place = np.int64(coarse[wanted >> COARSE])
    while place < offsets.shape[0] and offsets[place] < wanted:
        place += 1
    return place if place < offsets.shape[0] and offsets[place] == wanted else -1


@kernel
def _fill_coarse(offsets: Whole, coarse: np.ndarray) -> None:
    """For every stretch of a pack, the first entry that begins in it or after it."""
    filled = 0
    for i in range(offsets.shape[0]):
        last = min(offsets[i] >> COARSE, coarse.shape[0] - 1)
        while filled <= last:
            coarse[filled] = i
            filled += 1
    coarse[filled:] = offsets.shape[0]


@kernel
def group(keys: Whole, first: Whole, places: Whole) -> None:
    """Put places with the same key together, in their order.

    Args:
        keys: of each place; negative ones are left out.
        first: gets where the places of each key begin, and behind the last where they end; two longer than there are
            keys, all 0 before.
        places: gets them.
    """
    for i in range(keys.shape[0]):
        if keys[i] >= 0:
            first[keys[i] + 2] += 1
    for i in range(2, first.shape[0]):
        first[i] += first[i - 1]
    for i in range(keys.shape[0]):
        if keys[i] >= 0:
            places[first[keys[i] + 1]] = i
            first[keys[i] + 1] += 1


@kernel
def spread_types(
    kind: np.ndarray, first_child: Whole, children: Whole, final: np.ndarray, family: Whole, queue: Whole
) -> int:
    """Give every entry the type and the root of its delta tree; how many hang on a whole object.

    It goes from the roots down, so that entries whose base is missing, or whose bases go round in a circle, keep 0.
    """
    filled = 0
    for i in range(kind.shape[0]):
        final[i] = 0
        family[i] = i
        if 0 < kind[i] < OFS_DELTA:
            final[i] = kind[i]
            queue[filled] = i
            filled += 1
    read = 0
    while read < filled:
        node = queue[read]
        read += 1
        for place in range(first_child[node], first_child[node + 1]):
            child = children[place]
            if final[child] == 0:
                final[child] = final[node]
                family[child] = family[node]
                queue[filled] = child
                filled += 1
    return filled
