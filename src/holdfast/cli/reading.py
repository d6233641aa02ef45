"""Commands that read: what is open, one incident, its timeline, evidence, accounts, the gate."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from holdfast.cli.connection import connect
from holdfast.cli.output import EXIT_CODES, err, fail, out, print_json, run, settings, table
from holdfast.kernel.errors import BadInputError, HoldfastError

JsonOption = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]
Inc = Annotated[str, typer.Argument(metavar="INC", help="incident id, such as INC-2026-0042")]
OnUnknown = Annotated[Literal["stop", "go"], typer.Option(help="what a pipeline does when nobody can tell")]


def overview(*, as_json: bool = False) -> None:
    """What is open and what is overdue (also: holdfast without a command)."""
    answer = run(lambda server: server.request("GET", "/incidents"), as_json=as_json)
    if as_json:
        print_json(answer)
        return
    found = answer["incidents"]
    if not found:
        out().print("No incident is open.")
        out().print('Declare one: [bold]holdfast declare "what happened"[/]')
        return
    _incident_table(found)
    late = [one for one in found if one["overdue"] or one["commander"] is None]
    for one in late:
        what = "no commander" if one["commander"] is None else f"update overdue since {one['next_update_at']}"
        out().print(f"[bold red]{escape(one['incident'])}[/]: {escape(what)}")
    out().print(f"Look closer: [bold]holdfast show {escape(found[0]['incident'])}[/]")


def list_incidents(
    *,
    status: Annotated[Literal["open", "closed", "any"], typer.Option(help="which ones")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=200, help="at most")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List incidents you may see, newest first."""
    params = {"status": status, "limit": limit}
    answer = run(lambda server: server.request("GET", "/incidents", params=params), as_json=as_json)
    if as_json:
        print_json(answer)
    elif answer["incidents"]:
        _incident_table(answer["incidents"])
    else:
        out().print(f"No incident is {status}." if status != "any" else "There is no incident yet.")


def show(incident: Inc, *, as_json: JsonOption = False) -> None:
    """Show the command post of an incident: header, clocks, board, what is missing."""
    answer = run(lambda server: server.request("GET", f"/incidents/{incident}/post"), as_json=as_json)
    if as_json:
        print_json(answer)
        return
    _header(answer["header"])
    out().print()
    rows = [
        (
            line["id"],
            line["name"],
            (line["owner"] or {}).get("owner", "—"),
            line["standing"] + (" LATE" if line["late"] else ""),
        )
        for line in answer["board"]
    ]
    table(("", "First 15 minutes", "Owner", "State"), rows)
    out().print()
    running = [clock for clock in answer["clocks"] if clock["running"]]
    table(
        ("Clock", "Due", ""),
        [(clock["name"], clock["until"] or "—", "OVERDUE" if clock["overdue"] else "") for clock in running],
    )
    for nag in answer["nags"]:
        mark = "[bold red]![/]" if nag["red"] else "-"
        out().print(f"{mark} {escape(nag['what'])}  [dim]{escape(nag['next_command'])}[/]")


def board(incident: Inc, *, as_json: JsonOption = False) -> None:
    """Show the first fifteen minutes with every part: how it stands, who settled it, and why."""
    path = f"/incidents/{incident}"
    answer = run(lambda server: server.request("GET", f"{path}/post"), as_json=as_json)
    if as_json:
        print_json(answer["board"])
        return
    rows = []
    for line in answer["board"]:
        owner = (line["owner"] or {}).get("owner", "—")
        rows.append((line["id"], line["name"], line["standing"] + (" LATE" if line["late"] else ""), owner))
        for part in line["parts"]:
            why = ", ".join(part["citations"]) or (part["reason"] or {}).get("text", "")
            rows.append(("", f"  {part['name']}", part["standing"].replace("_", " "), f"{part['by']} {why}".strip()))
    table(("", "First 15 minutes", "State", "Who, citing or because"), rows)


def room(incident: Inc, *, as_json: JsonOption = False) -> None:
    """Read the incident's room: its messages and decisions, oldest first."""
    params = {"kind": ["message", "decision"]}
    answer = run(
        lambda server: server.request("GET", f"/incidents/{incident}/timeline", params=params), as_json=as_json
    )
    if as_json:
        print_json(answer)
    elif answer["entries"]:
        _print_entries(answer["entries"])
    else:
        out().print("Nobody has written here yet.")
        out().print(f'Write: [bold]holdfast message post {escape(incident)} "…"[/]')


def state(incident: Inc) -> None:
    """Print everything the record says now, as JSON."""
    print_json(run(lambda server: server.request("GET", f"/incidents/{incident}"), as_json=True))


def timeline(
    incident: Inc,
    *,
    kind: Annotated[list[str] | None, typer.Option(help="only these kinds (repeat for several)")] = None,
    words: Annotated[str, typer.Option(help="only entries with these words")] = "",
    order: Annotated[Literal["record", "time"], typer.Option(help="as recorded, or as it happened")] = "time",
    follow: Annotated[bool, typer.Option("--follow", help="go on as new entries come")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the timeline, one sentence an entry."""
    params: dict[str, Any] = {"order": order, "words": words, **({"kind": kind} if kind else {})}
    path = f"/incidents/{incident}/timeline"
    answer = run(lambda server: server.request("GET", path, params=params), as_json=as_json)
    if as_json and not follow:
        print_json(answer)
        return
    _print_entries(answer["entries"])
    while follow:
        time.sleep(1)
        params["after"] = answer["version"]
        answer = run(lambda server: server.request("GET", path, params=params), as_json=as_json)
        _print_entries(answer["entries"])


def evidence(incident: Inc, *, as_json: JsonOption = False) -> None:
    """List the evidence of an incident with its custody."""
    answer = run(lambda server: server.request("GET", f"/incidents/{incident}"), as_json=as_json)
    items = answer["evidence"]["items"]
    if as_json:
        print_json(items)
        return
    if not items:
        out().print("No evidence yet. It belongs here first, before anything is changed.")
        out().print(f"Capture some: [bold]holdfast capture {escape(incident)} PATH[/]")
        return
    rows = [
        (
            key,
            item["kind"],
            item["name"]["text"],
            f"{item['size']:,}",
            item["sha256"][:12],
            item["custodian"],
            item["standing"],
        )
        for key, item in items.items()
    ]
    table(("", "Kind", "Name", "Bytes", "SHA-256", "Custodian", ""), rows)


def accounts(*, as_json: JsonOption = False) -> None:
    """List accounts, their roles and qualifications."""
    answer = run(lambda server: server.request("GET", "/accounts"), as_json=as_json)
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            one["name"],
            one["kind"],
            ", ".join(one["roles"]),
            ", ".join(one["qualified"]) or "—",
            "" if one["active"] else "inactive",
        )
        for one in answer["accounts"]
    ]
    table(("Account", "Kind", "Roles", "Qualified for", ""), rows)


def tokens(*, as_json: JsonOption = False) -> None:
    """List API tokens."""
    answer = run(lambda server: server.request("GET", "/tokens"), as_json=as_json)
    if as_json:
        print_json(answer)
        return
    rows = [(one["token_id"], one["account"], ", ".join(one["scopes"]), one["expires_at"]) for one in answer["tokens"]]
    table(("Id", "Account", "Scopes", "Lapses"), rows)


def gate(
    *,
    scope: Annotated[str, typer.Option(help="what the change touches: a slash path such as prod/payments")],
    containment_pass: Annotated[
        str | None, typer.Option("--pass-file", help="file with a containment pass; - for standard input")
    ] = None,
    pipeline: Annotated[str, typer.Option(help="name of the asking pipeline, as the pass was issued to")] = "",
    on_unknown: OnUnknown = "stop",
    as_json: JsonOption = False,
) -> None:
    """Ask whether a destructive change may go ahead: exit 0 go, 10 frozen, 11 cannot tell."""
    try:
        server = connect(settings())
        try:
            if containment_pass is None:
                answer = server.request("GET", "/gate", params={"scope": scope})
            else:
                body = {"scope": scope, "containment_pass": _read_pass(containment_pass), "pipeline": pipeline}
                answer = server.request("POST", "/gate", body=body)
        finally:
            server.close()
    except HoldfastError as error:
        if on_unknown == "go" and error.retry_helps:
            err().print(f"[yellow]Cannot tell: {escape(error.why)}[/] Going on, as --on-unknown says.")
            return
        if error.retry_helps:
            err().print(f"[bold red]Cannot tell:[/] {escape(error.why)}")
            raise typer.Exit(11) from None
        fail(error, as_json=as_json)
    code = int(answer["exit_code"])
    if as_json:
        print_json(answer)
    else:
        out().print(escape(answer["words"]))
        if answer["reason"]:
            out().print(escape(answer["reason"]))
    unknown = answer["verdict"] == "unknown"
    raise typer.Exit(0 if unknown and on_unknown == "go" else code)


def exit_codes() -> None:
    """Explain the exit codes."""
    table(("Code", "Meaning"), [(str(code), meaning) for code, meaning in EXIT_CODES.items()])


def _read_pass(path: str) -> str:
    try:
        return (sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            "pass-file-unreadable",
            "The gate was not asked.",
            why=f"The pass file cannot be read: {type(error).__name__}.",
            next_step="Give the file that the pass was saved to: holdfast gate --scope SCOPE --pass-file FILE",
        ) from None


def _incident_table(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            one["incident"],
            (one["severity"] or "—") + (" prov." if one["provisional"] else ""),
            one["status"],
            (one["commander"] or "NOBODY") + (" (acting)" if one["acting"] else ""),
            one["codename"] or one["name"],
        )
        for one in found
    ]
    table(("Incident", "Severity", "Status", "Commander", "Name"), rows)


def _header(header: dict[str, Any]) -> None:
    console = out()
    kind = "EXERCISE " if header["kind"] == "exercise" else ""
    name = (header["name"] or {}).get("text", "")
    provisional = " provisional" if header["provisional"] else ""
    console.print(f"[bold]{kind}{escape(header['incident'])}[/]  {escape(name)}")
    commander = header["commander"] or "[bold red]nobody[/]"
    acting = " (acting)" if header["acting"] else ""
    console.print(f"{header['severity']}{provisional} · {header['status']} · commander {commander}{acting}")
    impact = ", ".join(f"{key.replace('_', ' ')} {answer}" for key, answer in header["impact"].items())
    console.print(f"Impact: {escape(impact)}")
    if header["next_update"]:
        console.print(f"Next update: {header['next_update']['until']}")
    for late in header["overdue"]:
        console.print(f"[bold red]Overdue:[/] {escape(late)}")


def _print_entries(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        when = entry["occurred_at"][:19].replace("T", " ")
        out().print(f"[dim]{when}Z[/] [bold]#{entry['seq']}[/] {escape(entry['sentence'])}", soft_wrap=True)
