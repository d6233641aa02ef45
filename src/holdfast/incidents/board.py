"""The first fifteen minutes as a board: F1 to F6, each with owner, parts, standing and one running clock.

Rules:
1. A line is settled when every one of its parts is; its standing is the least certain of theirs.
2. F5 is settled part by part. F2 follows the first report, and a person may settle what the report left open.
   F1, F3, F4 and F6 follow from what was done and are never ticked by hand.
3. The clock runs from the declaration and stops when the last line is settled. At the limit it is late.
4. A part of F5 is *uncaptured* while it is open: reopened counts as open, "unreachable, because" does not.

Lines, parts and limits are data: ``library/board.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from holdfast.incidents.state_board import BoardState, LineOwner
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.parts import Part, Settled, Standing, open_parts, part_named, settlement
from holdfast.kernel.texts import Sealed

Source = Literal["command", "report", "severity", "freeze", "capture", "containment"]
BY_HAND: tuple[Source, ...] = ("report", "capture")
CAPTURE_LINE = "F5"


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the first fifteen minutes."""

    clock: timedelta
    warn: timedelta
    """How long before it lapses a freeze is announced."""
    freeze: timedelta
    """The longest a freeze may reach ahead."""
    containment_pass: timedelta
    """The longest a containment pass may live."""
    acknowledge: timedelta


@dataclass(frozen=True, slots=True)
class LineDefinition:
    """One line, from library data."""

    id: str
    name: str
    source: Source
    next_step: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board, from library data."""

    limits: Limits
    lines: tuple[LineDefinition, ...]

    def line(self, line_id: str) -> LineDefinition:
        """The definition of a line.

        Raises:
            BadInputError: there is no such line (``board-line-unknown``).
        """
        for line in self.lines:
            if line.id == line_id:
                return line
        raise BadInputError(
            "board-line-unknown",
            f"The board has no line {line_id[:20]!r}.",
            why="Its lines are " + ", ".join(line.id for line in self.lines) + ".",
            next_step="Name one of those.",
        )


def load(document: Mapping[str, Any]) -> Board:
    """The board from its parsed document.

    Raises:
        ValueError: an unknown source, or a line or part that is named twice or missing.
    """
    limits = document["limits"]
    lines = tuple(_line(row) for row in document["line"])
    if not lines or len({line.id for line in lines}) != len(lines):
        msg = "the board needs lines, each with an id of its own"
        raise ValueError(msg)
    return Board(
        Limits(
            clock=timedelta(minutes=limits["minutes"]),
            warn=timedelta(minutes=limits["warn_minutes"]),
            freeze=timedelta(days=limits["freeze_max_days"]),
            containment_pass=timedelta(minutes=limits["pass_max_minutes"]),
            acknowledge=timedelta(minutes=limits["acknowledge_minutes"]),
        ),
        lines,
    )


def _line(row: Mapping[str, Any]) -> LineDefinition:
    parts = tuple(Part(part["key"], part["name"], part.get("hint", "")) for part in row["part"])
    if row["source"] not in get_args(Source) or not parts or len({part.key for part in parts}) != len(parts):
        msg = f"line {row['id']} needs a known source and parts, each with a key of its own"
        raise ValueError(msg)
    return LineDefinition(row["id"], row["name"], row["source"], row["next"], parts)


@cache
def shipped_board() -> Board:
    """The board this version ships with: package data, read once."""
    return load(tomllib.loads(files("holdfast.incidents").joinpath("library/board.toml").read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Stated:
    """One thing the core of the incident knows, and since when."""

    standing: Standing
    at: datetime
    by: str = ""
    seq: int | None = None
    """The event it is known from, where that is one event."""


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What the board needs of the rest of the incident; the application fills it in."""

    declared_at: datetime
    declared_by: str
    commander: Stated | None = None
    """``done`` once somebody *assumed* command (``by`` is who); None while acting or vacant."""
    severity: Stated | None = None
    """``done`` once a severity is assigned; provisional counts."""
    impacts: Mapping[str, Stated] = field(default_factory=dict)
    """Impact key to its statement: ``done`` for no, suspected or confirmed, ``unknown`` for a stated unknown."""
    report: Mapping[str, Stated] = field(default_factory=dict)
    """Report part key to ``done`` where the report says it, or ``unknown`` where it says so; absent is open."""
    ended: bool = False
    """The incident is closed: nothing is late and nobody is nagged any more."""


@dataclass(frozen=True, slots=True)
class LinePart:
    """One part of a line as shown. ``at`` is None while it is open."""

    key: str
    name: str
    hint: str
    standing: Standing
    at: datetime | None = None
    by: str = ""
    seq: int | None = None
    citations: tuple[Citation, ...] = ()
    reason: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the board as shown."""

    id: str
    name: str
    owner: LineOwner | None
    standing: Standing
    parts: tuple[LinePart, ...]
    since: datetime
    """From when it stands so: the declaration for an open line, its last part for a settled one."""
    late: bool
    """Open at or after the limit."""
    settled_late: bool
    next_step: str

    @property
    def undone(self) -> int:
        """How many parts are not *done*: settled is not the same as clean."""
        return sum(part.standing != "done" for part in self.parts)


@dataclass(frozen=True, slots=True)
class BoardClock:
    """The running clock of the board."""

    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    """When the last line was settled, or None while it runs."""
    seconds_left: int
    """At ``now``, or when it stopped; negative when over."""
    overdue: bool


def board_lines(state: BoardState, facts: BoardFacts, now: datetime, board: Board | None = None) -> list[Line]:
    """The six lines in order, as they stand at ``now``."""
    board = board or shipped_board()
    due = facts.declared_at + board.limits.clock
    return [_shown(definition, state, facts, due, now) for definition in board.lines]


def board_clock(state: BoardState, facts: BoardFacts, now: datetime, board: Board | None = None) -> BoardClock:
    """The clock at ``now``."""
    board = board or shipped_board()
    lines = board_lines(state, facts, now, board)
    due = facts.declared_at + board.limits.clock
    running = any(line.standing == "open" for line in lines)
    stopped = None if running else max(line.since for line in lines)
    end = stopped or now
    left = int((due - end) // timedelta(seconds=1))
    return BoardClock(facts.declared_at, due, stopped, left, overdue=running and now >= due and not facts.ended)


def uncaptured(state: BoardState, board: Board | None = None) -> tuple[str, ...]:
    """Names of the volatile evidence (F5) still open, in order; empty when each is settled one way or another."""
    line = (board or shipped_board()).line(CAPTURE_LINE)
    return tuple(part.name for part in open_parts(line.parts, state.settled.get(line.id, {})))


def uncaptured_keys(state: BoardState, board: Board | None = None) -> tuple[str, ...]:
    """Like :func:`uncaptured`, as the keys of the parts."""
    line = (board or shipped_board()).line(CAPTURE_LINE)
    return tuple(part.key for part in open_parts(line.parts, state.settled.get(line.id, {})))


def claim(state: BoardState, line_id: str, by: str) -> list[NewEvent]:
    """Take a line nobody owns.

    Raises:
        RefusedError: somebody owns it (``board-line-owned``).
    """
    line = shipped_board().line(line_id)
    owned = state.owners.get(line.id)
    if owned is not None:
        raise RefusedError(
            "board-line-owned",
            f"{line.id} is already owned by {owned.owner}.",
            why="A line has one owner, and taking it away silently would leave two people on it.",
            next_step=f"Agree with {owned.owner}, then hand it over: holdfast board assign INC {line.id} NAME",
        )
    return [NewEvent("board.claimed", {"line": line.id, "owner": by})]


def assign(state: BoardState, line_id: str, owner: str) -> list[NewEvent]:
    """Give a line to one person, who acknowledges it; giving it again to its owner is refused.

    Raises:
        RefusedError: it is theirs already (``board-line-owned``).
    """
    line = shipped_board().line(line_id)
    owned = state.owners.get(line.id)
    if owned is not None and owned.owner == owner:
        raise RefusedError(
            "board-line-owned",
            f"{line.id} is already owned by {owner}.",
            why="Nothing would change.",
            next_step="Name somebody else, or leave it.",
        )
    return [NewEvent("board.assigned", {"line": line.id, "owner": owner})]


def acknowledge(state: BoardState, line_id: str, by: str) -> list[NewEvent]:
    """Answer that one owns a line that was assigned.

    Raises:
        RefusedError: it is not theirs, or already acknowledged (``board-nothing-to-acknowledge``).
    """
    line = shipped_board().line(line_id)
    owned = state.owners.get(line.id)
    if owned is None or owned.owner != by or owned.acknowledged_at is not None:
        who = "nobody" if owned is None else owned.owner
        raise RefusedError(
            "board-nothing-to-acknowledge",
            f"There is nothing for {by} to acknowledge on {line.id}.",
            why=f"It is owned by {who}" + (" and acknowledged." if owned and owned.acknowledged_at else "."),
            next_step=f"Take a free line with: holdfast board claim INC {line.id}",
        )
    return [NewEvent("board.acknowledged", {"line": line.id})]


def settle(
    line_id: str, part_key: str, standing: Standing, citations: Iterable[Citation], reason: Sealed | None
) -> list[NewEvent]:
    """Settle one part of F2 or F5, or open it again.

    Raises:
        BadInputError: no such line or part; done without a citation, otherwise settled without a reason.
        RefusedError: the line follows from what was done (``board-line-derived``).
    """
    line = shipped_board().line(line_id)
    part = part_named(line.parts, part_key, line.id)
    if line.source not in BY_HAND:
        raise RefusedError(
            "board-line-derived",
            f"{line.id} is not settled by hand.",
            why="It follows from the act itself, so that the board cannot say what was not done.",
            next_step=f"Do it: {line.next_step}",
        )
    return [NewEvent("board.part_settled", {"line": line.id, **settlement(part.key, standing, citations, reason)})]


def _shown(definition: LineDefinition, state: BoardState, facts: BoardFacts, due: datetime, now: datetime) -> Line:
    by_hand = state.settled.get(definition.id, {})
    derived = _derived(definition, state, facts)
    parts = tuple(_part(part, by_hand.get(part.key), derived.get(part.key)) for part in definition.parts)
    standing = _overall(parts)
    settled_at = max((part.at for part in parts if part.at is not None), default=facts.declared_at)
    is_open = standing == "open"
    return Line(
        id=definition.id,
        name=definition.name,
        owner=state.owners.get(definition.id),
        standing=standing,
        parts=parts,
        since=facts.declared_at if is_open else settled_at,
        late=is_open and now >= due and not facts.ended,
        settled_late=not is_open and settled_at > due,
        next_step=definition.next_step,
    )


def _part(part: Part, by_hand: Settled | None, derived: LinePart | None) -> LinePart:
    """How one part stands: a person's word about it goes before what was derived."""
    if by_hand is not None:
        at = None if by_hand.standing == "open" else by_hand.at
        return LinePart(
            part.key, part.name, part.hint, by_hand.standing, at, by_hand.by, by_hand.seq, by_hand.citations,
            by_hand.reason,
        )  # fmt: skip  # one argument a line would hide the order
    return derived or LinePart(part.key, part.name, part.hint, "open")


def _overall(parts: Iterable[LinePart]) -> Standing:
    """Rule 1. *Not applicable* beside *done* is done; all of them not applicable is not applicable."""
    found = {part.standing for part in parts}
    for standing in ("open", "unknown", "unreachable", "done"):
        if standing in found:
            return standing
    return "not_applicable"


def _derived(definition: LineDefinition, state: BoardState, facts: BoardFacts) -> Mapping[str, LinePart]:
    """Parts of a line that follow from events elsewhere; a part that is still open is absent."""
    known = {
        "command": _from_command,
        "report": lambda _state, facts: dict(facts.report),
        "severity": _from_severity,
        "containment": _from_containment,
    }
    if definition.source == "freeze":
        return _from_freeze(definition, state)
    read = known.get(definition.source)
    stated = {} if read is None else read(state, facts)
    return {
        part.key: LinePart(part.key, part.name, part.hint, found.standing, found.at, found.by, found.seq)
        for part in definition.parts
        if (found := stated.get(part.key)) is not None
    }


def _from_command(_state: BoardState, facts: BoardFacts) -> dict[str, Stated]:
    """The built-in channel is open from the declaration on; a commander is named once somebody assumes command."""
    stated = {"channel": Stated("done", facts.declared_at, facts.declared_by, 0)}
    if facts.commander is not None:
        stated["commander"] = facts.commander
    return stated


def _from_severity(_state: BoardState, facts: BoardFacts) -> dict[str, Stated]:
    return dict(facts.impacts) if facts.severity is None else {**facts.impacts, "severity": facts.severity}


def _from_containment(state: BoardState, _facts: BoardFacts) -> dict[str, Stated]:
    for decision in state.decisions.values():
        if decision.kind == "containment":
            decided = Stated("done", decision.at, decision.by, decision.seq)
            return {"decision": decided, "owner": Stated("done", decision.at, decision.owner, decision.seq)}
    return {}


def _from_freeze(definition: LineDefinition, state: BoardState) -> Mapping[str, LinePart]:
    """An order settles F4 for good, even when it lapses; with none, a refusal to freeze does, with its reason."""
    part = definition.parts[0]
    for freeze in state.freezes.values():
        return {part.key: LinePart(part.key, part.name, part.hint, "done", freeze.ordered_at, freeze.by, freeze.seq)}
    no = state.declined
    if no is None:
        return {}
    shown = LinePart(part.key, part.name, part.hint, "not_applicable", no.at, no.by, no.seq, reason=no.reason)
    return {part.key: shown}
