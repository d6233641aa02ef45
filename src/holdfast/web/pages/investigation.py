"""The investigation: seven questions, their parts, and what each answer rests on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import ValidationError

from holdfast.app.authorisation import is_permitted
from holdfast.app.queries import inquiring
from holdfast.app.queries.questions import QuestionShown, questions
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import parse_instant
from holdfast.web.api.commands import IncidentPath
from holdfast.web.api.investigations import Investigate, wanted_from
from holdfast.web.forms import FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.posting import Pairs, PostedDep, check_csrf, field
from holdfast.web.rendering import csrf_of

_LISTS = ("subjects", "responders")


def router() -> APIRouter:
    """``GET /incidents/{id}/investigation``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/investigation", response_class=HTMLResponse)
    def investigation(
        request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = questions(here.state, app.tools.documents)
        shown = here.shown(found)
        told = inquiring.shown(app, here.state)
        following = next((one.id for one in found.questions if one.standing == "open"), "")
        for view, one in zip(shown["questions"], found.questions, strict=True):
            view["forms"] = _forms(here, one, told.evidence_id)
            view["following"] = one.id == following
            view["events"] = [f"#{seq}" for seq in one.history]
        return here.render(
            "investigation.html",
            found=shown,
            told=told,
            pictures={name: Markup(svg) for name, svg in told.pictures.items()},  # noqa: S704 - drawn and escaped by us
            csrf=csrf_of(request),
            may_run=is_permitted(viewer, "evidence.add", here.state),
        )

    @routes.post("/incidents/{incident_id}/investigation/run")
    def run(
        request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep, pairs: PostedDep
    ) -> Response:
        check_csrf(request, pairs)
        wanted = wanted_from(_asked(pairs))
        app.investigations().start(incident_id, viewer, wanted)
        return RedirectResponse(f"/incidents/{incident_id}/investigation#inquiry", 303)

    return routes


def _asked(pairs: Pairs) -> Investigate:
    """The form as the API's request.

    Raises:
        BadInputError: an instant is none, or a value does not fit.
    """
    lines = {name: [line.strip() for line in field(pairs, name).splitlines() if line.strip()] for name in _LISTS}
    window = {name: field(pairs, name).strip() or None for name in ("from", "to")}
    for text in window.values():
        if text is not None:
            parse_instant(text)
    try:
        return Investigate.model_validate({**lines, **window})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInputError(
            "investigation-not-understood",
            "The investigation was not started.",
            why=f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}.",
            next_step="Correct it and send the form again.",
        ) from None


def _forms(here: Desk, one: QuestionShown, evidence_id: str | None) -> dict[str, Any]:
    """What may be done with a question as it stands."""
    back = f"{here.frame.base}/investigation#question-{one.id}"

    def form(use_case: str, submit: str, **fixed: Any) -> FormView | None:  # noqa: ANN401 - of any field
        instance = "-".join(fixed.values())
        return here.form(use_case, back=back, instance=instance, submit=submit, **fixed)

    parts = {
        part.key: form(
            "question-settle",
            "Settle" if part.standing == "open" else "Settle again",
            question=one.id,
            part=part.key,
        )
        for part in one.parts
    }
    again = "again" if one.history else ""
    adopt = None
    if evidence_id is not None:
        adopt = form("question-adopt", "Confirm this answer", question=one.id, evidence=evidence_id)
    return {
        "adopt": adopt,
        "parts": parts,
        "answer": None if one.open_parts else form("question-answer", f"Answer {again}".strip(), question=one.id),
        "unknown": form("question-unknown", "It cannot be told", question=one.id),
        "assign": form("question-assign", "Give it to somebody", question=one.id),
        "reopen": None if one.standing == "open" else form("question-reopen", "Open it again", question=one.id),
    }
