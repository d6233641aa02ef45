"""Packs without a usable index, and files of interrupted writes: read from the beginning, as far as they go."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from holdfast.engines.exposure.git_layout import Repository
from holdfast.engines.exposure.git_store import AbsentError, Store, mapped
from holdfast.engines.exposure.git_work import Result, Row, Worker
from holdfast.engines.exposure.limits import Limits
from holdfast.exposure.git import texts
from holdfast.exposure.git.layout import COMMIT, FAULTS, OFS_DELTA, REF_DELTA, TAG
from holdfast.exposure.git.plain import LARGEST, UnmadeError, apply_delta, entry_head
from holdfast.exposure.git.sequential import object_id
from holdfast.exposure.query import Query

_HEAD = 12
_PIECE = 1 << 20
_BUNDLE_HEAD = 16 << 20
"""Bytes that the list of a bundle's refs may take."""


def search_stray(store: Store, worker: Worker) -> Result:
    """Search what lies among the objects and is in no index."""
    found = Result()
    for path in store.unindexed:
        _pack(found, store, worker, path, complete=True)
    for path in store.repository.leftovers:
        try:
            head = path.open("rb").read(4)
        except OSError as error:
            found.faults.append((path.name, f"it cannot be read: {error.strerror}"))
            continue
        if head == b"PACK":
            _pack(found, store, worker, path, complete=False)
        else:
            _loose(found, worker, path)
    return found


def search_file(path: Path, query: Query, limits: Limits, *, plain: bool) -> Result | None:
    """Search a bundle or a pack that stands alone; none when the file is neither."""
    with path.open("rb") as file:
        head = file.read(_BUNDLE_HEAD)
    told = texts.bundle(head)
    if told is None and not head.startswith(b"PACK"):
        return None
    start, width, refs, known = told or (0, _width_of(path), [], [])
    store = Store(Repository(path, path, width))
    worker, found = Worker(store, query, plain, limits), Result()
    _pack(found, store, worker, path, complete=True, start=start)
    for name, _ in refs:
        data = name.encode("utf-8", "surrogateescape")
        for match in query.confirm(data, worker.anchors.find(data)):
            found.rows.append(Row(-1, "git-file", match, None, (), None, name))
    if known:
        found.faults.append((path.name, f"it continues {len(known):,} commits that it does not hold"))
    return found


def _width_of(path: Path) -> int:
    """Bytes of an id: a pack ends in a hash over all that stands before it."""
    data = mapped(path)
    for width, new in ((32, hashlib.sha256), (20, hashlib.sha1)):
        if len(data) > width and new(data[:-width].data, usedforsecurity=False).digest() == bytes(data[-width:]):
            return width
    return 20


def _pack(found: Result, store: Store, worker: Worker, path: Path, *, complete: bool, start: int = 0) -> None:
    try:
        data = mapped(path).data[start:]
    except OSError as error:
        found.faults.append((path.name, f"it cannot be read: {error.strerror}"))
        return
    reader = _Sequence(data, store, worker, found, path.name)
    try:
        reader.read()
    except UnmadeError as fault:
        if complete:
            reason = f"read from its beginning: {FAULTS[fault.code]} after {reader.count:,} objects"
            found.faults.append((path.name, reason))


class _Sequence:
    """Entries one after the other. Objects are kept, because later ones are made from them."""

    def __init__(self, data: memoryview, store: Store, worker: Worker, found: Result, name: str) -> None:
        self._data, self._store, self._worker, self._found, self._name = data, store, worker, found, name
        self._places: dict[int, tuple[int, bytes]] = {}
        self._ids: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[int, bytes]]] = {}
        self._kept = 0
        self.count = 0

    def read(self) -> None:
        """Read to the end.

        Raises:
            UnmadeError: it goes no further.
        """
        data, width = self._data, self._store.repository.width
        if len(data) < _HEAD or bytes(data[:4]) != b"PACK":
            raise UnmadeError(1)
        total = int.from_bytes(data[8:12], "big")
        at = _HEAD
        while self.count < total:
            kind, size, base, start = entry_head(data, at, width)
            made, end = _inflated(data, start, size)
            self.count += 1
            if kind == OFS_DELTA:
                assert isinstance(base, int)
                self._made_from(at, self._places.get(at - base), made)
            elif kind == REF_DELTA:
                assert isinstance(base, bytes)
                self._by_name(at, base.hex(), made)
            else:
                self._object(at, kind, made)
            at = end
        for oid, waiting in self._waiting.items():
            reason = f"{len(waiting):,} objects cannot be made: their base {oid[:12]} is missing"
            self._found.faults.append((self._name, reason))

    def _by_name(self, at: int, oid: str, delta: bytes) -> None:
        if oid in self._ids:
            self._made_from(at, self._places[self._ids[oid]], delta)
            return
        try:
            self._made_from(at, self._store.read(oid), delta)
        except AbsentError:
            self._waiting.setdefault(oid, []).append((at, delta))

    def _made_from(self, at: int, base: tuple[int, bytes] | None, delta: bytes) -> None:
        if base is None:
            self._found.faults.append((self._name, "an object cannot be made: its base could not"))
            return
        try:
            self._object(at, base[0], apply_delta(base[1], delta))
        except UnmadeError as fault:
            self._found.faults.append((self._name, FAULTS[fault.code]))

    def _object(self, at: int, kind: int, data: bytes) -> None:
        self._kept += len(data)
        if self._kept > LARGEST:
            raise UnmadeError(4)
        self._places[at] = (kind, data)
        oid = object_id(kind, data, self._store.repository.width)
        self._ids[oid] = at
        number = self._store.number(oid)
        if COMMIT <= kind <= TAG:
            self._worker.stray_bytes(self._found, number, kind, data, self._name, oid)
        for place, delta in self._waiting.pop(oid, ()):
            self._made_from(place, (kind, data), delta)


def _inflated(data: memoryview, at: int, size: int) -> tuple[bytes, int]:
    machine = zlib.decompressobj()
    parts, done = [], 0
    try:
        while not machine.eof and at < len(data):
            piece = data[at : at + _PIECE]
            made = machine.decompress(piece)
            at += len(piece) - len(machine.unused_data)
            parts.append(made)
            done += len(made)
            if done > min(size, LARGEST):
                raise UnmadeError(2)
    except zlib.error:
        raise UnmadeError(1) from None
    if not machine.eof or done != size:
        raise UnmadeError(2)
    return b"".join(parts), at


def _loose(found: Result, worker: Worker, path: Path) -> None:
    """What can be inflated of a half-written object, or the bytes as they are."""
    made = b"".join(_as_far_as_it_goes(path))
    worker.stray_bytes(found, -1, 3, made, path.name, None)


def _as_far_as_it_goes(path: Path) -> Iterator[bytes]:
    machine = zlib.decompressobj()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            try:
                while piece:
                    yield machine.decompress(piece, 64 * _PIECE)
                    piece = machine.unconsumed_tail
            except zlib.error:
                yield piece
                return
