"""Who asks: an API token in the Authorization header, or a session cookie set by signing in."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer
from holdfast.app.ports_identity import Bearer
from holdfast.app.signing_in import SESSION_LASTS
from holdfast.kernel.errors import ForbiddenError, UnauthenticatedError

FRESH = timedelta(minutes=15)
"""How long after signing in one may change how one signs in."""
COOKIE = "holdfast_session"


def application(request: Request) -> Application:
    """The application behind this server."""
    found: Application = request.app.state.application
    return found


def signed_in(request: Request) -> tuple[Viewer, Bearer]:
    """The viewer and the bearer they proved themselves with.

    Raises:
        UnauthenticatedError: neither a token nor a session, or one that does not hold.
    """
    app = application(request)
    local: Viewer | None = getattr(request.app.state, "local_viewer", None)
    if local is not None:
        now = app.tools.clock()
        return local, Bearer("", "local", "", local.account, ("all",), "", now, now, "local")
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer" and value:
            return app.signing_in.viewer(value.strip(), session=False)
    cookie = request.cookies.get(COOKIE)
    if cookie and not header:
        return app.signing_in.viewer(cookie, session=True)
    raise UnauthenticatedError(
        "not-signed-in",
        "You are not signed in.",
        why="The request carries neither a session nor an API token.",
        next_step="Sign in at /sign-in, or on the command line: holdfast login",
    )


def viewer(request: Request) -> Viewer:
    """Who asks. A session that writes must show that the request comes from our own page.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: another site sent the request.
    """
    found, bearer = signed_in(request)
    if bearer.kind == "session" and request.method not in ("GET", "HEAD"):
        check_origin(request)
    return found


def check_origin(request: Request) -> None:
    """Refuse a write that a browser says another site started (Fetch Metadata, Origin)."""
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    own = application(request).settings.url
    host = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site in ("cross-site", "same-site") or (origin and origin not in (own, host)):
        raise ForbiddenError(
            "cross-site-request",
            "Nothing was done.",
            why="The request was started by another site.",
            next_step="Open the page itself and try there.",
        )


def is_fresh(bearer: Bearer, now: datetime) -> bool:
    """Whether this is a session of somebody who has just signed in."""
    return bearer.kind == "session" and now - bearer.created_at <= FRESH


def must_be_fresh(app: Application, bearer: Bearer) -> None:
    """Refuse to change how one signs in on a screen that was left open.

    Raises:
        ForbiddenError: not a session, or one that is too old.
    """
    if not is_fresh(bearer, app.tools.clock()):
        raise ForbiddenError(
            "sign-in-not-fresh",
            "Nothing was changed.",
            why=f"You signed in more than {FRESH.seconds // 60} minutes ago; a screen left open must not be enough.",
            next_step="Sign in again, then change it.",
        )


def set_session(response: Response, app: Application, value: str) -> None:
    """Put a session into a cookie that no script can read and no other site can send with a write."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        secure=app.settings.secure,
        samesite="lax",
        path="/",
    )


def csrf_token(request: Request, value: str) -> str:
    """A token bound to the session, for forms."""
    key = application(request).secret_key
    return hmac.new(key, b"csrf:" + value.encode(), hashlib.sha256).hexdigest()


async def _application(request: Request) -> Application:
    # Asynchronous, so that no thread is asked for an attribute.
    return application(request)


ViewerDep = Annotated[Viewer, Depends(viewer)]
ApplicationDep = Annotated[Application, Depends(_application)]
