"""Signing in and out with password and code, or with a passkey.

1. Nobody is told which of account, password and code was wrong.
2. After signing in one goes on to where one came from, on this site only.
3. Another site cannot sign somebody in or out.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from holdfast.app.application import Application
from holdfast.kernel.errors import HoldfastError
from holdfast.web.identity import COOKIE, ApplicationDep, check_origin, set_session, signed_in
from holdfast.web.pages.errors import wants_json
from holdfast.web.pages.posting import PostedDep, check_csrf, field, same_site
from holdfast.web.problems import problem_response
from holdfast.web.rendering import render


def router() -> APIRouter:
    """``/sign-in`` and ``/sign-out``."""
    routes = APIRouter()

    @routes.get("/sign-in", response_class=HTMLResponse)
    def show(
        request: Request, app: ApplicationDep, onward: Annotated[str, Query(alias="next", max_length=2000)] = "/"
    ) -> HTMLResponse:
        return _page(request, app, same_site(onward, "/"))

    @routes.post("/sign-in")
    def sign_in(request: Request, pairs: PostedDep, app: ApplicationDep) -> Response:
        check_origin(request)
        request.state.typed = []  # an error's page never repeats what somebody proves themselves with
        account, onward = field(pairs, "account").strip().lower(), same_site(field(pairs, "next"), "/")
        try:
            value = app.signing_in.with_password(account, field(pairs, "password"), field(pairs, "code"))
        except HoldfastError as error:
            return problem_response(error) if wants_json(request) else _page(request, app, onward, account, error)
        response = RedirectResponse(onward, status_code=303)
        set_session(response, app, value)
        return response

    @routes.post("/sign-out")
    def sign_out(request: Request, pairs: PostedDep, app: ApplicationDep) -> Response:
        check_origin(request)
        check_csrf(request, pairs)
        _, bearer = signed_in(request)
        app.signing_in.end_session(bearer)
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(COOKIE, path="/", secure=app.settings.secure, httponly=True, samesite="lax")
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    return routes


def _page(
    request: Request, app: Application, onward: str, account: str = "", error: HoldfastError | None = None
) -> HTMLResponse:
    status = error.status if error is not None else 200
    response = render(
        request,
        None,
        "sign_in.html",
        status=status,
        title="Sign in",
        onward=onward,
        account=account,
        error=error,
        nobody=not app.states.installation().accounts,
    )
    if error is not None and "retry_after_s" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after_s"])
    return response
