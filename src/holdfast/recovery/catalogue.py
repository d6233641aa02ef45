"""The gates and prompts as data: ``library/gates.toml`` and ``library/review.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.kernel.errors import BadInputError
from holdfast.kernel.parts import Part


@dataclass(frozen=True, slots=True)
class Gate:
    """A closure gate's definition."""

    id: str
    """X1 to X8."""
    name: str
    needs: str
    counts: str
    """What proves it."""
    who: tuple[str, ...]
    """Incident roles that can supply what is missing."""
    command: str
    """What to type next; ``INC`` stands for the incident."""
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A review prompt's definition."""

    id: str
    """V1 to V6."""
    name: str
    question: str


@cache
def gate_definitions() -> tuple[Gate, ...]:
    """X1 to X8, in order."""
    return tuple(
        Gate(
            id=row["id"],
            name=row["name"],
            needs=row["needs"],
            counts=row["counts"],
            who=tuple(row["who"]),
            command=row["command"],
            parts=tuple(Part(part["key"], part["name"], part["hint"]) for part in row.get("part", ())),
        )
        for row in _document("gates")["gate"]
    )


@cache
def prompts() -> tuple[Prompt, ...]:
    """V1 to V6, in order."""
    return tuple(Prompt(row["id"], row["name"], row["question"]) for row in _document("review")["prompt"])


def gate_definition(gate: str) -> Gate:
    """The definition of a gate.

    Raises:
        BadInputError: there is no such gate.
    """
    for one in gate_definitions():
        if one.id == gate:
            return one
    raise BadInputError(
        "gate-unknown",
        f"There is no gate {gate[:10]!r}.",
        why="The gates are X1 to X8.",
        next_step="Name one of those.",
    )


def revalidation_parts() -> tuple[Part, ...]:
    """The parts of X4."""
    return gate_definition("X4").parts


def _document(name: str) -> dict[str, Any]:
    return tomllib.loads(files("holdfast.recovery").joinpath(f"library/{name}.toml").read_text(encoding="utf-8"))
