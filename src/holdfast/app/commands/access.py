"""Restricting an incident, who may see it, and breaking the glass."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from holdfast.app.commanding import AccountName, Context, IncidentCommand, Prose, use_case
from holdfast.app.commands.declaring import Codename
from holdfast.incidents import access
from holdfast.incidents.access import Verdict

MAX_GLASS_MINUTES = 24 * 60


class RestrictIncident(IncidentCommand):
    """Restrict the incident to named people; you and every role holder stay in."""

    codename: Codename | None = Field(default=None, description="neutral name for notifications: GREY HERON")
    reason: Prose = Field(description="why it must be hidden")


class UnrestrictIncident(IncidentCommand):
    """Open a restricted incident to the organisation."""

    reason: Prose = Field(description="why it need not be hidden any more")


class GrantAccess(IncidentCommand):
    """Let somebody see a restricted incident."""

    account: AccountName = Field(description="who may see it")
    reason: Prose | None = Field(default=None, description="why they need to know")


class RevokeAccess(IncidentCommand):
    """Strike somebody off a restricted incident's list."""

    account: AccountName = Field(description="who may no longer see it")
    reason: Prose | None = Field(default=None, description="why")


class BreakGlass(IncidentCommand):
    """Look into a restricted incident in an emergency: the commander is told, and a review is owed."""

    reason: Prose = Field(description="why it cannot wait for somebody to let you in")
    minutes: int = Field(default=240, ge=1, le=MAX_GLASS_MINUTES, description="how long it stays open")


class ReviewGlass(IncidentCommand):
    """Review a breaking of the glass, as somebody else."""

    opened: int = Field(ge=0, description="number of the entry that opened it")
    verdict: Verdict = Field(description="justified or unjustified")
    note: Prose = Field(description="what was looked at, and what follows")


@use_case("access restrict", act="access.restrict", facet="access")
def restrict(command: RestrictIncident, ctx: Context) -> None:
    """Restrict it."""
    ctx.emit_all(access.restrict(ctx.state.incidents, command.codename, ctx.seal(command.reason), ctx.me))


@use_case("access unrestrict", act="access.unrestrict", facet="access")
def unrestrict(command: UnrestrictIncident, ctx: Context) -> None:
    """Open it."""
    ctx.emit_all(access.unrestrict(ctx.state.incidents, ctx.seal(command.reason)))


@use_case("access grant", act="access.grant", positional=("account",))
def grant(command: GrantAccess, ctx: Context) -> None:
    """Let them in."""
    ctx.emit_all(access.grant(ctx.state.incidents, command.account, ctx.seal_or_none(command.reason)))
    # After the grant an existing, active account may see the incident: what is still refused does not exist.
    ctx.person(command.account)


@use_case("access revoke", act="access.revoke", positional=("account",))
def revoke(command: RevokeAccess, ctx: Context) -> None:
    """Strike them off."""
    reason = ctx.seal_or_none(command.reason)
    ctx.emit_all(access.revoke(ctx.state.incidents, command.account, reason, ctx.now))


@use_case("access break-glass", act="access.break_glass")
def break_glass(command: BreakGlass, ctx: Context) -> dict[str, object]:
    """Break it."""
    lasting = timedelta(minutes=command.minutes)
    reason = ctx.seal(command.reason)
    events = access.break_glass(ctx.state.incidents, ctx.me, reason, lasting=lasting, now=ctx.now)
    ctx.emit_all(events)
    return {"expires_at": events[0].data["expires_at"]}


@use_case("access review", act="access.review", facet="breakglass:{opened}", positional=("opened", "verdict"))
def review(command: ReviewGlass, ctx: Context) -> None:
    """Review it."""
    note = ctx.seal(command.note)
    ctx.emit_all(access.review_glass(ctx.state.incidents, command.opened, ctx.me, command.verdict, note))
