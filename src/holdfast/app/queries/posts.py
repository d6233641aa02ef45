"""The command post: everything about one incident that a page or a program shows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from holdfast.app.application import Application
from holdfast.app.authorisation import Viewer, held_roles
from holdfast.app.queries import clocks as clock_queries
from holdfast.app.queries.clocks import Clock
from holdfast.app.state import IncidentState
from holdfast.incidents import board
from holdfast.incidents.board import BoardClock, Line
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class Header:
    """The top line, readable from across the room."""

    incident: str
    name: Sealed | None
    kind: str
    restricted: bool
    codename: str | None
    severity: str | None
    peak: str | None
    provisional: bool
    proposed: str | None
    """Level the decision table says, where it differs from the declared one."""
    status: str
    disposition: str
    commander: str | None
    acting: bool
    declared_at: datetime | None
    elapsed: timedelta
    impact: Mapping[str, str]
    next_update: Clock | None
    overdue: tuple[str, ...]
    """Names of late clocks."""
    version: int
    zone: str


@dataclass(frozen=True, slots=True)
class Post:
    """The command post of one viewer."""

    header: Header
    my_roles: tuple[str, ...]
    clocks: tuple[Mapping[str, Any], ...]
    board: tuple[Line, ...]
    board_clock: BoardClock
    nags: tuple[Mapping[str, Any], ...]
    owed: tuple[Any, ...]
    roles: Mapping[str, str | None]
    facets: Mapping[str, int]


def post(app: Application, state: IncidentState, viewer: Viewer) -> Post:
    """The post as the viewer sees it now."""
    now = app.tools.clock()
    calendar = clock_queries.calendar_of(state, app.tools.documents)
    found = clock_queries.clocks(state, calendar, now)
    facts = clock_queries.board_facts(state)
    roles = ("commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner")
    return Post(
        header=header(state, found, now, getattr(calendar.zone, "key", "UTC")),
        my_roles=tuple(sorted(held_roles(state, viewer.account))),
        clocks=tuple(clock.as_json(now) for clock in found),
        board=tuple(board.board_lines(state.incidents.board, facts, now)),
        board_clock=board.board_clock(state.incidents.board, facts, now),
        nags=tuple(nagging(state, now)),
        owed=state.incidents.owed,
        roles={role: state.incidents.holder(role) for role in roles},
        facets=state.facets,
    )


def header(state: IncidentState, found: Sequence[Clock], now: datetime, zone: str) -> Header:
    """The top line."""
    core = state.incidents
    updates = [clock for clock in found if clock.key.startswith("update-") and clock.stopped_at is None]
    declared = core.declared_at or now
    return Header(
        incident=state.id,
        name=core.name,
        kind=core.kind,
        restricted=core.restricted,
        codename=core.access.codename,
        severity=core.level,
        peak=core.peak,
        provisional=core.severity.provisional,
        proposed=core.severity.proposed,
        status=core.status,
        disposition=core.lifecycle.disposition,
        commander=core.commander,
        acting=core.command.acting,
        declared_at=core.declared_at,
        elapsed=(core.lifecycle.closed_at or now) - declared,
        impact={key: said.answer for key, said in core.impact.items()},
        next_update=min(updates, key=lambda clock: clock.until or now) if updates else None,
        overdue=tuple(clock.name for clock in clock_queries.overdue(list(found), now)),
        version=state.seq,
        zone=zone,
    )


def nagging(state: IncidentState, now: datetime) -> list[dict[str, Any]]:
    """What is unfilled, unanswered or about to lapse, with the next command."""
    from holdfast.app.queries.nagging import all_nags  # noqa: PLC0415 - joins every package, loaded on first use

    return [
        {"next_command": nag.next_command, "red": nag.red, "since": format_instant(nag.since), "what": nag.what}
        for nag in all_nags(state, now)
    ]
