"""What another machine does for a search: it walks delta trees of a pack that it can read, through a sieve.

It gets no secret and gives none back: numbers of entries, and what could not be looked into.

Rules:
1. A pack is what its unit says by the checksum of its index; another one of the same name is not searched.
2. Where the path that is named does not exist, the file of that name is looked for below ``HOLDFAST_PACKS``, where an
   administrator keeps copies or mounts a store.
3. Whatever goes wrong is told as a reason. What is not foreseen ends the task, which Spark tries again elsewhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from holdfast.engines.exposure.git_layout import PackFile, Repository
from holdfast.engines.exposure.git_store import AbsentError, OpenPack, Store, mapped
from holdfast.engines.exposure.inflater import NotReadyError, ready
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.unpacking import is_container, search_bytes
from holdfast.engines.exposure.walker import Walked, Walker
from holdfast.exposure.filters import Filter
from holdfast.exposure.git.index import DamagedError, parse_index
from holdfast.exposure.git.packs import put_together
from holdfast.exposure.query import Query
from holdfast.exposure.results import Match
from holdfast.exposure.sieving import Sieve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark import Broadcast

PLACE = "HOLDFAST_PACKS"
"""Variable that names a folder of packs on a worker."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Delta trees of one pack."""

    pack: str
    index: str
    """Paths of both files."""
    checksum: str
    width: int
    """Bytes of an object's id."""
    roots: bytes
    """Entries, eight bytes each."""
    limits: Limits


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An archive in which nothing is, and what could not be looked into."""

    entry: int
    faults: tuple[tuple[tuple[str, ...], str], ...]
    members: int
    inflated: int
    matched: int
    not_searched: frozenset[str]


@dataclass(slots=True)
class Told:
    """What is given back."""

    families: list[int] = field(default_factory=list)
    """Roots of the delta trees that have to be read again."""
    archives: list[int] = field(default_factory=list)
    """Entries that have to be unpacked again."""
    unpacked: list[Unpacked] = field(default_factory=list)
    faults: list[tuple[int, int]] = field(default_factory=list)
    """Entries and codes."""
    entries: int = 0
    made: int = 0
    matched: int = 0
    problems: tuple[str, ...] = ()
    """What is wrong with the pack as a whole, as the worker sees it."""
    failed: str = ""
    """Why nothing was searched."""


class _Probe:
    """Stands where a query stands: every place that the sieve lets through is one to be read again."""

    def confirm(self, data: bytes, found: Sequence[tuple[int, int]]) -> list[Match]:
        """One match for all."""
        del data
        return [Match(0, end - 1, end, "", "partial") for _, end in found[:1]]


_PROBE = cast("Query", _Probe())


def run(shared: Broadcast[tuple[Filter, tuple[bytes, ...]]], unit: Unit) -> Told:
    """One task."""
    return search(unit, *shared.value)


def search(unit: Unit, made: Filter, more: tuple[bytes, ...]) -> Told:
    """Search a unit.

    Args:
        unit: what.
        made: the filter.
        more: literals, none of them secret, for which a delta tree has to be read again.
    """
    told = Told()
    try:
        ready()
        pack = _opened(unit.pack, unit.index, unit.checksum, unit.width)
    except NotReadyError as fault:
        told.failed = f"the fast engine does not start on the machine that was to search it: {fault}"
    except DamagedError as fault:
        told.failed = f"the machine that was to search it cannot use it: {fault}"
    except OSError as error:
        told.failed = f"the machine that was to search it cannot read it: {error.strerror}"
    else:
        _walk(told, pack, unit, made, more)
    return told


def _walk(told: Told, pack: OpenPack, unit: Unit, made: Filter, more: tuple[bytes, ...]) -> None:
    walked = Walked()
    roots = np.frombuffer(unit.roots, np.int64)
    told.families = sorted(_walker().families(pack.entries, roots, _sieve(made, more), walked))
    told.problems = pack.entries.problems
    told.faults = walked.faults
    told.entries, told.made, told.matched = walked.entries, walked.made, walked.matched
    store, sieve = Store(Repository(Path(), Path(), unit.width)), _sieve(made, ())
    for entry in walked.heads:
        try:
            _, data = store.make(pack, entry)
        except AbsentError:
            continue  # the walk told it
        if is_container(data[:512]):
            _unpack(told, entry, data, sieve, unit.limits)


def _unpack(told: Told, entry: int, data: bytes, sieve: Sieve, limits: Limits) -> None:
    found = search_bytes(data, _PROBE, sieve, limits)
    if found.matches:
        told.archives.append(entry)
    else:
        faults, others = tuple(found.faults), frozenset(found.not_searched)
        told.unpacked.append(Unpacked(entry, faults, found.members, found.inflated, found.matched, others))


@lru_cache(maxsize=8)
def _opened(pack: str, index: str, checksum: str, width: int) -> OpenPack:
    """Map a pack and read its headers; units of one pack come one after the other.

    Raises:
        OSError: a file cannot be read.
        DamagedError: it is another pack, or none.
    """
    file, beside = _found(Path(pack)), _found(Path(index))
    table = parse_index(np.fromfile(beside, np.uint8), width)
    if table.checksum != checksum:
        raise DamagedError("its index is that of another pack")
    entries = put_together(mapped(file), table)
    return OpenPack(PackFile(file, borrowed=False), entries, entries.order)


def _found(path: Path) -> Path:
    place = os.environ.get(PLACE)
    return Path(place) / path.name if place and not path.exists() else path


@lru_cache(maxsize=1)
def _walker() -> Walker:
    return Walker()


@lru_cache(maxsize=4)
def _sieve(made: Filter, more: tuple[bytes, ...]) -> Sieve:
    return Sieve(made, more)
