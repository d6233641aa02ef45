"""What is shown exactly once: tokens, links, passes, and what was taken out of a text before it was stored.

The answer to a form never holds them itself: it leads to an address that works once, for the same person, for a
few minutes. So a reload repeats no command, and the browser's history keeps no secret.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.application import Application
from holdfast.app.inputs import Notice
from holdfast.kernel.errors import NotFoundError
from holdfast.web.identity import ApplicationDep, ViewerDep, application
from holdfast.web.rendering import render

KEPT = timedelta(minutes=5)
MOST = 1000


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed over."""

    what: str
    """What was done."""
    once: Mapping[str, Any]
    notices: Sequence[Notice]
    onward: str
    """Where to go on."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """It, on its way to one person."""

    account: str
    until: datetime
    content: Handed


class Shelf:
    """Parcels of this process, each taken once."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = threading.Lock()
        self._parcels: dict[str, Parcel] = {}

    def put(self, app: Application, parcel: Parcel) -> str:
        """The address it can be fetched at."""
        name = app.tools.randomness(16).hex()
        now = app.tools.clock()
        with self._lock:
            self._parcels = {key: kept for key, kept in self._parcels.items() if kept.until > now}
            if len(self._parcels) >= MOST:
                del self._parcels[next(iter(self._parcels))]
            self._parcels[name] = parcel
        return f"/once/{name}"

    def take(self, name: str, account: str, now: datetime) -> Parcel | None:
        """The parcel, if it is this person's and still there."""
        with self._lock:
            found = self._parcels.get(name)
            if found is None or found.account != account or found.until <= now:
                return None
            return self._parcels.pop(name)


EXPLAINED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "invitation": (
            "One-time sign-in link",
            "Give it to the person over a channel you trust. It works once, and lapses after 24 hours.",
        ),
        "token": (
            "API token",
            "Put it where the program reads it, in a file only that program may read. It cannot be shown again.",
        ),
        "pass": (
            "Containment pass",
            "Give it to the pipeline that has to go through the freeze: holdfast gate --scope SCOPE --pass-file -",
        ),
    }
)


def shelf(request: Request) -> Shelf:
    """The shelf of this server."""
    state = request.app.state
    if not hasattr(state, "shelf"):
        state.shelf = Shelf()
    found: Shelf = state.shelf
    return found


def hand_over(request: Request, account: str, content: Handed) -> str:
    """Keep something for its one showing; the address of it."""
    app = application(request)
    return shelf(request).put(app, Parcel(account, app.tools.clock() + KEPT, content))


def router() -> APIRouter:
    """``GET /once/{name}``."""
    routes = APIRouter()

    @routes.get("/once/{name}", response_class=HTMLResponse)
    def once(request: Request, name: str, viewer: ViewerDep, app: ApplicationDep) -> HTMLResponse:
        parcel = shelf(request).take(name, viewer.account, app.tools.clock())
        if parcel is None:
            raise NotFoundError(
                "shown-already",
                "This was shown already.",
                why="A token, link or pass is shown exactly once and stored nowhere.",
                next_step="If nobody has kept it, revoke it and issue a new one.",
            )
        return render(
            request,
            viewer,
            "once.html",
            title=parcel.content.what,
            parcel=parcel.content,
            shown=[_explained(app, name, value) for name, value in parcel.content.once.items()],
        )

    return routes


def _explained(app: Application, name: str, value: object) -> dict[str, str]:
    label, why = EXPLAINED.get(name, (name.replace("_", " ").capitalize(), "It cannot be shown again."))
    text = f"{app.settings.url}/welcome#{value}" if name == "invitation" else str(value)
    return {"label": label, "why": why, "text": text, "id": f"once-{name}"}
