"""The library of SQL: stages that make tables, and queries that answer a part of a question, with cases inside.

Each is one TOML file in ``library/stages`` or ``library/queries``; the SQL is DuckDB's, kept to what sqlglot carries
to the other engines with equal results.

Rules for the SQL:
1. It reads only tables that were made before it, and results hold text, whole numbers and booleans only.
2. Instants are ``…_us`` (microseconds since 1970 UTC) and hours are ``hour``; no engine's own time types.
3. Every order ends in ``row_id`` or another key without ties. "First by time" is ``arg_min(x, (time_us, row_id))``.
4. A query has a column ``row_id`` (the row it cites) and ``what`` (the row in words); null cites nothing.
5. ``request``, ``response`` and ``detail`` are parsed only for rows already narrowed down by operation.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from holdfast.investigation.catalogue import filled
from holdfast.kernel.documents import Table, fault

ENGINES = ("duckdb", "spark", "clickhouse")
"""Engines on which equal results are proven by tests; a document may list fewer, with the reason in ``unequal``."""


@dataclass(frozen=True, slots=True)
class Case:
    """An example inside a document: given these rows, that comes out."""

    name: str
    given: Mapping[str, tuple[Mapping[str, Any], ...]]
    """Table to sparse rows; columns left out are null. For ``activity`` the row id may be left out."""
    expect: tuple[Mapping[str, Any], ...]
    """The rows that come out, in order, each with the columns that matter; empty means no row."""


@dataclass(frozen=True, slots=True)
class Stage:
    """SQL that makes a table for later stages and queries."""

    id: str
    """Name of the table."""
    title: str
    after: tuple[str, ...]
    """Tables it reads."""
    sql: str
    engines: tuple[str, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """SQL that answers a part of a question."""

    id: str
    question: str
    """I1 to I7."""
    part: str
    """Part of the question, as ``questions.toml`` names it; empty when it serves the whole."""
    title: str
    why: str
    """Why a responder wants to know, in a sentence."""
    rank: int
    """Its place among the queries of a question; the lowest is shown first."""
    some: str
    """Sentence when there are rows: ``{rows}`` is their number, other names are columns of the first row."""
    none: str
    """What may be said when there are none and the coverage allows it: "No …" without a full stop at the end."""
    rests_on: tuple[str, ...]
    """Event classes whose coverage a "none" rests on, ``source:class``; ``*`` for any source."""
    after: tuple[str, ...]
    sql: str
    engines: tuple[str, ...]
    cases: tuple[Case, ...]


@cache
def stages() -> tuple[Stage, ...]:
    """The shipped stages that are SQL, in order of file name, which is an order they can run in."""
    return tuple(_stage(document) for document in _documents("stages"))


@cache
def queries() -> tuple[Query, ...]:
    """The shipped queries by question and rank."""
    found = [_query(document) for document in _documents("queries")]
    return tuple(sorted(found, key=lambda query: (query.question, query.rank, query.id)))


@cache
def library_digest() -> str:
    """SHA-256 over every stage and query as shipped: equal digests ask equal questions."""
    found = sha256()
    for folder in ("stages", "queries"):
        for name, text in _texts(folder):
            found.update(f"{folder}/{name}\0{text}\0".encode())
    return found.hexdigest()


def _documents(folder: str) -> list[Mapping[str, Any]]:
    return [tomllib.loads(text) for _, text in _texts(folder)]


def _texts(folder: str) -> list[tuple[str, str]]:
    place = files("holdfast.investigation").joinpath(f"library/{folder}")
    names = sorted(file.name for file in place.iterdir() if file.name.endswith(".toml"))
    return [(name, place.joinpath(name).read_text(encoding="utf-8")) for name in names]


def _stage(document: Mapping[str, Any]) -> Stage:
    table = Table(document, "")
    table.text("format", "investigation-stage")
    table.positive("version")
    stage = Stage(
        id=table.text("id", r"[a-z][a-z0-9_]{1,59}"),
        title=table.text("title"),
        after=table.texts("after"),
        sql=filled(table.text("sql")),
        engines=_engines(table),
        cases=tuple(_case(found) for found in table.tables("cases")),
    )
    table.finish()
    return stage


def _query(document: Mapping[str, Any]) -> Query:
    table = Table(document, "")
    table.text("format", "investigation-query")
    table.positive("version")
    query = Query(
        id=table.text("id", r"[a-z][a-z0-9_]{1,59}"),
        question=table.text("question", r"I[1-7]"),
        part=table.text_or("part", ""),
        title=table.text("title"),
        why=table.text("why"),
        rank=table.positive("rank"),
        some=table.text("some"),
        none=table.text("none"),
        rests_on=table.texts("rests_on"),
        after=table.texts("after"),
        sql=table.text("sql"),
        engines=_engines(table),
        cases=tuple(_case(found) for found in table.tables("cases")),
    )
    table.finish()
    if not query.cases:
        raise fault("cases", f"the query {query.id} has no case")
    return query


def _engines(table: Table) -> tuple[str, ...]:
    named = table.texts("engines") or ENGINES
    unknown = [name for name in named if name not in ENGINES]
    if unknown:
        raise fault(table.at("engines"), f"{unknown[0]!r} is not one of {', '.join(ENGINES)}")
    if len(named) < len(ENGINES):
        table.text("unequal")
    return named


def _case(table: Table) -> Case:
    given = {name: tuple(rows) for name, rows in table.mapping("given").items()}
    case = Case(table.text("name"), given, table.rows("expect"))
    table.finish()
    return case
