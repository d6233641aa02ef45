from __future__ import annotations

import re
from pathlib import Path

import pytest

import holdfast.communications
import holdfast.recovery
from holdfast.app.commanding import REGISTRY
from holdfast.app.commands import declare_all

declare_all()
PATHS = {case.path: case for case in REGISTRY.values()}
PLACES = [Path(module.__file__).parent for module in (holdfast.communications, holdfast.recovery)]
SUGGESTED = sorted(
    {
        found
        for place in PLACES
        for file in (*place.rglob("*.py"), *place.rglob("*.toml"))
        for found in re.findall(r"holdfast [a-z]+ [a-z]+[^\"\n]*", file.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize("suggested", SUGGESTED)
def test_every_suggested_command_exists_with_the_options_it_names(suggested: str) -> None:
    words = suggested.split()
    case = PATHS.get(" ".join(words[1:3]))
    assert case is not None, suggested
    assert words[3] == "INC"
    options = {word.removeprefix("--").replace("-", "_") for word in words if word.startswith("--")}
    assert options <= set(case.command.model_fields) | {"help"}
