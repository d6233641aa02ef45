"""What a command's field takes, read from its annotation; forms are drawn and read back by it."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from holdfast.app.commanding import AccountName, Cite, FreeText, Key, Scope, Sha256

Kind = Literal["words", "text", "choice", "flag", "number", "instant", "date", "list", "table", "pairs", "json"]
"""``pairs`` is a list of ``key=value``; it is drawn and read like a table."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One field's kind and limits."""

    kind: Kind
    optional: bool = False
    """Whether leaving it empty is accepted (``None`` or a default)."""
    nullable: bool = False
    """Whether it may be ``None``: said neither way."""
    multiline: bool = False
    choices: tuple[tuple[str, Any], ...] = ()
    """What is sent, and the value it stands for; for kind ``choice``."""
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    item: Shape | None = None
    """Shape of a list's items or of a table's values."""
    keys: tuple[str, ...] = ()
    """A table's keys, where its annotation names them."""


def shape_of(info: FieldInfo) -> Shape:
    """The shape of a pydantic field."""
    shape = _read(info.annotation)
    for mark in info.metadata:
        shape = _marked(shape, mark)
    return _refined(replace(shape, optional=shape.optional or not info.is_required()))


_DAY_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PAIR = re.compile(r"=\(([a-z_|]+)\)\$$")


def _refined(shape: Shape) -> Shape:
    """A pattern may say more than text: a day, or a list of ``key=one of these``."""
    if shape.kind == "text" and shape.pattern == _DAY_PATTERN:
        return replace(shape, kind="date")
    pair = _PAIR.search(shape.item.pattern or "") if shape.kind == "list" and shape.item is not None else None
    if pair is None:
        return shape
    answers = tuple((answer, answer) for answer in pair[1].split("|"))
    return replace(shape, kind="pairs", item=Shape("choice", choices=answers))


def _read(annotation: object) -> Shape:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        shape = _read(inner[0])
        for mark in inner[1:]:
            shape = _marked(shape, mark)
        return shape
    if origin in (Union, types.UnionType):
        return _union(inner)
    if origin is Literal:
        return Shape("choice", choices=tuple((str(value), value) for value in inner))
    if origin in (list, tuple, set, frozenset):
        return Shape("list", item=_read(inner[0]) if inner else Shape("text"))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _table(inner)
    return _plain(annotation)


def _plain(annotation: object) -> Shape:
    if annotation is AwareDatetime:
        return Shape("instant")
    if not isinstance(annotation, type):
        return Shape("json")
    if issubclass(annotation, Enum):
        return Shape("choice", choices=tuple((str(one.value), one.value) for one in annotation))
    kinds: tuple[tuple[type, Kind], ...] = (
        (bool, "flag"),
        (int, "number"),
        (datetime, "instant"),
        (date, "date"),
        (str, "text"),
    )
    return Shape(next((kind for known, kind in kinds if issubclass(annotation, known)), "json"))


def _union(inner: tuple[Any, ...]) -> Shape:
    kept = [one for one in inner if one is not types.NoneType]
    shape = _read(kept[0]) if len(kept) == 1 else Shape("json")
    return replace(shape, optional=len(kept) < len(inner), nullable=len(kept) < len(inner))


def _table(inner: tuple[Any, ...]) -> Shape:
    if not inner:
        return Shape("json")
    key, value = _read(inner[0]), _read(inner[1])
    if value.kind not in ("choice", "text", "words", "number"):
        return Shape("json")
    return Shape("table", item=value, keys=tuple(sent for sent, _ in key.choices))


def _marked(shape: Shape, mark: object) -> Shape:
    if isinstance(mark, FreeText):
        return replace(shape, kind="words", multiline=mark.multiline)
    if isinstance(mark, FieldInfo):
        for inner in mark.metadata:
            shape = _marked(shape, inner)
        return shape
    limits: dict[str, Any] = {}
    for ours, theirs in (("minimum", "ge"), ("maximum", "le"), ("max_length", "max_length"), ("pattern", "pattern")):
        said = getattr(mark, theirs, None)
        if said is not None:
            limits[ours] = said if isinstance(said, int) else str(said)
    return replace(shape, **limits)


def _pattern(annotated: object) -> str:
    return _read(annotated).pattern or ""


EXAMPLES: Mapping[str, str] = {
    _pattern(AccountName): "mara.lind",
    _pattern(Key): "customer_data",
    _pattern(Cite): "ev-3 or #17",
    _pattern(Scope): "prod/payments",
    _pattern(Sha256): "64 hex digits",
    r"^[A-Z][A-Z0-9 -]{1,39}$": "QUIET HERON",
    r"^F[1-6]$": "F4",
    r"^[A-Z]{1,3}[1-9][0-9]?$": "I4",
    r"^[A-Z]{2,4}[1-9][0-9]?$": "LS3",
    r"^[a-z][a-z0-9-]{1,39}$": "leaked-secret",
    r"^(INC|EX)-([0-9]{4}-[0-9]{4,9}|R-[a-z2-9]{8})$": "INC-2026-0042",
    _DAY_PATTERN: "2026-11-30",
}
"""Pattern to an example, for the contract's own types and those many commands share."""
_NUMBERED = re.compile(r"^\^([a-z]+)-\[1-9\]")


def example(shape: Shape) -> str:
    """What a value of this shape looks like, or nothing."""
    of = shape.item if shape.kind == "list" and shape.item else shape
    if of.pattern is None:
        return ""
    numbered = _NUMBERED.match(of.pattern)
    return f"{numbered[1]}-3" if numbered else EXAMPLES.get(of.pattern, "")


def words(name: str) -> str:
    """``next_update`` as people read it: ``Next update``."""
    spaced = re.sub(r"[_-]+", " ", name).strip()
    return spaced[:1].upper() + spaced[1:]


def split(shape: Shape, texts: Iterable[str]) -> list[str]:
    """The items of a list: words by lines (they hold commas), names and numbers by whitespace or commas too."""
    by = r"[\s,;]+" if shape.item is not None and shape.item.kind != "words" else r"\n+"
    return [item.strip() for text in texts for item in re.split(by, text) if item.strip()]
