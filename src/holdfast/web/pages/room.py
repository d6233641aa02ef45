"""The incident's own channel: messages, pinned ones first in sight, and the log of decisions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries import room as rooms
from holdfast.web.api.commands import IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.post import WORDS, just_words

SHOWN = 200
"""Messages on one page."""
Before = Annotated[int | None, Query(ge=0, le=999_999_999)]


def router() -> APIRouter:
    """``GET /incidents/{id}/room``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/room", response_class=HTMLResponse)
    def room(
        request: Request,
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        before: Before = None,
        reply: Before = None,
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        events = here.events()
        said = rooms.messages(here.state, events, app.texts)
        earlier = [one for one in said if before is None or one.seq < before]
        shown = earlier[-SHOWN:]
        answered = next((one for one in said if one.seq == reply), None)
        return here.render(
            "room.html",
            messages=[_message(here, one) for one in shown],
            pinned=here.shown([one for one in said if one.pinned_by]),
            decisions=[_decision(here, one) for one in rooms.decisions(here.state, events, app.texts)],
            earlier=shown[0].seq if len(earlier) > len(shown) else None,
            latest=before is None,
            answered=here.shown(answered),
            post=just_words(
                here.form(
                    "message-post",
                    back=f"{here.frame.base}/room#f-message-post",
                    submit="Say it",
                    reply_to=answered.seq if answered else None,
                    offer=WORDS,
                )
            ),
            decide=here.form("decide", submit="Record a decision"),
        )

    return routes


def _message(here: Desk, one: rooms.Message) -> dict[str, Any]:
    pin = here.form(
        "message-unpin" if one.pinned_by else "message-pin", submit="Unpin" if one.pinned_by else "Pin", entry=one.seq
    )
    return {**here.shown(one), "pin": pin, "mine": here.viewer.account in one.mentions}


def _decision(here: Desk, one: rooms.Decided) -> dict[str, Any]:
    due = one.review_at is not None and one.reviewed_at is None
    review = here.form("decision-review", submit="Look at it again", decision_id=one.id) if due else None
    return {**here.shown(one), "review": review}
