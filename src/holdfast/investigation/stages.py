"""The stages of an investigation in order: SQL that makes tables, and pure Python where a set must be closed over.

A Python stage takes the rows of the tables it names and gives the rows of one table. It is small by construction: it
sees sessions, identities and leads, never the events themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.investigation import (
    catalogue,
    coverage,
    digests,
    effective,
    identities,
    sessions,
    suspects,
    trust,
    trust_paths,
    undoing,
)
from holdfast.investigation.activity import Column
from holdfast.investigation.queries import Stage, stages

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closure:
    """A stage that is Python: pure, from rows to rows."""

    id: str
    """Name of the table it makes."""
    title: str
    after: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: Callable[[Mapping[str, list[Row]]], Iterable[Row]]
    """Gets the rows of each table ordered by all its columns, so that what comes out is the same on every engine."""


CLOSURES: tuple[Closure, ...] = (
    Closure("catalogue", "The catalogue of events", (), catalogue.COLUMNS, catalogue.rows),
    Closure("people", "Which identities are one person", identities.AFTER, identities.PEOPLE, identities.people),
    Closure("sessions", "Chains of sessions", sessions.AFTER, sessions.SESSIONS, sessions.sessions),
    Closure("suspects", "Whom to suspect", suspects.AFTER, suspects.SUSPECTS, suspects.suspects),
    Closure("digests", "What digest chains prove", digests.AFTER, digests.COLUMNS, digests.validate),
    Closure("coverage", "Grades of every hour", coverage.AFTER, coverage.COLUMNS, coverage.grade_cells),
    Closure("undo_operations", "What undoes what", (), undoing.OPERATIONS, undoing.operations),
    Closure("made", "What was made and whether it was removed", undoing.AFTER, undoing.MADE, undoing.made),
    Closure(
        "held", "Grants by the identity that ends up with them", effective.HELD_AFTER, effective.HELD, effective.held
    ),
    Closure("trust_graph", "Who trusts whom, by logs and state", trust.EDGES_AFTER, trust.EDGES, trust.graph),
    Closure("trust_paths", "What leads to what", trust_paths.PATHS_AFTER, trust_paths.PATHS, trust_paths.paths),
    Closure("could_do", "What suspects could have done", effective.COULD_AFTER, effective.COULD, effective.could),
    Closure("did_do", "What suspects did", effective.DID_AFTER, effective.DID, effective.did),
)
"""Every Python stage."""


def ordered(given: Iterable[str], closures: Iterable[Closure] = CLOSURES) -> list[Stage | Closure]:
    """Every stage, each after the tables it reads.

    Raises:
        ValueError: a stage reads a table that nothing makes, or two wait for each other.
    """
    made = set(given)
    waiting: list[Stage | Closure] = [*stages(), *closures]
    result: list[Stage | Closure] = []
    while waiting:
        ready = [stage for stage in waiting if made.issuperset(stage.after)]
        if not ready:
            raise ValueError(f"stages that can never run: {[stage.id for stage in waiting]}")
        result += ready
        made |= {stage.id for stage in ready}
        waiting = [stage for stage in waiting if stage not in ready]
    return result
