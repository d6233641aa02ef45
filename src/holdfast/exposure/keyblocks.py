"""Key blocks (PEM, OpenSSH) inside a secret: their base64 body, the bytes it stands for, and which part is private.

Every key of a kind begins alike, holds the same object identifiers and has a public half that stands in certificates
and public keys as well. What is looked for must come from the private part, or everybody's keys would be found.

Sources: RFC 8017 (RSA), RFC 5915 (SEC 1), RFC 5958 (PKCS #8), OpenSSH ``PROTOCOL.key``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----")
_END = b"-----END "
_WRITTEN_END = re.compile(rb"(?:\\+r)?\\+n|\\+r|\r\n?")
_NO_BODY = re.compile(rb"[^A-Za-z0-9+/]")
_SHORTEST = 32
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_RSA_NUMBERS, _DSA_NUMBERS = 9, 6
_DEEPEST = 3
_OPENSSH = b"openssh-key-v1\0"


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """One key."""

    body: bytes
    """Its base64 characters, without header lines, line ends and padding."""
    der: bytes
    """What they stand for."""
    private: tuple[int, int]
    """The part of ``der`` that is this key's own and nobody else's."""

    @property
    def private_body(self) -> tuple[int, int]:
        """The part of ``body`` that is made of nothing but the private part."""
        low, high = self.private
        return -(-low * 4 // 3), high * 4 // 3


def key_blocks(secret: bytes) -> Iterator[KeyBlock]:
    """The private keys within a secret, or whatever blocks it has when none calls itself private."""
    blocks = list(_blocks(secret))
    private = [block for block in blocks if b"PRIVATE" in block[0]]
    for _, inside in private or blocks:
        lines = _WRITTEN_END.sub(b"\n", inside).split(b"\n")
        # A header line has a colon; a checksum of OpenPGP begins with the sign of padding.
        kept = b"".join(line for line in lines if b":" not in line and not line.strip().startswith(b"="))
        body = _NO_BODY.sub(b"", kept)
        der = binascii.a2b_base64(body + b"A" * (-len(body) % 4))[: len(body) * 3 // 4]
        if len(body) >= _SHORTEST:
            yield KeyBlock(body, der, _private(der))


def _blocks(secret: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and inside of every block."""
    place = 0
    while begin := _BEGIN.search(secret, place):
        place = secret.find(_END, begin.end())
        if place < 0:
            return
        yield begin[1], secret[begin.end() : place]


def _private(der: bytes) -> tuple[int, int]:
    found = _openssh(der) if der.startswith(_OPENSSH) else _asn1(der, 0, len(der))
    if found is None or found[1] - found[0] < _SHORTEST // 2:
        return min(48, len(der) // 4), len(der) - min(12, len(der) // 8)
    return found


def _asn1(der: bytes, start: int, end: int, depth: int = 0) -> tuple[int, int] | None:
    """The private range of the value at a place, or none when it is no key we know."""
    tag, low, high = next(_items(der, start, end), (0, 0, 0))
    inner = list(_items(der, low, high)) if tag == _SEQUENCE else []
    tags = [item[0] for item in inner]
    found = None
    if tag == _OCTETS:
        found = low, high
    elif len(inner) >= _RSA_NUMBERS and set(tags[:_RSA_NUMBERS]) == {_INTEGER}:
        found = inner[3][1], inner[8][2]
    elif tags == [_INTEGER] * _DSA_NUMBERS:
        found = inner[5][1:]
    elif tags[:2] == [_INTEGER, _OCTETS]:
        found = inner[1][1:]
    elif tags[:3] == [_INTEGER, _SEQUENCE, _OCTETS] and depth < _DEEPEST:
        found = _asn1(der, *inner[2][1:], depth + 1) or inner[2][1:]
    return found


def _items(der: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag, beginning and end of the contents of each value; ends at the first that does not fit."""
    place = start
    while place + 2 <= end:
        tag, size = der[place], der[place + 1]
        place += 2
        if size & 0x80:
            width = size & 0x7F
            size = int.from_bytes(der[place : place + width], "big")
            place += width
        if place + size > end:
            return
        yield tag, place, place + size
        place += size


def _openssh(der: bytes) -> tuple[int, int] | None:
    """The private range of OpenSSH's own format."""
    outer = list(_strings(der, len(_OPENSSH), len(der), 3))
    if len(outer) != 3:  # noqa: PLR2004 - cipher, derivation and its options
        return None
    keys = list(_strings(der, outer[2][1] + 4, len(der), 2))
    if len(keys) != 2:  # noqa: PLR2004 - the public key and the private ones
        return None
    low, high = keys[1]
    if der[slice(*outer[0])] != b"none":
        return low, high
    fields = list(_strings(der, low + 8, high, 4))
    if len(fields) < 3:  # noqa: PLR2004 - the kind and two more
        return None
    if der[slice(*fields[0])] == b"ssh-ed25519":
        return fields[2][0], fields[2][0] + 32
    return fields[3] if len(fields) > 3 else None  # noqa: PLR2004 - after the kind and two public fields


def _strings(der: bytes, start: int, end: int, count: int) -> Iterator[tuple[int, int]]:
    place = start
    for _ in range(count):
        size = int.from_bytes(der[place : place + 4], "big")
        if place + 4 + size > end:
            return
        yield place + 4, place + 4 + size
        place += 4 + size
