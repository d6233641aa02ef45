"""Bytes that pass by in pieces: matched without losing what lies across two of them.

Rules:
1. A piece is matched as it is, without copying it; the seam between two pieces is matched by itself.
2. An anchor is confirmed once the bytes after it are there, with :data:`~holdfast.exposure.query.CONTEXT` bytes on
   each side. Until then the pieces are kept, and no longer.
3. One place is told once, by its best class, also when it was confirmed twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from holdfast.exposure.matching import RULE, Matcher
from holdfast.exposure.query import CONTEXT, Query
from holdfast.exposure.results import Match

PIECE = 1 << 20
_SMALL = 1 << 16
_WIDE = b"0" * 4096
"""Looked through before each match: isal leaves the upper halves of the vector registers in use, which makes Hyperscan
half as fast on some processors until something clears them, as the C library's search for a byte does."""
_REMEMBERED = 1 << 20
"""Bytes that are kept in any case, so that a match near the beginning of a member knows its line."""
_NEAR = 8
"""Matches that may overlap the next one."""
_BEST = {"exact": 0, "encoded": 1, "split": 2, "partial": 3}


class Sought:
    """A matcher with the lengths of its literals: made once, for every stream of a search."""

    def __init__(self, matcher: Matcher) -> None:
        """Of a matcher."""
        self.matcher = matcher
        self.lengths = matcher.lengths
        self.overlap = matcher.width - 1


class Finder:
    """Ends of literals in a stream, by their place in the whole of it."""

    def __init__(self, sought: Sought) -> None:
        """At the beginning of a stream."""
        self._matcher, self._lengths, self._overlap = sought.matcher, sought.lengths, sought.overlap
        self._tail = b""

    def find(self, piece: bytes, start: int) -> list[tuple[int, int]]:
        """Number and end of each literal that ends in the next piece, which begins at ``start``."""
        found: list[tuple[int, int]] = []
        overlap = self._overlap
        _WIDE.find(b"1")
        if self._tail and overlap:
            seam = self._tail + piece[:overlap]
            before = len(self._tail)
            found = [
                (number, start - before + end)
                for number, end in self._matcher.find(seam)
                if number == RULE or end > before > end - self._lengths[number]
            ]
        found += [(number, start + end) for number, end in self._matcher.find(piece)]
        if overlap:
            self._tail = piece[-overlap:] if len(piece) >= overlap else (self._tail + piece)[-overlap:]
        return found

    def forget(self) -> None:
        """Something else comes between: nothing goes on."""
        self._tail = b""


class Recent:
    """The last pieces of a stream."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._pieces: deque[tuple[int, bytes]] = deque()
        self.end = 0

    def add(self, piece: bytes) -> None:
        """The next piece."""
        self._pieces.append((self.end, piece))
        self.end += len(piece)

    def forget(self, before: int) -> None:
        """Let go of whole pieces that end before a place."""
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) <= before:
            self._pieces.popleft()

    @property
    def start(self) -> int:
        """The first byte that is still here."""
        return self._pieces[0][0] if self._pieces else self.end

    def between(self, start: int, end: int) -> tuple[int, bytes]:
        """Where they begin, and the bytes of a stretch as far as they are still here."""
        parts = []
        first = None
        for at, piece in self._pieces:
            if at + len(piece) > start and at < end:
                low, high = max(0, start - at), min(len(piece), end - at)
                first = at + low if first is None else first
                parts.append(piece[low:high])
        return (self.end if first is None else first), b"".join(parts)

    def lines(self, start: int, end: int) -> int | None:
        """Line ends in a stretch; none when its beginning is gone."""
        if start < self.start:
            return None
        return sum(piece.count(b"\n", max(0, start - at), max(0, end - at)) for at, piece in self._pieces if at < end)


class Ear(Protocol):
    """Hears what a window finds, while the piece is among the recent ones."""

    def tap(self, piece: bytes) -> None:
        """The next piece, before it is matched."""
        ...

    def gate(self, number: int, end: int) -> None:
        """One of the other literals, at which something begins that is to be decoded: its number and end."""
        ...

    def hear(self, match: Match) -> None:
        """A match; its places are counted from the beginning of the stream."""
        ...


class Window:
    """Matches a stream. Small pieces are gathered; each gathered one is matched and then confirmed."""

    def __init__(self, query: Query, anchors: Sought, gates: Sought, ear: Ear) -> None:
        """Of a query and its anchors; ``gates`` are the other literals."""
        self._query, self._width, self._ear = query, anchors.overlap + 1, ear
        self._anchors, self._gates = Finder(anchors), Finder(gates)
        self.gated = True
        """Whether the other literals are looked for: not within what is compressed."""
        self.recent = Recent()
        self._waiting: list[tuple[int, int]] = []
        self._small: list[bytes] = []
        self._gathered = 0
        self._told: list[Match] = []
        self.matched = 0

    def feed(self, piece: bytes) -> None:
        """The next piece."""
        if self._small or len(piece) < _SMALL:
            self._small.append(piece)
            self._gathered += len(piece)
            if self._gathered >= _SMALL:
                self._flush()
        else:
            self._match(piece)

    def skip(self, length: int) -> None:
        """Pass over zeros: nothing that is looked for goes on through them."""
        if self._small:
            self._flush()
        self._confirm(self.recent.end)
        self._tell(self.recent.end)
        self._anchors.forget()
        self._gates.forget()
        self.recent.forget(self.recent.end)
        self.recent.end += length

    def close(self) -> None:
        """No more comes."""
        if self._small:
            self._flush()
        self._confirm(self.recent.end)
        self._tell(self.recent.end)

    def _flush(self) -> None:
        gathered = self._small[0] if len(self._small) == 1 else b"".join(self._small)
        self._small, self._gathered = [], 0
        self._match(gathered)

    def _match(self, piece: bytes) -> None:
        self._ear.tap(piece)
        start = self.recent.end
        self.recent.add(piece)
        self.matched += len(piece)
        self._waiting += self._anchors.find(piece, start)
        if self.gated:
            for number, end in self._gates.find(piece, start):
                self._ear.gate(number, end)
        end = self.recent.end
        self._confirm(end - CONTEXT)
        first = min((at for _, at in self._waiting), default=end)
        self._tell(first - CONTEXT)
        self.recent.forget(min(first - 2 * CONTEXT - self._width, end - _REMEMBERED))

    def _confirm(self, until: int) -> None:
        """Confirm the anchors after which enough is known."""
        ready = [one for one in self._waiting if one[1] <= until]
        if not ready:
            return
        self._waiting = [one for one in self._waiting if one[1] > until]
        ends = [end for _, end in ready]
        start, data = self.recent.between(min(ends) - CONTEXT - self._width, max(ends) + CONTEXT)
        for one in self._query.confirm(data, [(number, end - start) for number, end in ready]):
            self._keep(replace(one, start=one.start + start, end=one.end + start))

    def _keep(self, match: Match) -> None:
        """Tell a place once: two anchors of it may have been confirmed in two goes."""
        for number in range(max(0, len(self._told) - _NEAR), len(self._told)):
            other = self._told[number]
            if other.secret != match.secret or other.start >= match.end or match.start >= other.end:
                continue
            if (other.start, other.end) == (match.start, match.end) or "partial" in {other.cls, match.cls}:
                if _BEST[match.cls] < _BEST[other.cls]:
                    self._told[number] = match
                return
        self._told.append(match)

    def _tell(self, until: int) -> None:
        """Tell the matches that no anchor yet to come can be a part of."""
        if self._told:
            told, self._told = self._told, []
            for match in told:
                if match.end <= until:
                    self._ear.hear(match)
                else:
                    self._told.append(match)


def pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of any size as pieces of at most 1 MB."""
    for chunk in chunks:
        if len(chunk) <= PIECE:
            yield chunk
        else:
            for at in range(0, len(chunk), PIECE):
                yield chunk[at : at + PIECE]
