"""A person confirms an answer of an investigation: it becomes the answer of the question, and a fact if they say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field, StringConstraints

from holdfast.app.commanding import Context, IncidentCommand, Instant, Prose, numbered, use_case
from holdfast.communications import claims
from holdfast.communications.state import ClaimKind
from holdfast.investigation import adopting, answering, questions
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.instants import parse_instant

QuestionId = Annotated[str, StringConstraints(pattern=r"^I[1-7]$")]
EvidenceName = Annotated[str, numbered("ev")]


class AdoptingContext(Context, Protocol):
    """What this handler needs besides."""

    def investigation_result(self, evidence_id: str) -> Mapping[str, Any]:
        """The answers kept in an item of this incident; refuses an item that is no result of an investigation."""
        ...


class AdoptAnswer(IncidentCommand):
    """Confirm an answer of an investigation: it answers the question, and becomes a fact if you say so."""

    question: QuestionId = Field(description="I1 to I7")
    evidence: EvidenceName = Field(description="result of the investigation, such as ev-9")
    answer: Prose | None = Field(default=None, description="your words; the run's sentence when left out")
    fact: bool = Field(default=False, description="whether it is also stated and confirmed as a fact")
    kind: ClaimKind = Field(default="other", description="what the fact is about; only impact is known impact")
    as_of: Instant | None = Field(default=None, description="instant up to which it holds; the run's when left out")


@use_case(
    "question adopt",
    act="question.answer",
    facet="question:{question}",
    runbook=("I1", "I2", "I3", "I4", "I5", "I6", "I7"),
    positional=("question",),
)
def adopt_answer(command: AdoptAnswer, ctx: AdoptingContext) -> Mapping[str, Any]:
    """Settle the open parts by the run's findings, answer with its citations, state the fact."""
    result = ctx.investigation_result(command.evidence)
    answer = result["answers"][command.question]
    document = ctx.documents.get(ctx.state.incidents.pins["runbook"])
    question = questions.question_named(questions.load(document["questions"]), command.question)
    kept = ctx.state.evidence.items
    held = [item for item in adopting.items(answer) if item in kept and kept[item].standing == "kept"]
    cites = ctx.cite([command.evidence, *held])
    for part in adopting.parts(question, ctx.state.investigation.question(question.id), answer):
        reason = ctx.seal_or_none(part.reason)
        cited = cites if part.standing == "done" else ()
        ctx.emit_all(answering.settle(ctx.state.investigation, question, part.key, part.standing, cited, reason))
    words = ctx.seal(command.answer or answer["sentence"])
    as_of = min(command.as_of or parse_instant(answer["as_of"]), ctx.now)
    parts = ctx.state.investigation.question(question.id).parts
    doubtful = all(parts[part.key].standing in ("unknown", "unreachable") for part in question.parts)
    told = answer["standing"] == "answered" and not doubtful
    decide = answering.answer if told else answering.unknown
    ctx.emit_all(decide(ctx.state.investigation, question, words, cites, as_of=as_of, now=ctx.now))
    if not command.fact:
        return {}
    if not told:
        raise BadInputError(
            "answer-is-no-fact",
            f"{command.question} is not confirmed as a fact.",
            why="The investigation cannot tell, and what cannot be told is no fact.",
            next_step=f"Without it: holdfast question adopt INC {command.question} --evidence {command.evidence}",
        )
    fact = ctx.seal(command.answer or answer["sentence"])
    ctx.emit_all(claims.state_claim(ctx.state.communications, command.kind, fact))
    claim = list(ctx.state.communications.claims)[-1]
    ctx.emit_all(claims.confirm(ctx.state.communications, claim, cites))
    return {"claim": claim}
