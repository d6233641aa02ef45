"""People: who commands and how command moves, roles R2 to R5, countersignatures, and who may see the incident."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from holdfast.app.briefing import handover_brief
from holdfast.app.queries import waiting
from holdfast.app.queries.unmasking import unmasked
from holdfast.app.state import TYPES
from holdfast.app.work import ERASED
from holdfast.incidents import access
from holdfast.incidents.roles import role_book
from holdfast.kernel.texts import Sealed
from holdfast.web.api.commands import IncidentPath
from holdfast.web.forms import FormView, Offer
from holdfast.web.identity import ApplicationDep, ViewerDep
from holdfast.web.pages.desk import Desk, desk


def router() -> APIRouter:
    """``GET /incidents/{id}/people``."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}/people", response_class=HTMLResponse)
    def people(
        request: Request, incident_id: IncidentPath, viewer: ViewerDep, app: ApplicationDep, brief: str = ""
    ) -> HTMLResponse:
        here = desk(request, app, viewer, incident_id)
        core = here.state.incidents
        return here.render(
            "people.html",
            command=here.shown(core.command),
            command_forms=_command(here),
            handover=_handover(here),
            brief=_brief(here) if brief == "yes" else "",
            roles=[_role(here, role) for role in role_book().roles if role != "commander"],
            meaning=role_book().roles["commander"],
            assign=here.form("role-assign", submit="Give a role"),
            owed=[_owed(here, one.seq) for one in core.owed],
            advise=here.form("command-advise", submit="Log advice without taking command"),
            access=_access(here),
            notices=here.shown([notice for notice in core.notices if notice.to == viewer.account][-5:]),
        )

    return routes


def _forms(here: Desk, *wanted: tuple[str, str], instance: str = "") -> list[FormView]:
    forms = [here.form(name, submit=label, instance=instance) for name, label in wanted]
    return [form for form in forms if form is not None]


def _command(here: Desk) -> list[FormView]:
    """What may be done about command now, the most likely first."""
    core, me = here.state.incidents, here.viewer.account
    command = core.command
    if core.status == "closed":
        return []
    if command.commander is None:
        return _forms(here, ("command-take", "I command"))
    if command.commander == me:
        first = [("command-answer", "I am here, and I command")] if command.challenge is not None else []
        first += [("command-take", "I command")] if command.acting else []
        more = [] if command.handover is not None else [("handover-propose", "Hand over command")]
        return _forms(here, *first, *more, ("command-vacate", "Give up command to nobody"))
    wanted: list[tuple[str, str]] = []
    if command.challenge is None:
        wanted.append(("command-challenge", f"Ask whether {command.commander} is there"))
    elif here.frame.now >= command.challenge.answer_by:
        wanted.append(("command-relieve", f"Relieve {command.commander} and take command"))
    wanted.append(("command-override", "Take command as the business owner"))
    return _forms(here, *wanted)


def _handover(here: Desk) -> dict[str, Any] | None:
    offered = here.state.incidents.command.handover
    if offered is None:
        return None
    me = here.viewer.account
    wanted: list[tuple[str, str]] = []
    if offered.to == me:
        wanted = [("handover-accept", "Accept: I command"), ("handover-decline", "Decline")]
    elif offered.by == me:
        wanted = [("handover-withdraw", "Withdraw it")]
    return {**here.shown(offered), "forms": _forms(here, *wanted, instance="page")}


def _brief(here: Desk) -> str:
    """The brief as it would be handed over now."""

    def read(sealed: Sealed | None) -> str:
        return "" if sealed is None else here.app.texts.read([sealed.text_id]).get(sealed.text_id, ERASED)

    return unmasked(handover_brief(here.state, read, here.app.tools.documents, here.frame.now))


def _role(here: Desk, key: str) -> dict[str, Any]:
    meaning, core = role_book().roles[key], here.state.incidents
    held = core.roles.holders.get(key)
    released = core.roles.released_at.get(key) or core.declared_at
    forms = [here.form("role-assign", submit=f"Give {meaning.runbook} to somebody{' else' if held else ''}", role=key)]
    may_end = held is not None and here.viewer.account in (held.account, core.commander)
    forms.append(here.form("role-release", submit="End it", role=key) if may_end else None)
    return {
        "key": key,
        "meaning": meaning,
        "held": here.shown(held),
        "since": released,
        "late": held is None
        and core.status != "closed"
        and core.level in ("SEV-1", "SEV-2")
        and released is not None
        and here.frame.now - released >= role_book().limits.unfilled,
        "forms": [form for form in forms if form is not None],
    }


def _owed(here: Desk, seq: int) -> dict[str, Any]:
    owed = next(one for one in here.state.incidents.owed if one.seq == seq)
    mine = {one.key for one in waiting.mine(here.state, here.viewer).countersign}
    kind = TYPES.get((owed.what, 1))
    form = here.form("countersign", submit="Countersign", of=seq) if f"owed-{seq}" in mine else None
    runbook = () if kind is None else kind.runbook
    return {**here.shown(owed), "runbook": runbook, "forms": [] if form is None else [form]}


def _access(here: Desk) -> dict[str, Any]:
    core = here.state.incidents
    restricted = core.restricted
    accounts = here.app.states.installation().accounts
    seen = sorted(
        one.name
        for one in accounts.values()
        if one.active and access.may_see(core, one.name, one.roles, here.frame.now)
    )
    wanted = (
        (("access-grant", "Let somebody in"), ("access-unrestrict", "Open it to the organisation"))
        if restricted
        else (("access-restrict", "Restrict it to named people"),)
    )
    revoke = [
        {
            "account": name,
            "roles": core.roles_of(name),
            "form": here.form("access-revoke", submit="Strike off", account=name) if restricted else None,
        }
        for name in (seen if restricted else [])
    ]
    return {
        "restricted": restricted,
        "codename": core.access.codename,
        "people": revoke,
        "glasses": [_glass(here, glass.seq) for glass in core.access.break_glass],
        "forms": _forms(here, *wanted),
    }


def _glass(here: Desk, seq: int) -> dict[str, Any]:
    glass = next(one for one in here.state.incidents.access.break_glass if one.seq == seq)
    offer = Offer(submit="Review it")
    owed = glass.reviewed_by is None and glass.account != here.viewer.account
    form = here.form("access-review", offer=offer, opened=seq) if owed else None
    return {**here.shown(glass), "open": access.is_open(glass, here.frame.now), "form": form}
