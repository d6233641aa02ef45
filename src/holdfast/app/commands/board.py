"""The first fifteen minutes: who owns a line of the board, and how its parts stand."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from holdfast.app.commanding import AccountName, Cites, Context, IncidentCommand, Key, Prose, use_case
from holdfast.incidents import board
from holdfast.kernel.parts import Standing

LineId = Annotated[str, StringConstraints(pattern=r"^F[1-6]$")]
_LINES = ("F1", "F2", "F3", "F4", "F5", "F6")


class ClaimLine(IncidentCommand):
    """Take a line of the board nobody owns."""

    line: LineId = Field(description="line of the board, F1 to F6")


class AssignLine(IncidentCommand):
    """Give a line of the board to one person, who acknowledges it."""

    line: LineId = Field(description="line of the board, F1 to F6")
    owner: AccountName = Field(description="who owns it from now on")


class AcknowledgeLine(IncidentCommand):
    """Say that you have the line that was assigned to you."""

    line: LineId = Field(description="line of the board, F1 to F6")


class SettleLine(IncidentCommand):
    """Settle one part of the first report (F2) or of the volatile evidence (F5), or open it again."""

    line: LineId = Field(description="F2 or F5; the other lines follow from what is done")
    part: Key = Field(description="for example cloud_audit_events or ci_logs")
    standing: Standing = Field(default="done", description="done needs a citation; the others but open need a reason")
    cites: Cites = Field(default=[], description="what proves it: ev-3 for evidence, #17 for an entry of the record")
    reason: Prose | None = Field(default=None, description="why it is unknown, unreachable or not applicable")


@use_case("board claim", act="board.claim", facet="board:{line}", runbook=_LINES, positional=("line",))
def claim_line(command: ClaimLine, ctx: Context) -> None:
    """Decide for who acts."""
    ctx.emit_all(board.claim(ctx.state.incidents.board, command.line, ctx.me))


@use_case("board assign", act="board.assign", facet="board:{line}", runbook=_LINES, positional=("line", "owner"))
def assign_line(command: AssignLine, ctx: Context) -> None:
    """Check the person, then decide."""
    ctx.emit_all(board.assign(ctx.state.incidents.board, command.line, ctx.person(command.owner)))


@use_case("board acknowledge", act="board.acknowledge", facet="board:{line}", runbook=_LINES, positional=("line",))
def acknowledge_line(command: AcknowledgeLine, ctx: Context) -> None:
    """Decide for who acts."""
    ctx.emit_all(board.acknowledge(ctx.state.incidents.board, command.line, ctx.me))


@use_case(
    "board settle",
    act="board.settle",
    facet="board:{line}.{part}",
    runbook=("F2", "F5"),
    positional=("line", "part"),
)
def settle_line(command: SettleLine, ctx: Context) -> None:
    """Resolve the citations, seal the reason, decide."""
    reason = ctx.seal_or_none(command.reason)
    ctx.emit_all(board.settle(command.line, command.part, command.standing, ctx.cite(command.cites), reason))
