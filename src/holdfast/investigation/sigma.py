"""Sigma rules over the activity table: which log a rule is about, and where its fields stand.

Rules:
1. Rules are the user's own copy and stay theirs: none is shipped, and only their hits go into a result.
2. A rule that cannot be run as it is written is refused by name with the reason, never run in part.
3. Values are compared as SQLite compares them in the reference backend: whole values exactly, patterns without regard
   to case.

Not handled here: converting rules and running them (``engines.sigma``); correlations of several rules.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from holdfast.investigation.activity import Column
from holdfast.kernel.documents import Table

_PLAIN = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")

HITS: tuple[Column, ...] = (
    Column("rule_id", "text", "id of the rule, or its file where it has none"),
    Column("title", "text", "title of the rule"),
    Column("level", "text", "level the rule gives itself"),
    Column("tags", "text", "its tags, separated by blanks"),
    Column("file", "text", "file it came from, below the folder"),
    Column("row_id", "integer", "the event it fits"),
    Column("time_us", "integer", "when it happened"),
    Column("actor_uid", "text", "who did it"),
    Column("operation", "text", "what was done"),
)
"""Columns of the rows that running rules gives."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """One log that rules can be about."""

    product: str
    service: str
    source: str
    fields: Mapping[str, str]
    paths: Mapping[str, str]

    def sql(self, field: str) -> str | None:
        """The field as SQL over a row of activity; none when it stands nowhere."""
        if field in self.fields:
            return self.fields[field]
        for prefix, place in self.paths.items():
            rest = field.removeprefix(prefix)
            if rest != field and _PLAIN.fullmatch(rest):
                column, _, inner = place.partition(":")
                return f"json_extract_string({column}, '$.{inner}{rest}')"
        return None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to run."""

    id: str
    title: str
    level: str
    tags: tuple[str, ...]
    file: str
    sql: str
    """Query that gives the row ids of events the rule fits."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One rule that is not run."""

    file: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class SigmaSet:
    """The user's rules: those that run, and those that do not, with the reason."""

    rules: tuple[Rule, ...]
    refused: tuple[Refused, ...]


@cache
def logsources() -> tuple[LogSource, ...]:
    """Every log that rules can be about."""
    file = files("holdfast.investigation").joinpath("library/sigma/fields.toml")
    document = Table(tomllib.loads(file.read_text(encoding="utf-8")), "")
    document.text("format", "investigation-sigma")
    document.positive("version")
    found = []
    for table in document.tables("logsources"):
        names = (table.text("product"), table.text("service"), table.text("source"))
        found.append(LogSource(*names, dict(table.mapping("fields")), dict(table.mapping("paths"))))
        table.finish()
    document.finish()
    return tuple(found)


def logsource(product: str | None, service: str | None) -> LogSource | None:
    """The log a rule is about; none when this product does not read it. Without a service the product's first."""
    for one in logsources():
        if one.product == product and service in (one.service, None):
            return one
    return None
