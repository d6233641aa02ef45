"""Roles R2 to R5, acting alone, and countersignatures.

Rules:
1. One holder a role; one person may hold several. Command (R1) is never assigned: it is taken, claimed or accepted.
2. The business owner (R5) is a qualified person.
3. A technical lead who commands a SEV-1 needs an override with a reason.
4. Who approves while standing in for several roles acts alone: somebody else countersigns.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

from holdfast.incidents.command import dual_hat, need_qualified, tell
from holdfast.incidents.lifecycle import require_open
from holdfast.incidents.state import State
from holdfast.incidents.state_command import AssignableRole
from holdfast.kernel.errors import ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.texts import Sealed


@dataclass(frozen=True, slots=True)
class RoleMeaning:
    """What a role of the runbook is for."""

    key: str
    runbook: str
    name: str
    owns: str
    qualified: bool
    """Whether an administrator must have qualified the holder."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The time-outs of command."""

    challenge: timedelta
    """How long a challenged commander has to answer."""
    acting: timedelta
    """After how long an acting commander is a nag."""
    unfilled: timedelta
    """After how long an unfilled role is a nag."""


@dataclass(frozen=True, slots=True)
class RoleBook:
    """Roles R1 to R5 and the limits."""

    roles: Mapping[str, RoleMeaning]
    """In order R1 to R5."""
    limits: Limits


@cache
def role_book() -> RoleBook:
    """The shipped ``library/roles.toml``."""
    text = files("holdfast.incidents").joinpath("library/roles.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    roles = {row["key"]: RoleMeaning(**row) for row in document["role"]}
    limits = {name: timedelta(minutes=minutes) for name, minutes in document["minutes"].items()}
    return RoleBook(roles, Limits(**limits))


def assign(
    state: State,
    role: AssignableRole,
    account: str,
    *,
    by: str,
    qualified: bool,
    dual_hat_reason: Sealed | None = None,
) -> list[NewEvent]:
    """Give a role of R2 to R5 to somebody, in place of who held it.

    Args:
        state: the incident.
        role: which.
        account: who holds it from now on; told, unless they did it themselves.
        by: who assigns it.
        qualified: whether they are qualified for it; looked at for the business owner only.
        dual_hat_reason: why the commander may be technical lead at the same time in a SEV-1.

    Raises:
        RefusedError: they hold it already, or would be commander and technical lead in a SEV-1 without a reason.
        ForbiddenError: a business owner who is not qualified.
    """
    require_open(state)
    previous = state.holder(role)
    if previous == account and (role != "technical_lead" or dual_hat_reason is None):
        raise RefusedError(
            "role-held",
            "The roles stay as they are.",
            why=f"{account} is {role.replace('_', ' ')} already.",
            next_step=f"See the roles: holdfast show {state.incident_id}",
        )
    if role == "business_owner":
        need_qualified(state, account, role, qualified=qualified)
    lead = account if role == "technical_lead" else None
    dual = dual_hat(state, commander=state.commander, lead=lead, reason=dual_hat_reason)
    data = {"role": role, "account": account, "previous": previous, "dual_hat_reason": dual}
    return [NewEvent("role.assigned", data), *tell(account, "role_assigned", unless=by)]


def release(state: State, role: AssignableRole, by: str, reason: Sealed | None) -> list[NewEvent]:
    """Take a role of R2 to R5 from its holder: by themselves, or by the commander.

    Raises:
        RefusedError: nobody holds it.
        ForbiddenError: neither the holder nor the commander.
    """
    require_open(state)
    holder = state.holder(role)
    named = role.replace("_", " ")
    if holder is None:
        raise RefusedError(
            "role-unfilled",
            "The roles stay as they are.",
            why=f"There is no {named}.",
            next_step=f"Assign one: holdfast role assign {state.incident_id} {role} ACCOUNT",
        )
    if by not in (holder, state.commander):
        raise ForbiddenError(
            "commander-needed",
            "The roles stay as they are.",
            why=f"Only {holder} or the commander ends the role of the {named}.",
            next_step="Ask the commander.",
        )
    data = {"role": role, "account": holder, "reason": None if reason is None else reason.as_json()}
    return [NewEvent("role.released", data)]


def acting_alone(state: State, account: str, needed_roles: Iterable[str]) -> bool:
    """Whether an approval by this account has no second person behind it.

    True when nobody else holds any of the roles the approval needs, and the account stands in for more than
    one role: it holds several, or the approval needs several.

    Args:
        state: the incident.
        account: who approves.
        needed_roles: the incident roles the approval is for.
    """
    needed = set(needed_roles)
    others = {state.holder(role) for role in needed} - {None, account}
    return not others and len(needed | set(state.roles_of(account))) > 1


def countersign(state: State, of: int, by: str, note: Sealed | None) -> list[NewEvent]:
    """Countersign what somebody approved alone.

    Args:
        state: the incident.
        of: sequence number of the approving event.
        by: the second person.
        note: a word with it.

    Raises:
        RefusedError: no countersignature is owed for that entry.
        ForbiddenError: the same person.
    """
    owed = next((one for one in state.owed if one.seq == of), None)
    if owed is None:
        listed = ", ".join(f"#{one.seq}" for one in state.owed) or "none"
        raise RefusedError(
            "countersignature-not-owed",
            "Nothing was countersigned.",
            why=f"No countersignature is owed for #{of}; owed: {listed}.",
            next_step="Name an entry for which one is owed.",
        )
    if owed.by == by:
        raise ForbiddenError(
            "second-person-needed",
            "Nothing was countersigned.",
            why="Who acted alone cannot countersign it.",
            next_step=f"Ask somebody else: holdfast countersign {state.incident_id} {of}",
        )
    data = {"of": of, "what": owed.what, "by": owed.by, "note": None if note is None else note.as_json()}
    return [NewEvent("countersignature.given", data)]
