"""Asking more: a person's own SQL, or a saved question, over the newest activity table of an incident."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.authorisation import is_permitted
from holdfast.app.inquiries import AskedSql, table_names
from holdfast.app.ports_investigation import Reply
from holdfast.app.queries.unmasking import unmasked
from holdfast.investigation.activity import ACTIVITY, GIVEN
from holdfast.investigation.captured import TABLES
from holdfast.investigation.saved import Saved, saved
from holdfast.kernel.errors import BadInputError, HoldfastError
from holdfast.web.api.commands import IncidentPath
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk
from holdfast.web.pages.posting import PostedDep, check_csrf
from holdfast.web.pages.posting import field as sent
from holdfast.web.rendering import csrf_of

ROWS = 200
"""Rows of an answer on a page; the API and the command line give more."""
CELL = 600
"""Characters of one value on a page."""
MAX_SQL = 100_000
TIMEOUT_S = 30.0
_NAMED = re.compile(r"\$([a-z][a-z0-9_]{0,29})")
_DESCRIBED = {"activity": ACTIVITY, **GIVEN, **TABLES}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    sql: str = ""
    saved: str = ""
    """Id of the saved question that it began with."""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it."""

    reply: Reply | None = None
    error: HoldfastError | None = None


def router() -> APIRouter:
    """``GET`` and ``POST /incidents/{id}/sql``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/sql", response_class=HTMLResponse)
    def ask_more(
        request: Request,
        incident_id: IncidentPath,
        viewer: ViewerDep,
        app: ApplicationDep,
        saved: str = "",
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        chosen = _chosen(saved)
        return _page(here, Typed() if chosen is None else Typed(chosen.sql.strip(), chosen.id))

    @routes.post("/incidents/{incident_id}/sql", response_class=HTMLResponse)
    def answered(
        request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep, pairs: PostedDep
    ) -> HTMLResponse:
        check_csrf(request, pairs)
        here = desk(request, app, viewer, incident_id)
        values = {name[2:]: text for name, text in pairs if name.startswith("p-")}
        typed = Typed(sent(pairs, "sql").replace("\r\n", "\n"), sent(pairs, "saved"), values)
        try:
            return _page(here, typed, Answered(reply=_asked(here, typed)))
        except HoldfastError as error:
            return _page(here, typed, Answered(error=error))

    return routes


def _asked(here: Desk, typed: Typed) -> Reply:
    """Run it; only the parameters that the SQL still names are given along.

    Raises:
        BadInputError: nothing was typed, or too much; or the SQL is refused.
    """
    if not typed.sql.strip() or len(typed.sql) > MAX_SQL:
        raise BadInputError(
            "question-empty" if not typed.sql.strip() else "question-too-long",
            "The question was not asked.",
            why=f"It has to be one SELECT of at most {MAX_SQL:,} characters.",
            next_step="Write one, or choose a saved question.",
        )
    parameters = {name: typed.values.get(name, "") for name in _NAMED.findall(typed.sql)}
    question = AskedSql(typed.sql, parameters, ROWS, TIMEOUT_S)
    return here.app.investigations().ask(here.state.id, here.viewer, question)


def _chosen(name: str) -> Saved | None:
    return next((one for one in saved() if one.id == name), None)


def _page(here: Desk, typed: Typed, came: Answered | None = None) -> HTMLResponse:
    came = came or Answered()
    chosen = _chosen(typed.saved)
    table = here.app.investigations().table(here.state.id)
    may = is_permitted(here.viewer, "evidence.view", here.state)
    return here.render(
        "asking.html",
        status=200 if came.error is None else came.error.status,
        here=f"{here.frame.base}/investigation",
        typed=typed,
        chosen=chosen,
        parameters=_parameters(typed, chosen),
        questions=saved(),
        tables=[] if table is None else _tables(table_names(table)),
        ready=table is not None,
        may=may,
        reply=None if came.reply is None else _shown(came.reply),
        error=came.error,
        csrf=csrf_of(here.request),
        most=ROWS,
    )


def _parameters(typed: Typed, chosen: Saved | None) -> list[dict[str, Any]]:
    """Fields for the names in the SQL, described where the saved question describes them."""
    known = {} if chosen is None else {one.name: one for one in chosen.parameters}
    found = []
    for name in dict.fromkeys(_NAMED.findall(typed.sql)):
        told = known.get(name)
        found.append(
            {
                "name": name,
                "title": told.title if told else f"${name}",
                "example": told.example if told else "",
                "optional": told.optional if told else True,
                "value": typed.values.get(name, ""),
            }
        )
    return found


def _tables(names: list[str]) -> list[dict[str, Any]]:
    """Tables that are there; columns for those that everybody asks, by name for the others."""
    return [{"name": name, "columns": _DESCRIBED.get(name, ())} for name in names]


def _shown(reply: Reply) -> dict[str, Any]:
    return {
        "columns": reply.columns,
        "rows": [[_cell(value) for value in row] for row in reply.rows],
        "cut": reply.cut,
        "seconds": f"{reply.seconds:.2f}",
    }


def _cell(value: object) -> str | None:
    """A value as text, deceiving characters named; none for null."""
    if value is None:
        return None
    text = ("true" if value else "false") if isinstance(value, bool) else unmasked(str(value))
    return text if len(text) <= CELL else f"{text[:CELL]} … ({len(text) - CELL:,} more characters)"
