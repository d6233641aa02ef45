"""One route for every use case, made from its declaration."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from holdfast.app.commanding import REGISTRY, Command, IncidentCommand, UseCase
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.problems import MEDIA_TYPE

API = "/api/v1"

IncidentPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{3,40}$", description="incident id, such as INC-2026-0042")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[\x21-\x7e]{8,200}$",
        description="Send the same key again after a lost connection: the command is done once.",
    ),
]


class EventReference(BaseModel):
    """One recorded event."""

    seq: int
    type: str
    event_id: str


class SecretNotice(BaseModel):
    """Something in the text looked like a secret and was replaced before it was stored."""

    field: str
    rule: str
    fingerprint: str


class Answer(BaseModel):
    """What a command did; it is durable when you read this."""

    incident: str
    version: int
    events: list[EventReference]
    result: dict[str, Any]
    notices: list[SecretNotice]
    replayed: bool


# By reference: a model here would be compiled anew for every one of the routes, half a second of each start.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "description": meaning,
    }
    for status, meaning in {
        400: "The body cannot be read.",
        401: "Nobody is signed in.",
        403: "The act is not permitted.",
        404: "There is no such thing for you.",
        409: "The facet changed, or a rule of the runbook refuses it.",
        413: "Too large.",
        422: "A field does not fit.",
        503: "Busy; trying again helps.",
    }.items()
}


def router() -> APIRouter:
    """Every use case as ``POST``."""
    routes = APIRouter(prefix=API)
    for case in sorted(REGISTRY.values(), key=lambda one: one.path):
        on_incident = issubclass(case.command, IncidentCommand)
        place = case.path.replace(" ", "/")
        if case.name == "declare":
            place = "incidents"
        elif on_incident:
            place = f"incidents/{{incident_id}}/{place}"
        routes.add_api_route(
            f"/{place}",
            _on_incident(case) if on_incident else _on_installation(case),
            methods=["POST"],
            name=case.name,
            operation_id=case.name,
            summary=case.summary,
            description=_description(case),
            response_model=Answer,
            status_code=200,
            responses=PROBLEMS,
            tags=[case.path.split(" ", maxsplit=1)[0]],
        )
    return routes


def _description(case: UseCase) -> str:
    parts = [case.command.__doc__ or ""]
    if case.runbook:
        parts.append(f"Runbook: {', '.join(case.runbook)}.")
    parts.append(f"Act: `{case.act}`." + (f" Facet: `{case.facet}`." if case.facet else ""))
    return "\n\n".join(parts)


def _on_incident(case: UseCase) -> Callable[..., JSONResponse]:
    def endpoint(
        incident_id: IncidentPath,
        body: Command,
        viewer: ViewerDep,
        app: ApplicationDep,
        idempotency_key: IdempotencyKey = None,
    ) -> JSONResponse:
        outcome = app.execute(case.name, body, viewer, incident_id=incident_id, idempotency_key=idempotency_key)
        return JSONResponse(outcome.as_json())

    endpoint.__annotations__["body"] = case.command
    return endpoint


def _on_installation(case: UseCase) -> Callable[..., JSONResponse]:
    def endpoint(
        body: Command, viewer: ViewerDep, app: ApplicationDep, idempotency_key: IdempotencyKey = None
    ) -> JSONResponse:
        return JSONResponse(app.execute(case.name, body, viewer, idempotency_key=idempotency_key).as_json())

    endpoint.__annotations__["body"] = case.command
    return endpoint
