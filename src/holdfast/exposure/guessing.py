"""How hard a value is to guess: an estimate that errs on the low side, for values whose fingerprint leaves the house.

Whoever holds a fingerprint can try out guesses. A value that a machine made has too many; one that a person made has
not, however slow each try is.

Rules:
1. Five letters and more that can be spoken (vowels between few consonants) count as language: 2 bits a letter
   (Shannon, Prediction and Entropy of Printed English, 1951, gives 1 to 1.5 for long texts; short words are less
   predictable). What separates two of them counts 1 bit.
2. Usual substitutions (``0`` for ``o``, ``@`` for ``a``) are undone first, where that makes a word.
3. A year counts 7 bits; a date, a time of day, a run up or down the alphabet or the digits, and a character repeated
   count 1 bit a character.
4. A word that is in many passwords (``prod``, ``root``, ``mysql``) counts 1.5 bits a character, four keys in a row of
   the keyboard and more 1 bit each.
5. What comes again (three characters that were there before) counts nothing.
6. Every other character counts the logarithm of the size of its alphabet, taken over all kinds in use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

ENOUGH_BITS = 64
SHORTEST = 12
"""Bytes."""
_LETTER_BITS = 2.0
_YEAR_BITS = 7.0
_WORD = re.compile(rb"[a-z]{5,}|[A-Z]{5,}|[A-Z][a-z]{4,}")
_HARD = re.compile(rb"[^aeiouyAEIOUY]{4}")
_VOWEL = re.compile(rb"[aeiouyAEIOUY]")
_BETWEEN = re.compile(rb"(?<=[A-Za-z])[ _.:/-](?=[A-Za-z])")
_YEAR = re.compile(rb"(?:19|20)[0-9]{2}")
_MOMENT = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T?|[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_SUBSTITUTES = bytes.maketrans(b"0134@5$7!", b"oieaassti")
_COMMON = re.compile(
    rb"(?i)pass|word|prod|root|admin|test|user|login|mysql|postgres|redis|mongo|oracle|docker|kube|jenkins|git|secret"
    rb"|token|key|auth|access|master|main|live|stage|staging|deploy|server|client|service|system|default|temp|demo"
    rb"|love|king|dragon|monkey|home|work|team|company|corp|cloud|data|base|code|dev|ops|api|app|web|aws|dba|sql"
)
_ROWS = (b"qwertyuiop", b"asdfghjkl", b"zxcvbnm", b"qwertzuiop", b"azertyuiop", b"1234567890", b"0987654321")
_KEYS = re.compile(b"(?i)" + b"|".join(b"(?=(%s))" % row[at : at + 4] for row in _ROWS for at in range(len(row) - 3)))
_KINDS = (
    (re.compile(rb"[0-9]"), 10),
    (re.compile(rb"[a-f]"), 6),
    (re.compile(rb"[g-z]"), 20),
    (re.compile(rb"[A-F]"), 6),
    (re.compile(rb"[G-Z]"), 20),
    (re.compile(rb"[!-/:-@\[-`{-~ ]"), 8),
    (re.compile(rb"[^!-~ ]"), 16),
)


def bits(value: bytes) -> int:
    """Estimated bits of guessing."""
    return round(min(_estimate(value, value), _estimate(value, value.translate(_SUBSTITUTES))))


def guessable(value: bytes) -> bool:
    """Whether a fingerprint of the value would tell it to whoever tries long enough."""
    return len(value) < SHORTEST or bits(value) < ENOUGH_BITS


def _estimate(value: bytes, read: bytes) -> float:
    alphabet = sum(size for kind, size in _KINDS if kind.search(value))
    each = math.log2(alphabet) if alphabet > 1 else 0.0
    counted = [each] * len(value)
    for start, end in _words(value, read):
        counted[start:end] = [min(each, _LETTER_BITS)] * (end - start)
        for place in (max(start - 1, 0), end):
            if _BETWEEN.match(value, place):
                counted[place] = 1.0
    for pattern, text, per in (
        (_COMMON, read, 1.5),
        (_KEYS, value, 1.0),
        (_YEAR, value, _YEAR_BITS / 4),
        (_MOMENT, value, 1.0),
    ):
        for match in pattern.finditer(text):
            # The keys of a row are looked for ahead, so that rows overlap: such a match is empty, and stands for four.
            end = max(match.end(), match.start() + 4) if pattern is _KEYS else match.end()
            counted[match.start() : end] = [min(each, per)] * (end - match.start())
    seen: set[bytes] = set()
    for place in range(2, len(value)):
        step, before = value[place] - value[place - 1], value[place - 1] - value[place - 2]
        if step == before and step in (-1, 0, 1):
            counted[place] = min(counted[place], 1.0)
        piece = value[place - 2 : place + 1]
        if piece in seen:
            counted[place] = 0.0
        seen.add(piece)
    return sum(counted)


def _words(value: bytes, read: bytes) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(read):
        word = match[0]
        changed = sum(one != other for one, other in zip(word, value[match.start() : match.end()], strict=True))
        spoken = _HARD.search(word) is None and 0.25 <= len(_VOWEL.findall(word)) / len(word) <= 0.7  # noqa: PLR2004
        if spoken and changed * 3 <= len(word):
            yield match.start(), match.end()
