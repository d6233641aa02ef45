"""What every page of an incident shares: banners, the top line, the sections, the zone, the live stream.

A page calls :func:`frame`, adds its own context and extends ``incident.html``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from fastapi import Request

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer
from holdfast.app.queries import clocks as clock_queries
from holdfast.app.queries.clocks import Clock
from holdfast.app.queries.posts import Header, header
from holdfast.app.state import IncidentState
from holdfast.app.work import ERASED
from holdfast.incidents import targets
from holdfast.incidents.state import IMPACTS
from holdfast.web.rendering import elapsed, in_zone

SECTIONS: tuple[tuple[str, str, str], ...] = (
    ("Post", "", "p"),
    ("Board", "/board", "b"),
    ("Timeline", "/timeline", "t"),
    ("Room", "/room", "r"),
    ("Evidence", "/evidence", "e"),
    ("Investigation", "/investigation", "i"),
    ("Exposure", "/exposure", "x"),
    ("Plays", "/plays", "y"),
    ("Claims", "/claims", "c"),
    ("Updates", "/updates", "u"),
    ("Recovery", "/recovery", "v"),
    ("Review", "/review", "w"),
    ("People", "/people", "o"),
)
"""Label, path below the incident, and the letter that goes there after ``g``."""

IMPACT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "customer_data": "Customer data",
        "production_availability": "Production availability",
        "privileged_access": "Privileged access",
    }
)


@dataclass(frozen=True, slots=True)
class Frame:
    """The incident as the viewer may see it, and the template context every page of it needs."""

    state: IncidentState
    context: dict[str, Any]
    """``title, incident, base, here, zone, now, live_url, inc, entries``."""
    now: datetime
    clocks: tuple[Clock, ...]
    header: Header

    @property
    def zone(self) -> str:
        """IANA zone the incident is told in."""
        return self.header.zone

    @property
    def base(self) -> str:
        """Address of the incident's own page."""
        return f"/incidents/{self.state.id}"


def frame(request: Request, app: Application, viewer: Viewer, incident_id: str) -> Frame:
    """The frame of one incident's page.

    Raises:
        NotFoundError: absent, or not for this viewer.
        ForbiddenError: the viewer may read no incidents.
    """
    state = app.incident(incident_id, viewer)
    now = app.tools.clock()
    calendar = clock_queries.calendar_of(state, app.tools.documents)
    found = tuple(clock_queries.clocks(state, calendar, now))
    head = header(state, found, now, getattr(calendar.zone, "key", "UTC"))
    base = f"/incidents/{state.id}"
    words = "" if head.name is None else app.texts.read([head.name.text_id]).get(head.name.text_id, ERASED)
    owed = first_update_note(state, calendar, now, head.zone)
    context = {
        "title": f"{state.id} {words}"[:120],
        "incident": state.id,
        "base": base,
        "here": _here(request, base),
        "zone": head.zone,
        "now": now,
        "live_url": "/api/v1/live",
        "inc": top_line(state, head, words, owed, now),
        "entries": [
            {"label": label, "href": base + path, "letter": letter, "count": _counts(state).get(label, "")}
            for label, path, letter in SECTIONS
        ],
    }
    return Frame(state, context, now, found, head)


def top_line(state: IncidentState, head: Header, words: str, owed: str, now: datetime) -> Mapping[str, Any]:
    """What ``macros.topline`` draws. Red there means missing or overdue: see ``update`` and ``commander``."""
    core = state.incidents
    update, note = _update(head, state, owed)
    return {
        "id": head.incident,
        "name": words or head.incident,
        "level": head.severity or "no severity",
        "provisional": head.provisional,
        "status": head.status.capitalize() + _disposition(head),
        "commander": head.commander or "",
        "commander_note": _commander_note(state, now),
        "since": head.declared_at or now,
        "update": update,
        "update_note": note,
        "impact": [(IMPACT_NAMES[key], core.impact[key].answer) for key in IMPACTS if key in core.impact],
        "exercise": head.kind == "exercise",
        "codename": (head.codename or "the number") if head.restricted else "",
    }


def _disposition(head: Header) -> str:
    return "" if head.disposition == "real" else f" · {head.disposition.replace('_', ' ')}"


def _update(head: Header, state: IncidentState, owed: str) -> tuple[Mapping[str, Any] | None, str]:
    """The promise that runs; else why there is none. No promise and no note is what the page shows in red."""
    if head.next_update is not None:
        return {"until": head.next_update.until, "state": "running"}, ""
    if state.incidents.status == "closed":
        return None, "closed"
    if state.incidents.lifecycle.recovery_verified_at is not None:
        return None, "recovery is verified"
    return None, owed


def first_update_note(state: IncidentState, calendar: Any, now: datetime, zone: str) -> str:  # noqa: ANN401 - Calendar
    """Until when the first promise may take, by the cadence of the declared severity; nothing once that has passed."""
    core = state.incidents
    if core.level is None or core.declared_at is None:
        return ""
    due = targets.next_update(calendar, core.level, core.declared_at, core.declared_at)
    if due is None:
        return "on change only"
    return f"first is due {in_zone(due, zone)}" if now < due and not state.communications.promises else ""


def _commander_note(state: IncidentState, now: datetime) -> str:
    core = state.incidents
    if core.status == "closed":
        return ""
    command = core.command
    if command.commander is None:
        since = command.vacant_since or core.declared_at
        return "" if since is None else f"nobody for {elapsed(since, now, short=True)}"
    if command.challenge is not None:
        return f"challenged by {command.challenge.by}, no answer yet"
    return "acting: nobody has said “I command”" if command.acting else ""


def _counts(state: IncidentState) -> Mapping[str, str]:
    """Small numbers beside the sections; nothing where there is nothing to say."""
    core, communications = state.incidents, state.communications
    open_hypotheses = sum(claim.standing == "hypothesis" for claim in communications.claims.values())
    running = sum(run.standing == "running" for run in state.plays.runs.values())
    drafts = sum(update.standing == "draft" for update in communications.updates.values())
    shown = {
        "Room": str(core.board.messages),
        "Evidence": str(len(state.evidence.items)),
        "Plays": str(running),
        "Claims": f"{open_hypotheses} open",
        "Updates": f"{drafts} draft{'' if drafts == 1 else 's'}",
    }
    return {label: text for label, text in shown.items() if not text.startswith("0")}


def _here(request: Request, base: str) -> str:
    """The section this page belongs to: ``/evidence/ev-3`` is under Evidence."""
    rest = request.url.path.removeprefix(base).split("/")
    return base + (f"/{rest[1]}" if len(rest) > 1 and rest[1] else "")
