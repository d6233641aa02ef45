"""Guided plays: start one, work on its steps, finish or give up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from holdfast.app.commanding import AccountName, Cites, Context, IncidentCommand, Key, Line, Prose, numbered, use_case
from holdfast.app.definitions import play_definition
from holdfast.incidents import board
from holdfast.incidents.roles import acting_alone
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.parts import Standing
from holdfast.plays import outputs, running, stepping
from holdfast.plays.definitions import Output, PlayDefinition
from holdfast.plays.state import Run

PlayId = Annotated[str, numbered("play")]
PlayKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
StepId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}[1-9][0-9]?$")]

AGREEING_ROLES = ("commander", "evidence_owner")
"""Who should agree to a loss of evidence: who decides (R1) and who preserves (R4)."""

_PLAYS = (
    *("LS1", "LS2", "LS3", "LS4", "LS5", "LS6"),
    *("CT1", "CT2", "CT3", "CT4", "CT5"),
    *("CA1", "CA2", "CA3", "CA4", "CA5"),
)
_STEP = "step:{play_id}:{step}"


class StartPlay(IncidentCommand):
    """Start a guided play; several may run at once."""

    play: PlayKey = Field(description="leaked-secret, ci-token or cloud-admin")
    subject: Line | None = Field(default=None, description="what this run is about, when there are several")


class AbandonPlay(IncidentCommand):
    """Give up a play that is not complete; what was done in it stays in the record."""

    play_id: PlayId = Field(description="play-1, as started")
    reason: Prose = Field(description="why it is given up")


class StepCommand(IncidentCommand):
    """A command on one step of a play."""

    play_id: PlayId = Field(description="play-1, as started")
    step: StepId = Field(description="for example LS3")


class AssignStep(StepCommand):
    """Give a step to a person."""

    owner: AccountName = Field(description="who does it")


class SettleStep(StepCommand):
    """Settle one part of a step: done with what proves it, or not, with the reason."""

    part: Key = Field(default="result", description="part of the step; leave out when it has no named parts")
    standing: Standing = Field(default="done", description="done needs a citation; the others a reason")
    cites: Cites = Field(default=[], description="what proves it: ev-3 for evidence, #17 for an entry of the record")
    reason: Prose | None = Field(default=None, description="why it is unknown, unreachable or not applicable")


class RecordOutput(StepCommand):
    """Record an output of a step: a time, a name, a choice, words, or an item of a list with its proof."""

    output: Key = Field(description="key of the output, as the step lists it")
    value: Prose | None = Field(
        default=None, description="words, a time with its zone, an account or a choice; none where only citations count"
    )
    cites: Cites = Field(default=[], description="citations, where the output asks for them")
    item: int | None = Field(default=None, ge=1, le=10_000, description="replace this item of a list; none adds one")


class FinishStep(StepCommand):
    """Mark a step as done: every part settled, every output recorded, no evidence left at risk."""


class OverrideStep(StepCommand):
    """Accept the loss of volatile evidence that is not captured, so that a step can be done now."""

    reason: Prose = Field(description="why it cannot wait for the capture")
    lost: Prose = Field(description="which evidence is lost by it")


class ReopenStep(StepCommand):
    """Open a step again; its parts and outputs stay, an override of it is void."""

    reason: Prose = Field(description="what puts it in doubt now")


class SkipStep(StepCommand):
    """Say that a step does not apply, and why."""

    reason: Prose = Field(description="why it does not apply")


@use_case("play start", act="play.start", runbook=_PLAYS, positional=("play",))
def start_play(command: StartPlay, ctx: Context) -> Mapping[str, Any]:
    """Bind the run to the pinned play, decide, and say its id."""
    pinned = ctx.state.incidents.pins["plays"]
    if command.play not in pinned:
        raise BadInputError(
            "play-unknown",
            f"There is no play {command.play!r} for this incident.",
            why=f"It was declared with these plays: {', '.join(sorted(pinned)) or 'none'}.",
            next_step="Start one of those.",
        )
    digest = pinned[command.play]
    play_id = ctx.state.plays.next_id
    definition = play_definition(ctx, digest)
    ctx.emit_all(running.start(ctx.state.plays, definition, digest, ctx.seal_or_none(command.subject)))
    return {"play_id": play_id}


@use_case("play abandon", act="play.abandon", facet="play:{play_id}", runbook=_PLAYS, positional=("play_id",))
def abandon_play(command: AbandonPlay, ctx: Context) -> None:
    """Seal the reason, decide."""
    run, definition = _bound(ctx, command.play_id)
    ctx.emit_all(running.abandon(run, definition, ctx.seal(command.reason)))


@use_case("step assign", act="step.assign", facet=_STEP, runbook=_PLAYS, positional=("play_id", "step", "owner"))
def assign_step(command: AssignStep, ctx: Context) -> None:
    """Check the person, then decide."""
    run, definition = _bound(ctx, command.play_id)
    ctx.emit_all(stepping.assign(run, definition.step(command.step), ctx.person(command.owner)))


@use_case("step settle", act="step.settle", facet=_STEP, runbook=_PLAYS, positional=("play_id", "step", "part"))
def settle_step(command: SettleStep, ctx: Context) -> None:
    """Resolve the citations, seal the reason, decide."""
    run, definition = _bound(ctx, command.play_id)
    settling = stepping.Settling(
        command.part, command.standing, ctx.cite(command.cites), ctx.seal_or_none(command.reason)
    )
    ctx.emit_all(stepping.settle(run, definition.step(command.step), settling))


@use_case("step record", act="step.record", facet=_STEP, runbook=_PLAYS, positional=("play_id", "step", "output"))
def record_output(command: RecordOutput, ctx: Context) -> None:
    """Read the value by the output's type, decide."""
    run, definition = _bound(ctx, command.play_id)
    step = definition.step(command.step)
    given = _given(step.output(command.output), command.value, ctx)
    offer = stepping.Offer(command.output, given, ctx.cite(command.cites), command.item)
    ctx.emit_all(stepping.record(run, step, offer, ctx.now))


@use_case("step done", act="step.done", facet=_STEP, runbook=(*_PLAYS, "F5"), positional=("play_id", "step"))
def finish_step(command: FinishStep, ctx: Context) -> None:
    """Ask the board what is not captured, decide."""
    run, definition = _bound(ctx, command.play_id)
    ctx.emit_all(stepping.done(run, definition, command.step, _uncaptured(ctx)))


@use_case("step override", act="step.override", facet=_STEP, runbook=_PLAYS, positional=("play_id", "step"))
def override_step(command: OverrideStep, ctx: Context) -> None:
    """Who records it accepts the loss; without a second person it is owed a countersignature."""
    run, definition = _bound(ctx, command.play_id)
    acceptance = stepping.Acceptance(
        reason=ctx.seal(command.reason),
        lost=ctx.seal(command.lost),
        accepted_by=ctx.me,
        acting_alone=acting_alone(ctx.state.incidents, ctx.me, AGREEING_ROLES),
    )
    ctx.emit_all(stepping.override(run, definition.step(command.step), _uncaptured(ctx), acceptance))


@use_case("step reopen", act="step.reopen", facet=_STEP, runbook=_PLAYS, positional=("play_id", "step"))
def reopen_step(command: ReopenStep, ctx: Context) -> None:
    """Seal the reason, decide."""
    run, definition = _bound(ctx, command.play_id)
    ctx.emit_all(stepping.reopen(run, definition.step(command.step), ctx.seal(command.reason)))


@use_case("step skip", act="step.skip", facet=_STEP, runbook=_PLAYS, positional=("play_id", "step"))
def skip_step(command: SkipStep, ctx: Context) -> None:
    """Seal the reason, decide."""
    run, definition = _bound(ctx, command.play_id)
    ctx.emit_all(stepping.skip(run, definition, command.step, ctx.seal(command.reason)))


def _bound(ctx: Context, play_id: str) -> tuple[Run, PlayDefinition]:
    """The run and the pinned definition it is bound to."""
    run = running.run_named(ctx.state.plays, play_id)
    return run, play_definition(ctx, run.digest)


def _uncaptured(ctx: Context) -> tuple[str, ...]:
    return board.uncaptured_keys(ctx.state.incidents.board)


def _given(output: Output, value: str | None, ctx: Context) -> outputs.Given:
    if value is None:
        return None
    if outputs.takes_words(output):
        return ctx.seal(value)
    return ctx.person(value.strip()) if output.type == "account" else value
