"""Finding many literals in a buffer at once: every end of every literal, overlapping ones too.

Two engines give equal results. Hyperscan is the fast one. The plain one asks RE2 whether there is anything at all and
then looks for each literal by itself: it is the oracle of tests, and what is used where Hyperscan does not start.

Rules:
1. A compiled database holds the literals: it is never written, pickled or cached.
2. Bytes are bytes: no encoding, no case folding, no line ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

Buffer = bytes | bytearray | memoryview


class Matcher(Protocol):
    """Finds literals."""

    literals: tuple[bytes, ...]

    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """Number of the literal and end of each occurrence, ordered by end and number."""
        ...


class FastMatcher:
    """Hyperscan, in block mode."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        """Compile distinct, non-empty literals."""
        import hyperscan  # noqa: PLC0415 - whoever uses the plain engine must not need it

        self.literals = tuple(literals)
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


class PlainMatcher:
    """RE2 as the gate, then one search for each literal."""

    def __init__(self, literals: Sequence[bytes]) -> None:
        """Compile distinct, non-empty literals."""
        import re2  # noqa: PLC0415 - slow to load, and only the plain engine needs it

        self.literals = tuple(literals)
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


def matcher(literals: Sequence[bytes], *, plain: bool = False) -> Matcher:
    """The fast engine, or the plain one."""
    return cast("Matcher", PlainMatcher(literals) if plain else FastMatcher(literals))
