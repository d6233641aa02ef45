"""The template environment: where pages lie, and the few filters they use.

Every value is escaped and an undefined name is an error. Filters take an instant as an aware datetime or as
RFC 3339 text, and show it in the incident's zone with UTC beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from holdfast.app.authorisation import Viewer
from holdfast.kernel.instants import format_instant, parse_instant, to_utc
from holdfast.web import assets
from holdfast.web.identity import COOKIE, application, csrf_token

PAGES = Path(__file__).parent / "pages"
SOON = 300
"""Seconds before a deadline from which a clock says *soon*."""
FORMS: Mapping[str, str] = {
    "time": "%H:%M",
    "exact": "%H:%M:%S",
    "day": "%a %-d %b",
    "full": "%a %-d %b %Y, %H:%M:%S %Z",
    "paper": "%Y-%m-%d %H:%M:%SZ",
    "field": "%Y-%m-%dT%H:%M:%S",
}
_MINUTE, _TEN_MINUTES, _HOUR, _DAY = 60, 600, 3600, 86400
_LINKED = re.compile(r"(?<![\w/&#-])(?:(?P<cite>ev-[1-9]\d{0,8}|#\d{1,9})\b|@(?P<person>[a-z0-9][a-z0-9._-]{1,39}))")


def environment(folders: Iterable[Path] = (PAGES,), *, static_root: str = "/static") -> Environment:
    """The Jinja environment of all pages; ``static("holdfast.css")`` gives a cacheable address."""
    made = Environment(
        loader=FileSystemLoader(list(folders)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = partial("{}/{}/{}".format, static_root, assets.digest())
    made.filters |= {
        "instant": instant,
        "in_zone": in_zone,
        "elapsed": elapsed,
        "duration": duration,
        "clock_state": clock_state,
        "clock_text": clock_text,
        "cite_href": cite_href,
        "linked": linked,
    }
    return made


@cache
def pages() -> Environment:
    """The environment of the running server; templates are read once."""
    return environment()


def static_address() -> str:
    """Where the templates say that the static files are; computed once, as the templates are."""
    address: str = pages().from_string("{{ static('') }}").render()
    return address.rstrip("/")


def csrf_of(request: Request) -> str:
    """The form token of this request's session, or nothing when nobody is signed in."""
    if getattr(request.app.state, "local_viewer", None) is not None:
        return csrf_token(request, "local")
    header = request.headers.get("authorization", "")
    value = header.partition(" ")[2].strip() if header else request.cookies.get(COOKIE, "")
    return csrf_token(request, value) if value else ""


def render(
    request: Request,
    viewer: Viewer | None,
    template: str,
    *,
    status: int = 200,
    **context: Any,  # noqa: ANN401 - whatever the template names
) -> HTMLResponse:
    """A page with everything ``base.html`` expects; what the page passes itself stands.

    Args:
        request: whose session binds the form token.
        viewer: who reads, or nobody yet.
        template: name below ``web/pages``.
        status: HTTP status.
        context: ``title`` and the page's own names; ``incident`` also turns on the incident's palette.
    """
    incident = context.get("incident", "")
    theme = request.cookies.get("holdfast_theme", "")
    given = {
        "csrf": csrf_of(request),
        "me": viewer.account if viewer else "",
        "now": application(request).tools.clock(),
        "theme": theme if theme in ("dark", "light") else "",
        "zone": "UTC",
        "live_url": "/api/v1/live" if viewer else "",
        "palette_url": (f"/incidents/{incident}/palette" if incident else "/palette") if viewer else "",
    }
    return HTMLResponse(pages().get_template(template).render({**given, **context}), status_code=status)


def _moment(value: datetime | str) -> datetime:
    return parse_instant(value) if isinstance(value, str) else to_utc(value)


def instant(value: datetime | str) -> str:
    """RFC 3339 UTC text, for machines."""
    return format_instant(_moment(value))


def in_zone(value: datetime | str, zone: str = "UTC", form: str = "time") -> str:
    """The instant as a wall clock of ``zone`` shows it. ``form``: a key of :data:`FORMS`, or ``hover``."""
    moment = _moment(value)
    local = moment.astimezone(ZoneInfo(zone))
    if form != "hover":
        return local.strftime(FORMS[form])
    here = local.strftime("%Y-%m-%d %H:%M:%S %Z")
    return here if zone == "UTC" else f"{here} · {moment.strftime('%Y-%m-%d %H:%M:%S')} UTC"


def duration(seconds: float, *, short: bool = False, least: int = _TEN_MINUTES) -> str:
    """Seconds as a person says them: ``12 s``, ``3 min 07 s``, ``2 h 05 min``, ``3 d 04 h``. Same as ``clocks.js``.

    ``short`` leaves the seconds out from ``least`` seconds up: what is read across the room should not flicker.
    """
    whole = max(0, int(seconds))
    if short and least <= whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def elapsed(since: datetime | str, now: datetime | str, *, short: bool = False) -> str:
    """How long since; nothing below zero."""
    return duration((_moment(now) - _moment(since)).total_seconds(), short=short)


def _of(clock: object, name: str) -> object:
    return clock.get(name) if isinstance(clock, Mapping) else getattr(clock, name, None)


def _until(clock: object) -> datetime | None:
    until = _of(clock, "until")
    return _moment(until) if isinstance(until, datetime | str) else None


def clock_state(clock: object, now: datetime | str) -> str:
    """``missing``, ``not_started``, ``stopped`` as given; a running one is ``overdue`` or ``soon`` by its deadline."""
    state = str(_of(clock, "state") or "running")
    until = _until(clock)
    if state not in ("running", "soon", "overdue") or until is None:
        return state
    left = (until - _moment(now)).total_seconds()
    if left < 0:
        return "overdue"
    return "soon" if left < SOON else "running"


def clock_text(clock: object, now: datetime | str, *, short: bool = False) -> str:
    """What a clock says in words, so that it reads without scripts and on paper."""
    state = clock_state(clock, now)
    if state in ("missing", "not_started", "stopped"):
        return state.replace("_", " ")
    until = _until(clock)
    if until is not None:
        left = (until - _moment(now)).total_seconds()
        if left < 0:
            return f"overdue by {duration(-left, short=short, least=_MINUTE)}"
        return f"{duration(left, short=short)} left"
    since = _of(clock, "since")
    return elapsed(since, now, short=short) if isinstance(since, datetime | str) else "not started"


def cite_href(cited: object, base: str) -> str:
    """Address of what ``ev-3`` or ``#17`` points at, inside the incident at ``base``."""
    text = str(cited)
    return f"{base}/timeline#e-{text[1:]}" if text.startswith("#") else f"{base}/evidence/{text}"


def linked(text: object, base: str = "") -> Markup:
    """A person's words or an event's sentence: escaped, then citations become links and mentions stand out."""
    words, parts, end = str(text), [], 0
    for hit in _LINKED.finditer(words):
        parts.append(escape(words[end : hit.start()]))
        if hit["person"]:
            parts.append(Markup('<span class="mention">{}</span>').format(hit[0]))
        elif base:
            parts.append(Markup('<a class="cite" href="{}">{}</a>').format(cite_href(hit[0], base), hit[0]))
        else:
            parts.append(Markup('<span class="cite">{}</span>').format(hit[0]))
        end = hit.end()
    return Markup("").join([*parts, escape(words[end:])])
