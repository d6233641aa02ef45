"""Using a one-time link: the first administrator, an invited person, a new device for one who lost theirs.

1. The link's value stands behind the ``#``, so it reaches no log; a script moves it into a form, or a person does.
2. Showing a page uses nothing up. The link is exchanged for an enrolment of half an hour in this browser, and is
   used up in the moment the account can really be signed in to; two who hold it cannot both use it.
3. Proofs are kept before the account is made: a crash in between leaves nothing but an unused link.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import pyotp
import segno
from fastapi import APIRouter, Body, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from holdfast.app.application import Application
from holdfast.app.commanding import AccountName
from holdfast.app.installation_work import bearer_digest, make_bearer
from holdfast.app.ports_identity import Bearer
from holdfast.app.signing_in import MAX_PASSWORD, MIN_PASSWORD, viewer_of
from holdfast.kernel.errors import BadInputError, ForbiddenError, HoldfastError, UnauthenticatedError
from holdfast.web.identity import ApplicationDep, check_origin, csrf_token, set_session
from holdfast.web.pages.posting import Pairs, PostedDep, field
from holdfast.web.rendering import render

COOKIE = "holdfast_enrolment"
LASTS = timedelta(minutes=30)
Text = Annotated[str, Body(max_length=200)]
_NAME: TypeAdapter[str] = TypeAdapter(AccountName)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A link that is being used in this browser."""

    value: str
    """The cookie's value."""
    bearer: Bearer

    @property
    def account(self) -> str:
        """Whose link it is; nobody's yet for the first administrator."""
        return self.bearer.account

    @property
    def link(self) -> str:
        """Digest of the link."""
        return self.bearer.label


def router() -> APIRouter:
    """``/welcome``."""
    routes = APIRouter()

    @routes.get("/welcome", response_class=HTMLResponse)
    def welcome(request: Request, app: ApplicationDep) -> HTMLResponse:
        return _page(request, app)

    @routes.post("/welcome/link")
    def exchange(request: Request, pairs: PostedDep, app: ApplicationDep) -> Response:
        check_origin(request)
        try:
            value = _exchange(app, field(pairs, "link"))
        except HoldfastError as error:
            return _page(request, app, error=error)
        response = RedirectResponse("/welcome", status_code=303)
        response.set_cookie(
            COOKIE,
            value,
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            secure=app.settings.secure,
            samesite="strict",
            path="/welcome",
        )
        return response

    @routes.post("/welcome")
    def enrol(request: Request, pairs: PostedDep, app: ApplicationDep) -> Response:
        try:
            found = _mine(request, app, field(pairs, "csrf"))
            name = _with_code(app, found, pairs)
        except HoldfastError as error:
            return _page(request, app, typed=field(pairs, "account"), error=error)
        return _signed_in(RedirectResponse("/", status_code=303), app, name, "password+totp")

    routes.include_router(_passkeys())
    return routes


def _passkeys() -> APIRouter:
    routes = APIRouter()

    @routes.post("/welcome/passkey/options")
    def options(request: Request, csrf: Text, account: Text, app: ApplicationDep) -> JSONResponse:
        found = _mine(request, app, csrf)
        return JSONResponse(app.signing_in.passkey_registration(_name(app, found, account), app.site))

    @routes.post("/welcome/passkey")
    def enrol(
        request: Request, csrf: Text, account: Text, answer: Annotated[dict[str, Any], Body()], app: ApplicationDep
    ) -> Response:
        found = _mine(request, app, csrf)
        name = _with_passkey(app, found, account, answer)
        return _signed_in(JSONResponse({"ok": True}), app, name, "passkey")

    return routes


def _exchange(app: Application, link: str) -> str:
    """An enrolment for a link; the link stays."""
    bearer = app.installation_tools.credentials.bearer(bearer_digest(_bare(link)))
    now = app.tools.clock()
    if bearer is None or bearer.kind != "invite" or bearer.expires_at <= now:
        raise _link_used()
    value, enrolment = make_bearer(
        app.installation_tools, "enrolment", bearer.account, now=now, expires_at=now + LASTS, label=bearer.digest
    )
    app.installation_tools.credentials.add_bearer(enrolment)
    return value


def _bare(link: str) -> str:
    """The value of a link, pasted whole or alone."""
    return link.strip().rpartition("#")[2].strip()


def _enrolment(request: Request, app: Application) -> Enrolment | None:
    value = request.cookies.get(COOKIE, "")
    bearer = app.installation_tools.credentials.bearer(bearer_digest(value)) if value else None
    if bearer is None or bearer.kind != "enrolment" or bearer.expires_at <= app.tools.clock():
        return None
    return Enrolment(value, bearer)


def _mine(request: Request, app: Application, csrf: str) -> Enrolment:
    """The enrolment of this browser, proven to be meant."""
    check_origin(request)
    found = _enrolment(request, app)
    if found is None:
        raise _link_used()
    if not hmac.compare_digest(csrf_token(request, found.value).encode(), csrf.encode()):
        raise ForbiddenError(
            "form-expired",
            "Nothing was done.",
            why="The form was made for another use of the link.",
            next_step="Open the link again; it has not been used up.",
        )
    return found


def _name(app: Application, found: Enrolment, said: str) -> str:
    """The account's name: the link's, or for the first administrator the chosen one."""
    if found.account:
        account = app.states.installation().accounts.get(found.account)
        if account is None or not account.active:
            raise _link_used()
        return found.account
    if app.states.installation().accounts:
        raise _link_used()
    try:
        return _NAME.validate_python(said.strip())
    except ValidationError:
        raise BadInputError(
            "account-name-invalid",
            "The account was not made.",
            why="An account name is 2 to 40 lower case letters, digits, dots, dashes or underscores.",
            next_step="Write it like mara.lind",
            details={"field": "account"},
        ) from None


def seed_of(app: Application, bound_to: str) -> str:
    """A TOTP seed (160 bits, RFC 4226) that stays the same while a page is reloaded, and is stored nowhere."""
    raw = hmac.new(app.secret_key, b"totp-seed:" + bound_to.encode(), hashlib.sha256).digest()[:20]
    return base64.b32encode(raw).decode()


def picture_of(seed: str, account: str, host: str) -> Markup:
    """The seed as a QR code that authenticators read."""
    address = pyotp.TOTP(seed).provisioning_uri(name=account, issuer_name=f"Holdfast {host}")
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", scale=4, border=4, light="#fff", dark="#000", xmldecl=False, svgns=False, title="QR code"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn by us from base32 and an account name


def _with_code(app: Application, found: Enrolment, pairs: Pairs) -> str:
    """Keep password and seed, and make the account; its name."""
    name = _name(app, found, field(pairs, "account"))
    password = field(pairs, "password")
    check_password(password, field(pairs, "again"))
    with _using_up(app, found):
        app.signing_in.enrol_totp(name, seed_of(app, found.value), field(pairs, "code"))
        app.signing_in.set_password(name, password)
        _make(app, found, name, ("password", "totp"))
    return name


def _with_passkey(app: Application, found: Enrolment, said: str, answer: Mapping[str, Any]) -> str:
    """Keep a passkey, and make the account; its name."""
    name = _name(app, found, said)
    with _using_up(app, found):
        app.signing_in.enrol_passkey(name, answer, app.site, "first passkey")
        _make(app, found, name, ("passkey",))
    return name


def check_password(password: str, again: str) -> None:
    """Refuse a password before anything is changed.

    Raises:
        BadInputError: too short, too long, or not typed the same twice.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadInputError(
            "password-length",
            "The password was not set.",
            why=f"It needs {MIN_PASSWORD} to {MAX_PASSWORD} characters (NIST SP 800-63B: length, not symbols).",
            next_step="Choose a longer one, for example five unrelated words.",
            details={"field": "password"},
        )
    if password != again:
        raise BadInputError(
            "password-differs",
            "The password was not set.",
            why="The two are not the same.",
            next_step="Type it twice again.",
            details={"field": "again"},
        )


@contextmanager
def _using_up(app: Application, found: Enrolment) -> Iterator[None]:
    """Use the link up; put it back when what it was for did not come about."""
    credentials = app.installation_tools.credentials
    link = credentials.take(found.link)
    if link is None or link.kind != "invite" or link.expires_at <= app.tools.clock():
        raise _link_used()
    try:
        yield
    except BaseException:
        credentials.add_bearer(link)
        raise
    credentials.drop_bearer(found.bearer.bearer_id)
    if found.account:
        # Whoever needed a link may have lost a device: what is signed in on it ends.
        credentials.drop_bearers_of(found.account, "session")


def _make(app: Application, found: Enrolment, name: str, kinds: tuple[str, ...]) -> None:
    if not found.account:
        app.add_first_account(name)
    viewer = viewer_of(app.states.installation().accounts[name], "one-time-link")
    for kind in kinds:
        app.execute("credential-note", {"kind": kind}, viewer)


def _signed_in(response: Response, app: Application, name: str, authenticated: str) -> Response:
    set_session(response, app, app.signing_in.start_session(name, authenticated))
    response.delete_cookie(COOKIE, path="/welcome", secure=app.settings.secure, httponly=True, samesite="strict")
    return response


def _page(request: Request, app: Application, *, typed: str = "", error: HoldfastError | None = None) -> HTMLResponse:
    """Ask for the link, or for what the account needs."""
    found = _enrolment(request, app)
    seed = seed_of(app, found.value) if found else ""
    return render(
        request,
        None,
        "welcome.html",
        status=error.status if error else 200,
        title="Welcome",
        error=error,
        wrong=str(error.details.get("field", "")) if error else "",
        account=found.account if found else "",
        typed=typed,
        enrolling=found is not None,
        csrf=csrf_token(request, found.value) if found else "",
        seed=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
        picture=picture_of(seed, found.account or "first administrator", app.settings.host) if found else "",
    )


def _link_used() -> UnauthenticatedError:
    return UnauthenticatedError(
        "link-used",
        "This sign-in link does not work.",
        why="A link works once and lapses; this one was used, has lapsed or never existed.",
        next_step="Ask an administrator for a new one, or on the machine itself: holdfast account invite NAME",
    )
