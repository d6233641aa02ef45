"""What is told, on its way to files: a log line with its time, and tags of the story by which answers are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

Line = tuple[int, bytes, str | None]
"""Seconds since 1970, the record's bytes, and its event id when the story tells it (otherwise none)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies."""

    file: str
    """Path below the folder that was written."""
    record: int
    """Ordinal in it, from 0."""


def seconds(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())


class Chance:
    """Random choice of one day of one source, from the seed and nothing else."""

    def __init__(self, digest: bytes) -> None:
        self._random = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))

    def below(self, top: int, many: int) -> list[int]:
        """Whole numbers from 0 below ``top``."""
        return self._random.integers(0, top, many).tolist()  # type: ignore[no-any-return]

    def one(self, top: int) -> int:
        """One whole number from 0 below ``top``."""
        return int(self._random.integers(0, top))

    def many(self, expected: float) -> int:
        """How often something happens that happens so often on average."""
        return int(self._random.poisson(expected))

    def odds(self, share: float) -> bool:
        """Whether something of that probability happens."""
        return bool(self._random.random() < share)

    def moments(self, day: datetime, rhythm: np.ndarray, many: int) -> list[int]:
        """Instants of a day by a rhythm (24 weights), in order."""
        hours = self._random.choice(24, many, p=rhythm)
        found = np.sort(hours * 3600 + self._random.integers(0, 3600, many))
        return (found + seconds(day)).tolist()  # type: ignore[no-any-return]

    def prefix(self) -> bytes:
        """The first 24 characters of ids that look like UUIDs: the last twelve are counted."""
        text = self._random.bytes(12).hex()
        return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-".encode()


def _weights(*parts: tuple[int, int, float]) -> np.ndarray:
    """Weights of the hours; UTC, the company lives one or two hours east of it."""
    made = np.full(24, 0.02)
    for first, last, weight in parts:
        made[first:last] = weight
    share: np.ndarray = made / made.sum()
    return share


OFFICE_HOURS = _weights((6, 8, 0.5), (8, 11, 1.0), (11, 12, 0.5), (12, 16, 1.0), (16, 18, 0.3))
ALWAYS = _weights((0, 24, 1.0))
CUSTOMERS = _weights((0, 5, 0.3), (5, 9, 0.8), (9, 20, 1.3), (20, 24, 0.7))
NIGHT = np.concatenate(([0.0], np.full(3, 1 / 3), np.zeros(20)))


def working(day: datetime) -> bool:
    """Monday to Friday."""
    return day.weekday() < 5


def in_order(*feeds: Iterable[Line]) -> list[Line]:
    """Lines by time; those of one second stay in the order given."""
    return sorted((line for feed in feeds for line in feed), key=lambda line: line[0])


def hours_of(day: datetime) -> Iterator[tuple[datetime, int, int]]:
    """Each hour of a day: its begin, and its first and last second plus one."""
    for hour in range(24):
        begun = day + timedelta(hours=hour)
        yield begun, seconds(begun), seconds(begun) + 3600
