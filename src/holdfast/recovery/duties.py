"""Deciders of escalations and their receipts (R5, X6) and of corrective actions (X7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from holdfast.kernel.citations import Citation, citations_json
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed
from holdfast.recovery.proofs import need_citations
from holdfast.recovery.state import Action, Decision, EscalationKind, Notification, State


@dataclass(frozen=True, slots=True)
class Choice:
    """The business owner's decision on one escalation."""

    decision: Decision
    to: Sealed | None = None
    """Who is to be notified; with yes."""
    due_at: datetime | None = None
    """By when; with yes."""
    reason: Sealed | None = None
    """Mandatory with no."""


def decide_escalation(state: State, kind: EscalationKind, choice: Choice) -> list[NewEvent]:
    """Decide an escalation; each yes adds one notification.

    Raises:
        BadInputError: yes without recipient or time, no without a reason.
        RefusedError: undecided again although somebody has been notified.
    """
    faults = {
        "yes": choice.to is None or choice.due_at is None,
        "no": choice.reason is None,
        "undecided": False,
    }
    if faults[choice.decision]:
        needs = "to whom and by when" if choice.decision == "yes" else "a reason"
        example = "--to NAME --due-at 2026-11-26T03:07:00Z" if choice.decision == "yes" else "--reason TEXT"
        raise BadInputError(
            "escalation-incomplete",
            f"The {kind} escalation is not decided.",
            why=f"A {choice.decision} says {needs}.",
            next_step=f"Say it: holdfast escalation decide INC {kind} {choice.decision} {example}",
        )
    notified = any(one.receipt is not None for one in state.escalations[kind].notifications)
    if choice.decision == "undecided" and notified:
        raise RefusedError(
            "escalation-notified",
            f"The {kind} escalation stays decided.",
            why="Somebody has been notified, and that cannot be undone.",
            next_step=f"Decide yes for a further one, or no with the reason: holdfast escalation decide INC {kind}",
        )
    number = sum(len(one.notifications) for one in state.escalations.values()) + 1
    yes = choice.decision == "yes"
    data = {
        "escalation": kind,
        "decision": choice.decision,
        "notification_id": f"notification-{number}" if yes else None,
        "to": choice.to.as_json() if yes and choice.to is not None else None,
        "due_at": format_instant(choice.due_at) if yes and choice.due_at is not None else None,
        "reason": None if choice.reason is None else choice.reason.as_json(),
    }
    return [NewEvent("escalation.decided", data)]


def receipt(
    state: State,
    notification_id: str,
    words: Sealed,
    citations: Iterable[Citation],
    *,
    given_at: datetime,
    now: datetime,
) -> list[NewEvent]:
    """Record that a notification was received, and whether it was given late.

    Raises:
        NotFoundError: no such notification.
        RefusedError: it has its receipt.
        BadInputError: given in the future.
    """
    kind, found = _notification(state, notification_id)
    if found.receipt is not None:
        raise RefusedError(
            "notification-receipted",
            f"{notification_id} has its receipt.",
            why=f"{found.receipted_by} recorded it.",
            next_step="For a further notification decide yes again: holdfast escalation decide INC "
            f"{kind} yes --to NAME --due-at 2026-11-26T03:07:00Z",
        )
    if given_at > now:
        raise BadInputError(
            "receipt-in-future",
            "The receipt is not recorded.",
            why="The time it was given lies in the future.",
            next_step="Check the date and the zone, for example 2026-11-23T03:07:00Z.",
        )
    data = {
        "notification_id": notification_id,
        "escalation": kind,
        "receipt": words.as_json(),
        "citations": citations_json(citations),
        "late": given_at > found.due_at,
    }
    return [NewEvent("notification.receipted", data, occurred_at=given_at)]


def overdue_notifications(state: State, now: datetime) -> tuple[Notification, ...]:
    """Notifications without a receipt whose time has passed, longest overdue first."""
    owed = [one for escalation in state.escalations.values() for one in escalation.owed if one.due_at < now]
    return tuple(sorted(owed, key=lambda one: one.due_at))


def assign_action(state: State, text: Sealed, owner: str, due: date, *, today: date) -> list[NewEvent]:
    """A corrective action with its owner and date.

    Raises:
        BadInputError: the date has passed.
    """
    if due < today:
        raise BadInputError(
            "action-due-in-past",
            "The action is not assigned.",
            why=f"Its date, {due.isoformat()}, has passed.",
            next_step="Give a date from today on: --due 2026-12-11",
        )
    data = {
        "action_id": f"action-{len(state.actions) + 1}",
        "text": text.as_json(),
        "owner": owner,
        "due": due.isoformat(),
    }
    return [NewEvent("action.assigned", data)]


def do_action(state: State, action_id: str, citations: Iterable[Citation]) -> list[NewEvent]:
    """Record an action as done. Raises as :func:`_open_action`, and ``BadInputError`` without a citation."""
    _open_action(state, action_id)
    cited = need_citations(citations, f"{action_id} is not recorded as done")
    return [NewEvent("action.done", {"action_id": action_id, "citations": cited})]


def drop_action(state: State, action_id: str, reason: Sealed) -> list[NewEvent]:
    """Drop an action with a reason. Raises as :func:`_open_action`."""
    _open_action(state, action_id)
    return [NewEvent("action.dropped", {"action_id": action_id, "reason": reason.as_json()})]


def no_actions(state: State, reason: Sealed) -> list[NewEvent]:
    """Record that no corrective action is needed.

    Raises:
        RefusedError: one is open.
    """
    waiting = [action.id for action in state.actions.values() if action.standing == "open"]
    if waiting:
        raise RefusedError(
            "actions-open",
            "That no action is needed is not recorded.",
            why=f"{', '.join(waiting)} is open.",
            next_step=f"Do or drop it first: holdfast action drop INC {waiting[0]} --reason TEXT",
        )
    return [NewEvent("action.none_needed", {"reason": reason.as_json()})]


def overdue_actions(state: State, today: date) -> tuple[Action, ...]:
    """Open actions whose date has passed, longest overdue first."""
    late = [action for action in state.actions.values() if action.standing == "open" and action.due < today]
    return tuple(sorted(late, key=lambda action: action.due))


def _notification(state: State, notification_id: str) -> tuple[EscalationKind, Notification]:
    for escalation in state.escalations.values():
        for one in escalation.notifications:
            if one.id == notification_id:
                return escalation.kind, one
    raise NotFoundError(
        "notification-not-found",
        f"There is no {notification_id} in this incident.",
        why="A notification comes into being when an escalation is decided with yes.",
        next_step="Decide it: holdfast escalation decide INC customer yes --to NAME --due-at 2026-11-26T03:07:00Z",
    )


def _open_action(state: State, action_id: str) -> Action:
    """The action, if it is open.

    Raises:
        NotFoundError: no such action.
        RefusedError: it is done or dropped.
    """
    action = state.actions.get(action_id)
    if action is None:
        raise NotFoundError(
            "action-not-found",
            f"There is no {action_id} in this incident.",
            why=f"The record holds {len(state.actions)} corrective actions.",
            next_step="Assign it: holdfast action assign INC TEXT --owner ACCOUNT --due 2026-12-11",
        )
    if action.standing != "open":
        raise RefusedError(
            "action-settled",
            f"{action_id} stays as it is.",
            why=f"It is {action.standing}.",
            next_step="Assign a new one: holdfast action assign INC TEXT --owner ACCOUNT --due 2026-12-11",
        )
    return action
