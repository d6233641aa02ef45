"""Guided plays: what may be started, what runs, and every step with its parts, outputs and cautions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.app.commanding import Documents
from holdfast.app.queries.parts import PartShown, part_shown
from holdfast.app.state import IncidentState
from holdfast.incidents import board
from holdfast.kernel.citations import Citation
from holdfast.kernel.texts import Sealed
from holdfast.plays import definitions
from holdfast.plays.definitions import Output, PlayDefinition
from holdfast.plays.progress import OutputView, StepView, progress
from holdfast.plays.running import run_named
from holdfast.plays.state import Recorded, Run, RunStanding, Value


@dataclass(frozen=True, slots=True)
class RecordedShown:
    """One recorded value, or one item of a list."""

    item: int
    """From 1 up; a single value is item 1."""
    words: Sealed | None
    """A person's words."""
    value: str
    """An instant (RFC 3339), an account, or the name of a choice."""
    citations: tuple[Citation, ...]
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class OutputShown:
    """One typed output of a step."""

    key: str
    name: str
    type: str
    hint: str
    required: bool
    missing: bool
    takes_value: bool
    takes_cites: bool
    choices: tuple[tuple[str, str], ...]
    """Key and name."""
    recorded: tuple[RecordedShown, ...]


@dataclass(frozen=True, slots=True)
class OverrideShown:
    """An accepted loss of evidence."""

    evidence: tuple[str, ...]
    """What is accepted as lost."""
    reason: Sealed
    lost: Sealed
    accepted_by: str
    acting_alone: bool
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step."""

    id: str
    name: str
    why: str
    hints: tuple[str, ...]
    traps: tuple[str, ...]
    destroys_evidence: bool
    loses: str
    undo: str
    standing: str
    """open, in_progress, done, skipped."""
    is_next: bool
    """The first step that is still open in a running play."""
    owner: str | None
    parts: tuple[PartShown, ...]
    open_parts: tuple[str, ...]
    parts_not_done: int
    outputs: tuple[OutputShown, ...]
    at_risk: tuple[str, ...]
    """Names of the volatile evidence (F5) that this step would destroy uncaptured."""
    ahead_of: tuple[str, ...]
    override: OverrideShown | None
    derived: Mapping[str, int]
    ready: bool
    reason: Sealed | None
    settled_by: str | None
    settled_at: datetime | None
    next_command: str


@dataclass(frozen=True, slots=True)
class RunShown:
    """One run of a play."""

    id: str
    play: str
    name: str
    version: int
    when: str
    subject: Sealed | None
    standing: RunStanding
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    reason: Sealed | None
    steps: tuple[StepShown, ...]
    done: int
    """Steps done or skipped."""
    total: int
    next_step: str | None


@dataclass(frozen=True, slots=True)
class Offered:
    """A play that may be started."""

    key: str
    name: str
    when: str
    steps: tuple[tuple[str, str], ...]
    """Id and name."""


@dataclass(frozen=True, slots=True)
class Plays:
    """Every run, running ones first and the newest of them at the top, and what may be started."""

    runs: tuple[RunShown, ...]
    offered: tuple[Offered, ...]


def plays(state: IncidentState, documents: Documents) -> Plays:
    """All plays of an incident."""
    runs = [_run(state, run, documents) for run in reversed(list(state.plays.runs.values()))]
    pinned: Mapping[str, str] = state.incidents.pins.get("plays", {})
    loaded = [definitions.load(documents.get(digest)) for digest in pinned.values()]
    return Plays(
        runs=tuple(sorted(runs, key=lambda run: run.standing != "running")),
        offered=tuple(
            Offered(one.key, one.name, one.when, tuple((step.id, step.name) for step in one.steps)) for one in loaded
        ),
    )


def play(state: IncidentState, documents: Documents, play_id: str) -> RunShown:
    """One run.

    Raises:
        NotFoundError: there is none of that id.
    """
    return _run(state, run_named(state.plays, play_id), documents)


def _run(state: IncidentState, run: Run, documents: Documents) -> RunShown:
    definition = definitions.load(documents.get(run.digest))
    names = dict(
        zip(board.uncaptured_keys(state.incidents.board), board.uncaptured(state.incidents.board), strict=True)
    )
    views = progress(run, definition, names, state.id)
    left = [view.step.id for view in views if view.state.standing == "open"]
    following = left[0] if left and run.standing == "running" else None
    return RunShown(
        id=run.id,
        play=run.key,
        name=run.name,
        version=run.version,
        when=definition.when,
        subject=run.subject,
        standing=run.standing,
        started_by=run.started_by,
        started_at=run.started_at,
        ended_at=run.ended_at,
        reason=run.reason,
        steps=tuple(_step(view, view.step.id == following, names, definition) for view in views),
        done=len(views) - len(left),
        total=len(views),
        next_step=following,
    )


def _step(view: StepView, is_next: bool, names: Mapping[str, str], play: PlayDefinition) -> StepShown:  # noqa: FBT001 - one private caller
    step, state = view.step, view.state
    touched = bool(state.parts or state.outputs)
    override = state.override
    return StepShown(
        id=step.id,
        name=step.name,
        why=step.why,
        hints=step.hints,
        traps=step.traps,
        destroys_evidence=step.destroys_evidence,
        loses=step.loses,
        undo=step.undo,
        standing="in_progress" if state.standing == "open" and touched else state.standing,
        is_next=is_next,
        owner=state.owner,
        parts=tuple(part_shown(one.part, one.settled) for one in view.parts),
        open_parts=tuple(part.key for part in view.open_parts),
        parts_not_done=view.parts_not_done,
        outputs=tuple(_output(one) for one in view.outputs),
        at_risk=tuple(names.get(key, key) for key in view.at_risk),
        ahead_of=tuple(f"{one} {play.step(one).name}" for one in view.ahead_of),
        override=None
        if override is None
        else OverrideShown(
            tuple(_evidence_name(key, names) for key in override.uncaptured),
            override.reason,
            override.lost,
            override.accepted_by,
            override.acting_alone,
            override.at,
            override.seq,
        ),
        derived=view.derived,
        ready=view.ready,
        reason=state.reason,
        settled_by=state.settled_by,
        settled_at=state.settled_at,
        next_command=view.next_command,
    )


def _evidence_name(key: str, open_names: Mapping[str, str]) -> str:
    """Name of a part of F5 also after it was captured, when it is no longer among the open ones."""
    line = board.shipped_board().line(board.CAPTURE_LINE)
    return open_names.get(key) or next((part.name for part in line.parts if part.key == key), key)


def _output(view: OutputView) -> OutputShown:
    output = view.output
    kinds = {field.type for field in output.fields} or {output.type}
    return OutputShown(
        key=output.key,
        name=output.name,
        type=output.type,
        hint=output.hint,
        required=output.required,
        missing=view.missing,
        takes_value=bool(kinds - {"citation"}),
        takes_cites="citation" in kinds,
        choices=tuple((choice.key, choice.name) for choice in output.choices),
        recorded=tuple(_recorded(output, one, number) for number, one in enumerate(view.recorded, start=1)),
    )


def _recorded(output: Output, recorded: Recorded, item: int) -> RecordedShown:
    held = recorded.value
    values: list[Value] = list(held.values()) if isinstance(held, Mapping) else [held]
    words = next((one for one in values if isinstance(one, Sealed)), None)
    cited = next((one for one in values if isinstance(one, tuple)), ())
    text = next((one for one in values if isinstance(one, str)), "")
    names = {choice.key: choice.name for choice in output.choices}
    return RecordedShown(item, words, names.get(text, text), cited, recorded.by, recorded.at, recorded.seq)
