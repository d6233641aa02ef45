"""The runs of plays and how far each step is, folded from the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from holdfast.kernel.citations import Citation, citations_from
from holdfast.kernel.events import Event
from holdfast.kernel.parts import Settled, settled_from
from holdfast.kernel.texts import Sealed, is_sealed, sealed_from, sealed_or_none

StepStanding = Literal["open", "done", "skipped"]
RunStanding = Literal["running", "completed", "abandoned"]
Value = Sealed | tuple[Citation, ...] | str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded output, or one item of a list output."""

    kind: str
    """text, instant, account, citation, choice or list."""
    value: Value | Mapping[str, Value]
    """Sealed words, citations, or text (an RFC 3339 instant, an account, a choice's key); a list item by field."""
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Override:
    """The accepted loss of evidence that lets a destroying step be done."""

    uncaptured: tuple[str, ...]
    """Keys of the volatile evidence it covers; nothing else."""
    reason: Sealed
    lost: Sealed
    accepted_by: str
    acting_alone: bool
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of a run. A step nobody has touched is the default value."""

    standing: StepStanding = "open"
    owner: str | None = None
    parts: Mapping[str, Settled] = field(default_factory=dict)
    outputs: Mapping[str, tuple[Recorded, ...]] = field(default_factory=dict)
    """Output key to its newest value (one element), or to the items of a list output."""
    override: Override | None = None
    derived: Mapping[str, int] = field(default_factory=dict)
    """Numbers computed from the outputs when it was done, for example ``window_seconds``."""
    reason: Sealed | None = None
    """Why it was skipped, or reopened."""
    settled_by: str | None = None
    settled_at: datetime | None = None


UNTOUCHED = StepState()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a play."""

    id: str
    """``play-1`` and on."""
    key: str
    """The play's key, for example ``leaked-secret``."""
    name: str
    version: int
    digest: str
    """Digest of the definition it is bound to."""
    subject: Sealed | None
    started_by: str
    started_at: datetime
    standing: RunStanding = "running"
    ended_at: datetime | None = None
    reason: Sealed | None = None
    """Why it was abandoned."""
    steps: Mapping[str, StepState] = field(default_factory=dict)

    def step(self, step: str) -> StepState:
        """How a step stands; untouched ones are open."""
        return self.steps.get(step, UNTOUCHED)


@dataclass(frozen=True, slots=True)
class State:
    """Every run of the incident, in the order they were started."""

    runs: Mapping[str, Run] = field(default_factory=dict)

    @property
    def next_id(self) -> str:
        """The id of the next run."""
        return f"play-{len(self.runs) + 1}"


EMPTY = State()


def apply(state: State, event: Event) -> State:
    """The state after one more event; types of other packages leave it unchanged."""
    key = (event.type, event.version)
    if key == ("play.started", 1):
        run = _started(event)
    elif key in _RUN:
        run = _RUN[key](state.runs[event.data["play_id"]], event)
    elif key in _STEP:
        before = state.runs[event.data["play_id"]]
        name = event.data["step"]
        run = replace(before, steps={**before.steps, name: _STEP[key](before.step(name), event)})
        if event.type == "step.reopened":
            run = replace(run, standing="running", ended_at=None)
    else:
        return state
    return replace(state, runs={**state.runs, run.id: run})


def _started(event: Event) -> Run:
    data = event.data
    return Run(
        id=data["play_id"],
        key=data["play"],
        name=data["name"],
        version=data["version"],
        digest=data["definition"],
        subject=sealed_or_none(data["subject"]),
        started_by=event.actor.id,
        started_at=event.recorded_at,
    )


def _completed(run: Run, event: Event) -> Run:
    return replace(run, standing="completed", ended_at=event.recorded_at)


def _abandoned(run: Run, event: Event) -> Run:
    return replace(run, standing="abandoned", ended_at=event.recorded_at, reason=sealed_from(event.data["reason"]))


def _assigned(step: StepState, event: Event) -> StepState:
    return replace(step, owner=event.data["owner"])


def _part_settled(step: StepState, event: Event) -> StepState:
    return replace(step, parts={**step.parts, event.data["part"]: settled_from(event)})


def _output_recorded(step: StepState, event: Event) -> StepState:
    data = event.data
    value = data["value"]
    held = {name: _value(one) for name, one in value.items()} if data["kind"] == "list" else _value(value)
    recorded = Recorded(data["kind"], held, event.actor.id, event.recorded_at, event.seq)
    items: tuple[Recorded, ...] = (recorded,)
    if data["item"] is not None:
        before, place = step.outputs.get(data["output"], ()), data["item"] - 1
        items = (*before[:place], recorded, *before[place + 1 :])
    return replace(step, outputs={**step.outputs, data["output"]: items})


def _value(value: Any) -> Value:  # noqa: ANN401  # any value of event data
    if is_sealed(value):
        return sealed_from(value)
    return value if isinstance(value, str) else citations_from(value)


def _done(step: StepState, event: Event) -> StepState:
    return replace(
        step,
        standing="done",
        derived=dict(event.data["derived"]),
        reason=None,
        settled_by=event.actor.id,
        settled_at=event.recorded_at,
    )


def _skipped(step: StepState, event: Event) -> StepState:
    return replace(
        step,
        standing="skipped",
        reason=sealed_from(event.data["reason"]),
        settled_by=event.actor.id,
        settled_at=event.recorded_at,
    )


def _reopened(step: StepState, event: Event) -> StepState:
    return replace(
        step,
        standing="open",
        override=None,
        derived={},
        reason=sealed_from(event.data["reason"]),
        settled_by=None,
        settled_at=None,
    )


def _override(step: StepState, event: Event) -> StepState:
    data = event.data
    override = Override(
        uncaptured=tuple(data["uncaptured"]),
        reason=sealed_from(data["reason"]),
        lost=sealed_from(data["lost"]),
        accepted_by=data["accepted_by"],
        acting_alone=data["acting_alone"],
        at=event.recorded_at,
        seq=event.seq,
    )
    return replace(step, override=override)


_RUN: Mapping[tuple[str, int], Callable[[Run, Event], Run]] = {
    ("play.completed", 1): _completed,
    ("play.abandoned", 1): _abandoned,
}
_STEP: Mapping[tuple[str, int], Callable[[StepState, Event], StepState]] = {
    ("step.assigned", 1): _assigned,
    ("step.part_settled", 1): _part_settled,
    ("step.output_recorded", 1): _output_recorded,
    ("step.done", 1): _done,
    ("step.skipped", 1): _skipped,
    ("step.reopened", 1): _reopened,
    ("step.override_recorded", 1): _override,
}
