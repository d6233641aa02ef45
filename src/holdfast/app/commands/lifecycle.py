"""Status, recovery verified, closing, reopening, dispositions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from holdfast.app.closure import closing_blockers, recovery_blockers
from holdfast.app.commanding import Cites, Context, IncidentCommand, Prose, use_case
from holdfast.communications import promises
from holdfast.incidents import lifecycle
from holdfast.incidents.roles import acting_alone

IncidentName = Annotated[str, StringConstraints(pattern=r"^(INC|EX)-([0-9]{4}-[0-9]{4,9}|R-[a-z2-9]{8})$")]
_CLOSING = ("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8")


class SetStatus(IncidentCommand):
    """Move the status one step: investigating, contained, recovering, or back."""

    status: Literal["investigating", "contained", "recovering"] = Field(description="the new status")
    reason: Prose = Field(description="what shows it")


class VerifyRecovery(IncidentCommand):
    """State, as the commander, that the recovery is verified: X2 to X4 are proven."""

    note: Prose | None = Field(default=None, description="a word with it")


class CloseIncident(IncidentCommand):
    """Close the incident; refused while a gate is missing."""

    note: Prose | None = Field(default=None, description="a word with it")


class ReopenIncident(IncidentCommand):
    """Open a closed incident again; everything in it is kept."""

    reason: Prose = Field(description="why")


class ProposeDisposition(IncidentCommand):
    """Propose that it is a false positive or a duplicate, or state that it is real after all."""

    disposition: Literal["real", "false_positive", "duplicate_of"] = Field(description="what it is")
    reason: Prose = Field(description="why")
    citations: Cites = Field(default_factory=list, description="what refutes it: ev-3 or #17")
    target: IncidentName | None = Field(default=None, description="the incident it repeats, for a duplicate")


class ConfirmDisposition(IncidentCommand):
    """Confirm the proposed disposition, as the second person."""


class RefuseDisposition(IncidentCommand):
    """Refuse or withdraw the proposed disposition."""

    reason: Prose = Field(description="why")


@use_case("status set", act="status.set", facet="status", runbook=("C1", "R2"), positional=("status",))
def set_status(command: SetStatus, ctx: Context) -> None:
    """Set it."""
    ctx.emit_all(lifecycle.set_status(ctx.state.incidents, command.status, ctx.seal(command.reason)))


@use_case("recovery verify", act="recovery.verify", facet="status", runbook=("X2", "X3", "X4", "X8"))
def verify_recovery(command: VerifyRecovery, ctx: Context) -> None:
    """Verify it."""
    core = ctx.state.incidents
    alone = acting_alone(core, ctx.me, ("commander",))
    note = ctx.seal_or_none(command.note)
    ctx.emit_all(lifecycle.verify_recovery(core, recovery_blockers(ctx.state), note, acting_alone=alone))
    ctx.emit_all(promises.end(ctx.state.communications))


@use_case("close", act="incident.close", facet="status", runbook=_CLOSING)
def close_incident(command: CloseIncident, ctx: Context) -> None:
    """Close it."""
    core = ctx.state.incidents
    alone = acting_alone(core, ctx.me, ("commander",))
    note = ctx.seal_or_none(command.note)
    ctx.emit_all(lifecycle.close(core, closing_blockers(ctx.state), note, acting_alone=alone))
    ctx.emit_all(promises.end(ctx.state.communications))


@use_case("reopen", act="incident.reopen", facet="status")
def reopen_incident(command: ReopenIncident, ctx: Context) -> None:
    """Reopen it."""
    ctx.emit_all(lifecycle.reopen(ctx.state.incidents, ctx.seal(command.reason)))


@use_case("disposition propose", act="disposition.propose", facet="disposition", positional=("disposition",))
def propose_disposition(command: ProposeDisposition, ctx: Context) -> None:
    """Propose it."""
    ctx.emit_all(
        lifecycle.propose_disposition(
            ctx.state.incidents,
            command.disposition,
            ctx.seal(command.reason),
            ctx.cite(command.citations),
            command.target,
        )
    )


@use_case("disposition confirm", act="disposition.confirm", facet="disposition")
def confirm_disposition(command: ConfirmDisposition, ctx: Context) -> None:
    """Confirm it."""
    del command
    ctx.emit_all(lifecycle.confirm_disposition(ctx.state.incidents, ctx.me))


@use_case("disposition refuse", act="disposition.refuse", facet="disposition")
def refuse_disposition(command: RefuseDisposition, ctx: Context) -> None:
    """Refuse it."""
    ctx.emit_all(lifecycle.refuse_disposition(ctx.state.incidents, ctx.seal(command.reason)))
