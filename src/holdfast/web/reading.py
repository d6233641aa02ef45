"""Submitted texts read by the shape of their field, and pydantic's complaints said in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from holdfast.web.shapes import Shape, example, split

_WALL = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$")
_TABLE_LINE = re.compile(r"^\s*([A-Za-z0-9_.-]+)\s*[:=]\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Sent:
    """One field and everything the form sent."""

    name: str
    shape: Shape
    typed: Mapping[str, list[str]]

    @property
    def texts(self) -> list[str]:
        """What was sent under the field's own name, line ends as typed (browsers send CRLF)."""
        return [text.replace("\r\n", "\n") for text in self.typed.get(self.name, [])]


def is_wall_clock(text: str) -> bool:
    """Whether it is a local time without an offset, as ``datetime-local`` sends it."""
    return _WALL.match(text.strip()) is not None


def read_field(sent: Sent, values: MutableMapping[str, Any], errors: MutableMapping[str, str]) -> None:
    """Put the field's value into ``values`` unless it is absent; what cannot be read goes to ``errors``."""
    shape = sent.shape
    if shape.kind in ("table", "pairs"):
        _table(sent, values, errors)
        return
    filled = [text for text in sent.texts if text.strip()]
    if shape.kind == "list":
        items = split(shape, filled)
        if items or (sent.name in sent.typed and not shape.optional):
            values[sent.name] = [_scalar(shape.item or Shape("text"), item) for item in items]
        return
    if not filled:
        return
    try:
        values[sent.name] = _value(sent, filled)
    except ValueError as wrong:
        errors[sent.name] = str(wrong)


def _value(sent: Sent, filled: list[str]) -> object:
    if sent.shape.kind == "flag":
        return "true" in filled
    if sent.shape.kind == "instant":
        return instant_in(filled[-1], sent.typed.get(f"{sent.name}@zone", ["UTC"])[-1])
    if sent.shape.kind == "json":
        try:
            return json.loads(filled[-1])
        except ValueError:
            raise ValueError('This is read as JSON, for example {"name": "value"} or ["one", "two"].') from None
    return _scalar(sent.shape, filled[-1])


def _scalar(shape: Shape, text: str) -> object:
    if shape.kind == "words":
        return text
    stripped = text.strip()
    if shape.kind == "choice":
        return dict(shape.choices).get(stripped, stripped)
    return stripped


def _table(sent: Sent, values: MutableMapping[str, Any], errors: MutableMapping[str, str]) -> None:
    """``answers.key`` fields, or lines ``key: value`` under the field's own name."""
    item, found = sent.shape.item or Shape("text"), {}
    prefix = sent.name + "."
    for name, texts in sent.typed.items():
        if name.startswith(prefix) and texts[-1].strip():
            found[name.removeprefix(prefix)] = _scalar(item, texts[-1])
    for line in "\n".join(sent.texts).splitlines():
        hit = _TABLE_LINE.match(line)
        if hit is not None:
            found[hit[1]] = _scalar(item, hit[2])
        elif line.strip():
            errors[sent.name] = f"The line {line.strip()[:40]!r} is not understood; write one 'name: value' a line."
    if found:
        values[sent.name] = [f"{key}={said}" for key, said in found.items()] if sent.shape.kind == "pairs" else found


def instant_in(text: str, zone: str) -> datetime:
    """The instant a person meant.

    Args:
        text: RFC 3339 text with an offset, or a wall-clock time.
        zone: IANA zone of a wall-clock time.

    Raises:
        ValueError: not a time, or a wall-clock time that happens twice or never; the message is for the person.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        place = ZoneInfo(zone)
    except (ValueError, KeyError, OSError):
        raise ValueError("This is not a time. Write it like 2026-11-23T03:07:00+01:00.") from None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    early, late = (moment.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return early.astimezone(UTC)
    if early.astimezone(UTC).astimezone(place).replace(tzinfo=None) == moment:
        first, second = early.isoformat(), late.isoformat()
        raise ValueError(f"The clocks went back: this time came twice. Write {first} or {second}.")
    raise ValueError("The clocks went forward: this time never came. Write it with its offset.")


_SAID: Mapping[str, str] = {
    "missing": "This one is needed.",
    "int_parsing": "A whole number is needed.",
    "int_type": "A whole number is needed.",
    "date_from_datetime_parsing": "A date is needed, like 2026-11-30.",
    "too_short": "At least one is needed.",
    "string_too_short": "This one is needed.",
}


def complaints(wrong: ValidationError, shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str]]:
    """Field (or ``field.key``, or "" for the whole form) and what is wrong, in plain words."""
    for one in wrong.errors(include_url=False, include_context=True):
        place = one["loc"]
        name = str(place[0]) if place else ""
        shape = shapes.get(name)
        within = shape is not None and shape.kind == "table" and len(place) > 1 and place[1] != "[key]"
        yield (f"{name}.{place[1]}" if within else name), _said(one["type"], one["msg"], one.get("ctx", {}), shape)


def _said(kind: str, message: str, context: Mapping[str, Any], shape: Shape | None) -> str:
    if kind in _SAID:
        return _SAID[kind]
    if kind in ("literal_error", "enum"):
        return f"Choose one of: {context.get('expected', '')}."
    if kind == "string_too_long":
        return f"At most {context['max_length']} characters fit here; nothing was cut."
    if kind == "too_long":
        return f"At most {context['max_length']} fit here."
    if kind == "string_pattern_mismatch":
        like = example(shape) if shape is not None else ""
        return f"Write it like {like}." if like else "This is not in the form expected here."
    return message.removeprefix("Value error, ").rstrip(".") + "."
