"""An error as people see it: what happened, why, what to do next, and whether trying again helps."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from holdfast.app.authorisation import Viewer
from holdfast.kernel.errors import HoldfastError, UnauthenticatedError
from holdfast.web.identity import signed_in
from holdfast.web.problems import problem_response
from holdfast.web.rendering import render

PANEL = "x-holdfast-panel"
"""Sent by the page's script when it fetches a piece of a page."""


def wants_json(request: Request) -> bool:
    """Whether a program or the page's own script asks, rather than a browser going somewhere."""
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def error_page(request: Request, error: HoldfastError) -> Response:
    """The answer to a request that failed.

    A script gets the RFC 9457 problem; somebody who is not signed in and only wants to read is led to sign in and
    back; everybody else gets a page with the error's fields and status.
    """
    if wants_json(request):
        return problem_response(error)
    panel = PANEL in request.headers
    if isinstance(error, UnauthenticatedError) and request.method == "GET" and not panel:
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(address, safe='/')}", status_code=303)
    template = "error_fragment.html" if panel else "error.html"
    viewer = None if panel else who(request)
    response = render(
        request, viewer, template, status=error.status, title=error.what, error=error, typed=kept(request), live_url=""
    )
    if "retry_after_s" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after_s"])
    return response


def who(request: Request) -> Viewer | None:
    """Who asks, or nobody: for pages that are also for people who are not signed in."""
    try:
        return signed_in(request)[0]
    except HoldfastError:
        return None


def kept(request: Request) -> list[tuple[str, str]]:
    """What was typed into a form that could not be taken at all, so that it can be copied from the error's page."""
    typed: list[tuple[str, str]] = getattr(request.state, "typed", [])
    return [(name, text) for name, text in typed if text.strip() and len(text) > 1]
