"""Entries of folders that lead to marked objects: folder, object and name, by the million, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from holdfast.exposure.git.layout import Whole


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries in the order of their objects. Names are places in ``words``, which are ordered."""

    child: Whole
    tree: Whole
    name: Whole
    words: list[bytes]


class Names:
    """A set of triples: folder, object in it, its name there."""

    __slots__ = ("_numbers", "_parts", "_rows")

    def __init__(self) -> None:
        """Empty."""
        self._numbers: dict[bytes, int] = {}
        self._parts: list[Whole] = []
        """Arrays of rows: object, folder, number of the name."""
        self._rows: list[tuple[int, int, int]] = []

    def add(self, tree: int, child: int, name: bytes) -> None:
        """One entry."""
        self._rows.append((child, tree, self._number(name)))

    def extend(self, trees: Whole, children: Whole, names: list[bytes]) -> None:
        """Many entries."""
        numbers = np.fromiter(map(self._number, names), np.int64, len(names))
        self._parts.append(np.stack([children, trees, numbers], axis=1))

    def update(self, other: Names) -> None:
        """All entries of another set."""
        moved = np.fromiter(map(self._number, other._numbers), np.int64, len(other._numbers))
        for part in other._all():
            rows = part.copy()
            rows[:, 2] = moved[rows[:, 2]]
            self._parts.append(rows)

    def folders(self) -> set[int]:
        """Every folder that has an entry here."""
        return set(np.unique(np.concatenate([part[:, 1] for part in self._all()])).tolist()) if self._all() else set()

    def entries(self) -> Entries:
        """All of them, each once."""
        parts = self._all()
        rows = np.concatenate(parts) if parts else np.zeros((0, 3), np.int64)
        words = sorted(self._numbers)
        order = np.empty(len(words), np.int64)
        order[[self._numbers[word] for word in words]] = np.arange(len(words))
        child, tree, name = distinct(rows[:, 0], rows[:, 1], order[rows[:, 2]])
        return Entries(child, tree, name, words)

    def _number(self, name: bytes) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _all(self) -> list[Whole]:
        return [*self._parts, np.array(self._rows, np.int64)] if self._rows else self._parts

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        """Each entry once."""
        held = self.entries()
        for child, tree, name in zip(held.child.tolist(), held.tree.tolist(), held.name.tolist(), strict=True):
            yield tree, child, held.words[name]

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same entries."""
        return isinstance(other, Names) and set(self) == set(other)

    __hash__ = None  # type: ignore[assignment]  # it changes


def each_once(numbers: Whole) -> Whole:
    """Numbers, each once, in order: sorting them is quicker than the table that numpy fills."""
    ordered = np.sort(numbers)
    if len(ordered):
        new = np.ones(len(ordered), bool)
        new[1:] = ordered[1:] != ordered[:-1]
        ordered = ordered[new]
    return ordered


def distinct(first: Whole, second: Whole, third: Whole) -> tuple[Whole, Whole, Whole]:
    """Triples of numbers that are not negative, each once, in order."""
    if not len(first):
        return first, second, third
    seconds, thirds = int(second.max()) + 1, int(third.max()) + 1
    if (int(first.max()) + 1) * seconds * thirds < 1 << 62:
        # One number for each is sorted many times as fast as three.
        joined = (first * seconds + second) * thirds + third
        rest, third = np.divmod(each_once(joined), thirds)
        first, second = np.divmod(rest, seconds)
        return first, second, third
    order = np.lexsort((third, second, first))
    first, second, third = first[order], second[order], third[order]
    new = np.ones(len(first), bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1]) | (third[1:] != third[:-1])
    return first[new], second[new], third[new]
