"""What an anchor in a buffer means: a secret in some spelling, whole, or a piece of it.

Rules:
1. A spelling is whole only when every byte of the secret was read from it; one altered byte makes it a piece.
2. An anchor whose surroundings are not the rest is told as a piece when it is long enough to be no chance.
3. One place is told once, by its best class; pieces of one place are told as one.
4. Work is bounded: for each anchor by a window, for a buffer by a budget that grows with it. What the budget does not
   reach is told as a piece, never left out.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from holdfast.exposure.decoding import OPENERS, Opened
from holdfast.exposure.needles import Needle
from holdfast.exposure.results import Class, Match
from holdfast.exposure.spelling import LONGEST_ANCHOR, Anchor
from holdfast.exposure.tolerant import Budget, Pattern, cuts_escape, form_of

CONTEXT = 1 << 14
"""Bytes on each side of an anchor that confirming may look at; a stream has to keep that much."""
DEEPEST = 4
"""Encodings within encodings."""
LEAST_PIECE = 12
"""Bytes of a secret, as they are, that are told as a piece of it."""
LEAST_SPELLED = 8
"""Bytes of a secret in another spelling that are told as a piece of it."""
_RANKS: dict[str, int] = {"exact": 0, "encoded": 1, "split": 2, "partial": 3}
_STRETCH, _SLACK = 8, 256
"""Bytes for one of the secret's that are looked at on each side, and some more."""
_AGAIN = 8
_UNDONE_TWICE = ("reversed", "rot13")
_NEARBY = 2 * LONGEST_ANCHOR

Data = bytes | memoryview
Finder = Callable[[bytes, int, int], list[tuple[int, int]]]


class Origin(NamedTuple):
    """Where an anchor comes from."""

    needle: Needle
    pattern: Pattern
    anchor: Anchor


@dataclass(slots=True, repr=False)
class _Pass:
    """One look at one buffer."""

    data: Data
    depth: int
    layer: str
    """What was opened to get here."""
    budget: Budget
    told: list[Match] = field(default_factory=list)
    wholes: dict[int | None, list[tuple[int, int]]] = field(default_factory=dict)
    """By secret, the latest few places that are told already."""
    seen: dict[int, int] = field(default_factory=dict)
    """By needle, how far its beginning was looked for."""

    def tell(self, match: Match) -> None:
        last = self.told[-1] if self.told else None
        if match.cls != "partial":
            self.wholes.setdefault(match.secret, []).append((match.start, match.end))
        elif last and _same(last, match) and last.start <= match.start <= last.end:
            self.told[-1] = replace(last, end=max(last.end, match.end))
            return
        self.told.append(match)

    def holds(self, secret: int, start: int, end: int) -> bool:
        """Whether what was told last is a piece that the place is a part of."""
        last = self.told[-1] if self.told else None
        return last is not None and last.secret == secret and last.start <= start and end <= last.end

    def covers(self, secret: int, start: int, end: int) -> bool:
        return any(low <= start and end <= high for low, high in self.wholes.get(secret, ())[-8:])


class Confirmer:
    """Says what anchors mean."""

    def __init__(self, anchors: Sequence[bytes], origins: Sequence[tuple[Origin, ...]], find: Finder) -> None:
        """Prepare.

        Args:
            anchors: the literals.
            origins: for each of them, what it is a piece of.
            find: anchors within a part of a small buffer.
        """
        self._anchors = anchors
        self._origins = origins
        self._find = find
        self._gaps = _gaps(origins)

    def matches(self, data: Data, found: Iterable[tuple[int, int]]) -> list[Match]:
        """See :meth:`holdfast.exposure.query.Query.confirm`."""
        return self._look(_Pass(data, 0, "", Budget(len(data))), found)

    def _look(self, now: _Pass, found: Iterable[tuple[int, int]]) -> list[Match]:
        for number, end in found:
            start = end - len(self._anchors[number])
            for origin in self._origins[number]:
                if not now.covers(origin.needle.secret, start, end):
                    self._weigh(now, origin, start, end)
        return merged(now.told, self._gaps)

    def _weigh(self, now: _Pass, origin: Origin, start: int, end: int) -> None:
        text = origin.anchor.layer == "text"
        if origin.anchor.layer in _UNDONE_TWICE and origin.anchor.layer == now.layer:
            return
        whole = False
        if text and self._as_it_is(now, origin, start):
            return
        if not now.budget.spent:
            whole = self._spelled(now, origin, start) if text else self._opened(now, origin, start, end)
        if not whole:
            now.budget.failures -= 1 + (len(origin.needle.text) >> 7)
            if not now.holds(origin.needle.secret, start, end) and (piece := self._piece(now, origin, start, end)):
                now.tell(piece)

    def _as_it_is(self, now: _Pass, origin: Origin, start: int) -> bool:
        """Whether the needle stands there byte for byte."""
        needle, at = origin.needle, origin.anchor.at
        low = start - at
        high = low + len(needle.raw)
        if at < 0 or low < 0 or high > len(now.data) or needle.label == "pem body" or now.data[low:high] != needle.raw:
            return False
        cls: Class = "encoded" if needle.label else "exact"
        now.tell(Match(needle.secret, low, high, needle.label or "raw", cls))
        return True

    def _spelled(self, now: _Pass, origin: Origin, start: int) -> bool:
        """Look for the needle's beginning to the left of the anchor, and follow its spelling from there."""
        needle, pattern, anchor = origin
        low = max(0, now.seen.get(id(needle), 0), start - min(CONTEXT, _STRETCH * anchor.low + _SLACK))
        window = bytes(now.data[low : start + min(CONTEXT, _STRETCH * (len(needle.text) - anchor.low) + _SLACK)])
        now.seen[id(needle)] = max(now.seen.get(id(needle), 0), start + 1)
        whole, until, again = False, 0, 0
        for candidate in pattern.starts.finditer(window, 0, min(len(window), start + 2 - low)):
            first = candidate.start()
            if first > start - low or now.budget.steps < 0:
                break
            if first < until and not again:
                continue
            left = now.budget.steps
            walk = pattern.walk(window, first, now.budget)
            again -= again > 0
            if walk.reached == len(needle.text) and not cuts_escape(window, (first, walk.end), walk.bits):
                form, cls = form_of(walk.bits, loose=needle.loose)
                now.tell(_match(needle, low + first, low + walk.end, form, cls))
                # What stands just before a secret may look like its beginning: the next one may be the better reading.
                again = (again if first < until else _AGAIN) if cls == "split" else 0
                whole, until = True, walk.end
                now.budget.steps = left  # what is there is not charged for
        return whole

    def _opened(self, now: _Pass, origin: Origin, start: int, end: int) -> bool:
        """Open the encoding around the anchor and look at what is in it."""
        if now.depth >= DEEPEST:
            return False
        needle, _, anchor = origin
        reach = min(CONTEXT, _STRETCH * len(needle.text) + _SLACK)
        low = max(0, start - reach)
        window = bytes(now.data[low : end + reach])
        for opened in OPENERS[anchor.layer](window, start - low, end - low, anchor.phase):
            inside = self._inside(now, origin, opened)
            for match in inside:
                first, last, wrapped = opened.outer(match.start, match.end)
                form = opened.form + (", wrapped" if wrapped and opened.form.startswith("base") else "")
                if match.form not in ("raw", ""):
                    form += f" > {match.form}"
                cls: Class = "encoded" if match.cls == "exact" else match.cls
                now.tell(Match(match.secret, low + first, low + last, form, cls))
            if any(match.cls != "partial" and match.secret == needle.secret for match in inside):
                return True
        return False

    def _inside(self, now: _Pass, origin: Origin, opened: Opened) -> list[Match]:
        first, last = opened.near
        inner = _Pass(opened.data, now.depth + 1, origin.anchor.layer, now.budget)
        found = self._find(opened.data, max(0, first - _NEARBY), min(len(opened.data), last + _NEARBY))
        matches = self._look(inner, found)
        if not matches and origin.anchor.layer in ("hex", "decimal"):
            # Its anchors are shorter than a piece of the secret: what stands beside them may make one.
            anchor = Anchor(b"", origin.anchor.form, "text", origin.anchor.low, origin.anchor.high)
            piece = self._piece(inner, Origin(origin.needle, origin.pattern, anchor), first, last)
            return [replace(piece, form="raw")] if piece else []
        return matches

    def _piece(self, now: _Pass, origin: Origin, start: int, end: int) -> Match | None:
        """The anchor with whatever beside it is the secret's too, when that is enough to tell of."""
        needle, pattern, anchor = origin
        if now.budget.spent:
            return _match(needle, start, end, anchor.form, "partial")
        if anchor.layer != "text":
            enough = anchor.high - anchor.low >= LEAST_SPELLED and len(anchor.literal) >= LEAST_PIECE
            return _match(needle, start, end, anchor.form, "partial") if enough else None
        low, place = anchor.low, start
        while low > 0 and place > 0 and start - place < _SLACK and now.data[place - 1] == needle.text[low - 1]:
            low, place = low - 1, place - 1
        window = bytes(now.data[start : end + _SLACK])
        walk = pattern.walk(window, 0, now.budget, anchor.low)
        until = max(end, start + walk.end)
        alike = walk.reached - low
        if anchor.at >= 0:
            alike = max(alike, end - place, self._alike(now, origin, start))
        least = LEAST_PIECE if anchor.at >= 0 else LEAST_SPELLED
        return _match(needle, place, until, anchor.form, "partial") if alike >= least else None

    def _alike(self, now: _Pass, origin: Origin, start: int) -> int:
        """Bytes of a short secret that stand where they would if it were there as it is."""
        raw, low = origin.needle.raw, start - origin.anchor.at
        if low < 0 or len(raw) > 2 * LONGEST_ANCHOR:
            return 0
        return sum(a == b for a, b in zip(raw, bytes(now.data[low : low + len(raw)]), strict=False))


def _same(one: Match, other: Match) -> bool:
    return (one.cls, one.secret, one.form) == (other.cls, other.secret, other.form)


def _gaps(origins: Sequence[tuple[Origin, ...]]) -> dict[int | None, int]:
    """For each secret, how far apart two pieces of it may be and still belong to one place."""
    gaps: dict[int | None, int] = {}
    for origin in (one for several in origins for one in several):
        secret = origin.needle.secret
        gaps[secret] = max(gaps.get(secret, 0), 2 * len(origin.needle.text))
    return gaps


def merged(found: Iterable[Match], gaps: Mapping[int | None, int]) -> list[Match]:
    """One match for each place, in the order of the buffer.

    Args:
        found: matches, overlapping ones too.
        gaps: for each secret, how far apart two pieces may be and still belong to one place.
    """
    kept: list[Match] = []
    taken: dict[int | None, list[tuple[int, int]]] = {}
    for match in sorted(found, key=lambda match: (_RANKS[match.cls], match.form.count(">"), match.start, match.end)):
        places = taken.setdefault(match.secret, [])
        index = bisect_right(places, (match.start, match.end))
        before = index > 0 and places[index - 1][1] > match.start
        after = index < len(places) and places[index][0] < match.end
        if match.cls == "partial":
            if not before and not after:
                kept.append(match)
        elif not before and not after:
            insort(places, (match.start, match.end))
            kept.append(match)
    wholes = [match for match in kept if match.cls != "partial"]
    return sorted([*wholes, *_joined(kept, gaps)], key=lambda match: (match.start, match.end, match.secret))


def _joined(found: Iterable[Match], gaps: Mapping[int | None, int]) -> Iterator[Match]:
    pieces = sorted((match for match in found if match.cls == "partial"), key=lambda match: (match.secret, match.start))
    current: Match | None = None
    for piece in pieces:
        if current and piece.secret == current.secret and piece.start - current.end <= gaps.get(piece.secret, 0):
            longer = min(piece, current, key=lambda one: (one.form.count(">"), one.start - one.end))
            end = max(current.end, piece.end)
            current = Match(current.secret, current.start, end, longer.form, "partial")
            continue
        if current:
            yield current
        current = piece
    if current:
        yield current


def _match(needle: Needle, start: int, end: int, form: str, cls: Class) -> Match:
    if needle.label and form != needle.label:
        form = needle.label if form in ("raw", "rewrapped") else f"{needle.label}, {form}"
        cls = "encoded" if cls == "exact" else cls
    return Match(needle.secret, start, end, form, cls)
