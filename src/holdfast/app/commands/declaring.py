"""Declaring an incident, adding to its first report, stating its impact."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from holdfast.app.commanding import Command, Context, IncidentCommand, Instant, Line, Prose, use_case
from holdfast.app.commands.severity import GivenAnswers, answers_from, table_of
from holdfast.app.definitions import play_definition
from holdfast.incidents import declaring, severity
from holdfast.incidents.severity import Answer, Circumstances
from holdfast.incidents.state import IMPACTS, REPORT_PARTS, Impact, Moment, ReportPart
from holdfast.kernel.events import Basis
from holdfast.plays import running

CalendarName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Codename = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9 -]{1,39}$")]
"""A neutral name, shown where the incident's own must not be: ``GREY HERON``."""
PlayKey = Literal["leaked-secret", "ci-token", "cloud-admin"]


class DeclareIncident(Command):
    """Declare an incident. Only the name is needed; everything else may be unknown."""

    name: Line = Field(description="short name, for everyone who may see the incident")
    kind: Literal["real", "exercise"] = Field(default="real", description="real, or an exercise (own number series)")
    sensitivity: Literal["open", "restricted"] = Field(
        default="open", description="restricted: its very existence is hidden from all but named people"
    )
    codename: Codename | None = Field(default=None, description="neutral name of a restricted incident: GREY HERON")
    play: PlayKey | None = Field(default=None, description="guided play that fits; answers what it implies")
    calendar: CalendarName | None = Field(
        default=None, description="response calendar: whose business days count; the installation's, if left out"
    )
    detected_at: Instant | None = Field(default=None, description="when it was noticed, with time zone")
    detected_basis: Basis = Field(default="observed", description="how that time is known")
    started_at: Instant | None = Field(default=None, description="when it is thought to have begun, with time zone")
    started_basis: Basis = Field(default="estimated", description="how that time is known")
    reported_by: Prose | None = Field(default=None, description="who reported it, in their words (F2)")
    reported_when: Prose | None = Field(default=None, description="when they reported or noticed it (F2)")
    affected_systems: Prose | None = Field(default=None, description="which systems seem affected (F2)")
    suspected_impact: Prose | None = Field(default=None, description="what the impact may be (F2)")
    evidence_in_hand: Prose | None = Field(default=None, description="what evidence there is already (F2)")
    customer_data: Answer = Field(default="unknown", description="may customer data be affected? (F3)")
    customer_data_reason: Prose | None = Field(default=None, description="why")
    production_availability: Answer = Field(default="unknown", description="may production be down or degraded? (F3)")
    production_availability_reason: Prose | None = Field(default=None, description="why")
    privileged_access: Answer = Field(default="unknown", description="may privileged access be affected? (F3)")
    privileged_access_reason: Prose | None = Field(default=None, description="why")
    answers: GivenAnswers = Field(
        default_factory=list, description="severity questions you can answer, as question=answer"
    )
    service_down: bool = Field(default=False, description="is a critical production service down?")
    identity_privileged: bool = Field(default=False, description="is the identity in question privileged?")
    customer_impact_likely: bool = Field(
        default=False, description="your judgement: is a compromise that harms customers likely?"
    )


class AddToReport(IncidentCommand):
    """Add words to the first report; what was said before stays."""

    part: ReportPart = Field(description="which part")
    text: Prose = Field(description="the words, kept as they are")


class StateTime(IncidentCommand):
    """State when the incident was detected or started; earlier statements stay in the record."""

    moment: Literal["detected", "started"] = Field(description="which moment")
    at: Instant = Field(description="when, with time zone")
    basis: Basis = Field(default="estimated", description="how it is known")
    reason: Prose = Field(description="what it rests on")


class StateImpact(IncidentCommand):
    """State whether customer data, production availability or privileged access is affected."""

    impact: Impact = Field(description="which of the three")
    answer: Answer = Field(description="no, unknown, suspected or confirmed")
    reason: Prose | None = Field(default=None, description="why; needed to take back a suspicion")


@use_case("declare", act="declare", runbook=("F1", "F2", "F3", "S1", "S2", "S3", "S4", "R1"), positional=("name",))
def declare(command: DeclareIncident, ctx: Context) -> dict[str, object]:
    """Pin the library, assess, and open the incident with its declarer acting as commander."""
    calendar = command.calendar or ctx.default_calendar
    pins = ctx.pins(calendar)
    table = table_of(ctx, pins.severity_table)
    answers = {**declaring.implied_answers(command.play), **answers_from(command.answers)}
    circumstances = Circumstances(
        service_down=command.service_down,
        identity_privileged=command.identity_privileged,
        customer_impact_likely=command.customer_impact_likely,
    )
    assessment = severity.assess(table, answers, circumstances)
    said = declaring.Declaration(
        name=ctx.seal(command.name),
        pins=pins.as_json(),
        calendar=calendar,
        kind=command.kind,
        sensitivity=command.sensitivity,
        codename=command.codename,
        detected=_moment(command.detected_at, command.detected_basis),
        started=_moment(command.started_at, command.started_basis),
        play=command.play,
        report={part: ctx.seal(text) for part in REPORT_PARTS if (text := getattr(command, part)) is not None},
        impact={
            impact: (getattr(command, impact), ctx.seal_or_none(getattr(command, f"{impact}_reason")))
            for impact in IMPACTS
        },
    )
    judgement = declaring.Judgement(answers, circumstances, assessment)
    ctx.emit_all(declaring.declare(ctx.state.incidents, said, judgement, by=ctx.me, now=ctx.now))
    if command.play is not None:
        digest = pins.plays[command.play]
        ctx.emit_all(running.start(ctx.state.plays, play_definition(ctx, digest), digest, None))
    return {"incident": ctx.state.id, "assessment": assessment.as_json(), "acting": ctx.me}


def _moment(at: Instant | None, basis: Basis) -> Moment | None:
    return None if at is None else Moment(at, basis)


@use_case("report add", act="report.add", runbook=("F2",), positional=("part", "text"))
def add_to_report(command: AddToReport, ctx: Context) -> None:
    """Add it."""
    ctx.emit_all(declaring.add_to_report(ctx.state.incidents, command.part, ctx.seal(command.text)))


@use_case("impact state", act="impact.state", facet="impact:{impact}", runbook=("F3",), positional=("impact", "answer"))
def state_impact(command: StateImpact, ctx: Context) -> None:
    """State it."""
    reason = ctx.seal_or_none(command.reason)
    ctx.emit_all(declaring.state_impact(ctx.state.incidents, command.impact, command.answer, reason))


@use_case("time state", act="time.state", facet="time:{moment}", runbook=("C1", "F2"), positional=("moment", "at"))
def state_time(command: StateTime, ctx: Context) -> None:
    """State it."""
    moment = Moment(command.at, command.basis)
    reason = ctx.seal(command.reason)
    ctx.emit_all(declaring.state_time(ctx.state.incidents, command.moment, moment, reason, ctx.now))
