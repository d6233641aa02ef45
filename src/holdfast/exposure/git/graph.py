"""What objects name, gathered: folders in folders, names of marked objects, commits and parents, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdfast.exposure.git.layout import BAD_COMMIT, BAD_TREE, COMMIT, TREE, Whole
from holdfast.exposure.git.names import Names

NO_TIME = -(1 << 62)
"""Where a commit tells no time."""
_LINK, _FOLDER = b"160000", b"40000"
_HEXADECIMAL = frozenset(b"0123456789abcdef")


@dataclass(slots=True)
class Graph:
    """Numbers are those of the store."""

    edge_tree: list[Any] = field(default_factory=list)
    """Arrays of numbers of folders; beside them those of folders in them. Of folders that are made from others only
    what is new in them is told: the rest is found by walking down from those that it comes from."""
    edge_child: list[Any] = field(default_factory=list)
    named: Names = field(default_factory=Names)
    """Folder, marked object in it, its name there."""
    links: set[bytes] = field(default_factory=set)
    """Names of entries that are other repositories (submodules)."""
    missing: dict[bytes, int] = field(default_factory=dict)
    """Ids of objects that are named and not here, with one that names them."""
    commits: list[Any] = field(default_factory=list)
    """Arrays of rows: number, number of the tree, seconds of committing, seconds of writing, parents."""
    parents: list[Any] = field(default_factory=list)
    """Arrays of pairs: number of a commit, number of a parent."""
    tags: dict[int, int] = field(default_factory=dict)
    """Number of a tag to that of what it names; -1 for what is not here."""

    def add(self, other: Graph) -> None:
        """Take over what another part of the work found."""
        self.edge_tree += other.edge_tree
        self.edge_child += other.edge_child
        self.named.update(other.named)
        self.links |= other.links
        for oid, source in other.missing.items():
            self.missing.setdefault(oid, source)
        self.commits += other.commits
        self.parents += other.parents
        self.tags.update(other.tags)

    def edges(self) -> Iterator[tuple[Whole, Whole]]:
        """Folders, and folders in them, some thousands at a time."""
        for trees, inner in zip(self.edge_tree, self.edge_child, strict=True):
            yield np.asarray(trees), np.asarray(inner)

    def holders(self, folders: AbstractSet[int], count: int) -> set[int]:
        """Folders that are told to hold one of some folders, of ``count`` objects."""
        wanted = np.zeros(count, bool)
        wanted[np.fromiter(folders, np.int64, len(folders))] = True
        return {tree for trees, inner in self.edges() for tree in trees[wanted[inner]].tolist()}

    def commit_rows(self) -> Whole:
        """Commits, one row each, in the order of their numbers."""
        rows = [np.asarray(part, np.int64).reshape(-1, 5) for part in self.commits]
        found = np.concatenate(rows) if rows else np.zeros((0, 5), np.int64)
        order = np.argsort(found[:, 0], kind="stable")
        ranked = found[order]
        new = np.ones(len(ranked), bool)
        new[1:] = ranked[1:, 0] != ranked[:-1, 0]
        return ranked[new]

    def parent_pairs(self) -> Whole:
        """Commits and parents, one row each."""
        rows = [np.asarray(part, np.int64).reshape(-1, 2) for part in self.parents]
        return np.concatenate(rows) if rows else np.zeros((0, 2), np.int64)


def tree_entries(data: bytes, width: int) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    """Mode, name, id and place of each entry of a tree.

    Raises:
        ValueError: it cannot be read to its end.
    """
    at = 0
    while at < len(data):
        space = data.index(b" ", at, at + 9)
        stop = data.index(b"\0", space + 1)
        if stop + 1 + width > len(data):
            raise ValueError
        yield data[at:space], data[space + 1 : stop], data[stop + 1 : stop + 1 + width], at
        at = stop + 1 + width


def read_object(  # noqa: PLR0913 - one object, and what is asked of it
    graph: Graph,
    kind: int,
    number: int,
    data: bytes,
    find: Callable[[bytes], int],
    marks: AbstractSet[int],
    *,
    width: int,
    edges: bool,
) -> int:
    """Read what one object names, in plain Python; 0, or the code of what is wrong with it."""
    try:
        if kind == TREE:
            _tree(graph, number, data, find, marks, width=width, edges=edges)
        elif kind == COMMIT:
            _commit(graph, number, data, find, width)
        else:
            _tag(graph, number, data, find, width)
    except ValueError:
        return BAD_TREE if kind == TREE else BAD_COMMIT
    return 0


def _tree(  # noqa: PLR0913 - as above
    graph: Graph,
    tree: int,
    data: bytes,
    find: Callable[[bytes], int],
    marks: AbstractSet[int],
    *,
    width: int,
    edges: bool,
) -> None:
    for mode, name, oid, _ in tree_entries(data, width):
        if mode == _LINK:
            graph.links.add(name)
            continue
        number = find(oid)
        if number < 0:
            graph.missing.setdefault(oid, tree)
            continue
        if number in marks:
            graph.named.add(tree, number, name)
        if edges and mode == _FOLDER:
            graph.edge_tree.append([tree])
            graph.edge_child.append([number])


def _look(graph: Graph, source: int, text: bytes, find: Callable[[bytes], int], width: int) -> int:
    if len(text) != 2 * width or not _HEXADECIMAL.issuperset(text):
        raise ValueError
    oid = bytes.fromhex(text.decode("ascii"))
    number = find(oid)
    if number < 0:
        graph.missing.setdefault(oid, source)
    return number


def _commit(graph: Graph, number: int, data: bytes, find: Callable[[bytes], int], width: int) -> None:
    head = data.partition(b"\n\n")[0].split(b"\n")
    if not head[0].startswith(b"tree "):
        raise ValueError
    tree = _look(graph, number, head[0][5:], find, width)
    parents, times = 0, {b"author": NO_TIME, b"committer": NO_TIME}
    for line in head[1:]:
        word, _, rest = line.partition(b" ")
        if word == b"parent":
            parents += 1
            parent = _look(graph, number, rest, find, width)
            if parent >= 0:
                graph.parents.append([[number, parent]])
        elif word in times:
            times[word] = seconds(rest)
        if word == b"committer":
            break
    graph.commits.append([[number, tree, times[b"committer"], times[b"author"], parents]])


def _tag(graph: Graph, number: int, data: bytes, find: Callable[[bytes], int], width: int) -> None:
    line = data.partition(b"\n")[0]
    if not line.startswith(b"object "):
        raise ValueError
    graph.tags[number] = _look(graph, number, line[7:], find, width)


def seconds(line: bytes) -> int:
    """Seconds since 1970 at the end of an author's or committer's line."""
    word = line.rpartition(b"> ")[2].partition(b" ")[0]
    try:
        return int(word)
    except ValueError:
        return NO_TIME
