"""How one signs in: passkeys, password and code, API tokens.

Whoever changes how somebody signs in must just have signed in: a screen left open is not enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, permit
from holdfast.app.commands.accounts import Label
from holdfast.app.ports_identity import Bearer
from holdfast.kernel.errors import HoldfastError
from holdfast.web.forms import Offer
from holdfast.web.identity import (
    ApplicationDep,
    application,
    check_origin,
    is_fresh,
    must_be_fresh,
    set_session,
    signed_in,
)
from holdfast.web.pages.acting import Place, form_for
from holdfast.web.pages.posting import PostedDep, check_csrf, field
from holdfast.web.pages.welcome import check_password, picture_of, seed_of
from holdfast.web.rendering import csrf_of, render


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks, by a session of their own."""

    viewer: Viewer
    bearer: Bearer


def session(request: Request) -> Session:
    """The session; another site's request is refused."""
    found = Session(*signed_in(request))
    if request.method not in ("GET", "HEAD"):
        check_origin(request)
    permit(found.viewer, "token.own")
    return found


SessionDep = Annotated[Session, Depends(session)]
Text = Annotated[str, Body(max_length=200)]


def router() -> APIRouter:
    """``/security``."""
    routes = APIRouter()

    @routes.get("/security", response_class=HTMLResponse)
    def security(request: Request, mine: SessionDep) -> HTMLResponse:
        return _page(request, mine)

    @routes.post("/security/password")
    def password(request: Request, pairs: PostedDep, mine: SessionDep, app: ApplicationDep) -> Response:
        request.state.typed = []
        check_csrf(request, pairs)
        try:
            must_be_fresh(app, mine.bearer)
            check_password(field(pairs, "password"), field(pairs, "again"))
            app.signing_in.set_password(mine.viewer.account, field(pairs, "password"))
        except HoldfastError as error:
            return _page(request, mine, "password", error)
        return _changed(app, mine, "password")

    @routes.post("/security/totp")
    def totp(request: Request, pairs: PostedDep, mine: SessionDep, app: ApplicationDep) -> Response:
        request.state.typed = []
        check_csrf(request, pairs)
        try:
            must_be_fresh(app, mine.bearer)
            app.signing_in.enrol_totp(mine.viewer.account, _seed(app, mine), field(pairs, "code"))
        except HoldfastError as error:
            return _page(request, mine, "totp", error)
        return _changed(app, mine, "totp")

    routes.include_router(_passkeys())
    return routes


def _passkeys() -> APIRouter:
    routes = APIRouter()

    @routes.post("/security/passkeys/options")
    def options(
        request: Request, csrf: Annotated[str, Body(embed=True)], mine: SessionDep, app: ApplicationDep
    ) -> JSONResponse:
        check_csrf(request, [("csrf", csrf)])
        must_be_fresh(app, mine.bearer)
        return JSONResponse(app.signing_in.passkey_registration(mine.viewer.account, app.site))

    @routes.post("/security/passkeys")
    def enrol(
        request: Request,
        csrf: Text,
        label: Annotated[Label, Body()],
        answer: Annotated[dict[str, Any], Body()],
        mine: SessionDep,
        app: ApplicationDep,
    ) -> JSONResponse:
        check_csrf(request, [("csrf", csrf)])
        must_be_fresh(app, mine.bearer)
        app.signing_in.enrol_passkey(mine.viewer.account, answer, app.site, label)
        app.execute("credential-note", {"kind": "passkey"}, mine.viewer)
        return JSONResponse({"ok": True})

    return routes


def _seed(app: Application, mine: Session) -> str:
    """The seed offered in this session; a different one once it has been enrolled."""
    enrolled = app.installation_tools.credentials.of(mine.viewer.account, "totp")
    return seed_of(app, mine.bearer.digest + (enrolled[0].secret.hex() if enrolled else ""))


def _changed(app: Application, mine: Session, kind: str) -> Response:
    """Record it, and go on with a new session: one that somebody may have copied before ends here."""
    account = app.states.installation().accounts[mine.viewer.account]
    app.execute("credential-note", {"kind": kind}, mine.viewer)
    value = app.signing_in.start_session(account.name, mine.bearer.authenticated)
    app.signing_in.end_session(mine.bearer)
    response = RedirectResponse(f"/security?changed={kind}", status_code=303)
    set_session(response, app, value)
    return response


def _page(request: Request, mine: Session, part: str = "", error: HoldfastError | None = None) -> HTMLResponse:
    app = application(request)
    viewer, now = mine.viewer, app.tools.clock()
    credentials, found = app.installation_tools.credentials, app.states.installation()
    seed = _seed(app, mine)
    changed = {"password": "Your password was changed.", "totp": "Your authenticator was replaced."}
    return render(
        request,
        viewer,
        "security.html",
        status=error.status if error else 200,
        title="Security",
        csrf=csrf_of(request),
        session=mine.bearer,
        roles=sorted(viewer.roles),
        qualified=sorted(found.accounts[viewer.account].qualified) if viewer.account in found.accounts else [],
        passkeys=credentials.of(viewer.account, "passkey"),
        has_code=bool(credentials.of(viewer.account, "totp")),
        has_password=bool(credentials.of(viewer.account, "password")),
        fresh=is_fresh(mine.bearer, now),
        part=part,
        error=error,
        changed=changed.get(request.query_params.get("changed", ""), ""),
        seed=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
        picture=picture_of(seed, viewer.account, app.settings.host),
        tokens=_tokens(request, app, viewer),
        issue=form_for(request, None, viewer, "token-issue", Offer(submit="Issue a token"), Place("/security")),
    )


def _tokens(request: Request, app: Application, viewer: Viewer) -> list[dict[str, Any]]:
    """My tokens, newest first: ids are UUIDv7, so they say when each was issued."""
    mine = [token for token in app.states.installation().tokens.values() if token.account == viewer.account]
    offer, place = Offer(submit="Revoke"), Place("/security")
    return [
        {
            "id": token.token_id,
            "scopes": ", ".join(token.scopes),
            "issued_at": issued_at(token.token_id),
            "expires_at": token.expires_at,
            "revoke": form_for(request, None, viewer, "token-revoke", offer, place, token_id=token.token_id),
        }
        for token in sorted(mine, key=lambda one: one.token_id, reverse=True)
    ]


def issued_at(identifier: str) -> datetime:
    """The instant within a UUIDv7 (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((UUID(identifier).int >> 80) / 1000, UTC)
