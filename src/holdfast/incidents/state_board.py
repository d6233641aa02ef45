"""What the record says of the first fifteen minutes, the freeze, tasks, decisions and pins.

Messages and timeline entries are not held here, only counters and pins: they are read from the record.
Reads never depend on a clock: whether a freeze is in force is asked with an instant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.parts import Settled, settled_from
from holdfast.kernel.texts import Sealed, sealed_from, sealed_or_none

TaskStanding = Literal["open", "done", "dropped"]
PinKind = Literal["message", "entry"]
DecisionKind = Literal["decision", "containment"]


@dataclass(frozen=True, slots=True)
class LineOwner:
    """Who owns a line of the board."""

    owner: str
    by: str
    """Who claimed or assigned it."""
    at: datetime
    acknowledged_at: datetime | None
    """None while somebody it was assigned to has not answered."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """An order to stop destructive changes (F4)."""

    id: str
    scopes: tuple[str, ...]
    exceptions: tuple[str, ...]
    reason: Sealed
    ask: str
    """Account of the person to ask for an exception."""
    by: str
    ordered_at: datetime
    expires_at: datetime
    seq: int
    warned_for: datetime | None = None
    """The expiry that was warned of; an extension makes it stale."""
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The recorded choice that no freeze is needed (F4)."""

    reason: Sealed
    by: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to change a frozen scope, for containment only."""

    id: str
    scope: str
    issued_to: str
    """Account or pipeline name; ``*`` stands for any characters."""
    by: str
    issued_at: datetime
    expires_at: datetime
    max_uses: int
    used: int = 0
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One current action: one named owner, one next action, one time box (C1)."""

    id: str
    owner: str
    action: Sealed
    due: datetime
    by: str
    at: datetime
    seq: int
    acknowledged_at: datetime | None
    standing: TaskStanding = "open"
    note: Sealed | None = None
    """The newest word on its progress, or the reason it was dropped."""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the decision log; a containment decision also has an owner (F6)."""

    id: str
    kind: DecisionKind
    words: Sealed
    by: str
    owner: str
    at: datetime
    seq: int
    reversible: bool
    review_at: datetime | None
    reviewed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """A message or an entry held up for everyone."""

    seq: int
    kind: PinKind
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BoardState:
    """The part of an incident's state that this board's events change. Mappings keep record order."""

    owners: Mapping[str, LineOwner] = field(default_factory=dict)
    """Line id (``F5``) to its owner."""
    settled: Mapping[str, Mapping[str, Settled]] = field(default_factory=dict)
    """Line id to part key to how it was settled by hand."""
    freezes: Mapping[str, Freeze] = field(default_factory=dict)
    declined: Declined | None = None
    passes: Mapping[str, Pass] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    pins: Mapping[int, Pin] = field(default_factory=dict)
    """Sequence number of the pinned event to its pin."""
    superseded: Mapping[int, int] = field(default_factory=dict)
    """Sequence number of a corrected entry to that of its correction."""
    messages: int = 0
    entries: int = 0
    last_message_at: datetime | None = None


EMPTY_BOARD = BoardState()


def apply_board(state: BoardState, event: Event) -> BoardState:
    """The state after one more event; types that are not this board's leave it unchanged."""
    fold = _FOLDS.get((event.type, event.version))
    return state if fold is None else fold(state, event)


def _owned(state: BoardState, event: Event) -> BoardState:
    owner = event.data["owner"]
    known = event.recorded_at if owner == event.actor.id else None
    line = LineOwner(owner, event.actor.id, event.recorded_at, known)
    return replace(state, owners={**state.owners, event.data["line"]: line})


def _line_acknowledged(state: BoardState, event: Event) -> BoardState:
    line = event.data["line"]
    owned = replace(state.owners[line], acknowledged_at=event.recorded_at)
    return replace(state, owners={**state.owners, line: owned})


def _part_settled(state: BoardState, event: Event) -> BoardState:
    line = event.data["line"]
    parts = {**state.settled.get(line, {}), event.data["part"]: settled_from(event)}
    return replace(state, settled={**state.settled, line: parts})


def _posted(state: BoardState, event: Event) -> BoardState:
    return replace(state, messages=state.messages + 1, last_message_at=event.recorded_at)


def _entry_added(state: BoardState, event: Event) -> BoardState:
    del event
    return replace(state, entries=state.entries + 1)


def _superseded(state: BoardState, event: Event) -> BoardState:
    return replace(state, entries=state.entries + 1, superseded={**state.superseded, event.data["entry"]: event.seq})


def _pinner(kind: PinKind) -> Callable[[BoardState, Event], BoardState]:
    def pinned(state: BoardState, event: Event) -> BoardState:
        seq = event.data["entry"]
        return replace(state, pins={**state.pins, seq: Pin(seq, kind, event.actor.id, event.recorded_at)})

    return pinned


def _unpinned(state: BoardState, event: Event) -> BoardState:
    return replace(state, pins={seq: pin for seq, pin in state.pins.items() if seq != event.data["entry"]})


def _decided(state: BoardState, event: Event) -> BoardState:
    data = event.data
    contains = event.type == "containment.decided"
    decision = Decision(
        id=data["decision_id"],
        kind="containment" if contains else "decision",
        words=sealed_from(data["action" if contains else "text"]),
        by=event.actor.id,
        owner=data["owner"] if contains else event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
        reversible=data["undo"] is not None if contains else data["reversible"],
        review_at=_instant_or_none(data["review_at"]),
    )
    return replace(state, decisions={**state.decisions, decision.id: decision})


def _reviewed(state: BoardState, event: Event) -> BoardState:
    decision = replace(state.decisions[event.data["decision_id"]], reviewed_at=event.recorded_at)
    return replace(state, decisions={**state.decisions, decision.id: decision})


def _frozen(state: BoardState, event: Event) -> BoardState:
    data = event.data
    freeze = Freeze(
        id=data["freeze_id"],
        scopes=tuple(data["scopes"]),
        exceptions=tuple(data["exceptions"]),
        reason=sealed_from(data["reason"]),
        ask=data["ask"],
        by=event.actor.id,
        ordered_at=event.recorded_at,
        expires_at=parse_instant(data["expires_at"]),
        seq=event.seq,
    )
    return _with_freeze(state, freeze)


def _extended(state: BoardState, event: Event) -> BoardState:
    freeze = state.freezes[event.data["freeze_id"]]
    return _with_freeze(state, replace(freeze, expires_at=parse_instant(event.data["expires_at"])))


def _lifted(state: BoardState, event: Event) -> BoardState:
    return _with_freeze(state, replace(state.freezes[event.data["freeze_id"]], lifted_at=event.recorded_at))


def _warned(state: BoardState, event: Event) -> BoardState:
    freeze = state.freezes[event.data["freeze_id"]]
    return _with_freeze(state, replace(freeze, warned_for=parse_instant(event.data["expires_at"])))


def _declined(state: BoardState, event: Event) -> BoardState:
    declined = Declined(sealed_from(event.data["reason"]), event.actor.id, event.recorded_at, event.seq)
    return replace(state, declined=declined)


def _with_freeze(state: BoardState, freeze: Freeze) -> BoardState:
    return replace(state, freezes={**state.freezes, freeze.id: freeze})


def _pass_issued(state: BoardState, event: Event) -> BoardState:
    data = event.data
    issued = Pass(
        id=data["pass_id"],
        scope=data["scope"],
        issued_to=data["issued_to"],
        by=event.actor.id,
        issued_at=event.recorded_at,
        expires_at=parse_instant(data["expires_at"]),
        max_uses=data["max_uses"],
    )
    return replace(state, passes={**state.passes, issued.id: issued})


def _pass_used(state: BoardState, event: Event) -> BoardState:
    known = state.passes[event.data["pass_id"]]
    return replace(state, passes={**state.passes, known.id: replace(known, used=known.used + 1)})


def _pass_revoked(state: BoardState, event: Event) -> BoardState:
    known = state.passes[event.data["pass_id"]]
    return replace(state, passes={**state.passes, known.id: replace(known, revoked_at=event.recorded_at)})


def _task_assigned(state: BoardState, event: Event) -> BoardState:
    data = event.data
    task = Task(
        id=data["task_id"],
        owner=data["owner"],
        action=sealed_from(data["action"]),
        due=parse_instant(data["due"]),
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
        acknowledged_at=event.recorded_at if data["owner"] == event.actor.id else None,
    )
    return replace(state, tasks={**state.tasks, task.id: task})


def _task_changed(state: BoardState, event: Event) -> BoardState:
    task = state.tasks[event.data["task_id"]]
    acknowledged = task.acknowledged_at
    if acknowledged is None and event.actor.id == task.owner:
        acknowledged = event.recorded_at
    standing: TaskStanding = task.standing
    if event.type == "task.done":
        standing = "done"
    elif event.type == "task.dropped":
        standing = "dropped"
    note = sealed_or_none(event.data.get("note")) or task.note
    changed = replace(task, acknowledged_at=acknowledged, standing=standing, note=note, changed_at=event.recorded_at)
    return replace(state, tasks={**state.tasks, task.id: changed})


def _instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


_FOLDS: Mapping[tuple[str, int], Callable[[BoardState, Event], BoardState]] = {
    ("board.claimed", 1): _owned,
    ("board.assigned", 1): _owned,
    ("board.acknowledged", 1): _line_acknowledged,
    ("board.part_settled", 1): _part_settled,
    ("message.posted", 1): _posted,
    ("message.pinned", 1): _pinner("message"),
    ("message.unpinned", 1): _unpinned,
    ("entry.added", 1): _entry_added,
    ("entry.superseded", 1): _superseded,
    ("entry.pinned", 1): _pinner("entry"),
    ("entry.unpinned", 1): _unpinned,
    ("decision.recorded", 1): _decided,
    ("decision.reviewed", 1): _reviewed,
    ("containment.decided", 1): _decided,
    ("freeze.ordered", 1): _frozen,
    ("freeze.extended", 1): _extended,
    ("freeze.lifted", 1): _lifted,
    ("freeze.warned", 1): _warned,
    ("freeze.declined", 1): _declined,
    ("pass.issued", 1): _pass_issued,
    ("pass.used", 1): _pass_used,
    ("pass.revoked", 1): _pass_revoked,
    ("task.assigned", 1): _task_assigned,
    ("task.acknowledged", 1): _task_changed,
    ("task.progressed", 1): _task_changed,
    ("task.done", 1): _task_changed,
    ("task.dropped", 1): _task_changed,
}
