"""The command line as a tree, for tests that hold documents and use cases to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from holdfast.cli.main import build

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "holdfast"


@cache
def tree() -> Any:
    return typer.main.get_command(build())


def command_named(words: Sequence[str]) -> Any | None:
    """The command that these words name exactly, or none."""
    found = tree()
    for word in words:
        if not isinstance(found, TyperGroup) or word not in found.commands:
            return None
        found = found.commands[word]
    return None if isinstance(found, TyperGroup) and found is not tree() else found


def command_at_start(words: Sequence[str]) -> tuple[Any, list[str]] | None:
    """The command that the first words name, and what is given to it; none when they name no command."""
    found = tree()
    for index, word in enumerate(words):
        if isinstance(found, TyperGroup) and word in found.commands:
            found = found.commands[word]
        elif isinstance(found, TyperGroup) and not word.startswith("-"):
            return None
        else:
            return found, list(words[index:])
    return found, []
