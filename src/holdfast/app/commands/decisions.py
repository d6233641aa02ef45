"""The decision log, and the decision to contain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from holdfast.app.commanding import AccountName, Cites, Context, IncidentCommand, Instant, Prose, numbered, use_case
from holdfast.incidents import decisions
from holdfast.incidents.lifecycle import require_open

DecisionId = Annotated[str, numbered("decision")]


class Decide(IncidentCommand):
    """Write a decision into the log, with what was turned down and what was known."""

    text: Prose = Field(description="what is decided")
    rejected: Prose | None = Field(default=None, description="options turned down, and why")
    known: Prose | None = Field(default=None, description="what was known when it was decided")
    reversible: bool = Field(default=True, description="whether it can be taken back")
    review_at: Instant | None = Field(default=None, description="when to look at it again, with its zone")
    message: int | None = Field(default=None, ge=0, le=999_999_999, description="number of the message it was taken in")
    cites: Cites = Field(default=[], description="what it rests on: ev-3 for evidence, #17 for an entry of the record")


class ReviewDecision(IncidentCommand):
    """Look at a decision again: does it still hold?"""

    decision_id: DecisionId = Field(description="decision-1, as recorded")
    outcome: decisions.Outcome = Field(description="upheld, or changed (then record the new decision)")
    note: Prose = Field(description="what you found")


class DecideContainment(IncidentCommand):
    """Decide a containment action: who does it, what evidence it destroys, how to undo it."""

    action: Prose = Field(description="what will be done")
    owner: AccountName = Field(description="the one person who does it")
    destroys: Prose | None = Field(default=None, description="what evidence it destroys")
    destroys_nothing: bool = Field(default=False, description="say so when it destroys no evidence")
    accepts_loss: AccountName | None = Field(default=None, description="who accepts losing that evidence")
    undo: Prose | None = Field(default=None, description="how to undo it")
    no_undo: bool = Field(default=False, description="say so when it cannot be undone")
    review_at: Instant | None = Field(default=None, description="when to look at it again, with its zone")


@use_case("decide", act="decision.record", runbook=("R1",), positional=("text",))
def decide(command: Decide, ctx: Context) -> Mapping[str, Any]:
    """Resolve what it points at, seal the words, decide."""
    if command.message is not None:
        ctx.cite([f"#{command.message}"])
    choice = decisions.Choice(
        text=ctx.seal(command.text),
        rejected=ctx.seal_or_none(command.rejected),
        known=ctx.seal_or_none(command.known),
        reversible=command.reversible,
        review_at=command.review_at,
        message=command.message,
        citations=ctx.cite(command.cites),
    )
    ctx.emit_all(decisions.record(ctx.state.incidents.board, choice, ctx.now))
    return _newest(ctx)


@use_case(
    "decision review",
    act="decision.review",
    facet="decision:{decision_id}",
    runbook=("R1",),
    positional=("decision_id", "outcome"),
)
def review_decision(command: ReviewDecision, ctx: Context) -> None:
    """Seal the note, decide."""
    note = ctx.seal(command.note)
    ctx.emit_all(decisions.review(ctx.state.incidents.board, command.decision_id, command.outcome, note))


@use_case("contain decide", act="containment.decide", facet="containment", runbook=("F6",), positional=("action",))
def decide_containment(command: DecideContainment, ctx: Context) -> Mapping[str, Any]:
    """Check the people, seal the words, decide."""
    require_open(ctx.state.incidents)
    decided = decisions.Containment(
        owner=ctx.person(command.owner),
        action=ctx.seal(command.action),
        destroys=ctx.seal_or_none(command.destroys),
        destroys_nothing=command.destroys_nothing,
        accepts_loss=None if command.accepts_loss is None else ctx.person(command.accepts_loss),
        undo=ctx.seal_or_none(command.undo),
        no_undo=command.no_undo,
        review_at=command.review_at,
    )
    ctx.emit_all(decisions.contain(ctx.state.incidents.board, decided, ctx.me, ctx.now))
    return _newest(ctx)


def _newest(ctx: Context) -> Mapping[str, Any]:
    return {"decision_id": list(ctx.state.incidents.board.decisions)[-1]}
