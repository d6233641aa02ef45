"""The ASGI application: API, pages, live stream, and the headers every answer carries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast import __version__
from holdfast.app import rounds
from holdfast.app.application import Application
from holdfast.kernel.errors import BadInputError, HoldfastError
from holdfast.web import live
from holdfast.web.api import commands, exports, exposures, investigations, objects, reads, sections, signing_in
from holdfast.web.index import Index
from holdfast.web.limits import BodyLimit
from holdfast.web.problems import (
    Problem,
    on_holdfast_error,
    on_http_error,
    on_unexpected_error,
    on_validation_error,
    problem_response,
)

LOG = logging.getLogger("holdfast")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms, and nobody could be told apart.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _wrong_host() -> BadInputError:
    return BadInputError(
        "host-unknown",
        "The request was not carried out.",
        why="It was sent to a host name that this installation does not go by.",
        next_step="Use the address that HOLDFAST_URL names, or set it: see docs/reference/settings.md",
    )


class SecurityHeaders:
    """Adds the headers; answers under ``/api`` and pages are never cached by anybody else."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        """Wrap an application that is reached under these host names only."""
        self._app = app
        self._hosts = hosts | LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through, adding headers to the start of each response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                present = {name for name, _ in headers}
                headers.extend(pair for pair in HEADERS if pair[0] not in present)
                if b"cache-control" not in present:
                    headers.append((b"cache-control", b"no-store"))
            await send(message)

        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if host.rpartition(":")[0].lower() not in self._hosts and host.lower() not in self._hosts:
            # A foreign name that resolves to this machine (DNS rebinding) must not reach anything.
            await problem_response(_wrong_host())(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def create_app(application: Application) -> FastAPI:
    """The ASGI application over a built :class:`Application`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.live = live.Hub(application)
        async with app.state.live.running():
            turning = asyncio.create_task(_rounds(application))
            try:
                yield
            finally:
                turning.cancel()

    app = FastAPI(
        title="Holdfast",
        version=__version__,
        description="The security incident response runbook that runs.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.application = application
    handlers: dict[type[Exception], Callable[..., Awaitable[object]]] = {
        HoldfastError: on_holdfast_error,
        RequestValidationError: on_validation_error,
        HTTPException: on_http_error,
        Exception: on_unexpected_error,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]  # starlette types the response too narrowly
    for module in (reads, sections, investigations, exposures, objects, exports, signing_in, live, commands):
        # Added flat: each level of included routers would match every request once more.
        app.router.routes.extend(module.router().routes)
    _add_pages(app)
    _describe_problems(app)
    app.router.routes.insert(0, Index(app.router.routes))
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, hosts=frozenset({application.settings.host.lower()}))
    return app


async def _rounds(application: Application) -> None:
    seen: rounds.Seen = {}
    while True:
        try:
            await asyncio.to_thread(rounds.make, application, seen)
        except Exception as error:  # noqa: BLE001 - the rim of a background job: the next round tries again
            LOG.error("round-failed: %s", type(error).__name__)  # noqa: TRY400 - a trace could hold locals
        await asyncio.sleep(rounds.EVERY_S)


def _describe_problems(app: FastAPI) -> None:
    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the framework's documented way to extend the schema


def _add_pages(app: FastAPI) -> None:
    from holdfast.web.pages import site  # noqa: PLC0415 - templates are loaded only when pages are served

    site.add_to(app)
