"""The claims ledger: state, confirm, disprove, retract; the matrix of hypotheses; corrections owed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from holdfast.app.commanding import Cite, Cites, Context, IncidentCommand, Prose, numbered, use_case
from holdfast.communications import claims
from holdfast.communications.state import ClaimKind, Consistency

ClaimId = Annotated[str, numbered("claim")]
CorrectionId = Annotated[str, numbered("correction")]
UpdateId = Annotated[str, numbered("update")]

_FACET = "claim:{claim}"


class StateClaim(IncidentCommand):
    """State a claim; it is a hypothesis until somebody confirms it."""

    text: Prose = Field(description="one statement that can turn out true or false")
    kind: ClaimKind = Field(default="other", description="what it is about; only confirmed impact is known impact")


class ConfirmClaim(IncidentCommand):
    """Confirm a hypothesis citing what proves it; it is a fact from then on."""

    claim: ClaimId = Field(description="the claim")
    cites: Cites = Field(description="what proves it: ev-3 for evidence, #17 for an entry of the record")


class DisproveClaim(IncidentCommand):
    """Disprove a hypothesis, citing what refutes it or saying why."""

    claim: ClaimId = Field(description="the claim")
    cites: Cites = Field(default=[], description="what refutes it: ev-3 for evidence, #17 for an entry of the record")
    reason: Prose | None = Field(default=None, description="why it cannot be so")


class RetractClaim(IncidentCommand):
    """Take back a fact that turned out wrong; everybody who was sent it is owed a correction."""

    claim: ClaimId = Field(description="the claim")
    reason: Prose = Field(description="what was wrong, and how it was noticed")
    cites: Cites = Field(default=[], description="what showed it")


class MarkClaim(IncidentCommand):
    """Mark how one piece of evidence bears on a hypothesis; the matrix ranks by what speaks against."""

    claim: ClaimId = Field(description="the claim")
    cite: Cite = Field(description="the evidence: ev-3, or an entry of the record: #17")
    consistency: Consistency = Field(description="how the evidence bears on the claim")
    note: Prose | None = Field(default=None, description="why")


class SettleCorrection(IncidentCommand):
    """Settle a correction with the sent update that made it."""

    correction: CorrectionId = Field(description="the correction owed")
    update: UpdateId = Field(description="the update that corrects it, sent after the retraction")


@use_case("claim state", act="claim.state", runbook=("C1", "C2"), positional=("text",))
def state_claim(command: StateClaim, ctx: Context) -> Mapping[str, Any]:
    """Seal and number it."""
    ctx.emit_all(claims.state_claim(ctx.state.communications, command.kind, ctx.seal(command.text)))
    return {"claim": list(ctx.state.communications.claims)[-1]}


@use_case("claim confirm", act="claim.confirm", facet=_FACET, runbook=("C1",), positional=("claim",))
def confirm_claim(command: ConfirmClaim, ctx: Context) -> None:
    """Resolve the citations, decide."""
    ctx.emit_all(claims.confirm(ctx.state.communications, command.claim, ctx.cite(command.cites)))


@use_case("claim disprove", act="claim.disprove", facet=_FACET, runbook=("C2",), positional=("claim",))
def disprove_claim(command: DisproveClaim, ctx: Context) -> None:
    """Resolve the citations, decide."""
    reason = ctx.seal_or_none(command.reason)
    ctx.emit_all(claims.disprove(ctx.state.communications, command.claim, ctx.cite(command.cites), reason))


@use_case("claim retract", act="claim.retract", facet=_FACET, runbook=("C1", "C2"), positional=("claim",))
def retract_claim(command: RetractClaim, ctx: Context) -> Mapping[str, Any]:
    """Retract, and tell which corrections are owed now."""
    before = set(ctx.state.communications.corrections)
    reason = ctx.seal(command.reason)
    ctx.emit_all(claims.retract(ctx.state.communications, command.claim, reason, ctx.cite(command.cites)))
    return {"corrections": [one for one in ctx.state.communications.corrections if one not in before]}


@use_case("claim mark", act="claim.mark", runbook=("C2",), positional=("claim", "cite", "consistency"))
def mark_claim(command: MarkClaim, ctx: Context) -> None:
    """Mark one cell of the matrix."""
    (citation,) = ctx.cite([command.cite])
    note = ctx.seal_or_none(command.note)
    ctx.emit_all(claims.mark(ctx.state.communications, command.claim, citation, command.consistency, note))


@use_case(
    "correction settle",
    act="correction.settle",
    facet="correction:{correction}",
    runbook=("C2",),
    positional=("correction", "update"),
)
def settle_correction(command: SettleCorrection, ctx: Context) -> None:
    """Settle it."""
    ctx.emit_all(claims.settle_correction(ctx.state.communications, command.correction, command.update))
