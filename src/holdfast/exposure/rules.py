r"""Unknown secrets in bytes: every rule of the library, tried in one pass over a buffer of any length and encoding.

A match is decided by the bytes around its start only: :data:`BEHIND` before it and :data:`SPAN` from it. So a scan of
pieces of a file that overlap by :data:`WINDOW` finds a secret wherever a scan of the whole file does. What goes on
behind the span (a private key, a long token) is followed to its end afterwards, for its fingerprint.

Two engines say where a pattern may match: Hyperscan evaluates the gates of all patterns at once; the plain one asks
RE2 which gates match at all and tries these everywhere. Both then decide with the same code, so the results are equal.

Rules:
1. What is found is told by rule, keyed fingerprint and place: the secret never leaves this module.
2. Every start is tried by itself: no match hides another that begins within it.
3. Where finds overlap, they are told as one, under the rule that comes first in the library.
4. Text in UTF-16 is looked through as well; its ASCII characters are what counts.
5. Documented samples and placeholders are passed over (``placeholders`` of the library).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

import numpy as np

from holdfast.exposure.formats import Rule, Rules
from holdfast.exposure.gates import Gated, gated
from holdfast.exposure.matching import Buffer
from holdfast.kernel.secrets import fingerprint

SPAN = 240
"""Bytes from the start of a match that decide."""
BEHIND = 16
"""Bytes before it that decide."""
WINDOW = SPAN + BEHIND
LONGEST = 1 << 14
"""Bytes up to which a secret is followed for its fingerprint."""
_JUDGED = 1 << 14
"""Values whose verdict is remembered."""
_BETWEEN = re.compile(rb"\\[nrt]|\s")
_SHORTEST_WIDE = 12
"""Characters of a run of UTF-16; shorter ones come by chance, and hold no secret."""
_TEXT = np.isin(np.arange(256), [9, 10, 13, *range(32, 127)])
_LENGTHS = (16, 32, 64, 128, 1024)


@dataclass(frozen=True, slots=True)
class Found:
    """A secret that nobody named, found in a buffer."""

    rule: str
    fingerprint: str
    """16 hexadecimal digits: equal secrets under one key look equal."""
    start: int
    end: int
    """Bytes of the buffer: what to cut out, and where to point at."""

    @property
    def redaction(self) -> str:
        """What is shown in place of the secret."""
        return f"[{self.rule} {length_bucket(self.end - self.start)} fp:{self.fingerprint}]"

    def as_json(self) -> dict[str, str]:
        """What a line of ``--json`` tells besides the place."""
        return {"rule": self.rule, "fingerprint": self.fingerprint, "length": length_bucket(self.end - self.start)}


class _Gates(Protocol):
    """Says where patterns may match, and whether there may be text in UTF-16."""

    def ends(self, data: Buffer) -> tuple[dict[int, list[int]], bool]:
        """Of each pattern (by number) ends of its gate, at least one for every start of a match."""
        ...


class _Pattern(NamedTuple):
    rule: int
    gated: Gated
    reach: int
    cut: bool


class _Span(NamedTuple):
    start: int
    end: int
    rule: int
    secret: bytes


class RuleMatcher:
    """All scanning rules, compiled."""

    window = WINDOW

    def __init__(self, rules: Rules, key: bytes, *, plain: bool = False) -> None:
        """Compile the rules, which takes a part of a second.

        Args:
            rules: the library.
            key: for fingerprints.
            plain: use RE2 in place of Hyperscan.

        Raises:
            ValueError: a pattern cannot be used for scanning.
        """
        self.rules: tuple[Rule, ...] = rules.scanning or rules.rules
        self._placeholders = rules.placeholders
        self._key = key
        self._judged: dict[tuple[int, bytes], bool] = {}
        self._patterns = tuple(_patterns(self.rules))
        gates = [pattern.gated.gate for pattern in self._patterns]
        wide = sorted({_widened(word) for rule in self.rules for word in rule.keywords})
        self._gates: _Gates = _PlainGates(gates, wide) if plain else _FastGates(gates, wide)

    def find(self, data: Buffer) -> list[Found]:
        """Everything in a buffer, in its order, never overlapping."""
        ends, wide = self._gates.ends(data)
        found = list(self._merged(sorted(set(self._spans(data, ends)))))
        if wide:
            found += self._wide(data)
            found.sort(key=lambda one: (one.start, one.end))
        return found

    def suspects(self, data: Buffer) -> tuple[list[int], bool]:
        """Where something may be found, much quicker than by finding it; too much rather than too little.

        Returns:
            Ends of stretches within what may be found, and whether there may be anything in UTF-16, wherever.
        """
        ends, wide = self._gates.ends(data)
        return sorted({end for some in ends.values() for end in some}), wide

    def _spans(self, data: Buffer, ends: dict[int, list[int]]) -> Iterator[_Span]:
        for number in sorted(ends):
            pattern = self._patterns[number]
            known = 0
            for start in _starts(pattern, data, ends[number]):
                # What begins within a find is not followed to its end again: that would be quadratic.
                for span in self._tried(pattern, data, start, follow=start >= known):
                    known = max(known, span.end)
                    yield span

    def _tried(self, pattern: _Pattern, data: Buffer, start: int, *, follow: bool) -> Iterable[_Span]:
        limit = start + SPAN
        if pattern.cut and limit > len(data):
            return ()
        match = pattern.gated.pattern.match(data, start, min(limit, len(data)))
        if match is None:
            return ()
        rule = self.rules[pattern.rule]
        secret = bytes(match["secret"])
        if not self._accepted(pattern.rule, secret):
            return ()
        at_limit = limit <= len(data) and (rule.squeeze or match.end("secret") >= limit - 1)
        whole = list(self._followed(pattern.rule, data, start)) if follow and at_limit else []
        return whole or (_Span(match.start("secret"), match.end("secret"), pattern.rule, secret),)

    def _accepted(self, rule: int, secret: bytes) -> bool:
        """Whether a rule takes what it found for a secret; histories hold the same values again and again."""
        key = (rule, secret)
        known = self._judged.get(key)
        if known is None:
            text = secret.decode("utf-8", "surrogateescape")
            known = self.rules[rule].accepts_scanned(text) and not any(one.search(text) for one in self._placeholders)
            if len(self._judged) >= _JUDGED:
                self._judged.clear()
            self._judged[key] = known
        return known

    def _followed(self, rule: int, data: Buffer, start: int) -> Iterator[_Span]:
        """The same secret with more to look at, by any pattern of the rule."""
        limit = min(start + LONGEST, len(data))
        for pattern in self._patterns:
            if pattern.rule == rule and not pattern.cut:
                match = pattern.gated.pattern.match(data, start, limit)
                if match is not None:
                    yield _Span(match.start("secret"), match.end("secret"), rule, bytes(match["secret"]))

    def _merged(self, spans: Iterable[_Span]) -> Iterator[Found]:
        group: list[_Span] = []
        end = -1
        for span in spans:
            if group and span.start >= end:
                yield self._told(group, end)
                group = []
            group.append(span)
            end = max(end, span.end)
        if group:
            yield self._told(group, end)

    def _told(self, group: list[_Span], end: int) -> Found:
        told = min(group, key=lambda span: span.rule)
        rule = self.rules[told.rule]
        secret = _BETWEEN.sub(b"", told.secret) if rule.squeeze else told.secret
        return Found(rule.key, fingerprint(secret, self._key), group[0].start, end)

    def _wide(self, data: Buffer) -> Iterator[Found]:
        for base, end in wide_runs(data):
            narrow = bytes(data[base:end:2])
            ends, _ = self._gates.ends(narrow)
            for one in self._merged(sorted(set(self._spans(narrow, ends)))):
                yield Found(one.rule, one.fingerprint, base + 2 * one.start, base + 2 * one.end)


class _FastGates:
    """Hyperscan, all gates in one database."""

    def __init__(self, gates: Sequence[bytes], wide: Sequence[bytes]) -> None:
        import hyperscan  # noqa: PLC0415 - whoever uses the plain engine must not need it

        self._wide = len(gates)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[*gates, *wide],
            ids=[*range(len(gates)), *(self._wide for _ in wide)],
            elements=len(gates) + len(wide),
            flags=[hyperscan.HS_FLAG_DOTALL] * len(gates) + [hyperscan.HS_FLAG_SINGLEMATCH] * len(wide),
        )

    def ends(self, data: Buffer) -> tuple[dict[int, list[int]], bool]:
        """See :class:`_Gates`."""
        found: defaultdict[int, list[int]] = defaultdict(list)

        def hear(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found[number].append(end)

        if len(data):
            self._database.scan(cast("bytes", data), match_event_handler=hear)
        return found, found.pop(self._wide, None) is not None


class _PlainGates:
    """RE2 says which gates match at all; each that does may match anywhere."""

    def __init__(self, gates: Sequence[bytes], wide: Sequence[bytes]) -> None:
        import re2  # noqa: PLC0415 - slow to load, and only the plain engine needs it

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = 1 << 28
        options.dot_nl = True
        options.never_capture = True
        self._wide = len(gates)
        self._set = re2.Set.SearchSet(options)
        for gate in (*gates, b"|".join(wide)):
            self._set.Add(gate)
        self._set.Compile()

    def ends(self, data: Buffer) -> tuple[dict[int, list[int]], bool]:
        """See :class:`_Gates`."""
        held = data if isinstance(data, bytes) else bytes(data)
        numbers = set(self._set.Match(held) or ()) if held else set()
        return {number: [len(held)] for number in sorted(numbers - {self._wide})}, self._wide in numbers


def length_bucket(length: int) -> str:
    """How long a secret is, told so roughly that it helps nobody to guess it."""
    for limit in _LENGTHS:
        if length <= limit:
            return f"up to {limit} bytes"
    return f"over {_LENGTHS[-1]} bytes"


def wide_runs(data: Buffer) -> Iterator[tuple[int, int]]:
    """Start and end of text in UTF-16, of ASCII characters."""
    held = np.frombuffer(data, dtype=np.uint8)
    if held.all():
        return
    text = _TEXT[held]
    pairs = text[:-1] & (held[1:] == 0)
    for first in (0, 1):
        steps = np.diff(pairs[first::2].astype(np.int8), prepend=0, append=0)
        for start, end in zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True):
            if end - start >= _SHORTEST_WIDE:
                last = first + 2 * end
                yield first + 2 * start, last + int(last < len(text) and bool(text[last]))


def _widened(word: str) -> bytes:
    """A keyword in UTF-16 of either byte order, without the byte by which the two differ at its end."""
    return b"(?i:" + rb"\x00".join(b"\\x%02x" % byte for byte in word.encode()) + b")"


def _patterns(rules: Sequence[Rule]) -> Iterator[_Pattern]:
    for number, rule in enumerate(rules):
        whole = [(pattern.pattern, False) for pattern in rule.patterns]
        for text, cut in [*whole, *((text, True) for text in rule.cut)]:
            one = gated(text)
            if one.behind > BEHIND:
                msg = f"a pattern of {rule.key} looks further back than {BEHIND} bytes"
                raise ValueError(msg)
            yield _Pattern(number, one, SPAN if one.reach is None else min(one.reach, SPAN), cut)


def _starts(pattern: _Pattern, data: Buffer, ends: list[int]) -> Iterator[int]:
    """Where a match of the pattern may begin, each place once, in order."""
    head = pattern.gated.head
    # A match begins before the end of its gate.
    ahead = SPAN if pattern.gated.ahead is None else min(pattern.gated.ahead, SPAN)
    place = 0
    # The plain engine knows no places: then the one end it names is that of the buffer, and everything is tried.
    everywhere = ends == [len(data)]
    for end in sorted(ends):
        place = max(place, 0 if everywhere else end - pattern.reach)
        while place < end:
            match = head.search(data, place, min(end + ahead, len(data)))
            if match is None or match.start() >= end:
                break
            place = match.start()
            yield place
            place += 1
