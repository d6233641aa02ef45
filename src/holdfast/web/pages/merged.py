"""The investigation's timeline: logs, gaps, pins and the incident's own record in one order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from holdfast.app.queries import inquiring
from holdfast.app.queries.unmasking import unmasked
from holdfast.investigation.assembly import instant_text
from holdfast.investigation.spine import KINDS, Entry, Wanted, page
from holdfast.web.api.commands import IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import desk
from holdfast.web.reading import instant_in

PAGE = 200
"""Entries on a page."""
NAMES = {
    "lead": "suspicious",
    "signal": "worth a look",
    "act": "act of a suspect",
    "response": "our own response",
    "gap": "gap",
    "pin": "pinned",
    "state": "captured state",
    "incident": "the incident's record",
}
Words = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Typed:
    """The filter as it was typed."""

    kinds: tuple[str, ...]
    source: str
    actor: str
    words: str
    start: str
    end: str

    def pairs(self) -> list[tuple[str, str]]:
        """As they stand in an address."""
        said = [("source", self.source), ("actor", self.actor), ("words", self.words)]
        said += [("from", self.start), ("to", self.end)]
        return [("kind", kind) for kind in self.kinds] + [(name, text) for name, text in said if text]


def router() -> APIRouter:
    """``GET /incidents/{id}/investigation/timeline``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/investigation/timeline", response_class=HTMLResponse)
    def merged(  # noqa: PLR0913, PLR0917 - each is a query parameter
        request: Request,
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        kind: Annotated[list[str] | None, Query(max_length=20)] = None,
        source: Words = "",
        actor: Words = "",
        words: Words = "",
        start: Annotated[str, Query(alias="from", max_length=40)] = "",
        end: Annotated[str, Query(alias="to", max_length=40)] = "",
        after: Annotated[str | None, Query(max_length=200)] = None,
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        kinds = tuple(one for one in KINDS if one in (kind or ()))
        typed = Typed(kinds, source, actor.strip(), words.strip(), start.strip(), end.strip())
        wrong, window = _window(typed, here.frame.zone)
        wanted = Wanted(frozenset(kinds), frozenset({source} - {""}), typed.actor, typed.words, *window)
        entries = inquiring.entries(app, here.state)
        found = page(entries, wanted, after, PAGE)
        told = inquiring.shown(app, here.state)
        base = f"{here.frame.base}/investigation/timeline"
        following = found.following and [*typed.pairs(), ("after", found.following)]
        return here.render(
            "merged.html",
            here=f"{here.frame.base}/investigation",
            rows=[_row(one) for one in found.entries],
            found=found,
            typed=typed,
            wrong=wrong,
            narrowed=bool(typed.pairs()),
            later=after is not None,
            kinds=[(one, NAMES[one], found.counts.get(one, 0)) for one in KINDS if one in found.counts],
            names=NAMES,
            sources=sorted({one.source for one in entries if one.source}),
            evidence_id=told.evidence_id,
            picture=Markup(told.pictures["timeline"]),  # noqa: S704 - drawn and escaped by us
            first=f"{base}?{urlencode(typed.pairs())}",
            next=f"{base}?{urlencode(following)}#entries" if following else "",
            everything=base,
        )

    return routes


def _window(typed: Typed, zone: str) -> tuple[str, tuple[int | None, int | None]]:
    """What is wrong with the times typed, and the times; one that cannot be read counts as not said."""
    read: list[int | None] = []
    wrong = ""
    for text in (typed.start, typed.end):
        try:
            read.append(_microseconds(instant_in(text, zone)) if text else None)
        except ValueError as error:
            wrong = str(error)
            read.append(None)
    return wrong, (read[0], read[1])


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _row(one: Entry) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "what": unmasked(one.what),
        "at": instant_text(one.shown_us),
        "own": instant_text(one.time_us) if one.shifted else None,
        "until": instant_text(one.until_us),
        "source": one.source,
        "account": one.account,
        "region": one.region,
        "actor": unmasked(one.actor or ""),
        "status": one.status,
        "events": one.events,
        "citation": one.citation,
        "id": one.id,
    }
