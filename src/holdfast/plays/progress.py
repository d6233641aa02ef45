"""What pages and the terminal show of a run: each step's standing, what is left, cautions, the next command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.kernel.parts import Part, Settled, Standing, open_parts
from holdfast.plays import outputs
from holdfast.plays.definitions import Output, PlayDefinition, Step
from holdfast.plays.running import not_done
from holdfast.plays.state import Recorded, Run, StepState
from holdfast.plays.stepping import ahead_of, at_risk


@dataclass(frozen=True, slots=True)
class PartView:
    """One part beside its definition."""

    part: Part
    standing: Standing
    settled: Settled | None


@dataclass(frozen=True, slots=True)
class OutputView:
    """One output beside its definition."""

    output: Output
    recorded: tuple[Recorded, ...]
    missing: bool
    """Required for the step to be done, and not recorded."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step beside its definition."""

    step: Step
    state: StepState
    parts: tuple[PartView, ...]
    open_parts: tuple[Part, ...]
    parts_not_done: int
    """Settled parts that are unknown, unreachable or not applicable."""
    outputs: tuple[OutputView, ...]
    missing: tuple[Output, ...]
    ahead_of: tuple[str, ...]
    """Earlier steps still open, while this one is: a caution."""
    at_risk: tuple[str, ...]
    """Uncaptured evidence that keeps this step from being done."""
    derived: dict[str, int]
    ready: bool
    """Whether it can be marked done now."""
    next_command: str
    """What to type now; empty when the step is settled or the run abandoned."""


def progress(
    run: Run, definition: PlayDefinition, uncaptured: Iterable[str] = (), incident: str = "INC"
) -> list[StepView]:
    """Every step in order.

    Args:
        run: the run.
        definition: the play it is bound to.
        uncaptured: keys of the volatile evidence (F5) not captured now.
        incident: the id that commands are written with.
    """
    risks = tuple(uncaptured)
    return [_view(run, definition, step, risks, incident) for step in definition.steps]


def _view(run: Run, definition: PlayDefinition, step: Step, uncaptured: tuple[str, ...], incident: str) -> StepView:
    state = run.step(step.id)
    workable = state.standing == "open" and run.standing != "abandoned"
    left = open_parts(step.parts, state.parts)
    missing = outputs.missing(step, state)
    risk = at_risk(step, state, uncaptured) if workable else ()
    return StepView(
        step=step,
        state=state,
        parts=tuple(_part(part, state.parts.get(part.key)) for part in step.parts),
        open_parts=left,
        parts_not_done=not_done(settled for settled in state.parts.values() if settled.standing != "open"),
        outputs=tuple(
            OutputView(output, state.outputs.get(output.key, ()), output in missing) for output in step.outputs
        ),
        missing=missing,
        ahead_of=ahead_of(run, definition, step.id) if workable else (),
        at_risk=risk,
        derived=outputs.derived(step, state),
        ready=workable and not (left or missing or risk),
        next_command=_next(f"{incident} {run.id} {step.id}", left, missing, risk) if workable else "",
    )


def _part(part: Part, settled: Settled | None) -> PartView:
    return PartView(part, "open" if settled is None else settled.standing, settled)


def _next(where: str, left: tuple[Part, ...], missing: tuple[Output, ...], risk: tuple[str, ...]) -> str:
    if left:
        return f"holdfast step settle {where} {left[0].key} --cites ev-…"
    if missing:
        output = missing[0]
        kinds = {field.type for field in output.fields} or {output.type}
        value = f" --value {output.choices[0].key if output.choices else '…'}" if kinds - {"citation"} else ""
        return f"holdfast step record {where} {output.key}{value}{' --cites ev-…' if 'citation' in kinds else ''}"
    if risk:
        return f'holdfast step override {where} --reason "…" --lost "…"'
    return f"holdfast step done {where}"
