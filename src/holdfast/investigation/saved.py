"""Saved questions: SQL that a person runs as it is, one TOML file each in ``library/saved``.

Rules:
1. A question is one SELECT over the investigation's tables, with the columns people are shown beside the whole
   numbers (``event_time``, ``first_time``, …).
2. Its parameters are texts by name (``$value`` in the SQL), bound as values and never put into the SQL.
3. Files are read strictly: an unknown key, a parameter the SQL does not use or one it uses unnamed is an error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.kernel.documents import Table, fault
from holdfast.kernel.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Parameter:
    """A text that a person gives."""

    name: str
    title: str
    example: str
    optional: bool
    """Whether it may be left empty; the SQL then sees an empty text."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A question that is asked again and again."""

    id: str
    title: str
    why: str
    parameters: tuple[Parameter, ...]
    sql: str


@cache
def saved() -> tuple[Saved, ...]:
    """The shipped questions, by title."""
    folder = files("holdfast.investigation").joinpath("library/saved")
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return tuple(sorted((read(tomllib.loads(text)) for text in texts), key=lambda one: one.title))


def saved_named(name: str) -> Saved:
    """A shipped question by its id.

    Raises:
        BadInputError: there is none of that id; the error lists those there are.
    """
    for one in saved():
        if one.id == name:
            return one
    raise BadInputError(
        "saved-question-unknown",
        f"There is no saved question {name[:40]!r}.",
        why="There are " + ", ".join(one.id for one in saved()) + ".",
        next_step="List them: holdfast sql --list",
    )


def read(document: Mapping[str, Any]) -> Saved:
    """A question from its document.

    Raises:
        BadInputError: the document is not valid.
    """
    table = Table(document, "")
    table.text("format", "investigation-saved")
    table.positive("version")
    found = Saved(
        id=table.text("id", r"[a-z][a-z0-9_]{1,59}"),
        title=table.text("title"),
        why=table.text("why"),
        parameters=tuple(_parameter(one) for one in table.tables("parameters")),
        sql=table.text("sql"),
    )
    table.finish()
    used = set(re.findall(r"\$([a-z][a-z0-9_]*)", found.sql))
    told = {one.name for one in found.parameters}
    if used != told:
        raise fault("parameters", f"they are not those of the SQL: {', '.join(sorted(used ^ told))}")
    return found


def _parameter(table: Table) -> Parameter:
    found = Parameter(
        name=table.text("name", r"[a-z][a-z0-9_]{0,29}"),
        title=table.text("title"),
        example=table.text("example"),
        optional=table.flag_or("optional", otherwise=False),
    )
    table.finish()
    return found
