"""Exposure searches of an incident: start one, hand a report in, read the newest result and its files."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from starlette.concurrency import run_in_threadpool

from holdfast.app import exposure_results as results
from holdfast.app.exposures import Wanted
from holdfast.app.queries import exposing
from holdfast.exposure.report import MAX_BYTES
from holdfast.exposure.results import Visibility
from holdfast.kernel.errors import TooLargeError
from holdfast.kernel.secrets import SecretValue
from holdfast.web.api.commands import API, PROBLEMS, IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep

ResultPath = Annotated[str, Path(pattern=r"^ev-[1-9][0-9]{0,8}$", description="a report, such as ev-9")]
FileName = Literal["report.jsonl", "summary.json", "places.csv", "worklist.csv", "exposure.svg"]
Item = Annotated[str, StringConstraints(pattern=r"^ev-[1-9][0-9]{0,8}$")]
FolderName = Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=r"^/[^\x00-\x1f\x7f]*$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
MAX_SECRET = 64 << 10
"""Characters; longer than any key file."""
_TYPES = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
}


class Search(BaseModel):
    """What to search for, and in what."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: SecretStr = Field(
        min_length=1, max_length=MAX_SECRET, description="the exact secret; it is never kept, logged or answered"
    )
    items: list[Item] = Field(default=[], max_length=1_000, description="captured items of this incident, such as ev-3")
    paths: list[FolderName] = Field(
        default=[], max_length=1_000, description="absolute paths below the folders that the administrator allowed"
    )
    visibility: dict[str, Visibility] = Field(
        default={}, max_length=2_000, description="item or path to who could read it, where somebody knows"
    )
    label: Label | None = Field(default=None, description="what to call the secret in the report; never a part of it")

    def wanted(self) -> Wanted:
        """As the application takes it."""
        secret = SecretValue(self.secret.get_secret_value())
        return Wanted(secret, tuple(self.items), tuple(self.paths), self.label, self.visibility)


def router() -> APIRouter:
    """Everything about exposure searches of one incident."""
    routes = APIRouter(prefix=f"{API}/incidents/{{incident_id}}", tags=["exposure"], responses=PROBLEMS)

    @routes.post("/exposure", operation_id="search-exposure", status_code=202)
    def start(incident_id: IncidentPath, body: Search, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Search captured items and allowed folders for a leaked secret, in the background; the report is evidence."""
        running = app.exposure_searches().start(incident_id, viewer, body.wanted())
        return JSONResponse({"running": exposing.running_json(running)}, 202)

    @routes.post(
        "/exposure/report",
        operation_id="hand-in-exposure-report",
        openapi_extra={"requestBody": {"content": {"application/x-ndjson": {}}, "required": True}},
    )
    async def hand_in(
        incident_id: IncidentPath, request: Request, viewer: ViewerDep, app: ApplicationDep
    ) -> JSONResponse:
        """Keep a report that ``holdfast exposure search`` made elsewhere, as its lines; it is read strictly."""
        searches = app.exposure_searches()
        await run_in_threadpool(searches.check, incident_id, viewer)  # before anything is read
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                raise _too_large()
        taken = await run_in_threadpool(searches.take, incident_id, viewer, bytes(body).splitlines())
        return JSONResponse(exposing.as_json(taken), 201)

    @routes.get("/exposure", operation_id="read-exposure")
    def newest(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The newest report with its places and the list to work from, and how far a search under way is."""
        state = app.incident(incident_id, viewer)
        searches = app.exposure_searches()
        found, running = searches.latest(state), searches.running(incident_id)
        failed = None if running is None or running.error is None else running.error
        told = {
            "result": None if found is None else exposing.as_json(found),
            "results": [item.id for item in results.items(state)],
            "running": exposing.running_json(running),
            "failed": None if failed is None else {"code": failed.code, "what": failed.what, "why": failed.why},
        }
        return JSONResponse(told)

    @routes.get("/exposure/{evidence_id}/{name}", operation_id="read-exposure-file", response_class=Response)
    def file(
        incident_id: IncidentPath, evidence_id: ResultPath, name: FileName, viewer: ViewerDep, app: ApplicationDep
    ) -> Response:
        """One file of a report: its lines, places, the list to work from, the picture; the viewing is recorded."""
        state = app.incident(incident_id, viewer)
        raw = results.file(app.vault, state, evidence_id, name)
        app.execute("evidence-view", {"evidence_id": evidence_id}, viewer, incident_id=incident_id)
        headers = {
            "Content-Disposition": f'attachment; filename="{incident_id}-{evidence_id}-{name}"',
            # A picture opened by itself is a document: nothing in it may run or load anything.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        return Response(raw, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)

    return routes


def _too_large() -> TooLargeError:
    return TooLargeError(
        "exposure-report-too-large",
        "The report was not taken.",
        why=f"It is over {MAX_BYTES >> 20} MiB.",
        next_step="Search fewer targets at once, and hand in a report for each.",
    )
