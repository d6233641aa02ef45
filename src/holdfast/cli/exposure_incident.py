"""An exposure search and an incident: a report is handed in, and what it left to do is listed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast.cli.output import err, out, print_json, run, table

_SHOWN = 12
"""Lines of a group that are printed; all of them are in the page and in ``worklist.csv``."""
Inc = Annotated[str, typer.Argument(metavar="INC", help="incident id, such as INC-2026-0042")]
PlacesOption = Annotated[bool, typer.Option("--places", help="list every place instead of what to do")]
JsonOption = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]


def hand_in(incident: str, report_lines: Iterable[Mapping[str, Any]], *, as_json: bool) -> dict[str, Any]:
    """Hand a finished report in to an incident; it becomes evidence and an entry on the timeline.

    Call it once the search is over, also when it was broken off: the last line then says that it is incomplete. What
    is told goes to standard error, so that standard output stays the report's own.

    Args:
        incident: such as ``INC-2026-0042``.
        report_lines: what ``--json`` prints, an object each, the last of the kind ``end``
            (:meth:`holdfast.app.exposing.Report.lines`). They hold no secret.
        as_json: whether a refusal is printed as JSON.

    Returns:
        The kept report as ``GET …/exposure`` tells it: ``evidence_id``, ``headline``, ``places``, ``worklist``, ….

    Leaves the program with the refusal's exit code when the server does not take it.
    """
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in report_lines).encode("utf-8", "replace")
    told: dict[str, Any] = run(
        lambda server: server.upload(f"/incidents/{incident}/exposure/report", BytesIO(data)), as_json=as_json
    )
    err().print(f"Kept as [bold]{told['evidence_id']}[/] of {escape(incident)}. {escape(told['headline'])}")
    err().print(f"[bold]Next:[/] holdfast exposure list {escape(incident)}")
    return told


def list_exposure(incident: Inc, *, places: PlacesOption = False, as_json: JsonOption = False) -> None:
    """List what a leaked secret leaves to do, or every place it got to, by the incident's newest report."""
    answer: dict[str, Any] = run(
        lambda server: server.request("GET", f"/incidents/{incident}/exposure"), as_json=as_json
    )
    if as_json:
        print_json(answer)
        return
    _tell_running(answer)
    told = answer["result"]
    if told is None:
        out().print("Nobody has searched yet where the secret got to.")
        _next(f"holdfast exposure search --secret-stdin --incident {incident} TARGET")
        return
    mark = "" if told["complete"] else "[yellow]incomplete[/] "
    out().print(f"{mark}[bold]{escape(told['headline'])}[/] [dim]{told['evidence_id']}, as of {told['at']}[/]")
    if places:
        _tell_places(told["places"])
    else:
        _tell_work(told["worklist"])
    _tell_targets(told["targets"])
    _next(f"holdfast exposure adopt {incident} play-1 --evidence {told['evidence_id']}")


def _tell_running(answer: Mapping[str, Any]) -> None:
    running, failed = answer["running"], answer["failed"]
    if running is not None:
        out().print(f"Running: {running['percent']} %, {escape(running['what'])} (started by {escape(running['by'])}).")
    if failed is not None:
        err().print(f"[yellow]{escape(failed['what'])}[/] {escape(failed['why'])}")


def _tell_work(worklist: Mapping[str, Any]) -> None:
    for group in worklist["groups"]:
        out().print()
        out().print(f"[bold]{group['step']} {escape(group['title'])}[/] [dim]{escape(group['note'])}[/]")
        for one in group["works"][:_SHOWN]:
            out().print(f"  {one['urgency']:<5}{escape(one['what'])}: {escape(one['where'])}{_hits(one)}")
            out().print(f"       [dim]{escape(one['why'])}[/]")
        if len(group["works"]) > _SHOWN:
            out().print(f"       and {len(group['works']) - _SHOWN:,} more: --json, or worklist.csv on the page")
    out().print()


def _tell_places(places: list[dict[str, Any]]) -> None:
    rows = [
        (
            f"{one['target']}: {one['name']}",
            one["visibility"],
            one["still"],
            f"{one['first']} ({one['basis']})" if one["first"] else "not known",
        )
        for one in places
    ]
    table(("Place", "Exposure", "Still", "Since"), rows)


def _tell_targets(targets: list[dict[str, Any]]) -> None:
    for one in targets:
        area = (one["area"] or "of no part of LS2: say which with --covers PART=NUMBER").replace("_", " ")
        state = "searched completely" if one["complete"] else "[yellow]not searched completely[/]"
        out().print(f"[dim]Target {one['number']}:[/] {escape(one['target'])}, {state} [dim]({escape(area)})[/]")


def _hits(one: Mapping[str, Any]) -> str:
    if not one["hits"]:
        return ""
    more = len(one["hits"]) - 5 + one["more_hits"]
    return f" [dim](hits {', '.join(map(str, one['hits'][:5]))}{f' and {more:,} more' if more > 0 else ''})[/]"


def _next(command: str) -> None:
    out().print(f"[bold]Next:[/] {escape(command)}")
