"""The board of the first fifteen minutes: F1 to F6, each part of F2 and F5, and the first containment decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries import posts, room
from holdfast.incidents.board import BY_HAND, shipped_board
from holdfast.kernel.parts import STANDINGS
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView, Offer
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk

_SOURCES = {line.id: line.source for line in shipped_board().lines}
_STANDINGS = [(one, one.replace("_", " ")) for one in STANDINGS if one != "open"]


def router() -> APIRouter:
    """``GET /incidents/{id}/board``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/board", response_class=HTMLResponse)
    def board(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        seen = posts.post(app, here.state, viewer)
        events = here.events()
        contains = [one for one in room.decisions(here.state, events, app.texts) if one.kind == "containment"]
        return here.render(
            "board.html",
            lines=[_line(here, line) for line in here.shown(seen.board)],
            board_clock=here.shown(seen.board_clock),
            report=here.shown(here.state.incidents.report),
            contains=here.shown(contains),
        )

    return routes


def _line(here: Desk, line: Mapping[str, Any]) -> dict[str, Any]:
    owner, me = line["owner"], here.viewer.account
    saw = here.state.facets.get(f"board:{line['id']}")
    owned: list[FormView | None] = []
    if owner is None:
        if line["standing"] == "open":
            owned.append(here.form("board-claim", submit=f"I take {line['id']}", line=line["id"], saw=saw))
    elif owner["owner"] == me and owner["acknowledged_at"] is None:
        owned.append(here.form("board-acknowledge", submit="I have it", line=line["id"], saw=saw))
    owned.append(here.form("board-assign", submit="Assign", line=line["id"], saw=saw))
    by_hand = _SOURCES[line["id"]] in BY_HAND
    return {
        **line,
        "owned": [form for form in owned if form is not None],
        "parts": [_part(here, line["id"], part, by_hand=by_hand) for part in line["parts"]],
        "acts": _acts(here, _SOURCES[line["id"]]),
    }


def _part(here: Desk, line: str, part: Mapping[str, Any], *, by_hand: bool) -> dict[str, Any]:
    if not by_hand:
        return {**part, "settle": None, "reopen": None}
    place = f"{line}-{part['key']}"
    offer = Offer(options={"standing": _STANDINGS}, preset={"standing": "done"}, submit="Settle")
    settled = part["standing"] != "open"
    return {
        **part,
        "settle": here.form(
            "board-settle", instance=place, offer=offer, submit="Settle again" if settled else "Settle",
            line=line, part=part["key"],
        ),
        "reopen": here.form("board-settle", instance=f"{place}-open", submit="Open again", line=line,
                            part=part["key"], standing="open") if settled else None,
    }  # fmt: skip  # the two forms of a part side by side


def _acts(here: Desk, source: str) -> list[FormView]:
    """What moves a line on that follows from what is done elsewhere."""
    core = here.state.incidents
    me = here.viewer.account
    wanted: dict[str, list[tuple[str, str]]] = {
        "command": [("command-take", "I command")]
        if core.commander is None or (core.commander == me and core.command.acting)
        else [],
        "report": [("report-add", "Add to the report")],
        "severity": [("severity-answer", "Answer the severity questions"), ("impact-state", "State an impact")],
        "freeze": [("freeze-order", "Order a freeze"), ("freeze-decline", "No freeze is needed")],
        "capture": [],
        "containment": [("contain-decide", "Decide a containment action")],
    }
    forms = [here.form(name, instance="board", submit=label) for name, label in wanted[source]]
    return [form for form in forms if form is not None]
