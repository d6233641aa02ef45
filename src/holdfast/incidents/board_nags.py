"""What the board reminds people of: late lines, unanswered assignments, a freeze about to lapse, overdue tasks.

A nag is computed, not recorded, and holds no words of a person, so that it may be shown anywhere its incident may.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.incidents.board import BoardFacts, board_lines, shipped_board
from holdfast.incidents.freezing import about_to_lapse
from holdfast.incidents.state_board import BoardState
from holdfast.incidents.tasks import current_actions
from holdfast.kernel.instants import format_instant


@dataclass(frozen=True, slots=True)
class BoardNag:
    """One reminder."""

    key: str
    """Stable while its cause lasts, for example ``board-late:F5``."""
    words: str
    who: str | None
    """Account that should act; None is whoever commands."""
    since: datetime
    next_step: str


def board_nags(state: BoardState, facts: BoardFacts, now: datetime) -> list[BoardNag]:
    """Every reminder due at ``now``, longest-standing first; none once the incident is closed."""
    if facts.ended:
        return []
    nags = [
        *_late_lines(state, facts, now),
        *_unanswered_lines(state, now),
        *_lapsing(state, now),
        *_tasks(state, now),
        *_reviews(state, now),
    ]
    return sorted(nags, key=lambda nag: (nag.since, nag.key))


def _late_lines(state: BoardState, facts: BoardFacts, now: datetime) -> list[BoardNag]:
    due = facts.declared_at + shipped_board().limits.clock
    minutes = int(shipped_board().limits.clock.total_seconds() // 60)
    return [
        BoardNag(
            f"board-late:{line.id}",
            f"{line.id} ({line.name}) is still open {minutes} minutes after the declaration: "
            + ", ".join(part.name for part in line.parts if part.standing == "open"),
            None if line.owner is None else line.owner.owner,
            due,
            line.next_step,
        )
        for line in board_lines(state, facts, now)
        if line.late
    ]


def _unanswered_lines(state: BoardState, now: datetime) -> list[BoardNag]:
    patience = shipped_board().limits.acknowledge
    return [
        BoardNag(
            f"board-unacknowledged:{line_id}",
            f"{owned.owner} has not acknowledged owning {line_id}",
            owned.owner,
            owned.at + patience,
            f"holdfast board acknowledge INC {line_id}",
        )
        for line_id, owned in state.owners.items()
        if owned.acknowledged_at is None and now >= owned.at + patience
    ]


def _lapsing(state: BoardState, now: datetime) -> list[BoardNag]:
    return [
        BoardNag(
            f"freeze-lapsing:{freeze.id}",
            f"{freeze.id} lapses at {format_instant(freeze.expires_at)} unless it is extended",
            freeze.ask,
            freeze.expires_at - shipped_board().limits.warn,
            f"holdfast freeze extend INC {freeze.id} --expires-at INSTANT --reason …",
        )
        for freeze in about_to_lapse(state, now)
    ]


def _tasks(state: BoardState, now: datetime) -> list[BoardNag]:
    patience = shipped_board().limits.acknowledge
    nags = []
    for task in current_actions(state):
        if now >= task.due:
            words, since = f"{task.id} is overdue since {format_instant(task.due)}", task.due
            nags.append(
                BoardNag(f"task-overdue:{task.id}", words, task.owner, since, f"holdfast task done INC {task.id}")
            )
        if task.acknowledged_at is None and now >= task.at + patience:
            words, since = f"{task.owner} has not acknowledged {task.id}", task.at + patience
            command = f"holdfast task acknowledge INC {task.id}"
            nags.append(BoardNag(f"task-unacknowledged:{task.id}", words, task.owner, since, command))
    return nags


def _reviews(state: BoardState, now: datetime) -> list[BoardNag]:
    return [
        BoardNag(
            f"decision-review:{decision.id}",
            f"{decision.id} was to be looked at again at {format_instant(decision.review_at)}",
            decision.owner,
            decision.review_at,
            f"holdfast decision review INC {decision.id} OUTCOME --note …",
        )
        for decision in state.decisions.values()
        if decision.review_at is not None and decision.reviewed_at is None and now >= decision.review_at
    ]
