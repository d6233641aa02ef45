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

from holdfast.exposure.areas import AREAS, Area, area_of_target
from holdfast.exposure.results import Class, Fault, Hit, Provenance, Totals, Touch, Visibility
from holdfast.kernel.errors import BadInputError, HoldfastError
from holdfast.kernel.instants import parse_instant

FORMAT = "holdfast-exposure/1"
MAX_BYTES = 64 << 20
"""Bytes of a whole report."""
MAX_LINES = 250_000
CLASSES: tuple[Class, ...] = get_args(Class)
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)
_REACHES = ("reachable", "reflog", "unreachable")
_COUNTS = ("objects", "files", "bytes_read", "bytes_inflated", "bytes_matched", "cached")
_NAME = 4_096
_MOST = 2**53 - 1
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DIGEST = re.compile(r"sha(256|384|512):[0-9a-f]{64,128}")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")
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
            raise _unfit(number, f"it is longer than {MAX_BYTES >> 20} MiB or {MAX_LINES:,} lines")
        if not line.strip():
            continue
        if end is not None:
            raise _unfit(number, "there is a line after the last one")
        row = _Row(_parsed(line, number), number)
        kind = row.choice("kind", ("hit", "fault", "end"))
        if kind == "hit":
            hits.append(_hit(row))
        elif kind == "fault":
            faults.append(_fault(row))
        else:
            end = _end(row, hits, faults)
    if end is None:
        raise _unfit(1, "its last line, of the kind “end”, is missing: it was cut")
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


class _Row:
    """One object of a line, read field by field."""

    def __init__(self, value: object, line: int, place: str = "") -> None:
        if not isinstance(value, dict):
            raise _unfit(line, f"{place or 'it'} is not an object")
        self.value, self.line, self.place = value, line, place
        self.left = set(value)

    def refuse(self, key: str, why: str) -> BadInputError:
        """The error for a field."""
        return _unfit(self.line, f"{self.place}{'.' if self.place else ''}{key} {why}")

    def get(self, key: str, kinds: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - of the kinds asked for
        """A field of one of these types; a missing one is null."""
        self.left.discard(key)
        found = self.value.get(key)
        if not isinstance(found, kinds) or (isinstance(found, bool) and kinds is int):
            raise self.refuse(key, "is missing or of another type")
        return found

    def has(self, key: str) -> bool:
        """Whether the field is there and says something."""
        self.left.discard(key)
        return self.value.get(key) is not None

    def text(self, key: str, most: int = _NAME) -> str:
        """A text, cut to a length."""
        return _text(self.get(key, str), most)

    def text_or_none(self, key: str, most: int = _NAME) -> str | None:
        """A text, or nothing."""
        return self.text(key, most) if self.has(key) else None

    def form(self, key: str, pattern: re.Pattern[str]) -> str:
        """A text of a fixed form."""
        found: str = self.get(key, str)
        if not pattern.fullmatch(found):
            raise self.refuse(key, "has another form than it may have")
        return found

    def form_or_none(self, key: str, pattern: re.Pattern[str]) -> str | None:
        """A text of a fixed form, or nothing."""
        return self.form(key, pattern) if self.has(key) else None

    def choice(self, key: str, known: tuple[Any, ...]) -> Any:  # noqa: ANN401 - one of the known ones
        """One of a set of words."""
        found = self.get(key, str)
        if found not in known:
            raise self.refuse(key, f"is none of {', '.join(known)}")
        return found

    def count(self, key: str, least: int = 0) -> int:
        """A whole number."""
        found: int = self.get(key, int)
        if not least <= found <= _MOST:
            raise self.refuse(key, "is no number it can be")
        return found

    def texts(self, key: str, most: int = 1_000, length: int = _NAME) -> tuple[str, ...]:
        """A list of texts."""
        found = self.get(key, list)
        if len(found) > most or not all(isinstance(one, str) for one in found):
            raise self.refuse(key, f"is no list of at most {most:,} texts")
        return tuple(_text(one, length) for one in found)

    def instant(self, key: str) -> str:
        """An instant as it was written; nothing where it is none, as in commits that somebody made by hand."""
        found: str = self.get(key, str)
        return found if is_instant(found) else ""

    def row(self, key: str) -> _Row:
        """An object within."""
        return _Row(self.get(key, dict), self.line, f"{self.place}{'.' if self.place else ''}{key}")

    def several(self, key: str, most: int) -> list[Any]:
        """A list of anything."""
        found: list[Any] = self.get(key, list)
        if len(found) > most:
            raise self.refuse(key, f"holds more than {most:,}")
        return found

    def rows(self, key: str, most: int) -> list[_Row]:
        """A list of objects."""
        return [_Row(one, self.line, f"{key}[{place}]") for place, one in enumerate(self.several(key, most))]

    def finish(self) -> None:
        """Refuse fields that nobody has read."""
        if self.left:
            raise self.refuse("", f"has {len(self.left)} fields that no report has")


def _parsed(line: bytes | str, number: int) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise _unfit(number, "it is not JSON in UTF-8") from None


def _hit(row: _Row) -> Hit:
    about = row.get("about", dict)
    if len(about) > 50 or not all(isinstance(one, str) for one in about.values()):  # noqa: PLR2004 - more than any place has
        raise row.refuse("about", "is no object of at most 50 texts")
    found = Hit(
        target=row.text("target"),
        kind=row.form("what", _KIND),
        form=row.text("form", 200),
        cls=row.choice("class", CLASSES),
        secret=row.count("secret"),
        object=row.form_or_none("object", _OBJECT),
        path=row.text_or_none("path"),
        inner=row.texts("inner", 64),
        start=row.count("start"),
        end=row.count("end"),
        line=row.count("line", 1) if row.has("line") else None,
        visibility=row.choice("visibility", VISIBILITIES),
        artifact=row.text_or_none("artifact"),
        digest=row.form_or_none("digest", _DIGEST),
        about=tuple((_text(name, 60), _text(value, 2_000)) for name, value in about.items()),
        provenance=_provenance(row.row("provenance")) if row.has("provenance") else None,
    )
    if found.end < found.start:
        raise row.refuse("end", "is before its start")
    row.finish()
    return found


def _provenance(row: _Row) -> Provenance:
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


def _touch(row: _Row) -> Touch:
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


def _fault(row: _Row) -> Fault:
    found = Fault(row.text("target"), row.text("where"), row.text("reason", 1_000))
    row.finish()
    return found


def _end(row: _Row, hits: list[Hit], faults: list[Fault]) -> Report:
    if row.has("format"):
        row.choice("format", (FORMAT,))
    for derived in ("interrupted", "cpu_seconds", "bytes_per_second"):
        row.has(derived)
    failed = {one.target for one in faults}
    targets = [_searched(one, row.line) for one in row.several("targets", 100_000)]
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


def _named(row: _Row) -> Named:
    found = Named(row.count("number"), row.form("fingerprint", _MARK), row.text_or_none("label", 200))
    row.finish()
    return found


def _searched(value: object, line: int) -> Searched:
    if isinstance(value, str):
        return Searched(_text(value, _NAME))
    row = _Row(value, line, "targets")
    kind = row.form("kind", _KIND) if row.has("kind") and row.value["kind"] else ""
    totals = _totals(row.row("totals")) if row.has("totals") else Totals()
    if not kind and totals.objects and not totals.files:
        kind = "git"  # objects are of repositories, and nothing else was looked into
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
    return found


def _totals(row: _Row) -> Totals:
    found = Totals(
        **{name: row.count(name) for name in _COUNTS},
        not_searched=frozenset(row.texts("not_searched", 1_000, 1_000)),
    )
    row.finish()
    return found


def _adds_up(row: _Row, report: Report) -> None:
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
    if not {hit.secret for hit in report.hits} <= {one.number for one in report.secrets}:
        raise row.refuse("secrets", "lack one that a line tells of")


def _text(value: str, most: int) -> str:
    """A text that can be written as UTF-8 and kept, cut to a length."""
    clean = value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def is_instant(text: str) -> bool:
    """Whether it names an instant, with its zone."""
    try:
        parse_instant(text)
    except (HoldfastError, OverflowError):
        return False
    return True


def _unfit(line: int, why: str) -> BadInputError:
    return BadInputError(
        "exposure-report-invalid",
        "The report was not taken.",
        why=f"Line {line:,} is no line of a report ({FORMAT}): {why}.",
        next_step="Hand in the report as it was written: holdfast exposure search --incident INC TARGET",
        details={"line": line},
    )
