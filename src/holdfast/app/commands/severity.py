"""Severity: answering the decision table, raising, lowering by two people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from holdfast.app.commanding import Context, IncidentCommand, Prose, use_case
from holdfast.incidents import judging, severity
from holdfast.incidents.severity import Circumstances, Level, Table
from holdfast.kernel.errors import ForbiddenError

GivenAnswer = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}=(no|unknown|suspected|confirmed)$")]
"""``production_secret=confirmed``."""
GivenAnswers = Annotated[list[GivenAnswer], Field(max_length=50)]

_TABLES: dict[str, Table] = {}
"""Checked tables by digest: a table is checked exhaustively when loaded, and its digest names it for ever."""


def table_of(ctx: Context, digest: str) -> Table:
    """The decision table pinned under a digest."""
    if digest not in _TABLES:
        _TABLES[digest] = severity.load(ctx.documents.get(digest))
    return _TABLES[digest]


def answers_from(given: Sequence[str]) -> Mapping[str, str]:
    """``["ci_token=confirmed"]`` as a mapping; the last of two answers to one question counts."""
    return dict(one.split("=", 1) for one in given)


class AnswerSeverity(IncidentCommand):
    """Answer questions of the severity table; earlier answers stay unless answered again."""

    answers: GivenAnswers = Field(
        default_factory=list, description="question=answer, the answer one of no, unknown, suspected, confirmed"
    )
    service_down: bool | None = Field(default=None, description="is a critical production service down?")
    identity_privileged: bool | None = Field(default=None, description="is the identity in question privileged?")
    customer_impact_likely: bool | None = Field(
        default=None, description="the commander's judgement: is a compromise that harms customers likely?"
    )


class RaiseSeverity(IncidentCommand):
    """Raise the declared severity. If unsure, choose the higher."""

    level: Level = Field(description="the new severity")
    reason: Prose = Field(description="what is known now that was not before")


class LowerSeverity(IncidentCommand):
    """Propose a lower severity, as the commander; somebody else must confirm it."""

    level: Level = Field(description="the proposed severity")
    reason: Prose = Field(description="what shows that it is less severe")


class ConfirmLowerSeverity(IncidentCommand):
    """Confirm the proposed lower severity, as the second person. Duties still follow the peak."""


class RefuseLowerSeverity(IncidentCommand):
    """Refuse or withdraw the proposed lower severity."""

    reason: Prose = Field(description="why the severity should stay")


@use_case("severity answer", act="severity.answer", facet="severity", runbook=("F3", "S1", "S2", "S3", "S4"))
def answer_severity(command: AnswerSeverity, ctx: Context) -> dict[str, object]:
    """Assess with the incident's own table and record what it says."""
    core = ctx.state.incidents
    before = core.severity.assessed
    answers = {**(before.answers if before else {}), **answers_from(command.answers)}
    said = dict(before.context) if before else {}
    for name in ("service_down", "identity_privileged", "customer_impact_likely"):
        value = getattr(command, name)
        if value is not None:
            said[name] = value
    if command.customer_impact_likely is not None and core.commander != ctx.me:
        raise ForbiddenError(
            "commander-needed",
            "The answers were not recorded.",
            why="Whether harm to customers is likely is the commander's judgement.",
            next_step="Leave that answer out, and tell the commander in the channel.",
        )
    circumstances = Circumstances(**{**said, "contained": judging.is_contained(core)})
    assessment = severity.assess(table_of(ctx, core.pins["severity_table"]), answers, circumstances)
    ctx.emit_all(judging.answer(core, answers, circumstances, assessment, ctx.now))
    return {"assessment": assessment.as_json(), "declared": ctx.state.incidents.level}


@use_case("severity raise", act="severity.raise", facet="severity", runbook=("S1", "S2", "S3"), positional=("level",))
def raise_severity(command: RaiseSeverity, ctx: Context) -> None:
    """Raise it."""
    ctx.emit_all(judging.raise_to(ctx.state.incidents, command.level, ctx.seal(command.reason)))


@use_case("severity lower", act="severity.lower", facet="severity", runbook=("S2", "S3", "S4"), positional=("level",))
def lower_severity(command: LowerSeverity, ctx: Context) -> None:
    """Propose it."""
    ctx.emit_all(judging.propose_lower(ctx.state.incidents, command.level, ctx.seal(command.reason), ctx.me))


@use_case("severity confirm-lower", act="severity.confirm_lower", facet="severity", runbook=("S2", "S3", "S4"))
def confirm_lower_severity(command: ConfirmLowerSeverity, ctx: Context) -> None:
    """Confirm it."""
    del command
    ctx.emit_all(judging.confirm_lower(ctx.state.incidents, ctx.me))


@use_case("severity refuse-lower", act="severity.refuse_lower", facet="severity", runbook=("S2", "S3", "S4"))
def refuse_lower_severity(command: RefuseLowerSeverity, ctx: Context) -> None:
    """Refuse it."""
    ctx.emit_all(judging.refuse_lower(ctx.state.incidents, ctx.seal(command.reason)))
