"""What we know of an incident: confirmed facts, hypotheses with their standing, and what cannot be told.

Impact that is stated as unknown (F3) stands with the severity and is not repeated here.

Rules:
1. A hypothesis is never among the facts, and says how much speaks against it.
2. Unknown is never clean: a part or a question that is *unknown* or *unreachable* is listed with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.app.commanding import Documents
from holdfast.app.queries.clocks import board_facts
from holdfast.app.state import IncidentState
from holdfast.communications import matrix
from holdfast.communications.matrix import Ranked
from holdfast.communications.state import Claim
from holdfast.incidents import board
from holdfast.investigation import questions
from holdfast.kernel.parts import Part, Settled, Standing
from holdfast.kernel.texts import Sealed
from holdfast.plays import definitions

NOT_TOLD: tuple[Standing, ...] = ("unknown", "unreachable")


@dataclass(frozen=True, slots=True)
class NotTold:
    """One thing that cannot be told."""

    where: str
    """The runbook's id: ``I6``, ``LS2``, ``F5``."""
    what: str
    standing: str
    reason: Sealed | None
    by: str
    at: datetime
    place: str
    """Path below the incident where it is settled."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything known and not known now."""

    facts: tuple[Claim, ...]
    """Newest first."""
    hypotheses: tuple[Ranked, ...]
    """Fewest inconsistencies first; disproved ones are apart."""
    disproved: tuple[Claim, ...]
    """Disproved and retracted, newest first."""
    not_told: tuple[NotTold, ...]
    unanswered: tuple[tuple[str, str], ...]
    """Id and wording of the questions nobody has answered yet."""


def known(state: IncidentState, documents: Documents, now: datetime) -> Known:
    """What is known at an instant."""
    claims = list(state.communications.claims.values())
    asked = pinned_questions(state, documents)
    return Known(
        facts=_newest(claims, "fact"),
        hypotheses=matrix.build(state.communications).ranked,
        disproved=_newest(claims, "disproved", "retracted"),
        not_told=tuple(
            sorted(
                [*_board(state, now), *_answers(state, asked), *_steps(state, documents)],
                key=lambda one: one.at,
                reverse=True,
            )
        ),
        unanswered=tuple(
            (one.id, one.question) for one in asked if state.investigation.question(one.id).standing == "open"
        ),
    )


def pinned_questions(state: IncidentState, documents: Documents) -> tuple[questions.Question, ...]:
    """The questions as the incident was declared under."""
    return questions.load(documents.get(state.incidents.pins["runbook"])["questions"])


def _newest(claims: list[Claim], *standings: str) -> tuple[Claim, ...]:
    found = [claim for claim in claims if claim.standing in standings]
    return tuple(sorted(found, key=lambda claim: claim.settled_seq or claim.seq, reverse=True))


def _board(state: IncidentState, now: datetime) -> Iterator[NotTold]:
    for line in board.board_lines(state.incidents.board, board_facts(state), now):
        for part in line.parts:
            if line.id != "F3" and part.standing in NOT_TOLD and part.at is not None:
                yield NotTold(
                    line.id, part.name, part.standing, part.reason, part.by, part.at, f"/board#line-{line.id}"
                )


def _answers(state: IncidentState, asked: tuple[questions.Question, ...]) -> Iterator[NotTold]:
    for one in asked:
        found = state.investigation.question(one.id)
        place = f"/investigation#question-{one.id}"
        if found.standing == "unknown" and found.answered_at is not None:
            who = found.answered_by or ""
            yield NotTold(one.id, one.question, "unknown", found.answer, who, found.answered_at, place)
        yield from _parts(one.id, _named(one.parts, one.name), found.parts, place)


def _steps(state: IncidentState, documents: Documents) -> Iterator[NotTold]:
    for run in state.plays.runs.values():
        if run.standing == "abandoned":
            continue
        definition = definitions.load(documents.get(run.digest))
        for step in definition.steps:
            names = _named(step.parts, step.name)
            yield from _parts(step.id, names, run.step(step.id).parts, f"/plays#{run.id}-{step.id}")


def _named(parts: tuple[Part, ...], whole: str) -> dict[str, str]:
    """Part key to its name; what has one part only goes by its own name."""
    return {part.key: part.name if len(parts) > 1 else whole for part in parts}


def _parts(where: str, names: Mapping[str, str], parts: Mapping[str, Settled], place: str) -> Iterator[NotTold]:
    for key, settled in parts.items():
        if settled.standing in NOT_TOLD:
            name = names.get(key, key.replace("_", " "))
            yield NotTold(where, name, settled.standing, settled.reason, settled.by, settled.at, place)


@dataclass(frozen=True, slots=True)
class InFlight:
    """One running play."""

    id: str
    name: str
    subject: Sealed | None
    steps: tuple[Mapping[str, Any], ...]
    """``id, name, standing, owner``, in order."""
    done: int
    next_step: Mapping[str, Any] | None
    started_by: str
    started_at: datetime


def in_flight(state: IncidentState, documents: Documents) -> tuple[InFlight, ...]:
    """Running plays with how far each is."""
    return tuple(_in_flight(state, run.id, documents) for run in state.plays.runs.values() if run.standing == "running")


def _in_flight(state: IncidentState, run_id: str, documents: Documents) -> InFlight:
    run = state.plays.runs[run_id]
    definition = definitions.load(documents.get(run.digest))
    steps = tuple(
        {
            "id": step.id,
            "name": step.name,
            "standing": _standing(run.step(step.id).standing, bool(run.step(step.id).parts)),
            "owner": run.step(step.id).owner,
        }
        for step in definition.steps
    )
    open_steps = [step for step in steps if step["standing"] in ("open", "in_progress")]
    return InFlight(
        run.id,
        definition.name,
        run.subject,
        steps,
        len(steps) - len(open_steps),
        open_steps[0] if open_steps else None,
        run.started_by,
        run.started_at,
    )


def _standing(standing: str, *touched: bool) -> str:
    return "in_progress" if standing == "open" and any(touched) else standing
