"""Archives written in base64 within a text: where one may begin, and the bytes of the run that follows.

Kubernetes keeps secrets and Helm keeps releases this way, the latter in base64 of base64.

Rules:
1. A literal starts it: base64 of how an archive begins. What it decodes to must begin as that archive does, with
   plausible fields: four letters occur by chance.
2. The run goes on over line ends, written or escaped, and stops at the first other character.
"""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import standard_b64encode

import zstandard

_BEGINNINGS = (
    b"H4sI",  # gzip
    b"UEsDB",  # zip
    b"KLUv/",  # zstandard
    b"KLUv_",
    b"/Td6WFoA",  # xz
    b"_Td6WFoA",
    b"QlpoM",  # bzip2, by its nine levels
    b"QlpoN",
    b"QlpoO",
)
LITERALS = _BEGINNINGS + tuple(dict.fromkeys(standard_b64encode(one)[: len(one) * 8 // 6] for one in _BEGINNINGS))
"""What to look for in a text: the beginnings, and the beginnings of their base64."""
ENOUGH = 1024
"""Decoded bytes that are enough to tell chance from an archive."""

_END = re.compile(rb"[^A-Za-z0-9+/_\-\s\\]")
_URL = bytes.maketrans(b"-_", b"+/")
_SPACE = b" \t\r\n\x0b\x0c"
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_ZIP_HEADER, _VERSIONS, _LONGEST_NAME, _WINDOW = 30, 100, 4096, 1 << 30
_ZIP_METHODS = frozenset({0, 1, 6, 8, 9, 12, 14, 20, 93, 95, 96, 97, 98, 99})


class Run:
    """Characters of base64 that pass by in pieces, as bytes."""

    def __init__(self) -> None:
        """Before the first."""
        self._rest = b""
        self.ended = False

    def feed(self, piece: bytes) -> bytes:
        """Decode what belongs to the run; sets ``ended`` when it stops within the piece."""
        text = self._rest + piece
        end = _END.search(text)
        if end is not None:
            text, self.ended = text[: end.start()], True
        cut = len(text) - 1 if text.endswith(b"\\") and not self.ended else len(text)
        kept, text = text[cut:], text[:cut].replace(b"\\n", b"").replace(b"\\r", b"")
        if (escape := text.find(b"\\")) >= 0:
            text, self.ended = text[:escape], True
        text = text.translate(_URL, _SPACE)
        whole = len(text) - len(text) % 4
        out = binascii.a2b_base64(text[:whole])
        if not self.ended:
            self._rest = text[whole:] + kept
            return out
        return out + _last(text[whole:])

    def close(self) -> bytes:
        """Decode what is left at the end of the text."""
        rest, self._rest = self._rest, b""
        if self.ended:
            return b""
        self.ended = True
        return _last(rest.rstrip(b"\\").translate(_URL, _SPACE))


def _last(text: bytes) -> bytes:
    """The bytes of a group that is not full, as far as it tells any."""
    return binascii.a2b_base64(text + b"=" * (4 - len(text))) if len(text) > 1 else b""


def plausible(head: bytes) -> bool:
    """Whether decoded bytes are the beginning of an archive, or of base64 of one."""
    if head.startswith(b"\x1f\x8b\x08"):
        return _inflates(head)
    if head.startswith(b"PK\x03\x04"):
        return len(head) >= _ZIP_HEADER and _is_zip_member(head)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _is_frame(head)
    if head.startswith(b"\xfd7zXZ\x00"):
        return head[8:12] == zlib.crc32(head[6:8]).to_bytes(4, "little")
    return _BZIP2.match(head) is not None or head.startswith(_BEGINNINGS)


def _inflates(head: bytes) -> bool:
    """Whether at least one byte comes out, or the whole of nothing."""
    inflater = zlib.decompressobj(31)
    try:
        return bool(inflater.decompress(head, 1)) or inflater.eof
    except zlib.error:
        return False


def _is_zip_member(head: bytes) -> bool:
    version, method, name = (int.from_bytes(head[at : at + 2], "little") for at in (4, 8, 26))
    shown = head[_ZIP_HEADER : _ZIP_HEADER + name]
    return (
        version < _VERSIONS
        and method in _ZIP_METHODS
        and 0 < name < _LONGEST_NAME
        and min(shown, default=0) >= ord(" ")
    )


def _is_frame(head: bytes) -> bool:
    try:
        told = zstandard.get_frame_parameters(head)
    except zstandard.ZstdError:
        return False
    return told.window_size <= _WINDOW
