"""No request fills memory: a body that is read whole has a limit. Evidence is streamed and has its own."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.kernel.errors import TooLargeError
from holdfast.web.problems import problem_response

MAX_BODY = 8 << 20
"""Bytes. The longest command, a declaration with every text at its 50,000 characters, stays below 4 MiB escaped."""


class BodyLimit:
    """Answers 413 to what is too large, whether its length is said or it only goes on and on."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        """Wrap an application."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received; what an endpoint streams is left alone."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or _streams(path):
            await self._app(scope, receive, send)
            return
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if said.isdigit() and int(said) > self._limit:
            await problem_response(_too_large(self._limit))(scope, receive, send)
            return
        await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0
        answered = refused = False

        async def counting() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit and not answered:
                refused = True
                await problem_response(_too_large(self._limit))(scope, receive, send)
                return {"type": "http.disconnect"}
            return message

        async def once(message: Message) -> None:
            nonlocal answered
            if not refused:
                answered = True
                await send(message)

        await self._app(scope, counting, once)


def _streams(path: str) -> bool:
    """Whether an upload is sent there: to the API raw, to the page of evidence in a form."""
    return path.endswith(("/objects", "/exposure/report") if path.startswith("/api/") else "/evidence")


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        "body-too-large",
        "The request was not carried out.",
        why=f"Its body is over {limit >> 20} MiB.",
        next_step="Send long material as evidence: holdfast capture INC FILE",
    )
