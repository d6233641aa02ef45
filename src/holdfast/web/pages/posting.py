"""Reading a posted form: bounded, UTF-8, from our own page."""

from __future__ import annotations

import hmac
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from holdfast.kernel.errors import BadInputError, ForbiddenError, TooLargeError
from holdfast.web.rendering import csrf_of

MAX_FORM = 2 << 20
"""Bytes: forty texts of the longest kind (50,000 characters). Files take another way."""
MAX_FIELDS = 2000
_HIDDEN = ("csrf", "idempotency_key", "next", "fixed", "password", "secret", "again", "code", "seed", "link", "ticket")

Pairs = list[tuple[str, str]]


async def posted(request: Request) -> Pairs:
    """Names and texts of a submitted form, in order.

    Raises:
        TooLargeError: over 2 MiB; nothing more is read.
        BadInputError: not a form, or not UTF-8.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _unreadable("it is not sent as a form; files are added on the incident's evidence page")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise TooLargeError(
                "form-too-large",
                "The form was not taken.",
                why=f"It holds more than {MAX_FORM >> 20} MiB of text.",
                next_step="Add long material as evidence instead: holdfast capture INC PATH",
            )
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise _unreadable("it is not UTF-8 text, or it has too many fields") from None
    request.state.typed = [(name, text) for name, text in pairs if name not in _HIDDEN]
    return pairs


def _unreadable(why: str) -> BadInputError:
    return BadInputError(
        "form-unreadable",
        "The form was not taken.",
        why=f"It cannot be read: {why}.",
        next_step="Go back, reload the page and send it again.",
    )


PostedDep = Annotated[Pairs, Depends(posted)]


def field(pairs: Pairs, name: str) -> str:
    """The last value of a field, or nothing."""
    return next((text for key, text in reversed(pairs) if key == name), "")


def check_csrf(request: Request, pairs: Pairs) -> None:
    """Refuse a form that was not made for this session.

    Raises:
        ForbiddenError: its token is missing or belongs to another session.
    """
    wanted = csrf_of(request)
    if not wanted or not hmac.compare_digest(wanted.encode(), field(pairs, "csrf").encode()):
        raise ForbiddenError(
            "form-expired",
            "Nothing was done.",
            why="The form was made for another session: you have signed in again since, or it came from elsewhere.",
            next_step="Reload the page and send it again; unsent text comes back by itself.",
        )


def same_site(path: str, otherwise: str) -> str:
    """The path if it stays on this site, or the other one: a form never leads elsewhere."""
    parts = urlsplit(path) if path.isprintable() and "\\" not in path else None
    if parts is None or parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//"):
        return otherwise
    return path
