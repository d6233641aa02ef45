"""What is looked for on behalf of a secret: itself, and what it holds that opens the same doors.

A secret of several lines is looked for without its white space, which every tool writes differently. A secret that
holds a private key is looked for three times: as it is, as the base64 body alone, and as the bytes that stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.exposure.keyblocks import KeyBlock, key_blocks

_WORD = re.compile(rb"\S{8,}")
_BODY_WORD = re.compile(rb"[A-Za-z0-9+/]{8,}")
_SPACE = re.compile(rb"\s+")
_SIGNED = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.(?=[A-Za-z0-9_-]{16})")
_SHORTEST = 8
_KEYS = 4
"""Keys of one secret that are looked for by themselves."""


@dataclass(frozen=True, slots=True, repr=False)
class Needle:
    """One byte string. It never shows itself."""

    secret: int
    label: str
    """Empty for the secret itself; ``pem body`` or ``der`` for a key within it."""
    raw: bytes
    text: bytes
    """What has to be spelled: ``raw``, without its white space where that is loose."""
    loose: bool
    ranges: tuple[tuple[int, int], ...]
    """The parts of ``text`` that anchors may come from; each stands in ``raw`` without a gap."""

    @property
    def binary(self) -> bool:
        """Whether it is no text."""
        if self.label == "der":
            return True
        try:
            self.raw.decode()
        except UnicodeDecodeError:
            return True
        return False


def needles_of(number: int, secret: bytes) -> Iterator[Needle]:
    """Everything that is looked for because of one secret."""
    keys = list(key_blocks(secret))[:_KEYS]
    itself = _itself(number, secret, keys)
    yield itself
    for key in keys:
        if key.body != secret:
            yield Needle(number, "pem body", key.body, key.body, True, _lines(itself, key))  # noqa: FBT003
        yield Needle(number, "der", key.der, key.der, False, (key.private,))  # noqa: FBT003


def _itself(number: int, secret: bytes, keys: list[KeyBlock]) -> Needle:
    words = [match[0] for match in (_BODY_WORD if keys else _WORD).finditer(secret)]
    loose = b"\n" in secret and bool(words)
    if not loose:
        signed = _SIGNED.match(secret)
        return Needle(number, "", secret, secret, False, ((signed.end() if signed else 0, len(secret)),))  # noqa: FBT003
    text = _SPACE.sub(b"", secret)
    ranges: list[tuple[int, int]] = []
    place = 0
    for word in words:
        low = text.index(word, place)
        place = low + len(word)
        if not keys:
            ranges.append((low, place))
        elif inside := _own(word, keys):
            ranges.append((low + inside[0], low + inside[1]))
    return Needle(number, "", secret, text, True, tuple(ranges) or ((0, len(text)),))  # noqa: FBT003


def _lines(itself: Needle, key: KeyBlock) -> tuple[tuple[int, int], ...]:
    """The private part of a body, cut as the lines of the secret cut it, so that both are found by the same anchors."""
    found: list[tuple[int, int]] = []
    for low, high in itself.ranges:
        at = key.body.find(itself.text[low:high])
        if at >= 0:
            found.append((at, at + high - low))
    return tuple(found) or (key.private_body,)


def _own(word: bytes, keys: list[KeyBlock]) -> tuple[int, int] | None:
    """The part of a line that belongs to the private part of a key."""
    for key in keys:
        for skipped in (0, 1):  # a line end that is written out leaves its letter
            at = key.body.find(word[skipped:])
            if at < 0:
                continue
            low, high = max(at, key.private_body[0]), min(at + len(word) - skipped, key.private_body[1])
            if high - low >= _SHORTEST:
                return low - at + skipped, high - at + skipped
    return None
