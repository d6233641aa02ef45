"""Investigations of an incident: start one, read the newest result, its files, and ask the activity table in SQL."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from holdfast.app import investigation_results as results
from holdfast.app.inquiries import AskedSql, Wanted
from holdfast.app.ports_investigation import Reply
from holdfast.app.queries import inquiring
from holdfast.investigation import spine
from holdfast.investigation.assembly import instant_text
from holdfast.investigation.saved import Saved, saved, saved_named
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import format_instant, to_utc
from holdfast.web.api.commands import API, PROBLEMS, IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep

ResultPath = Annotated[str, Path(pattern=r"^ev-[1-9][0-9]{0,8}$", description="a result, such as ev-9")]
FileName = Literal[
    "answers.json", "timeline.csv", "timeline.jsonl", "timeline.svg", "trust.svg", "coverage.svg", "identities.svg"
]
Kind = Literal["lead", "signal", "act", "response", "gap", "pin", "state", "incident"]
Value = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "svg": "image/svg+xml",
}


class Investigate(BaseModel):
    """What a run asks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subjects: list[Value] = Field(
        default=[], max_length=50, description="credentials, identities or artifacts asked about"
    )
    start: AwareDatetime | None = Field(default=None, alias="from", description="start of the window")
    end: AwareDatetime | None = Field(default=None, alias="to", description="end of the window")
    responders: list[Value] = Field(
        default=[], max_length=200, description="identities or credentials of our own people"
    )
    clock_offsets_ms: dict[Value, Annotated[int, Field(ge=-(2**40), le=2**40)]] = Field(
        default={}, max_length=50, description="source to how far its clock is ahead, in milliseconds; for the timeline"
    )


class AskSql(BaseModel):
    """A question in SQL, or a saved one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str = Field(default="", max_length=100_000, description="one SELECT; leave it out to name a saved question")
    saved: str = Field(default="", max_length=60, description="id of a saved question")
    parameters: dict[str, Annotated[str, StringConstraints(max_length=2_000)]] = Field(
        default={}, max_length=20, description="texts for the question's $names"
    )
    limit: int = Field(default=1000, ge=1, le=10_000, description="rows of the answer")
    timeout_s: float = Field(default=30, gt=0, le=300, description="seconds after which it is ended")

    def text(self) -> str:
        """The SQL.

        Raises:
            BadInputError: neither or both are given, or there is no such saved question.
        """
        if bool(self.sql.strip()) == bool(self.saved):
            raise BadInputError(
                "question-missing",
                "The question was not asked.",
                why="It takes either SQL or the id of a saved question.",
                next_step='Try: holdfast sql --incident INC "SELECT source, count(*) FROM activity GROUP BY source"',
            )
        return self.sql if self.sql.strip() else saved_named(self.saved).sql


def router() -> APIRouter:
    """Everything about investigations of one incident."""
    routes = APIRouter(prefix=f"{API}/incidents/{{incident_id}}", tags=["investigation"], responses=PROBLEMS)

    @routes.post("/investigation", operation_id="investigate")
    def start(incident_id: IncidentPath, body: Investigate, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Read the captured items, answer I1 to I7, and keep the result as evidence. Answers when it is done."""
        return JSONResponse(app.investigations().run(incident_id, viewer, wanted_from(body)))

    @routes.get("/investigation", operation_id="read-investigation")
    def newest(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The newest result with its evidence id, and how far a run under way is."""
        state = app.incident(incident_id, viewer)
        found = app.investigations().latest(state)
        running = app.investigations().running(incident_id)
        told = {
            "evidence_id": None if found is None else found[0].id,
            "result": None if found is None else found[1],
            "results": [item.id for item in results.items(state)],
            "running": None
            if running is None or running.done
            else {
                "by": running.by,
                "percent": running.percent,
                "since": format_instant(running.since),
                "what": running.what,
            },
        }
        return JSONResponse(told)

    @routes.get("/investigation/{evidence_id}/{name}", operation_id="read-investigation-file", response_class=Response)
    def file(
        incident_id: IncidentPath, evidence_id: ResultPath, name: FileName, viewer: ViewerDep, app: ApplicationDep
    ) -> Response:
        """One file of a result: answers, timeline or a picture; the viewing is recorded."""
        state = app.incident(incident_id, viewer)
        raw = results.file(app.vault, state, evidence_id, name)
        app.execute("evidence-view", {"evidence_id": evidence_id}, viewer, incident_id=incident_id)
        headers = {
            "Content-Disposition": f'attachment; filename="{incident_id}-{evidence_id}-{name}"',
            # A picture opened by itself is a document: nothing in it may run or load anything.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        return Response(raw, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)

    _timeline(routes)
    _asking(routes)
    return routes


def _asking(routes: APIRouter) -> None:
    @routes.post("/sql", operation_id="ask-sql")
    def ask(incident_id: IncidentPath, body: AskSql, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Ask the newest activity table in read-only SQL (DuckDB's), or run a saved question by its id."""
        question = AskedSql(body.text(), body.parameters, body.limit, body.timeout_s)
        return JSONResponse(reply_json(app.investigations().ask(incident_id, viewer, question)))

    @routes.get("/sql", operation_id="list-saved-questions")
    def questions(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The saved questions with their parameters, and the tables there are."""
        tables = app.investigations().tables(incident_id, viewer)
        return JSONResponse({"saved": [saved_json(one) for one in saved()], "tables": tables})


def saved_json(one: Saved) -> dict[str, object]:
    """A saved question."""
    parameters = [
        {"name": each.name, "title": each.title, "example": each.example, "optional": each.optional}
        for each in one.parameters
    ]
    return {"id": one.id, "title": one.title, "why": one.why, "sql": one.sql, "parameters": parameters}


def reply_json(found: Reply) -> dict[str, object]:
    """An answer in SQL: columns with their types, rows, and whether there was more."""
    columns = [{"name": name, "type": kind} for name, kind in found.columns]
    return {"columns": columns, "rows": [list(row) for row in found.rows], "cut": found.cut, "seconds": found.seconds}


def _timeline(routes: APIRouter) -> None:
    @routes.get("/investigation/timeline", operation_id="read-investigation-timeline")
    def entries(  # noqa: PLR0913, PLR0917 - each is a query parameter
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        kind: Annotated[list[Kind] | None, Query()] = None,
        source: Annotated[list[str] | None, Query(max_length=60)] = None,
        actor: Annotated[str, Query(max_length=200)] = "",
        words: Annotated[str, Query(max_length=200)] = "",
        start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=spine.PAGE)] = spine.PAGE,
    ) -> JSONResponse:
        """One timeline over all sources and the incident's own record; ``next`` is what to pass as ``after``."""
        state = app.incident(incident_id, viewer)
        window = [None if moment is None else _microseconds(moment) for moment in (start, end)]
        wanted = spine.Wanted(frozenset(kind or ()), frozenset(source or ()), actor, words, *window)
        page = spine.page(inquiring.entries(app, state), wanted, after, limit)
        told = {
            "entries": [_entry(one) for one in page.entries],
            "total": page.total,
            "next": page.following,
            "counts": dict(page.counts),
        }
        return JSONResponse(told)


def _entry(one: spine.Entry) -> dict[str, object]:
    return {
        "kind": one.kind,
        "what": one.what,
        "time": instant_text(one.time_us),
        "until": instant_text(one.until_us),
        "source": one.source,
        "account": one.account,
        "region": one.region,
        "actor": one.actor,
        "target": one.target,
        "operation": one.operation,
        "status": one.status,
        "score": one.score,
        "technique": one.technique,
        "events": one.events,
        "citation": None if one.citation is None else one.citation.as_json(),
        "id": one.id,
    }


def wanted_from(body: Investigate) -> Wanted:
    """What is asked, as the application takes it.

    Raises:
        BadInputError: the window ends before it starts.
    """
    start, end = (None if moment is None else _microseconds(moment) for moment in (body.start, body.end))
    if start is not None and end is not None and end < start:
        raise BadInputError(
            "window-reversed",
            "Nothing was investigated.",
            why="The window ends before it starts.",
            next_step="Give --from before --to.",
        )
    return Wanted(tuple(body.subjects), start, end, tuple(body.responders), body.clock_offsets_ms)


def _microseconds(moment: AwareDatetime) -> int:
    utc = to_utc(moment)
    return int(utc.timestamp()) * 1_000_000 + utc.microsecond
