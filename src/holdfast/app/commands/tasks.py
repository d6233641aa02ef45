"""Tasks: who does what next, by when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from holdfast.app.commanding import AccountName, Cites, Context, IncidentCommand, Instant, Prose, numbered, use_case
from holdfast.incidents import tasks
from holdfast.incidents.lifecycle import require_open

TaskId = Annotated[str, numbered("task")]
_FACET = "task:{task_id}"


class AssignTask(IncidentCommand):
    """Give one person one next action with a time box."""

    owner: AccountName = Field(description="the one person who does it")
    action: Prose = Field(description="the next action")
    due: Instant = Field(description="when it should be done, with its zone")


class TaskCommand(IncidentCommand):
    """A command on one task."""

    task_id: TaskId = Field(description="task-1, as assigned")


class AcknowledgeTask(TaskCommand):
    """Say that you have the task that was assigned to you."""


class ProgressTask(TaskCommand):
    """Say how a task goes."""

    note: Prose = Field(description="how it stands")


class FinishTask(TaskCommand):
    """Finish a task; for its owner or the commander."""

    note: Prose | None = Field(default=None, description="the result")
    cites: Cites = Field(default=[], description="what shows it: ev-3 for evidence, #17 for an entry of the record")


class DropTask(TaskCommand):
    """Drop a task that is not needed any more; for its owner or the commander."""

    reason: Prose = Field(description="why it is not needed")


@use_case("task assign", act="task.assign", runbook=("C1", "R1"), positional=("owner", "action"))
def assign_task(command: AssignTask, ctx: Context) -> Mapping[str, Any]:
    """Check the person, seal the words, decide."""
    require_open(ctx.state.incidents)
    owner = ctx.person(command.owner)
    ctx.emit_all(tasks.assign(ctx.state.incidents.board, owner, ctx.seal(command.action), command.due, ctx.now))
    return {"task_id": list(ctx.state.incidents.board.tasks)[-1]}


@use_case("task acknowledge", act="task.acknowledge", facet=_FACET, runbook=("C1",), positional=("task_id",))
def acknowledge_task(command: AcknowledgeTask, ctx: Context) -> None:
    """Decide for who acts."""
    ctx.emit_all(tasks.acknowledge(ctx.state.incidents.board, command.task_id, ctx.me))


@use_case("task progress", act="task.progress", facet=_FACET, runbook=("C1",), positional=("task_id", "note"))
def progress_task(command: ProgressTask, ctx: Context) -> None:
    """Seal the note, decide."""
    ctx.emit_all(tasks.progress(ctx.state.incidents.board, command.task_id, ctx.seal(command.note)))


@use_case("task done", act="task.close", facet=_FACET, runbook=("C1",), positional=("task_id",))
def finish_task(command: FinishTask, ctx: Context) -> None:
    """Resolve the citations, seal the note, decide for who acts."""
    ctx.emit_all(
        tasks.finish(
            ctx.state.incidents.board,
            command.task_id,
            ctx.me,
            commands=ctx.state.incidents.commander == ctx.me,
            note=ctx.seal_or_none(command.note),
            citations=ctx.cite(command.cites),
        )
    )


@use_case("task drop", act="task.close", facet=_FACET, runbook=("C1",), positional=("task_id",))
def drop_task(command: DropTask, ctx: Context) -> None:
    """Seal the reason, decide for who acts."""
    commands = ctx.state.incidents.commander == ctx.me
    reason = ctx.seal(command.reason)
    ctx.emit_all(tasks.drop(ctx.state.incidents.board, command.task_id, ctx.me, commands=commands, reason=reason))
