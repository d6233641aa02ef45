"""The claims ledger: facts, hypotheses and the matrix that ranks them, what was given up, corrections owed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries.claiming import Claims, claims
from holdfast.communications.state import Correction
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import Choice, FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.tuning import tuned

CELLS = 120
"""With more cells than this, marks are made with the form above the matrix only, so that the page stays light."""
_BEARING = (
    Choice("inconsistent", "Speaks against it"),
    Choice("consistent", "Fits it"),
    Choice("neutral", "Neither"),
)


def router() -> APIRouter:
    """``GET /incidents/{id}/claims``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/claims", response_class=HTMLResponse)
    def page(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = claims(here.state)
        shown = here.shown(found)
        _add_forms(here, found, shown)
        hypotheses = [(one.claim.id, f"{one.claim.id}: {_words(view)}") for one, view in _pairs(found, shown)]
        mark = here.form("claim-mark", submit="Hold evidence against a hypothesis", instance="any")
        return here.render(
            "claims.html",
            found=shown,
            state_form=here.form("claim-state", submit="State a claim", instance="page"),
            mark_form=_bearing(tuned(mark, "claim", choices=tuple(Choice(*row) for row in hypotheses))),
        )

    return routes


def _pairs(found: Claims, shown: dict[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    return list(zip(found.hypotheses, shown["hypotheses"], strict=True))


def _words(view: dict[str, Any]) -> str:
    return str(view["claim"]["text"]["text"])[:80]


def _bearing(form: FormView | None) -> FormView | None:
    return tuned(form, "consistency", choices=_BEARING, control="radio", required=True)


def _add_forms(here: Desk, found: Claims, shown: dict[str, Any]) -> None:
    back = f"{here.frame.base}/claims"
    for one, view in _pairs(found, shown):
        place = f"{back}#{one.claim.id}"
        view["confirm"] = here.form("claim-confirm", back=place, submit="Confirm: it is a fact", claim=one.claim.id)
        view["disprove"] = here.form("claim-disprove", back=place, submit="Disprove it", claim=one.claim.id)
    for claim, view in zip(found.facts, shown["facts"], strict=True):
        view["retract"] = here.form("claim-retract", back=f"{back}#{claim.id}", submit="Take it back", claim=claim.id)
    few = len(found.matrix) * len(found.hypotheses) <= CELLS
    for row, row_view in zip(found.matrix, shown["matrix"], strict=True):
        for cell, view in zip(row.cells, row_view["cells"], strict=True):
            view["form"] = _cell(here, row.citation, cell.claim, marked=cell.consistency is not None) if few else None
    for owed, view in zip(found.owed, shown["owed"], strict=True):
        view["form"] = _settle(here, owed)


def _cell(here: Desk, citation: str, claim: str, *, marked: bool) -> FormView | None:
    form = here.form(
        "claim-mark",
        back=f"{here.frame.base}/claims#matrix",
        submit="Change" if marked else "Mark",
        claim=claim,
        cite=citation,
    )
    return _bearing(form)


def _settle(here: Desk, owed: Correction) -> FormView | None:
    """Only an update sent to the same audience after the retraction can have corrected it."""
    sent = tuple(
        Choice(one.id, f"{one.id}, sent to {one.audience}")
        for one in here.state.communications.updates.values()
        if one.sent_seq is not None and one.sent_seq > owed.seq and one.audience == owed.audience
    )
    if not sent:
        return None
    form = here.form("correction-settle", submit="It was corrected with", correction=owed.id)
    return tuned(form, "update", choices=sent, control="select", required=True)
