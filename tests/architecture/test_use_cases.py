"""What every use case must bring along: an act, words for 03:00, no unsealed free text, and every surface."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.routing import Match
from tools.pages_of_code import use_cases

from holdfast.app import authorisation
from holdfast.app.commanding import FreeText, IncidentCommand, UseCase
from holdfast.app.settings import load
from holdfast.cli.generated import api_path
from holdfast.web.app import create_app
from holdfast.wiring import build
from tests.architecture.commands import SOURCE, command_named

CASES = use_cases()


def named(case: UseCase) -> str:
    return case.name


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder = tmp_path_factory.mktemp("parity")
    application = build(load({"HOLDFAST_DATA": str(folder / "data"), "HOLDFAST_KEYS": str(folder / "keys")}))
    yield create_app(application)
    application.close()


def is_routed(app: FastAPI, method: str, path: str) -> bool:
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_is_an_act_of_the_table(case: UseCase) -> None:
    assert case.act in authorisation.table().acts


def test_every_act_of_the_table_is_asked_for_somewhere() -> None:
    used = {case.act for case in CASES}
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    idle = [act for act in authorisation.table().acts if act not in used and f'"{act}"' not in text]
    assert idle == []


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_explains_itself(case: UseCase) -> None:
    assert len(inspect.cleandoc(case.command.__doc__ or "")) >= 10
    assert case.summary.endswith((".", "?", "…", ":", ";")) or "\n" in (case.command.__doc__ or "")
    for name, info in case.command.model_fields.items():
        assert info.description, f"{case.name}: {name} has no description"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_takes_no_text_that_is_neither_sealed_nor_held_to_a_form(case: UseCase) -> None:
    for name, info in case.command.model_fields.items():
        for place, marks in strings(info.annotation, list(info.metadata), name):
            assert any(is_free(mark) or has_pattern(mark) for mark in marks), f"{case.name}: {place}"


def strings(annotation: Any, marks: list[Any], place: str) -> Iterator[tuple[str, list[Any]]]:
    """Every place within a field that takes any string, with what marks it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        yield from strings(inner, [*marks, *more], place)
    elif origin in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from strings(one, marks, place)
    elif origin is not None and origin is not Literal:
        for index, one in enumerate(get_args(annotation)):
            yield from strings(one, [], f"{place}[{index}]")
    elif annotation is str or annotation is Any:
        yield place, marks
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            yield from strings(info.annotation, list(info.metadata), f"{place}.{name}")


def is_free(mark: object) -> bool:
    return isinstance(mark, FreeText)


def has_pattern(mark: object) -> bool:
    if isinstance(mark, FieldInfo):
        return any(has_pattern(inner) for inner in mark.metadata)
    return getattr(mark, "pattern", None) is not None


def test_the_walk_finds_text_wherever_it_hides() -> None:
    class Inner(BaseModel):
        words: str

    class Outer(BaseModel):
        plain: str | None
        several: list[Annotated[list[str], "a mark on the list says nothing of its items"]]
        pairs: dict[Annotated[str, FreeText(multiline=False)], Inner]
        closed: Literal["a", "b"]

    found = [
        place
        for name, info in Outer.model_fields.items()
        for place, marks in strings(info.annotation, list(info.metadata), name)
        if not any(is_free(mark) or has_pattern(mark) for mark in marks)
    ]
    assert found == ["plain", "several[0][0]", "pairs[1].words"]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_pattern_holds_the_whole_text(case: UseCase) -> None:
    for name, info in case.command.model_fields.items():
        for place, marks in strings(info.annotation, list(info.metadata), name):
            for pattern in (found for mark in marks for found in patterns(mark)):
                assert pattern.startswith("^"), f"{case.name}: {place} is held at its end only"
                assert pattern.endswith("$"), f"{case.name}: {place} is held at its start only"
                re.compile(pattern)


def patterns(mark: object) -> Iterator[str]:
    if isinstance(mark, FieldInfo):
        for inner in mark.metadata:
            yield from patterns(inner)
    elif isinstance(getattr(mark, "pattern", None), str):
        yield mark.pattern  # type: ignore[attr-defined]  # just looked


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_has_a_command_line(case: UseCase) -> None:
    command = command_named(case.path.split(" "))
    assert command is not None
    options = {one.name for one in command.params}
    assert set(case.command.model_fields) <= options
    assert "as_json" in options
    assert ("incident" in options) == issubclass(case.command, IncidentCommand)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_has_an_address_on_the_api(case: UseCase, app: FastAPI) -> None:
    on_incident = issubclass(case.command, IncidentCommand)
    assert is_routed(app, "POST", "/api/v1" + api_path(case, "INC-2026-0042" if on_incident else None))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_has_a_form(case: UseCase, app: FastAPI) -> None:
    place = "/incidents/INC-2026-0042" if issubclass(case.command, IncidentCommand) else ""
    assert is_routed(app, "GET", f"{place}/do/{case.name}")
    assert is_routed(app, "POST", f"{place}/do/{case.name}")


def test_the_module_names_of_use_cases_are_real() -> None:
    assert all((SOURCE.parent / Path(*case.module.split("."))).with_suffix(".py").is_file() for case in CASES)
