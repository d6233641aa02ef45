"""Coverage as a grid: every log by account, region and class, over time, each stretch with its grade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.kernel.svg import (
    ALARM,
    EDGE,
    GOOD,
    INK,
    PANEL,
    SOFT,
    WARN,
    WIDTH,
    Axis,
    Key,
    empty,
    escape,
    fit,
    label,
    legend,
    more,
    number,
    picture,
    tag,
)

Row = Mapping[str, Any]

TITLE = "What the logs cover"
COLUMNS = 144
"""Stretches of time across; each shows the worst of its hours."""
ROWS = 60
_HOUR_US = 3_600_000_000
_BADGE = 14.0
_LEFT, _TOP, _ROW, _BAND = 372.0, 80.0, 21.0, 14.0
_NAMES = {
    "proven": "proven complete",
    "observed": "events told",
    "silent_expected": "quiet as usual",
    "gap": "missing",
    "cannot_tell": "cannot be judged",
    "out_of_retention": "no longer kept",
    "never_enabled": "never recorded",
}
_LETTERS = {"gap": "G", "cannot_tell": "?", "out_of_retention": "R", "proven": "P"}
_WEIGHT = ("gap", "cannot_tell", "out_of_retention", "never_enabled", "observed", "proven", "silent_expected")
"""Which grade stands for a stretch of hours: the first that is in it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of the picture."""

    source: str
    place: str
    classes: tuple[str, ...]
    runs: tuple[tuple[int, int, str], ...]
    """First column, the one after the last, grade."""

    @property
    def worst(self) -> int:
        return min((_WEIGHT.index(grade) for _, _, grade in self.runs), default=len(_WEIGHT))


def coverage_svg(rows: Sequence[Row], from_us: int, to_us: int) -> str:
    """The picture.

    Args:
        rows: of the table ``coverage``: ``source``, ``account_uid``, ``region``, ``event_class``, ``grade``,
            ``from_hour``, ``to_hour`` (the hour after the last).
        from_us: start of the time to draw.
        to_us: end of it.
    """
    first, last = from_us // _HOUR_US, max(to_us // _HOUR_US + 1, from_us // _HOUR_US + 1)
    lines = _lines(rows, first, last)
    if not lines:
        return empty("coverage", TITLE, "No log with a time was read: nothing can be said of what the logs cover.")
    shown = lines[:ROWS]
    axis = Axis(first * _HOUR_US, last * _HOUR_US, _LEFT, WIDTH - 54.0)
    body, y = _grid(shown, axis, columns(first, last))
    ticks = list(axis.draw(_TOP, y))
    if len(lines) > len(shown):
        y += 20
        body.append(label(12, y, more(len(lines) - len(shown), "logs, none of them worse than these"), fill=SOFT))
    used = {grade for line in shown for _, _, grade in line.runs}
    signs, height = legend([Key(_sign(grade), _NAMES[grade]) for grade in _NAMES if grade in used], 12, y + 22)
    head = [label(12, 26, TITLE, font_size=16.0, font_weight=650), label(12, 46, "by log, in UTC", fill=SOFT)]
    parts = [_patterns(), *head, *ticks, *body, *signs]
    return picture("coverage", TITLE, _described(lines), parts, y + 22 + height)


def columns(first: int, last: int) -> int:
    """How many stretches a range of hours is drawn in."""
    return min(last - first, COLUMNS)


def _lines(rows: Iterable[Row], first: int, last: int) -> list[_Line]:
    """Rows of the picture: cells whose grades are alike in all classes are one; by source, the worst first."""
    cells: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row["to_hour"] > first and row["from_hour"] < last:
            place = " ".join(part for part in (row["account_uid"], row["region"]) if part)
            cells.setdefault((row["source"], place, row["event_class"]), []).append(row)
    alike: dict[tuple[str, str, tuple[tuple[int, int, str], ...]], list[str]] = {}
    for (source, place, event_class), found in cells.items():
        alike.setdefault((source, place, _runs(found, first, last)), []).append(event_class)
    lines = [_Line(source, place, tuple(names), runs) for (source, place, runs), names in alike.items()]
    worst = {line.source: min(one.worst for one in lines if one.source == line.source) for line in lines}
    return sorted(lines, key=lambda line: (worst[line.source], line.source, line.worst, line.place, line.classes))


def _runs(rows: Iterable[Row], first: int, last: int) -> tuple[tuple[int, int, str], ...]:
    """Stretches alike, in columns."""
    count = columns(first, last)
    best: list[int | None] = [None] * count
    for row in rows:
        rank = _WEIGHT.index(row["grade"])
        start = (max(row["from_hour"], first) - first) * count // (last - first)
        stop = -(-(min(row["to_hour"], last) - first) * count // (last - first))
        for column in range(start, stop):
            known = best[column]
            best[column] = rank if known is None else min(known, rank)
    found: list[tuple[int, int, str]] = []
    for column, rank_or_none in enumerate(best):
        if rank_or_none is None:
            continue
        grade = _WEIGHT[rank_or_none]
        if found and found[-1][1] == column and found[-1][2] == grade:
            found[-1] = (found[-1][0], column + 1, grade)
        else:
            found.append((column, column + 1, grade))
    return tuple(found)


def _grid(lines: Sequence[_Line], axis: Axis, count: int) -> tuple[list[str], float]:
    body: list[str] = []
    y, source = _TOP, ""
    wide = (axis.right - axis.left) / count
    for line in lines:
        if line.source != source:
            source = line.source
            y += 10
            body.append(label(12, y + 13, fit(source, _LEFT - 30, 13.0), font_size=13.0, font_weight=650))
            y += 20
        words = " · ".join(part for part in (line.place, ", ".join(line.classes)) if part)
        name = tag("title", escape(f"{source} {words}"))
        body.append(tag("g", name + label(24, y + 11, fit(words, _LEFT - 40), fill=SOFT)))
        spans = [(axis.left + start * wide, (stop - start) * wide, grade) for start, stop, grade in line.runs]
        body += [_box(grade, x, y, max(long - 0.6, 1.2)) for x, long, grade in spans]
        body += _letters(spans, y)
        y += _ROW
    return body, y


def _letters(spans: Sequence[tuple[float, float, str]], y: float) -> list[str]:
    """A letter for each stretch that has one, the worst first; none over another."""
    taken: list[float] = []
    found: list[str] = []
    for x, long, grade in sorted(spans, key=lambda span: (_WEIGHT.index(span[2]), span[0])):
        letter, middle = _LETTERS.get(grade), x + long / 2
        if letter is None or (grade == "proven" and long < _BADGE) or any(abs(middle - one) < _BADGE for one in taken):
            continue
        taken.append(middle)
        colour = ALARM if grade == "gap" else PANEL if grade == "proven" else INK
        if grade != "proven":
            edge = ALARM if grade == "gap" else EDGE
            found.append(tag("rect", x=middle - 6.5, y=y - 0.5, width=13, height=15, rx=2, fill=PANEL, stroke=edge))
        found.append(label(middle, y + 11, letter, text_anchor="middle", font_weight=700, font_size=11.0, fill=colour))
    return found


def _box(grade: str, x: float, y: float, wide: float) -> str:
    frame: dict[str, Any] = {"x": x, "y": y, "width": wide, "height": _BAND}
    if grade == "silent_expected":
        return tag("rect", **{**frame, "y": y + _BAND / 2 - 1, "height": 2}, fill=EDGE)
    if grade == "never_enabled":
        return tag("rect", **frame, fill="none", stroke=EDGE, stroke_dasharray="3 3", stroke_width=1)
    looks: dict[str, dict[str, Any]] = {
        "proven": {"fill": GOOD},
        "observed": {"fill": EDGE},
        "gap": {"fill": "url(#coverage-gap)", "stroke": ALARM, "stroke_width": 1.5},
        "cannot_tell": {"fill": "url(#coverage-doubt)", "stroke": WARN, "stroke_width": 1},
        "out_of_retention": {"fill": "url(#coverage-gone)", "stroke": EDGE, "stroke_width": 1},
    }
    return tag("rect", **frame, **looks[grade])


def _sign(grade: str) -> str:
    return _box(grade, 0, -1, 18) + "".join(_letters([(0, 18, grade)], -1))


def _patterns() -> str:
    def pattern(name: str, content: str, turn: int) -> str:
        return tag(
            "pattern",
            content,
            id=f"coverage-{name}",
            width=6,
            height=6,
            patternUnits="userSpaceOnUse",
            patternTransform=f"rotate({number(turn)})",
        )

    gap = tag("rect", width=6, height=6, fill=PANEL) + tag("rect", width=2.4, height=6, fill=ALARM)
    doubt = tag("rect", width=6, height=6, fill=PANEL) + tag("circle", cx=3, cy=3, r=1.1, fill=WARN)
    gone = tag("rect", width=6, height=6, fill=PANEL) + tag("path", d="M0 3H6M3 0V6", stroke=EDGE, stroke_width=0.8)
    return tag("defs", pattern("gap", gap, 45) + pattern("doubt", doubt, 0) + pattern("gone", gone, 45))


def _described(lines: Sequence[_Line]) -> str:
    """The picture in words: how many logs have what."""
    told = []
    for grade, name in _NAMES.items():
        having = [line for line in lines if any(found == grade for _, _, found in line.runs)]
        if having:
            first = f"{having[0].source} {having[0].place} {', '.join(having[0].classes)}".replace("  ", " ")
            told.append(f"{name}: {len(having)} ({first}{' and others' if len(having) > 1 else ''})")
    return (
        f"{len(lines)} logs by account, region and class of events. Logs with hours that are " + "; ".join(told) + "."
    )
