"""What of the secrets that nobody named is known already or allowed, and a search's findings as a check tells them.

Rules:
1. A finding of a history has many paths: it passes only where the lists let it pass at each of them.
2. The reason that stands on its line counts, as in a check.
3. A secret that somebody named passes for no reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from holdfast.exposure.baseline import AllowList, Baseline, Entry
from holdfast.exposure.checking import LEAKED, Finding, Report, State
from holdfast.exposure.results import Fault, Hit, Totals
from holdfast.exposure.rules import length_bucket


@dataclass(frozen=True, slots=True)
class Passed:
    """A hit that is known or allowed."""

    hit: Hit
    state: State
    note: str = ""
    """Why it is allowed."""


@dataclass(frozen=True, slots=True)
class Passing:
    """The lists of a search."""

    baseline: Baseline | None = None
    allowed: AllowList = field(default_factory=AllowList)
    expired: tuple[str, ...] = ()
    """Entries that count no more, in words."""

    def passed(self, hit: Hit) -> Passed | None:
        """The hit as one that is known or allowed; none when it is neither."""
        unknown = hit.unknown
        if unknown is None:
            return None
        paths = paths_of(hit)
        reasons = [self.allowed.reason(unknown.rule, unknown.fingerprint, path) for path in paths]
        if unknown.allowed or (_all_told(hit) and None not in reasons):
            return Passed(hit, "allowed", unknown.allowed or reasons[0] or "")
        if self.baseline is not None and _all_told(hit):
            known = self.baseline.known
            if all(known(unknown.rule, unknown.fingerprint, path) for path in paths):
                return Passed(hit, "known")
        return None


def paths_of(hit: Hit) -> tuple[str, ...]:
    """Every path that is told of a hit; an empty one for what has none, such as a commit's message."""
    told = hit.provenance.paths if hit.provenance is not None else ()
    return tuple(dict.fromkeys((*([hit.path] if hit.path is not None else ()), *told))) or ("",)


def entries(hits: Iterable[Hit]) -> Iterator[Entry]:
    """What a baseline of hits holds."""
    for hit in hits:
        if hit.unknown is not None:
            for path in paths_of(hit):
                yield Entry(fingerprint=hit.unknown.fingerprint, rule=hit.unknown.rule, path=path)


def as_check(
    hits: Iterable[Hit], passed: Iterable[Passed], faults: Iterable[Fault], totals: Totals, named: Mapping[int, Entry]
) -> Report:
    """A search's findings as those of a check, for SARIF.

    Args:
        hits: what was found.
        passed: what was found and is known or allowed.
        faults: what could not be looked into.
        totals: how much was.
        named: fingerprint and label (as its note) of each secret that was named, by its number.
    """
    found = [_finding(hit, "new", "", named) for hit in hits]
    found += [_finding(one.hit, one.state, one.note, named) for one in passed]
    found.sort(key=lambda one: (one.path, one.start, one.rule, one.fingerprint))
    return Report(tuple(found), tuple(faults), totals.objects + totals.files, totals.bytes_matched)


def _finding(hit: Hit, state: State, note: str, named: Mapping[int, Entry]) -> Finding:
    touch = hit.provenance.first if hit.provenance is not None else None
    secret = named.get(hit.secret) if hit.secret is not None else None
    rule, mark = (hit.unknown.rule, hit.unknown.fingerprint) if hit.unknown else (LEAKED, "")
    path = hit.path or ("" if hit.kind == "commit" else hit.artifact or hit.target)
    commit = hit.object if hit.kind == "commit" else None if touch is None else touch.commit
    return Finding(
        rule=rule,
        fingerprint=mark or (secret.fingerprint if secret else ""),
        path="!".join((path, *hit.inner)),
        line=hit.line or 1,
        column=1,
        start=hit.start,
        end=hit.end,
        length=length_bucket(hit.end - hit.start),
        state=state,
        object=hit.object,
        commit=commit,
        form="raw" if hit.unknown else hit.form,
        note=note or (secret.note if secret else ""),
    )


def _all_told(hit: Hit) -> bool:
    """Whether no path is left out of what is told."""
    return hit.provenance is None or hit.provenance.paths_total <= len(hit.provenance.paths)
