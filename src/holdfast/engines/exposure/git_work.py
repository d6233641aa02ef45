"""What one worker does for a repository: units of objects searched, units of links read.

A unit is a range of delta trees of one pack, or some loose objects. Its result is plain data: numbers, forms, places,
names. Rows name objects by their number in the store and hold nothing of what was searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from holdfast.engines.exposure.git_store import AbsentError, OpenPack, Store, loose_pieces
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import is_container, search_bytes, search_encoded, search_stream
from holdfast.engines.exposure.walker import Walked, Walker, Whereabouts
from holdfast.exposure.encoded import LITERALS
from holdfast.exposure.git import plain
from holdfast.exposure.git.graph import tree_entries
from holdfast.exposure.git.layout import BLOB, FAULTS, GAP, TOO_LARGE, TREE, TYPE_NAMES, Whole
from holdfast.exposure.git.packs import below
from holdfast.exposure.git.plain import UnmadeError
from holdfast.exposure.matching import Matcher
from holdfast.exposure.query import Query
from holdfast.exposure.results import Match
from holdfast.exposure.unpacked import Found
from holdfast.kernel.errors import HoldfastError

STREAMED = 64 << 20
"""Bytes of a whole object nothing is made from, from which on it is not held in memory."""
_LFS_MARK = b"git-lfs.github.com/spec/"
_LFS_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """A secret in an object."""

    number: int
    kind: str
    match: Match
    line: int | None
    inner: tuple[str, ...] = ()
    name: str | None = None
    """Of the entry, where it is a tree's."""
    stray: str | None = None
    """File it is in, where no index knows it."""
    oid: str | None = None
    """Its id, where it has no number."""


@dataclass(slots=True)
class Result:
    """What became of a unit."""

    rows: list[Row] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Where and why, of what is damaged or cannot be read: another time it may be."""
    within: list[tuple[str, str]] = field(default_factory=list)
    """Where and why, of archives in objects: the same bytes always say the same."""
    objects: int = 0
    files: int = 0
    made: int = 0
    matched: int = 0
    kept_elsewhere: set[str] = field(default_factory=set)
    """Digests of Git LFS contents that are pointed at."""
    not_searched: set[str] = field(default_factory=set)
    cached: int = 0


@dataclass(slots=True)
class Worker:
    """Searches units of one store for one query."""

    store: Store
    query: Query
    plain: bool
    limits: Limits
    _matcher: Matcher = field(init=False)
    anchors: Matcher = field(init=False)
    """The query's anchors alone."""
    _walker: Walker | None = None

    def __post_init__(self) -> None:
        """Compile the literals."""
        self._matcher = self.query.matcher(plain=self.plain, more=[*LITERALS, _LFS_MARK])
        self.anchors = self.query.matcher(plain=self.plain)

    @property
    def matcher(self) -> Matcher:
        """All literals: the query's anchors first."""
        return self._matcher

    @property
    def walker(self) -> Walker:
        """Buffers, asked for by the first unit."""
        if self._walker is None:
            self._walker = Walker()
        return self._walker

    def load(self) -> None:
        """Have the kernels at hand, so that processes that are forked inherit them."""
        if not self.plain and self.store.packs:
            self.walker.load(self.store.packs[0].entries)

    def objects(self, pack: OpenPack, roots: Whole) -> Result:
        """Search delta trees of blobs."""
        found = Result()
        large = self._set_apart(pack, roots)
        for entry in large.tolist():
            self._stream_entry(found, pack, entry)
        roots = np.setdiff1d(roots, large, assume_unique=True)
        if self.plain:
            self._objects_plainly(found, pack, roots)
            return found
        walked = Walked()
        families = self.walker.families(pack.entries, roots, self._matcher, walked)
        self.confirm_families(found, pack, families)
        self._account(found, pack, walked)
        for entry in walked.heads:
            self._head(found, pack, entry)
        return found

    def confirm_families(self, found: Result, pack: OpenPack, families: set[int]) -> None:
        """Search whole delta trees and say what the anchors in them mean."""
        if families:

            def hear(place: Whereabouts) -> None:
                self._hear(found, pack, place)

            self.walker.objects(pack.entries, np.array(sorted(families)), self._matcher, hear, Walked())

    def orphans(self, pack: OpenPack) -> Result:
        """Search deltas whose bases are not in their pack, and everything made from them."""
        found = Result()
        name = pack.file.path.name
        for entry in pack.entries.orphans.tolist():
            oid = pack.entries.base_id(entry)
            try:
                kind, base = self.store.read_elsewhere(oid, pack)
            except AbsentError as fault:
                count = len(below(pack.entries.pack, np.array([entry])))
                found.faults.append((name, f"{count:,} objects cannot be made: {fault}"))
                continue
            for one, data, code in plain.walk(pack.entries.pack, [entry], base):
                self._plain_object(found, pack, one, kind, data, code)
        return found

    def loose(self, listed: Sequence[tuple[str, Path]]) -> Result:
        """Search loose objects."""
        found = Result()
        for oid, path in listed:
            try:
                kind, size, pieces = loose_pieces(path)
                number = self.store.number(oid)
                if size > STREAMED:
                    self._stream(found, number, pieces, size)
                else:
                    self.plain_bytes(found, number, kind, b"".join(pieces))
            except UnmadeError as fault:
                found.faults.append((f"{oid[:2]}/{oid[2:]}", f"{FAULTS[fault.code]} (object {oid[:12]})"))
            except OSError as error:
                found.faults.append((f"{oid[:2]}/{oid[2:]}", f"it cannot be read: {error.strerror}"))
        return found

    def plain_bytes(self, found: Result, number: int, kind: int, data: bytes) -> None:
        """Search one object that is in memory."""
        found.objects += 1
        found.made += len(data)
        found.matched += len(data)
        anchors = self._matcher.find(data)
        if anchors:
            self._read(found, number, kind, data, anchors)
        if kind == BLOB and is_container(data[:512]):
            self._container(found, number, data)

    def stray_bytes(self, found: Result, number: int, kind: int, data: bytes, where: str, oid: str | None) -> None:
        """Search an object that may be in no index; one that is, is searched with the others."""
        if number >= 0:
            return
        before = len(found.rows)
        self.plain_bytes(found, number, kind, data)
        found.rows[before:] = [replace(row, stray=where, oid=oid) for row in found.rows[before:]]

    def _objects_plainly(self, found: Result, pack: OpenPack, roots: Whole) -> None:
        for entry, data, code in plain.walk(pack.entries.pack, roots.tolist()):
            self._plain_object(found, pack, entry, int(pack.entries.pack.final[entry]), data, code)

    def _plain_object(
        self, found: Result, pack: OpenPack, entry: int, kind: int, data: bytes | None, code: int
    ) -> None:
        if code:
            self._fault(found, pack, entry, code)
        if data is not None:
            self.plain_bytes(found, int(pack.numbers[entry]), kind, data)

    def _set_apart(self, pack: OpenPack, roots: Whole) -> Whole:
        """Large objects from which nothing is made: they need not be held in memory."""
        table = pack.entries.pack
        alone = table.first_child[roots + 1] == table.first_child[roots]
        large: Whole = roots[alone & (table.size[roots] > STREAMED)]
        return large

    def _account(self, found: Result, pack: OpenPack, walked: Walked) -> None:
        found.objects += walked.entries
        found.made += walked.made
        found.matched += walked.matched
        for entry, code in walked.faults:
            if code == TOO_LARGE:
                self._large(found, pack, entry)
            else:
                self._fault(found, pack, entry, code)

    def _fault(self, found: Result, pack: OpenPack, entry: int, code: int) -> None:
        made = len(below(pack.entries.pack, np.array([entry]))) - 1
        more = f", and {made:,} made from it" if made and code != GAP else ""
        reason = f"{FAULTS[code]} (object {pack.entries.object_id(entry)[:12]}{more})"
        found.faults.append((pack.file.path.name, reason))

    def _large(self, found: Result, pack: OpenPack, entry: int) -> None:
        """What the arena does not hold is made in plain Python, as far as memory may go."""
        table = pack.entries.pack
        try:
            base = self.store.make(pack, int(table.base[entry]))[1] if table.base[entry] >= 0 else None
        except AbsentError as fault:
            found.faults.append((pack.file.path.name, f"object {pack.entries.object_id(entry)[:12]} {fault}"))
            return
        for one, data, code in plain.walk(table, [entry], base):
            self._plain_object(found, pack, one, int(table.final[entry]), data, code)

    def _hear(self, found: Result, pack: OpenPack, place: Whereabouts) -> None:
        kind = int(pack.entries.pack.final[place.entry])
        self._read(found, int(pack.numbers[place.entry]), kind, place.data, place.found)

    def _read(
        self, found: Result, number: int, kind: int, data: bytes | memoryview, anchors: list[tuple[int, int]]
    ) -> None:
        own = [one for one in anchors if one[0] < len(self.query.anchors)]
        rest = [one for one in anchors if one[0] >= len(self.query.anchors)]
        if own:
            counted, at = 1, 0
            for match in self.query.confirm(data, own):
                counted += _lines(data, at, match.start)
                at = max(at, match.start)
                name = _entry_name(bytes(data), self.store.repository.width, match) if kind == TREE else None
                found.rows.append(Row(number, TYPE_NAMES[kind], match, counted, (), name))
        if rest and kind == BLOB:
            self._hints(found, number, data, rest)

    def _hints(self, found: Result, number: int, data: bytes | memoryview, rest: list[tuple[int, int]]) -> None:
        """What other literals point at: contents kept elsewhere, archives that are written in base64."""
        literals = self._matcher.literals
        if len(data) < _LFS_LONGEST and any(literals[one] == _LFS_MARK for one, _ in rest):
            text = bytes(data).decode("ascii", "replace")
            digest = text.partition("oid sha256:")[2].partition("\n")[0].strip()
            if digest:
                found.kept_elsewhere.add(digest)
        if any(literals[one] != _LFS_MARK for one, _ in rest):
            self._inner(found, number, search_encoded(bytes(data), self.query, self.anchors, self.limits))

    def _head(self, found: Result, pack: OpenPack, entry: int) -> None:
        data = self.walker.made(pack.entries, entry)
        if data is None:
            try:
                _, data = self.store.make(pack, entry)
            except AbsentError:
                return  # the walk told it
        if is_container(data[:512]):
            self._container(found, int(pack.numbers[entry]), data)

    def _container(self, found: Result, number: int, data: bytes) -> None:
        self._inner(found, number, search_bytes(data, self.query, self.anchors, self.limits))

    def _inner(self, found: Result, number: int, inner: Found) -> None:
        """Take over what is within an archive; what is in its own bytes was found already."""
        oid = self.store.oid(number)[:12] if number >= 0 else "that no index knows"
        for one in inner.matches:
            if one.inner or one.kind_of_container:
                within = one.inner or (f"({one.kind_of_container})",)
                found.rows.append(Row(number, TYPE_NAMES[BLOB], one.match, one.line, within))
        found.within += [(f"object {oid}{''.join(f'!{part}' for part in where)}", why) for where, why in inner.faults]
        found.files += inner.members
        found.made += inner.inflated
        found.matched += inner.matched
        found.not_searched |= inner.not_searched

    def _stream_entry(self, found: Result, pack: OpenPack, entry: int) -> None:
        table = pack.entries.pack
        try:
            pieces = plain.entry_pieces(table, entry)
            self._stream(found, int(pack.numbers[entry]), pieces, int(table.size[entry]))
        except UnmadeError as fault:
            self._fault(found, pack, entry, fault.code)

    def _stream(self, found: Result, number: int, pieces: Iterator[bytes], size: int) -> None:
        found.objects += 1
        found.made += size
        found.matched += size
        inner = search_stream(pieces, self.query, self.anchors, self.limits)
        for one in inner.matches:
            if not one.inner and not one.kind_of_container:
                found.rows.append(Row(number, TYPE_NAMES[BLOB], one.match, one.line))
        self._inner(found, number, inner)


def guarded(action: Callable[[], Result], where: str) -> Result:
    """A unit's result; an error of ours in it is a fault of the unit."""
    try:
        return action()
    except HoldfastError as error:
        return Result(faults=[(where, f"{error.what} {error.why}".rstrip("."))])


def _lines(data: bytes | memoryview, start: int, end: int) -> int:
    """Line ends in a stretch, without copying more than a megabyte at once."""
    total = 0
    for at in range(start, end, 1 << 20):
        total += bytes(data[at : min(end, at + (1 << 20))]).count(b"\n")
    return total


def _entry_name(data: bytes, width: int, match: Match) -> str | None:
    try:
        for mode, name, _, at in tree_entries(data, width):
            if at <= match.start < at + len(mode) + len(name) + 2:
                return name.decode("utf-8", "surrogateescape")
    except ValueError:
        return None
    return None
