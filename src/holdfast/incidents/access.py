"""Who may see the incident: open to the organisation, or restricted to named people.

Rules:
1. An open incident is seen by every account with an organisation role.
2. A restricted one is seen by those on its list, by the holders of its roles, and through an open break-glass.
   No organisation role opens it by itself, the administrator's and the auditor's neither.
3. Break-glass has a reason, ends by itself, tells the commander at once, and is reviewed by somebody else.
4. Nobody on its list or in its roles is left out by restricting it; the last one cannot be struck off.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from holdfast.incidents.state import BreakGlass, State
from holdfast.incidents.state_command import ROLES
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

Verdict = Literal["justified", "unjustified"]


def may_see(state: State, account: str, org_roles: Collection[str], now: datetime) -> bool:
    """Whether the account may know that this incident exists. An undeclared incident is seen by nobody.

    Args:
        state: the incident.
        account: who asks.
        org_roles: their organisation roles; without any they see nothing.
        now: break-glass that has expired by now opens nothing.
    """
    if not state.declared or not org_roles:
        return False
    if not state.restricted:
        return True
    if account in state.access.granted or state.roles_of(account):
        return True
    return any(glass.account == account and is_open(glass, now) for glass in state.access.break_glass)


def is_open(glass: BreakGlass, now: datetime) -> bool:
    """Whether a break-glass still lets its account in."""
    return glass.ended_at is None and glass.opened_at <= now < glass.expires_at


def viewers(state: State) -> dict[str, str]:
    """Accounts that may see it while restricted, each with the instant that ends ('' for never).

    A projection may keep this: expiry is compared when it is read.
    """
    found: dict[str, str] = {}
    for glass in state.access.break_glass:
        if glass.ended_at is None:
            found[glass.account] = max(found.get(glass.account, ""), format_instant(glass.expires_at))
    holders = {holder for role in ROLES if (holder := state.holder(role)) is not None}
    return found | dict.fromkeys(state.access.granted | holders, "")


def restrict(state: State, codename: str | None, reason: Sealed, by: str) -> list[NewEvent]:
    """Restrict the incident to named people; who restricts it and every role holder stay in.

    Raises:
        RefusedError: it is restricted already.
    """
    if state.restricted:
        raise RefusedError(
            "already-restricted",
            "The access stays as it is.",
            why="The incident is restricted already.",
            next_step=f"Let somebody in: holdfast access grant {state.incident_id} ACCOUNT",
        )
    named = codename or state.access.codename
    events = [NewEvent("sensitivity.restricted", {"codename": named, "reason": reason.as_json()})]
    keep = {by, *(holder for role in ROLES if (holder := state.holder(role)) is not None)}
    return events + [
        NewEvent("access.granted", {"account": account, "reason": None})
        for account in sorted(keep - state.access.granted)
    ]


def unrestrict(state: State, reason: Sealed) -> list[NewEvent]:
    """Open the incident to the organisation.

    Raises:
        RefusedError: it is open already.
    """
    _need_restricted(state)
    return [NewEvent("sensitivity.unrestricted", {"reason": reason.as_json()})]


def grant(state: State, account: str, reason: Sealed | None) -> list[NewEvent]:
    """Let somebody see a restricted incident.

    Raises:
        RefusedError: it is not restricted, or they are on its list.
    """
    _need_restricted(state)
    if account in state.access.granted:
        raise RefusedError(
            "access-held",
            "The access stays as it is.",
            why=f"{account} is on the incident's list already.",
            next_step=f"See the list: holdfast show {state.incident_id}",
        )
    data = {"account": account, "reason": None if reason is None else reason.as_json()}
    return [NewEvent("access.granted", data), NewEvent("notice.given", {"account": account, "what": "access_granted"})]


def revoke(state: State, account: str, reason: Sealed | None, now: datetime) -> list[NewEvent]:
    """Strike somebody off a restricted incident's list, and end their break-glass.

    Raises:
        RefusedError: not restricted, they are not let in, they hold a role, or nobody would be left.
    """
    _need_restricted(state)
    through_glass = any(glass.account == account and is_open(glass, now) for glass in state.access.break_glass)
    roles = state.roles_of(account)
    if roles:
        raise RefusedError(
            "access-through-role",
            "The access stays as it is.",
            why=f"{account} is {', '.join(role.replace('_', ' ') for role in roles)} of this incident.",
            next_step=f"End the role first: holdfast role release {state.incident_id} {roles[0]}",
        )
    if account not in state.access.granted and not through_glass:
        raise RefusedError(
            "access-not-held",
            "The access stays as it is.",
            why=f"{account} is not on the incident's list.",
            next_step=f"See the list: holdfast show {state.incident_id}",
        )
    # Role holders do not count: a role can end at any time, and the list must not be empty then.
    if state.access.granted == {account}:
        raise RefusedError(
            "access-last-person",
            "The access stays as it is.",
            why="Nobody would be left on the incident's list.",
            next_step=f"Let somebody else in first: holdfast access grant {state.incident_id} ACCOUNT",
        )
    data = {"account": account, "reason": None if reason is None else reason.as_json()}
    return [NewEvent("access.revoked", data)]


def break_glass(state: State, by: str, reason: Sealed, *, lasting: timedelta, now: datetime) -> list[NewEvent]:
    """Look into a restricted incident in an emergency. The commander is told; a review is owed.

    Args:
        state: the incident.
        by: who breaks the glass.
        reason: why it cannot wait.
        lasting: how long it stays open.
        now: instant of opening.

    Raises:
        RefusedError: the incident is not restricted, or they see it already.
        BadInputError: it would not last at all.
    """
    _need_restricted(state)
    if may_see(state, by, ("responder",), now):
        raise RefusedError(
            "glass-not-needed",
            "The glass was not broken.",
            why="You see this incident already.",
            next_step=f"Look: holdfast show {state.incident_id}",
        )
    if lasting <= timedelta(0):
        raise BadInputError(
            "glass-without-time",
            "The glass was not broken.",
            why="It must stay open for some time.",
            next_step="Give a number of minutes above zero.",
        )
    data = {"reason": reason.as_json(), "expires_at": format_instant(now + lasting)}
    told = state.commander or state.declared_by
    return [
        NewEvent("breakglass.opened", data),
        NewEvent("notice.given", {"account": told, "what": "glass_broken"}),
    ]


def review_glass(state: State, opened: int, by: str, verdict: Verdict, note: Sealed) -> list[NewEvent]:
    """Review a broken glass, as somebody other than who broke it.

    Args:
        state: the incident.
        opened: sequence number of the opening.
        by: the reviewer.
        verdict: whether it was justified.
        note: what was looked at.

    Raises:
        RefusedError: no review is owed for that entry.
        ForbiddenError: who broke it does not review it.
    """
    glass = next((one for one in state.access.break_glass if one.seq == opened and one.reviewed_by is None), None)
    if glass is None:
        owed = ", ".join(f"#{one.seq}" for one in unreviewed(state)) or "none"
        raise RefusedError(
            "review-not-owed",
            "Nothing was reviewed.",
            why=f"No review is owed for #{opened}; owed: {owed}.",
            next_step="Name an entry for which one is owed.",
        )
    if glass.account == by:
        raise ForbiddenError(
            "second-person-needed",
            "Nothing was reviewed.",
            why="Who broke the glass cannot review it.",
            next_step="Ask the commander or the business owner.",
        )
    data = {"account": glass.account, "opened": opened, "verdict": verdict, "note": note.as_json()}
    return [NewEvent("breakglass.reviewed", data)]


def unreviewed(state: State) -> tuple[BreakGlass, ...]:
    """Every broken glass whose review is owed, oldest first."""
    return tuple(glass for glass in state.access.break_glass if glass.reviewed_by is None)


def _need_restricted(state: State) -> None:
    if not state.restricted:
        raise RefusedError(
            "not-restricted",
            "The access stays as it is.",
            why="The incident is open to the organisation.",
            next_step=f"To restrict it: holdfast access restrict {state.incident_id} --reason …",
        )
