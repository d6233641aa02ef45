"""Updates: per audience what is promised, drafted, approved and sent; the text exactly as it is copied."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries.parts import reader
from holdfast.app.queries.updating import AudienceShown, UpdateShown, updates
from holdfast.app.state import IncidentState
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import Choice, FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.tuning import tuned, without

SHORT = 80
_CUSTOMER_FIELDS = ("happened", "affected", "action")


def router() -> APIRouter:
    """``GET /incidents/{id}/updates``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/updates", response_class=HTMLResponse)
    def page(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = updates(here.state, app.texts, app.tools.documents, here.frame.now)
        shown = here.shown(found)
        read = reader(app.texts, [one.text for audience in found.audiences for one in audience.updates])
        for audience, view in zip(found.audiences, shown["audiences"], strict=True):
            view["draft_form"] = _draft(here, audience, view)
            for one, text in zip(audience.updates, view["updates"], strict=True):
                text["forms"] = _forms(here, one, text)
                text["hidden_characters"] = read(one.text) != text["text"]["text"]
        return here.render(
            "updates.html", found=shown, withhold=here.form("name-withhold", submit="Withhold a name", instance="page")
        )

    return routes


def _claims(here: Desk, state: IncidentState, *, facts_only: bool) -> tuple[tuple[str, str], ...]:
    """The claims a text may rest on, with their words."""
    allowed = ("fact",) if facts_only else ("fact", "hypothesis")
    found = [one for one in state.communications.claims.values() if one.standing in allowed]
    words = here.shown([one.text for one in found])
    return tuple(
        (one.id, f"{one.id} ({one.standing}): {said['text'][:SHORT]}") for one, said in zip(found, words, strict=True)
    )


def _resting(form: FormView | None, rows: tuple[tuple[str, str], ...], chosen: tuple[str, ...]) -> FormView | None:
    """The field of claims as boxes, those chosen that the text would rest on."""
    if not rows:
        return without(form, "claims")
    choices = tuple(Choice(key, label, key in chosen) for key, label in rows)
    return tuned(form, "claims", control="multi", choices=choices)


def _draft(here: Desk, audience: AudienceShown, view: dict[str, Any]) -> FormView | None:
    customers = audience.audience == "customers"
    preset: dict[str, Any] = {"next_update_at": audience.offered.next_update_at}
    if customers:
        preset |= {"happened": view["offered"]["happened"], "affected": view["offered"]["affected"]}
    form = here.form(
        "update-draft",
        back=f"{here.frame.base}/updates#audience-{audience.audience}",
        submit=f"Draft for {audience.audience}",
        preset=preset,
        audience=audience.audience,
    )
    rows = _claims(here, here.state, facts_only=audience.audience != "responders")
    form = _resting(form, rows, audience.offered.claims)
    form = without(form, "text") if customers else without(form, *_CUSTOMER_FIELDS)
    for name in _CUSTOMER_FIELDS:
        form = tuned(form, name, required=True, lines=3)
    form = tuned(form, "text", help="Left empty, the record writes it: exactly the text shown above.")
    return tuned(form, "next_update_at", required=not audience.cadence_over)


def _forms(here: Desk, one: UpdateShown, view: dict[str, Any]) -> dict[str, FormView | None]:
    if one.standing == "sent":
        return {}
    back = f"{here.frame.base}/updates#{one.id}"

    def form(use_case: str, submit: str, **more: Any) -> FormView | None:  # noqa: ANN401 - of any field
        return here.form(use_case, back=back, submit=submit, instance=one.id, update=one.id, **more)

    preset = {"text": view["text"]["text"], "next_update_at": one.next_update_at}
    revise = form("update-revise", "Write a new text", preset=preset)
    rows = _claims(here, here.state, facts_only=one.audience != "responders")
    ready = not one.missing and not one.blocked
    return {
        "approve": form("update-approve", "Approve exactly this text", text_hash=one.text_hash)
        if _approves(one, here.viewer.account)
        else None,
        "refuse": form("update-refuse", "Refuse it"),
        "revise": tuned(_resting(revise, rows, one.claims), "text", lines=12),
        "send": form("update-send", "I sent it: say where") if ready else None,
    }


def _approves(one: UpdateShown, me: str) -> bool:
    """Whether the viewer's approval is one that is missing, and not that of its author while others can give it."""
    mine = [need for need in one.needed if not need.given and me in need.holders]
    others = {who for need in mine for who in need.holders} - {me}
    return bool(mine) and one.standing == "draft" and not one.blocked and not (one.author == me and others)
