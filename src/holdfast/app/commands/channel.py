"""The incident channel and manual timeline entries."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from holdfast.app.commanding import Cites, Context, IncidentCommand, Instant, Line, Prose, use_case
from holdfast.incidents import channel
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.events import Basis

EntryNumber = Annotated[int, Field(ge=0, le=999_999_999)]


class PostMessage(IncidentCommand):
    """Write to everyone in the incident; @name mentions a person."""

    text: Prose = Field(description="the message; it stays in the record as you wrote it")
    reply_to: EntryNumber | None = Field(default=None, description="number of the entry it answers, such as 17")


class PinMessage(IncidentCommand):
    """Pin a message where everyone sees it first."""

    entry: EntryNumber = Field(description="number of the message in the record, such as 17")


class UnpinMessage(IncidentCommand):
    """Take the pin off a message."""

    entry: EntryNumber = Field(description="number of the message in the record, such as 17")


class AddEntry(IncidentCommand):
    """Add to the timeline what happened at another time or elsewhere."""

    text: Prose = Field(description="what happened, one event")
    occurred_at: Instant = Field(description="when it happened, with its zone: 2026-11-23T02:51:00Z")
    basis: Basis = Field(default="observed", description="seen as it happened, guessed, or proven by evidence")
    source: Line | None = Field(default=None, description="where you know it from")
    cites: Cites = Field(default=[], description="what proves it: ev-3 for evidence, #17 for an entry of the record")


class SupersedeEntry(AddEntry):
    """Correct an entry by a new one; the old one stays and points here."""

    entry: EntryNumber = Field(description="number of the entry that is wrong, such as 21")
    reason: Prose = Field(description="why it was wrong")


class PinEntry(IncidentCommand):
    """Pin any entry of the timeline."""

    entry: EntryNumber = Field(description="number of the entry in the record, such as 21")


class UnpinEntry(IncidentCommand):
    """Take the pin off an entry of the timeline."""

    entry: EntryNumber = Field(description="number of the entry in the record, such as 21")


@use_case("message post", act="message.post", runbook=("F1",), positional=("text",))
def post_message(command: PostMessage, ctx: Context) -> None:
    """Find who is mentioned, seal the words, decide."""
    reply_to = None if command.reply_to is None else _existing(ctx, command.reply_to)
    names = [name for name in channel.mentioned(command.text) if _may_be_told(ctx, name)]
    ctx.emit_all(channel.post(ctx.seal(command.text), names, reply_to))


@use_case("message pin", act="message.pin", runbook=("F1",), positional=("entry",))
def pin_message(command: PinMessage, ctx: Context) -> None:
    """Check that there is such an entry, then decide."""
    ctx.emit_all(channel.pin(ctx.state.incidents.board, _existing(ctx, command.entry), "message"))


@use_case("message unpin", act="message.pin", runbook=("F1",), positional=("entry",))
def unpin_message(command: UnpinMessage, ctx: Context) -> None:
    """Decide."""
    ctx.emit_all(channel.unpin(ctx.state.incidents.board, command.entry, "message"))


@use_case("timeline add", act="timeline.add", runbook=("R1", "I6"), positional=("text",))
def add_entry(command: AddEntry, ctx: Context) -> None:
    """Resolve the citations, seal the words, decide."""
    ctx.emit_all(channel.add(_entry(command, ctx), ctx.now))


@use_case("timeline supersede", act="timeline.supersede", facet="entry:{entry}", runbook=("R1",), positional=("entry",))
def supersede_entry(command: SupersedeEntry, ctx: Context) -> None:
    """Check that there is such an entry, seal the words, decide."""
    seq = _existing(ctx, command.entry)
    reason = ctx.seal(command.reason)
    ctx.emit_all(channel.supersede(ctx.state.incidents.board, seq, _entry(command, ctx), reason, ctx.now))


@use_case("timeline pin", act="timeline.pin", runbook=("R1",), positional=("entry",))
def pin_entry(command: PinEntry, ctx: Context) -> None:
    """Check that there is such an entry, then decide."""
    ctx.emit_all(channel.pin(ctx.state.incidents.board, _existing(ctx, command.entry), "entry"))


@use_case("timeline unpin", act="timeline.pin", runbook=("R1",), positional=("entry",))
def unpin_entry(command: UnpinEntry, ctx: Context) -> None:
    """Decide."""
    ctx.emit_all(channel.unpin(ctx.state.incidents.board, command.entry, "entry"))


def _existing(ctx: Context, seq: int) -> int:
    """The number of an entry that this incident has; refuses any other."""
    ctx.cite([f"#{seq}"])
    return seq


def _may_be_told(ctx: Context, name: str) -> bool:
    """Whether a mention names a person of this incident; any other stays plain text, and says nothing of who exists."""
    try:
        ctx.person(name)
    except NotFoundError:
        return False
    return True


def _entry(command: AddEntry, ctx: Context) -> channel.Entry:
    return channel.Entry(
        text=ctx.seal(command.text),
        occurred_at=command.occurred_at,
        basis=command.basis,
        source=ctx.seal_or_none(command.source),
        citations=ctx.cite(command.cites),
    )
