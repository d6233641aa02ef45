"""Who acted in which hour: a grid of identities over time, the size of a mark saying how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.kernel.svg import (
    ACCENT,
    ALARM,
    INK,
    LINE,
    SOFT,
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
    squares,
    tag,
)

Row = Mapping[str, Any]

TITLE = "Who acted when"
ROWS = 40
COLUMNS = 120
_HOUR_US = 3_600_000_000
_LEFT, _TOP, _ROW = 300.0, 84.0, 22.0
_LEVELS = (1, 10, 100, 1000)
_SIDES = (4.0, 7.0, 10.0, 13.0)


def identities_svg(rows: Sequence[Row], from_us: int, to_us: int, suspects: frozenset[str] = frozenset()) -> str:
    """The picture.

    Args:
        rows: of the table ``identity_hours`` (``person_uid``, ``person_name``, ``hour``, ``hours`` of the step,
            ``events``, ``failures``; ``place`` orders them), or of ``actor_hours`` (``actor_uid``, ``actor_name``,
            ``hour``).
        from_us: start of the time to draw.
        to_us: end of it.
        suspects: identities to mark.
    """
    first, last = from_us // _HOUR_US, max(to_us // _HOUR_US, from_us // _HOUR_US) + 1
    people = _people(rows, first, last)
    if not people:
        return empty("identities", TITLE, "No identity acted in this time, as far as the logs tell.")
    ordered = sorted(people, key=lambda uid: (uid not in suspects, people[uid].place, -people[uid].events, uid))
    shown = ordered[:ROWS]
    count = min(last - first, COLUMNS)
    axis = Axis(first * _HOUR_US, last * _HOUR_US, _LEFT, WIDTH - 84.0)
    _tell_apart(people)
    body: list[str] = []
    y = _TOP
    for uid in shown:
        body += _line(people[uid], uid, y, axis, (first, last, count), suspect=uid in suspects)
        y += _ROW
    ticks = list(axis.draw(_TOP, y))
    if len(ordered) > len(shown):
        y += 18
        body.append(label(12, y, more(len(ordered) - len(shown), "identities with fewer acts"), fill=SOFT))
    signs, height = legend(_keys(), 12, y + 20)
    head = [
        label(12, 26, TITLE, font_size=16.0, font_weight=650),
        label(12, 46, "by identity, in UTC", fill=SOFT),
        label(WIDTH - 12, 26, "acts in all", fill=SOFT, text_anchor="end"),
    ]
    desc = _described(ordered, people, suspects)
    return picture("identities", TITLE, desc, [*head, *ticks, *body, *signs], y + 20 + height)


class _Person:
    """One identity with its acts by hour."""

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place = name, place
        self.events = self.failures = 0
        self.hours: dict[int, list[int]] = {}

    def add(self, row: Row) -> None:
        """Count a row."""
        self.events += row["events"]
        self.failures += row.get("failures") or 0
        step = max(row.get("hours") or 1, 1)
        # A step longer than an hour is drawn at its middle: where within it the acts were is not told.
        known = self.hours.setdefault(row["hour"] + step // 2, [0, 0])
        known[0] += row["events"]
        known[1] += row.get("failures") or 0


def _tell_apart(people: Mapping[str, _Person]) -> None:
    """Where several have the same name, their identity tells them apart."""
    names: dict[str, int] = {}
    for person in people.values():
        names[person.name] = names.get(person.name, 0) + 1
    for uid, person in people.items():
        if names[person.name] > 1:
            person.name = uid


def _people(rows: Sequence[Row], first: int, last: int) -> dict[str, _Person]:
    people: dict[str, _Person] = {}
    for row in rows:
        uid = row.get("person_uid") or row.get("actor_uid")
        if uid is None or row["hour"] + (row.get("hours") or 1) <= first or row["hour"] >= last:
            continue
        name = row.get("person_name") or row.get("actor_name") or uid
        person = people.setdefault(uid, _Person(name, row.get("place") or 0))
        person.add(row)
    return people


def _line(person: _Person, uid: str, y: float, axis: Axis, span: tuple[int, int, int], *, suspect: bool) -> list[str]:
    first, last, count = span
    middle = y + _ROW / 2
    words = ("◆ " if suspect else "") + person.name
    name = tag(
        "title", escape(f"{uid}{', suspect' if suspect else ''}: {person.events} acts, {person.failures} refused")
    )
    weight = 650 if suspect else 400
    text = label(
        12, middle + 4, fit(words, _LEFT - 26, bold=suspect), font_weight=weight, fill=INK if suspect else SOFT
    )
    body = [
        tag("line", x1=_LEFT, x2=axis.right, y1=middle, y2=middle, stroke=LINE, stroke_width=0.6),
        tag("g", name + text),
        label(WIDTH - 12, middle + 4, f"{person.events:,}", text_anchor="end", fill=SOFT),
    ]
    columns: dict[int, list[int]] = {}
    for hour, (events, failures) in person.hours.items():
        column = min(max(hour - first, 0) * count // (last - first), count - 1)
        known = columns.setdefault(column, [0, 0])
        known[0] += events
        known[1] += failures
    wide = (axis.right - axis.left) / count
    centres = {column: axis.left + (column + 0.5) * wide for column in columns}
    body.append(_acts([(centres[column], middle, told[0]) for column, told in sorted(columns.items())]))
    refused = [(centres[column], middle) for column, told in sorted(columns.items()) if told[1]]
    return [*body, _refused(refused)] if refused else body


def _acts(marks: Sequence[tuple[float, float, int]]) -> str:
    """Squares as large as there were acts."""
    sides = [(x, y, _SIDES[sum(events >= level for level in _LEVELS) - 1]) for x, y, events in marks]
    return tag("path", d=squares([(x - side / 2, y - side / 2, side, side) for x, y, side in sides]), fill=ACCENT)


def _refused(marks: Sequence[tuple[float, float]]) -> str:
    """A line under what was partly refused."""
    return tag("path", d=squares([(x - 4, y + 8, 8, 2) for x, y in marks]), fill=ALARM)


def _keys() -> list[Key]:
    names = ("1 to 9 acts", "10 to 99", "100 to 999", "1,000 and more")
    sizes = [Key(_acts([(9, 6, level)]), name) for level, name in zip(_LEVELS, names, strict=True)]
    refused = Key(_acts([(9, 4, 10)]) + _refused([(9, 4)]), "underlined: some were refused")
    return [*sizes, refused, Key(label(4, 10, "◆", font_weight=650), "suspect")]


def _described(ordered: Sequence[str], people: Mapping[str, _Person], suspects: frozenset[str]) -> str:
    marked = [uid for uid in ordered if uid in suspects]
    busiest = max(ordered, key=lambda uid: (people[uid].events, uid))
    words = f"{len(ordered)} identities over time. Most acts: {people[busiest].name} with {people[busiest].events:,}."
    return words + (f" Suspects: {', '.join(marked[:10])}." if marked else "")
