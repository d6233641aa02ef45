"""The ``holdfast`` command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from holdfast import __version__
from holdfast.app import commands
from holdfast.cli import asking, capturing, generated, investigating, keeping, packing, reading, sections

_READING: Mapping[str, Callable[..., None]] = {
    "list": reading.list_incidents,
    "show": reading.show,
    "state": reading.state,
    "gate": reading.gate,
    "gates": sections.closure,
    "measures": sections.measures,
    "exit-codes": reading.exit_codes,
}
_KEEPING: Mapping[str, Callable[..., None]] = {
    "init": keeping.init,
    "serve": keeping.serve,
    "login": keeping.login,
    "logout": keeping.logout,
    "me": keeping.me,
    "fsck": keeping.fsck,
    "rebuild": keeping.rebuild,
}
_EVIDENCE: Mapping[str, Callable[..., None]] = {
    "capture": capturing.capture,
    "investigate": investigating.investigate_command,
    "sql": asking.sql,
    "pack": packing.pack,
    "verify": packing.verify,
}


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="holdfast",
        help="The security incident response runbook that runs.",
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        add_completion=True,
        rich_markup_mode=None,
    )

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
    for name, function in {**_READING, **_KEEPING, **_EVIDENCE}.items():
        app.command(name)(function)
    lists: tuple[tuple[str, str, Callable[..., None]], ...] = (
        ("evidence", "list", reading.evidence),
        ("timeline", "show", reading.timeline),
        ("board", "show", reading.board),
        ("message", "list", reading.room),
        ("account", "list", reading.accounts),
        ("token", "list", reading.tokens),
        ("question", "list", sections.questions),
        ("play", "show", sections.play),
        ("claim", "list", sections.claims),
        ("update", "list", sections.updates),
        ("update", "show", sections.update),
        ("closure", "show", sections.closure),
        ("review", "show", sections.review),
    )
    for name, word, function in lists:
        generated.group(app, groups, name).command(word)(function)
    return app


def run() -> None:
    """Entry point: no traceback ever reaches a user."""
    try:
        build()()
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
