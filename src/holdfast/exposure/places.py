"""Hits as places: what a person can name, clean and wait for. A path with forty versions of a file is one place.

Rules:
1. Every hit belongs to exactly one place, and a place names its hits by their numbers.
2. *First* is the earliest instant that something proves, with what proves it: a host's log of the push, the sending of
   a message, the publishing of an artifact, else the making of the commit. A commit is made before it is pushed, and a
   rebase makes it anew: such an instant says only *not later than this the window has to begin*.
3. *Still* is as of the search. What was searched in a copy is there as of the copy.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.exposure.areas import GIT_KINDS, Area, area_of_hit
from holdfast.exposure.report import CLASSES, Report, Searched
from holdfast.exposure.report_lines import is_instant
from holdfast.exposure.results import Class, Hit, Touch, Visibility
from holdfast.kernel.instants import format_instant, parse_instant

Basis = Literal["pushed", "sent", "published", "committed", "unknown"]
"""What proves the first instant; only ``committed`` is not the exposure itself."""
Still = Literal["head", "there", "history", "unreachable"]
"""``head``: in the newest version of a ref. ``there``: in what was searched. ``history``: only in older versions, which
every clone has. ``unreachable``: no ref leads there, but a host may serve it by its id."""
VISIBILITY_ORDER: tuple[Visibility, ...] = ("public", "fork-network", "unknown", "internal", "local")
"""The most urgent first; what nobody told may be public."""
_STILL_ORDER: tuple[Still, ...] = ("head", "there", "history", "unreachable")
_SENT = ("sent", "date", "posted", "created", "commented")
_PUBLISHED = ("published", "uploaded", "pushed", "built", "created")
_WORDS = {
    "commit": "commit message",
    "tag": "tag message",
    "tree": "name of a file",
    "git-file": "ref or setting",
    "image-config": "image history",
}
_TAGS = "refs/tags/"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    "target", "place", "what", "exposure", "still", "refs_at_head", "first", "first_by", "gone_after", "author",
    "classes", "forms", "secrets", "hits", "first_hit", "object", "digest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a secret is."""

    target: str
    what: str
    """Kind of the place in words: ``file``, ``commit message``, ``layer``, ``message``."""
    name: str
    """Path, commit, artifact or channel, with the members within."""
    hits: tuple[int, ...]
    """Numbers of its hits in the report, from 1."""
    secrets: tuple[int, ...]
    classes: tuple[Class, ...]
    """The surest first."""
    forms: tuple[str, ...]
    visibility: Visibility
    still: Still
    area: Area | None
    first: str | None = None
    """RFC 3339, UTC; none when nothing tells."""
    basis: Basis = "unknown"
    first_hit: int = 1
    """The hit that proves the first instant, else its first one."""
    touch: Touch | None = None
    """The commit that introduced it."""
    gone: str | None = None
    """For a place in history only: when the last commit that holds it was made."""
    heads: tuple[str, ...] = ()
    heads_total: int = 0
    refs_total: int = 0
    object: str | None = None
    digest: str | None = None
    artifact: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the whole secret is there, and not a piece only."""
        return self.classes[0] != "partial"

    @property
    def urgency(self) -> tuple[int, int, int, str, str, str]:
        """Sorts places: whole ones, public ones, those still there first; then by time."""
        order = (VISIBILITY_ORDER.index(self.visibility), _STILL_ORDER.index(self.still))
        return (not self.whole, *order, self.first or "~", self.target, self.name)

    def as_json(self) -> dict[str, Any]:
        """The place as an object."""
        return {
            "target": self.target,
            "what": self.what,
            "name": self.name,
            "hits": list(self.hits),
            "secrets": list(self.secrets),
            "classes": list(self.classes),
            "forms": list(self.forms),
            "visibility": self.visibility,
            "still": self.still,
            "area": self.area,
            "first": self.first,
            "basis": self.basis,
            "first_hit": self.first_hit,
            "commit": None if self.touch is None else self.touch.as_json(),
            "gone": self.gone,
            "heads": list(self.heads),
            "heads_total": self.heads_total,
            "refs_total": self.refs_total,
            "object": self.object,
            "digest": self.digest,
            "artifact": self.artifact,
        }


def places(report: Report) -> tuple[Place, ...]:
    """The places of a report, the most urgent first."""
    groups: dict[tuple[str, str, str], list[tuple[int, Hit]]] = {}
    for number, hit in enumerate(report.hits, 1):
        groups.setdefault((hit.target, _word(hit), _name(hit)), []).append((number, hit))
    targets = {one.target: one for one in report.targets}
    found = [_place(key, hits, targets.get(key[0])) for key, hits in groups.items()]
    return tuple(sorted(found, key=lambda place: place.urgency))


def first_of(found: Iterable[Place]) -> Place | None:
    """The place with the earliest proven instant; whole secrets before pieces; none when no instant is known."""
    dated = [place for place in found if place.first is not None]
    return min(dated, key=lambda place: (not place.whole, place.first or ""), default=None)


def to_csv(found: Sequence[Place], report: Report) -> Iterator[str]:
    """The places as lines of CSV (RFC 4180, CRLF); no cell begins like a formula."""
    yield csv_line(COLUMNS)
    marks = {one.number: one.fingerprint for one in report.secrets}
    for one in found:
        yield csv_line(
            [
                one.target, one.name, one.what, one.visibility, one.still, " ".join(one.heads), one.first,
                one.basis, one.gone, one.touch.author if one.touch else None, " ".join(one.classes),
                ", ".join(one.forms), " ".join(marks.get(number, "") for number in one.secrets), len(one.hits),
                one.first_hit, one.object, one.digest,
            ]
        )  # fmt: skip


def spoken(instant: str | None) -> str:
    """``2 Nov 2026, 14:03 UTC``."""
    if instant is None:
        return "an unknown time"
    moment = parse_instant(instant)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def where_still(refs: Sequence[str]) -> str:
    """``at the head of main, release`` or, where only tags are left, ``in the tag v1.4.0``."""
    branches = [ref for ref in refs if not ref.startswith(_TAGS)]
    named = list(dict.fromkeys(map(short, branches or refs)))
    more = f" and {len(named) - 3:,} more" if len(named) > 3 else ""  # noqa: PLR2004 - as many as named
    told = ", ".join(named[:3]) + more
    if refs and not branches:
        return f"in the tag{'' if len(named) == 1 else 's'} {told}"
    return f"at the head of {told or 'HEAD'}"


def short(ref: str) -> str:
    """A ref as people call it."""
    return re.sub(r"^refs/(heads|tags|remotes)/", "", ref)


def csv_line(cells: Iterable[object]) -> str:
    """One line of CSV with its end; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([_neutral(cell) for cell in cells])
    return buffer.getvalue()


def _neutral(value: object) -> str:
    text = "" if value is None else str(value)
    risky = text.lstrip(" \u00a0").startswith(FORMULA) and not isinstance(value, int)
    return f"'{text}" if risky else text


def _word(hit: Hit) -> str:
    return _WORDS.get(hit.kind, "file" if hit.kind in ("blob", "file") else hit.kind)


def _name(hit: Hit) -> str:
    """What tells the place apart within its target."""
    paths = hit.provenance.paths if hit.provenance else ()
    about = dict(hit.about)
    where = hit.path or (paths[0] if paths else "") or about.get("channel") or about.get("issue") or ""
    if hit.kind in ("commit", "tag") or not where:
        where = hit.artifact or (hit.object or "")[:12] or where
    elif hit.artifact and hit.artifact not in where:
        where = f"{hit.artifact}: {where}"
    if hit.digest and hit.kind in ("layer", "image-config"):
        where = f"{where} {hit.digest[:19]}"
    sent = next((about[key] for key in _SENT if about.get(key)), "") if hit.kind in ("message", "mail", "issue") else ""
    inner = hit.inner[1:] if hit.inner and hit.inner[0] in (hit.path, hit.artifact) else hit.inner
    return " > ".join(part for part in (where, *inner, sent) if part) or "the whole of it"


def _place(key: tuple[str, str, str], hits: list[tuple[int, Hit]], target: Searched | None) -> Place:
    kept = [hit for _, hit in hits]
    first, basis, proof, touch = min((_first(number, hit) for number, hit in hits), key=lambda one: one[0] or "~")
    origins = [hit.provenance for hit in kept if hit.provenance is not None]
    still = min((_still(hit) for hit in kept), key=_STILL_ORDER.index)
    ends = sorted(end for one in origins if one.last and (end := _utc(one.last.committed)))
    best = max(origins, key=lambda one: one.heads_total, default=None)
    lead = next(hit for number, hit in hits if number == proof)
    return Place(
        target=key[0],
        what=key[1],
        name=key[2],
        hits=tuple(number for number, _ in hits),
        secrets=tuple(sorted({hit.secret for hit in kept if hit.secret is not None})),
        classes=tuple(name for name in CLASSES if any(hit.cls == name for hit in kept)),
        forms=tuple(dict.fromkeys(hit.form for hit in kept)),
        visibility=min((_visibility(hit, target) for hit in kept), key=VISIBILITY_ORDER.index),
        still=still,
        area=area_of_hit(lead.kind) or (target.area if target else None),
        first=first,
        basis=basis,
        first_hit=proof,
        touch=touch,
        gone=ends[-1] if still == "history" and ends else None,
        heads=best.heads if best else (),
        heads_total=best.heads_total if best else 0,
        refs_total=max((one.refs_total for one in origins), default=0),
        object=lead.object,
        digest=lead.digest,
        artifact=lead.artifact,
    )


def _visibility(hit: Hit, target: Searched | None) -> Visibility:
    return target.visibility if hit.visibility == "unknown" and target is not None else hit.visibility


def _first(number: int, hit: Hit) -> tuple[str | None, Basis, int, Touch | None]:
    """The earliest instant that a hit proves."""
    touch = hit.provenance.first if hit.provenance else None
    if touch is not None:
        pushed = _utc(touch.pushed or "")
        made = _utc(touch.committed)
        if pushed is not None:
            return pushed, "pushed", number, touch
        return made, "committed" if made else "unknown", number, touch
    about = dict(hit.about)
    keys, basis = (_PUBLISHED, "published") if hit.kind in ("layer", "image-config", "package") else (_SENT, "sent")
    told = next((at for key in keys if (at := _utc(about.get(key, "")))), None)
    return told, basis if told else "unknown", number, None  # type: ignore[return-value]  # one of the two above


def _utc(text: str) -> str | None:
    """The instant in one form, so that texts order as instants do."""
    return format_instant(parse_instant(text)) if is_instant(text) else None


def _still(hit: Hit) -> Still:
    origin = hit.provenance
    if hit.kind not in GIT_KINDS:
        return "there"
    if origin is None:
        return "there" if hit.kind == "git-file" else "unreachable"
    if origin.at_head or origin.heads_total or origin.heads:
        return "head"
    return "history" if origin.reach == "reachable" else "unreachable"
