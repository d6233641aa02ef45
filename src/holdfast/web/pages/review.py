"""The post-incident review: six prompts drafted from the record, improvements, the measures as tables and picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries.reviewing import MomentShown, ReviewShown, review
from holdfast.web.api.commands import IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.tuning import tuned

WIDTH, LEFT, RIGHT, ROW = 960, 20, 20, 26
"""Of the picture, in its own units: its width, its margins, and the height of one row of words."""
TURN = 0.6
"""Share of the width from which words stand on the left of their line. Before it the earliest stands lowest, after it
the latest, so that no line runs through the words of another."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One instant in the picture of the measures."""

    x: int
    y: int
    """Of its words; rows go down so that no two overlap."""
    anchor: str
    """start or end: which side of the dot its words stand on."""
    name: str
    at: datetime
    estimated: bool


def router() -> APIRouter:
    """``GET /incidents/{id}/review``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/review", response_class=HTMLResponse)
    def page(request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        found = review(here.state, app.texts, app.tools.documents, here.frame.now)
        shown = here.shown(found)
        for prompt, view in zip(found.prompts, shown["prompts"], strict=True):
            view["form"] = _answer(here, found, prompt.id, view)
        for default, view in zip(found.defaults, shown["defaults"], strict=True):
            adopted = default.adopted_at is not None
            view["form"] = None if adopted else here.form("default-adopt", submit="It is adopted", default=default.id)
        dots = picture(found.measures.moments)
        done = found.completed_at is not None
        started = found.started_at is not None
        return here.render(
            "review.html",
            found=shown,
            dots=dots,
            width=WIDTH,
            height=40 + ROW * len(dots),
            start=None if started else here.form("review-start", submit="Start the review"),
            complete=here.form("review-complete", submit="Complete the review")
            if started and not done and found.answered == len(found.prompts)
            else None,
            propose=here.form("default-propose", submit="Propose an improvement", instance="page"),
            assert_form=here.form("moment-assert", submit="Say when something happened", instance="page"),
        )

    return routes


def _answer(here: Desk, found: ReviewShown, prompt: str, view: dict[str, Any]) -> Any:  # noqa: ANN401 - a form or none
    """Answering a prompt begins with what stands, or with the draft from the record and what it cites."""
    if found.started_at is None or found.completed_at is not None:
        return None
    if view["answer"]:
        text, cites = view["answer"]["text"]["text"], view["answer"]["citations"]
    else:
        text = "\n".join(one["text"] for one in view["draft"])
        cites = [cited for one in view["draft"] for cited in one["citations"]]
    form = here.form(
        "review-answer",
        back=f"{here.frame.base}/review#prompt-{prompt}",
        submit="Answer again" if view["answer"] else f"Answer {prompt}",
        preset={"text": text, "cites": list(dict.fromkeys(cites))},
        prompt=prompt,
    )
    return tuned(form, "text", lines=6, help="Begins with what the record says; correct and complete it.")


def picture(moments: tuple[MomentShown, ...]) -> tuple[Dot, ...]:
    """The instants along a line, oldest first, each with a row for its words.

    Places follow the order and, within what the order allows, the distances: a night and a review a week later would
    otherwise lie on one spot. The table beside it says the exact spans.
    """
    known = sorted((one for one in moments if one.at is not None), key=_when)
    if not known:
        return ()
    first, last = _when(known[0]), _when(known[-1])
    whole = max((last - first).total_seconds(), 1.0)
    room = WIDTH - LEFT - RIGHT
    places = []
    for place, one in enumerate(known):
        even = place / max(len(known) - 1, 1)
        true = (_when(one) - first).total_seconds() / whole
        places.append(LEFT + round(room * (even + true) / 2))
    rightward = sum(x < WIDTH * TURN for x in places)
    return tuple(
        Dot(
            x=x,
            y=48 + ROW * (rightward - 1 - place if place < rightward else place),
            anchor="start" if place < rightward else "end",
            name=one.name,
            at=_when(one),
            estimated=one.basis == "estimated",
        )
        for place, (x, one) in enumerate(zip(places, known, strict=True))
    )


def _when(one: MomentShown) -> datetime:
    assert one.at is not None
    return one.at
