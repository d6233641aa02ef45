"""What the terminal shows: answers on standard output, progress and errors on standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from holdfast.app.queries.unmasking import unmasked
from holdfast.app.settings import Settings, load
from holdfast.kernel.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.cli.connection import Connection

EXIT_CODES: Mapping[int, str] = {
    0: "done; for the gate: go",
    1: "something unforeseen went wrong",
    2: "the input does not fit",
    3: "incomplete: a source could not be read whole",
    4: "not signed in, or not permitted",
    5: "there is no such thing for you",
    6: "conflict: somebody changed it first",
    7: "a rule of the runbook refuses it; for an exposure search with --fail-if-found: found",
    8: "busy or out of reach; trying again helps",
    9: "damaged: a proof failed",
    10: "for the gate: frozen",
    11: "for the gate: cannot tell, and --on-unknown says stop",
}
"""One table for the whole product."""

_PLAIN = bool(os.environ.get("NO_COLOR"))


_OVERWRITING = re.compile(r"\r(?!\n)")


class Guarded(Console):
    """A console on which nobody's words steer the terminal: only our own styles become escape sequences."""

    def render_str(self, text: str, **more: Any) -> Text:  # noqa: ANN401 - handed on as it comes
        """The text with deceiving characters named, as on the pages; every string shown passes here."""
        return super().render_str(unmasked(text), **more)


def out() -> Console:
    """Standard output; colour only on a terminal."""
    return Guarded(no_color=_PLAIN, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Standard error."""
    return Guarded(stderr=True, no_color=_PLAIN, highlight=False, emoji=False, soft_wrap=not sys.stderr.isatty())


def words(text: str) -> None:
    """Somebody's words on standard output: exactly as they are for a file or a program, harmless on a terminal."""
    # Not by click, which takes from a text for a program whatever looks like colour.
    sys.stdout.write((_OVERWRITING.sub("[U+000D]", unmasked(text)) if sys.stdout.isatty() else text) + "\n")


def settings() -> Settings:
    """The settings of this run."""
    return load(os.environ)


def fail(error: HoldfastError, *, as_json: bool = False) -> NoReturn:
    """Show an error's four sentences and leave with its exit code."""
    if as_json:
        told = {
            "code": error.code,
            "details": error.details,
            "exit_code": error.exit_code,
            "next_step": error.next_step,
            "retry_helps": error.retry_helps,
            "what": error.what,
            "why": error.why,
        }
        typer.echo(json.dumps(told, ensure_ascii=False), err=True)
    else:
        console = err()
        console.print(f"[bold red]{escape(error.what)}[/]")
        console.print(escape(error.why))
        if error.retry_helps:
            console.print("Trying again helps.")
        console.print(f"[bold]Next:[/] {escape(error.next_step)}")
    raise typer.Exit(error.exit_code)


def connect(given: Settings) -> Connection:
    """The server, or this machine."""
    from holdfast.cli import connection  # noqa: PLC0415 - slow to load, and not every command connects

    return connection.connect(given)


def run(action: Callable[[Connection], Any], *, as_json: bool) -> Any:  # noqa: ANN401 - whatever the action gives
    """Connect, do it, close; our errors end the command properly."""
    try:
        connection = connect(settings())
        try:
            return action(connection)
        finally:
            connection.close()
    except HoldfastError as error:
        fail(error, as_json=as_json)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table that fits the terminal."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row))
    out().print(shown)


def notices(found: Sequence[Mapping[str, str]]) -> None:
    """Tell the author what was taken out of the text."""
    for notice in found:
        err().print(
            f"[yellow]A secret in {escape(notice['field'])} was not stored[/] "
            f"({escape(notice['rule'])}, fingerprint {escape(notice['fingerprint'])})."
        )
