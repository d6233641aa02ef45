"""A page of sample data with every piece of the web's look, and a small server that answers as the real one does.

It exists to judge the pieces by themselves: with scripts, without, on a phone, on paper, over a bad line.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import uvicorn
from pydantic import Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from holdfast.app.commanding import Cites, IncidentCommand, Instant, Key, Line, Prose, UseCase
from holdfast.kernel.errors import ConflictError
from holdfast.web import assets
from holdfast.web.forms import Frame, Offer, form_view, parse_form
from holdfast.web.rendering import PAGES, environment

HERE = Path(__file__).parent
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ZONE = "Europe/Berlin"


class Declare(IncidentCommand):
    """Declare an incident."""

    title: Line = Field(description="what happened, in one line")
    report: Prose | None = Field(default=None, description="the report, word for word")
    answers: dict[Key, Literal["no", "unknown", "suspected", "confirmed"]] = Field(description="what is known of each")
    kind: Literal["real", "exercise"] = Field(default="real", description="an exercise has its own numbers")
    noticed_at: Instant | None = Field(default=None, description="when it was first noticed")
    cites: Cites = Field(default=[], description="what proves it")
    page_executive: bool = Field(default=False, description="page the duty executive")


class Claim(IncidentCommand):
    """Claim a task."""

    note: Line | None = Field(default=None, description="what you will do first")


def case(command: type[IncidentCommand], path: str) -> UseCase:
    """A use case that is registered nowhere."""
    return UseCase(path, command, lambda *_: None, "read", None, (), (), __name__)


class Gallery:
    """What the sample server holds: posts by idempotency key, board rows, and how it should misbehave."""

    def __init__(self) -> None:
        self.saved: dict[str, dict[str, str]] = {}
        self.posts = 0
        self.lose = 0
        """So many posts are carried out, but their answers are lost."""
        self.conflict = False
        self.owner = ""
        self.streams = 0
        self.editing: list[str] = []
        self.reads = 0
        self.watchers: set[asyncio.Queue[str]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.pages = environment((HERE, PAGES), static_root="/static")

    def change(self, owner: str) -> None:
        """Somebody else takes a row; all watchers are told."""
        self.owner = owner
        self.tell("changed", {"version": 9})

    def tell(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to all watchers."""
        assert self.loop is not None
        for queue in self.watchers:
            self.loop.call_soon_threadsafe(
                queue.put_nowait, f"event: {name}\ndata: {json.dumps({'incident': 'INC-2026-0042'} | data)}\n\n"
            )

    def context(self, kind: str) -> dict[str, Any]:
        """Sample data as pages pass it."""
        now = self.now
        asked = [("customer_data", "Customer data"), ("production", "Production availability"), ("access", "Access")]
        offer = Offer(options={"answers": asked}, fixed={"saw": 3})
        frame = Frame("/do/declare", csrf="token", key=f"key-{self.reads:08d}", zone=ZONE)
        return {
            "title": "INC-2026-0042",
            "csrf": "token",
            "me": "mara.lind",
            "now": now,
            "zone": ZONE,
            "incident": "INC-2026-0042",
            "live_url": "/live",
            "presence_url": "/presence",
            "search_url": "/search",
            "base": "/incidents/INC-2026-0042",
            "inc": SimpleNamespace(
                id="INC-2026-0042",
                name="AWS key of payments is public",
                level="SEV-2",
                provisional=True,
                status="Investigating",
                commander="" if kind == "vacant" else "mara.lind",
                commander_note="vacant for 3 min" if kind == "vacant" else "acting",
                since=now - timedelta(minutes=23, seconds=12),
                update=SimpleNamespace(until=now + timedelta(minutes=-2 if kind == "vacant" else 17), state="running"),
                update_note="",
                impact=[("Customer data", "unknown"), ("Production", "no"), ("Privileged access", "suspected")],
                exercise=kind == "exercise",
                codename="HERON" if kind == "restricted" else "",
            ),
            "first15": now + timedelta(minutes=3, seconds=40),
            "overdue": now - timedelta(minutes=2, seconds=10),
            "entries": [
                SimpleNamespace(
                    label=label, href=f"/{label.lower()}" if n else "/gallery", letter=label[0].lower(), count=c
                )
                for n, (label, c) in enumerate(
                    [
                        ("Post", ""),
                        ("Timeline", "41"),
                        ("Room", "3 new"),
                        ("Evidence", "6"),
                        ("Investigation", "2 open"),
                        ("Actions", ""),
                        ("Updates", "1 due"),
                        ("Health", ""),
                        ("Witness", ""),
                    ]
                )
            ],
            "board": [
                SimpleNamespace(id="F1", title="Open the room", owner="mara.lind", state="done", at=now),
                SimpleNamespace(
                    id="F2", title="Keep the report word for word", owner="mara.lind", state="done", at=now
                ),
                SimpleNamespace(id="F3", title="State the impact", owner="idris.okoro", state="in_progress", at=None),
                SimpleNamespace(
                    id="F4", title="Freeze deploys", owner=self.owner or "idris.okoro", state="open", at=None
                ),
                SimpleNamespace(id="F5", title="Capture what vanishes", owner="", state="overdue", at=None),
                SimpleNamespace(id="F6", title="First containment decision", owner="", state="open", at=None),
            ],
            "entries_shown": self._timeline(),
            "form": form_view(case(Declare, "declare"), frame, offer),
            "claim_form": form_view(case(Claim, "task claim"), Frame("/do/claim", key="claim-key-1"), Offer()),
            "error": ConflictError(
                "facet-changed",
                "The severity has changed since you looked; nothing was done.",
                why="You saw version 3, and event #9 changed it.",
                next_step="Look at the newest state, then decide again; your text is kept.",
            ),
        }

    def _timeline(self) -> list[SimpleNamespace]:
        said = [
            ("", "alert", "code host", "The code host says that an AWS key of payments is in a public repository."),
            ("decision", "severity", "", "mara.lind declared SEV-2, provisional: production secret confirmed"),
            ("evidence", "evidence", "vault", "ev-3 collected: CloudTrail, 02:00 to 03:10 UTC, 4,112 lines"),
            ("decision", "freeze", "", "mara.lind ordered the freeze of prod until 07:00; ask in the room, see #2"),
            ("", "message", "room", "@idris.okoro can you look at <b>backup</b>? ev-3 has the new key"),
        ]
        made = [
            SimpleNamespace(
                seq=n,
                at=self.now + timedelta(minutes=n),
                recorded_at=self.now if n == 0 else None,
                text=text,
                kind=kind,
                source=source,
                mark=mark,
                pinned=n == 3,
                gap=False,
                estimated=n == 0,
            )
            for n, (mark, kind, source, text) in enumerate(said)
        ]
        gap = SimpleNamespace(
            seq=90, id="gap-1", at=self.now, gap=True, text="reads of objects cannot be told: data events were off"
        )
        return [*made[:3], gap, *made[3:]]

    async def page(self, request: Request) -> Response:
        """The gallery."""
        self.reads += 1
        html = self.pages.get_template("gallery.html").render(self.context(request.query_params.get("kind", "")))
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    async def write(self, request: Request) -> Response:
        """Carry out a post once per key; lose the answer when told to."""
        self.posts += 1
        form = await request.form()
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        key = dict(pairs).get("idempotency_key", "")
        name = request.path_params["name"]
        if self.conflict:
            self.conflict = False
            details = {
                "version": 9,
                "theirs": {"text": "Theirs stands.", "by": "idris.okoro", "at": "2026-11-23T03:00:00Z"},
            }
            return _problem("facet-changed", "It changed since you looked.", 409, details)
        if name == "declare":
            parsed = parse_form(case(Declare, "declare"), pairs)
            if parsed.errors:
                refused = parsed.refusal()
                return _problem(refused.code, refused.what, 422, refused.details)
        replayed = key in self.saved
        self.saved.setdefault(key, dict(pairs))
        if self.lose > 0:
            self.lose -= 1
            return PlainTextResponse("lost", 503)
        if "application/json" not in request.headers.get("accept", ""):
            return HTMLResponse("<!doctype html><html lang=en><title>done</title><p>recorded", 200)
        return JSONResponse(
            {"version": 9, "recorded_at": "2026-11-23T02:14:07.000Z", "replayed": replayed, "notices": []}
        )

    async def presence(self, request: Request) -> Response:
        """Who edits what, as the page says it."""
        self.editing.append((await request.json())["editing"])
        return Response(status_code=204)

    async def live(self, request: Request) -> Response:
        """Server-sent events."""
        self.streams += 1
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.watchers.add(queue)

        async def lines() -> AsyncIterator[str]:
            yield "retry: 1000\nevent: hello\ndata: {}\n\n"
            try:
                while True:
                    yield await queue.get()
            finally:
                self.watchers.discard(queue)

        return StreamingResponse(lines(), media_type="text/event-stream")

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/gallery", self.page),
                Route("/do/{name}", self.write, methods=["POST"]),
                Route("/live", self.live),
                Route("/presence", self.presence, methods=["POST"]),
                Mount(f"/static/{assets.digest()}", StaticFiles(directory=assets.STATIC)),
            ],
            middleware=[Middleware(_Policy)],
        )


class _Policy:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", CSP.encode())]
            await send(message)

        await self.app(scope, receive, with_policy)


def _problem(code: str, what: str, status: int, details: dict[str, Any]) -> Response:
    body = {"code": code, "title": what, "detail": "Look.", "next_step": "Decide again.", "retry_helps": True}
    return JSONResponse(body | {"details": details, "status": status}, status, media_type="application/problem+json")


@contextmanager
def serving(gallery: Gallery) -> Iterator[str]:
    """Serve on a free loopback port; yields the address."""
    config = uvicorn.Config(
        gallery.app(), host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)

    async def run() -> None:
        gallery.loop = asyncio.get_running_loop()
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)
