"""Pack indexes (versions 1 and 2, offsets of 64 bits, SHA-1 and SHA-256) and multi-pack indexes, as arrays.

Formats: gitformat-pack(5). Nothing is taken on trust: an index that does not fit its own numbers is damaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from holdfast.exposure.git.layout import Bytes, Whole

_MAGIC = b"\xfftOc"
_FAN = 1024
_LARGE = 1 << 31
_REVERSE = b"RIDX"
_REVERSE_HEAD = 12
_MULTI = b"MIDX"


class DamagedError(Exception):
    """The bytes are not what they say; the message says what is wrong, without a full stop."""


@dataclass(frozen=True, slots=True)
class Index:
    """Where the objects of a pack are."""

    ids: Bytes
    """One row for each object, in the order of ids; shape (objects, 20 or 32)."""
    offsets: Whole
    """Of the objects, in the order of ids."""
    checksum: str
    """Of the pack, as the index names it."""


def parse_index(raw: Bytes, width: int) -> Index:
    """A ``.idx`` file.

    Args:
        raw: the file.
        width: bytes of an object's id.

    Raises:
        DamagedError: it is cut off, contradicts itself, or has another kind of ids.
    """
    if len(raw) < 8 + _FAN + 2 * width:
        raise DamagedError("the index is cut off")
    index = _second(raw, width) if bytes(raw[:4]) == _MAGIC else _first(raw, width)
    first = prefixes(index.ids)
    if np.any(first[1:] < first[:-1]):
        raise DamagedError("its ids are not in order")
    return index


def _fan(raw: Bytes, at: int) -> int:
    fan = raw[at : at + _FAN].view(">u4").astype(np.int64)
    if np.any(fan[1:] < fan[:-1]):
        raise DamagedError("the index contradicts itself")
    return int(fan[-1])


def _first(raw: Bytes, width: int) -> Index:
    count = _fan(raw, 0)
    if len(raw) != _FAN + count * (4 + width) + 2 * width:
        raise DamagedError("the index is cut off or of an unknown form")
    table = raw[_FAN : _FAN + count * (4 + width)].reshape(count, 4 + width)
    offsets = np.ascontiguousarray(table[:, :4]).view(">u4").reshape(count).astype(np.int64)
    return Index(np.ascontiguousarray(table[:, 4:]), offsets, bytes(raw[-2 * width : -width]).hex())


def _second(raw: Bytes, width: int) -> Index:
    if int.from_bytes(bytes(raw[4:8]), "big") != 2:  # noqa: PLR2004 - the version
        raise DamagedError("an index of an unknown version")
    count = _fan(raw, 8)
    ids_at = 8 + _FAN
    small_at = ids_at + count * (width + 4)
    large_at = small_at + count * 4
    if len(raw) < large_at + 2 * width or (len(raw) - large_at - 2 * width) % 8:
        raise DamagedError("the index is cut off or of another kind of ids")
    ids = raw[ids_at : ids_at + count * width].reshape(count, width)
    offsets = raw[small_at:large_at].view(">u4").astype(np.int64)
    large = raw[large_at : len(raw) - 2 * width].view(">u8")
    far = offsets >= _LARGE
    if far.any():
        places = offsets[far] - _LARGE
        if places.max() >= len(large):
            raise DamagedError("the index names an offset that it does not hold")
        offsets[far] = large[places].astype(np.int64)
    return Index(ids, offsets, bytes(raw[-2 * width : -width]).hex())


def by_offset(index: Index, reverse: Bytes | None) -> tuple[Whole, Whole]:
    """Objects in the order of their offsets, and those.

    Args:
        index: of the pack.
        reverse: the ``.rev`` file beside it, which holds this order; it is used when it fits.
    """
    count = len(index.offsets)
    if reverse is not None and bytes(reverse[:4]) == _REVERSE and len(reverse) >= _REVERSE_HEAD + 4 * count:
        order = reverse[_REVERSE_HEAD : _REVERSE_HEAD + 4 * count].view(">u4").astype(np.int64)
        if count == 0 or order.max() < count:
            offsets = index.offsets[order]
            if np.all(offsets[1:] > offsets[:-1]):
                return order, offsets
    order = np.argsort(index.offsets, kind="stable")
    return order, index.offsets[order]


def multi_pack_names(raw: bytes) -> list[str]:
    """Names of the packs that a ``multi-pack-index`` stands for.

    Raises:
        DamagedError: it is none, or damaged.
    """
    if raw[:4] != _MULTI or len(raw) < 12:  # noqa: PLR2004 - its head
        raise DamagedError("the multi-pack index is damaged")
    chunks = raw[6]
    table = [raw[12 + 12 * k : 24 + 12 * k] for k in range(chunks + 1)]
    places = [(one[:4], int.from_bytes(one[4:], "big")) for one in table]
    for (name, at), (_, end) in pairwise(places):
        if name == b"PNAM":
            if not 0 < at <= end <= len(raw):
                raise DamagedError("the multi-pack index is damaged")
            return [one.decode("utf-8", "replace") for one in raw[at:end].split(b"\0") if one]
    raise DamagedError("the multi-pack index names no packs")


def prefixes(ids: Bytes) -> NDArray[np.uint64]:
    """The first eight bytes of each id as a number; sorted where the ids are."""
    return np.ascontiguousarray(ids[:, :8]).view(">u8").reshape(len(ids)).astype(np.uint64)


def merged(few: Bytes, many: Bytes) -> tuple[Bytes, Whole, Whole]:
    """Two ordered lists of ids as one, in which each is once; and where each of both lists' ids is in it."""
    first, others = prefixes(few), prefixes(many)
    at = np.searchsorted(others, first)
    within = np.minimum(at, len(many) - 1) if len(many) else at
    near = others[within] == first if len(many) else np.zeros(len(few), bool)
    same = near.copy()
    same[near] = (many[within[near]] == few[near]).all(axis=1)
    if (near != same).any() or (first[1:] == first[:-1]).any():
        return _merged_slowly(few, many)
    new = ~same
    rest = np.arange(len(many)) + np.cumsum(np.bincount(at[new], minlength=len(many) + 1))[: len(many)]
    places = at + np.cumsum(new) - new
    places[same] = rest[at[same]]
    return np.insert(many, at[new], few[new], axis=0), places, rest


def _merged_slowly(few: Bytes, many: Bytes) -> tuple[Bytes, Whole, Whole]:
    """As ``merged``, where ids share their first bytes with others."""
    ids = np.concatenate([few, many])
    width = ids.shape[1]
    order = np.lexsort([prefixes(ids[:, min(at, width - 8) :]) for at in reversed(range(0, width, 8))])
    ranked = ids[order]
    new = np.ones(len(ranked), bool)
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    places = np.empty(len(ids), np.int64)
    places[order] = np.cumsum(new) - 1
    return ranked[new], places[: len(few)], places[len(few) :]
