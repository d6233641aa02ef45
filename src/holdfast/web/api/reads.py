"""Everything that is read: lists, one incident, its timeline, clocks, gates, the freeze gate, accounts."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse, Response

from holdfast import __version__
from holdfast.app import gating
from holdfast.app.authorisation import permit
from holdfast.app.commanding import Scope
from holdfast.app.installation import STREAM
from holdfast.app.queries import listing, logs, posts, showing, timeline
from holdfast.kernel.errors import ForbiddenError
from holdfast.kernel.instants import format_instant
from holdfast.web.api.commands import API, PROBLEMS, IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep

Version = Annotated[int, Query(ge=-1, le=2**53 - 1)]
Kind = Literal["action", "decision", "message", "evidence", "finding", "clock", "communication", "system", "unknown"]


def router() -> APIRouter:
    """Every read."""
    routes = APIRouter()
    for part in (_incidents(), _installation(), _gate()):
        routes.routes.extend(part.routes)
    return routes


def _incidents() -> APIRouter:
    routes = APIRouter(prefix=API, tags=["incidents"], responses=PROBLEMS)

    @routes.get("/incidents", operation_id="list-incidents")
    def incidents(
        viewer: ViewerDep,
        app: ApplicationDep,
        status: Annotated[Literal["open", "closed", "any"], Query()] = "open",
        kind: Annotated[Literal["real", "exercise"] | None, Query()] = None,
        after: Annotated[str | None, Query(pattern=r"^[0-9TZ:.-]{24}~[A-Za-z0-9-]{3,40}$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> JSONResponse:
        """Incidents you may see, newest first; ``next`` is what to pass as ``after`` for the page after."""
        permit(viewer, "incident.read")
        before = None
        if after is not None:
            declared, _, incident_id = after.partition("~")
            before = (declared, incident_id)
        wanted = listing.Wanted(None if status == "any" else status, kind, before, limit)
        found = listing.incidents(app.record, app.texts, viewer, wanted, app.tools.clock())
        last = found[-1].row if len(found) == limit else None
        return JSONResponse(
            {
                "incidents": [one.as_json() for one in found],
                "next": None if last is None else f"{last.declared_at}~{last.incident_id}",
            }
        )

    @routes.get("/incidents/{incident_id}", operation_id="read-incident")
    def incident(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The whole state of an incident: what its record says now, with the words people wrote."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(state, app.texts))

    @routes.get("/incidents/{incident_id}/post", operation_id="read-post")
    def post(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The command post: header, clocks, board, roles, what is missing and which countersignatures are owed."""
        state = app.incident(incident_id, viewer)
        return JSONResponse(showing.as_json(posts.post(app, state, viewer), app.texts))

    @routes.get("/incidents/{incident_id}/timeline", operation_id="read-timeline")
    def entries(  # noqa: PLR0913, PLR0917 - each is a query parameter
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        after: Version = -1,
        kind: Annotated[list[Kind] | None, Query()] = None,
        actor: Annotated[str, Query(max_length=40)] = "",
        words: Annotated[str, Query(max_length=200)] = "",
        order: Annotated[Literal["record", "time"], Query()] = "record",
    ) -> JSONResponse:
        """The timeline: one sentence an entry, in record order or by when it happened."""
        state = app.incident(incident_id, viewer)
        found = timeline.entries(state, app.record.load(incident_id, after=after), app.texts)
        found = timeline.matching(found, kinds=frozenset(kind or ()), actor=actor, words=words)
        if order == "time":
            found = timeline.by_time(found)
        return JSONResponse({"entries": [entry.as_json() for entry in found], "version": state.seq})

    @routes.get("/incidents/{incident_id}/events", operation_id="read-events")
    def events(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep, after: Version = -1) -> JSONResponse:
        """The record itself: event envelopes as hashed, free text as commitments."""
        app.incident(incident_id, viewer)
        found = app.record.load(incident_id, after=after)
        return JSONResponse({"events": [event.envelope() for event in found]})

    @routes.get("/incidents/{incident_id}/checkpoint", operation_id="read-checkpoint", response_class=Response)
    def checkpoint(incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> Response:
        """The newest signed checkpoint of the incident's record (C2SP signed note)."""
        app.incident(incident_id, viewer)
        return Response(app.record.checkpoint(incident_id) or b"", media_type="text/plain; charset=utf-8")

    return routes


def _installation() -> APIRouter:
    routes = APIRouter(prefix=API, tags=["installation"], responses=PROBLEMS)

    @routes.get("/me", operation_id="read-me")
    def me(viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Who you are here."""
        found = app.states.installation().accounts.get(viewer.account)
        return JSONResponse(
            {
                "account": viewer.account,
                "authenticated": viewer.actor.authenticated,
                "qualified": sorted(found.qualified) if found else [],
                "roles": sorted(viewer.roles),
                "scopes": sorted(viewer.scopes),
            }
        )

    @routes.get("/accounts", operation_id="list-accounts")
    def accounts(viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Everybody with an account, and what they are qualified for."""
        permit(viewer, "account.read")
        found = sorted(app.states.installation().accounts.values(), key=lambda account: account.name)
        return JSONResponse({"accounts": [showing.as_json(account, app.texts) for account in found]})

    @routes.get("/tokens", operation_id="list-tokens")
    def tokens(viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Your API tokens; an administrator sees everybody's. The values are shown only when issued."""
        permit(viewer, "token.own")
        everybody = "administrator" in viewer.roles
        found = app.states.installation().tokens.values()
        mine = [token for token in found if everybody or token.account == viewer.account]
        return JSONResponse({"tokens": [showing.as_json(token, app.texts) for token in mine]})

    @routes.get("/log", operation_id="read-log")
    def log(viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """The installation log: its signed checkpoint and its leaves, so that a dropped incident shows.

        Leaves of restricted incidents you may not see are given by their hash alone: the tree still adds up.
        """
        permit(viewer, "log.read")
        if app.record.size(STREAM) == 0:
            return JSONResponse({"checkpoint": "", "leaves": [], "verifier_keys": list(app.verifier_keys())})
        checkpoint, leaves = logs.installation_log(app, viewer)
        return JSONResponse({"checkpoint": checkpoint, "leaves": leaves, "verifier_keys": list(app.verifier_keys())})

    @routes.get("/keys", operation_id="read-keys")
    def keys(app: ApplicationDep) -> JSONResponse:
        """Public verifier keys of this installation, oldest first: what to pin for ``holdfast verify``."""
        return JSONResponse({"verifier_keys": list(app.verifier_keys())})

    @routes.get("/health", operation_id="health")
    def health(app: ApplicationDep) -> JSONResponse:
        """Whether the server answers and its record can be read."""
        app.record.position()
        return JSONResponse({"now": format_instant(app.tools.clock()), "ok": True, "version": __version__})

    return routes


def _gate() -> APIRouter:
    routes = APIRouter(prefix=API, tags=["gate"], responses=PROBLEMS)

    @routes.get("/gate", operation_id="ask-gate")
    def ask(scope: Annotated[Scope, Query()], viewer: ViewerDep, app: ApplicationDep) -> JSONResponse:
        """Whether a destructive change to a scope may go ahead now (F4): go, frozen, or unknown."""
        _may_ask(viewer.scopes)
        return JSONResponse(gating.as_json(app, gating.ask(app, scope)))

    @routes.post("/gate", operation_id="ask-gate-with-pass")
    def ask_with_pass(
        scope: Annotated[Scope, Body()],
        containment_pass: Annotated[str, Body(max_length=4000)],
        pipeline: Annotated[str, Body(pattern=r"^[A-Za-z0-9._/@:-]{1,100}$")],
        viewer: ViewerDep,
        app: ApplicationDep,
    ) -> JSONResponse:
        """Ask the gate with a containment pass; its use is recorded when it opens the way."""
        _may_ask(viewer.scopes - {"read"})
        return JSONResponse(gating.as_json(app, gating.ask_with_pass(app, scope, containment_pass, pipeline, viewer)))

    return routes


def _may_ask(scopes: frozenset[str]) -> None:
    if not scopes & {"all", "read", "gate"}:
        raise ForbiddenError(
            "not-permitted",
            "The gate was not asked.",
            why="The token is not scoped for it.",
            next_step="Use a token with the scope gate: holdfast token issue LABEL --scopes gate",
        )
