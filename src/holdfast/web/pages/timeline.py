"""The timeline: the spine of the incident, with a picture to zoom by."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from holdfast.app.queries import spine
from holdfast.app.queries.spine import KINDS, Spine, Wanted
from holdfast.app.queries.timeline import Entry
from holdfast.kernel.instants import format_instant
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.reading import instant_in

HIGH = 100
"""Height of a lane in the picture's own units."""
PINNABLE = 60
"""So many of the newest shown entries carry their tools; any other shows them once it is asked for by itself."""

Words = Annotated[str, Query(max_length=200)]
When = Annotated[str, Query(max_length=40)]


def router() -> APIRouter:
    """``GET /incidents/{id}/timeline``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/timeline", response_class=HTMLResponse)
    def timeline(  # noqa: PLR0913, PLR0917 - each is a query parameter
        request: Request,
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        kind: Annotated[list[str] | None, Query(max_length=20)] = None,
        actor: Words = "",
        words: Words = "",
        source: Words = "",
        start: Annotated[str, Query(alias="from", max_length=40)] = "",
        end: Annotated[str, Query(alias="to", max_length=40)] = "",
        order: When = "newest",
        recorded: When = "",
        entry: Annotated[int | None, Query(ge=0, le=999_999_999)] = None,
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        wrong, times = _times(here.frame.zone, start, end)
        wanted = Wanted(
            kinds=frozenset(kind or ()) & frozenset(KINDS),
            actor=actor.strip(),
            words=words.strip(),
            source=source,
            start=times[0],
            end=times[1],
            oldest_first=order == "oldest",
        )
        found = spine.spine(here.state, here.events(), app.texts, wanted, zone=here.frame.zone)
        asked = _Asked(here, wanted, recorded=recorded == "yes")
        return here.render(
            "timeline.html",
            found=found,
            kinds=KINDS,
            wanted=wanted,
            typed={"from": start, "to": end, "order": order, "recorded": recorded == "yes"},
            wrong=wrong,
            picture=_picture(asked, found),
            narrowed=wanted.narrows or wanted.start is not None or wanted.end is not None,
            links=_links(asked, found),
            tools=_tools(here, found, entry),
            add=here.form("timeline-add", submit="Add an entry"),
            supersede=_supersede(here, found, entry),
            chosen=entry,
        )

    return routes


class _Asked:
    """The question as an address, so that every link changes one thing of it."""

    def __init__(self, here: Desk, wanted: Wanted, *, recorded: bool) -> None:
        self.base = f"{here.frame.base}/timeline"
        self.wanted = wanted
        self.recorded = recorded

    def address(self, wanted: Wanted, *, recorded: bool | None = None) -> str:
        pairs: list[tuple[str, str]] = [("kind", kind) for kind in sorted(wanted.kinds)]
        pairs += [("actor", wanted.actor), ("words", wanted.words), ("source", wanted.source)]
        pairs += [("from", _text(wanted.start)), ("to", _text(wanted.end))]
        pairs += [("order", "oldest" if wanted.oldest_first else "")]
        pairs += [("recorded", "yes" if (self.recorded if recorded is None else recorded) else "")]
        asked = urlencode([(name, value) for name, value in pairs if value])
        return f"{self.base}?{asked}" if asked else self.base


def _text(at: datetime | None) -> str:
    return "" if at is None else format_instant(at)


def _times(zone: str, *typed: str) -> tuple[str, tuple[datetime | None, datetime | None]]:
    """What is wrong with the times asked for, and the times; one that cannot be read counts as not said."""
    read: list[datetime | None] = []
    wrong = ""
    for text in typed:
        try:
            read.append(instant_in(text, zone) if text.strip() else None)
        except ValueError as error:
            wrong = str(error)
            read.append(None)
    return wrong, (read[0], read[1])


def _picture(asked: _Asked, found: Spine) -> dict[str, Any] | None:
    """Lanes of bars as numbers for the SVG: x and width in columns, height in percent of the lane."""
    shown = found.picture
    if shown is None:
        return None
    lanes = [
        {
            "kind": kind,
            "bars": [
                {
                    "x": place,
                    "height": max(18, round(HIGH * (count / shown.highest) ** 0.5)),
                    "href": asked.address(replace(asked.wanted, start=column.start, end=column.end)),
                    "column": column,
                    "count": count,
                }
                for place, column in enumerate(shown.columns)
                if (count := column.counts.get(kind, 0))
            ],
        }
        for kind in shown.lanes
    ]
    columns = shown.columns
    return {
        "lanes": lanes,
        "count": len(columns),
        "step": shown.step.total_seconds(),
        "start": columns[0].start,
        "end": columns[-1].end,
        "middle": columns[len(columns) // 2].start,
    }


def _links(asked: _Asked, found: Spine) -> dict[str, str]:
    wanted = asked.wanted
    more = ""
    if found.more is not None:
        at = found.more
        more = asked.address(replace(wanted, start=at) if wanted.oldest_first else replace(wanted, end=at))
    here = asked.address(wanted)
    return {
        "all": asked.base,
        "out": asked.address(replace(wanted, start=None, end=None)),
        "order": asked.address(replace(wanted, oldest_first=not wanted.oldest_first)),
        "recorded": asked.address(wanted, recorded=not asked.recorded),
        "more": more,
        "entry": f"{here}{'&' if '?' in here else '?'}entry=",
    }


def _tools(here: Desk, found: Spine, entry: int | None) -> dict[int, list[FormView]]:
    """Pinning, for the newest entries and the one that is asked for."""
    shown = [row.entry for row in found.rows if row.entry is not None]
    chosen = {one.seq: one for one in shown[:PINNABLE] if one.pinned}
    chosen |= {one.seq: one for one in shown if one.seq == entry}
    return {seq: [form for form in (_pin(here, one),) if form is not None] for seq, one in chosen.items()}


def _pin(here: Desk, one: Entry) -> FormView | None:
    name = "timeline-unpin" if one.pinned else "timeline-pin"
    return here.form(name, submit="Unpin" if one.pinned else "Pin", entry=one.seq)


def _supersede(here: Desk, found: Spine, entry: int | None) -> FormView | None:
    """Correcting the entry that is asked for, where it is one that people write."""
    correctable = any(
        row.entry is not None and row.entry.seq == entry and row.entry.type in ("entry.added", "entry.superseded")
        for row in found.rows
    )
    return here.form("timeline-supersede", submit=f"Correct #{entry}", entry=entry) if correctable else None
