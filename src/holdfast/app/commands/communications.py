"""Updates to responders, executives and customers: draft, revise, approve, refuse, record as sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from holdfast.app import outward
from holdfast.app.commanding import Context, IncidentCommand, Instant, Line, Prose, numbered, use_case
from holdfast.communications import updates
from holdfast.communications.rendering import CONTENTS, render_customers
from holdfast.communications.state import Audience
from holdfast.communications.updates import Content
from holdfast.communications.wording import describe
from holdfast.kernel.errors import BadInputError

ClaimId = Annotated[str, numbered("claim")]
Claims = Annotated[list[ClaimId], Field(max_length=200)]
UpdateId = Annotated[str, numbered("update")]
TextHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]

_FACET = "update:{update}"
_RULES = ("C1", "C2")


class DraftUpdate(IncidentCommand):
    """Draft an update; without a text it is written from the record by the template."""

    audience: Audience = Field(description="who it is for")
    next_update_at: Instant | None = Field(
        default=None, description="when the next update comes: a promise; left out only after recovery is verified"
    )
    text: Prose | None = Field(default=None, description="the whole text; left out, the template writes it")
    claims: Claims = Field(default=[], description="claims it rests on; customers are told confirmed ones only")
    happened: Prose | None = Field(default=None, description="for customers: what happened")
    affected: Prose | None = Field(default=None, description="for customers: what data or services were affected")
    action: Prose | None = Field(default=None, description="for customers: what they should do")


class ReviseUpdate(IncidentCommand):
    """Write a new text for an update that is not sent; approvals of the old one no longer count."""

    update: UpdateId = Field(description="the update")
    text: Prose = Field(description="the whole new text")
    claims: Claims | None = Field(default=None, description="claims it rests on; as before when left out")
    next_update_at: Instant | None = Field(default=None, description="the promise; as before when left out")


class ApproveUpdate(IncidentCommand):
    """Approve exactly the text you read."""

    update: UpdateId = Field(description="the update")
    text_hash: TextHash = Field(description="hash of the text you read, at least its first eight digits")


class RefuseUpdate(IncidentCommand):
    """Refuse to approve an update; it needs a revision then."""

    update: UpdateId = Field(description="the update")
    reason: Prose = Field(description="what has to change")


class SendUpdate(IncidentCommand):
    """Record that you copied an approved update out to its audience."""

    update: UpdateId = Field(description="the update")
    where: Line = Field(description="where and how it was sent: status page, mailing list, call")


class WithholdName(IncidentCommand):
    """Keep a name out of everything that executives and customers are told."""

    name: Line = Field(description="a suspect, an employee, a system")


@use_case("update draft", act="update.draft", runbook=_RULES, positional=("audience",))
def draft_update(command: DraftUpdate, ctx: Context) -> Mapping[str, Any]:
    """Make the text where none is given, then decide."""
    claims = tuple(command.claims)
    if command.text is None and command.audience != "customers":
        claims = claims or outward.resting_on(ctx.state, command.audience)
    text = command.text or _written(command, claims, ctx)
    content = Content(ctx.seal(text), claims, command.next_update_at)
    situation = outward.situation(ctx.state, ctx.now)
    ctx.emit_all(updates.draft(ctx.state.communications, command.audience, content, situation))
    return _answer(ctx, list(ctx.state.communications.updates)[-1])


@use_case("update revise", act="update.revise", facet=_FACET, runbook=_RULES, positional=("update",))
def revise_update(command: ReviseUpdate, ctx: Context) -> Mapping[str, Any]:
    """Replace the text; keep claims and promise where none are given."""
    before = updates.update_named(ctx.state.communications, command.update)
    content = Content(
        ctx.seal(command.text),
        before.claims if command.claims is None else tuple(command.claims),
        command.next_update_at or before.next_update_at,
    )
    situation = outward.situation(ctx.state, ctx.now)
    ctx.emit_all(updates.revise(ctx.state.communications, command.update, content, situation))
    return _answer(ctx, command.update)


@use_case("update approve", act="update.approve", facet=_FACET, runbook=("C2",), positional=("update", "text_hash"))
def approve_update(command: ApproveUpdate, ctx: Context) -> Mapping[str, Any]:
    """Review the wording, then decide."""
    state = ctx.state.communications
    update = updates.update_named(state, command.update)
    situation = outward.situation(ctx.state, ctx.now)
    findings = outward.findings_of(ctx.state, ctx.read, update)
    ctx.emit_all(
        updates.approve(state, command.update, command.text_hash, by=ctx.me, situation=situation, findings=findings)
    )
    after = ctx.state.communications.updates[command.update]
    missing = [sorted(group) for group in updates.open_groups(after, situation.peak)]
    return {"approved": not missing, "missing": missing}


@use_case("update refuse", act="update.refuse", facet=_FACET, runbook=("C2",), positional=("update",))
def refuse_update(command: RefuseUpdate, ctx: Context) -> None:
    """Refuse it."""
    ctx.emit_all(updates.refuse(ctx.state.communications, command.update, ctx.seal(command.reason)))


@use_case("update send", act="update.send", facet=_FACET, runbook=_RULES, positional=("update",))
def send_update(command: SendUpdate, ctx: Context) -> None:
    """Check everything once more, then record it."""
    update = updates.update_named(ctx.state.communications, command.update)
    findings = outward.findings_of(ctx.state, ctx.read, update)
    situation = outward.situation(ctx.state, ctx.now)
    where = ctx.seal(command.where)
    ctx.emit_all(updates.send(ctx.state.communications, command.update, where, situation=situation, findings=findings))


@use_case("name withhold", act="name.withhold", runbook=("C2",), positional=("name",))
def withhold_name(command: WithholdName, ctx: Context) -> None:
    """Withhold it."""
    ctx.emit_all(updates.withhold(ctx.seal(command.name)))


def _answer(ctx: Context, update_id: str) -> Mapping[str, Any]:
    update = ctx.state.communications.updates[update_id]
    findings = describe(outward.findings_of(ctx.state, ctx.read, update))
    shown = {"text": ctx.read(update.text)}
    # The words go back to their author once, and are not kept with the answer.
    return {"update": update_id, "text_hash": update.text_hash, "findings": findings, "once": shown}


def _written(command: DraftUpdate, claims: tuple[str, ...], ctx: Context) -> str:
    if command.audience != "customers":
        return outward.update_text(ctx.state, ctx.read, command.audience, claims, command.next_update_at)
    facts = [line for line in outward.claim_lines(ctx.state, ctx.read, claims) if line.standing == "fact"]
    effects = ("impact", "scope")
    happened = command.happened or "\n".join(line.text for line in facts if line.kind not in effects)
    affected = command.affected or "\n".join(line.text for line in facts if line.kind in effects)
    given = {CONTENTS[0]: happened, CONTENTS[1]: affected, CONTENTS[2]: command.action}
    missing = [content for content, words in given.items() if not words]
    if missing:
        raise BadInputError(
            "customer-contents-missing",
            "The update for customers is not drafted.",
            why=f"It has to say: {', '.join(content.lower() for content in missing)}.",
            next_step="Give --happened, --affected and --action, or claims that say the first two.",
            details={"missing": missing},
        )
    return render_customers(happened, affected, command.action or "", command.next_update_at)
