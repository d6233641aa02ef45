"""What a hostile container may cost."""

from __future__ import annotations

from dataclasses import dataclass


class StoppedError(Exception):
    """The whole search of one file or stream stops here; the message is the reason, without a full stop."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the search of one file, blob or stream. What lies beyond is told, never passed over in silence."""

    depth: int = 16
    """Containers and compressions within one another."""
    members: int = 1_000_000
    """Members of all archives together."""
    inflated: int = 64 << 30
    """Bytes that all of it may inflate to."""
    ratio: int = 1200
    """Times its size that a compression, or all together, may inflate to; deflate cannot reach more than 1,032."""
    ratio_from: int = 128 << 20
    """Bytes of one compression that are inflated whatever the ratio."""
    total_from: int = 2 << 30
    """Bytes that everything together may inflate to whatever the ratio."""
    held: int = 1 << 30
    """Bytes of archives within others that are in memory at once, because they are read from their end."""
    program: int = 64 << 20
    """Bytes of a program that is kept to see whether it carries an archive."""
    places: int = 10_000
    """Matches that are told."""
    faults: int = 1_000
    """Faults that are told."""
    document: int = 64 << 20
    """Bytes of an export that is parsed to name a hit."""
