"""Marks of all tokens in bulk: the kernel behind the index of fingerprints, and a plain way that gives the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numba import njit, uint64

from holdfast.exposure.fingerprints import LONGEST, SHORTEST, mark, tokens

Marks = np.ndarray


class Windows(NamedTuple):
    """Several texts in one buffer."""

    data: memoryview
    starts: np.ndarray
    """Where each begins, in order: 64-bit numbers, the first is 0."""

    def __len__(self) -> int:
        """Bytes of all."""
        return len(self.data)


Buffer = bytes | memoryview | bytearray | Windows
_FROM_THE_START = np.zeros(1, np.int64)
_ROOM = 1 << 20
"""Marks that are gathered before they are sorted."""
_PIECE = 1 << 22
"""Bytes that are read at once."""
_CLASSES = np.zeros(256, np.uint8)
_CLASSES[list(b"=.")] = 1
_CLASSES[list(b"+/_-")] = 2
_CLASSES[list(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = 3


@njit(cache=True, nogil=True, inline="always")
def _left(word: np.uint64, by: int) -> np.uint64:
    return (word << uint64(by)) | (word >> uint64(64 - by))


@njit(cache=True, nogil=True)
def _mark(data: np.ndarray, start: int, end: int, keys: np.ndarray) -> np.uint64:
    """SipHash-2-4; see ``fingerprints.mark``, which says the same slowly."""
    v0 = keys[0] ^ uint64(0x736F6D6570736575)
    v1 = keys[1] ^ uint64(0x646F72616E646F6D)
    v2 = keys[0] ^ uint64(0x6C7967656E657261)
    v3 = keys[1] ^ uint64(0x7465646279746573)
    length = end - start
    for word in range(length // 8 + 3):
        # The words of the token, the last one with its length, then the four rounds of the end as two times two.
        piece = uint64(0)
        if word <= length // 8:
            at = start + word * 8
            for byte in range(min(8, end - at)):
                piece |= uint64(data[at + byte]) << uint64(8 * byte)
            if word == length // 8:
                piece |= uint64(length & 0xFF) << uint64(56)
        elif word == length // 8 + 1:
            v2 ^= uint64(0xFF)
        v3 ^= piece
        for _ in range(2):
            v0 += v1
            v2 += v3
            v1 = _left(v1, 13) ^ v0
            v3 = _left(v3, 16) ^ v2
            v0 = _left(v0, 32)
            v2 += v1
            v0 += v3
            v1 = _left(v1, 17) ^ v2
            v3 = _left(v3, 21) ^ v0
            v2 = _left(v2, 32)
        v0 ^= piece
    return np.uint64(v0 ^ v1 ^ v2 ^ v3)


@njit(cache=True, nogil=True)
def _scan(data: np.ndarray, starts: np.ndarray, classes: np.ndarray, keys: np.ndarray, found: np.ndarray) -> int:
    """Marks of the tokens; how many. There must be room for three of every sixteen bytes.

    Three runs are followed at once, of the wide, the middle and the narrow alphabet. Where they are the same run, it
    is told once. No run goes over a start.
    """
    count = 0
    for piece in range(len(starts)):
        first = starts[piece]
        end = starts[piece + 1] if piece + 1 < len(starts) else len(data)
        runs = np.full(4, -1, np.int64)
        before = np.uint8(0)
        for place in range(first, end + 1):
            kind = classes[data[place]] if place < end else np.uint8(0)
            if kind == before:
                continue
            before = kind
            told = np.int64(-1)
            for level in range(3, 0, -1):
                if kind >= level:
                    if runs[level] < 0:
                        runs[level] = place
                elif runs[level] >= 0:
                    start = runs[level]
                    if start != told and SHORTEST <= place - start <= LONGEST:
                        found[count] = _mark(data, start, place, keys)
                        count += 1
                    told = start
                    runs[level] = -1
    return count


def gather(buffers: Iterable[Buffer], key: bytes) -> Marks:
    """Marks of all tokens in some buffers, sorted, each once.

    Args:
        buffers: each is looked at by itself: a token must not be cut between two. One is done with before the next is
            asked for.
        key: 16 bytes.
    """
    keys = np.frombuffer(key[:16], "<u8").astype(np.uint64)
    gathered = np.empty(0, np.uint64)
    pending: list[Marks] = []
    weight = 0
    for marks in _pieces(buffers, keys):
        pending.append(marks)
        weight += len(marks)
        if weight > max(_ROOM, len(gathered) // 2):
            gathered = merged([gathered, *pending])
            pending, weight = [], 0
    return merged([gathered, *pending])


def _pieces(buffers: Iterable[Buffer], keys: np.ndarray) -> Iterator[Marks]:
    for buffer in buffers:
        if isinstance(buffer, Windows):
            yield _marks(np.frombuffer(buffer.data, np.uint8), buffer.starts, keys)
            continue
        data = np.frombuffer(buffer, np.uint8)
        at = 0
        while at <= len(data):
            piece = data[at : at + _PIECE]
            if at + len(piece) < len(data):
                piece = piece[: _cut(piece)]
            yield _marks(piece, _FROM_THE_START, keys)
            at += max(len(piece), 1)


def _marks(data: np.ndarray, starts: np.ndarray, keys: np.ndarray) -> Marks:
    found = np.empty(len(data) // SHORTEST * 3 + 8, np.uint64)
    return found[: _scan(data, starts, _CLASSES, keys, found)].copy()


def _cut(piece: Marks) -> int:
    """Where a piece may end: after the last byte that is in no token; as it is when its last run is too long."""
    tail = piece[-4 * LONGEST :]
    free = np.flatnonzero(_CLASSES[tail] == 0)
    return len(piece) - len(tail) + int(free[-1]) + 1 if len(free) else len(piece)


def merged(several: Iterable[Marks]) -> Marks:
    """Sorted marks of all, each once."""
    together = np.concatenate([np.empty(0, np.uint64), *several])
    together.sort()  # many times faster than numpy.unique, which hashes
    first = np.ones(len(together), np.bool_)
    np.not_equal(together[1:], together[:-1], out=first[1:])
    return together[first]


def copied(marks: memoryview) -> Marks:
    """Marks of a mapped file, for adding to them."""
    return np.array(np.frombuffer(marks, "<u8"), np.uint64)


def gather_plainly(buffers: Iterable[bytes], key: bytes) -> Marks:
    """The same without the kernel, a hundred times slower: the oracle of tests."""
    found = {token for buffer in buffers for token in tokens(buffer)}
    return np.array(sorted(mark(token, key) for token in found), np.uint64)
