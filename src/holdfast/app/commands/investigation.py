"""The seven questions of an investigation: give, settle, answer, reopen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from holdfast.app.commanding import AccountName, Cites, Context, IncidentCommand, Instant, Key, Prose, use_case
from holdfast.investigation import answering, questions
from holdfast.investigation.questions import Question
from holdfast.kernel.parts import Standing

QuestionId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}[1-9][0-9]?$")]

_ITEMS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7")
_FACET = "question:{question}"


class AssignQuestion(IncidentCommand):
    """Give a question to a person."""

    question: QuestionId = Field(description="I1 to I7")
    owner: AccountName = Field(description="who looks into it")


class SettleQuestion(IncidentCommand):
    """Settle one part of a question: done with what proves it, or not, with the reason."""

    question: QuestionId = Field(description="I1 to I7")
    part: Key = Field(default="answer", description="part of the question; leave out when it has no named parts")
    standing: Standing = Field(default="done", description="done needs a citation; the others a reason")
    cites: Cites = Field(default=[], description="what proves it: ev-3 for evidence, #17 for an entry of the record")
    reason: Prose | None = Field(default=None, description="why it is unknown, unreachable or not applicable")


class AnswerQuestion(IncidentCommand):
    """Answer a question in a sentence, citing what it rests on; every part is settled first."""

    question: QuestionId = Field(description="I1 to I7")
    answer: Prose = Field(description="the answer, in a sentence or two; a no says what was looked at")
    cites: Cites = Field(description="what proves it: ev-3 for evidence, #17 for an entry of the record")
    as_of: Instant | None = Field(default=None, description="instant up to which you have looked; now when left out")


class UnknownQuestion(IncidentCommand):
    """Record that a question cannot be answered, and why."""

    question: QuestionId = Field(description="I1 to I7")
    reason: Prose = Field(description="why it cannot be told, and what would be needed to tell")
    cites: Cites = Field(default=[], description="what shows that it cannot be told, if anything does")
    as_of: Instant | None = Field(default=None, description="instant up to which you have looked; now when left out")


class ReopenQuestion(IncidentCommand):
    """Open a question again; its parts and earlier answers stay in the record."""

    question: QuestionId = Field(description="I1 to I7")
    reason: Prose = Field(description="what puts the answer in doubt now")


@use_case("question assign", act="question.assign", facet=_FACET, runbook=_ITEMS, positional=("question", "owner"))
def assign_question(command: AssignQuestion, ctx: Context) -> None:
    """Check the person, then decide."""
    question = _question(ctx, command.question)
    ctx.emit_all(answering.assign(question, ctx.person(command.owner)))


@use_case("question settle", act="question.settle", facet=_FACET, runbook=_ITEMS, positional=("question", "part"))
def settle_question(command: SettleQuestion, ctx: Context) -> None:
    """Resolve the citations, seal the reason, decide."""
    question = _question(ctx, command.question)
    cites, reason = ctx.cite(command.cites), ctx.seal_or_none(command.reason)
    state = ctx.state.investigation
    ctx.emit_all(answering.settle(state, question, command.part, command.standing, cites, reason))


@use_case("question answer", act="question.answer", facet=_FACET, runbook=_ITEMS, positional=("question",))
def answer_question(command: AnswerQuestion, ctx: Context) -> None:
    """Resolve the citations, seal the answer, decide."""
    question = _question(ctx, command.question)
    cites, words = ctx.cite(command.cites), ctx.seal(command.answer)
    as_of = command.as_of or ctx.now
    ctx.emit_all(answering.answer(ctx.state.investigation, question, words, cites, as_of=as_of, now=ctx.now))


@use_case("question unknown", act="question.answer", facet=_FACET, runbook=_ITEMS, positional=("question",))
def unknown_question(command: UnknownQuestion, ctx: Context) -> None:
    """Resolve the citations, seal the reason, decide."""
    question = _question(ctx, command.question)
    cites, reason = ctx.cite(command.cites), ctx.seal(command.reason)
    as_of = command.as_of or ctx.now
    ctx.emit_all(answering.unknown(ctx.state.investigation, question, reason, cites, as_of=as_of, now=ctx.now))


@use_case("question reopen", act="question.reopen", facet=_FACET, runbook=_ITEMS, positional=("question",))
def reopen_question(command: ReopenQuestion, ctx: Context) -> None:
    """Seal the reason, decide."""
    question = _question(ctx, command.question)
    ctx.emit_all(answering.reopen(ctx.state.investigation, question, ctx.seal(command.reason)))


def _question(ctx: Context, question: str) -> Question:
    """The question as the incident was declared under: from its pinned runbook document."""
    document = ctx.documents.get(ctx.state.incidents.pins["runbook"])
    return questions.question_named(questions.load(document["questions"]), question)
