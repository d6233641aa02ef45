"""The shipped questions, read from ``library/questions.toml``. For ``app`` and wiring; deciders take definitions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.investigation.questions import load


@cache
def library() -> Mapping[str, Any]:
    """The document that holds the questions, proven to be valid.

    Raises:
        BadInputError: the shipped document is not valid.
    """
    file = files("holdfast.investigation").joinpath("library/questions.toml")
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    load(document)
    return document
