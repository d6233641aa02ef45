"""Reference pages made from declarations in code: commands, settings, events, errors, exit codes."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import groupby
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tools import error_codes
from tools.markdown import bullets, code, codes, fence, page, table
from typer.core import TyperGroup

from holdfast.app import commands, installation
from holdfast.app.commanding import REGISTRY, FreeText, IncidentCommand, UseCase
from holdfast.app.settings import SETTINGS
from holdfast.app.state import TYPES
from holdfast.cli.generated import api_path
from holdfast.cli.main import build
from holdfast.cli.output import EXIT_CODES
from holdfast.kernel.events import EventType


def use_cases() -> list[UseCase]:
    """Every use case, by the words of its command."""
    commands.declare_all()
    return sorted(REGISTRY.values(), key=lambda case: case.path)


def commands_page() -> str:
    """Every use case with its fields, and the commands that read or keep."""
    parts: list[str] = []
    for first, cases in groupby(use_cases(), key=lambda case: case.path.split(" ", maxsplit=1)[0]):
        parts.append(f"## {first}")
        parts.extend(_case(case) for case in cases)
    return page(
        "Commands",
        "Every use case is one command line, one API call and one form; all three are made from the same declaration. "
        "Add `--json` to any command for the whole answer. `INC` is the incident's id, such as `INC-2026-0042`. "
        "A text given as `-` is read from standard input. Words that people write are sealed: the record holds only a "
        "commitment to them. The complete description of the API is served at `/api/v1/openapi.json`.",
        *parts,
        "## Commands that read, check and keep",
        "These are not recorded as acts of an incident, except where the text says so.",
        *_other_commands(),
    )


def _case(case: UseCase) -> str:
    on_incident = issubclass(case.command, IncidentCommand)
    facts = [
        f"API: `POST /api/v1{api_path(case, '{incident_id}' if on_incident else None)}`",
        f"Act: {code(case.act)}",
        f"Facet: {code(case.facet)}" if case.facet else "",
        f"Runbook: {', '.join(case.runbook)}" if case.runbook else "",
    ]
    rows = [_field(case, name, info) for name, info in case.command.model_fields.items() if name != "saw"]
    return "\n\n".join(
        part
        for part in (
            f"### holdfast {case.path}",
            inspect.cleandoc(case.command.__doc__ or ""),
            fence(synopsis(case)),
            " · ".join(fact for fact in facts if fact),
            table(("field", "holds", "default", "meaning"), rows),
        )
        if part
    )


def synopsis(case: UseCase) -> str:
    """What to type: positional fields, then required options."""
    words = ["holdfast", case.path]
    if issubclass(case.command, IncidentCommand):
        words.append("INC")
    words += [name.upper() for name in case.positional]
    needed = [name for name, info in case.command.model_fields.items() if info.is_required()]
    words += [f"--{name.replace('_', '-')} …" for name in needed if name not in case.positional]
    return " ".join(words)


def _field(case: UseCase, name: str, info: FieldInfo) -> tuple[str, str, str, str]:
    shown = name if name in case.positional else "--" + name.replace("_", "-")
    return code(shown), holds(info.annotation, list(info.metadata)), _default(info), info.description or ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "needed"
    value = info.default
    if value is PydanticUndefined or value is None or value == "":
        return ""
    return code(str(value).lower() if isinstance(value, bool) else value)


def holds(annotation: Any, metadata: list[Any]) -> str:  # noqa: ANN401, PLR0911 - one answer for each form of type
    """What a field takes, in words."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return holds(inner, [*metadata, *more])
    if get_origin(annotation) in (Union, types.UnionType):
        return next(holds(one, metadata) for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is Literal:
        return codes(get_args(annotation))
    if get_origin(annotation) in (list, tuple):
        return "several: " + holds(get_args(annotation)[0], [])
    if get_origin(annotation) is dict:
        key, value = get_args(annotation)
        return f"pairs of {holds(key, [])} and {holds(value, [])}"
    free = next((one for one in metadata if isinstance(one, FreeText)), None)
    if free is not None:
        return "words" if free.multiline else "one line of words"
    if annotation is bool:
        return "yes or no"
    if annotation is AwareDatetime or getattr(annotation, "__name__", "") == "AwareDatetime":
        return "instant with time zone"
    if annotation is int:
        return "whole number" + _bounds(metadata)
    patterns = [found for one in metadata for found in _patterns(one)]
    return code(patterns[-1]) if patterns else "text"


def _patterns(mark: object) -> Iterator[str]:
    found = getattr(mark, "pattern", None)
    if isinstance(found, str):
        yield found
    elif isinstance(mark, FieldInfo):
        for inner in mark.metadata:
            yield from _patterns(inner)


def _bounds(metadata: list[Any]) -> str:
    flat = [inner for one in metadata for inner in (one.metadata if isinstance(one, FieldInfo) else [one])]
    low = next((one.ge for one in flat if getattr(one, "ge", None) is not None), None)
    high = next((one.le for one in flat if getattr(one, "le", None) is not None), None)
    return (f", from {low}" if low is not None else "") + (f", up to {high}" if high is not None else "")


def _other_commands() -> Iterator[str]:
    root = typer.main.get_command(build())
    assert isinstance(root, TyperGroup)
    known = {case.path for case in use_cases()}
    for path, command in sorted(_walk(root, "")):
        if path in known:
            continue
        options = [
            (
                codes(one.opts) if one.param_type_name == "option" else code(one.metavar or (one.name or "").upper()),
                getattr(one, "help", None) or "",
            )
            for one in command.params
            if one.name not in ("help", "as_json")
        ]
        parts = [f"### holdfast {path}", inspect.cleandoc(command.help or ""), table(("takes", "meaning"), options)]
        yield "\n\n".join(part for part in parts if part)


def _walk(group: TyperGroup, before: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        path = f"{before} {name}".strip()
        if isinstance(command, TyperGroup):
            yield from _walk(command, path)
        else:
            yield path, command


def settings_page() -> str:
    """Every setting."""
    rows = [(code(one.name), code(one.default) if one.default else "empty", one.meaning) for one in SETTINGS]
    return page(
        "Settings",
        "Settings are environment variables; there is no settings file. A value that cannot be used stops the start "
        "and is named. Folders are made when missing, readable by their owner only.",
        table(("variable", "default", "meaning"), rows),
    )


def _types(package: str) -> Iterable[EventType]:
    """A package's event types; ``exposure`` has them in its module only, since reading texts needs none of them."""
    found: Iterable[EventType] = getattr(import_module(f"holdfast.{package}"), "TYPES", ())
    return found or import_module(f"holdfast.{package}.events").TYPES


def events_page() -> str:
    """Every event type."""
    parts: list[str] = []
    packages = ("incidents", "evidence", "investigation", "exposure", "plays", "communications", "recovery")
    owners = {kind.name: package for package in packages for kind in _types(package)}
    for package in packages:
        parts.append(f"## {package}")
        parts.extend(_event(kind) for kind in TYPES.values() if owners[kind.name] == package)
    parts.append("## installation")
    parts.extend(_event(kind) for kind in installation.TYPES)
    return page(
        "Events",
        "An incident is the sequence of its events. Each is stored once as one canonical JSON object (RFC 8785) and "
        "never changed; types that a version does not know are kept and verified all the same. The data of each type "
        'is shown with an example. A value `{"commitment": …, "sealed": …}` stands for words that are kept apart.',
        fence(
            "actor        who: kind, id, how authenticated, on whose behalf\n"
            "basis        how the time is known: observed, estimated, evidenced\n"
            "data         what this page describes\n"
            "envelope     version of this envelope: 1\n"
            "event_id     UUIDv7\n"
            "incident     id of the incident\n"
            "occurred_at  when it happened, UTC\n"
            "recorded_at  when it was recorded, UTC\n"
            "seq          0, 1, 2 … within the incident, without gaps\n"
            "type         name of the type\n"
            "version      version of the type"
        ),
        *parts,
    )


def _event(kind: EventType) -> str:
    facts = [
        f"Version {kind.version}",
        f"shown as {kind.kind}",
        f"facet {code(kind.facet)}" if kind.facet else "",
        f"runbook {', '.join(kind.runbook)}" if kind.runbook else "",
    ]
    return "\n\n".join(
        part
        for part in (
            f"### {kind.name}",
            f"“{kind.sentence}”",
            ", ".join(fact for fact in facts if fact) + ".",
            table(("field", "holds"), [(code(name), meaning) for name, meaning in kind.fields.items()]),
            fence(json.dumps(kind.example, indent=2, sort_keys=True, ensure_ascii=False), "json")
            if kind.fields
            else "",
        )
        if part
    )


def errors_page() -> str:
    """Every error code."""
    kinds = sorted(error_codes.CLASSES.values(), key=lambda one: (one.exit_code, one.__name__))
    found = error_codes.raised().values()
    parts: list[str] = []
    for kind in kinds:
        own = [one for one in found if kind.__name__ in one.classes]
        if not own:
            continue
        again = "Trying again can help." if kind.retry_helps else "Trying again unchanged does not help."
        parts.append(f"## {kind.__name__.removesuffix('Error')}")
        parts.append(
            f"{(kind.__doc__ or '').strip().splitlines()[0]} HTTP {kind.status}, exit status {kind.exit_code}. {again}"
        )
        rows = [(code(one.code), one.what, one.next_step) for one in own]
        parts.append(table(("code", "what happened", "next step"), rows))
    return page(
        "Errors",
        "Every refusal has the same five fields on every surface: a stable code, what happened, why, the next step, "
        "and whether trying again helps. The API sends them as a problem document (RFC 9457). `…` stands for what "
        "depends on the case; why is always particular to it.",
        *parts,
    )


def exit_codes_page() -> str:
    """The one exit-code table."""
    rows = [(str(number), meaning) for number, meaning in EXIT_CODES.items()]
    return page(
        "Exit codes",
        "One table for the whole product; `holdfast exit-codes` prints it.",
        table(("status", "meaning"), rows),
        "Interrupting with Ctrl-C ends with 130, a closed pipe with 141.",
        "For pipelines:",
        bullets(
            (
                "`holdfast gate --scope prod`: 0 is go, 10 is frozen; anything else means that nobody can tell.",
                "`--on-unknown` decides what a pipeline does then: `stop` (the default, 11) or `go` (0).",
            )
        ),
    )
