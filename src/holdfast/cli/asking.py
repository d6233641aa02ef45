"""``holdfast sql``: read-only SQL over an activity table, and saved questions."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast.app.inquiries import table_names
from holdfast.cli.output import err, fail, out, print_json, run, table
from holdfast.investigation.exports import neutral
from holdfast.investigation.saved import saved, saved_named
from holdfast.kernel.errors import BadInputError, HoldfastError


def sql(  # noqa: PLR0913 - each is an option
    query: Annotated[
        str | None, typer.Argument(metavar="SQL", help="one SELECT; - reads it from standard input")
    ] = None,
    *,
    incident: Annotated[
        str | None, typer.Option(metavar="INC", help="ask this incident's newest activity table")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--table", help="ask the table that holdfast investigate --keep FOLDER left")
    ] = None,
    question: Annotated[str | None, typer.Option("--saved", help="run a saved question by its id")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--with", help="text for a parameter, NAME=VALUE (repeat for several)")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="list the saved questions")] = False,
    tables: Annotated[bool, typer.Option("--tables", help="list the tables there are")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="rows of the answer")] = 1000,
    timeout: Annotated[float, typer.Option(help="seconds after which it is ended")] = 30.0,
    as_csv: Annotated[bool, typer.Option("--csv", help="print the answer as CSV")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> None:
    """Ask the activity table in SQL; nothing it runs can write, read other files, or reach the network."""
    try:
        if listed:
            _list(as_json=as_json)
            return
        if tables:
            _tables(incident, folder, as_json=as_json)
            return
        parameters = dict(_pair(one) for one in given or ())
        text = _text(query, question)
        if incident is not None:
            body = {"sql": text, "parameters": parameters, "limit": limit, "timeout_s": timeout}
            told = run(lambda server: server.request("POST", f"/incidents/{incident}/sql", body=body), as_json=as_json)
        else:
            told = _alone(folder, text, parameters, limit, timeout)
    except HoldfastError as error:
        fail(error, as_json=as_json)
    _show(told, as_csv=as_csv, as_json=as_json)


def _alone(folder: Path | None, text: str, parameters: Mapping[str, str], limit: int, timeout: float) -> dict[str, Any]:
    from holdfast.wiring import asker  # noqa: PLC0415 - wiring imports everything

    found = asker(_named(folder))(text, parameters, limit=limit, timeout_s=timeout)
    columns = [{"name": name, "type": kind} for name, kind in found.columns]
    return {"columns": columns, "rows": [list(row) for row in found.rows], "cut": found.cut, "seconds": found.seconds}


def _tables(incident: str | None, folder: Path | None, *, as_json: bool) -> None:
    if incident is not None:
        told = run(lambda server: server.request("GET", f"/incidents/{incident}/sql"), as_json=as_json)
        names = list(told["tables"])
    else:
        names = table_names(_named(folder))
    if as_json:
        print_json(names)
        return
    out().print("\n".join(names))
    out().print('Its columns: [bold]holdfast sql … "DESCRIBE SELECT * FROM activity"[/]')


def _named(folder: Path | None) -> Path:
    if folder is None:
        raise BadInputError(
            "table-not-named",
            "The question was not asked.",
            why="Neither an incident nor a kept activity table was named.",
            next_step='holdfast investigate PATH --keep FOLDER   then: holdfast sql --table FOLDER "SELECT …"',
        )
    return folder


def _show(told: Mapping[str, Any], *, as_csv: bool, as_json: bool) -> None:
    names = [one["name"] for one in told["columns"]]
    if as_json:
        print_json(told)
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows([neutral(cell) for cell in row] for row in told["rows"])
    else:
        _table(names, [["" if cell is None else str(cell) for cell in row] for row in told["rows"]])
        out().print(f"[dim]{len(told['rows']):,} rows in {told['seconds']:.2f} s[/]")
    if told["cut"] and not as_json:
        err().print(
            f"[yellow]There is more than was printed[/]: cut at its {told['cut']}; narrow it, or raise --limit."
        )


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table where it fits the terminal, otherwise one block a row."""
    widths = [max(len(name), *(len(row[place]) for row in rows)) if rows else 0 for place, name in enumerate(names)]
    if sum(widths) + 2 * len(widths) <= out().width:
        table(names, rows)
        return
    indent = max(len(name) for name in names)
    for number, row in enumerate(rows, 1):
        out().print(f"[dim]{number}[/]")
        for name, cell in zip(names, row, strict=True):
            if cell:
                out().print(f"  [bold]{escape(name.ljust(indent))}[/]  {escape(cell)}")


def _list(*, as_json: bool) -> None:
    if as_json:
        print_json([{"id": one.id, "title": one.title, "why": one.why, "sql": one.sql} for one in saved()])
        return
    rows: list[Sequence[str]] = []
    for one in saved():
        wanted = " ".join(f"--with {each.name}={each.example}" for each in one.parameters)
        rows.append((one.id, one.title, wanted))
    table(("id", "question", "parameters"), rows)
    out().print("Run one: [bold]holdfast sql --table FOLDER --saved ID[/]")


def _text(query: str | None, question: str | None) -> str:
    if (query is None) == (question is None):
        raise BadInputError(
            "question-missing",
            "The question was not asked.",
            why="It takes either SQL or --saved ID.",
            next_step='Try: holdfast sql --table FOLDER "SELECT source, count(*) FROM activity GROUP BY source"',
        )
    if question is not None:
        return saved_named(question).sql
    return sys.stdin.read() if query == "-" else str(query)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise BadInputError(
            "parameter-not-understood",
            "The question was not asked.",
            why=f"{escape(text[:60])} is not NAME=VALUE.",
            next_step="Write it like --with address=203.0.113.9",
        )
    return name, value
