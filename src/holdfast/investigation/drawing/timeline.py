"""The timeline as lanes, one for each log: leads numbered, acts as density, gaps as gaps, pins as stars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.kernel.svg import (
    ACCENT,
    ALARM,
    EDGE,
    INK,
    LINE,
    PANEL,
    SOFT,
    WIDTH,
    Axis,
    Key,
    clock_text,
    day_text,
    empty,
    escape,
    fit,
    label,
    legend,
    more,
    picture,
    squares,
    tag,
)

Row = Mapping[str, Any]

TITLE = "What happened, in order"
_OWN = "the incident"
LANES = 14
NUMBERED = 16
"""Leads and pins that get a number and a line in the list below."""
BUCKETS = 160
_LEFT, _TOP = 200.0, 84.0
_STEP = 19.0
_BARS = 18.0
_DEEP = 6
_PAD = 0.06
_TALL = 5
"""Heights of a bar of density, by powers of ten."""


@dataclass(slots=True)
class _Lane:
    """One log's entries."""

    name: str
    counts: dict[int, int] = field(default_factory=dict)
    marks: list[tuple[int, int, Row]] = field(default_factory=list)
    """Instant, number, entry."""
    gaps: list[Row] = field(default_factory=list)
    depth: int = 0

    @property
    def height(self) -> float:
        return max(self.depth, 1) * _STEP + _BARS + 8


def timeline_svg(rows: Sequence[Row], from_us: int | None = None, to_us: int | None = None) -> str:
    """The picture.

    Args:
        rows: of the table ``timeline`` (``kind``, ``time_us``, ``until_us``, ``source``, ``what``, ``actor_uid``,
            ``score``), or entries of ``spine`` as such mappings. Those without a time are counted, not placed.
        from_us: start of the time to draw; without it the first of the strongest leads and pins, else of all entries.
        to_us: end of it; without it the last of them. What lies outside is counted.
    """
    dated = [row for row in rows if row["time_us"] is not None]
    acts = [row for row in dated if row["kind"] != "gap"]
    if not acts:
        return empty("timeline", TITLE, "No entry of the timeline has a time.")
    first, last = _span(acts, from_us, to_us)
    inside = [row for row in dated if (row.get("until_us") or row["time_us"]) >= first and row["time_us"] <= last]
    numbered = _numbered(inside)
    axis = Axis(first, last, _LEFT, WIDTH - 48.0)
    lanes = _lanes(inside, numbered, axis)
    body: list[str] = []
    y = _TOP
    for lane in lanes[:LANES]:
        body += _draw_lane(lane, y, axis)
        y += lane.height
    ticks = list(axis.draw(_TOP, y))
    if len(lanes) > LANES:
        y += 18
        body.append(label(12, y, more(len(lanes) - LANES, "logs with fewer entries"), fill=SOFT))
    signs, height = legend(_keys(inside), 12, y + 18)
    listed, bottom = _list(numbered, y + 18 + height + 14, _leftover(rows, inside, numbered))
    head = [label(12, 26, TITLE, font_size=16.0, font_weight=650), label(12, 46, "by log, in UTC", fill=SOFT)]
    parts = [_pattern(), *head, *ticks, *body, *signs, *listed]
    return picture("timeline", TITLE, _described(inside, numbered), parts, bottom)


def _span(acts: Sequence[Row], from_us: int | None, to_us: int | None) -> tuple[int, int]:
    """The time to draw, with some room on both sides: by default that of the strongest leads and the pins."""
    strongest = [row for _, row in _numbered(acts)]
    telling = [row[name] for row in strongest for name in ("time_us", "last_us")] or [row["time_us"] for row in acts]
    first = from_us if from_us is not None else min(telling)
    last = to_us if to_us is not None else max(telling)
    room = max(int((last - first) * _PAD), 30_000_000)
    return first - room, last + room


def _numbered(rows: Iterable[Row]) -> list[tuple[int, Row]]:
    """Pins and the strongest leads, numbered in order of time; leads alike by one actor are one, with their number."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["time_us"]):
        if row["kind"] == "lead":
            groups.setdefault((row["source"], row["what"], row.get("actor_uid")), []).append(row)
        elif row["kind"] == "pin":
            groups.setdefault((id(row),), []).append(row)
    ranked = sorted(groups.values(), key=lambda one: (one[0]["kind"] != "pin", -_best(one), one[0]["time_us"]))
    chosen = sorted(ranked[:NUMBERED], key=lambda one: (one[0]["time_us"], one[0].get("row_id") or 0))
    return [
        (number, {**one[0], "times": len(one), "last_us": one[-1]["time_us"]}) for number, one in enumerate(chosen, 1)
    ]


def _best(rows: Iterable[Row]) -> int:
    return max(row.get("score") or 0 for row in rows)


def _lanes(rows: Sequence[Row], numbered: Sequence[tuple[int, Row]], axis: Axis) -> list[_Lane]:
    lanes: dict[str, _Lane] = {}
    for number, row in numbered:
        name = row["source"] or _OWN
        lanes.setdefault(name, _Lane(name)).marks.append((row["time_us"], number, row))
    for row in rows:
        lane = lanes.setdefault(row["source"] or _OWN, _Lane(row["source"] or _OWN))
        if row["kind"] == "gap":
            lane.gaps.append(row)
        else:
            bucket = int((axis.x(row["time_us"]) - axis.left) / (axis.right - axis.left) * BUCKETS)
            place = min(bucket, BUCKETS - 1)
            lane.counts[place] = lane.counts.get(place, 0) + (row.get("events") or 1)
    for lane in lanes.values():
        lane.depth = max((depth for depth, _, _ in _stacked(lane, axis)), default=-1) + 1
    return sorted(lanes.values(), key=lambda lane: (-len(lane.marks), -sum(lane.counts.values()), lane.name))


def _stacked(lane: _Lane, axis: Axis) -> list[tuple[int, float, tuple[int, int, Row]]]:
    """Marks with the depth at which none covers another, and where they are drawn."""
    ends: list[float] = []
    found = []
    for mark in sorted(lane.marks, key=lambda one: (one[0], one[1])):
        x = axis.x(mark[0])
        depth = next((level for level, end in enumerate(ends) if x - end >= _STEP + 2), len(ends))
        if depth >= _DEEP:
            depth = min(range(len(ends)), key=lambda level: ends[level])
            x = ends[depth] + _STEP + 2
        if depth == len(ends):
            ends.append(x)
        ends[depth] = x
        found.append((depth, x, mark))
    return found


def _draw_lane(lane: _Lane, y: float, axis: Axis) -> list[str]:
    bottom = y + lane.height
    body = [
        tag("line", x1=12, x2=axis.right, y1=bottom, y2=bottom, stroke=LINE),
        label(12, y + 20, fit(lane.name, _LEFT - 24, 13.0, bold=True), font_size=13.0, font_weight=650),
    ]
    for row in lane.gaps:
        left, right = axis.x(row["time_us"]), axis.x(row.get("until_us") or row["time_us"])
        box = tag(
            "rect",
            tag("title", escape(row["what"])),
            x=left,
            y=y + 3,
            width=max(right - left, 3.0),
            height=lane.height - 6,
            fill="url(#timeline-gap)",
            stroke=ALARM,
            stroke_dasharray="4 3",
        )
        body.append(box)
        if right - left > 34:  # noqa: PLR2004 - room for the word
            body.append(_plate((left + right) / 2, bottom - 10, "gap"))
    wide = (axis.right - axis.left) / BUCKETS
    talls = [(bucket, min(len(str(count)), _TALL) / _TALL * _BARS) for bucket, count in sorted(lane.counts.items())]
    bars = squares([(axis.left + bucket * wide, bottom - 2 - tall, wide - 1, tall) for bucket, tall in talls])
    if bars:
        body.append(tag("path", d=bars, fill=EDGE))
    for depth, x, (_, number, row) in _stacked(lane, axis):
        body.append(_mark(x, y + 12 + depth * _STEP, number, row))
    return body


def _plate(x: float, y: float, word: str) -> str:
    plate = tag("rect", x=x - 15, y=y - 11, width=30, height=15, rx=2, fill=PANEL)
    return plate + label(x, y, word, text_anchor="middle", fill=ALARM, font_weight=650)


def _mark(x: float, y: float, number: int | str, row: Row) -> str:
    """A numbered sign: a diamond for a lead, a rounded box for a pin."""
    title = tag("title", escape(f"{clock_text(row['time_us'], seconds=True)}Z {row['what']}"))
    if row["kind"] == "pin":
        shape = tag("rect", x=x - 9, y=y - 9, width=18, height=18, rx=5, fill=ACCENT)
    else:
        shape = tag(
            "path", d=f"M{x:.1f} {y - 11:.1f}L{x + 11:.1f} {y:.1f}L{x:.1f} {y + 11:.1f}L{x - 11:.1f} {y:.1f}Z", fill=INK
        )
    digits = label(x, y + 4, number, text_anchor="middle", fill=PANEL, font_weight=700, font_size=10.5)
    return tag("g", title + shape + digits)


def _list(numbered: Sequence[tuple[int, Row]], top: float, leftover: str) -> tuple[list[str], float]:
    """The numbered entries in words, in two columns, the first half on the left."""
    body: list[str] = []
    half = -(-len(numbered) // 2)
    wide = (WIDTH - 24) / 2
    for place, (number, row) in enumerate(numbered):
        x, y = 12 + (place // half) * wide, top + (place % half) * 36
        body.append(label(x + 20, y + 12, number, font_weight=700, text_anchor="end"))
        when = f"{day_text(row['time_us'])} {clock_text(row['time_us'], seconds=True)}Z"
        who = f" · {row['actor_uid']}" if row.get("actor_uid") else ""
        what = row["what"] + (f" ({row['times']:,} times)" if row["times"] > 1 else "")
        body.append(label(x + 28, y + 12, fit(what, wide - 44, 13.0, bold=True), font_size=13.0, font_weight=600))
        body.append(label(x + 28, y + 27, fit(when + who, wide - 44), fill=SOFT))
    y = top + half * 36
    if leftover:
        body.append(label(12, y + 14, leftover, fill=SOFT))
        y += 20
    return body, y + 8


def _leftover(rows: Sequence[Row], inside: Sequence[Row], numbered: Sequence[tuple[int, Row]]) -> str:
    """What is not drawn, or not by itself, in words."""
    telling = sum(row["kind"] in {"lead", "pin"} for row in inside) - sum(row["times"] for _, row in numbered)
    undated = sum(row["time_us"] is None for row in rows)
    outside = len(rows) - undated - len(inside)
    gaps = sum(row["kind"] == "gap" for row in rows) - sum(row["kind"] == "gap" for row in inside)
    parts = []
    if telling > 0:
        parts.append(more(telling, "leads, drawn among the other entries"))
    if outside:
        among = f" ({gaps:,} of them gaps)" if gaps else ""
        parts.append(f"{outside:,} entries before or after{among} are not drawn")
    if undated:
        parts.append(f"{undated:,} entries have no time and cannot be placed")
    return "; ".join(parts)


def _keys(rows: Sequence[Row]) -> list[Key]:
    kinds = {row["kind"] for row in rows}
    lead = tag("path", d="M8 -5L19 6L8 17L-3 6Z", fill=INK)
    pin = tag("rect", x=0, y=-3, width=18, height=18, rx=5, fill=ACCENT)
    bars = "".join(
        tag("rect", x=x, y=12 - tall, width=4, height=tall, fill=EDGE) for x, tall in ((0, 4), (6, 8), (12, 12))
    )
    gap = tag("rect", x=0, y=-2, width=18, height=14, fill="url(#timeline-gap)", stroke=ALARM, stroke_dasharray="4 3")
    found = []
    if "lead" in kinds:
        found.append(Key(lead, "lead, numbered as below"))
    if "pin" in kinds:
        found.append(Key(pin, "pinned"))
    found.append(Key(bars, "other entries: a step higher for ten times as many"))
    if "gap" in kinds:
        found.append(Key(gap, "gap: the log is missing or cannot be judged"))
    return found


def _pattern() -> str:
    content = tag("rect", width=7, height=7, fill=PANEL) + tag(
        "rect", width=1.6, height=7, fill=ALARM, fill_opacity=0.6
    )
    return tag(
        "defs",
        tag(
            "pattern",
            content,
            id="timeline-gap",
            width=7,
            height=7,
            patternUnits="userSpaceOnUse",
            patternTransform="rotate(45)",
        ),
    )


def _described(rows: Sequence[Row], numbered: Sequence[tuple[int, Row]]) -> str:
    gaps = [row for row in rows if row["kind"] == "gap"]
    told = [
        f"{number}. {day_text(row['time_us'])} {clock_text(row['time_us'], seconds=True)}Z {row['what']}"
        for number, row in numbered
    ]
    logs = len({row["source"] for row in rows})
    words = f"{len(rows) - len(gaps)} entries and {len(gaps)} gaps over {logs} logs, in UTC. "
    return words + " ".join(f"{one}." for one in told)
