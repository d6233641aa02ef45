"""Where a leaked secret got to: the picture, the list to work from, every place, and the form that starts a search.

A secret that is typed here is read once, from a field that no browser fills and no page shows again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import ValidationError

from holdfast.app import exposure_results, investigation_results
from holdfast.app.authorisation import is_permitted
from holdfast.app.exposures import ACT
from holdfast.app.queries import exposing, playing
from holdfast.app.queries.exposing import Filter, Shown
from holdfast.app.queries.unmasking import unmasked
from holdfast.evidence.names import display_name
from holdfast.exposure.areas import AREAS
from holdfast.exposure.places import VISIBILITY_ORDER
from holdfast.kernel.errors import BadInputError, HoldfastError
from holdfast.web.api.commands import IncidentPath
from holdfast.web.api.exposures import Search
from holdfast.web.forms import FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.posting import Pairs, PostedDep, check_csrf
from holdfast.web.pages.posting import field as sent
from holdfast.web.rendering import csrf_of

WORKS = 12
"""Lines of a group of the list that stand open; the others are folded."""
VISIBILITY_NAMES = {
    "public": "anybody",
    "fork-network": "anybody, through a fork",
    "unknown": "not told",
    "internal": "members",
    "local": "this copy only",
}
STILL_NAMES = {
    "head": "still there",
    "there": "there when searched",
    "history": "in older versions",
    "unreachable": "no ref leads there",
}
AREA_NAMES = {
    "source_control": "source control",
    "ci_logs": "CI logs",
    "artifact_registries": "artifact registries",
    "chat": "chat",
    "ticket_systems": "ticket systems",
    "paste_locations": "paste locations",
}
Words = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form. The secret is not in it."""

    items: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    label: str = ""
    visibility: dict[str, str] = field(default_factory=dict)
    error: HoldfastError | None = None


def router() -> APIRouter:
    """``GET /incidents/{id}/exposure`` and the form on it."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/exposure", response_class=HTMLResponse)
    def exposure(  # noqa: PLR0913, PLR0917 - each is a query parameter
        request: Request,
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        words: Words = "",
        visibility: Word = "",
        still: Word = "",
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        return _page(here, Filter(words, visibility, still), Typed())

    @routes.post("/incidents/{incident_id}/exposure/search")
    def search(
        request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep, pairs: PostedDep
    ) -> Response:
        check_csrf(request, pairs)
        here = desk(request, app, viewer, incident_id)
        try:
            app.exposure_searches().start(incident_id, viewer, _asked(pairs).wanted())
        except HoldfastError as error:
            return _page(here, Filter(), _typed(pairs, error))
        return RedirectResponse(f"/incidents/{incident_id}/exposure#exposure", 303)

    return routes


def _page(here: Desk, wanted: Filter, typed: Typed) -> HTMLResponse:
    found = exposing.shown(here.app, here.state, wanted)
    may = is_permitted(here.viewer, ACT, here.state)
    everything = f"{here.frame.base}/exposure"
    return here.render(
        "exposure.html",
        status=200 if typed.error is None else typed.error.status,
        found=found,
        told=found.told,
        picture=Markup(found.picture),  # noqa: S704 - drawn and escaped by us
        groups=_groups(found),
        adopt=_adopt(here, found),
        filter=wanted,
        narrowed=wanted != Filter(),
        everything=everything,
        visibilities=[(name, VISIBILITY_NAMES[name]) for name in VISIBILITY_ORDER],
        seen=VISIBILITY_NAMES,
        stills=STILL_NAMES,
        areas=AREA_NAMES,
        area_keys=AREAS,
        csrf=csrf_of(here.request),
        may_search=may,
        items=_items(here) if may else (),
        paths=here.app.exposure_searches().offered(here.viewer, here.state) if may else (),
        typed=typed,
    )


def _groups(found: Shown) -> list[dict[str, Any]]:
    """The list, each group cut into what stands open and what is folded."""
    groups = found.told.get("worklist", {}).get("groups", ())
    return [{**group, "open": group["works"][:WORKS], "folded": group["works"][WORKS:]} for group in groups]


def _adopt(here: Desk, found: Shown) -> list[FormView]:
    """The form that takes the report into each running play that has a step for it."""
    if found.result is None:
        return []
    runs = playing.plays(here.state, here.app.tools.documents).runs
    running = [run for run in runs if run.standing == "running" and any(step.id == "LS2" for step in run.steps)]
    back = f"{here.frame.base}/exposure#work"
    forms = [
        here.form(
            "exposure-adopt", back=back, instance=run.id, submit=f"Take it into {run.id}, step LS2",
            play_id=run.id, evidence=found.result.item.id,
        )
        for run in running
    ]  # fmt: skip
    return [form for form in forms if form is not None]


def _items(here: Desk) -> list[dict[str, str]]:
    """Captured items that can be searched: what our own runs made holds no secret, and pictures hold no text."""
    own = (exposure_results.SOURCE, investigation_results.SOURCE)
    kept = [
        item
        for item in here.state.evidence.items.values()
        if item.standing == "kept" and item.source not in own and not item.media_type.startswith("image/")
    ]
    words = here.app.texts.read([item.name.text_id for item in kept])
    return [
        {
            "id": item.id,
            "name": unmasked(display_name(words.get(item.name.text_id, item.id))),
            "kind": "folder" if item.kind == "folder_manifest" else item.kind.replace("_", " "),
        }
        for item in kept
    ]


def _typed(pairs: Pairs, error: HoldfastError) -> Typed:
    return Typed(
        items=tuple(text for name, text in pairs if name == "items"),
        paths=tuple(text for name, text in pairs if name == "paths"),
        label=sent(pairs, "label"),
        visibility={name.partition("-")[2]: text for name, text in pairs if name.startswith("visibility-")},
        error=error,
    )


def _asked(pairs: Pairs) -> Search:
    """The form as the API's request.

    Raises:
        BadInputError: a field does not fit; the secret is never repeated.
    """
    typed = [line.strip() for line in sent(pairs, "more_paths").splitlines() if line.strip()]
    fields = {
        "secret": sent(pairs, "secret").strip(),
        "items": [text for name, text in pairs if name == "items"],
        "paths": [*(text for name, text in pairs if name == "paths"), *typed],
        "label": sent(pairs, "label").strip() or None,
        "visibility": {name.partition("-")[2]: text for name, text in pairs if name.startswith("visibility-") and text},
    }
    try:
        return Search.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise BadInputError(
            "exposure-not-understood",
            "The search was not started.",
            why=f"{first['loc'][0]}: {first['msg']}.",
            next_step="Correct it, type the secret again, and send the form.",
        ) from None
