"""Working on the steps of a run; the rules are numbered in the package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.parts import Standing, open_parts, part_named, settlement
from holdfast.kernel.texts import Sealed
from holdfast.plays import outputs
from holdfast.plays.definitions import Output, PlayDefinition, Step
from holdfast.plays.running import completion, not_done, working
from holdfast.plays.state import Run, StepState


@dataclass(frozen=True, slots=True)
class Settling:
    """What is said of one part."""

    part: str
    standing: Standing
    citations: tuple[Citation, ...] = ()
    reason: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What is given for one output."""

    output: str
    value: outputs.Given = None
    citations: tuple[Citation, ...] = ()
    item: int | None = None
    """Replaces this item of a list output, counted from 1; none adds one."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts which loss of evidence, and why."""

    reason: Sealed
    lost: Sealed
    accepted_by: str
    acting_alone: bool


def assign(run: Run, step: Step, owner: str) -> list[NewEvent]:
    """Give a step to a person.

    Raises:
        RefusedError: the step is settled, or the run abandoned.
    """
    _open(run, step)
    return [NewEvent("step.assigned", {**_place(run, step), "owner": owner})]


def settle(run: Run, step: Step, settling: Settling) -> list[NewEvent]:
    """Settle one part, or set it back to open.

    Raises:
        BadInputError: no such part, done without a citation, or otherwise without a reason.
        RefusedError: the step is settled, or the run abandoned.
    """
    _open(run, step)
    part_named(step.parts, settling.part, f"Step {step.id}")
    data = settlement(settling.part, settling.standing, settling.citations, settling.reason)
    return [NewEvent("step.part_settled", {**_place(run, step), **data})]


def record(run: Run, step: Step, offer: Offer, now: datetime) -> list[NewEvent]:
    """Record an output; a later value replaces the earlier one, which stays in the record.

    Raises:
        BadInputError: no such output, a value that does not fit its type, instants out of order,
            or an item that a list does not have.
        RefusedError: the step is settled, or the run abandoned.
    """
    state = _open(run, step)
    output = step.output(offer.output)
    value = outputs.read(output, offer.value, offer.citations, now)
    if output.type == "instant":
        outputs.check_order(step, state, output, str(value))
    data = {
        **_place(run, step),
        "output": output.key,
        "kind": output.type,
        "value": value,
        "item": _item(state, output, offer.item),
    }
    return [NewEvent("step.output_recorded", data)]


def override(run: Run, step: Step, uncaptured: tuple[str, ...], acceptance: Acceptance) -> list[NewEvent]:
    """Accept the loss of exactly the volatile evidence that is uncaptured now.

    Raises:
        RefusedError: the step destroys none, nothing is uncaptured, it is settled, or the run abandoned.
    """
    _open(run, step)
    if not step.destroys_evidence or not uncaptured:
        why = (
            "All volatile evidence is captured or accounted for."
            if step.destroys_evidence
            else "This step destroys no evidence."
        )
        raise RefusedError(
            "override-not-needed",
            f"No override is recorded for step {step.id}.",
            why=why,
            next_step=f"Finish the step: holdfast step done INC {run.id} {step.id}",
        )
    data = {
        **_place(run, step),
        "uncaptured": list(uncaptured),
        "reason": acceptance.reason.as_json(),
        "lost": acceptance.lost.as_json(),
        "accepted_by": acceptance.accepted_by,
        "acting_alone": acceptance.acting_alone,
    }
    return [NewEvent("step.override_recorded", data)]


def done(run: Run, definition: PlayDefinition, step_id: str, uncaptured: tuple[str, ...]) -> list[NewEvent]:
    """Finish a step, and the run when it was the last one.

    Args:
        run: the run.
        definition: the play it is bound to.
        step_id: the step.
        uncaptured: keys of the volatile evidence (F5) not captured now.

    Raises:
        RefusedError: an open part, a missing output, evidence at risk without an override that covers it,
            a step settled already, or an abandoned run.
    """
    step = definition.step(step_id)
    state = _open(run, step)
    _refuse_unfinished(run, step, state)
    risked = uncaptured if step.destroys_evidence else ()
    _refuse_destruction(run, step, state, risked)
    data = {
        **_place(run, step),
        "parts_not_done": not_done(state.parts.values()),
        "ahead_of": list(ahead_of(run, definition, step_id)),
        "uncaptured": list(risked),
        "derived": outputs.derived(step, state),
    }
    return [NewEvent("step.done", data), *completion(run, definition, step_id, "done")]


def skip(run: Run, definition: PlayDefinition, step_id: str, reason: Sealed) -> list[NewEvent]:
    """Say that a step does not apply, and why.

    Raises:
        RefusedError: the step is settled already, or the run abandoned.
    """
    step = definition.step(step_id)
    _open(run, step)
    event = NewEvent("step.skipped", {**_place(run, step), "reason": reason.as_json()})
    return [event, *completion(run, definition, step_id, "skipped")]


def reopen(run: Run, step: Step, reason: Sealed) -> list[NewEvent]:
    """Open a settled step again: parts and outputs stay, an override is void.

    Raises:
        RefusedError: it is open already, or the run abandoned.
    """
    if working(run).step(step.id).standing == "open":
        raise RefusedError(
            "step-already-open",
            f"Step {step.id} of {run.id} is not reopened.",
            why="It is open already.",
            next_step=f"Work on it: holdfast step settle INC {run.id} {step.id} --help",
        )
    return [NewEvent("step.reopened", {**_place(run, step), "reason": reason.as_json()})]


def ahead_of(run: Run, definition: PlayDefinition, step_id: str) -> tuple[str, ...]:
    """Ids of the earlier steps that are still open: a caution, never a refusal."""
    return tuple(found.id for found in definition.before(step_id) if run.step(found.id).standing == "open")


def at_risk(step: Step, state: StepState, uncaptured: Iterable[str]) -> tuple[str, ...]:
    """The uncaptured evidence that keeps a destroying step from being done: what no override covers."""
    covered = set(state.override.uncaptured) if state.override is not None else set()
    return tuple(key for key in uncaptured if step.destroys_evidence and key not in covered)


def _place(run: Run, step: Step) -> dict[str, Any]:
    return {"play_id": run.id, "step": step.id}


def _open(run: Run, step: Step) -> StepState:
    state = working(run).step(step.id)
    if state.standing != "open":
        raise RefusedError(
            "step-not-open",
            f"Step {step.id} of {run.id} is not changed.",
            why=f"It is {state.standing} already.",
            next_step=f"Reopen it first: holdfast step reopen INC {run.id} {step.id} --reason …",
        )
    return state


def _refuse_unfinished(run: Run, step: Step, state: StepState) -> None:
    parts = [part.key for part in open_parts(step.parts, state.parts)]
    if parts:
        raise RefusedError(
            "step-has-open-parts",
            f"Step {step.id} of {run.id} is not done.",
            why=f"Every part is settled first, and these are open: {', '.join(parts)}.",
            next_step=f"Settle the next: holdfast step settle INC {run.id} {step.id} {parts[0]} --cites ev-…",
            details={"open_parts": parts},
        )
    needed = [output.key for output in outputs.missing(step, state)]
    if needed:
        raise RefusedError(
            "step-misses-outputs",
            f"Step {step.id} of {run.id} is not done.",
            why=f"These outputs are not recorded: {', '.join(needed)}.",
            next_step=f"Record the next: holdfast step record INC {run.id} {step.id} {needed[0]} --value …",
            details={"missing_outputs": needed},
        )


def _refuse_destruction(run: Run, step: Step, state: StepState, uncaptured: tuple[str, ...]) -> None:
    left = at_risk(step, state, uncaptured)
    if left:
        raise RefusedError(
            "evidence-at-risk",
            f"Step {step.id} of {run.id} is not done.",
            why=f"It destroys evidence, and this volatile evidence is not captured: {', '.join(left)}.",
            next_step=f"Capture it, or have the loss accepted: holdfast step override INC {run.id} {step.id} --help",
            details={"uncaptured": list(left)},
        )


def _item(state: StepState, output: Output, item: int | None) -> int | None:
    if output.type != "list":
        if item is None:
            return None
        why, fix = "Only a list has items.", "Leave the item out: the newest value replaces the one before."
    else:
        count = len(state.outputs.get(output.key, ()))
        if item is None:
            return count + 1
        if 1 <= item <= count:
            return item
        why, fix = f"The list has {count} items.", "Name one of those to replace it, or none to add one."
    raise BadInputError("output-item-unknown", f"{output.name} has no item {item}.", why=why, next_step=fix)
