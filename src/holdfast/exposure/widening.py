"""Spellings of a longer piece of a secret, for whoever cannot look for a short one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from holdfast.exposure.spelling import rot13

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_URL = bytes.maketrans(b"+/", b"-_")
_TO_UU = bytes.maketrans(_BASE64, bytes([0x60, *range(0x21, 0x60)]))


def spellings(form: str, piece: bytes) -> list[bytes]:
    """All literals that stand in a spelling whatever surrounds the piece; none for a form that is not known here."""
    spell = _SPELLERS.get(form)
    return [] if spell is None else sorted(set(spell(piece)))


def _hexadecimal(piece: bytes) -> Iterator[bytes]:
    yield from (piece.hex().encode(), piece.hex().upper().encode())


def _wide(piece: bytes) -> Iterator[bytes]:
    """Of plain ASCII only: other characters may be cut in two."""
    if piece.isascii():
        yield piece.decode("ascii").encode("utf-16-le")[:-1]


def _cores(piece: bytes, encode: Callable[[bytes], bytes], group: int, each: int) -> Iterator[bytes]:
    """The characters that a piece determines alone, at each place within a group of bytes.

    Args:
        piece: a part of what is encoded.
        encode: the encoding.
        group: bytes of a group.
        each: bits of a character.
    """
    for shift in range(group):
        characters = encode(bytes(shift) + piece)
        yield characters[-(-shift * 8 // each) : (shift + len(piece)) * 8 // each]


def _base64(piece: bytes) -> Iterator[bytes]:
    for core in _cores(piece, base64.b64encode, 3, 6):
        yield from (core, core.translate(_TO_URL))


def _uu(piece: bytes) -> Iterator[bytes]:
    for core in _cores(piece, base64.b64encode, 3, 6):
        turned = core.translate(_TO_UU)
        yield from (turned, turned.replace(b"`", b" "))


def _base32(piece: bytes) -> Iterator[bytes]:
    yield from _cores(piece, base64.b32encode, 5, 5)


def _twice(piece: bytes) -> Iterator[bytes]:
    for inner in _base64(piece):
        yield from _base64(inner)


_SPELLERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "raw": lambda piece: iter([piece]),
    "pem body": lambda piece: iter([piece]),
    "reversed": lambda piece: iter([piece[::-1]]),
    "rot13": lambda piece: iter([rot13(piece)]),
    "hex": _hexadecimal,
    "utf-16": _wide,
    "base64": _base64,
    "uuencode": _uu,
    "base32": _base32,
    "base64 > base64": _twice,
}
