"""Reads of an incident's sections: questions, plays, claims, updates, closure, review, measures."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from holdfast.app.queries import (
    claiming,
    playing,
    questions,
    recovering,
    reviewing,
    showing,
    updating,
)
from holdfast.web.api.commands import API, PROBLEMS, IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep

PlayPath = Annotated[str, Path(pattern=r"^play-[1-9][0-9]{0,8}$", description="a run, such as play-1")]
UpdatePath = Annotated[str, Path(pattern=r"^update-[1-9][0-9]{0,8}$", description="an update, such as update-1")]


def router() -> APIRouter:
    """Every section's read."""
    routes = APIRouter(prefix=f"{API}/incidents/{{incident_id}}", tags=["sections"], responses=PROBLEMS)
    _finding_out(routes)
    _telling(routes)
    _ending(routes)
    return routes


def _finding_out(routes: APIRouter) -> None:
    @routes.get("/questions", operation_id="list-questions")
    def read_questions(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The questions I1 to I7: parts, answers, what cannot be told, and the next command."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(questions.questions(state, app.tools.documents), app.texts))

    @routes.get("/plays", operation_id="list-plays")
    def read_plays(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Every run of a play with its steps, and the plays that may be started."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(playing.plays(state, app.tools.documents), app.texts))

    @routes.get("/plays/{play_id}", operation_id="read-play")
    def read_play(incident_id: IncidentPath, play_id: PlayPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """One run of a play: each step with its parts, outputs, cautions and the next command."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(playing.play(state, app.tools.documents, play_id), app.texts))


def _telling(routes: APIRouter) -> None:
    @routes.get("/claims", operation_id="list-claims")
    def read_claims(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Facts, hypotheses ranked by what speaks against them, what was given up, corrections owed."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(claiming.claims(state), app.texts))

    @routes.get("/updates", operation_id="list-updates")
    def read_updates(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Updates by audience: promises, texts, findings, approvals, and what a new draft would start from."""
        state = app.incident(incident_id, viewer)
        found = updating.updates(state, app.texts, app.tools.documents, app.tools.clock())
        return JSONResponse(showing.as_json(found, app.texts))

    @routes.get("/updates/{update_id}", operation_id="read-update")
    def read_update(
        incident_id: IncidentPath, update_id: UpdatePath, viewer: ViewerDep, app: ApplicationDep
    ) -> JSONResponse:
        """One update: the exact text with its hash, findings, approvals, and what keeps it from being sent."""
        state = app.incident(incident_id, viewer)
        found = updating.update(state, app.texts, app.tools.clock(), update_id)
        return JSONResponse(showing.as_json(found, app.texts))


def _ending(routes: APIRouter) -> None:
    @routes.get("/closure", operation_id="read-closure")
    def read_closure(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Escalations, the gates X1 to X8 with what is missing, and what keeps the incident from closing."""
        state = app.incident(incident_id, viewer)
        found = recovering.closure(state, app.tools.documents, app.tools.clock())
        return JSONResponse(showing.as_json(found, app.texts))

    @routes.get("/review", operation_id="read-review")
    def read_review(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The review's prompts with drafts from the record and answers, improvements, and the measures."""
        state = app.incident(incident_id, viewer)
        found = reviewing.review(state, app.texts, app.tools.documents, app.tools.clock())
        return JSONResponse(showing.as_json(found, app.texts))

    @routes.get("/measures", operation_id="read-measures")
    def read_measures(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Distinct instants, each with who asserted it, and the spans between them."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(reviewing.measures(state), app.texts))
