"""Proving who one is over the API: login for the command line, passkeys for the pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, permit
from holdfast.app.commanding import AccountName
from holdfast.app.commands.accounts import Label
from holdfast.kernel.errors import ForbiddenError
from holdfast.web.api.commands import API, PROBLEMS
from holdfast.web.identity import ApplicationDep, ViewerDep, check_origin, must_be_fresh, set_session, signed_in

Secret = Annotated[str, Body(max_length=1000)]


def router() -> APIRouter:
    """Login and passkeys."""
    routes = APIRouter(prefix=API, tags=["identity"], responses=PROBLEMS)

    @routes.post("/login", operation_id="login")
    def login(
        account: Annotated[AccountName, Body()],
        password: Secret,
        code: Secret,
        label: Annotated[Label, Body()],
        app: ApplicationDep,
    ) -> JSONResponse:
        """Exchange password and code for an API token of 30 days, shown once."""
        value = app.signing_in.with_password(account, password, code)
        viewer, bearer = app.signing_in.viewer(value, session=True)
        try:
            issued = app.execute("token-issue", {"label": label, "days": 30}, viewer)
        finally:
            app.signing_in.end_session(bearer)
        return JSONResponse({"account": account, **issued.result, **issued.once})

    @routes.post("/passkeys/options", operation_id="passkey-options")
    def options(request: Request, app: ApplicationDep) -> JSONResponse:
        """What the browser asks the authenticator to sign in with; names no account."""
        check_origin(request)
        return JSONResponse(app.signing_in.passkey_challenge(app.site))

    @routes.post("/passkeys/sign-in", operation_id="passkey-sign-in")
    def sign_in(
        request: Request, nonce: Secret, answer: Annotated[dict[str, Any], Body()], app: ApplicationDep
    ) -> JSONResponse:
        """Sign in with what the authenticator answered; sets the session cookie."""
        check_origin(request)
        response = JSONResponse({"ok": True})
        set_session(response, app, app.signing_in.with_passkey(nonce, answer, app.site))
        return response

    @routes.post("/passkeys/registration", operation_id="passkey-registration")
    def registration(request: Request, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """What the browser asks the authenticator to make a new passkey with: just after signing in, with no token."""
        _may_enrol(request, app, viewer)
        return JSONResponse(app.signing_in.passkey_registration(viewer.account, app.site))

    @routes.post("/passkeys", operation_id="enrol-passkey")
    def enrol(
        request: Request,
        answer: Annotated[dict[str, Any], Body()],
        label: Annotated[Label, Body()],
        viewer: ViewerDep,
        app: ApplicationDep,
    ) -> JSONResponse:
        """Enrol the passkey the authenticator made: just after signing in, with no token."""
        _may_enrol(request, app, viewer)
        app.signing_in.enrol_passkey(viewer.account, answer, app.site, label)
        app.execute("credential-note", {"kind": "passkey"}, viewer)
        return JSONResponse({"ok": True})

    return routes


def _may_enrol(request: Request, app: Application, viewer: Viewer) -> None:
    """A token, which lapses and may be scoped, never makes a credential that does not and is not.

    Neither does a session that was left open: the pages ask for no less.
    """
    permit(viewer, "token.own")
    if viewer.actor.authenticated == "token":
        raise ForbiddenError(
            "not-with-a-token",
            "No passkey was enrolled.",
            why="An API token cannot make a lasting credential.",
            next_step="Sign in on the pages and enrol it there.",
        )
    must_be_fresh(app, signed_in(request)[1])
