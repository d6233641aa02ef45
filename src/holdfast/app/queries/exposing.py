"""What the newest exposure search of an incident says, as the API, the command line and the page show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.app import exposure_results as results
from holdfast.app.application import Application
from holdfast.app.exposure_results import Result
from holdfast.app.exposures import Running
from holdfast.app.queries.unmasking import unmasked_within
from holdfast.app.state import IncidentState
from holdfast.exposure.drawing import exposure_svg
from holdfast.exposure.places import Place
from holdfast.kernel.instants import format_instant

PLACES = 100
"""Places of a page of the table."""
WORKS = 200
"""Lines of a group of the list on a page; the file holds all of them."""
FAULTS = 100
"""What could not be looked into, on a page."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which places are asked for; empty means any."""

    words: str = ""
    """In the target or the name, whatever the case."""
    visibility: str = ""
    still: str = ""
    cls: str = ""

    def fits(self, place: Place) -> bool:
        """Whether a place is asked for."""
        needle = self.words.casefold()
        return (
            (not needle or needle in f"{place.target} {place.name} {place.what}".casefold())
            and (not self.visibility or place.visibility == self.visibility)
            and (not self.still or place.still == self.still)
            and (not self.cls or self.cls in place.classes)
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """The page."""

    running: Running | None
    result: Result | None
    """The newest report; none before the first."""
    earlier: tuple[str, ...]
    """Items of earlier reports, newest first."""
    picture: str
    """SVG."""
    told: dict[str, Any]
    """The report as JSON with deceiving characters named, cut to what a page shows: without its places, with the first
    of its faults (``faults_total``) and of the lines of its list (``total`` in each group). Empty before the first."""
    places: tuple[dict[str, Any], ...]
    """Those that fit the filter, at most :data:`PLACES`, each as JSON."""
    fitting: int
    total: int
    """Places of the report."""


def shown(app: Application, state: IncidentState, wanted: Filter) -> Shown:
    """The newest report and how far a search is."""
    searches = app.exposure_searches()
    running, result = searches.running(state.id), searches.latest(state)
    if result is None:
        return Shown(running, None, (), "", {}, (), 0, 0)
    fitting = [place for place in result.places if wanted.fits(place)]
    return Shown(
        running=running,
        result=result,
        earlier=_earlier(state, result),
        picture=exposure_svg(result.places, result.search.at),
        told=unmasked_within(_cut(result)),
        places=tuple(unmasked_within([place.as_json() for place in fitting[:PLACES]])),
        fitting=len(fitting),
        total=len(result.places),
    )


def as_json(result: Result) -> dict[str, Any]:
    """A report with what it comes to; its hits are in its own file."""
    return {
        **_head(result),
        "faults": [fault.as_json() for fault in result.report.faults],
        "places": [place.as_json() for place in result.places],
        "worklist": result.worklist.as_json(),
    }


def _cut(result: Result) -> dict[str, Any]:
    """As much of a report as a page shows."""
    groups = [
        {**replace(group, works=group.works[:WORKS]).as_json(), "total": len(group.works)}
        for group in result.worklist.groups
    ]
    return {
        **_head(result),
        "faults": [fault.as_json() for fault in result.report.faults[:FAULTS]],
        "faults_total": len(result.report.faults),
        "worklist": {"window": result.worklist.window.as_json(), "groups": groups},
    }


def _head(result: Result) -> dict[str, Any]:
    end, search = result.report.end(), result.search
    return {
        "evidence_id": result.item.id,
        "headline": result.headline,
        "complete": result.report.complete,
        "made": search.made,
        "by": search.by,
        "at": format_instant(search.at),
        "event": search.seq,
        "secrets": end["secrets"],
        "targets": [{"number": number, **one} for number, one in enumerate(end["targets"], 1)],
        "totals": end["totals"],
        "seconds": end["seconds"],
        "engine": end["engine"],
        "hits": end["hits"],
        "by_class": end["by_class"],
        "by_form": end["by_form"],
        "searched_forms": end["searched_forms"],
        "not_searched": end["not_searched"],
    }


def running_json(running: Running | None) -> dict[str, Any] | None:
    """How far a search is; none when none is under way."""
    if running is None or running.done:
        return None
    return {
        "by": running.by,
        "since": format_instant(running.since),
        "what": running.what,
        "percent": running.percent,
        "hits": running.hits,
        "faults": running.faults,
    }


def _earlier(state: IncidentState, result: Result) -> tuple[str, ...]:
    kept: Sequence[str] = [item.id for item in results.items(state)]
    return tuple(name for name in reversed(kept) if name != result.item.id)
