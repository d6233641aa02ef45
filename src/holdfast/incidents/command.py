"""Command (R1, F1): taking it, losing it, challenge and relief, handover, executive override.

Rules:
1. At most one commander. Who declares is acting; only an explicit taking of command ends that.
2. Taking, claiming, accepting, relieving and assigning the business owner need a *qualified* person.
3. A handover is proposed with a brief and moves command only when the one asked accepts, in one event.
4. A commander may be relieved only after a recorded challenge whose time-out has passed; they are told.
5. A commander who is also technical lead in a SEV-1 needs an override with a reason.
6. An executive either takes command formally or gives advice; both are recorded.

Roles R2 to R5 and countersignatures: :mod:`holdfast.incidents.roles`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from holdfast.incidents.lifecycle import require_open
from holdfast.incidents.state import State
from holdfast.incidents.state_command import Challenge, Handover
from holdfast.kernel.errors import ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed


def take(state: State, by: str, *, qualified: bool, dual_hat_reason: Sealed | None = None) -> list[NewEvent]:
    """Say "I command": end the acting command, or claim a vacant one.

    Args:
        state: the incident.
        by: who takes command.
        qualified: whether an administrator has qualified them for R1.
        dual_hat_reason: why they may be technical lead at the same time in a SEV-1.

    Raises:
        RefusedError: somebody commands already, or they are technical lead in a SEV-1 without a reason.
        ForbiddenError: not qualified.
    """
    require_open(state)
    present = state.command
    if present.commander is not None and not present.acting:
        you = "You command" if present.commander == by else f"{present.commander} commands"
        raise RefusedError(
            "command-held",
            "Command did not move.",
            why=f"{you} already, and an incident has at most one commander.",
            next_step=f"Ask for a handover, or whether they are there: holdfast command challenge {state.incident_id}",
        )
    need_qualified(state, by, "commander", qualified=qualified)
    dual = dual_hat(state, commander=by, lead=state.holder("technical_lead"), reason=dual_hat_reason)
    if present.commander is None:
        return [NewEvent("command.claimed", {"account": by, "dual_hat_reason": dual})]
    data = {"account": by, "previous": present.commander, "dual_hat_reason": dual}
    return [NewEvent("command.assumed", data), *tell(present.commander, "acting_ended", unless=by)]


def vacate(state: State, by: str, reason: Sealed) -> list[NewEvent]:
    """Give up command to nobody: a recorded, red state.

    Raises:
        ForbiddenError: not the commander.
    """
    require_open(state)
    _need_commander(state, by)
    return [NewEvent("command.vacated", {"account": by, "reason": reason.as_json()})]


def challenge(state: State, by: str, reason: Sealed | None, *, now: datetime, timeout: timedelta) -> list[NewEvent]:
    """Ask the commander whether they are there; the time-out runs from now.

    Raises:
        RefusedError: nobody commands, it is oneself, or a challenge is running.
    """
    require_open(state)
    commander = state.commander
    if commander is None:
        raise _vacant(state)
    if commander == by:
        raise RefusedError(
            "challenge-of-oneself",
            "Nobody was challenged.",
            why="You command yourself.",
            next_step=f"To hand over: holdfast handover propose {state.incident_id} ACCOUNT",
        )
    if state.command.challenge is not None:
        raise RefusedError(
            "challenge-running",
            "Nobody was challenged again.",
            why=f"{commander} has until {format_instant(state.command.challenge.answer_by)} to answer.",
            next_step=f"After that: holdfast command relieve {state.incident_id} --reason …",
        )
    data = {
        "account": commander,
        "reason": None if reason is None else reason.as_json(),
        "answer_by": format_instant(now + timeout),
    }
    return [NewEvent("commander.challenged", data), *tell(commander, "challenged")]


def answer_challenge(state: State, by: str) -> list[NewEvent]:
    """Answer the challenge: the commander is there.

    Raises:
        ForbiddenError: not the commander.
        RefusedError: nobody asked.
    """
    _need_commander(state, by)
    _challenge(state)
    return [NewEvent("commander.answered", {"account": by})]


def relieve(
    state: State,
    by: str,
    reason: Sealed,
    *,
    qualified: bool,
    now: datetime,
    dual_hat_reason: Sealed | None = None,
) -> list[NewEvent]:
    """Relieve a commander who did not answer in time, and command.

    Raises:
        RefusedError: nobody commands, no challenge, or its time-out has not passed.
        ForbiddenError: not qualified, or relieving oneself.
    """
    require_open(state)
    if state.commander is None:
        raise _vacant(state)
    asked = _challenge(state)
    if by == state.commander:
        raise ForbiddenError(
            "relief-of-oneself",
            "Nobody was relieved.",
            why="You command yourself.",
            next_step=f"To give up command: holdfast command vacate {state.incident_id} --reason …",
        )
    if now < asked.answer_by:
        raise RefusedError(
            "challenge-not-timed-out",
            f"{state.commander} still commands.",
            why=f"The challenge may be answered until {format_instant(asked.answer_by)}.",
            next_step="Wait until then, or call them.",
        )
    need_qualified(state, by, "commander", qualified=qualified)
    dual = dual_hat(state, commander=by, lead=state.holder("technical_lead"), reason=dual_hat_reason)
    data = {
        "account": by,
        "previous": state.commander,
        "reason": reason.as_json(),
        "challenge": asked.seq,
        "dual_hat_reason": dual,
    }
    return [NewEvent("commander.relieved", data), *tell(state.commander, "relieved")]


def override(
    state: State, by: str, reason: Sealed, *, qualified: bool, dual_hat_reason: Sealed | None = None
) -> list[NewEvent]:
    """Take command as the accountable executive (the business owner), formally and at once.

    The alternative to half-commanding by advice: see :func:`advise`.

    Raises:
        ForbiddenError: not the business owner, or not qualified to command.
        RefusedError: nobody commands (claim it), or they command already.
    """
    require_open(state)
    if state.holder("business_owner") != by:
        raise ForbiddenError(
            "business-owner-needed",
            "Command did not move.",
            why="Only the incident's business owner can take command over a commander who answers.",
            next_step=f"Log it as advice: holdfast command advise {state.incident_id} ADVICE",
        )
    previous = state.commander
    if previous is None:
        raise _vacant(state)
    if previous == by:
        raise RefusedError(
            "command-held",
            "Command did not move.",
            why="You command already.",
            next_step=f"Go on: holdfast show {state.incident_id}",
        )
    need_qualified(state, by, "commander", qualified=qualified)
    data = {
        "account": by,
        "previous": previous,
        "reason": reason.as_json(),
        "dual_hat_reason": dual_hat(state, commander=by, lead=state.holder("technical_lead"), reason=dual_hat_reason),
    }
    return [NewEvent("command.overridden", data), *tell(previous, "overridden")]


def advise(state: State, advice: Sealed) -> list[NewEvent]:
    """Log advice from somebody who does not take command."""
    require_open(state)
    return [NewEvent("advice.logged", {"advice": advice.as_json()}), *tell(state.commander, "advice")]


def propose_handover(
    state: State, by: str, to: str, brief: Sealed, note: Sealed | None, *, qualified: bool
) -> list[NewEvent]:
    """Ask somebody to take command. Command stays where it is until they accept.

    Args:
        state: the incident.
        by: the commander; anybody when command is vacant.
        to: who is asked.
        brief: the generated brief.
        note: a word with it.
        qualified: whether ``to`` is qualified for R1.

    Raises:
        ForbiddenError: not the commander, or ``to`` is not qualified.
        RefusedError: a proposal is waiting, or ``to`` commands already.
    """
    require_open(state)
    if state.commander is not None:
        _need_commander(state, by)
    if to == state.commander:
        raise RefusedError(
            "command-held",
            "Nothing was proposed.",
            why=f"{to} commands already.",
            next_step="Name somebody else.",
        )
    waiting = state.command.handover
    if waiting is not None:
        raise RefusedError(
            "handover-waiting",
            "Nothing was proposed.",
            why=f"{waiting.to} has been asked and has not answered.",
            next_step=f"Withdraw that first: holdfast handover withdraw {state.incident_id}",
        )
    need_qualified(state, to, "commander", qualified=qualified)
    data = {"to": to, "brief": brief.as_json(), "note": None if note is None else note.as_json()}
    return [NewEvent("handover.proposed", data), *tell(to, "asked_to_command", unless=by)]


def accept_handover(state: State, by: str, *, qualified: bool, dual_hat_reason: Sealed | None = None) -> list[NewEvent]:
    """Accept the handover: command moves now, in this one event.

    Raises:
        RefusedError: none is waiting, or they are technical lead in a SEV-1 without a reason.
        ForbiddenError: somebody else was asked, or not qualified any more.
    """
    require_open(state)
    waiting = _handover(state)
    _need_asked(state, waiting, by)
    need_qualified(state, by, "commander", qualified=qualified)
    dual = dual_hat(state, commander=by, lead=state.holder("technical_lead"), reason=dual_hat_reason)
    data = {
        "account": by,
        "previous": state.commander or "nobody",
        "proposed": waiting.seq,
        "dual_hat_reason": dual,
    }
    return [NewEvent("handover.accepted", data)]


def decline_handover(state: State, by: str, reason: Sealed) -> list[NewEvent]:
    """Decline the handover; command stays where it is.

    Raises:
        RefusedError: none is waiting.
        ForbiddenError: somebody else was asked.
    """
    waiting = _handover(state)
    _need_asked(state, waiting, by)
    events = [NewEvent("handover.declined", {"to": by, "reason": reason.as_json()})]
    return events + tell(waiting.by, "handover_declined", unless=by)


def withdraw_handover(state: State, by: str) -> list[NewEvent]:
    """Withdraw the handover.

    Raises:
        RefusedError: none is waiting.
        ForbiddenError: neither its author nor the commander.
    """
    waiting = _handover(state)
    if by not in (waiting.by, state.commander):
        raise ForbiddenError(
            "handover-not-yours",
            "The handover still waits.",
            why=f"{waiting.by} proposed it.",
            next_step=f"Ask {waiting.by} to withdraw it.",
        )
    return [NewEvent("handover.withdrawn", {"to": waiting.to}), *tell(waiting.to, "handover_withdrawn", unless=by)]


def tell(account: str | None, what: str, unless: str | None = None) -> list[NewEvent]:
    """A notice to somebody, unless there is nobody or it is they who act."""
    if account is None or account == unless:
        return []
    return [NewEvent("notice.given", {"account": account, "what": what})]


def dual_hat(state: State, *, commander: str | None, lead: str | None, reason: Sealed | None) -> dict[str, Any] | None:
    """Rule 5: the reason as recorded, when the commander is (about to be) technical lead too.

    Raises:
        RefusedError: they are, in a SEV-1, and no reason is given.
    """
    if commander is None or commander != lead:
        return None
    if reason is not None:
        return reason.as_json()
    if state.level == "SEV-1":
        raise RefusedError(
            "commander-is-technical-lead",
            "The roles stay as they are.",
            why=f"In a SEV-1 the commander does not fix: {commander} would be commander and technical lead.",
            next_step="Name somebody else, or override it: --dual-hat-reason …",
        )
    return None


def need_qualified(state: State, account: str, role: str, *, qualified: bool) -> None:
    """Rule 2.

    Raises:
        ForbiddenError: not qualified.
    """
    if not qualified:
        named = role.replace("_", " ")
        raise ForbiddenError(
            "not-qualified",
            "The roles stay as they are.",
            why=f"{account} is not qualified as {named}.",
            next_step=f"Ask a qualified person (holdfast handover propose {state.incident_id} ACCOUNT), "
            f"or an administrator to qualify {account}.",
        )


def _need_commander(state: State, by: str) -> None:
    if state.commander is None:
        raise _vacant(state)
    if state.commander != by:
        raise ForbiddenError(
            "commander-needed",
            "Nothing was changed.",
            why=f"This is for the commander, and that is {state.commander}.",
            next_step=f"Ask {state.commander}, or whether they are there: "
            f"holdfast command challenge {state.incident_id}",
        )


def _need_asked(state: State, waiting: Handover, by: str) -> None:
    if waiting.to != by:
        raise ForbiddenError(
            "handover-not-yours",
            "Command did not move.",
            why=f"{waiting.to} was asked, not {by}.",
            next_step=f"See who commands: holdfast show {state.incident_id}",
        )


def _challenge(state: State) -> Challenge:
    if state.command.challenge is None:
        raise RefusedError(
            "not-challenged",
            "Nothing was changed.",
            why="The commander has not been challenged, or has answered since.",
            next_step=f"Ask first whether they are there: holdfast command challenge {state.incident_id}",
        )
    return state.command.challenge


def _handover(state: State) -> Handover:
    if state.command.handover is None:
        raise RefusedError(
            "handover-not-proposed",
            "Command did not move.",
            why="No handover is waiting: it was never proposed, or was answered or withdrawn.",
            next_step=f"The commander proposes one: holdfast handover propose {state.incident_id} ACCOUNT",
        )
    return state.command.handover


def _vacant(state: State) -> RefusedError:
    return RefusedError(
        "command-vacant",
        "Nothing was changed.",
        why="Nobody commands this incident.",
        next_step=f"A qualified person claims it: holdfast command take {state.incident_id}",
    )
