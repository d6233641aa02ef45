"""An exposure search over targets: each is looked through by what fits it, and one listener hears everything.

Rules:
1. Every text that leaves (names, paths, refs, authors, reasons) passes :meth:`Query.redact` here, in one place.
2. A place is told once, as soon as it is found. What is known or allowed is no hit; it is counted, and told as such.
3. What could not be looked into is a fault, and a search with a fault is incomplete. A searcher that fails
   unforeseen is a fault of its target; the others are still searched.
4. An interruption is a fault of what was not reached; what is finished stays told, and is cached by the searchers.
5. A hint (of the index of fingerprints) is a guess that is told before the search. It changes no answer.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import PurePath
from typing import Any, Protocol

from holdfast.app.ports_exposure import Searcher, Target
from holdfast.exposure.passing import Passed, Passing
from holdfast.exposure.query import Query
from holdfast.exposure.report import Named
from holdfast.exposure.results import Fault, Hit, Provenance, Totals, Touch, Unknown
from holdfast.kernel.errors import HoldfastError

FORMAT = "holdfast-exposure/1"
_REMEMBERED = 1 << 14
"""Texts whose redaction is kept at hand: one path or author comes again and again."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked."""

    targets: tuple[Target, ...]
    query: Query
    secrets: tuple[Named, ...] = ()
    forms: tuple[str, ...] = ()
    """Spellings that are looked for, in words."""
    not_searched: frozenset[str] = frozenset()
    """Spellings that nothing looks for, in words."""
    passing: Passing = field(default_factory=Passing)
    """What of the secrets that nobody named is known or allowed: it is counted, and told as such."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a search is made with."""

    searcher: Callable[[Target], Searcher]
    """What looks through a target; may refuse it with a ``HoldfastError``."""
    engine: Callable[[], str]
    """``fast`` or ``plain``; asked when it is over."""
    clock: Callable[[], float]
    """Seconds that only go forward."""
    cpu: Callable[[], float]
    """Seconds of processor time of this process and its children."""
    hints: Callable[[Query], Sequence[str]] = field(default=lambda _query: ())
    """Names of indexed places that probably hold a secret."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a search is."""

    number: int
    """Of the target, from 1."""
    targets: int
    target: str
    done: int
    """Bytes of the target."""
    total: int
    what: str
    rate: float
    """Bytes a second."""
    remaining: float | None
    """Seconds that this target takes at this rate; none when that cannot be told."""


class Audience(Protocol):
    """Hears what may be shown: everything is redacted."""

    def hint(self, where: str, *, among_targets: bool) -> None:
        """An indexed place that probably holds a secret."""
        ...

    def hit(self, hit: Hit) -> None:
        """A place where a secret is."""
        ...

    def fault(self, fault: Fault) -> None:
        """Something that could not be looked into."""
        ...

    def progress(self, step: Step) -> None:
        """How far it is."""
        ...


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What became of one target."""

    target: str
    """As it was named, or a repository within it."""
    visibility: str
    hits: int
    faults: int
    totals: Totals
    """Of the target with all that is within it."""

    def as_json(self) -> dict[str, Any]:
        """The outcome as an object."""
        return {
            "target": self.target,
            "visibility": self.visibility,
            "complete": self.faults == 0,
            "hits": self.hits,
            "faults": self.faults,
            "totals": self.totals.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The answer."""

    hits: tuple[Hit, ...]
    faults: tuple[Fault, ...]
    targets: tuple[TargetReport, ...]
    secrets: tuple[Named, ...]
    searched_forms: tuple[str, ...]
    not_searched: frozenset[str]
    """Spellings that no target was searched for."""
    engine: str
    seconds: float
    cpu_seconds: float
    interrupted: bool = False
    passed: tuple[Passed, ...] = ()
    """Secrets that nobody named and that are known or allowed: they are no hits."""
    expired: tuple[str, ...] = ()
    """What is no longer known or allowed, in words."""

    @property
    def complete(self) -> bool:
        """Whether everything was looked into."""
        return not self.faults and not self.interrupted

    @property
    def totals(self) -> Totals:
        """Of all targets together."""
        return sum((one.totals for one in self.targets), Totals())

    def end(self) -> dict[str, Any]:
        """The last line of ``--json``."""
        totals = self.totals
        return {
            "kind": "end",
            "format": FORMAT,
            "complete": self.complete,
            "interrupted": self.interrupted,
            "hits": len(self.hits),
            "faults": len(self.faults),
            "passed": {
                **{state: sum(one.state == state for one in self.passed) for state in ("known", "allowed")},
                "expired": list(self.expired),
            },
            "by_class": dict(sorted(Counter(hit.cls for hit in self.hits).items())),
            "by_form": dict(sorted(Counter(hit.form for hit in self.hits).items())),
            "targets": [one.as_json() for one in self.targets],
            "totals": totals.as_json(),
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "bytes_per_second": round(totals.bytes_inflated / self.seconds) if self.seconds > 0 else 0,
            "engine": self.engine,
            "not_searched": sorted(totals.not_searched | self.not_searched),
            "searched_forms": list(self.searched_forms),
            "secrets": [one.as_json() for one in self.secrets],
        }

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that ``--json`` prints, a JSON object each."""
        yield from (hit.as_json() for hit in self.hits)
        yield from (fault.as_json() for fault in self.faults)
        yield self.end()

    def as_json(self) -> dict[str, Any]:
        """The whole report as one object."""
        return {
            "format": FORMAT,
            "hits": [hit.as_json() for hit in self.hits],
            "faults": [fault.as_json() for fault in self.faults],
            "end": self.end(),
        }


def search(order: Order, means: Means, audience: Audience) -> Report:
    """Look through every target; never raises for what a target holds.

    Raises:
        BrokenPipeError: the audience has gone.
    """
    began, cpu = means.clock(), means.cpu()
    telling = _Telling(order, audience, means.clock)
    try:
        telling.hint(means.hints(order.query))
        interrupted = _each(order.targets, means, telling)
    except _AudienceGoneError:
        raise BrokenPipeError from None
    return Report(
        hits=tuple(telling.hits),
        faults=tuple(telling.faults),
        targets=tuple(telling.reports),
        secrets=order.secrets,
        searched_forms=order.forms,
        not_searched=order.not_searched,
        engine=means.engine(),
        seconds=means.clock() - began,
        cpu_seconds=means.cpu() - cpu,
        interrupted=interrupted,
        passed=tuple(telling.passed),
        expired=order.passing.expired,
    )


def _each(targets: Sequence[Target], means: Means, telling: _Telling) -> bool:
    """Search the targets in turn; whether somebody interrupted."""
    for number, target in enumerate(targets):
        telling.start(number, target)
        totals = Totals()
        try:
            totals = means.searcher(target).search(target, telling.query, telling)
        except KeyboardInterrupt:
            telling.fault(Fault(target.shown, "", "interrupted before it was searched whole"))
            telling.finish(totals)
            for later in targets[number + 1 :]:
                telling.start(number, later)
                telling.fault(Fault(later.shown, "", "interrupted before it was searched"))
                telling.finish(Totals())
            return True
        except HoldfastError as error:
            telling.fault(Fault(target.shown, "", _reason(error)))
        except Exception as error:  # noqa: BLE001 - the rim of a searcher: an unforeseen failure must never look clean
            telling.fault(Fault(target.shown, "", _unforeseen(error)))
        telling.finish(totals)
    return False


class _AudienceGoneError(BaseException):
    """Nobody hears any more. Not an ``Exception``: no searcher may take it for a fault of what it reads."""


class _Telling:
    """The listener of all searchers: the one place where results are redacted, counted and told once."""

    def __init__(self, order: Order, audience: Audience, clock: Callable[[], float]) -> None:
        self.query = order.query
        self.hits: list[Hit] = []
        self.faults: list[Fault] = []
        self.passed: list[Passed] = []
        self.reports: list[TargetReport] = []
        self._targets, self._passing = order.targets, order.passing
        self._audience = audience
        self._clock = clock
        self._clean = lru_cache(maxsize=_REMEMBERED)(order.query.redact)
        self._told: set[Hit | Fault] = set()
        self._lock = threading.RLock()
        self._target = Target("", "")
        self._number = 0
        self._began = clock()
        self._counts: dict[str, list[int]] = {}

    def start(self, number: int, target: Target) -> None:
        self._number, self._target, self._began = number, target, self._clock()
        self._counts = {self._clean(target.shown): [0, 0]}

    def finish(self, totals: Totals) -> None:
        """Tell of the target, and of the repositories within it that were told of by names of their own."""
        within = replace(totals, not_searched=frozenset(map(self._clean, totals.not_searched)))
        for name, (hits, faults) in self._counts.items():
            self.reports.append(TargetReport(name, self._target.visibility, hits, faults, within))
            within = Totals()

    def hint(self, places: Sequence[str]) -> None:
        named = {one.shown for one in self._targets} | {one.where for one in self._targets}
        for place in places:
            self._say(partial(self._audience.hint, self._clean(place), among_targets=place in named))

    def hit(self, hit: Hit) -> None:
        clean = _redacted(hit, self._clean)
        if clean.visibility == "unknown":
            clean = replace(clean, visibility=self._target.visibility)
        place = replace(clean, provenance=None)
        with self._lock:
            if place in self._told:
                return
            self._told.add(place)
            if (passed := self._passing.passed(clean)) is not None:
                self.passed.append(passed)
                return
            self.hits.append(clean)
            self._counts.setdefault(clean.target, [0, 0])[0] += 1
            self._say(lambda: self._audience.hit(clean))

    def fault(self, fault: Fault) -> None:
        clean = Fault(self._clean(fault.target), self._clean(fault.where), self._clean(fault.reason))
        with self._lock:
            if clean in self._told:
                return
            self._told.add(clean)
            self.faults.append(clean)
            self._counts.setdefault(clean.target, [0, 0])[1] += 1
            self._say(lambda: self._audience.fault(clean))

    def progress(self, done: int, total: int, what: str) -> None:
        seconds = self._clock() - self._began
        rate = done / seconds if seconds > 0 else 0.0
        remaining = (total - done) / rate if rate > 0 and total >= done else None
        step = Step(
            self._number + 1,
            len(self._targets),
            self._clean(self._target.shown),
            done,
            total,
            self._clean(what),
            rate,
            remaining,
        )
        with self._lock:
            self._say(lambda: self._audience.progress(step))

    def _say(self, telling: Callable[[], None]) -> None:
        try:
            telling()
        except OSError:
            raise _AudienceGoneError from None


def _redacted(hit: Hit, clean: Callable[[str], str]) -> Hit:
    return replace(
        hit,
        target=clean(hit.target),
        kind=clean(hit.kind),
        path=None if hit.path is None else clean(hit.path),
        inner=tuple(map(clean, hit.inner)),
        artifact=None if hit.artifact is None else clean(hit.artifact),
        digest=None if hit.digest is None else clean(hit.digest),
        about=tuple((clean(name), clean(value)) for name, value in hit.about),
        provenance=None if hit.provenance is None else _redacted_provenance(hit.provenance, clean),
        unknown=_redacted_reason(hit.unknown, clean),
    )


def _redacted_reason(unknown: Unknown | None, clean: Callable[[str], str]) -> Unknown | None:
    """A reason stands in a line of what was searched."""
    if unknown is None or unknown.allowed is None:
        return unknown
    return replace(unknown, allowed=clean(unknown.allowed))


def _redacted_provenance(found: Provenance, clean: Callable[[str], str]) -> Provenance:
    def touch(one: Touch | None) -> Touch | None:
        if one is None:
            return None
        pushed_by = None if one.pushed_by is None else clean(one.pushed_by)
        return replace(one, author=clean(one.author), committer=clean(one.committer), pushed_by=pushed_by)

    return replace(
        found,
        paths=tuple(map(clean, found.paths)),
        heads=tuple(map(clean, found.heads)),
        refs=tuple(map(clean, found.refs)),
        first=touch(found.first),
        last=touch(found.last),
    )


def _reason(error: HoldfastError) -> str:
    return f"{error.what} {error.why}".strip().rstrip(".")


def _unforeseen(error: Exception) -> str:
    """The type and the place, never the message: it may hold what was read."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"the search of it failed unforeseen ({type(error).__name__} at {place}); nothing is known of the rest"
