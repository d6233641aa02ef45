"""The freeze on destructive changes, and passes for the changes that containment needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from holdfast.app.commanding import AccountName, Context, IncidentCommand, Instant, Prose, Scope, numbered, use_case
from holdfast.incidents import freezing, passes
from holdfast.incidents.lifecycle import require_open
from holdfast.kernel.instants import format_instant

FreezeId = Annotated[str, numbered("freeze")]
PassId = Annotated[str, numbered("pass")]
Holder = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9*][a-zA-Z0-9._/@*-]{0,99}$")]
"""An account or pipeline name, with ``*`` for any characters."""
Scopes = Annotated[list[Scope], Field(max_length=50)]


class OrderFreeze(IncidentCommand):
    """Freeze destructive changes; pipelines that ask the gate are stopped."""

    scopes: Scopes = Field(min_length=1, description="slash paths, each with everything below: prod, prod/payments")
    exceptions: Scopes = Field(default=[], description="paths below those that stay free")
    reason: Prose = Field(description="why; pipelines are told, unless the incident is restricted")
    expires_at: Instant = Field(description="when it lapses by itself, within 7 days, with its zone")
    ask: AccountName | None = Field(default=None, description="whom to ask for an exception; you, if left out")


class ExtendFreeze(IncidentCommand):
    """Make a freeze last longer."""

    freeze_id: FreezeId = Field(description="freeze-1, as ordered")
    expires_at: Instant = Field(description="the new end, within 7 days from now, with its zone")
    reason: Prose = Field(description="why it is still needed")


class LiftFreeze(IncidentCommand):
    """End a freeze; changes go through again."""

    freeze_id: FreezeId = Field(description="freeze-1, as ordered")
    reason: Prose = Field(description="why it is safe now")


class DeclineFreeze(IncidentCommand):
    """Record that no freeze is needed."""

    reason: Prose = Field(description="why changes may go on")


class IssuePass(IncidentCommand):
    """Issue a signed pass that lets one pipeline through the freeze for containment; it is shown once."""

    scope: Scope = Field(description="what may be changed, with everything below: prod/payments")
    issued_to: Holder = Field(description="account or pipeline name; * stands for any characters")
    expires_at: Instant = Field(description="when it ends, within 4 hours, with its zone")
    max_uses: int = Field(default=10, ge=1, le=passes.MAX_USES, description="how often it may be used")
    reason: Prose = Field(description="the containment it is for")


class RevokePass(IncidentCommand):
    """Take a containment pass back."""

    pass_id: PassId = Field(description="pass-1, as issued")
    reason: Prose = Field(description="why")


@use_case("freeze order", act="freeze.order", facet="freeze", runbook=("F4",), positional=("scopes",))
def order_freeze(command: OrderFreeze, ctx: Context) -> Mapping[str, Any]:
    """Check whom to ask, seal the reason, decide."""
    require_open(ctx.state.incidents)
    ctx.emit_all(
        freezing.order(
            ctx.state.incidents.board,
            command.scopes,
            command.exceptions,
            command.expires_at,
            reason=ctx.seal(command.reason),
            ask=ctx.person(command.ask or ctx.me),
            now=ctx.now,
        )
    )
    return {"freeze_id": list(ctx.state.incidents.board.freezes)[-1]}


@use_case("freeze extend", act="freeze.extend", facet="freeze", runbook=("F4",), positional=("freeze_id",))
def extend_freeze(command: ExtendFreeze, ctx: Context) -> None:
    """Seal the reason, decide."""
    require_open(ctx.state.incidents)
    reason = ctx.seal(command.reason)
    ctx.emit_all(freezing.extend(ctx.state.incidents.board, command.freeze_id, command.expires_at, reason, ctx.now))


@use_case("freeze lift", act="freeze.lift", facet="freeze", runbook=("F4",), positional=("freeze_id",))
def lift_freeze(command: LiftFreeze, ctx: Context) -> None:
    """Seal the reason, decide; a closed incident's freeze can still be lifted."""
    ctx.emit_all(freezing.lift(ctx.state.incidents.board, command.freeze_id, ctx.seal(command.reason), ctx.now))


@use_case("freeze decline", act="freeze.decline", facet="freeze", runbook=("F4",))
def decline_freeze(command: DeclineFreeze, ctx: Context) -> None:
    """Seal the reason, decide."""
    require_open(ctx.state.incidents)
    ctx.emit_all(freezing.decline(ctx.state.incidents.board, ctx.seal(command.reason), ctx.now))


@use_case("freeze pass", act="pass.issue", facet="freeze", runbook=("F4",), positional=("scope",))
def issue_pass(command: IssuePass, ctx: Context) -> Mapping[str, Any]:
    """Seal the reason, decide, sign. The token is answered once and kept nowhere."""
    require_open(ctx.state.incidents)
    ctx.emit_all(
        passes.issue_pass(
            ctx.state.incidents.board,
            command.scope,
            command.issued_to,
            command.expires_at,
            max_uses=command.max_uses,
            reason=ctx.seal(command.reason),
            now=ctx.now,
        )
    )
    issued = list(ctx.state.incidents.board.passes.values())[-1]
    token = ctx.sign_pass(passes.pass_payload(ctx.state.id, issued))
    return {
        "pass_id": issued.id,
        "scope": issued.scope,
        "issued_to": issued.issued_to,
        "expires_at": format_instant(issued.expires_at),
        "max_uses": issued.max_uses,
        "once": {"token": token},
    }


@use_case("freeze revoke-pass", act="pass.revoke", facet="freeze", runbook=("F4",), positional=("pass_id",))
def revoke_pass(command: RevokePass, ctx: Context) -> None:
    """Seal the reason, decide."""
    ctx.emit_all(passes.revoke_pass(ctx.state.incidents.board, command.pass_id, ctx.seal(command.reason)))
