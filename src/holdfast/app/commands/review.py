"""The post-incident review, improvements of the platform's defaults, the watch period and asserted times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from holdfast.app.commanding import AccountName, Cites, Context, IncidentCommand, Instant, Prose, numbered, use_case
from holdfast.incidents import targets
from holdfast.incidents.calendars import open_calendar
from holdfast.kernel.events import Basis
from holdfast.recovery import proofs, review
from holdfast.recovery.gates import review_required
from holdfast.recovery.state import MomentKey, PromptId

DefaultId = Annotated[str, numbered("default")]

_PROMPTS = ("V1", "V2", "V3", "V4", "V5", "V6")
_CITES = "what it rests on: ev-3 for evidence, #17 for an entry of the record"


class StartReview(IncidentCommand):
    """Start the post-incident review."""


class AnswerReview(IncidentCommand):
    """Answer one prompt of the review; answering it again replaces the answer."""

    prompt: PromptId = Field(description="V1 to V6")
    text: Prose = Field(description="the answer; none found is an answer too")
    cites: Cites = Field(default=[], description=_CITES)


class CompleteReview(IncidentCommand):
    """Complete the review, once all six prompts are answered."""


class ProposeDefault(IncidentCommand):
    """Propose an improvement in prevention or detection for the platform's defaults."""

    text: Prose = Field(description="the improvement")
    owner: AccountName = Field(description="who brings it in: one person")


class AdoptDefault(IncidentCommand):
    """Record a proposed improvement as adopted."""

    default: DefaultId = Field(description="the proposal")
    cites: Cites = Field(description="the change: ev-3 or #17")


class StartWatch(IncidentCommand):
    """Start a watch period after recovery."""

    what: Prose = Field(description="what is watched for")
    until: Instant = Field(description="when it ends")


class EndWatch(IncidentCommand):
    """End the watch period, saying what was seen."""

    outcome: Prose = Field(description="what was seen; nothing is an answer too")


class AssertMoment(IncidentCommand):
    """Say when something happened that the record cannot know by itself."""

    moment: MomentKey = Field(description="which moment")
    at: Instant = Field(description="when it was, with its zone")
    how: Basis = Field(default="estimated", description="how it is known; evidenced needs a citation")
    cites: Cites = Field(default=[], description=_CITES)
    reason: Prose | None = Field(default=None, description="how it is known, in words")


@use_case("review start", act="review.start", facet="review", runbook=("X8",))
def start_review(command: StartReview, ctx: Context) -> None:
    """Start it."""
    del command
    ctx.emit_all(review.start(ctx.state.recovery, _due(ctx)))


@use_case(
    "review answer", act="review.answer", facet="review:{prompt}", runbook=_PROMPTS, positional=("prompt", "text")
)
def answer_review(command: AnswerReview, ctx: Context) -> None:
    """Answer it."""
    text, cites = ctx.seal(command.text), ctx.cite(command.cites)
    ctx.emit_all(review.answer(ctx.state.recovery, command.prompt, text, cites))


@use_case("review complete", act="review.complete", facet="review", runbook=("X8",))
def complete_review(command: CompleteReview, ctx: Context) -> Mapping[str, Any]:
    """Complete it, and say whether it is late."""
    del command
    ctx.emit_all(review.complete(ctx.state.recovery, _due(ctx), now=ctx.now))
    return {"late": ctx.state.recovery.review.late}


@use_case("default propose", act="default.propose", runbook=("V6",), positional=("text",))
def propose_default(command: ProposeDefault, ctx: Context) -> Mapping[str, Any]:
    """Propose it."""
    owner = ctx.person(command.owner)
    ctx.emit_all(review.propose_default(ctx.state.recovery, ctx.seal(command.text), owner))
    return {"default": list(ctx.state.recovery.defaults)[-1]}


@use_case("default adopt", act="default.adopt", facet="default:{default}", runbook=("V6",), positional=("default",))
def adopt_default(command: AdoptDefault, ctx: Context) -> None:
    """Record it."""
    ctx.emit_all(review.adopt_default(ctx.state.recovery, command.default, ctx.cite(command.cites)))


@use_case("watch start", act="watch.start", facet="watch", runbook=("X5",), positional=("what",))
def start_watch(command: StartWatch, ctx: Context) -> None:
    """Start it."""
    ctx.emit_all(proofs.start_watch(ctx.state.recovery, command.until, ctx.seal(command.what), now=ctx.now))


@use_case("watch end", act="watch.end", facet="watch", runbook=("X5",), positional=("outcome",))
def end_watch(command: EndWatch, ctx: Context) -> None:
    """End it."""
    ctx.emit_all(proofs.end_watch(ctx.state.recovery, ctx.seal(command.outcome), now=ctx.now))


@use_case("moment assert", act="moment.assert", facet="moment:{moment}", runbook=("V1",), positional=("moment", "at"))
def assert_moment(command: AssertMoment, ctx: Context) -> None:
    """Record it."""
    cites, reason = ctx.cite(command.cites), ctx.seal_or_none(command.reason)
    known = proofs.Known(command.how, cites, reason)
    ctx.emit_all(proofs.assert_moment(command.moment, command.at, known, now=ctx.now))


def _due(ctx: Context) -> datetime | None:
    """When the review is due (X8), by the incident's own calendar; ``None`` before recovery is verified."""
    core = ctx.state.incidents
    verified = core.lifecycle.recovery_verified_at
    if verified is None or not review_required(core.peak):
        return None
    calendar = open_calendar(ctx.documents.get(core.pins["calendar"]))
    return targets.review_due(calendar, verified).at
