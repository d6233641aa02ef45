"""What an exposure search asks of the rim: something that looks through a target, and somebody who hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Totals, Visibility


@dataclass(frozen=True, slots=True)
class Target:
    """Where to look."""

    where: str
    """Path or address, without credentials."""
    shown: str
    """The name under which results tell of it."""
    visibility: Visibility = "unknown"


class Listener(Protocol):
    """Hears results as they come."""

    def hit(self, hit: Hit) -> None:
        """A place where a secret is."""
        ...

    def fault(self, fault: Fault) -> None:
        """Something that could not be looked into."""
        ...

    def progress(self, done: int, total: int, what: str) -> None:
        """Bytes done of total, and what is being done."""
        ...


class Searcher(Protocol):
    """Looks through one kind of target."""

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        """Look everywhere in it; never raises for what a target holds."""
        ...
