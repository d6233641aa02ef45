"""What was found within bytes that may be containers of containers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from holdfast.exposure.containers import Looks
from holdfast.exposure.query import Query
from holdfast.exposure.results import Match

Inward = tuple[str, ...]
"""Names of members, outermost first. What is no member's content is named in parentheses: ``a.txt (header)``."""


@dataclass(frozen=True, slots=True)
class Inner:
    """A match and where within."""

    inner: Inward
    match: Match
    """Its places are bytes within the innermost member, or within what the innermost compression held."""
    line: int | None
    """From 1, where the bytes before are known."""
    kind_of_container: str
    """What the match was found in: ``gzip``, ``tar``…, and nothing for the outermost bytes as they are."""
    looks: Looks = ""
    """What the innermost member may be an export of."""
    about: tuple[tuple[str, str], ...] = ()
    """Of a mail: subject, author, sent."""


@dataclass(slots=True)
class Found:
    """Everything about one file, blob or stream."""

    matches: list[Inner] = field(default_factory=list)
    faults: list[tuple[Inward, str]] = field(default_factory=list)
    members: int = 0
    read: int = 0
    """Bytes as they came."""
    inflated: int = 0
    """Bytes that came out of compressions."""
    matched: int = 0
    """Bytes that were searched."""
    not_searched: set[str] = field(default_factory=set)
    removals: list[Inward] = field(default_factory=list)
    """Members that take a file away from the layers below (``.wh.…``)."""
    documents: dict[Inward, bytes] = field(default_factory=dict, repr=False)
    """Content of the members that were asked for."""
    digests: dict[Inward, str] = field(default_factory=dict)
    """SHA-256 of the outermost archive's members that were asked for, in hexadecimal digits."""


SearchStream = Callable[[Iterable[bytes], Query], Found]
"""Searches a stream that may be a container; never raises for what it holds."""
