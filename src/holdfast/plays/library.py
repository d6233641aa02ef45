"""The plays shipped with Holdfast, read from ``library/*.toml``. For ``app`` and wiring; deciders take definitions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.plays.definitions import load


@cache
def library() -> Mapping[str, Mapping[str, Any]]:
    """Play key to its document, each proven to be valid, in order of file name.

    Raises:
        BadInputError: a shipped document is not valid.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted(files("holdfast.plays").joinpath("library").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            document = tomllib.loads(file.read_text(encoding="utf-8"))
            found[load(document).key] = document
    return found
