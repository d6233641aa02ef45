"""A pack and its index put together: entries, delta trees, and which bytes are nobody's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.exposure.git.headers import group, read_headers, spread_types
from holdfast.exposure.git.index import DamagedError, Index, by_offset, prefixes
from holdfast.exposure.git.layout import Bytes, Pack, Whole

_HEAD = 12
_LAST_WHOLE = 5
"""Types above it are deltas."""


@dataclass(frozen=True, slots=True)
class Entries:
    """A pack that can be walked."""

    pack: Pack
    order: Whole
    """Place in the index of each entry."""
    index: Index
    offsets: Whole
    """Where each entry begins."""
    orphans: Whole
    """Deltas whose base is not in this pack."""
    damaged: Whole
    """Entries whose header cannot be read."""
    circular: Whole
    """Entries whose bases go round in a circle."""
    problems: tuple[str, ...]
    """What is wrong with the pack as a whole; what can be read of it is searched all the same."""

    def object_id(self, entry: int) -> str:
        """Id of the object that an entry makes."""
        return bytes(self.index.ids[self.order[entry]]).hex()

    def base_id(self, entry: int) -> str:
        """Id of the base that an entry names by its id."""
        width = self.index.ids.shape[1]
        start = int(self.pack.start[entry])
        return bytes(self.pack.data[start - width : start]).hex()


def put_together(data: Bytes, index: Index, reverse: Bytes | None = None) -> Entries:
    """Read the headers of a pack and link its delta trees.

    Raises:
        DamagedError: it is no pack at all, or its index names one place twice.
    """
    width = index.ids.shape[1]
    count = len(index.offsets)
    problems = _problems(data, index, width)
    order, offsets = by_offset(index, reverse)
    if np.any(offsets[1:] <= offsets[:-1]):
        raise DamagedError("its index names one place twice")
    end = max(len(data) - width, 0)
    stop = np.minimum(np.append(offsets[1:], end), len(data)).astype(np.int64)
    offsets = np.minimum(offsets, len(data))
    kind, size = np.zeros(count, np.int8), np.zeros(count, np.int64)
    start, base, named = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    by_name = read_headers(data, offsets, stop, width, kind, size, start, base, named)
    if by_name:
        _find_bases(data, index, order, named[:by_name], start, base)
    first_child, children = grouped(base, count)
    final, family = np.zeros(count, np.int8), np.zeros(count, np.int64)
    spread_types(kind, first_child, children, final, family, np.zeros(count, np.int64))
    pack = Pack(data, start, stop, kind, size, base, first_child, children, final, family)
    orphans = np.nonzero((kind > _LAST_WHOLE) & (base < 0))[0]
    return Entries(pack, order, index, offsets, orphans, np.nonzero(kind == 0)[0], _circles(pack, orphans), problems)


def _problems(data: Bytes, index: Index, width: int) -> tuple[str, ...]:
    if len(data) < _HEAD or bytes(data[:4]) != b"PACK":
        raise DamagedError("it is not a pack, or cut off")
    if int.from_bytes(bytes(data[4:8]), "big") not in {2, 3}:
        raise DamagedError("a pack of an unknown version")
    found = []
    said = int.from_bytes(bytes(data[8:12]), "big")
    if said != len(index.offsets):
        found.append(f"it says it holds {said:,} objects, its index names {len(index.offsets):,}")
    if bytes(data[-width:]).hex() != index.checksum:
        found.append("it is cut off, or not the pack that its index was made for")
    if len(index.offsets) and index.offsets.min() != _HEAD:
        found.append("it holds bytes that its index does not name")
    return tuple(found)


def _find_bases(data: Bytes, index: Index, order: Whole, named: Whole, start: Whole, base: Whole) -> None:
    """Entries whose bases are named by id: the ids are looked up all at once."""
    width = index.ids.shape[1]
    known = prefixes(index.ids)
    if not len(known):
        return
    places = start[named][:, None] - width + np.arange(width)
    wanted = np.ascontiguousarray(data[places])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    for entry, one, at in zip(named, wanted, np.searchsorted(known, prefixes(wanted)), strict=True):
        place = int(at)
        # Ids with equal first bytes follow one another, and an attacker can make some.
        while place < len(known) and (index.ids[place, :8] == one[:8]).all():
            if (index.ids[place] == one).all():
                base[entry] = rank[place]
                break
            place += 1


def grouped(keys: Whole, count: int) -> tuple[Whole, Whole]:
    """Places with the same key, of ``count`` keys: where those of each key begin, and the places; see ``group``."""
    first, places = np.zeros(count + 2, np.int64), np.empty(np.count_nonzero(keys >= 0), np.int64)
    group(keys, first, places)
    return first[:-1], places


def _circles(pack: Pack, orphans: Whole) -> Whole:
    """Entries with a base in this pack that nevertheless hang on nothing: neither on an object nor on an orphan."""
    lost = np.nonzero((pack.final == 0) & (pack.base >= 0))[0]
    if not len(lost):
        return lost
    under = set(below(pack, orphans).tolist())
    broken = set(below(pack, np.nonzero(pack.kind == 0)[0]).tolist())
    return np.array([one for one in lost.tolist() if one not in under and one not in broken], np.int64)


def below(pack: Pack, entries: Whole) -> Whole:
    """The entries and everything that is made from them."""
    found = list(dict.fromkeys(entries.tolist()))
    seen = set(found)
    for one in found:
        for child in pack.children[pack.first_child[one] : pack.first_child[one + 1]].tolist():
            if child not in seen:
                seen.add(child)
                found.append(child)
    return np.array(found, np.int64)
