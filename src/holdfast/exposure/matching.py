"""Finding many literals in a buffer at once: every end of every literal, overlapping ones too.

Two engines give equal results. Hyperscan is the fast one. The plain one asks RE2 whether there is anything at all and
then looks for each literal by itself: it is the oracle of tests, and what is used where Hyperscan does not start.

Rules:
1. A compiled database holds the literals: it is never written, pickled or cached.
2. Bytes are bytes: no encoding, no case folding, no line ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

Buffer = bytes | bytearray | memoryview
RULE = -1
"""Number, in place of a literal's, of a place where a rule finds a secret that nobody named; see ``unknown.py``."""


class Matcher(Protocol):
    """Finds literals."""

    literals: tuple[bytes, ...]
    lengths: tuple[int, ...]
    """Of the literals, for whoever looks at what lies across two buffers."""
    width: int
    """Bytes that buffers with a border between them have to be looked at together, beyond the border's own."""
    near: int
    """As ``width``, where neither of the two bytes at the border is zero."""
    plain: bool
    joints: NDArray[np.uint8] | None
    """A bit for each pair of bytes (first byte times 256 and second, lowest bit first), whether they stand next to each
    other in a literal; nothing when more than literals is found. Where two bytes do not, no literal lies across."""

    def among(self, data: Buffer, starts: NDArray[np.int64]) -> list[tuple[int, int]]:
        """As :meth:`find`, in a buffer of several texts: what lies across two of them may be told or not.

        Args:
            data: the texts, one after the other.
            starts: where each begins, in order.
        """
        ...

    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """Number of the literal and end of each occurrence, ordered by end and number."""
        ...


class _Literals(ABC):
    """What both engines say of their literals."""

    plain = False

    def __init__(self, literals: Sequence[bytes]) -> None:
        self.literals = tuple(literals)
        self.lengths = tuple(map(len, self.literals))
        self.width = self.near = max(self.lengths, default=1)
        self.joints: NDArray[np.uint8] | None = _joints(self.literals)

    @abstractmethod
    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """See :class:`Matcher`."""

    def among(self, data: Buffer, starts: NDArray[np.int64]) -> list[tuple[int, int]]:
        """See :class:`Matcher`."""
        del starts  # a literal is itself wherever it stands
        return self.find(data)


class FastMatcher(_Literals):
    """Hyperscan, in block mode."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        """Compile distinct, non-empty literals."""
        import hyperscan  # noqa: PLC0415 - whoever uses the plain engine must not need it

        super().__init__(literals)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        escaped = [b"".join(b"\\x%02x" % byte for byte in one) for one in self.literals]
        if escaped:
            self._database.compile(
                expressions=escaped, ids=list(range(len(escaped))), elements=len(escaped), flags=[0] * len(escaped)
            )

    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """See :class:`Matcher`."""
        found: list[tuple[int, int]] = []
        if self.literals and len(data):

            def hear(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
                found.append((end, number))

            # It takes any buffer; its types know bytes only.
            self._database.scan(cast("bytes", data), match_event_handler=hear)
        found.sort()
        return [(number, end) for end, number in found]


class PlainMatcher(_Literals):
    """RE2 as the gate, then one search for each literal."""

    plain = True

    def __init__(self, literals: Sequence[bytes]) -> None:
        """Compile distinct, non-empty literals."""
        import re2  # noqa: PLC0415 - slow to load, and only the plain engine needs it

        super().__init__(literals)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.never_nl = False
        pattern = b"|".join(b"".join(b"\\x%02x" % byte for byte in one) for one in self.literals)
        self._gate = re2.compile(pattern, options) if self.literals else None

    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """See :class:`Matcher`."""
        held = data if isinstance(data, bytes) else bytes(data)
        if self._gate is None or not self._gate.search(held):
            return []
        found: list[tuple[int, int]] = []
        for number, literal in enumerate(self.literals):
            at = held.find(literal)
            while at >= 0:
                found.append((at + len(literal), number))
                at = held.find(literal, at + 1)
        found.sort()
        return [(number, end) for end, number in found]


def _joints(literals: Sequence[bytes]) -> NDArray[np.uint8]:
    standing = np.zeros(1 << 16, np.uint8)
    for literal in literals:
        held = np.frombuffer(literal, np.uint8).astype(np.int64)
        standing[held[:-1] << 8 | held[1:]] = 1
    return np.packbits(standing, bitorder="little")


def matcher(literals: Sequence[bytes], *, plain: bool = False) -> Matcher:
    """The fast engine, or the plain one."""
    return PlainMatcher(literals) if plain else FastMatcher(literals)
