"""Declaring an incident: a name, three questions that may stay unknown, and one button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.authorisation import Viewer, permit
from holdfast.app.commanding import REGISTRY
from holdfast.app.commands.declaring import PlayKey
from holdfast.kernel.errors import HoldfastError
from holdfast.web.forms import FieldView, Offer, Parsed
from holdfast.web.identity import ViewerDep, application
from holdfast.web.pages import acting
from holdfast.web.pages.choices import severity_questions
from holdfast.web.rendering import render

IMPACTS = ("customer_data", "production_availability", "privileged_access")
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "name": "What happened, in one line",
        "customer_data": "May customer data be affected?",
        "production_availability": "May production be down or degraded?",
        "privileged_access": "May privileged access be affected?",
        "play": "A play that fits",
        "reported_by": "Who reported it",
        "reported_when": "When it was reported or noticed",
        "affected_systems": "Systems that seem affected",
        "suspected_impact": "What the impact may be",
        "evidence_in_hand": "Evidence there is already",
        "service_down": "A critical production service is down",
        "identity_privileged": "The identity in question is privileged",
        "customer_impact_likely": "A compromise that harms customers is likely (your judgement)",
        "answers": "Questions that decide the severity",
        "kind": "Real, or an exercise",
        "detected_at": "Noticed at (UTC)",
        "detected_basis": "How that time is known",
        "started_at": "Thought to have begun at (UTC)",
        "started_basis": "How that time is known, too",
        "customer_data_reason": "Why, on customer data",
        "production_availability_reason": "Why, on production",
        "privileged_access_reason": "Why, on privileged access",
        "sensitivity": "Who may know of it",
    }
)
"""What the field is called here, in a hurry; the command's own help stands below it."""
HELP: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(IMPACTS, ""),
        **dict.fromkeys((f"{one}_reason" for one in IMPACTS), ""),
        **dict.fromkeys(("service_down", "identity_privileged", "customer_impact_likely"), ""),
        **dict.fromkeys(("reported_by", "reported_when", "affected_systems", "suspected_impact"), ""),
        **dict.fromkeys(("evidence_in_hand", "detected_at", "detected_basis", "started_at", "started_basis"), ""),
        "answers": "Answer what you can and leave the rest: what is open is asked again.",
        "play": "It starts with the incident, and answers what it implies.",
    }
)
"""Help that would only repeat the label is left out; some is said anew."""
FOLDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "The report, word for word",
        ("reported_by", "reported_when", "affected_systems", "suspected_impact", "evidence_in_hand"),
    ),
    (
        "Severity questions you can answer",
        (
            "answers",
            "service_down",
            "identity_privileged",
            "customer_impact_likely",
            *(f"{one}_reason" for one in IMPACTS),
        ),
    ),
    (
        "When it happened, who may know, whose calendar",
        (
            "detected_at",
            "detected_basis",
            "started_at",
            "started_basis",
            "kind",
            "sensitivity",
            "codename",
            "calendar",
        ),
    ),
)
"""Groups behind a fold; nothing in them is needed."""


def router() -> APIRouter:
    """``GET /declare``; the form is sent to ``/do/declare`` like any other."""
    routes = APIRouter()

    @routes.get("/declare", response_class=HTMLResponse)
    def declare(request: Request, viewer: ViewerDep) -> HTMLResponse:
        permit(viewer, "declare")
        return _page(request, viewer)

    return routes


def _page(
    request: Request, viewer: Viewer, answer: Parsed | None = None, error: HoldfastError | None = None
) -> HTMLResponse:
    app, case = application(request), REGISTRY["declare"]
    query = request.query_params
    plays = [(key, str(app.tools.documents.shipped(f"play/{key}")["name"])) for key in get_args(PlayKey)]
    offer = Offer(
        preset={name: query[name] for name in case.command.model_fields if name in query},
        labels=LABELS,
        options={"answers": severity_questions(app, ""), "play": plays},
        submit="Declare",
    )
    form = acting.draw(request, case, None, offer, acting.Place("/incidents"), answer=answer, error=error)
    fields = {one.name: replace(one, help=HELP.get(one.name, one.help)) for one in form.fields}
    folded = [(title, [fields.pop(name) for name in names]) for title, names in FOLDED]
    return render(
        request,
        viewer,
        "declare.html",
        status=error.status if error else 200,
        title="Declare an incident",
        form=form,
        first=[fields[name] for name in ("name", *IMPACTS, "play")],
        folded=[(title, inside, answer is not None and any(_told(one) for one in inside)) for title, inside in folded],
    )


def _told(one: FieldView) -> bool:
    """Whether something was said or refused there, so that the fold stays open."""
    said = one.value.strip() not in ("", "false") and not one.choices
    return bool(one.error) or said or any(_told(inner) or inner.value for inner in one.rows)


acting.REDRAW["declare"] = _page
