"""Tasks: the current actions of C1, each with one named owner, a next action and a time box.

Rules:
1. A task has exactly one owner, a person by account; it is never everybody's.
2. The owner acknowledges it; working on it acknowledges it too. Assigning a task to oneself needs no answer.
3. Only the owner or the commander finishes or drops it. What is finished or dropped stays so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from holdfast.incidents.state_board import BoardState, Task
from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed

LONGEST = timedelta(days=90)
"""The longest time box: what takes longer is a corrective action with a date (X7), not a current action."""


def assign(state: BoardState, owner: str, action: Sealed, due: datetime, now: datetime) -> list[NewEvent]:
    """Give one person one next action.

    Raises:
        BadInputError: the time box is over or longer than 90 days (``task-due-invalid``).
    """
    if not now < due <= now + LONGEST:
        raise BadInputError(
            "task-due-invalid",
            "The task was not assigned.",
            why=f"A task ends after now and within {LONGEST.days} days; {format_instant(due)} does not.",
            next_step="Name when it should be done, for example in 30 minutes.",
        )
    data = {
        "task_id": f"task-{len(state.tasks) + 1}",
        "owner": owner,
        "action": action.as_json(),
        "due": format_instant(due),
    }
    return [NewEvent("task.assigned", data)]


def acknowledge(state: BoardState, task_id: str, by: str) -> list[NewEvent]:
    """The owner says: mine.

    Raises:
        ForbiddenError: it is not theirs.
        RefusedError: it is over, or acknowledged already (``task-acknowledged``).
    """
    task = _open(state, task_id)
    if task.owner != by:
        raise ForbiddenError(
            "task-not-yours",
            f"{task.id} was not acknowledged.",
            why=f"It is {task.owner}'s, and only they can say that they have it.",
            next_step=f"Ask {task.owner}, or assign a task of your own.",
        )
    if task.acknowledged_at is not None:
        raise RefusedError(
            "task-acknowledged",
            f"{task.id} is acknowledged already.",
            why=f"That was at {format_instant(task.acknowledged_at)}.",
            next_step=f"Say how it goes: holdfast task progress INC {task.id}",
        )
    return [NewEvent("task.acknowledged", {"task_id": task.id})]


def progress(state: BoardState, task_id: str, note: Sealed) -> list[NewEvent]:
    """Say how it goes; anybody who knows may.

    Raises:
        RefusedError: it is over (``task-over``).
    """
    return [NewEvent("task.progressed", {"task_id": _open(state, task_id).id, "note": note.as_json()})]


def finish(  # who closes it and whether they command are two questions
    state: BoardState,
    task_id: str,
    by: str,
    *,
    commands: bool,
    note: Sealed | None,
    citations: Iterable[Citation],
) -> list[NewEvent]:
    """Finish a task.

    Raises:
        ForbiddenError: ``by`` neither owns it nor commands.
        RefusedError: it is over.
    """
    task = _closable(state, task_id, by, commands=commands)
    data = {
        "task_id": task.id,
        "note": None if note is None else note.as_json(),
        "citations": citations_json(citations),
    }
    return [NewEvent("task.done", data)]


def drop(state: BoardState, task_id: str, by: str, *, commands: bool, reason: Sealed) -> list[NewEvent]:
    """Drop a task that is not needed any more.

    Raises:
        ForbiddenError: ``by`` neither owns it nor commands.
        RefusedError: it is over.
    """
    task = _closable(state, task_id, by, commands=commands)
    return [NewEvent("task.dropped", {"task_id": task.id, "note": reason.as_json()})]


def current_actions(state: BoardState) -> tuple[Task, ...]:
    """The open tasks, the soonest due first: what C1 shows as owner and next action."""
    found = (task for task in state.tasks.values() if task.standing == "open")
    return tuple(sorted(found, key=lambda task: (task.due, task.seq)))


def _open(state: BoardState, task_id: str) -> Task:
    task = state.tasks.get(task_id)
    if task is None:
        raise NotFoundError(
            "task-not-found",
            f"There is no task {task_id[:20]!r}.",
            why="This incident has not assigned it.",
            next_step="Look at the current actions of the incident.",
        )
    if task.standing != "open":
        raise RefusedError(
            "task-over",
            f"{task.id} was not changed.",
            why=f"It is {task.standing}, and that stays so.",
            next_step="If there is more to do, assign a new task: holdfast task assign --help",
        )
    return task


def _closable(state: BoardState, task_id: str, by: str, *, commands: bool) -> Task:
    task = _open(state, task_id)
    if task.owner != by and not commands:
        raise ForbiddenError(
            "task-not-yours",
            f"{task.id} was not closed.",
            why=f"It is {task.owner}'s; only they or the commander may close it.",
            next_step=f"Say what you know: holdfast task progress INC {task.id}",
        )
    return task
