"""The catalogue: events a responder has to know of, conditions a record itself decides, and how a score is made.

Rules:
1. An event counts by what it does, never by the name a program gives itself.
2. A condition is SQL over one record's columns and ``flat``: its request and detail as lower-case text without blanks,
   line ends, backslashes and brackets.
3. Where the record cannot decide, the entry says so (``context``, ``hint``) and counts less than a lead.
4. Techniques that ATT&CK moved are known by both ids.

Not handled here: who is new to what, bursts, sequences: stages find those, ``scoring.toml`` says what they count.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.kernel.documents import Table, fault

DECIDED_BY = ("record", "context", "hint")

CATEGORIES: Mapping[str, str] = {
    "identity_created": "an identity was made",
    "credential_created": "a credential was made",
    "privilege_granted": "rights were widened",
    "federation_trust": "an outside issuer was trusted",
    "auth_weakened": "sign-in was weakened",
    "session_or_impersonation": "a session was taken or started",
    "execution_persistence": "code was placed that can run again",
    "forwarding_rule": "mail, events or traffic were turned aside",
    "network_path_opened": "a way in or out was opened",
    "data_shared_outside": "data or secrets left, or may leave",
    "snapshot_image_shared": "a copy of a disk or database was made or shared",
    "ci_secret_or_workflow_changed": "what builds and deploys was changed",
    "logging_disabled": "recording or detection was cut",
    "recovery_denied": "recovery was made harder",
    "refused_burst": "many refusals within minutes",
    "used_elsewhere": "a credential was used from a second place",
    "discovery": "an identity looked around",
}
"""Kinds of signals: the catalogue's, and the last three, which are seen in the many and not in one event."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the catalogue."""

    id: str
    source: str
    service: str
    """Service it belongs to; empty where the operation's name is enough."""
    operations: tuple[str, ...]
    """Spellings of the operation; the first is the usual one."""
    title: str
    category: str
    techniques: tuple[str, ...]
    """ATT&CK ids, both where one moved."""
    condition: str
    """When it matters, in words."""
    why: str
    known_from: tuple[str, ...]
    decided_by: str
    """``record``, ``context`` or ``hint``: see rule 3."""
    when: str
    """Name of the condition that the record decides."""
    score: int
    otherwise: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What a record decides."""

    name: str
    says: str
    sql: str
    cases: tuple[Mapping[str, Any], ...]
    """``name``, ``given`` (columns of one record) and ``expect``."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a score is made."""

    threshold: int
    points: Mapping[str, int]
    says: Mapping[str, str]


COLUMNS: tuple[Column, ...] = (
    Column("catalogue_id", "text", "id of the entry"),
    Column("source", "text", "source of the event"),
    Column("service", "text", "service it belongs to; empty for any"),
    Column("operation", "text", "one spelling of the operation"),
    Column("title", "text", "what it is called"),
    Column("category", "text", "kind of signal"),
    Column("technique", "text", "ATT&CK ids, separated by |"),
    Column("why", "text", "why it matters"),
    Column("decided_by", "text", "record, context or hint"),
    Column("condition_name", "text", "condition the record decides"),
    Column("condition_says", "text", "that condition in words"),
    Column("reads", "boolean", "whether the condition has to read the request"),
    Column("score", "integer", "points when the condition holds"),
    Column("otherwise", "integer", "points when it does not"),
)


@cache
def entries() -> tuple[Entry, ...]:
    """Every event of the catalogue, by id.

    Raises:
        BadInputError: a shipped document is not valid.
    """
    found = [entry for document in _documents("investigation-catalogue") for entry in _events(document)]
    ids = [entry.id for entry in found]
    if len(set(ids)) < len(ids):
        raise fault("events", "an id is there twice")
    return tuple(sorted(found, key=lambda entry: entry.id))


@cache
def conditions() -> Mapping[str, Condition]:
    """Every condition by name."""
    found = {}
    for document in _documents("investigation-conditions"):
        for table in document.tables("conditions"):
            condition = Condition(
                table.text("name", r"[a-z][a-z0-9_]*"), table.text("says"), table.text("sql"), table.rows("cases")
            )
            table.finish()
            found[condition.name] = condition
        document.finish()
    return found


@cache
def scoring() -> Scoring:
    """Points and threshold."""
    (document,) = _documents("investigation-scoring")
    given = {str(row.get("name")): row for row in document.rows("points")}
    return Scoring(
        document.positive("threshold"),
        {name: _points(row.get("points"), f"points.{name}") for name, row in given.items()},
        {name: str(row.get("says")) for name, row in given.items()},
    )


@cache
def moved() -> Mapping[str, str]:
    """Old technique id to the one it has now."""
    (document,) = _documents("investigation-techniques")
    return dict(document.mapping("moved"))


def same_technique(one: str, other: str) -> bool:
    """Whether two ATT&CK ids mean one technique, or one is a part of the other (T1098 and T1098.001)."""
    known = moved()
    first, second = known.get(one, one), known.get(other, other)
    return first == second or first.startswith(f"{second}.") or second.startswith(f"{first}.")


def rows(_: Mapping[str, list[Mapping[str, Any]]] | None = None) -> Iterable[Mapping[str, Any]]:
    """The catalogue as the rows of a table: one for each spelling of an operation, Azure's in small letters."""
    known = conditions()
    for entry in entries():
        for operation in entry.operations:
            yield {
                "catalogue_id": entry.id,
                "source": entry.source,
                "service": entry.service,
                "operation": operation.lower() if entry.source == "azure.activity" else operation,
                "title": entry.title,
                "category": entry.category,
                "technique": "|".join(entry.techniques),
                "why": entry.why,
                "decided_by": entry.decided_by,
                "condition_name": entry.when,
                "condition_says": known[entry.when].says,
                "reads": "flat" in known[entry.when].sql,
                "score": entry.score,
                "otherwise": entry.otherwise,
            }


def filled(sql: str) -> str:
    """SQL of a stage with what the catalogue knows put in.

    ``{{conditions}}`` becomes the CASE over ``condition_name`` that decides, ``{{operations}}`` the list of operations,
    ``{{points:name}}`` and ``{{says:name}}`` what ``scoring.toml`` says, ``{{threshold}}`` the score of a lead.
    """
    if "{{" not in sql:
        return sql
    return re.sub(r"\{\{([a-z]+)(?::([a-z_]+))?\}\}", _fragment, sql)


def _fragment(found: re.Match[str]) -> str:
    kind, name = found.group(1), found.group(2)
    if kind == "points":
        return f"({scoring().points[name]})"
    if kind == "says":
        return _quoted(scoring().says[name])
    if kind == "threshold":
        return str(scoring().threshold)
    if kind == "operations":
        return ", ".join(_quoted(name) for name in sorted({name for entry in entries() for name in entry.operations}))
    return _deciding()


def _deciding() -> str:
    used = {entry.when for entry in entries()} - {"always", "never"}
    known = conditions()
    branches = "\n".join(f"  WHEN {_quoted(name)} THEN ({known[name].sql})" for name in sorted(used))
    return f"CASE condition_name\n  WHEN 'always' THEN TRUE\n  WHEN 'never' THEN FALSE\n{branches}\nEND"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _documents(kind: str) -> list[Table]:
    place = files("holdfast.investigation").joinpath("library/catalogue")
    found = []
    for name in sorted(file.name for file in place.iterdir() if file.name.endswith(".toml")):
        document = tomllib.loads(place.joinpath(name).read_text(encoding="utf-8"))
        if document.get("format") == kind:
            table = Table(document, "")
            table.text("format")
            table.positive("version")
            found.append(table)
    return found


def _events(document: Table) -> list[Entry]:
    found = [_entry(table) for table in document.tables("events")]
    document.finish()
    return found


def _entry(table: Table) -> Entry:
    points = table.mapping("points")
    entry = Entry(
        id=table.text("id"),
        source=table.text("source", r"[a-z0-9_]+\.[a-z0-9_]+"),
        service=table.text_or("service", ""),
        operations=table.texts("operations"),
        title=table.text("title"),
        category=table.text("category", "|".join(CATEGORIES)),
        techniques=table.texts("techniques"),
        condition=table.text("condition"),
        why=table.text("why"),
        known_from=table.texts("known_from"),
        decided_by=table.text("decided_by", "|".join(DECIDED_BY)),
        when=table.text("when"),
        score=_points(points.get("holds"), table.at("points.holds")),
        otherwise=_points(points.get("otherwise", 0), table.at("points.otherwise")),
    )
    table.finish()
    if entry.when not in conditions():
        raise fault(table.at("when"), f"there is no condition {entry.when!r}")
    return entry


def _points(found: object, place: str) -> int:
    """A whole number from -100 to 100."""
    if not isinstance(found, int) or isinstance(found, bool) or not -100 <= found <= 100:  # noqa: PLR2004 - the scale
        raise fault(place, "it is not a whole number from -100 to 100")
    return found
