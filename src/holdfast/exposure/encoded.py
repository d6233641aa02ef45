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
ENOUGH = 32
"""Decoded bytes that are enough to tell chance from an archive."""

_END = re.compile(rb"[^A-Za-z0-9+/_\-\s\\]")
_URL = bytes.maketrans(b"-_", b"+/")
_SPACE = b" \t\r\n\x0b\x0c"
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
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
        last = text[whole:]
        return out + binascii.a2b_base64(last + b"=" * (4 - len(last))) if len(last) > 1 else out


def plausible(head: bytes) -> bool:
    """Whether decoded bytes are the beginning of an archive, or of base64 of one."""
    if head.startswith(b"\x1f\x8b\x08"):
        return len(head) > 3 and not head[3] & 0xE0 and _inflates(head)  # noqa: PLR2004 - the flags
    if head.startswith(b"PK\x03\x04"):
        method, name = int.from_bytes(head[8:10], "little"), int.from_bytes(head[26:28], "little")
        return len(head) >= 30 and method in _ZIP_METHODS and 0 < name < 1 << 12  # noqa: PLR2004 - a header's size
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return len(head) > 4 and not head[4] & 0x08  # noqa: PLR2004 - the descriptor, whose fourth bit is reserved
    if head.startswith(b"\xfd7zXZ\x00"):
        return head[6:7] == b"\x00"
    return _BZIP2.match(head) is not None or head.startswith(_BEGINNINGS)


def _inflates(head: bytes) -> bool:
    try:
        zlib.decompressobj(31).decompress(head, 1)
    except zlib.error:
        return False
    return True
