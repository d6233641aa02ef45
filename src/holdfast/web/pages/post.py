"""The command post: what happens now, what we know, what is mine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries import knowing, posts, spine, waiting
from holdfast.incidents import freezing, severity
from holdfast.incidents.state import IMPACTS
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView, Offer
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.incident_frame import IMPACT_NAMES

WORDS = Offer(labels={"text": "Message"})
RECENT = 12
"""Entries of the timeline shown on the post."""
ANSWERS = [("no", "No"), ("unknown", "Unknown"), ("suspected", "Suspected"), ("confirmed", "Confirmed")]


def router() -> APIRouter:
    """``GET /incidents/{id}`` and its top line alone, which every section refreshes by itself."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/topline", response_class=HTMLResponse)
    def topline(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        return desk(request, app, viewer, incident_id).render("topline.html")

    @routes.get("/incidents/{incident_id}", response_class=HTMLResponse)
    def post(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        seen = posts.post(app, here.state, viewer)
        return here.render(
            "post.html",
            board=here.shown(seen.board),
            board_clock=here.shown(seen.board_clock),
            nags=list(_nags(here, seen.nags)),
            freezes=here.shown(freezing.standing_freezes(here.state.incidents.board, here.frame.now)),
            declined=here.shown(here.state.incidents.board.declined),
            flights=here.shown(knowing.in_flight(here.state, app.tools.documents)),
            running=list(_running(here)),
            say=just_words(here.form("message-post", instance="quick", submit="Say it in the room", offer=WORDS)),
            **_severity(here),
            **_known(here),
            **_mine(here),
            recent=_recent(here),
        )

    return routes


LABELS = {
    "access-review": "Review it",
    "command-answer": "I am here, and I command",
    "command-take": "I command",
    "countersign": "Countersign",
    "disposition-confirm": "Confirm",
    "disposition-refuse": "Refuse",
    "erasure-approve": "Erase for good",
    "erasure-decline": "Decline",
    "evidence-accept": "Take it over",
    "evidence-refuse": "Turn it down",
    "handover-accept": "Accept: I command",
    "handover-decline": "Decline",
    "report-add": "Say it",
    "role-assign": "Assign",
    "severity-confirm-lower": "Confirm",
    "severity-refuse-lower": "Refuse",
    "task-acknowledge": "I have it",
    "task-done": "It is done",
    "time-state": "State it",
    "update-approve": "Approve exactly this",
    "update-refuse": "Refuse",
}
"""Short words on the button of a reminder, or of an answer."""
ABOVE = frozenset({"impact-state", "severity-raise", "severity-lower", "severity-answer"})
"""What the severity panel asks already; a reminder of it is left out unless it is late."""


def _nags(here: Desk, nags: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for place, nag in enumerate(nags):
        form = here.form_of(nag["next_command"], f"nag-{place}", LABELS)
        if form is None or nag["red"] or form.name not in ABOVE:
            yield {**here.shown(nag), "form": form}


def just_words(form: FormView | None) -> FormView | None:
    """Just the words: what it answers is chosen in the room."""
    return None if form is None else replace(form, fields=tuple(one for one in form.fields if one.name == "text"))


def _running(here: Desk) -> Iterator[dict[str, Any]]:
    """Running clocks, the most urgent first; the first fifteen minutes stand with the board."""
    for clock in here.frame.clocks:
        if clock.stopped_at is None and clock.key != "first-fifteen":
            shown = {"since": clock.since, "until": clock.until, "state": "running", "note": clock.warning or ""}
            yield {"name": clock.name, "runbook": clock.runbook, "clock": shown}


def _severity(here: Desk) -> dict[str, Any]:
    core = here.state.incidents
    said, level = core.severity.assessed, core.level
    proposed = core.severity.proposed
    up = proposed is not None and (level is None or severity.is_worse(proposed, level))
    agree = None
    if proposed is not None and said is not None:
        agree = (
            here.form(
                "severity-raise", submit=f"Agree: {proposed}", level=proposed, reason=said.reason, instance="agree"
            )
            if up
            else here.form("severity-lower", submit=f"Propose {proposed}", level=proposed, instance="agree")
        )
    return {
        "assessed": here.shown(said),
        "proposed": proposed,
        "agree": agree,
        "agree_key": "a" if up else "",
        "lowering": here.shown(core.severity.lowering),
        "answer": here.form("severity-answer", instance="post", submit="Answer the severity questions"),
        "raise_form": here.form("severity-raise", instance="post", submit="Raise the severity"),
        "lower_form": here.form("severity-lower", instance="post", submit="Propose a lower severity"),
        "impacts": [_impact(here, key) for key in IMPACTS],
        "peak": core.peak,
    }


def _impact(here: Desk, key: str) -> dict[str, Any]:
    said = here.state.incidents.impact.get(key)
    offer = Offer(options={"answer": ANSWERS}, submit="State it")
    return {
        "key": key,
        "name": IMPACT_NAMES[key],
        "said": here.shown(said),
        "form": here.form("impact-state", instance=key, offer=offer, impact=key),
    }


def _known(here: Desk) -> dict[str, Any]:
    found = knowing.known(here.state, here.app.tools.documents, here.frame.now)
    return {"known": here.shown(found), "claim": here.form("claim-state", instance="post", submit="State a claim")}


def _mine(here: Desk) -> dict[str, Any]:
    me, core = here.viewer.account, here.state.incidents
    found = waiting.mine(here.state, here.viewer)
    takes = core.commander is None or (core.commander == me and core.command.acting)
    return {
        "mine": here.shown(found),
        "approvals": [_answers(here, one) for one in found.approvals],
        "owed": [_answers(here, one) for one in found.countersign],
        "tasks": [_task(here, task) for task in here.shown(found.tasks)],
        "transfers": [_transfer(here, item.id) for item in found.transfers],
        "take": here.form("command-take", instance="post", submit="I command") if takes else None,
        "assign_task": here.form("task-assign", instance="post", submit="Give somebody a task"),
    }


def _answers(here: Desk, one: waiting.Waiting) -> dict[str, Any]:
    forms = [
        here.form(name, instance=f"{one.key}-{name}", submit=LABELS.get(name, ""), **fixed)
        for name, fixed in one.answers
    ]
    return {**here.shown(one), "forms": [form for form in forms if form is not None]}


def _task(here: Desk, task: Mapping[str, Any]) -> dict[str, Any]:
    acknowledged = task["acknowledged_at"] is not None
    wanted = [("task-done", "It is done"), ("task-progress", "How it goes")]
    if not acknowledged:
        wanted.insert(0, ("task-acknowledge", "I have it"))
    forms = [here.form(name, submit=label, task_id=task["id"]) for name, label in wanted]
    return {**task, "forms": [form for form in forms if form is not None]}


def _transfer(here: Desk, item: str) -> dict[str, Any]:
    forms = [here.form(name, submit=LABELS[name], evidence_id=item) for name in ("evidence-accept", "evidence-refuse")]
    return {"id": item, "forms": [form for form in forms if form is not None]}


def _recent(here: Desk) -> list[spine.Row]:
    """The newest entries as they were recorded: the beginning of the spine."""
    start = max(-1, here.state.seq - RECENT)
    events = here.app.record.load(here.state.id, after=start)
    found = spine.spine(here.state, events, here.app.texts, spine.Wanted(), zone=here.frame.zone)
    return [row for row in found.rows if row.entry is not None]
