"""Commands that start and keep an installation: init, serve, login, fsck, projections."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer
from rich.markup import escape

from holdfast.cli.connection import TOKEN_FILE, Connection, Remote, enrol, enrolled, lock, write_private
from holdfast.cli.output import fail, out, print_json, run, settings
from holdfast.kernel.errors import BadInputError, HoldfastError, UnavailableError

JsonOption = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]


def init(
    account: Annotated[str, typer.Argument(help="your account name: lower case letters, digits, dot, dash")],
) -> None:
    """Make this machine's installation and its first administrator, and enrol you on this machine."""
    from holdfast.wiring import build  # noqa: PLC0415 - the application is heavy

    try:
        chosen = settings()
        held = lock(chosen)
        app = build(chosen)
        try:
            if app.states.installation().accounts:
                raise BadInputError(
                    "already-initialised",
                    "Nothing was changed.",
                    why=f"There is an installation already; enrolled here: {enrolled(chosen) or 'nobody'}.",
                    next_step="Go on with: holdfast",
                )
            app.add_first_account(account)
            enrol(chosen, account)
        finally:
            app.close()
            import os  # noqa: PLC0415 - only here

            os.close(held)
    except HoldfastError as error:
        fail(error)
    out().print(f"Holdfast is ready in {escape(str(chosen.data))}; keys are in {escape(str(chosen.keys))}.")
    out().print('Declare an incident: [bold]holdfast declare "what happened"[/]')
    out().print(f"A link to sign in on the pages, once: [bold]holdfast account invite {escape(account)}[/]")
    out().print("Then serve the pages: [bold]holdfast serve[/]")


def serve() -> None:
    """Serve API and pages on this machine; prints a one-time sign-in link at first start."""
    import uvicorn  # noqa: PLC0415 - only the server needs it

    from holdfast.web.app import create_app  # noqa: PLC0415 - the application is heavy
    from holdfast.wiring import build  # noqa: PLC0415 - likewise

    try:
        chosen = settings()
        lock(chosen)
        host, port = chosen.listen
        listener = _listen(host, port)
        app = build(chosen)
    except HoldfastError as error:
        fail(error)
    link = app.first_run_link()
    out().print(f"Holdfast serves {escape(chosen.url)} (listening on {host}:{port}).")
    if link is not None:
        out().print("First start: open this link once, within 24 hours, to make the first administrator:")
        typer.echo(f"{chosen.url}/welcome#{link}")
    elif not any(one.enrolled for one in app.states.installation().accounts.values()):
        out().print("Nobody can sign in on the pages yet. Stop this, then make a link that works once:")
        out().print(f"  holdfast account invite {escape(enrolled(chosen) or 'NAME')}", soft_wrap=True)
    sys.stdout.flush()
    config = uvicorn.Config(
        create_app(app), log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        app.close()


def login(
    url: Annotated[str, typer.Argument(help="address of the server")] = "",
    account: Annotated[str, typer.Option(help="account name")] = "",
) -> None:
    """Log in to a server with password and code; keeps an API token in a file only you can read."""
    try:
        chosen = settings()
        address = (url or chosen.server or chosen.url).rstrip("/")
        name = account or typer.prompt("Account")
        password = typer.prompt("Password", hide_input=True)
        code = typer.prompt("Code")
        server = Remote(address, None)
        try:
            token = server.request(
                "POST",
                "/login",
                body={"account": name, "password": password, "code": code, "label": socket.gethostname()},
            )["token"]
        finally:
            server.close()
        import json  # noqa: PLC0415 - only here

        write_private(chosen.keys / TOKEN_FILE, json.dumps({"token": token, "url": address}))
    except HoldfastError as error:
        fail(error)
    out().print(f"Logged in to {escape(address)} as {escape(name)}.")


def logout() -> None:
    """Forget the login of this machine; commands then work on this machine's own installation."""
    path = settings().keys / TOKEN_FILE
    existed = path.exists()
    path.unlink(missing_ok=True)
    out().print(
        "Logged out. The token lapses by itself; revoke it with: holdfast token revoke"
        if existed
        else "You were not logged in."
    )


def me(*, as_json: JsonOption = False) -> None:
    """Say who you are here, and where."""

    def ask(server: Connection) -> tuple[str, dict[str, object]]:
        return server.place, server.request("GET", "/me")

    place, answer = run(ask, as_json=as_json)
    if as_json:
        print_json(answer)
    else:
        out().print(f"{answer['account']} on {escape(place)}: {', '.join(answer['roles'])}")


def fsck(*, as_json: JsonOption = False) -> None:
    """Check record, projections and vault, and name every fault (on the machine that holds the data)."""
    from holdfast.app.checking import check  # noqa: PLC0415 - the application is heavy
    from holdfast.wiring import build  # noqa: PLC0415 - likewise

    try:
        chosen = settings()
        lock(chosen)
        app = build(chosen)
        try:
            report = check(app, progress=_progress)
        finally:
            app.close()
    except HoldfastError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(report.as_json())
    else:
        for fault in report.faults:
            out().print(f"[bold red]{escape(fault.place)}[/]: {escape(fault.what)}")
        out().print(
            f"{report.incidents} incidents, {report.events} events, {report.texts} texts, {report.objects} objects: "
            + ("no fault." if not report.faults else f"{len(report.faults)} faults.")
        )
    raise typer.Exit(9 if report.faults else 0)


def rebuild() -> None:
    """Drop every projection and fold it anew from the record."""
    from holdfast.wiring import build  # noqa: PLC0415 - the application is heavy

    try:
        chosen = settings()
        lock(chosen)
        app = build(chosen)
        try:
            count = app.rebuild_projections()
        finally:
            app.close()
    except HoldfastError as error:
        fail(error)
    out().print(f"Rebuilt the projections of {count} incidents.")


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rchecking {done} of {total}")
        if done == total:
            sys.stderr.write("\n")
        sys.stderr.flush()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP by name: asyncio sets TCP_NODELAY only where it sees the protocol, and without it answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise UnavailableError(
            "address-in-use",
            "Holdfast does not start.",
            why=f"{host}:{port} cannot be listened on: {error.strerror}.",
            next_step="Stop what uses it, or choose another: HOLDFAST_LISTEN=127.0.0.1:8301 holdfast serve",
        ) from None
    return listener
