"""Packs written by hand, sound and unsound ones, with an index of any ids."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4, "ofs": 6, "ref": 7}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a pack."""

    kind: str
    data: bytes
    """Of the object or the delta."""
    oid: bytes
    base: int | bytes = b""
    """Number of an earlier entry for ``ofs``, an id for ``ref``."""
    size: int | None = None
    """What its head says, when that is not the truth."""
    after: bytes = b""
    """Bytes that follow it and belong to nobody."""


def size_of(value: int) -> bytes:
    """A size as deltas write it."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 127
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def copied(offset: int, length: int) -> bytes:
    """An operation of a delta that copies."""
    out, first = bytearray(), 128
    for place in range(4):
        if (offset >> (8 * place)) & 255:
            out.append((offset >> (8 * place)) & 255)
            first |= 1 << place
    for place in range(3):
        if (length >> (8 * place)) & 255:
            out.append((length >> (8 * place)) & 255)
            first |= 16 << place
    return bytes([first]) + bytes(out)


def inserted(data: bytes) -> bytes:
    """Operations of a delta that insert."""
    return b"".join(bytes([len(data[at : at + 127])]) + data[at : at + 127] for at in range(0, len(data), 127))


def delta(base: int, length: int, *operations: bytes) -> bytes:
    """A delta."""
    return size_of(base) + size_of(length) + b"".join(operations)


def blob_id(data: bytes) -> bytes:
    """Id of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).digest()


def pack_of(entries: list[Entry]) -> tuple[bytes, list[int]]:
    """A pack, and where its entries begin."""
    out = bytearray(b"PACK" + (2).to_bytes(4, "big") + len(entries).to_bytes(4, "big"))
    places: list[int] = []
    for entry in entries:
        places.append(len(out))
        out += _head(KINDS[entry.kind], len(entry.data) if entry.size is None else entry.size)
        if entry.kind == "ofs":
            assert isinstance(entry.base, int)
            out += _back(places[-1] - places[entry.base])
        elif entry.kind == "ref":
            assert isinstance(entry.base, bytes)
            out += entry.base
        out += zlib.compress(entry.data) + entry.after
    return bytes(out) + hashlib.sha1(bytes(out), usedforsecurity=False).digest(), places


def index_of(pack: bytes, entries: list[Entry], places: list[int]) -> bytes:
    """An index of version 2."""
    rows = sorted((entry.oid, place) for entry, place in zip(entries, places, strict=True))
    fan = b"".join(sum(oid[0] <= first for oid, _ in rows).to_bytes(4, "big") for first in range(256))
    out = b"\xfftOc" + (2).to_bytes(4, "big") + fan + b"".join(oid for oid, _ in rows) + bytes(4 * len(rows))
    out += b"".join(place.to_bytes(4, "big") for _, place in rows) + pack[-20:]
    return out + hashlib.sha1(out, usedforsecurity=False).digest()


def repository_of(home: Path, entries: list[Entry]) -> tuple[Path, Path]:
    """A repository with one pack; its pack and its index."""
    for name in ("refs/heads", "objects/pack"):
        (home / name).mkdir(parents=True)
    (home / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    data, places = pack_of(entries)
    pack, index = home / "objects/pack/pack-1.pack", home / "objects/pack/pack-1.idx"
    pack.write_bytes(data)
    index.write_bytes(index_of(data, entries, places))
    return pack, index


def _head(kind: int, size: int) -> bytes:
    byte, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(byte | 128)
        byte, size = size & 127, size >> 7
    return bytes([*out, byte])


def _back(distance: int) -> bytes:
    out = [distance & 127]
    distance >>= 7
    while distance:
        distance -= 1
        out.insert(0, (distance & 127) | 128)
        distance >>= 7
    return bytes(out)
