"""How evidence may be served to a browser: a short list of harmless types, judged by the bytes.

Rules:
1. The declared type is a claim. A picture is served as one only if its first bytes are those of that picture.
2. Plain text is served inline only as ``text/plain; charset=utf-8``, and only if its head is UTF-8 without NUL.
3. Everything else, SVG, HTML and PDF among it, is an attachment of type ``application/octet-stream``.

Whoever serves adds ``X-Content-Type-Options: nosniff`` and a sandboxing Content-Security-Policy as well.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD = 512
"""Bytes of the object's beginning that are looked at."""
_ATTACHED = "application/octet-stream"
_TEXT = frozenset({"text/plain", "text/x-log", "text/csv", "application/json", "application/x-ndjson"})
"""Declared types whose bytes may be read as plain text."""
_REACHES = 4
"""A UTF-8 character is at most four bytes, so the cut of the head can break at most that many."""


@dataclass(frozen=True, slots=True)
class Served:
    """How to serve an object."""

    media_type: str
    """The exact Content-Type to send."""
    inline: bool
    """False: send ``Content-Disposition: attachment``."""


def safe_media_type(declared: str, head: bytes) -> Served:
    """How to serve an object of a declared type with these first bytes (512 are enough)."""
    picture = picture_type(head)
    base = declared.partition(";")[0].strip().lower()
    if picture is not None and base == picture:
        return Served(picture, inline=True)
    if picture is None and base in _TEXT and is_plain_text(head):
        return Served("text/plain; charset=utf-8", inline=True)
    return Served(_ATTACHED, inline=False)


def sniff(head: bytes) -> str:
    """The type a collector declares for bytes it knows nothing else of: picture, plain text or octets."""
    picture = picture_type(head)
    if picture is not None:
        return picture
    return "text/plain" if is_plain_text(head) else _ATTACHED


def picture_type(head: bytes) -> str | None:
    """``image/png``, ``image/jpeg`` or ``image/webp`` by signature, else none."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def is_plain_text(head: bytes) -> bool:
    """Whether a head is UTF-8 without NUL; a character cut at its end is forgiven."""
    sample = head[:HEAD]
    if b"\0" in sample:
        return False
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(sample) - error.start < _REACHES
    return True
