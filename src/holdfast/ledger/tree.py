"""The Merkle tree of RFC 6962 and RFC 9162: roots, inclusion proofs, consistency proofs.

Every ``leaves`` argument is a sequence of *leaf hashes* (32 bytes each), never of the leaves' data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
_SIZE_BYTES = 8


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of ``0x00 || data`` (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of ``0x01 || left || right`` (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be kept to append to a tree and know its root: one peak per set bit of the size."""

    size: int
    """Number of leaves."""
    peaks: tuple[bytes, ...]
    """Roots of the perfect subtrees, largest (leftmost) first; 32 bytes each."""

    def append(self, leaf: bytes) -> Frontier:
        """The frontier with one more leaf hash."""
        peaks = list(self.peaks)
        carry, size = leaf, self.size
        while size & 1:
            carry = node_hash(peaks.pop(), carry)
            size >>= 1
        peaks.append(carry)
        return Frontier(self.size + 1, tuple(peaks))

    def root(self) -> bytes:
        """The tree's root hash; SHA-256 of nothing for the empty tree."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """The size as eight big-endian bytes, then the peaks."""
        return self.size.to_bytes(_SIZE_BYTES) + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Frontier:
        """Read :meth:`to_bytes` back.

        Raises:
            ValueError: the number of peaks is not the number of set bits of the size.
        """
        size, rest = int.from_bytes(stored[:_SIZE_BYTES]), stored[_SIZE_BYTES:]
        if len(stored) < _SIZE_BYTES or len(rest) != HASH_BYTES * size.bit_count():
            msg = f"a frontier of {size} leaves does not take {len(stored)} bytes"
            raise ValueError(msg)
        return cls(size, tuple(rest[at : at + HASH_BYTES] for at in range(0, len(rest), HASH_BYTES)))


EMPTY_FRONTIER = Frontier(0, ())


def frontier_of(leaves: Iterable[bytes]) -> Frontier:
    """The frontier after appending every leaf hash in order. Streams: holds one peak per level."""
    frontier = EMPTY_FRONTIER
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root hash of the leaf hashes."""
    return frontier_of(leaves).root()


class Tree:
    """All levels of a tree in memory, for many proofs over one set of leaves (64 bytes a leaf)."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hash every level once; an odd last node rises unchanged, which is RFC 6962's shape."""
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            level = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            if len(below) % 2:
                level.append(below[-1])
            self._levels.append(level)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    def root(self) -> bytes:
        """The root hash."""
        return self._levels[-1][0] if self.size else EMPTY_FRONTIER.root()

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """The audit path of one leaf, from the leaf upwards (RFC 6962, section 2.1.1).

        Raises:
            ValueError: no such leaf.
        """
        if not 0 <= index < self.size:
            msg = f"a tree of {self.size} leaves has no leaf {index}"
            raise ValueError(msg)
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return tuple(path)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of one leaf; use :class:`Tree` for several over the same leaves."""
    return Tree(leaves).inclusion_proof(index)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``leaf`` (a leaf hash) is leaf ``index`` of the tree (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    number, last, computed = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            computed = node_hash(step, computed)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        number, last = number >> 1, last >> 1
    return last == 0 and computed == root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """The proof that the tree of the first ``old_size`` leaves is a prefix (RFC 6962, section 2.1.2).

    Raises:
        ValueError: the tree never had that size.
    """
    if not 0 <= old_size <= len(leaves):
        msg = f"a tree of {len(leaves)} leaves never had {old_size}"
        raise ValueError(msg)
    if old_size in (0, len(leaves)):
        return ()
    return tuple(_subproof(leaves, old_size, is_whole=True))


def _subproof(leaves: Sequence[bytes], old_size: int, *, is_whole: bool) -> list[bytes]:
    """``SUBPROOF(m, D[n], b)`` of RFC 6962, section 2.1.2."""
    if old_size == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, is_whole=is_whole), root_of(leaves[split:])]
    return [*_subproof(leaves[split:], old_size - split, is_whole=False), root_of(leaves[:split])]


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the older tree is a prefix of the newer (RFC 9162, section 2.1.4.2).

    Every tree extends the empty one, by an empty proof.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof and old_root == EMPTY_FRONTIER.root()
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    return _replay(old_size - 1, size - 1, path) == (old_root, root)


def _replay(number: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots as a consistency path computes them, or none when it is too long or too short."""
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if number & 1 or number == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, step)
        number, last = number >> 1, last >> 1
    return (first, second) if last == 0 else None
