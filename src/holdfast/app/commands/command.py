"""Command, handover, roles and countersignatures."""

from __future__ import annotations

from pydantic import Field

from holdfast.app.briefing import handover_brief
from holdfast.app.commanding import AccountName, Context, IncidentCommand, Prose, use_case
from holdfast.incidents import command as deciders
from holdfast.incidents import roles
from holdfast.incidents.state_command import AssignableRole


class DualHat(IncidentCommand):
    """Base of the commands that may make one person commander and technical lead."""

    dual_hat_reason: Prose | None = Field(
        default=None, description="override: why the commander may also be technical lead in a SEV-1"
    )


class TakeCommand(DualHat):
    """Say "I command": end your acting command, or claim a vacant one."""


class VacateCommand(IncidentCommand):
    """Give up command to nobody. Hand over instead whenever you can."""

    reason: Prose = Field(description="why nobody takes over")


class ChallengeCommander(IncidentCommand):
    """Ask whether the commander is there; unanswered, they may be relieved."""

    reason: Prose | None = Field(default=None, description="why you ask")


class AnswerChallenge(IncidentCommand):
    """Answer the challenge: you are there, and you command."""


class RelieveCommander(DualHat):
    """Relieve a commander who did not answer in time, and take command."""

    reason: Prose = Field(description="why")


class OverrideCommand(DualHat):
    """Take command as the business owner, formally and at once."""

    reason: Prose = Field(description="why")


class Advise(IncidentCommand):
    """Log advice without taking command."""

    advice: Prose = Field(description="the advice")


class AssignRole(DualHat):
    """Give a role of R2 to R5 to somebody."""

    role: AssignableRole = Field(description="which role")
    account: AccountName = Field(description="who holds it from now on")


class ReleaseRole(IncidentCommand):
    """End a role: your own, or any as the commander."""

    role: AssignableRole = Field(description="which role")
    reason: Prose | None = Field(default=None, description="why")


class ProposeHandover(IncidentCommand):
    """Ask somebody to take command; they get a brief, and command stays until they accept."""

    to: AccountName = Field(description="who is asked")
    note: Prose | None = Field(default=None, description="a word with the brief")


class AcceptHandover(DualHat):
    """Accept the handover: from now on you command."""


class DeclineHandover(IncidentCommand):
    """Decline the handover; command stays where it is."""

    reason: Prose = Field(description="why")


class WithdrawHandover(IncidentCommand):
    """Withdraw the handover before it is answered."""


class Countersign(IncidentCommand):
    """Countersign what somebody approved alone."""

    of: int = Field(ge=0, description="number of the entry, as the timeline shows it")
    note: Prose | None = Field(default=None, description="a word with it")


@use_case("command take", act="command.take", facet="command", runbook=("R1", "F1", "S1"))
def take_command(command: TakeCommand, ctx: Context) -> None:
    """Take it."""
    reason = ctx.seal_or_none(command.dual_hat_reason)
    qualified = ctx.is_qualified(ctx.me, "commander")
    ctx.emit_all(deciders.take(ctx.state.incidents, ctx.me, qualified=qualified, dual_hat_reason=reason))


@use_case("command vacate", act="command.vacate", facet="command", runbook=("R1",))
def vacate_command(command: VacateCommand, ctx: Context) -> None:
    """Vacate it."""
    ctx.emit_all(deciders.vacate(ctx.state.incidents, ctx.me, ctx.seal(command.reason)))


@use_case("command challenge", act="command.challenge", facet="command", runbook=("R1",))
def challenge_commander(command: ChallengeCommander, ctx: Context) -> dict[str, object]:
    """Challenge them."""
    reason = ctx.seal_or_none(command.reason)
    timeout = roles.role_book().limits.challenge
    events = deciders.challenge(ctx.state.incidents, ctx.me, reason, now=ctx.now, timeout=timeout)
    ctx.emit_all(events)
    return {"answer_by": events[0].data["answer_by"]}


@use_case("command answer", act="command.answer", facet="command", runbook=("R1",))
def answer_challenge(command: AnswerChallenge, ctx: Context) -> None:
    """Answer it."""
    del command
    ctx.emit_all(deciders.answer_challenge(ctx.state.incidents, ctx.me))


@use_case("command relieve", act="command.relieve", facet="command", runbook=("R1",))
def relieve_commander(command: RelieveCommander, ctx: Context) -> None:
    """Relieve them."""
    ctx.emit_all(
        deciders.relieve(
            ctx.state.incidents,
            ctx.me,
            ctx.seal(command.reason),
            qualified=ctx.is_qualified(ctx.me, "commander"),
            now=ctx.now,
            dual_hat_reason=ctx.seal_or_none(command.dual_hat_reason),
        )
    )


@use_case("command override", act="command.override", facet="command", runbook=("R1", "R5"))
def override_command(command: OverrideCommand, ctx: Context) -> None:
    """Override it."""
    ctx.emit_all(
        deciders.override(
            ctx.state.incidents,
            ctx.me,
            ctx.seal(command.reason),
            qualified=ctx.is_qualified(ctx.me, "commander"),
            dual_hat_reason=ctx.seal_or_none(command.dual_hat_reason),
        )
    )


@use_case("command advise", act="command.advise", runbook=("R1", "R5"), positional=("advice",))
def advise(command: Advise, ctx: Context) -> None:
    """Log it."""
    ctx.emit_all(deciders.advise(ctx.state.incidents, ctx.seal(command.advice)))


@use_case(
    "role assign",
    act="role.assign",
    facet="role:{role}",
    runbook=("R2", "R3", "R4", "R5"),
    positional=("role", "account"),
)
def assign_role(command: AssignRole, ctx: Context) -> None:
    """Assign it."""
    account = ctx.person(command.account)
    ctx.emit_all(
        roles.assign(
            ctx.state.incidents,
            command.role,
            account,
            by=ctx.me,
            qualified=ctx.is_qualified(account, command.role),
            dual_hat_reason=ctx.seal_or_none(command.dual_hat_reason),
        )
    )


@use_case(
    "role release", act="role.release", facet="role:{role}", runbook=("R2", "R3", "R4", "R5"), positional=("role",)
)
def release_role(command: ReleaseRole, ctx: Context) -> None:
    """Release it."""
    ctx.emit_all(roles.release(ctx.state.incidents, command.role, ctx.me, ctx.seal_or_none(command.reason)))


@use_case("handover propose", act="handover.propose", facet="command", runbook=("R1",), positional=("to",))
def propose_handover(command: ProposeHandover, ctx: Context) -> dict[str, object]:
    """Write the brief and ask."""
    to = ctx.person(command.to)
    brief = handover_brief(ctx.state, ctx.read, ctx.documents, ctx.now)
    ctx.emit_all(
        deciders.propose_handover(
            ctx.state.incidents,
            ctx.me,
            to,
            ctx.seal(brief),
            ctx.seal_or_none(command.note),
            qualified=ctx.is_qualified(to, "commander"),
        )
    )
    # Not the brief itself: an answer is kept for its idempotency key, and words are kept only sealed.
    return {"to": to}


@use_case("handover accept", act="handover.accept", facet="command", runbook=("R1",))
def accept_handover(command: AcceptHandover, ctx: Context) -> None:
    """Accept it."""
    reason = ctx.seal_or_none(command.dual_hat_reason)
    qualified = ctx.is_qualified(ctx.me, "commander")
    ctx.emit_all(deciders.accept_handover(ctx.state.incidents, ctx.me, qualified=qualified, dual_hat_reason=reason))


@use_case("handover decline", act="handover.decline", facet="command", runbook=("R1",))
def decline_handover(command: DeclineHandover, ctx: Context) -> None:
    """Decline it."""
    ctx.emit_all(deciders.decline_handover(ctx.state.incidents, ctx.me, ctx.seal(command.reason)))


@use_case("handover withdraw", act="handover.withdraw", facet="command", runbook=("R1",))
def withdraw_handover(command: WithdrawHandover, ctx: Context) -> None:
    """Withdraw it."""
    del command
    ctx.emit_all(deciders.withdraw_handover(ctx.state.incidents, ctx.me))


@use_case("countersign", act="countersign", facet="countersignature:{of}", runbook=("R1", "R5"), positional=("of",))
def countersign(command: Countersign, ctx: Context) -> None:
    """Countersign it."""
    ctx.emit_all(roles.countersign(ctx.state.incidents, command.of, ctx.me, ctx.seal_or_none(command.note)))
