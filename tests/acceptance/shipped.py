"""The shipped library data, read as files: what tests go through, so that a new part is performed by itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Item:
    """A line, question or step."""

    id: str
    name: str
    parts: Mapping[str, str]
    """Key to name."""
    outputs: tuple[Mapping[str, Any], ...] = ()


def document(package: str, name: str) -> Mapping[str, Any]:
    """A TOML file of a package's library."""
    return tomllib.loads(files(f"holdfast.{package}").joinpath(f"library/{name}.toml").read_text(encoding="utf-8"))


def _items(rows: list[Mapping[str, Any]], parts: str) -> dict[str, Item]:
    return {
        row["id"]: Item(
            row["id"],
            row["name"],
            {part["key"]: part["name"] for part in row.get(parts, [])},
            tuple(row.get("outputs", [])),
        )
        for row in rows
    }


BOARD = _items(document("incidents", "board")["line"], "part")
QUESTIONS = _items(document("investigation", "questions")["questions"], "parts")
PLAYS = {key: _items(document("plays", key)["steps"], "parts") for key in ("leaked-secret", "ci-token", "cloud-admin")}
GATES = _items(document("recovery", "gates")["gate"], "part")
PROMPTS = {row["id"]: row["question"] for row in document("recovery", "review")["prompt"]}
CASES = [row for row in document("incidents", "severity")["case"] if "runbook" in row]
ROLES = {row["runbook"]: row["key"] for row in document("incidents", "roles")["role"]}
