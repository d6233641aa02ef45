"""``holdfast capture``: a file, a folder, standard input, or a command's output becomes evidence."""

from __future__ import annotations

import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast import __version__
from holdfast.app.capturing import Captured, Capturer, Collector, Labels
from holdfast.app.ports_capture import Collected, CommandOrder
from holdfast.app.ports_vault import ByteSource, Stored
from holdfast.cli.connection import Connection
from holdfast.cli.output import err, out, print_json, run
from holdfast.exposure.formats import shipped
from holdfast.exposure.inputs import scan
from holdfast.kernel.errors import BadInputError

_KEY = os.urandom(32)
"""Fingerprints in redacted arguments need no meaning beyond this run."""


class ServerSink:
    """Uploads through the connection, one request at a time."""

    def __init__(self, server: Connection, incident: str) -> None:
        """Capture into this incident."""
        self._server = server
        self._incident = incident

    def put(self, stream: ByteSource, size_hint: int | None, /) -> Stored:
        """Upload one object."""
        del size_hint
        answer = self._server.upload(f"/incidents/{self._incident}/objects", stream)
        return Stored(answer["sha256"], answer["size"])

    def register(self, found: Collected, /) -> str:
        """Record the item."""
        answer = self._server.request(
            "POST", f"/incidents/{self._incident}/evidence/add", body=found.as_json(), key=str(uuid.uuid4())
        )
        return str(answer["result"]["evidence_id"])


def capture(  # noqa: PLR0913 - each is an option
    incident: Annotated[str, typer.Argument(metavar="INC", help="incident id, such as INC-2026-0042")],
    path: Annotated[str | None, typer.Argument(help="file or folder; - for standard input")] = None,
    *,
    command: Annotated[
        list[str] | None, typer.Option("--command", help="program and its arguments, one option for each word")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="log, screenshot, ticket, command_history, file, export or other")
    ] = None,
    name: Annotated[str | None, typer.Option(help="what to call it, if not by its file name")] = None,
    source: Annotated[str | None, typer.Option(help="volatile source it came from (F5), such as cloud_audit")] = None,
    timeout: Annotated[float | None, typer.Option(help="seconds after which the command is ended")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> None:
    """Capture evidence before anything is changed: a file, a folder, standard input, or a command's output."""
    labels = Labels(kind, name, None, source)  # type: ignore[arg-type]  # the server refuses an unknown kind

    def take(server: Connection) -> Captured:
        collector = Collector("holdfast-cli", __version__)
        capturer = Capturer(ServerSink(server, incident), lambda: datetime.now(UTC), collector, _progress)
        if command:
            from holdfast.wiring import command_runner  # noqa: PLC0415 - wiring imports everything

            order = CommandOrder(command, dict(os.environ), os.getcwd(), timeout)  # noqa: PTH109 - as text
            return capturer.command(order, labels, command_runner(), _redact)
        if path is None:
            raise BadInputError(
                "nothing-to-capture",
                "Nothing was captured.",
                why="Neither a path nor a command was named.",
                next_step=f"holdfast capture {incident} PATH   or: holdfast capture {incident} --command uptime",
            )
        return capturer.stream(sys.stdin.buffer, labels) if path == "-" else capturer.path(Path(path), labels)

    taken = run(take, as_json=as_json)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    _show(incident, taken, as_json=as_json)


def _show(incident: str, taken: Captured, *, as_json: bool) -> None:
    told: dict[str, Any] = {
        "contents": taken.contents,
        "evidence": taken.evidence_id,
        "exit_status": taken.exit_status,
        "incident": incident,
        "sha256": taken.sha256,
        "shortfalls": list(taken.shortfalls),
        "size": taken.size,
        "unread": list(taken.unread),
    }
    if as_json:
        print_json(told)
    else:
        out().print(f"[bold]{escape(taken.evidence_id)}[/] {taken.size:,} bytes, SHA-256 {taken.sha256}")
        if taken.contents:
            out().print(f"  {taken.contents} files, {taken.contents_size:,} bytes in all")
        if taken.exit_status is not None:
            out().print(f"  the command ended with status {taken.exit_status}")
    if taken.shortfalls:
        err().print(f"[bold red]Incomplete:[/] {escape(', '.join(taken.shortfalls))}")
        for line in taken.unread[:20]:
            err().print(f"  {escape(line)}")
        raise typer.Exit(3)


def _redact(argument: str) -> str:
    return scan(argument, shipped(), _KEY).text


def _progress(done: int, items: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rcapturing: {items} items, {done >> 10:,} KiB")
        sys.stderr.flush()
