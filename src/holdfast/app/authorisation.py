"""Authorisation as data: acts against organisation roles and incident roles.

Rules:
1. Whoever may not see an incident gets the same answer as for one that does not exist.
2. An act needs one of its organisation roles, and one of its incident roles where it names any; the
   acting commander counts as commander.
3. Nobody grants an organisation role that is not within the reach of a role they hold.
4. A token never does more than its scopes, whatever its owner may do.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from holdfast.app.state import IncidentState
from holdfast.kernel.errors import ForbiddenError
from holdfast.kernel.events import Actor

ORGANISATION_ROLES = ("administrator", "responder", "observer", "auditor")
INCIDENT_ROLES = ("commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner")
SCOPES = ("all", "read", "gate")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and what their proof of identity is good for."""

    account: str
    roles: frozenset[str]
    """Organisation roles."""
    actor: Actor
    scopes: frozenset[str] = frozenset({"all"})


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the table."""

    name: str
    organisation: frozenset[str]
    incident: frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table."""

    acts: Mapping[str, Act]
    reach: Mapping[str, frozenset[str]]


@cache
def table() -> Table:
    """The shipped table: every file of ``library/acts``, held to known roles, no act twice."""
    acts: dict[str, Act] = {}
    reach: dict[str, frozenset[str]] = {}
    for file in sorted(files("holdfast.app").joinpath("library/acts").iterdir(), key=lambda found: found.name):
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        reach.update({role: frozenset(roles) for role, roles in document.get("reach", {}).items()})
        for name, row in document.get("acts", {}).items():
            act = Act(name, frozenset(row["organisation"]), frozenset(row.get("incident", ())))
            unknown = (act.organisation - set(ORGANISATION_ROLES)) | (act.incident - set(INCIDENT_ROLES))
            if unknown or name in acts:
                msg = f"{file.name}: act {name!r} is declared twice or names unknown roles {sorted(unknown)}"
                raise ValueError(msg)
            acts[name] = act
    return Table(acts, reach)


def permit(viewer: Viewer, act_name: str, state: IncidentState | None = None) -> None:
    """Refuse an act the viewer may not do here.

    Raises:
        ForbiddenError: naming who may.
    """
    act = table().acts[act_name]
    if not viewer.scopes & {"all"} and not (viewer.scopes & {"read"} and act_name in READING):
        raise _refusal(act, "The token used is not scoped for it.", "Sign in, or use a token with the scope 'all'.")
    if not viewer.roles & act.organisation:
        who = _either(act.organisation)
        raise _refusal(act, f"It needs the organisation role {who}.", "Ask an administrator: holdfast account list")
    if act.incident and state is not None and not held_roles(state, viewer.account) & act.incident:
        who = _either(act.incident)
        raise _refusal(
            act,
            f"In this incident it is for the {who}.",
            f"Ask the {who}, or have the role assigned: holdfast role assign {state.id} --help",
        )


READING = frozenset({"incident.read", "account.read", "log.read"})
"""What a token with the scope ``read`` may do."""


def is_permitted(viewer: Viewer, act_name: str, state: IncidentState | None = None) -> bool:
    """Whether :func:`permit` would let it pass."""
    try:
        permit(viewer, act_name, state)
    except ForbiddenError:
        return False
    return True


def held_roles(state: IncidentState, account: str) -> frozenset[str]:
    """Incident roles an account holds; whoever commands, acting or not, is commander."""
    return frozenset(state.incidents.roles_of(account))


def within_reach(viewer: Viewer, role: str) -> bool:
    """Whether the viewer may grant an organisation role."""
    return any(role in table().reach.get(held, frozenset()) for held in viewer.roles)


def _either(names: frozenset[str]) -> str:
    return " or ".join(sorted(name.replace("_", " ") for name in names))


def _refusal(act: Act, why: str, next_step: str) -> ForbiddenError:
    return ForbiddenError("not-permitted", f"You may not do this ({act.name}).", why=why, next_step=next_step)
