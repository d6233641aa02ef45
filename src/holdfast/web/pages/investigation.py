"""The investigation: seven questions, their parts, and what each answer rests on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries.questions import QuestionShown, questions
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk


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
        following = next((one.id for one in found.questions if one.standing == "open"), "")
        for view, one in zip(shown["questions"], found.questions, strict=True):
            view["forms"] = _forms(here, one)
            view["following"] = one.id == following
            view["events"] = [f"#{seq}" for seq in one.history]
        return here.render("investigation.html", found=shown)

    return routes


def _forms(here: Desk, one: QuestionShown) -> dict[str, Any]:
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
    return {
        "parts": parts,
        "answer": None if one.open_parts else form("question-answer", f"Answer {again}".strip(), question=one.id),
        "unknown": form("question-unknown", "It cannot be told", question=one.id),
        "assign": form("question-assign", "Give it to somebody", question=one.id),
        "reopen": None if one.standing == "open" else form("question-reopen", "Open it again", question=one.id),
    }
