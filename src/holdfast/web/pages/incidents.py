"""The incident list: what is open, how bad it is, who commands, when the next word is due."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from holdfast.app.authorisation import Viewer, is_permitted, permit
from holdfast.app.queries import listing
from holdfast.app.queries.listing import Listed
from holdfast.kernel.instants import parse_instant
from holdfast.web.identity import ViewerDep, application
from holdfast.web.rendering import SOON, duration, render

PAGE = 50
STATUSES = ("open", "closed", "any")
KINDS = ("any", "real", "exercise")
_CURSOR = re.compile(r"^([0-9TZ:.-]{24})~([A-Za-z0-9-]{3,40})$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader filtered by."""

    status: str
    kind: str
    after: str

    def wanted(self) -> listing.Wanted:
        """The query; one row more than a page, to know whether there are more."""
        cursor = _CURSOR.match(self.after)
        return listing.Wanted(
            status=None if self.status == "any" else self.status,
            kind=None if self.kind == "any" else self.kind,
            before=(cursor[1], cursor[2]) if cursor else None,
            limit=PAGE + 1,
        )

    def address(self, after: str = "") -> str:
        """The list from a row on, filtered the same."""
        said = {"status": self.status, "kind": self.kind, "after": after}
        return "/incidents?" + urlencode({name: text for name, text in said.items() if text})


def router() -> APIRouter:
    """``/`` and ``/incidents``."""
    routes = APIRouter()

    def incidents(
        request: Request,
        viewer: ViewerDep,
        status: Annotated[str, Query(max_length=10)] = "open",
        kind: Annotated[str, Query(max_length=10)] = "any",
        after: Annotated[str, Query(max_length=80)] = "",
    ) -> HTMLResponse:
        permit(viewer, "incident.read")
        asked = Asked(status if status in STATUSES else "open", kind if kind in KINDS else "any", after)
        return _page(request, viewer, asked)

    for path in ("/", "/incidents"):
        routes.add_api_route(path, incidents, methods=["GET"], response_class=HTMLResponse)
    return routes


def _page(request: Request, viewer: Viewer, asked: Asked) -> HTMLResponse:
    app = application(request)
    now = app.tools.clock()
    found = listing.incidents(app.record, app.texts, viewer, asked.wanted(), now)
    shown = found[:PAGE]
    more = len(found) > PAGE
    return render(
        request,
        viewer,
        "incidents.html",
        title="Incidents",
        now=now,
        rows=[_row(one, viewer.account, now) for one in shown],
        asked=asked,
        statuses=STATUSES,
        kinds=KINDS,
        older=asked.address(f"{shown[-1].row.declared_at}~{shown[-1].row.incident_id}") if more else "",
        newest=asked.address() if asked.after else "",
        may_declare=is_permitted(viewer, "declare"),
    )


Cell = dict[str, Any]


def _row(one: Listed, me: str, now: datetime) -> Cell:
    """One line of the list, ready to print: a page of fifty must cost little."""
    row = one.row
    is_open = row.status != "closed"
    due, state, left = _update(row.next_update_at, now) if is_open else ("", "", "")
    return {
        "id": row.incident_id,
        "name": one.name or row.incident_id,
        "level": row.severity or "none",
        "weight": row.severity[-1:] or "4",
        "provisional": row.provisional,
        "status": row.status.capitalize()
        + ("" if row.disposition == "real" else f" · {row.disposition}").replace("_", " "),
        "commander": row.commander,
        "mine": row.commander == me,
        "acting": row.acting and is_open,
        "vacant": is_open and not row.commander,
        "due": due,
        "due_at": row.next_update_at[11:16],
        "clock": state,
        "left": left,
        "declared": row.declared_at,
        "day": row.declared_at[:10],
        "minute": row.declared_at[11:16],
        "exercise": row.kind == "exercise",
        "restricted": row.restricted,
        "frozen": row.frozen,
    }


def _update(due: str, now: datetime) -> tuple[str, Literal["", "overdue", "soon", "running"], str]:
    """Deadline, state and words of the next promised update."""
    if not due:
        return "", "", ""
    left = (parse_instant(due) - now).total_seconds()
    if left < 0:
        return due, "overdue", f"overdue by {duration(-left, short=True, least=60)}"
    return due, "soon" if left < SOON else "running", f"{duration(left, short=True)} left"
