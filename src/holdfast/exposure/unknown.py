"""Secrets that nobody named, looked for in the same pass as those that somebody did.

A query with rules finds places by the rules beside its anchors, under the number :data:`RULE`, and confirms them as it
does anchors: on the bytes around, so that the extent, the rule and the fingerprint are those of the whole text, however
it was cut for searching.

Rules:
1. A place is found wherever the deciding bytes of a match are; what is found is told from a whole stretch around it.
2. Of a named secret nothing is told as unknown.
3. What looks like a secret in a name is redacted like one.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from holdfast.exposure.baseline import inline_reason, key_mark
from holdfast.exposure.confirming import CONTEXT
from holdfast.exposure.formats import Rules
from holdfast.exposure.matching import RULE, Buffer, Matcher
from holdfast.exposure.query import Query, as_bytes, compile_query
from holdfast.exposure.results import Match, Unknown
from holdfast.exposure.rules import SPAN, WINDOW, RuleMatcher
from holdfast.kernel.secrets import SecretValue

FORM = "rule:"
"""What the form of a match begins with; the key of the rule follows."""
_WIDE = 2 * WINDOW + 1
"""Bytes that decide about a match in UTF-16, and one more, so that a border lies between two of them."""
_ROUNDS = 3


class RuledQuery(Query):
    """Secrets and rules, compiled."""

    __slots__ = ("_compiled", "_digest", "_key", "_rules")

    def __init__(self, secrets: Iterable[SecretValue], rules: Rules, key: bytes) -> None:
        """Compile secrets that were checked; rules are compiled when they are needed.

        Args:
            secrets: any number, also none.
            rules: what secrets look like.
            key: for fingerprints.
        """
        super().__init__(secrets)
        self._rules, self._key = rules, key
        self._compiled: dict[bool, RuleMatcher] = {}
        self._digest = _digest(rules, key)

    @property
    def digest(self) -> str:
        """See :attr:`Query.digest`."""
        return self._digest

    def matcher(self, *, plain: bool, more: Iterable[bytes] = ()) -> Matcher:
        """A matcher of the anchors, of more literals, and of the rules."""
        return RuledMatcher(super().matcher(plain=plain, more=more), self._finder(plain=plain))

    def confirm(self, data: Buffer, found: Sequence[tuple[int, int]]) -> list[Match]:
        """See :meth:`Query.confirm`; places of rules come with the number :data:`RULE`."""
        named = super().confirm(data, [one for one in found if one[0] != RULE])
        places = sorted({end - 1 for number, end in found if number == RULE})
        if not places:
            return named
        whole = _Covered((one.start, one.end) for one in named if one.cls != "partial")
        unknown = [one for one in self._around(data, places) if not whole.meets(one.start, one.end)]
        return sorted([*named, *unknown], key=lambda match: (match.start, match.end))

    def redact(self, text: str) -> str:
        """The text without the secrets, and without what looks like one."""
        text = super().redact(text)
        finder = self._finder()
        for _ in range(_ROUNDS):
            data, errors = as_bytes(text)
            found = finder.find(data)
            if not found:
                break
            parts: list[bytes] = []
            place = 0
            for one in found:
                parts += (data[place : one.start], one.redaction.encode())
                place = max(place, one.end)
            text = b"".join([*parts, data[place:]]).decode("utf-8", errors)
        return text

    def forms(self) -> tuple[str, ...]:
        """Every form that is searched, and every rule."""
        rules = self._rules.scanning or self._rules.rules
        return (*super().forms(), *(f"{FORM}{rule.key}" for rule in rules))

    def _finder(self, *, plain: bool | None = None) -> RuleMatcher:
        """The rules, compiled; where it does not matter how, as they were first."""
        if plain is None:
            plain = next(iter(self._compiled), False)
        if plain not in self._compiled:
            self._compiled[plain] = RuleMatcher(self._rules, self._key, plain=plain)
        return self._compiled[plain]

    def _around(self, data: Buffer, places: Sequence[int]) -> Iterator[Match]:
        """What the rules find at some places, told from all that is near them."""
        finder = self._finder()
        for low, high, own in _stretches(places, len(data)):
            stretch = bytes(data[low:high])
            for one in finder.find(stretch):
                next_own = bisect_left(own, low + one.start)
                if next_own < len(own) and own[next_own] < low + one.end:
                    unknown = Unknown(one.rule, one.fingerprint, _allowed(stretch, one.start))
                    yield Match(None, low + one.start, low + one.end, f"{FORM}{one.rule}", "exact", unknown)


class RuledMatcher:
    """Literals and rules; see :class:`~holdfast.exposure.matching.Matcher`."""

    def __init__(self, literals: Matcher, rules: RuleMatcher) -> None:
        """Of compiled ones."""
        self._found, self._rules = literals, rules
        self.literals, self.plain = literals.literals, literals.plain
        self.lengths = (*literals.lengths, 1)
        self.width, self.near = max(literals.width, _WIDE), max(literals.width, WINDOW + 1)
        self.joints: NDArray[np.uint8] | None = None

    def find(self, data: Buffer) -> list[tuple[int, int]]:
        """Ends of literals, and first bytes of what the rules find."""
        found = self._found.find(data)
        return _ordered(found, (one.start for one in self._rules.find(data)) if len(data) else ())

    def among(self, data: Buffer, starts: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Likewise in several texts, one after the other; the rules look at each by itself, where it is worth it."""
        found = self._found.find(data)
        if not len(data):
            return found
        ends, wide = self._rules.suspects(data)
        worth = range(len(starts)) if wide else _holding(starts, ends)
        return _ordered(found, self._each(data, starts, worth))

    def _each(self, data: Buffer, starts: NDArray[np.int64], worth: Iterable[int]) -> Iterator[int]:
        for number in worth:
            start = int(starts[number])
            end = int(starts[number + 1]) if number + 1 < len(starts) else len(data)
            for one in self._rules.find(data[start:end]):
                yield start + one.start


class _Covered:
    """Stretches of a buffer, for asking whether another one meets any."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(stretches)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def meets(self, start: int, end: int) -> bool:
        before = bisect_left(self._starts, end)
        return before > 0 and self._ends[before - 1] > start


def compile_ruled(secrets: Iterable[SecretValue], rules: Rules, key: bytes) -> RuledQuery:
    """Compile secrets and rules.

    Raises:
        BadInputError: a secret cannot be searched for; see :func:`~holdfast.exposure.query.compile_query`.
    """
    return RuledQuery(compile_query(secrets).secrets, rules, key)


def _ordered(found: list[tuple[int, int]], starts: Iterable[int]) -> list[tuple[int, int]]:
    more = [(RULE, start + 1) for start in starts]
    return sorted([*found, *more], key=lambda one: (one[1], one[0])) if more else found


def _holding(starts: NDArray[np.int64], ends: Sequence[int]) -> list[int]:
    """Numbers of the texts in which some places lie."""
    if not ends:
        return []
    numbers: list[int] = np.unique(np.searchsorted(starts, np.asarray(ends, np.int64) - 1, "right") - 1).tolist()
    return numbers


def _stretches(places: Sequence[int], size: int) -> Iterator[tuple[int, int, list[int]]]:
    """What lies around some places: beginning, end, and the places in it. They do not overlap."""
    low, high, own = 0, -1, list[int]()
    for place in places:
        before, after = max(0, place - CONTEXT), min(size, place + CONTEXT + SPAN)
        if own and before > high:
            yield low, high, own
            own = []
        low = low if own else before
        high = after
        own.append(place)
    if own:
        yield low, high, own


def _allowed(data: bytes, start: int) -> str | None:
    """The reason that the line of a place gives for what is on it."""
    end = data.find(b"\n", start)
    return inline_reason(data[data.rfind(b"\n", 0, start) + 1 : len(data) if end < 0 else end])


def _digest(rules: Rules, key: bytes) -> str:
    told = hashlib.sha256(key_mark(key).encode())
    for rule in rules.scanning or rules.rules:
        ignored = [pattern.pattern for pattern in (*rule.patterns, *rule.ignore, *rule.scan_ignore)]
        parts = (rule.key, *ignored, *rule.cut, rule.entropy, rule.scan_entropy, rule.mixed, rule.squeeze)
        told.update(repr(parts).encode())
    told.update(repr([one.pattern for one in rules.placeholders]).encode())
    return told.hexdigest()[:32]
