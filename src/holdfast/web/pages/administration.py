"""Accounts for everybody to read and administrators to change; the log and its keys for auditors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.application import Application
from holdfast.app.authorisation import INCIDENT_ROLES, ORGANISATION_ROLES, Viewer, is_permitted, permit
from holdfast.app.installation import STREAM, TYPES, Account
from holdfast.app.queries import logs
from holdfast.app.queries.timeline import shown
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.events import Event
from holdfast.web.forms import FormView, Offer
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.acting import Place, form_for
from holdfast.web.pages.security import issued_at
from holdfast.web.rendering import render

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "administrator": "accounts, keys; and all a responder may",
        "responder": "declares and works on incidents",
        "observer": "reads incidents",
        "auditor": "reads incidents and the log, exports packs",
    }
)
_SENTENCES: Mapping[str, str] = MappingProxyType({kind.name: kind.sentence for kind in TYPES})
LEAVES = 200
"""Newest entries of a log that a page shows; the API gives all."""


def router() -> APIRouter:
    """``/accounts``, ``/accounts/{name}`` and ``/log``."""
    routes = APIRouter()

    @routes.get("/accounts", response_class=HTMLResponse)
    def accounts(request: Request, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        permit(viewer, "account.read")
        found = sorted(app.states.installation().accounts.values(), key=lambda one: (not one.active, one.name))
        return render(
            request,
            viewer,
            "accounts.html",
            title="Accounts",
            accounts=[_shown(one) for one in found],
            meaning=MEANING,
            add=form_for(request, None, viewer, "account-add", Offer(submit="Add an account"), Place("/accounts")),
            may_read_log=is_permitted(viewer, "log.read"),
        )

    @routes.get("/accounts/{name}", response_class=HTMLResponse)
    def account(request: Request, name: str, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        permit(viewer, "account.read")
        found = app.states.installation().accounts.get(name)
        if found is None:
            raise NotFoundError(
                "account-unknown",
                f"There is no account {name[:40]!r}.",
                why="Nobody has added it.",
                next_step="See who there is at /accounts",
            )
        return render(
            request,
            viewer,
            "account.html",
            title=found.name,
            account=_shown(found),
            forms=_forms(request, viewer, found),
            tokens=_tokens(request, app, viewer, found.name),
            meaning=MEANING,
        )

    @routes.get("/log", response_class=HTMLResponse)
    def log(request: Request, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        permit(viewer, "log.read")
        return render(request, viewer, "log.html", title="Installation log", **_log(request, app, viewer))

    return routes


def _shown(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "kind": account.kind,
        "active": account.active,
        "roles": [role for role in ORGANISATION_ROLES if role in account.roles],
        "qualified": [role.replace("_", " ") for role in INCIDENT_ROLES if role in account.qualified],
        "enrolled": [{"totp": "code"}.get(kind, kind) for kind in sorted(account.enrolled)],
        "ready": bool(account.enrolled & {"passkey"} or {"password", "totp"} <= account.enrolled),
    }


def _forms(request: Request, viewer: Viewer, account: Account) -> Sequence[FormView]:
    """What may be done to the account as it stands."""
    missing = _choices(role for role in ORGANISATION_ROLES if role not in account.roles)
    held = _choices(role for role in ORGANISATION_ROLES if role in account.roles)
    unqualified = _choices(role for role in INCIDENT_ROLES if role not in account.qualified)
    qualified = _choices(role for role in INCIDENT_ROLES if role in account.qualified)
    person = account.kind == "person"
    wanted: list[tuple[bool, str, Offer]] = [
        (account.active and person, "account-invite", Offer(submit="Make a one-time sign-in link")),
        (account.active and not person, "token-issue-service", Offer(submit="Issue a token", preset=_GATE)),
        (bool(missing), "account-grant", Offer(options={"role": missing}, submit="Grant a role")),
        (bool(held), "account-revoke", Offer(options={"role": held}, submit="Revoke a role")),
        (bool(unqualified) and person, "account-qualify", Offer(options={"role": unqualified}, submit="Qualify")),
        (bool(qualified), "account-disqualify", Offer(options={"role": qualified}, submit="Withdraw a qualification")),
        ("passkey" in account.enrolled, "credential-remove-passkeys", Offer(submit="Remove all passkeys")),
        (account.active, "account-deactivate", Offer(submit="Deactivate")),
        (not account.active, "account-reactivate", Offer(submit="Reactivate")),
    ]
    place = Place(f"/accounts/{account.name}")
    drawn = (
        form_for(request, None, viewer, use_case, offer, place, account=account.name)
        for fits, use_case, offer in wanted
        if fits
    )
    return [form for form in drawn if form is not None]


_GATE: Mapping[str, Any] = MappingProxyType({"scopes": ["gate"], "label": "freeze gate"})
"""A pipeline's token asks the gate and can do nothing else, unless somebody says otherwise."""


def _choices(roles: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any iterable of names
    return [(role, role.replace("_", " ")) for role in roles]


def _tokens(request: Request, app: Application, viewer: Viewer, name: str) -> list[dict[str, Any]]:
    """The account's tokens, for itself and administrators."""
    if viewer.account != name and "administrator" not in viewer.roles:
        return []
    offer, place = Offer(submit="Revoke"), Place(f"/accounts/{name}")
    found = [token for token in app.states.installation().tokens.values() if token.account == name]
    return [
        {
            "id": token.token_id,
            "scopes": ", ".join(token.scopes),
            "issued_at": issued_at(token.token_id),
            "expires_at": token.expires_at,
            "revoke": form_for(request, None, viewer, "token-revoke", offer, place, token_id=token.token_id),
        }
        for token in sorted(found, key=lambda one: one.token_id, reverse=True)
    ]


def _log(request: Request, app: Application, viewer: Viewer) -> dict[str, Any]:
    size = app.record.size(STREAM)
    events = app.record.load(STREAM, after=max(-1, size - LEAVES - 1))
    note, leaves = logs.installation_log(app, viewer) if size else ("", [])
    return {
        "entries": [_entry(event) for event in reversed(events)],
        "size": size,
        "note": note,
        "leaf_count": len(leaves),
        "keys": list(app.verifier_keys()),
        "rotate": form_for(request, None, viewer, "key-rotate", Offer(submit="Rotate the key"), Place("/log")),
    }


def _entry(event: Event) -> dict[str, Any]:
    values = {name: shown(value, {}) for name, value in event.data.items()}
    if "role" in values:
        values["role"] = values["role"].replace("_", " ")
    sentence = _SENTENCES.get(event.type, "{actor} recorded " + event.type)
    return {
        "seq": event.seq,
        "at": event.recorded_at,
        "text": sentence.format_map({**values, "actor": event.actor.id}),
        "authenticated": event.actor.authenticated,
    }
