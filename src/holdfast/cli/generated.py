"""One command for every use case, made from its declaration."""

from __future__ import annotations

import inspect
import sys
import types
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.markup import escape

from holdfast.app.commanding import REGISTRY, IncidentCommand, UseCase
from holdfast.cli.connection import Connection, saved_login
from holdfast.cli.output import notices, out, print_json, run, settings
from holdfast.kernel.errors import BadInputError, HoldfastError

ABSENT = inspect.Parameter.empty


def add_to(app: typer.Typer, groups: dict[str, typer.Typer]) -> None:
    """Add every registered use case; ``groups`` holds the sub-commands made so far."""
    for case in sorted(REGISTRY.values(), key=lambda one: one.path):
        words = case.path.split(" ")
        parent = app if len(words) == 1 else group(app, groups, words[0])
        parent.command(words[-1], help=_help(case))(_function(case))


def group(app: typer.Typer, groups: dict[str, typer.Typer], name: str) -> typer.Typer:
    """The sub-command of that name, made on first use."""
    if name not in groups:
        groups[name] = typer.Typer(no_args_is_help=True, help=f"Commands on {name}.")
        app.add_typer(groups[name], name=name)
    return groups[name]


def _help(case: UseCase) -> str:
    text = inspect.cleandoc(case.command.__doc__ or "")
    return f"{text}\n\nRunbook: {', '.join(case.runbook)}" if case.runbook else text


def _function(case: UseCase) -> Callable[..., None]:
    on_incident = issubclass(case.command, IncidentCommand)

    def command(**given: Any) -> None:  # noqa: ANN401 - typer passes what the signature says
        as_json = given.pop("as_json")
        incident_id = given.pop("incident", None) if on_incident else None
        fields = _fields(case, given)

        def act(connection: Connection) -> dict[str, Any]:
            try:
                return connection.request("POST", api_path(case, incident_id), body=fields, key=str(uuid.uuid4()))
            except HoldfastError as error:
                if error.code == "input-invalid":  # The API names its own description; here the help says it.
                    error.next_step = f"Correct it and send it again; see: holdfast {case.path} --help"
                raise

        answer = run(act, as_json=as_json)
        _show(case, answer, as_json=as_json)

    command.__name__ = case.name.replace("-", "_")
    parameters = [_incident_parameter()] if on_incident else []
    parameters += [_parameter(case, name, info) for name, info in case.command.model_fields.items()]
    parameters.append(_json_parameter())
    parameters.sort(key=lambda one: (one.default is not ABSENT, _place(case, one.name)))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect.signature reads
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def api_path(case: UseCase, incident_id: str | None) -> str:
    """Where the use case is on the API."""
    place = case.path.replace(" ", "/")
    if case.name == "declare":
        return "/incidents"
    return f"/incidents/{incident_id}/{place}" if incident_id is not None else f"/{place}"


def _place(case: UseCase, name: str) -> int:
    if name == "incident":
        return -1
    return case.positional.index(name) if name in case.positional else len(case.positional)


def _incident_parameter() -> inspect.Parameter:
    annotation = Annotated[str, typer.Argument(metavar="INC", help="incident id, such as INC-2026-0042")]
    return inspect.Parameter("incident", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _json_parameter() -> inspect.Parameter:
    annotation = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]
    return inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)


def _parameter(case: UseCase, name: str, info: FieldInfo) -> inspect.Parameter:
    base = _base(info.annotation)
    required = info.is_required()
    help_text = " ".join(part for part in (info.description or "", _choices(base)) if part)
    default: Any = ABSENT if required else None
    kind: Any = bool if base is bool else str
    if get_origin(base) in (list, dict):
        kind = list[str]
    if name in case.positional:
        mark: Any = typer.Argument(help=help_text, show_default=False)
    else:
        option = "--" + name.replace("_", "-")
        mark = typer.Option(option, help=help_text, show_default=False)
    wanted: Any = kind if required else kind | None
    annotation: Any = Annotated[wanted, mark]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _base(annotation: Any) -> Any:  # noqa: ANN401 - a typing form
    """The annotation without ``None`` and without constraints."""
    if get_origin(annotation) is Annotated:
        return _base(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [one for one in get_args(annotation) if one is not type(None)]
        return _base(kept[0])
    return annotation


def _choices(base: Any) -> str:  # noqa: ANN401 - a typing form
    if get_origin(base) is Literal:
        return f"[{'|'.join(str(one) for one in get_args(base))}]"
    if get_origin(base) is list:
        inner = _choices(_base(get_args(base)[0]))
        return f"{inner} (repeat the option for several)".strip()
    if get_origin(base) is dict:
        return "KEY=VALUE (repeat the option for several)"
    return ""


def _fields(case: UseCase, given: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == []:
            continue
        base = _base(case.command.model_fields[name].annotation)
        if get_origin(base) is dict:
            value = dict(_pair(name, one) for one in value)  # noqa: PLW2901 - the same field, in its own form
        elif value == "-":
            value = sys.stdin.read()  # noqa: PLW2901 - the same field, from standard input
        fields[name] = value
    return fields


def _pair(name: str, text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise BadInputError(
            "input-invalid",
            "The command was not sent.",
            why=f"--{name.replace('_', '-')} takes KEY=VALUE.",
            next_step="Write for example: --answers data_left=no",
        )
    return key, value


def _show(case: UseCase, answer: dict[str, Any], *, as_json: bool) -> None:
    notices(answer["notices"])
    if as_json:
        print_json(answer)
        return
    console = out()
    where = answer["incident"]
    if not answer["events"]:
        console.print(f"{escape(where)}: nothing had to change.")
    else:
        numbers = [event["seq"] for event in answer["events"]]
        span = f"#{numbers[0]}" if len(numbers) == 1 else f"#{numbers[0]} to #{numbers[-1]}"
        console.print(f"[bold]{escape(where)}[/] {escape(case.path)}: recorded as {span}.")
    for name, value in answer["result"].items():
        if name == "invitation":
            # With what the server is reached under: only whole is it a link that a browser opens.
            console.print("  Open this link once, within 24 hours:")
            typer.echo(f"  {_address()}/welcome#{value}")
        elif value not in (None, "", [], {}):
            console.print(f"  {escape(name.replace('_', ' '))}: {escape(_words(value))}", soft_wrap=True)


def _address() -> str:
    """The address people use for the pages: of the server logged in to, else of this machine's own."""
    chosen = settings()
    saved = saved_login(chosen)
    return (chosen.server or (saved[0] if saved is not None else chosen.url)).rstrip("/")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return (
            str(value["reason"])
            if "reason" in value
            else ", ".join(f"{key}: {_words(one)}" for key, one in value.items())
        )
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    return str(value)
