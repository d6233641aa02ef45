"""What is searched for: the secrets, compiled into anchors that a matcher finds and confirmed around each of them.

An anchor is a short literal (at most 24 bytes) that stands in some spelling of a secret. Finding an anchor proves
nothing: :meth:`Query.confirm` looks at the bytes around it and says which spelling it is, or that it is a piece only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.exposure.results import Match
from holdfast.kernel.secrets import SecretValue

LONGEST_ANCHOR = 24
"""Bytes. Shorter anchors make fewer bytes of a history worth looking at."""
CONTEXT = 1 << 14
"""Bytes on each side of an anchor that confirming may look at; a stream has to keep that much."""


@dataclass(frozen=True, slots=True)
class Query:
    """Secrets, compiled."""

    secrets: tuple[SecretValue, ...]
    anchors: tuple[bytes, ...]
    """Distinct literals; a matcher's numbers are places in here."""

    @property
    def width(self) -> int:
        """Bytes of the longest anchor."""
        return max(map(len, self.anchors), default=0)

    def confirm(self, data: bytes | bytearray | memoryview, found: Sequence[tuple[int, int]]) -> list[Match]:
        """What the anchors in a buffer mean.

        Args:
            data: the buffer.
            found: number of the anchor and end of it, as a matcher gives them.

        Returns:
            Matches in the order of the buffer; one place is told once, by its best class.
        """
        return [Match(number, end - len(self.anchors[number]), end, "raw", "exact") for number, end in found]

    def redact(self, text: str) -> str:
        """The text without the secrets, in whatever spelling."""
        return text


def compile_query(secrets: Iterable[SecretValue]) -> Query:
    """Compile secrets.

    Raises:
        BadInputError: a secret is too short to be told from chance (``secret-too-short``).
    """
    held = tuple(secrets)
    return Query(held, tuple(secret.reveal() for secret in held))
