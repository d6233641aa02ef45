"""What bytes are, by how they begin: containers that are opened, those that are not, and what a name says counts not.

Rules:
1. Only content decides: an archive under the name of a picture is an archive.
2. A container that is not opened is named, so that nobody takes it for searched.
"""

from __future__ import annotations

import re
from typing import Literal

from holdfast.exposure import tar

HEAD = 512
"""Bytes that are enough to tell."""
SEARCHED_RAW = "pdf"
"""Searched as it is; what is compressed within is not: a document is rarely a container of files."""
PDF_STREAMS = "compressed streams within PDF"

Looks = Literal["json", "xml", "mail", "log", ""]

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08PK\x03\x04", "zip"),
    (b"PK00PK\x03\x04", "zip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"!<arch>\n", "ar"),
    (b"!<thin>\n", "thin ar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"MSCF\x00\x00\x00\x00", "cab"),
    (b"\x1f\x9d", "compress"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"xar!\x00\x1c", "xar"),
    (b"070701", "cpio"),
    (b"070702", "cpio"),
    (b"070707", "cpio"),
    (b"LZIP\x01", "lzip"),
    (b"\x89LZO\x00\r\n\x1a\n", "lzop"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (b"hsqs", "squashfs"),
    (b"%PDF-", SEARCHED_RAW),
)
_FIRST = frozenset(magic[0] for magic, _ in _MAGIC) | frozenset(range(0x50, 0x60)) | {0x5D}
OPENED = frozenset({"gzip", "zip", "zstd", "xz", "bzip2", "lzma", "tar", "ar", "mail"})
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
# The dictionary is a power of two or the sum of two neighbours; the size is unknown or under 2^40.
_LZMA = re.compile(rb"\x5d\x00\x00[\x00-\xff]{2}(?:\xff{8}|[\x00-\xff]{5}\x00{3})[\x00-\xff]")
_COMPRESS = re.compile(rb"\x1f\x9d[\x80\x89-\x90\x09-\x10]")
_RUNS = (b"MZ", b"\x7fELF", b"#!")
_MAIL_FIRST = frozenset(b"FRDMTSCXIBfrdmtscxib>")
_MBOX = re.compile(rb"From \S+.{0,80}\d\d:\d\d")
_FIELD = re.compile(
    rb"^(?:received|return-path|delivered-to|message-id|mime-version|from|to|cc|subject|date|reply-to|content-type"
    rb"|content-transfer-encoding|dkim-signature|x-[a-z-]{2,40}|in-reply-to|references|sender):[ \t\r\n]",
    re.IGNORECASE | re.MULTILINE,
)
_MAIL_SURE = re.compile(
    rb"^(?:received|message-id|mime-version|return-path|content-type):", re.IGNORECASE | re.MULTILINE
)
_MAIL_FIELDS = 2
_LOG = re.compile(rb"(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ")


def container(head: bytes) -> str | None:
    """Name of the container that bytes begin.

    Args:
        head: the first 512 bytes, or all there are.
    """
    if not head:
        return None
    if head[0] in _FIRST and (found := _by_magic(head)):
        return found
    if tar.begins(head):
        return "tar"
    return "mail" if head[0] in _MAIL_FIRST and begins_mail(head) else None


def gzip_header(head: bytes) -> int:
    """Bytes of a gzip member's header, with the name and the comment in it."""
    at = 10
    if len(head) > at and head[3] & 4:
        at += 2 + int.from_bytes(head[at : at + 2], "little")
    for flag in (8, 16):
        if len(head) > at and head[3] & flag:
            end = head.find(b"\x00", at)
            at = end + 1 if end >= 0 else len(head)
    return min(at, len(head))


def runs(head: bytes) -> bool:
    """Whether a program begins here, which may carry an archive at its end."""
    return head.startswith(_RUNS)


def begins_mail(head: bytes) -> bool:
    """Whether a mailbox or a message begins here."""
    if head.startswith(b"From ") and _MBOX.match(head):
        return True
    lines = head.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    first = _FIELD.match(lines)
    return first is not None and len(_FIELD.findall(lines)) >= _MAIL_FIELDS and _MAIL_SURE.search(lines) is not None


def looks(head: bytes) -> Looks:
    """What a text may be an export of; a guess that costs nothing."""
    bare = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if bare[:1] in {b"{", b"["}:
        return "json"
    if bare.startswith((b"<?xml", b"<entity-engine-xml", b"<rss")):
        return "xml"
    if _LOG.match(head):
        return "log"
    return "mail" if head[:1] and head[0] in _MAIL_FIRST and begins_mail(head) else ""


def _by_magic(head: bytes) -> str | None:
    if head.startswith(b"BZh"):
        return "bzip2" if _BZIP2.match(head) else None
    if head.startswith(b"\x1f\x9d"):
        return "compress" if _COMPRESS.match(head) else None
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if _SKIPPABLE.match(head):
        return "zstd"
    return "lzma" if _LZMA.match(head) else None
