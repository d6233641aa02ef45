"""The freeze (F4): orders, passes for containment, and what a pipeline is told when it asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from holdfast.app.commanding import Scope
from holdfast.incidents import freezing
from holdfast.incidents.state_board import Freeze
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk


def router() -> APIRouter:
    """``GET /incidents/{id}/freeze``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/freeze", response_class=HTMLResponse)
    def freeze(
        request: Request,
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        scope: Annotated[Scope | None, Query()] = None,
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        board, now = here.state.incidents.board, here.frame.now
        return here.render(
            "freeze.html",
            freezes=[_freeze(here, one) for one in reversed(list(board.freezes.values()))],
            declined=here.shown(board.declined),
            passes=[_pass(here, one.id) for one in reversed(list(board.passes.values()))],
            orders=_forms(here, ("freeze-order", "Order a freeze"), ("freeze-decline", "No freeze is needed"),
                          ("freeze-pass", "Issue a containment pass")),
            asked=scope or "",
            answer=[one.id for one in freezing.standing_freezes(board, now) if scope and freezing.stops(one, scope)],
        )  # fmt: skip  # one argument a line would hide the order

    return routes


def _forms(
    here: Desk, *wanted: tuple[str, str], freeze_id: str | None = None, pass_id: str | None = None
) -> list[FormView]:
    forms = [here.form(name, submit=label, freeze_id=freeze_id, pass_id=pass_id) for name, label in wanted]
    return [form for form in forms if form is not None]


def _freeze(here: Desk, one: Freeze) -> dict[str, Any]:
    stands = freezing.in_force(one, here.frame.now)
    wanted = (("freeze-extend", "Extend"), ("freeze-lift", "Lift"))
    forms = _forms(here, *wanted, freeze_id=one.id) if stands else []
    standing = "in force" if stands else "lifted" if one.lifted_at is not None else "lapsed"
    return {**here.shown(one), "stands": stands, "word": standing, "forms": forms}


def _pass(here: Desk, pass_id: str) -> dict[str, Any]:
    known = here.state.incidents.board.passes[pass_id]
    over = known.revoked_at is not None or here.frame.now >= known.expires_at or known.used >= known.max_uses
    forms = [] if over else _forms(here, ("freeze-revoke-pass", "Take it back"), pass_id=pass_id)
    return {**here.shown(known), "over": over, "forms": forms}
