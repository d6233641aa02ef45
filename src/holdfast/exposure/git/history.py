"""From objects up to the commits that hold them: paths, who introduced them and when, which refs still have them.

All hits of a repository are followed at once, level by level, over the edges that one walk over the trees has read.
Numbers are those of the store; *positions* are places in the table of commits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.exposure.git.graph import NO_TIME, Graph
from holdfast.exposure.git.jit import kernel
from holdfast.exposure.git.layout import Whole
from holdfast.exposure.git.names import Names, distinct, each_once
from holdfast.exposure.git.packs import grouped

STATES = 4_000_000
"""Pairs of folder and path that are followed at once; more is told as not told."""
_LEVELS = 512


@dataclass(frozen=True, slots=True)
class Held:
    """Where a hit is in history."""

    paths: tuple[bytes, ...]
    """Every path, shortest first."""
    commits: Whole
    """Positions of the commits whose trees hold it, or of the commit itself."""
    introducing: Whole
    """Of those, the ones none of whose parents holds it."""
    cut: bool = False
    """Whether there was more than is followed."""


@dataclass(slots=True)
class History:
    """Commits and how they follow one another."""

    numbers: Whole
    """Of the commits, sorted."""
    trees: Whole
    committed: Whole
    authored: Whole
    first_parent: Whole
    parents: Whole
    """Positions of parents, commit after commit."""
    first_child: Whole
    children: Whole
    generation: Whole
    """Commits on the longest way from one without parents."""
    _by_tree: Whole = field(default_factory=lambda: np.zeros(0, np.int64))
    _first_of_tree: Whole = field(default_factory=lambda: np.zeros(0, np.int64))

    def position(self, number: int) -> int:
        """Of a commit by its number; -1 when it is none."""
        place = int(np.searchsorted(self.numbers, number))
        return place if place < len(self.numbers) and self.numbers[place] == number else -1

    def positions(self, numbers: Whole) -> Whole:
        """Of many at once; -1 for those that are no commits."""
        if not len(self.numbers):
            return np.full(len(numbers), -1, np.int64)
        places = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.where(self.numbers[places] == numbers, places, -1).astype(np.int64)

    def reach(self, positions: Sequence[int] | Whole, *, forward: bool = False) -> np.ndarray:
        """Which commits can be reached: their ancestors, or with ``forward`` their descendants; themselves included."""
        mask = np.zeros(len(self.numbers), np.uint8)
        seeds = np.unique(np.asarray(positions, np.int64))
        first, others = (self.first_child, self.children) if forward else (self.first_parent, self.parents)
        _spread(first, others, seeds, mask, np.zeros(len(self.numbers) + 1, np.int64))
        return mask

    def with_tree(self, trees: Whole) -> tuple[Whole, Whole]:
        """Places in ``trees`` and positions of the commits that have each as their root."""
        if not len(self._first_of_tree):
            self._first_of_tree, self._by_tree = grouped(self.trees, int(self.trees.max(initial=0)) + 1)
        place, at = _expanded(*ranges(self._first_of_tree, trees))
        return place, self._by_tree[at]

    def earliest(self, positions: Whole) -> int:
        """The one committed first, of equal times the one nearest to the beginning; -1 when there is none."""
        return self._extreme(positions, latest=False)

    def latest(self, positions: Whole) -> int:
        """The one committed last."""
        return self._extreme(positions, latest=True)

    def _extreme(self, positions: Whole, *, latest: bool) -> int:
        if not len(positions):
            return -1
        times = self.committed[positions]
        known = times != NO_TIME
        if known.any():
            positions, times = positions[known], times[known]
        positions = positions[times == (times.max() if latest else times.min())]
        generations = self.generation[positions]
        positions = positions[generations == (generations.max() if latest else generations.min())]
        return int(positions[-1 if latest else 0])


def history(graph: Graph) -> History:
    """Put the commits of a graph together."""
    rows = graph.commit_rows()
    numbers = np.ascontiguousarray(rows[:, 0])
    pairs = graph.parent_pairs()
    place = np.full(max(int(part.max(initial=-1)) for part in (numbers, pairs)) + 1, -1, np.int64)
    place[numbers] = np.arange(len(numbers))
    child, parent = place[pairs[:, 0]], place[pairs[:, 1]]
    known = (child >= 0) & (parent >= 0)
    child, parent = child[known], parent[known]
    first_parent, at = grouped(child, len(numbers))
    parents = parent[at]
    first_child, at = grouped(parent, len(numbers))
    children = child[at]
    trees = np.ascontiguousarray(rows[:, 1])
    generation = np.zeros(len(numbers), np.int64)
    _generations(first_parent, first_child, children, generation, np.zeros(len(numbers) + 1, np.int64))
    return History(
        numbers, trees, rows[:, 2], rows[:, 3], first_parent, parents, first_child, children, generation
    )  # fmt: skip


def above(graph: Graph, folders: set[int], count: int, look: Callable[[set[int], set[int]], Names]) -> set[int]:
    """The folders and every folder that holds one of them, at any depth.

    Args:
        graph: with edges; its names are added to.
        folders: numbers.
        count: objects of the store.
        look: gives the entries that lead to some folders (its second argument), in others (its first) and in all that
            are made from these.
    """
    seen, fresh = set(folders), set(folders)
    while fresh:
        holders = graph.holders(fresh, count)
        named = look(holders, fresh) if holders else Names()
        graph.named.update(named)
        fresh = (holders | named.folders()) - seen
        seen |= fresh
    return seen


def follow(past: History, named: Names, hits: Sequence[int]) -> dict[int, Held]:
    """Follow objects up to the commits that hold them.

    Args:
        past: the commits.
        named: entries of folders whose objects are the hits or folders above them.
        hits: numbers of blobs and trees.
    """
    links = _Links(named)
    which = np.arange(len(hits), dtype=np.int64)
    state = _State(which, np.asarray(hits, np.int64), np.zeros(len(hits), np.int64))
    names: list[bytes] = [b""]
    found: dict[int, list[tuple[Whole, Whole]]] = {}
    cut = False
    for _ in range(_LEVELS):
        _note_roots(past, state, names, found)
        state, names = links.up(state, names)
        if not len(state.hit):
            break
        if len(state.hit) > STATES:
            cut = True
            break
    return {hit: _held(past, found.get(place, []), cut) for place, hit in enumerate(hits)}


@dataclass(frozen=True, slots=True)
class _State:
    hit: Whole
    tree: Whole
    path: Whole


class _Links:
    """Which folders hold an object, and under which name."""

    def __init__(self, named: Names) -> None:
        held = named.entries()
        self._tree, self._name, self._words = held.tree, held.name, held.words
        self._first = pointers(held.child)

    def up(self, state: _State, names: list[bytes]) -> tuple[_State, list[bytes]]:
        place, at = _expanded(*ranges(self._first, state.tree))
        joined = self._name[at] * len(names) + state.path[place]
        kinds, path = np.unique(joined, return_inverse=True)
        longer = [
            self._words[one // len(names)] + (b"/" + names[one % len(names)] if names[one % len(names)] else b"")
            for one in kinds.tolist()
        ]
        return _State(*distinct(state.hit[place], self._tree[at], path.reshape(-1))), longer


def _note_roots(past: History, state: _State, names: list[bytes], found: dict[int, list[tuple[Whole, Whole]]]) -> None:
    place, commits = past.with_tree(state.tree)
    if not len(place):
        return
    hits = state.hit[place]
    order = np.argsort(hits, kind="stable")
    hits, commits, path = hits[order], commits[order], state.path[place][order]
    bounds = [0, *(np.nonzero(np.diff(hits))[0] + 1).tolist(), len(hits)]
    for low, high in itertools.pairwise(bounds):
        told = [names[one] for one in each_once(path[low:high]).tolist()]
        found.setdefault(int(hits[low]), []).append((each_once(commits[low:high]), np.array(told, object)))


def _held(past: History, parts: list[tuple[Whole, Whole]], cut: bool) -> Held:  # noqa: FBT001 - a column of its own
    if not parts:
        return Held((), np.zeros(0, np.int64), np.zeros(0, np.int64), cut)
    # One part is ordered already.
    commits = parts[0][0] if len(parts) == 1 else each_once(np.concatenate([one for one, _ in parts]))
    paths = sorted({path for _, some in parts for path in some.tolist()}, key=lambda path: (len(path), path))
    return Held(tuple(paths), commits, introducing(past, commits), cut)


def introducing(past: History, commits: Whole) -> Whole:
    """Of some commits, those none of whose parents is among them."""
    place, at = _expanded(past.first_parent[commits], past.first_parent[commits + 1])
    among = np.zeros(len(past.numbers), bool)
    among[commits] = True
    inherited = among[past.parents[at]]
    keeps = np.ones(len(commits), bool)
    keeps[place[inherited]] = False
    return commits[keeps]


def final_targets(tags: Mapping[int, int], number: int) -> int:
    """What a chain of tags names in the end."""
    for _ in range(64):
        if number not in tags:
            return number
        number = tags[number]
    return -1


def pointers(ordered: Whole) -> Whole:
    """Of ordered numbers, where those of each value begin; negative ones are left out."""
    low = int(np.searchsorted(ordered, 0))
    counts = np.bincount(ordered[low:], minlength=1) if len(ordered) > low else np.zeros(1, np.int64)
    return np.concatenate([[low], low + np.cumsum(counts)]).astype(np.int64)


def ranges(first: Whole, values: Whole) -> tuple[Whole, Whole]:
    """Where the numbers of each value begin and end."""
    known = (values >= 0) & (values < len(first) - 1)
    within = np.where(known, values, 0)
    return first[within], np.where(known, first[within + 1], first[within])


def _expanded(low: Whole, high: Whole) -> tuple[Whole, Whole]:
    """For ranges: the number of the range, and each place in it."""
    counts = high - low
    place = np.repeat(np.arange(len(low)), counts)
    starts = np.repeat(low - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) if len(low) else low
    return place, (np.arange(len(place)) + starts).astype(np.int64)


@kernel
def _spread(first: Whole, others: Whole, seeds: Whole, mask: np.ndarray, queue: Whole) -> None:
    filled = 0
    for seed in seeds:
        if mask[seed] == 0:
            mask[seed] = 1
            queue[filled] = seed
            filled += 1
    read = 0
    while read < filled:
        node = queue[read]
        read += 1
        for place in range(first[node], first[node + 1]):
            other = others[place]
            if mask[other] == 0:
                mask[other] = 1
                queue[filled] = other
                filled += 1


@kernel
def _generations(first_parent: Whole, first_child: Whole, children: Whole, generation: Whole, queue: Whole) -> None:
    waiting = first_parent[1:] - first_parent[:-1]
    filled = 0
    for node in range(waiting.shape[0]):
        if waiting[node] == 0:
            queue[filled] = node
            filled += 1
    read = 0
    while read < filled:
        node = queue[read]
        read += 1
        for place in range(first_child[node], first_child[node + 1]):
            child = children[place]
            generation[child] = max(generation[child], generation[node] + 1)
            waiting[child] -= 1
            if waiting[child] == 0:
                queue[filled] = child
                filled += 1
