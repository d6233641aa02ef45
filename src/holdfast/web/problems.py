"""Errors on the wire: RFC 9457 problems with the five fields, for every status the API gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What happened, why, what to do next, and whether trying again helps."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    next_step: str
    retry_helps: bool
    details: dict[str, Any]


def problem(error: HoldfastError) -> dict[str, Any]:
    """The problem object of an error."""
    return {
        "code": error.code,
        "detail": error.why,
        "details": error.details,
        "next_step": error.next_step,
        "retry_helps": error.retry_helps,
        "status": error.status,
        "title": error.what,
        "type": f"urn:holdfast:error:{error.code}",
    }


def problem_response(error: HoldfastError, status: int | None = None) -> JSONResponse:
    """The response of an error, with its class's status unless HTTP has a closer one."""
    status = status or error.status
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004 - the status itself
    if "retry_after_s" in error.details:
        headers["Retry-After"] = str(error.details["retry_after_s"])
    body = problem(error) | {"status": status}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


async def on_holdfast_error(request: Request, error: Exception) -> Response:
    """Render our own errors."""
    assert isinstance(error, HoldfastError)
    return respond(request, error)


async def on_validation_error(request: Request, error: Exception) -> Response:
    """Render what the framework refused, without echoing the input."""
    assert isinstance(error, RequestValidationError)
    faults = [{"field": fault_place(fault["loc"][1:]), "fault": fault["msg"]} for fault in error.errors()[:20]]
    listed = "; ".join(f"{fault['field'] or 'request'}: {fault['fault']}" for fault in faults[:5])
    return respond(
        request,
        BadInputError(
            "input-invalid",
            "The request was not carried out.",
            why=f"{listed}."[:1000],
            next_step="Correct it and send it again; the API is described at /api/v1/openapi.json",
            details={"faults": faults},
        ),
    )


async def on_http_error(request: Request, error: Exception) -> Response:
    """Render the framework's own refusals (no such path, wrong method)."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:  # noqa: PLR2004 - the status itself
        wrong = BadInputError(
            "method-not-allowed",
            "The request was not carried out.",
            why=f"This address does not take {request.method}.",
            next_step="See /api/v1/openapi.json for what it takes.",
        )
        response = problem_response(wrong, 405)
        response.headers.update(error.headers or {})
        return response
    if error.status_code == 400:  # noqa: PLR2004 - the status itself
        return respond(
            request,
            BadInputError(
                "body-unreadable",
                "The request was not carried out.",
                why="Its body cannot be read as what its content type says.",
                next_step="Send JSON in UTF-8; see /api/v1/openapi.json",
            ),
            400,
        )
    return respond(
        request,
        NotFoundError(
            "page-not-found",
            "There is nothing at this address.",
            why="It was mistyped, or it never existed.",
            next_step="Start at /",
        ),
    )


async def on_unexpected_error(request: Request, error: Exception) -> Response:
    """Render a mistake of ours. The server's log says which; the answer holds nothing of it."""
    del error
    return respond(
        request,
        HoldfastError(
            "unexpected-failure",
            "The request was not carried out to its end.",
            why="Holdfast met a case it was not made for; what was acknowledged before is kept.",
            next_step="Look whether it was done; then send it again with the same idempotency key, and report it.",
        ),
    )


def fault_place(loc: Sequence[str | int]) -> str:
    """The field a fault is in. A name that was sent is cut short, and can always be written as UTF-8."""
    return ".".join(str(place)[:80] for place in loc[:10]).encode("utf-8", "replace").decode()


def respond(request: Request, error: HoldfastError, status: int | None = None) -> Response:
    """A problem for programs; the page layer puts its own renderer on the application for people."""
    renderer = getattr(request.app.state, "error_page", None)
    if renderer is not None and not request.url.path.startswith("/api/"):
        page: Response = renderer(request, error)
        return page
    return problem_response(error, status)
