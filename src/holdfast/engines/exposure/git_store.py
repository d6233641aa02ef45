"""The objects of a repository, numbered by their ids, wherever they are: packs, loose files, borrowed ones."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdfast.engines.exposure.git_layout import PackFile, Repository
from holdfast.exposure.git import plain
from holdfast.exposure.git.index import DamagedError, merged, parse_index, prefixes
from holdfast.exposure.git.layout import CORRUPT, FAULTS, OFS_DELTA, SHORT, TYPE_NAMES, Bytes, Whole
from holdfast.exposure.git.packs import Entries, put_together
from holdfast.exposure.git.plain import UnmadeError

_NUMBERS = {name: number for number, name in TYPE_NAMES.items()}
_CHAIN = 1 << 16
_HEAD_LONGEST = 64


class AbsentError(Exception):
    """An object that is not here or cannot be made; the message says which and why, without a full stop."""


@dataclass(slots=True)
class OpenPack:
    """A pack that can be walked."""

    file: PackFile
    entries: Entries
    numbers: Whole
    """Number of the object that each entry makes."""


@dataclass(slots=True)
class Store:
    """Everything that is there. Packs without a usable index are in ``unindexed``."""

    repository: Repository
    packs: list[OpenPack] = field(default_factory=list)
    unindexed: list[Path] = field(default_factory=list)
    ids: Bytes = field(default_factory=lambda: np.zeros((0, 20), np.uint8))
    """One row for each object, sorted; its number is its place."""
    first: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    faults: list[tuple[str, str]] = field(default_factory=list)
    _loose: dict[str, Path] = field(default_factory=dict)
    _buckets: tuple[NDArray[np.int32], int] | None = None

    def buckets(self) -> tuple[NDArray[np.int32], int]:
        """Where ids with the same first bits begin, with some eight ids each; and how many bits."""
        if self._buckets is None:
            bits = max(8, len(self.first).bit_length() - 3)
            edges = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
            begins = np.append(np.searchsorted(self.first, edges), len(self.first))
            self._buckets = begins.astype(np.int32), bits
        return self._buckets

    def number(self, oid: str) -> int:
        """Number of an object; -1 when it is not here."""
        if len(oid) != 2 * self.repository.width:
            return -1
        raw = np.frombuffer(bytes.fromhex(oid), np.uint8)
        key = np.uint64(int.from_bytes(raw[:8].tobytes(), "big"))
        place = int(np.searchsorted(self.first, key))
        while place < len(self.first) and self.first[place] == key:
            if (self.ids[place] == raw).all():
                return place
            place += 1
        return -1

    def look_up(self, oids: Sequence[str]) -> Whole:
        """Numbers of many objects at once; -1 for those that are not here."""
        width = 2 * self.repository.width
        fitting = [oid if len(oid) == width else "0" * width for oid in oids]
        raw = np.frombuffer(bytes.fromhex("".join(fitting)), np.uint8).reshape(-1, width // 2)
        if not len(raw) or not len(self.first):
            return np.full(len(raw), -1, np.int64)
        places = np.minimum(np.searchsorted(self.first, prefixes(raw)), len(self.first) - 1)
        found = np.where((self.ids[places] == raw).all(axis=1), places, -1).astype(np.int64)
        for one in np.nonzero(found < 0)[0].tolist():  # few: what is missing, or shares its first bytes with another
            found[one] = self.number(oids[one])
        return found

    def oid(self, number: int) -> str:
        """Id of an object."""
        return bytes(self.ids[number]).hex()

    def read(self, oid: str) -> tuple[int, bytes]:
        """Type and bytes of an object, by plain Python.

        Raises:
            AbsentError: it is not here, or cannot be made.
        """
        reason = "is missing"
        for pack in self.packs:
            entry = entry_of(pack.entries, oid)
            if entry >= 0:
                try:
                    return self.make(pack, entry)
                except AbsentError as fault:
                    reason = str(fault)
        if (path := self._loose.get(oid)) is not None:
            try:
                return read_loose(path)
            except (OSError, UnmadeError) as fault:
                reason = f"cannot be read ({FAULTS[fault.code] if isinstance(fault, UnmadeError) else fault.strerror})"
        raise AbsentError(reason)

    def make(self, pack: OpenPack, entry: int) -> tuple[int, bytes]:
        """Type and bytes of what an entry makes, with bases from elsewhere too.

        Raises:
            AbsentError: a base is missing, or something is corrupt.
        """
        table = pack.entries.pack
        chain = [entry]
        while table.kind[chain[-1]] >= OFS_DELTA and table.base[chain[-1]] >= 0 and len(chain) < _CHAIN:
            chain.append(int(table.base[chain[-1]]))
        try:
            made, _ = plain.inflate_entry(table, chain[-1])
            kind = int(table.kind[chain[-1]])
            if kind >= OFS_DELTA:
                oid = pack.entries.base_id(chain[-1])
                kind, base = self.read_elsewhere(oid, pack)
                made = plain.apply_delta(base, made)
            for one in reversed(chain[:-1]):
                made = plain.apply_delta(made, plain.inflate_entry(table, one)[0])
        except UnmadeError as fault:
            raise AbsentError(f"rests on {FAULTS[fault.code]}") from None
        return kind, made

    def read_elsewhere(self, oid: str, pack: OpenPack) -> tuple[int, bytes]:
        """The base of a thin pack's delta, which is not in the pack itself.

        Raises:
            AbsentError: nor anywhere else.
        """
        for other in self.packs:
            if other is not pack and (entry := entry_of(other.entries, oid)) >= 0:
                return self.make(other, entry)
        if (path := self._loose.get(oid)) is not None:
            try:
                return read_loose(path)
            except (OSError, UnmadeError):
                raise AbsentError(f"its base {oid[:12]} cannot be read") from None
        raise AbsentError(f"its base {oid[:12]} is missing")


def open_store(repository: Repository) -> Store:
    """Map the packs, read their headers, and number all objects."""
    store = Store(repository, faults=list(repository.faults))
    for file in repository.packs:
        _open(store, file)
    store._loose = dict(repository.loose)  # noqa: SLF001 - its own module
    _number(store)
    return store


def entry_of(entries: Entries, oid: str) -> int:
    """Entry of a pack that makes an object; -1 when none does."""
    index = entries.index
    raw = np.frombuffer(bytes.fromhex(oid), np.uint8)
    if len(raw) != index.ids.shape[1]:
        return -1
    low, high = 0, len(index.ids)
    wanted = raw.tobytes()
    while low < high:
        middle = (low + high) // 2
        if index.ids[middle].tobytes() < wanted:
            low = middle + 1
        else:
            high = middle
    if low == len(index.ids) or index.ids[low].tobytes() != wanted:
        return -1
    offset = index.offsets[low]
    place = np.searchsorted(entries.offsets, offset)
    return int(place) if place < len(entries.offsets) and entries.offsets[place] == offset else -1


def mapped(path: Path) -> Bytes:
    """A file in memory, its pages brought in at once: it is going to be read whole.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return np.zeros(0, np.uint8)
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ), np.uint8)


def read_loose(path: Path) -> tuple[int, bytes]:
    """Type and bytes of a loose object.

    Raises:
        OSError: the file cannot be read.
        UnmadeError: it is corrupt.
    """
    kind, _, pieces = loose_pieces(path)
    return kind, b"".join(pieces)


def loose_pieces(path: Path) -> tuple[int, int, Iterator[bytes]]:
    """Type, size and content of a loose object, in pieces; reading on may raise as ``read_loose`` does."""
    pieces = _inflated(path)
    head = b""
    while b"\0" not in head and len(head) < _HEAD_LONGEST:
        piece = next(pieces, b"")
        if not piece:
            break
        head += piece
    said, mark, rest = head.partition(b"\0")
    kind, _, size = said.partition(b" ")
    if not mark or kind.decode("ascii", "replace") not in _NUMBERS or not size.isdigit():
        raise UnmadeError(CORRUPT)
    return _NUMBERS[kind.decode()], int(size), _of_size(rest, pieces, int(size))


def _of_size(rest: bytes, pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    done = len(rest)
    yield rest
    for piece in pieces:
        done += len(piece)
        yield piece
    if done != size:
        raise UnmadeError(SHORT)


def _inflated(path: Path) -> Iterator[bytes]:
    machine = zlib.decompressobj()
    with path.open("rb") as file:
        try:
            while packed := file.read(1 << 20):
                while packed and not machine.eof:
                    yield machine.decompress(packed, 1 << 20)
                    packed = machine.unconsumed_tail
        except zlib.error:
            raise UnmadeError(CORRUPT) from None
    if not machine.eof:
        raise UnmadeError(SHORT)


def _open(store: Store, file: PackFile) -> None:
    name = file.path.name
    try:
        if not file.index.is_file():
            store.unindexed.append(file.path)
            return
        reverse = mapped(file.reverse) if file.reverse.is_file() else None
        index = parse_index(mapped(file.index), store.repository.width)
        entries = put_together(mapped(file.path), index, reverse)
    except DamagedError as fault:
        store.faults.append((name, str(fault)))
        if file.path.is_file():
            store.unindexed.append(file.path)
        return
    except OSError as error:
        store.faults.append((name, f"it cannot be read: {error.strerror}"))
        return
    store.faults += [(name, problem) for problem in entries.problems]
    store.packs.append(OpenPack(file, entries, entries.order))


def _number(store: Store) -> None:
    """Number all objects by the order of their ids; the smallest lists are merged first."""
    width = store.repository.width
    parts: list[tuple[Bytes, list[int]]] = [(pack.entries.index.ids, [at]) for at, pack in enumerate(store.packs)]
    loose = sorted({oid for oid, _ in store.repository.loose})
    if loose:
        parts.append((np.frombuffer(bytes.fromhex("".join(loose)), np.uint8).reshape(-1, width), []))
    ranks: dict[int, Whole] = {}
    """Of a pack's objects, in the order of its index, in the list that it was merged into."""
    parts.sort(key=lambda part: len(part[0]))
    while len(parts) > 1:
        (one, few), (other, many) = parts[:2]
        ids, *places = merged(one, other)
        for held, place in zip((few, many), places, strict=True):
            for at in held:
                ranks[at] = place[ranks[at]] if at in ranks else place
        parts[:2] = [(ids, few + many)]
        parts.sort(key=lambda part: len(part[0]))
    if parts:
        store.ids = np.ascontiguousarray(parts[0][0])
        store.first = prefixes(store.ids)
    for at, rank in ranks.items():
        store.packs[at].numbers = rank[store.packs[at].entries.order]
