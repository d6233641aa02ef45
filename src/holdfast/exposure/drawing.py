"""Where a secret got to and since when, as a picture: a row for each place, or for each repository when they are many.

Rules: as for every picture (:mod:`holdfast.kernel.svg`), and besides
1. A full sign is the exposure itself (a push, a sending, a publishing); an empty one is the making of a commit, before
   which the exposure may not be and of which nothing tells when it was pushed.
2. An arrow says that it is still there. A line of dots says that only older versions hold it.
3. Places to which no ref leads, and places without a time, stand in bands of their own: none gets a time it has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.exposure.places import VISIBILITY_ORDER, Basis, Place, Still, first_of, spoken
from holdfast.exposure.results import Visibility
from holdfast.kernel.instants import format_instant, parse_instant
from holdfast.kernel.svg import (
    ALARM,
    EDGE,
    INK,
    LINE,
    PANEL,
    SOFT,
    SUNK,
    WIDTH,
    Axis,
    Key,
    empty,
    escape,
    fit,
    label,
    legend,
    more,
    picture,
    tag,
)

TITLE = "Where it got to, and since when"
ROWS = 24
"""Places that get a row each; when they are more, each repository or other target gets one, as many at most."""
_LEFT, _RIGHT, _TOP, _ROW, _BAND = 348.0, 872.0, 84.0, 36.0, 30.0
_PAD = 0.05
_STILL: dict[Still, str] = {
    "head": "still there",
    "there": "there when searched",
    "history": "in older versions",
    "unreachable": "no ref leads there",
}
_SEEN: dict[Visibility, str] = {
    "public": "public",
    "fork-network": "fork network",
    "unknown": "not told to whom",
    "internal": "members",
    "local": "local",
}
_BANDS = (
    "Since when",
    "No ref leads there, but a host may serve it by its id",
    "Since when is not known",
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One row."""

    name: str
    note: str
    visibility: Visibility
    still: Still
    first_us: int | None
    basis: Basis
    gone_us: int | None
    marks: tuple[int, ...]
    """First instants of the places that the row stands for, when it stands for several."""
    tip: str

    @property
    def band(self) -> int:
        """Place in :data:`_BANDS`."""
        if self.first_us is None:
            return 2
        return 1 if self.still == "unreachable" else 0


def exposure_svg(found: Sequence[Place], as_of: datetime) -> str:
    """The picture.

    Args:
        found: places, the most urgent first.
        as_of: when the search ended: what is still there is there up to then.
    """
    if not found:
        return empty("exposure", TITLE, "It was found nowhere in what was searched.")
    many = len(found) > ROWS
    lines = _by_target(found) if many else [_line(place) for place in found]
    shown = sorted(lines[:ROWS], key=lambda line: line.band)
    dated = [line.first_us for line in shown if line.first_us is not None]
    now = _us_of(as_of)
    first = min(dated, default=now - 86_400_000_000)
    last = max(now, *dated) if dated else now
    room = max(int((last - first) * _PAD), 3_600_000_000)
    axis = Axis(first - room, last, _LEFT, _RIGHT)
    body, y = _bands(shown, axis)
    ticks = list(axis.draw(_TOP, y)) if dated else []
    if len(lines) > len(shown):
        y += 20
        body.append(label(12, y, more(len(lines) - len(shown), "repositories and other targets"), fill=SOFT))
    signs, height = legend(_keys(shown), 12, y + 22)
    by = "by repository or other target" if many else "by place"
    head = [
        label(12, 26, TITLE, font_size=16.0, font_weight=650),
        label(12, 46, f"{by}, in UTC, as of {spoken(format_instant(as_of))}", fill=SOFT),
        label(_RIGHT + 14, _TOP - 8, "who could read it", fill=SOFT),
    ]
    return picture("exposure", TITLE, _described(found), [_patterns(), *head, *ticks, *body, *signs], y + 22 + height)


def _line(place: Place) -> _Line:
    told = f"{spoken(place.first)} ({place.basis})" if place.first else "since when is not known"
    return _Line(
        name=place.name,
        note=f"{place.what} in {place.target}",
        visibility=place.visibility,
        still=place.still,
        first_us=_us(place.first),
        basis=place.basis,
        gone_us=_us(place.gone),
        marks=(),
        tip=f"{place.target}: {place.name}; {place.what}; {told}; {_STILL[place.still]}; {_SEEN[place.visibility]}",
    )


def _by_target(found: Sequence[Place]) -> list[_Line]:
    """A row for each target, the most urgent first; what is unreachable or undated in it is told in its note."""
    groups: dict[str, list[Place]] = {}
    for place in found:
        groups.setdefault(place.target, []).append(place)
    lines = []
    for target, held in groups.items():
        first = first_of(held)
        still = sum(place.still in ("head", "there") for place in held)
        undated = sum(place.first is None for place in held)
        note = f"{len(held):,} places, {still:,} still there"
        note += f", {undated:,} without a time" if undated else ""
        lead = min(held, key=lambda place: place.urgency)
        gone = max((place.gone or "" for place in held), default="")
        lines.append(
            _Line(
                name=target,
                note=note,
                visibility=min((place.visibility for place in held), key=VISIBILITY_ORDER.index),
                still=lead.still,
                first_us=None if first is None else _us(first.first),
                basis="unknown" if first is None else first.basis,
                gone_us=_us(gone or None),
                marks=tuple(sorted({at for place in held if (at := _us(place.first)) is not None})),
                tip=f"{target}: {note}",
            )
        )
    return lines


def _bands(lines: Sequence[_Line], axis: Axis) -> tuple[list[str], float]:
    body: list[str] = []
    y, band = _TOP, 0
    for place, line in enumerate(lines):
        if line.band != band or (place == 0 and line.band):
            band = line.band
            body.append(tag("rect", x=0, y=y, width=WIDTH, height=_BAND - 4, fill=SUNK))
            body.append(label(12, y + 18, _BANDS[band], font_weight=650))
            y += _BAND
        body += _row(line, y, axis)
        y += _ROW
    return body, y


def _row(line: _Line, y: float, axis: Axis) -> list[str]:
    middle = y + _ROW / 2
    loud = line.visibility in ("public", "fork-network") and line.still in ("head", "there")
    name = tag("title", escape(line.tip))
    name += label(12, y + 15, fit(line.name, _LEFT - 30, 13.0, bold=True), font_size=13.0, font_weight=600)
    name += label(12, y + 29, fit(line.note, _LEFT - 30), fill=SOFT)
    seen = label(
        _RIGHT + 14, y + 15, _SEEN[line.visibility], font_weight=650 if loud else 400, fill=ALARM if loud else INK
    )
    seen += label(_RIGHT + 14, y + 29, _STILL[line.still], fill=SOFT)
    rule = tag("line", x1=12, x2=WIDTH - 12, y1=y + _ROW, y2=y + _ROW, stroke=LINE)
    return [rule, tag("g", name), seen, *_span(line, middle, axis, ALARM if loud else INK)]


def _span(line: _Line, y: float, axis: Axis, colour: str) -> list[str]:
    """From the first instant to where it ends, as far as that is known."""
    if line.first_us is None:
        words = tag("rect", x=axis.left, y=y - 9, width=axis.right - axis.left, height=18, fill="url(#exposure-doubt)")
        return [words, _plate((axis.left + axis.right) / 2, y, "?")]
    start = axis.x(line.first_us)
    found = []
    if line.still == "unreachable":
        found.append(
            tag("line", x1=start, x2=axis.right, y1=y, y2=y, stroke=EDGE, stroke_width=2, stroke_dasharray="7 5")
        )
    elif line.still == "history":
        end = axis.x(line.gone_us) if line.gone_us is not None else start
        found.append(tag("line", x1=start, x2=max(end, start + 2), y1=y, y2=y, stroke=colour, stroke_width=4))
        found.append(_dots(end, axis.right, y))
        found.append(tag("line", x1=end, x2=end, y1=y - 7, y2=y + 7, stroke=colour, stroke_width=2.5))
    else:
        found.append(tag("line", x1=start, x2=axis.right - 9, y1=y, y2=y, stroke=colour, stroke_width=4))
        found.append(_arrow(axis.right, y, colour))
    found += [
        tag("line", x1=axis.x(at), x2=axis.x(at), y1=y - 6, y2=y + 6, stroke=colour, stroke_width=1.2)
        for at in line.marks
    ]
    return [*found, _sign(line.basis, start, y, colour)]


def _dots(start: float, end: float, y: float) -> str:
    looks: dict[str, Any] = {"stroke_width": 2.5, "stroke_dasharray": "1 6", "stroke_linecap": "round"}
    return tag("line", x1=start, x2=end, y1=y, y2=y, stroke=EDGE, **looks)


def _arrow(x: float, y: float, colour: str) -> str:
    return tag("path", d=f"M{x - 12:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x - 12:.1f} {y + 7:.1f}Z", fill=colour)


def _sign(basis: Basis, x: float, y: float, colour: str) -> str:
    """A diamond for commits and pushes, a disc for messages and artifacts; empty where the exposure is not proven."""
    full: dict[str, Any] = (
        {"fill": colour} if basis != "committed" else {"fill": PANEL, "stroke": colour, "stroke_width": 2.0}
    )
    if basis in ("sent", "published"):
        return tag("circle", cx=x, cy=y, r=6.5, **full)
    return tag("path", d=f"M{x:.1f} {y - 8:.1f}L{x + 8:.1f} {y:.1f}L{x:.1f} {y + 8:.1f}L{x - 8:.1f} {y:.1f}Z", **full)


def _plate(x: float, y: float, word: str) -> str:
    plate = tag("rect", x=x - 10, y=y - 9, width=20, height=18, rx=3, fill=PANEL, stroke=EDGE)
    return plate + label(x, y + 5, word, text_anchor="middle", font_weight=700)


def _patterns() -> str:
    dots = tag("rect", width=8, height=8, fill=PANEL) + tag("circle", cx=4, cy=4, r=1.1, fill=EDGE)
    return tag("defs", tag("pattern", dots, id="exposure-doubt", width=8, height=8, patternUnits="userSpaceOnUse"))


def _keys(lines: Iterable[_Line]) -> list[Key]:
    lines = list(lines)
    bases = {line.basis for line in lines if line.first_us is not None}
    stills = {line.still for line in lines if line.first_us is not None}
    found = []
    if "pushed" in bases:
        found.append(Key(_sign("pushed", 8, 6, INK), "pushed, by the host's log"))
    if bases & {"sent", "published"}:
        found.append(Key(_sign("sent", 8, 6, INK), "sent or published"))
    if "committed" in bases:
        found.append(Key(_sign("committed", 8, 6, INK), "committed; when it was pushed is not known"))
    if stills & {"head", "there"}:
        arrow = tag("line", x1=0, x2=10, y1=6, y2=6, stroke=INK, stroke_width=4) + _arrow(18, 6, INK)
        found.append(Key(arrow, "still there"))
    if "history" in stills:
        found.append(Key(_dots(0, 18, 6), "in older versions only"))
    if "unreachable" in stills:
        dashes = tag("line", x1=0, x2=18, y1=6, y2=6, stroke=EDGE, stroke_width=2, stroke_dasharray="7 5")
        found.append(Key(dashes, "no ref leads there"))
    if any(line.marks for line in lines):
        found.append(
            Key(tag("line", x1=8, x2=8, y1=0, y2=12, stroke=INK, stroke_width=1.2), "another place of the row")
        )
    return found


def _described(found: Sequence[Place]) -> str:
    """The picture in words."""
    still = sum(place.still in ("head", "there") for place in found)
    gone = sum(place.still == "history" for place in found)
    lost = sum(place.still == "unreachable" for place in found)
    undated = sum(place.first is None for place in found)
    first = first_of(found)
    words = f"{len(found):,} places: {still:,} still there, {gone:,} in older versions only, {lost:,} unreachable. "
    if first is not None:
        words += f"The earliest: {first.target}: {first.name}, {spoken(first.first)} ({first.basis}). "
    return words + (f"Of {undated:,} no time is known." if undated else "")


def _us(instant: str | None) -> int | None:
    """Microseconds since 1970 UTC."""
    return None if instant is None else _us_of(parse_instant(instant))


def _us_of(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
