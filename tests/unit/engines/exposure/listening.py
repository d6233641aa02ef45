"""A listener that keeps what it hears."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure.cache import ResultCache
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.exposure.query import compile_query
from holdfast.exposure.results import Fault, Hit, Totals
from holdfast.kernel.secrets import SecretValue
from tests.planting import Plant, Planted

BEST = ("exact", "encoded", "split", "partial")


@dataclass
class Heard:
    hits: list[Hit] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    steps: list[tuple[int, int, str]] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)

    def hit(self, hit: Hit) -> None:
        self.hits.append(hit)

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def progress(self, done: int, total: int, what: str) -> None:
        self.steps.append((done, total, what))

    def of(self, plant: Plant) -> list[Hit]:
        if plant.kind == "git-file":
            return [hit for hit in self.hits if hit.kind == "git-file" and hit.path == plant.path]
        return [hit for hit in self.hits if hit.object == plant.oid]


def searched(
    home: Path, secret: bytes, *, plain: bool = False, processes: int = 0, cache: ResultCache | None = None
) -> Heard:
    heard = Heard()
    searcher = GitSearcher(processes=processes, plain=plain, cache=cache)
    assert searcher.fallback is None
    query = compile_query([SecretValue(secret)])
    heard.totals = searcher.search(Target(str(home), "repository"), query, heard)
    return heard


def wrong(planted: Planted, heard: Heard) -> list[str]:
    """Plants that are not found as they should be."""
    found = []
    for name, plant in planted.plants.items():
        hits = heard.of(plant)
        classes = sorted({hit.cls for hit in hits}, key=BEST.index)
        if not classes or classes[0] != plant.cls:
            found.append(f"{name}: {classes} instead of {plant.cls}")
        elif plant.inner and not any(hit.inner for hit in hits):
            found.append(f"{name}: not told as within an archive")
        elif plant.kind != "git-file":
            found += _wrong_origin(name, plant, hits[0])
    return found


def _wrong_origin(name: str, plant: Plant, hit: Hit) -> list[str]:
    told = hit.provenance
    assert told is not None
    found = []
    if plant.reach is not None and told.reach != plant.reach:
        found.append(f"{name}: {told.reach} instead of {plant.reach}")
    if plant.path is not None and plant.path not in told.paths:
        found.append(f"{name}: {told.paths} instead of {plant.path}")
    return found
