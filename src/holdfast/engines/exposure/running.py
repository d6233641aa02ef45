"""One search of one file, blob or stream: what it may still cost, and what it has found.

Rules:
1. Everything that comes out of a compression is counted; over the limits the search stops, and says so.
2. After that, what has already passed is still matched to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from holdfast.engines.exposure.limits import Limits, StoppedError
from holdfast.engines.exposure.streams import Sought
from holdfast.exposure.containers import Looks
from holdfast.exposure.query import Query
from holdfast.exposure.results import Match
from holdfast.exposure.unpacked import Found, Inner, Inward
from holdfast.exposure.zips import Reader

About = tuple[tuple[str, str], ...]


class Place(NamedTuple):
    """What a byte of a container belongs to."""

    inner: Inward
    start: int
    """Byte of the container at which that begins, to count from."""
    looks: Looks = ""
    about: About = ()
    known: bool = True
    """Whether lines are counted from there."""


class Sink(Protocol):
    """Takes bytes in pieces."""

    def feed(self, piece: bytes) -> None:
        """The next piece."""
        ...

    def close(self) -> None:
        """No more comes."""
        ...


class Opener(Sink, Protocol):
    """Opens a container as it passes."""

    def place(self, at: int, end: int) -> Place | None:
        """What a stretch of the container belongs to; none when it is searched by itself."""
        ...


@dataclass(frozen=True, slots=True)
class Where:
    """A place for a stream to stand at."""

    inner: Inward = ()
    kind: str = ""
    """What it was taken out of."""
    depth: int = 0
    about: About = ()

    def within(self, name: str, kind: str, about: About = ()) -> Where:
        """A member, one container deeper."""
        return Where((*self.inner, name), kind, self.depth + 1, about or self.about)

    def inflated(self, kind: str) -> Where:
        """The same member without its compression."""
        return Where(self.inner, kind, self.depth + 1, self.about)

    def beside(self, note: str) -> Where:
        """A place in the same container that is no member."""
        return Where((*self.inner, note), self.kind, self.depth, self.about)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What else is to be told."""

    documents: frozenset[Inward] = frozenset()
    """Members whose content is wanted, up to :attr:`Limits.document` bytes each."""
    digest: Callable[[str], bool] | None = None
    """Whether the SHA-256 of a member of the outermost tar is wanted, by its name."""
    keep: Callable[[str, int], bool] | None = None
    """Whether the content of a member of the outermost tar is wanted, by its name and size."""


class Flushed(Protocol):
    """What is still being matched."""

    def flush(self) -> None:
        """Match and tell what has come so far."""
        ...


Make = Callable[["Run", Where, bool, Reader | None], Sink]


@dataclass(slots=True)
class Run:
    """A search under way."""

    query: Query
    anchors: Sought
    gates: Sought
    limits: Limits
    make: Make
    wishes: Wishes = field(default_factory=Wishes)
    found: Found = field(default_factory=Found)
    held: int = 0
    stopped: bool = False
    windows: list[Flushed] = field(default_factory=list)
    """What is still being matched, outermost first."""
    read_from: int = 0
    """Bytes of the outermost, as far as they came."""

    def stream(self, where: Where, *, matched: bool = True, reader: Reader | None = None) -> Sink:
        """A sink for a member's bytes: matched, and opened if it is a container."""
        return self.make(self, where, matched, reader)

    def spend(self, length: int) -> None:
        """Count bytes that came out of a compression.

        Raises:
            StoppedError: there are too many.
        """
        self.found.inflated += length
        limits, total = self.limits, self.found.inflated
        if total > limits.inflated:
            raise StoppedError(f"inflates to more than {limits.inflated >> 20} MB: the rest is not searched")
        if total > limits.total_from and total > max(self.read_from, 1) * limits.ratio:
            raise StoppedError(f"inflates to more than {limits.ratio} times its size: the rest is not searched")

    def member(self) -> None:
        """Count a member.

        Raises:
            StoppedError: there are too many.
        """
        self.found.members += 1
        if self.found.members > self.limits.members:
            raise StoppedError(f"more than {self.limits.members:,} members: the rest is not searched")

    def hold(self, length: int) -> bool:
        """Whether so many more bytes may be in memory; they are counted if so."""
        if self.held + length > self.limits.held:
            return False
        self.held += length
        return True

    def fault(self, inner: Inward, reason: str) -> None:
        """Tell what could not be looked into."""
        faults = self.found.faults
        if len(faults) < self.limits.faults:
            faults.append((inner, reason))
        elif len(faults) == self.limits.faults:
            faults.append(((), f"more than {self.limits.faults:,} faults: the rest is not listed"))

    def tell(self, place: Place, match: Match, line: int | None, kind: str) -> None:
        """Tell a match whose places are counted from where the member begins."""
        if len(self.found.matches) >= self.limits.places:
            reason = f"more than {self.limits.places:,} places: the rest is not listed"
            if ((), reason) not in self.found.faults:
                self.found.faults.append(((), reason))
            return
        moved = replace(match, start=match.start - place.start, end=match.end - place.start)
        self.found.matches.append(Inner(place.inner, moved, line, kind, place.looks, place.about))
