"""Severity as events: assessed, set, raised freely, lowered only by two people (S1 to S4).

Rules:
1. The first assessment sets the declared level; a later one that differs stands beside it as a proposal.
2. Raising needs a reason and nobody's leave.
3. Lowering is proposed by the commander with a reason and confirmed by somebody else. It falls away when
   the commander changes, when the level changes, or when it is refused. Nobody can do both halves.
4. The peak never falls, and duties follow it.

Not handled here: the decision table (:mod:`holdfast.incidents.severity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from holdfast.incidents.lifecycle import require_open
from holdfast.incidents.severity import Assessment, Circumstances, Level, is_worse
from holdfast.incidents.state import State
from holdfast.kernel.errors import ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed


def is_contained(state: State) -> bool:
    """Whether the record says so: containment can only soften a *proposed* level."""
    return state.status in ("contained", "recovering", "closed")


def answer(
    state: State, answers: Mapping[str, str], circumstances: Circumstances, assessment: Assessment, now: datetime
) -> list[NewEvent]:
    """Record answers to the decision table and what it says; the first sets the declared level.

    Args:
        state: the incident.
        answers: every answer the assessment was made from.
        circumstances: what the escalators read.
        assessment: what the table said of them.
        now: instant of answering; open decisive questions are due from here.
    """
    require_open(state)
    due = now + timedelta(minutes=assessment.open_question_minutes) if assessment.open_questions else None
    events = [
        NewEvent(
            "severity.answered",
            {
                "table": assessment.table_digest,
                "table_version": assessment.table_version,
                "answers": dict(answers),
                "context": circumstances.as_json(),
                "level": assessment.level,
                "rule": assessment.rule,
                "matches": [match.rule for match in assessment.matches],
                "reason": assessment.reason,
                "provisional": assessment.provisional,
                "open_questions": list(assessment.open_questions),
                "open_questions_due_at": None if due is None else format_instant(due),
            },
        )
    ]
    if state.level is None:
        events.append(NewEvent("severity.set", {"level": assessment.level, "rule": assessment.rule}))
    return events


def raise_to(state: State, level: Level, reason: Sealed) -> list[NewEvent]:
    """Raise the declared severity.

    Raises:
        RefusedError: the level is not worse than the declared one (``severity-not-raised``).
    """
    require_open(state)
    present = _declared(state)
    if not is_worse(level, present):
        raise RefusedError(
            "severity-not-raised",
            f"The severity stays {present}.",
            why=f"{level} is not worse than {present}.",
            next_step=f"The commander proposes it: holdfast severity lower {state.incident_id} {level} --reason …",
        )
    return [NewEvent("severity.raised", {"level": level, "previous": present, "reason": reason.as_json()})]


def propose_lower(state: State, level: Level, reason: Sealed, by: str) -> list[NewEvent]:
    """Propose a lower severity, as the commander.

    Raises:
        ForbiddenError: not the commander (``commander-needed``).
        RefusedError: not lower, or another proposal is waiting.
    """
    require_open(state)
    present = _declared(state)
    if state.commander != by:
        who = state.commander or "nobody at present"
        raise ForbiddenError(
            "commander-needed",
            f"The severity stays {present}.",
            why=f"Only the commander proposes to lower it, and that is {who}.",
            next_step="Tell the commander what you know, in the channel.",
        )
    if not is_worse(present, level):
        raise RefusedError(
            "severity-not-lowered",
            f"The severity stays {present}.",
            why=f"{level} is not lower than {present}.",
            next_step=f"To raise it: holdfast severity raise {state.incident_id} {level} --reason …",
        )
    if state.severity.lowering is not None:
        raise RefusedError(
            "lowering-waiting",
            "Nothing was proposed.",
            why=f"The proposal to lower it to {state.severity.lowering.level} waits for a second person.",
            next_step=f"Decide that one first: holdfast severity refuse-lower {state.incident_id} --reason …",
        )
    return [NewEvent("severity.lower_proposed", {"level": level, "previous": present, "reason": reason.as_json()})]


def confirm_lower(state: State, by: str) -> list[NewEvent]:
    """Confirm the proposed lower severity, as the second person.

    Raises:
        RefusedError: nothing is proposed (any more).
        ForbiddenError: the same person proposed it; no role or marking changes that.
    """
    require_open(state)
    present = _declared(state)
    lowering = state.severity.lowering
    if lowering is None:
        raise _nothing_proposed(state)
    if lowering.by == by:
        raise ForbiddenError(
            "second-person-needed",
            f"The severity stays {present}.",
            why="Who proposed the lower severity cannot confirm it, whatever roles they hold.",
            next_step=f"Ask somebody else: holdfast severity confirm-lower {state.incident_id}",
        )
    return [
        NewEvent(
            "severity.lowered",
            {
                "level": lowering.level,
                "previous": present,
                "reason": lowering.reason.as_json(),
                "proposed_by": lowering.by,
                "proposed": lowering.seq,
            },
        )
    ]


def refuse_lower(state: State, reason: Sealed) -> list[NewEvent]:
    """Refuse, or withdraw, the proposed lower severity.

    Raises:
        RefusedError: nothing is proposed.
    """
    lowering = state.severity.lowering
    if lowering is None:
        raise _nothing_proposed(state)
    return [NewEvent("severity.lower_refused", {"level": lowering.level, "reason": reason.as_json()})]


def _declared(state: State) -> Level:
    if state.level is None:
        raise RefusedError(
            "severity-not-set",
            "There is no severity to change.",
            why="Nobody has answered the severity questions.",
            next_step=f"Answer them: holdfast severity answer {state.incident_id} --help",
        )
    return state.level


def _nothing_proposed(state: State) -> RefusedError:
    return RefusedError(
        "lowering-not-proposed",
        "The severity stays as it is.",
        why="No lower severity is proposed: it was decided, or fell away when the commander or the level changed.",
        next_step=f"The commander proposes one: holdfast severity lower {state.incident_id} --help",
    )
