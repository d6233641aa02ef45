"""The arithmetic of the index of fingerprints: which pieces of text count, their keyed marks, and how one looks up.

Rules:
1. A token is a run of at least 16 characters of one of three alphabets: letters and digits; those with ``+ / _ -``;
   those with ``= .`` too. A secret beside ``=`` or inside a path is then a token of its own in one of them.
2. A mark is SipHash-2-4 of the token under a key of 16 bytes: without the key a mark tells nothing and cannot be
   tried out. (Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012.)
3. A secret is looked up by its own tokens, longest first. One that has none cannot be looked up.
4. The marks of a place lie sorted, 8 bytes each, after a head; looking up is a binary search in the file.
5. A mark that is there says *probably*; none says nothing at all: the secret may be spelled otherwise or be cut.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHORTEST = 16
LONGEST = 4096
"""Bytes. What is longer is no credential but a file in some encoding."""
MAGIC = b"HFFP0002"
MARK_BYTES = 8
_WORD = (1 << 64) - 1
_SUM_BYTES = 32
_RUNS = tuple(
    re.compile(b"[%b]{%d,}" % (alphabet, SHORTEST)) for alphabet in (b"A-Za-z0-9+/_=.-", b"A-Za-z0-9+/_-", b"A-Za-z0-9")
)


@dataclass(frozen=True, slots=True)
class Head:
    """What a file of marks says of itself."""

    name: str
    where: str
    units: tuple[str, ...]
    """Contents that were covered and never change (checksums of packs); empty where everything is read each time."""
    count: int
    made: str
    """RFC 3339."""
    size: int
    """Bytes that were read."""

    def as_json(self) -> dict[str, Any]:
        """The head as an object."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "units": list(self.units)}


def tokens(value: bytes) -> tuple[bytes, ...]:
    """Tokens of a text, longest first; each once."""
    found = dict.fromkeys(hit[0] for runs in _RUNS for hit in runs.finditer(value) if len(hit[0]) <= LONGEST)
    return tuple(sorted(found, key=len, reverse=True))


def mark(token: bytes, key: bytes) -> int:
    """SipHash-2-4 of a token under a key of 16 bytes."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little")
    state = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    whole = len(token) - len(token) % 8
    words = [int.from_bytes(token[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(token[whole:], "little") | (len(token) & 0xFF) << 56)
    for word in words:
        state[3] ^= word
        _rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _rounds(state: list[int], count: int) -> None:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = (v0 + v1) & _WORD
        v2 = (v2 + v3) & _WORD
        v1 = _left(v1, 13) ^ v0
        v3 = _left(v3, 16) ^ v2
        v0 = _left(v0, 32)
        v2 = (v2 + v1) & _WORD
        v0 = (v0 + v3) & _WORD
        v1 = _left(v1, 17) ^ v2
        v3 = _left(v3, 21) ^ v0
        v2 = _left(v2, 32)
    state[:] = v0, v1, v2, v3


def _left(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & _WORD


def holds(marks: Sequence[int], wanted: int) -> bool:
    """Whether sorted marks hold one."""
    at = bisect_left(marks, wanted)
    return at < len(marks) and marks[at] == wanted


def pack_head(head: Head, key: bytes) -> bytes:
    """The beginning of a file of marks: magic, length, JSON, keyed checksum; a multiple of 8 bytes."""
    text = json.dumps(head.as_json(), ensure_ascii=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % MARK_BYTES)
    told = MAGIC + len(text).to_bytes(8, "little") + text
    return told + hmac.new(key, told, hashlib.sha256).digest()


def unpack_head(data: bytes | memoryview, key: bytes) -> tuple[Head, int] | None:
    """The head of a file and where its marks begin; none when it is damaged, foreign or cut off."""
    start = len(MAGIC) + 8
    if bytes(data[: len(MAGIC)]) != MAGIC:
        return None
    end = start + int.from_bytes(data[len(MAGIC) : start], "little")
    told, proof = bytes(data[:end]), bytes(data[end : end + _SUM_BYTES])
    if not hmac.compare_digest(proof, hmac.new(key, told, hashlib.sha256).digest()):
        return None
    found: Mapping[str, Any] = json.loads(told[start:])
    head = Head(**{**found, "units": tuple(found["units"])})
    at = end + _SUM_BYTES
    return (head, at) if len(data) == at + head.count * MARK_BYTES else None


def probable(wanted: Sequence[Sequence[int]], marks: Sequence[int]) -> Iterator[int]:
    """Numbers of the secrets of which a place holds a mark.

    Args:
        wanted: for each secret the marks of its tokens.
        marks: of the place, sorted.
    """
    for number, some in enumerate(wanted):
        if any(holds(marks, one) for one in some):
            yield number
