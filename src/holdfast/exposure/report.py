"""A report of a search, as lines: one for each hit and fault, and a last one that says what was searched.

Rules:
1. A report from elsewhere is read strictly: unknown fields, unfit values and counts that do not add up are refused, by
   line and field and never by value. One without its last line is no report.
2. Every name in it was chosen by whoever leaked the secret, or by somebody who hands it in: it passes a screen before
   it is kept (:func:`screened`), and is cut to a length.
3. It says *complete* only when nothing failed in any target; one fault anywhere makes it incomplete.
4. Hits are numbered from 1 in the order of the report; a kept report has them first, so that line 7 is hit 7.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from holdfast.exposure.areas import AREAS, Area, area_of_hit, area_of_target, kind_of_address
from holdfast.exposure.report_lines import FORMAT, NAME, Row, parsed, text, unfit
from holdfast.exposure.results import Class, Fault, Hit, Provenance, Totals, Touch, Unknown, Visibility

MAX_BYTES = 64 << 20
"""Bytes of a whole report."""
MAX_LINES = 250_000
CLASSES: tuple[Class, ...] = get_args(Class)
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)
_REACHES = ("reachable", "reflog", "unreachable")
_COUNTS = ("objects", "files", "bytes_read", "bytes_inflated", "bytes_matched", "cached")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DIGEST = re.compile(r"sha(256|384|512):[0-9a-f]{64,128}")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")
_RULE = re.compile(r"[a-z][a-z0-9-]{0,59}")
_MARK = re.compile(r"(?:[a-z][a-z0-9-]{1,19}:)?[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True)
class Searched:
    """A target, and how far it was searched."""

    target: str
    """The name under which hits and faults tell of it."""
    kind: str = ""
    """What it is, where that is told: ``git``, ``image``, ``package``, ``chat``, ``tickets``, ``ci-logs``…"""
    area: Area | None = None
    """The part of LS2 it belongs to; none when its kind does not tell."""
    visibility: Visibility = "unknown"
    complete: bool = True
    """Whether everything in it was looked into."""
    not_searched: tuple[str, ...] = ()
    """What belongs to it and this way of searching does not reach, in words: forks of a remote, say."""

    @property
    def whole(self) -> bool:
        """Whether nothing of it is left to look into."""
        return self.complete and not self.not_searched

    def as_json(self) -> dict[str, Any]:
        """The target as an object."""
        found: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "not_searched": list(self.not_searched)}


@dataclass(frozen=True, slots=True)
class Named:
    """A secret as a report names it."""

    number: int
    fingerprint: str
    """Keyed, so that nothing of the secret can be told from it."""
    label: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The name as an object."""
        return {"number": self.number, "fingerprint": self.fingerprint, "label": self.label}


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    hits: tuple[Hit, ...]
    faults: tuple[Fault, ...]
    targets: tuple[Searched, ...]
    secrets: tuple[Named, ...]
    totals: Totals = field(default_factory=Totals)
    complete: bool = True
    """Whether the run came to its end and nothing failed."""
    seconds: float = 0.0
    engine: str = ""
    searched_forms: tuple[str, ...] = ()
    not_searched: tuple[str, ...] = ()
    """Spellings and places that this run could not find, in words: those of its targets, and what no search finds."""

    @property
    def by_class(self) -> dict[str, int]:
        """Hits by class, the surest first."""
        counts = Counter(hit.cls for hit in self.hits)
        return {name: counts[name] for name in CLASSES if counts[name]}

    @property
    def by_form(self) -> dict[str, int]:
        """Hits by spelling, the most frequent first."""
        return dict(sorted(Counter(hit.form for hit in self.hits).items(), key=lambda one: (-one[1], one[0])))

    def end(self) -> dict[str, Any]:
        """The last line."""
        return {
            "kind": "end",
            "format": FORMAT,
            "complete": self.complete,
            "hits": len(self.hits),
            "faults": len(self.faults),
            "by_class": self.by_class,
            "by_form": self.by_form,
            "targets": [one.as_json() for one in self.targets],
            "totals": self.totals.as_json(),
            "seconds": self.seconds,
            "engine": self.engine,
            "not_searched": list(self.not_searched),
            "searched_forms": list(self.searched_forms),
            "secrets": [one.as_json() for one in self.secrets],
        }

    def lines(self) -> Iterator[str]:
        """Every line with its end: hits, faults, the last one."""
        told = [*(hit.as_json() for hit in self.hits), *(fault.as_json() for fault in self.faults), self.end()]
        for one in told:
            yield json.dumps(one, ensure_ascii=False) + "\n"


def read(lines: Iterable[bytes | str]) -> Report:
    """A report from its lines.

    Raises:
        BadInputError: it is none (``exposure-report-invalid``); the line and field are named, never a value.
    """
    hits: list[Hit] = []
    faults: list[Fault] = []
    size, end = 0, None
    for number, line in enumerate(lines, 1):
        size += len(line)
        if size > MAX_BYTES or number > MAX_LINES:
            raise unfit(number, f"it is longer than {MAX_BYTES >> 20} MiB or {MAX_LINES:,} lines")
        if not line.strip():
            continue
        if end is not None:
            raise unfit(number, "there is a line after the last one")
        row = Row(parsed(line, number), number)
        kind = row.choice("kind", ("hit", "fault", "end"))
        if kind == "hit":
            hits.append(_hit(row))
        elif kind == "fault":
            faults.append(_fault(row))
        else:
            end = _end(row, hits, faults)
    if end is None:
        raise unfit(1, "its last line, of the kind “end”, is missing: it was cut")
    return end


def screened(report: Report, clean: Callable[[str], str]) -> Report:
    """The report with every name passed through ``clean``; forms, ids, instants and counts stay."""

    def touch(one: Touch | None) -> Touch | None:
        by = None if one is None or one.pushed_by is None else clean(one.pushed_by)
        return one and replace(one, author=clean(one.author), committer=clean(one.committer), pushed_by=by)

    def provenance(one: Provenance | None) -> Provenance | None:
        if one is None:
            return None
        return replace(
            one,
            paths=tuple(map(clean, one.paths)),
            heads=tuple(map(clean, one.heads)),
            refs=tuple(map(clean, one.refs)),
            first=touch(one.first),
            last=touch(one.last),
        )

    def hit(one: Hit) -> Hit:
        return replace(
            one,
            target=clean(one.target),
            form=clean(one.form),
            path=None if one.path is None else clean(one.path),
            inner=tuple(map(clean, one.inner)),
            artifact=None if one.artifact is None else clean(one.artifact),
            about=tuple((clean(name), clean(value)) for name, value in one.about),
            provenance=provenance(one.provenance),
        )

    return replace(
        report,
        hits=tuple(map(hit, report.hits)),
        faults=tuple(Fault(clean(one.target), clean(one.where), clean(one.reason)) for one in report.faults),
        targets=tuple(
            replace(one, target=clean(one.target), not_searched=tuple(map(clean, one.not_searched)))
            for one in report.targets
        ),
        secrets=tuple(replace(one, label=None if one.label is None else clean(one.label)) for one in report.secrets),
        totals=replace(report.totals, not_searched=frozenset(map(clean, report.totals.not_searched))),
        engine=clean(report.engine),
        not_searched=tuple(map(clean, report.not_searched)),
        searched_forms=tuple(map(clean, report.searched_forms)),
    )


def _hit(row: Row) -> Hit:
    about = row.get("about", dict)
    if len(about) > 50 or not all(isinstance(one, str) for one in about.values()):  # noqa: PLR2004 - more than any place has
        raise row.refuse("about", "is no object of at most 50 texts")
    found = Hit(
        target=row.text("target"),
        kind=row.form("what", _KIND),
        form=row.text("form", 200),
        cls=row.choice("class", CLASSES),
        secret=row.count("secret") if row.has("secret") else None,
        object=row.form_or_none("object", _OBJECT),
        path=row.text_or_none("path"),
        inner=row.texts("inner", 64),
        start=row.count("start"),
        end=row.count("end"),
        line=row.count("line", 1) if row.has("line") else None,
        visibility=row.choice("visibility", VISIBILITIES),
        artifact=row.text_or_none("artifact"),
        digest=row.form_or_none("digest", _DIGEST),
        about=tuple((text(name, 60), text(value, 2_000)) for name, value in about.items()),
        provenance=_provenance(row.row("provenance")) if row.has("provenance") else None,
        unknown=_unknown(row),
        copies=row.count("copies", 1) if row.has("copies") else None,
    )
    if (found.secret is None) != (found.unknown is not None):
        raise row.refuse("secret", "is neither the number of one, nor that of one that a rule found")
    if found.end < found.start:
        raise row.refuse("end", "is before its start")
    row.finish()
    return found


def _unknown(row: Row) -> Unknown | None:
    """Of a secret that nobody named: its rule and fingerprint, both or none."""
    mark, allowed = row.form_or_none("fingerprint", _MARK), row.text_or_none("allowed")
    if row.has("rule") != (mark is not None):
        raise row.refuse("fingerprint", "stands without its rule, or a rule without it")
    return None if mark is None else Unknown(row.form("rule", _RULE), mark, allowed)


def _provenance(row: Row) -> Provenance:
    found = Provenance(
        paths=row.texts("paths"),
        paths_total=row.count("paths_total"),
        first=_touch(row.row("first")) if row.has("first") else None,
        introduced=row.count("introduced"),
        holding=row.count("holding"),
        last=_touch(row.row("last")) if row.has("last") else None,
        heads=row.texts("heads"),
        heads_total=row.count("heads_total"),
        refs=row.texts("refs"),
        refs_total=row.count("refs_total"),
        reach=row.choice("reach", _REACHES),
        at_head=row.get("at_head", bool),
    )
    row.finish()
    return found


def _touch(row: Row) -> Touch:
    found = Touch(
        commit=row.form("commit", _OBJECT),
        author=row.text("author", 1_000),
        authored=row.instant("authored"),
        committer=row.text("committer", 1_000),
        committed=row.instant("committed"),
        pushed=row.instant("pushed") if row.has("pushed") else None,
        pushed_by=row.text_or_none("pushed_by", 1_000),
    )
    row.finish()
    return found


def _fault(row: Row) -> Fault:
    found = Fault(row.text("target"), row.text("where"), row.text("reason", 1_000))
    row.finish()
    return found


def _end(row: Row, hits: list[Hit], faults: list[Fault]) -> Report:
    if row.has("format"):
        row.choice("format", (FORMAT,))
    for derived in ("interrupted", "cpu_seconds", "bytes_per_second", "passed"):
        row.has(derived)
    failed = {one.target for one in faults}
    read_targets = [_searched(one, row.line) for one in row.several("targets", 100_000)]
    targets = _kinds([one for one, _ in read_targets], [objects for _, objects in read_targets], hits)
    report = Report(
        hits=tuple(hits),
        faults=tuple(faults),
        targets=tuple(replace(one, complete=one.complete and one.target not in failed) for one in targets),
        secrets=tuple(_named(one) for one in row.rows("secrets", 1_000)),
        totals=_totals(row.row("totals")),
        complete=row.get("complete", bool),
        seconds=round(float(row.get("seconds", (int, float))), 3),
        engine=row.text("engine", 200) if row.has("engine") else "",
        searched_forms=row.texts("searched_forms", 1_000, 200),
        not_searched=row.texts("not_searched", 1_000, 1_000),
    )
    _adds_up(row, report)
    row.finish()
    return report


def _named(row: Row) -> Named:
    found = Named(row.count("number"), row.form("fingerprint", _MARK), row.text_or_none("label", 200))
    row.finish()
    return found


def _searched(value: object, line: int) -> tuple[Searched, int]:
    """A target, and how many git objects were looked into."""
    if isinstance(value, str):
        return Searched(text(value, NAME)), 0
    row = Row(value, line, "targets")
    kind = row.form("kind", _KIND) if row.has("kind") and row.value["kind"] else ""
    totals = _totals(row.row("totals")) if row.has("totals") else Totals()
    for derived in ("hits", "faults"):
        row.has(derived)
    left = set(row.texts("not_searched", 1_000, 1_000)) if row.has("not_searched") else set()
    found = Searched(
        target=row.text("target"),
        kind=kind,
        area=row.choice("area", AREAS) if row.has("area") else area_of_target(kind),
        visibility=row.choice("visibility", VISIBILITIES) if row.has("visibility") else "unknown",
        complete=row.get("complete", bool) if row.has("complete") else True,
        not_searched=tuple(sorted(left | totals.not_searched)),
    )
    row.finish()
    return found, totals.objects


def _kinds(targets: list[Searched], objects: list[int], hits: list[Hit]) -> list[Searched]:
    """The targets with the part of LS2 that their kind, their address, or all of their hits tell."""
    areas: dict[str, set[Area | None]] = {}
    for hit in hits:
        areas.setdefault(hit.target, set()).add(area_of_hit(hit.kind))
    outer = {name for one in targets for name in _around(one.target)}

    def told(one: Searched, count: int) -> Searched:
        if one.kind or one.area is not None:
            return one
        # Git objects are of repositories: of itself, where no other target lies within it.
        repository = (count > 0 and one.target not in outer) or one.target.endswith("/.git")
        kind = "git" if repository else kind_of_address(one.target)
        found = areas.get(one.target, set())
        area = area_of_target(kind) or (next(iter(found)) if len(found) == 1 else None)
        return replace(one, kind=kind, area=area)

    return [told(one, count) for one, count in zip(targets, objects, strict=True)]


def _around(target: str) -> Iterator[str]:
    """Every path that a path lies within."""
    while "/" in target:
        target = target.rpartition("/")[0]
        yield target


def _totals(row: Row) -> Totals:
    found = Totals(
        **{name: row.count(name) for name in _COUNTS},
        not_searched=frozenset(row.texts("not_searched", 1_000, 1_000)),
    )
    row.finish()
    return found


def _adds_up(row: Row, report: Report) -> None:
    """Refuse a last line that says something else than the lines before it."""
    if (row.count("hits"), row.count("faults")) != (len(report.hits), len(report.faults)):
        raise row.refuse("hits", "or faults are not as many as there are lines")
    if row.get("by_class", dict) != report.by_class or row.get("by_form", dict) != report.by_form:
        raise row.refuse("by_class", "or by_form is not what the lines say")
    if report.complete and (report.faults or not all(one.complete for one in report.targets)):
        raise row.refuse("complete", "is said beside what could not be looked into")
    known = {one.target for one in report.targets}
    if not {hit.target for hit in report.hits} | {one.target for one in report.faults} <= known:
        raise row.refuse("targets", "lack one that a line tells of")
    if not {hit.secret for hit in report.hits if not hit.unknown} <= {one.number for one in report.secrets}:
        raise row.refuse("secrets", "lack one that a line tells of")
