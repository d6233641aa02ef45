"""The ``holdfast`` command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from holdfast import __version__
from holdfast.cli import exposure

_HELP = "The security incident response runbook that runs."


def build() -> typer.Typer:
    """The whole command line."""
    from holdfast.app import commands  # noqa: PLC0415 - everything below is slow to load: see _start
    from holdfast.cli import generated, reading  # noqa: PLC0415 - likewise

    app = _app(_HELP)

    @app.callback(invoke_without_command=True)
    def start(
        ctx: typer.Context,
        *,
        version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
    ) -> None:
        """The security incident response runbook that runs."""
        if version:
            typer.echo(f"holdfast {__version__}")
        elif ctx.invoked_subcommand is None:
            reading.overview(as_json=as_json)

    commands.declare_all()
    groups: dict[str, typer.Typer] = {}
    generated.add_to(app, groups)
    for name, function in _commands().items():
        app.command(name)(function)
    for name, word, function in _lists():
        generated.group(app, groups, name).command(word)(function)
    exposure.add_to(generated.group(app, groups, exposure.NAME))
    return app


def _app(text: str) -> typer.Typer:
    return typer.Typer(
        name="holdfast",
        help=text,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        add_completion=True,
        rich_markup_mode=None,
    )


def _commands() -> Mapping[str, Callable[..., None]]:
    from holdfast.cli import (  # noqa: PLC0415 - slow to load: see _start
        asking,
        capturing,
        investigating,
        keeping,
        packing,
        reading,
        sections,
    )

    return {
        "list": reading.list_incidents,
        "show": reading.show,
        "state": reading.state,
        "gate": reading.gate,
        "gates": sections.closure,
        "measures": sections.measures,
        "exit-codes": reading.exit_codes,
        "init": keeping.init,
        "serve": keeping.serve,
        "login": keeping.login,
        "logout": keeping.logout,
        "me": keeping.me,
        "fsck": keeping.fsck,
        "rebuild": keeping.rebuild,
        "capture": capturing.capture,
        "investigate": investigating.investigate_command,
        "sql": asking.sql,
        "pack": packing.pack,
        "verify": packing.verify,
    }


def _lists() -> tuple[tuple[str, str, Callable[..., None]], ...]:
    from holdfast.cli import exposure_incident, reading, sections  # noqa: PLC0415 - slow to load: see _start

    return (
        ("evidence", "list", reading.evidence),
        ("timeline", "show", reading.timeline),
        ("board", "show", reading.board),
        ("message", "list", reading.room),
        ("account", "list", reading.accounts),
        ("token", "list", reading.tokens),
        ("question", "list", sections.questions),
        ("exposure", "list", exposure_incident.list_exposure),
        ("play", "show", sections.play),
        ("claim", "list", sections.claims),
        ("update", "list", sections.updates),
        ("update", "show", sections.update),
        ("closure", "show", sections.closure),
        ("review", "show", sections.review),
    )


def _start() -> typer.Typer:
    """The command line, or the part that the first word names where that part starts much faster by itself."""
    words = sys.argv[1:3]
    if words[:1] != [exposure.NAME] or words[1:] not in ([one] for one in exposure.WORDS):
        return build()
    app = _app(_HELP)

    @app.callback()
    def start() -> None:
        """The security incident response runbook that runs."""

    group = typer.Typer(no_args_is_help=True, help=f"Commands on {exposure.NAME}.")
    exposure.add_to(group)
    app.add_typer(group, name=exposure.NAME)
    return app


def run() -> None:
    """Entry point: no traceback ever reaches a user."""
    try:
        _start()()
    except KeyboardInterrupt:
        typer.echo("Interrupted; what was acknowledged is kept.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:  # noqa: BLE001 - the rim: whatever it was, the user gets words and not a traceback
        typer.echo(
            f"Holdfast could not go on.\nSomething unforeseen happened: {type(error).__name__}.\n"
            "Next: try again; if it stays, check the installation with: holdfast fsck",
            err=True,
        )
        sys.exit(1)
