"""Reading what trees, commits and tags name, and searching their own bytes, in one walk over them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from holdfast.engines.exposure.git_store import AbsentError, OpenPack, Store, loose_pieces
from holdfast.engines.exposure.git_work import Result, Worker
from holdfast.engines.exposure.walker import ARENA, DEPTH, Walked
from holdfast.exposure.git import layout, plain
from holdfast.exposure.git.graph import Graph, read_object
from holdfast.exposure.git.layout import (
    BEFORE,
    BLOB,
    COMMITS,
    DONE,
    EDGES,
    ENTRIES,
    FAULTS,
    FOLDERS,
    ID_ROOM,
    LENGTH,
    MADE,
    MATCHED,
    MISSING,
    MOVED,
    NAMED,
    PARENTS,
    RECORDS,
    STATUS,
    TAGS,
    TOLD,
    WANTED,
    Whole,
)
from holdfast.exposure.git.plain import UnmadeError

_EDGES, _NAMED, _NAMES, _MISSING = 1 << 20, 1 << 18, 32 << 20, 1 << 17
_COMMITS, _PARENTS, _TAGS = 1 << 15, 1 << 17, 4096
_WANTED = 1 << 22
"""New entries of one tree must fit; they are looked up as soon as there are some thousands."""
_ENTRIES = ARENA // 22 + MOVED
"""Entries of trees that fit into the arena, as none is shorter; and what is written over."""


class LinkReader:
    """Reads links of one worker's store."""

    def __init__(self, worker: Worker) -> None:
        """For a worker, with its buffers."""
        self._worker = worker
        self._buffers: _Buffers | None = None

    def load(self) -> None:
        """Have the kernels at hand, so that processes that are forked inherit them."""
        store = self._worker.store
        if not self._worker.plain and store.packs:
            store.buckets()
            self.units(store.packs[0], np.zeros(0, np.int64), (), edges=False, search=False)
            from holdfast.exposure.git import links  # noqa: PLC0415 - kernels, which the plain engine does without

            links.go_on(self._worker.walker.state, store.repository.width)

    def units(
        self, pack: OpenPack, roots: Whole, marks: Iterable[int], *, edges: bool, search: bool
    ) -> tuple[Graph, Result]:
        """Read delta trees of trees, commits and tags.

        Args:
            pack: theirs.
            roots: whole objects.
            marks: numbers of objects whose names are wanted.
            edges: whether folders within folders are wanted: those of whole trees, and what is new in others.
            search: whether their bytes are searched, too.
        """
        graph, found = Graph(), Result()
        wanted = frozenset(marks)
        if self._worker.plain:
            self._plainly(graph, found, pack, roots, wanted, edges=edges, search=search)
            return graph, found
        families = self._walk(graph, found, pack, roots, wanted, edges=edges, search=search)
        self._worker.confirm_families(found, pack, families)
        return graph, found

    def others(self, marks: Iterable[int], *, edges: bool) -> Graph:
        """Read what is not in packs, or made from what is not in its pack; it was searched already."""
        graph, wanted = Graph(), frozenset(marks)
        store = self._worker.store
        for oid, path in store.repository.loose:
            try:
                kind, _, pieces = loose_pieces(path)
                if kind != BLOB:
                    self._read(graph, kind, store.number(oid), b"".join(pieces), wanted, edges=edges)
            except (OSError, UnmadeError):
                continue  # the search of it told why
        for pack in store.packs:
            for entry in pack.entries.orphans.tolist():
                try:
                    kind, base = store.read_elsewhere(pack.entries.base_id(entry), pack)
                except AbsentError:
                    continue  # likewise
                if kind != BLOB:
                    for one, data, _ in plain.walk(pack.entries.pack, [entry], base):
                        if data is not None:
                            self._read(graph, kind, int(pack.numbers[one]), data, wanted, edges=edges)
        return graph

    def _find(self, oid: bytes) -> int:
        return self._worker.store.number(oid.hex())

    def _read(self, graph: Graph, kind: int, number: int, data: bytes, wanted: AbstractSet[int], *, edges: bool) -> int:
        width = self._worker.store.repository.width
        return read_object(graph, kind, number, data, self._find, wanted, width=width, edges=edges)

    def _plainly(  # noqa: PLR0913 - as ``units``
        self,
        graph: Graph,
        found: Result,
        pack: OpenPack,
        roots: Whole,
        wanted: AbstractSet[int],
        *,
        edges: bool,
        search: bool,
    ) -> None:
        table = pack.entries.pack
        name = pack.file.path.name
        for entry, data, code in plain.walk(table, roots.tolist()):
            kind = int(table.final[entry])
            if data is not None:
                if search:
                    self._worker.plain_bytes(found, int(pack.numbers[entry]), kind, data)
                wrong = code or self._read(graph, kind, int(pack.numbers[entry]), data, wanted, edges=edges)
            else:
                wrong = code
            if wrong:
                found.faults.append((name, _reason(wrong, pack.entries.object_id(entry))))

    def _walk(  # noqa: PLR0913 - as ``units``
        self,
        graph: Graph,
        found: Result,
        pack: OpenPack,
        roots: Whole,
        wanted: AbstractSet[int],
        *,
        edges: bool,
        search: bool,
    ) -> set[int]:
        from holdfast.exposure.git import links  # noqa: PLC0415 - kernels, which the plain engine does without

        walker, store = self._worker.walker, self._worker.store
        buffers = self._ready()
        buffers.mark(wanted)
        state = walker.state
        layout.point_at_pack(state, pack.entries.pack, roots)
        assert pack.numbers.flags.c_contiguous
        state[layout.L_NUMBERS] = pack.numbers.ctypes.data
        state[layout.MARKED] = bool(wanted)
        state[BEFORE] = state[WANTED] = 0
        state[FOLDERS] = edges
        matcher = self._worker.matcher
        walker.seek(matcher, matcher.width)
        anchor = matcher.width if search else 0
        lengths = np.array(matcher.lengths or [1], np.int64)
        families: set[int] = set()
        walked = Walked()
        while state[STATUS] != DONE:
            links.link_step(state, store.repository.width, anchor)
            walked.faults += walker.faults()
            buffers.gather(graph, state)
            while state[TOLD] < state[WANTED]:
                links.go_on(state, store.repository.width)
                buffers.gather_missing(graph, state)
            buffers.gather_numbers(state)
            hits = matcher.among(walker.scan.data[: int(state[LENGTH])], walker.record_at[: int(state[RECORDS])])
            for node, _ in walker.placed(hits, int(state[RECORDS]), int(state[LENGTH]), lengths, whole=False):
                families.add(int(pack.entries.pack.family[node]))
        buffers.gather_edges(graph)
        found.objects += int(state[ENTRIES])
        found.made += int(state[MADE])
        found.matched += int(state[MATCHED])
        name = pack.file.path.name
        found.faults += [(name, _reason(code, pack.entries.object_id(entry))) for entry, code in walked.faults]
        return families

    def _ready(self) -> _Buffers:
        if self._buffers is None:
            self._buffers = _Buffers(self._worker.store)
            self._buffers.point(self._worker.walker.state)
        return self._buffers


class _Buffers:
    """What links are read into."""

    def __init__(self, store: Store) -> None:
        self._ids = store.ids
        assert self._ids.flags.c_contiguous
        self._bucket, self._bits = store.buckets()
        self._marks, self._maybe = np.zeros(len(store.ids) + 1, np.uint8), np.zeros(1 << 16, np.uint8)
        self._wanted, self._wanted_from = np.empty((_WANTED + 1, ID_ROOM), np.uint8), np.empty(_WANTED, np.int64)
        self._numbers: list[NDArray[np.int32]] = []
        self._edge_tree: list[NDArray[np.int32]] = []
        self._edge_child: list[NDArray[np.int32]] = []
        self._edges = [np.empty(_EDGES, np.int32), np.empty(_EDGES, np.int32)]
        self._named = [_whole(_NAMED) for _ in range(4)]
        self._names = np.empty(_NAMES, np.uint8)
        self._missing = _whole(_MISSING)
        self._missing_id = np.zeros((_MISSING, store.repository.width), np.uint8)
        self._commit = _whole(5 * _COMMITS)
        self._parents = [_whole(_PARENTS), _whole(_PARENTS)]
        self._tags = [_whole(_TAGS), _whole(_TAGS)]
        self._trees = [np.empty(_ENTRIES, np.int32) for _ in range(3)]
        self._frames = [_whole(DEPTH + 1) for _ in range(4)]

    def mark(self, numbers: AbstractSet[int]) -> None:
        """Begin anew, with other marked objects."""
        self._marks[:] = self._maybe[:] = 0
        self._numbers, self._edge_tree, self._edge_child = [], [], []
        if numbers:
            marked = np.fromiter(numbers, np.int64, len(numbers))
            self._marks[marked] = 1
            self._maybe[np.ascontiguousarray(self._ids[marked, :2]).view("<u2")] = 1

    def point(self, state: Whole) -> None:
        """Put their addresses into a walk's row."""
        for place, array in (
            (layout.K_IDS, self._ids),
            (layout.K_BUCKET, self._bucket),
            (layout.K_MARKS, self._marks),
            (layout.K_MAYBE, self._maybe),
            (layout.L_WANTED, self._wanted),
            (layout.L_WANTED_FROM, self._wanted_from),
            (layout.L_EDGE_TREE, self._edges[0]),
            (layout.L_EDGE_CHILD, self._edges[1]),
            (layout.L_NAMED_TREE, self._named[0]),
            (layout.L_NAMED_CHILD, self._named[1]),
            (layout.L_NAMED_AT, self._named[2]),
            (layout.L_NAMED_LENGTH, self._named[3]),
            (layout.L_NAMES, self._names),
            (layout.L_MISSING_FROM, self._missing),
            (layout.L_MISSING_ID, self._missing_id),
            (layout.L_COMMIT, self._commit),
            (layout.L_PARENT_OF, self._parents[0]),
            (layout.L_PARENT, self._parents[1]),
            (layout.L_TAG, self._tags[0]),
            (layout.L_TAGGED, self._tags[1]),
            (layout.L_BEGINS, self._trees[0]),
            (layout.L_TOLD, self._trees[1]),
            (layout.L_FRAME_AT, self._frames[0]),
            (layout.L_FRAME_COUNT, self._frames[1]),
            (layout.L_SPECIAL, self._trees[2]),
            (layout.L_FRAME_SPECIAL_AT, self._frames[2]),
            (layout.L_FRAME_SPECIALS, self._frames[3]),
        ):
            state[place] = array.ctypes.data
        state[layout.K_BITS] = 64 - self._bits
        state[layout.L_EDGE_COUNT], state[layout.L_NAMED_COUNT], state[layout.L_NAMES_SIZE] = _EDGES, _NAMED, _NAMES
        # Ids that one commit misses are all told, however many parents it has.
        state[layout.L_MISSING_COUNT] = _MISSING - 2
        state[layout.L_COMMIT_COUNT], state[layout.L_PARENT_COUNT] = _COMMITS, _PARENTS
        state[layout.L_TAG_COUNT], state[layout.L_WANTED_COUNT] = _TAGS, _WANTED

    def gather(self, graph: Graph, state: Whole) -> None:
        """Take what a step read out of the buffers."""
        if state[EDGES]:
            self._edge_tree.append(self._edges[0][: state[EDGES]].copy())
            self._edge_child.append(self._edges[1][: state[EDGES]].copy())
        count = int(state[NAMED])
        if count:
            self._gather_names(graph, count)
        self.gather_missing(graph, state)
        if state[COMMITS]:
            graph.commits.append(self._commit[: 5 * state[COMMITS]].reshape(-1, 5).copy())
        if state[PARENTS]:
            count = int(state[PARENTS])
            graph.parents.append(np.stack([self._parents[0][:count], self._parents[1][:count]], axis=1))
        count = int(state[TAGS])
        graph.tags.update(zip(self._tags[0][:count].tolist(), self._tags[1][:count].tolist(), strict=True))

    def gather_missing(self, graph: Graph, state: Whole) -> None:
        """Take what is named and not here."""
        for place in range(int(state[MISSING])):
            graph.missing.setdefault(self._missing_id[place].tobytes(), int(self._missing[place]))

    def gather_numbers(self, state: Whole) -> None:
        """Take the numbers of what was looked up, where an edge may want them."""
        self._numbers.append(self._wanted_from[: int(state[WANTED])].astype(np.int32))

    def gather_edges(self, graph: Graph) -> None:
        """Take the edges of all steps, with the numbers that were looked up since."""
        if self._edge_tree:
            child = np.concatenate(self._numbers)[np.concatenate(self._edge_child)]
            here = child >= 0
            graph.edge_tree.append(np.concatenate(self._edge_tree)[here])
            graph.edge_child.append(child[here])

    def _gather_names(self, graph: Graph, count: int) -> None:
        trees, children, at, length = (part[:count] for part in self._named)
        end = at + length
        held = self._names[: int(end.max())].tobytes()
        names = [held[start:stop] for start, stop in zip(at.tolist(), end.tolist(), strict=True)]
        linked = children < 0
        if linked.any():
            graph.links.update(names[place] for place in np.nonzero(linked)[0].tolist())
            names = [names[place] for place in np.nonzero(~linked)[0].tolist()]
        graph.named.extend(trees[~linked], children[~linked], names)


def _whole(count: int) -> Whole:
    return np.zeros(count, np.int64)


def _reason(code: int, oid: str) -> str:
    return f"{FAULTS[code]} (object {oid[:12]})"
