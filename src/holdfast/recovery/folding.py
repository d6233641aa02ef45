"""How each event changes the state of recovery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

from holdfast.kernel.citations import citations_from
from holdfast.kernel.events import Event
from holdfast.kernel.instants import parse_instant
from holdfast.kernel.parts import settled_from
from holdfast.kernel.texts import sealed_from, sealed_or_none
from holdfast.recovery.state import (
    Action,
    Asserted,
    Cause,
    Credential,
    Default,
    GateMark,
    Indicator,
    Notification,
    State,
    Statement,
    Watch,
)

_K = TypeVar("_K")
_V = TypeVar("_V")
_Data = Mapping[str, Any]


def _with(table: Mapping[_K, _V], key: _K, value: _V) -> Mapping[_K, _V]:
    return MappingProxyType({**table, key: value})


def _statement(event: Event, field: str) -> Statement:
    return Statement(
        text=sealed_from(event.data[field]),
        citations=citations_from(event.data.get("citations", ())),
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
    )


def _gate_proven(state: State, event: Event, data: _Data) -> State:
    return replace(state, gates=_with(state.gates, data["gate"], GateMark("proven", _statement(event, "statement"))))


def _gate_waived(state: State, event: Event, data: _Data) -> State:
    mark = GateMark("waived", _statement(event, "reason"), data["acting_alone"])
    return replace(state, gates=_with(state.gates, data["gate"], mark))


def _gate_reopened(state: State, event: Event, data: _Data) -> State:
    del event
    gates = MappingProxyType({gate: mark for gate, mark in state.gates.items() if gate != data["gate"]})
    if data["gate"] == "X2":
        # Whoever doubts that the path is closed wants it verified anew, not only the gate signed again.
        return replace(state, gates=gates, path_verified=None)
    if data["gate"] == "X8":
        # Answers stay; the review runs again until somebody completes it anew.
        review = replace(state.review, completed_by=None, completed_at=None, completed_seq=None, late=False)
        return replace(state, gates=gates, review=review)
    return replace(state, gates=gates)


def _incident_reopened(state: State, event: Event, data: _Data) -> State:
    """What was proven stays on record; that it still holds must be said again, by a name under every gate."""
    del event, data
    review = replace(state.review, completed_by=None, completed_at=None, completed_seq=None, late=False)
    return replace(state, gates=MappingProxyType({}), path_verified=None, review=review)


def _cause_identified(state: State, event: Event, data: _Data) -> State:
    del data
    return replace(state, cause=Cause(known=True, statement=_statement(event, "statement")))


def _cause_unknown(state: State, event: Event, data: _Data) -> State:
    del data
    return replace(state, cause=Cause(known=False, statement=_statement(event, "rationale")))


def _path_closed(state: State, event: Event, data: _Data) -> State:
    del data
    # Closing it again means that it was open: an earlier verification says nothing about the new closure.
    return replace(state, path_closed=_statement(event, "statement"), path_verified=None)


def _path_verified(state: State, event: Event, data: _Data) -> State:
    del data
    return replace(state, path_verified=_statement(event, "statement"))


def _credential_listed(state: State, event: Event, data: _Data) -> State:
    credential = Credential(data["credential_id"], sealed_from(data["name"]), event.actor.id, event.seq)
    return replace(state, credentials=_with(state.credentials, credential.id, credential), no_credentials=None)


def _credential_settled(state: State, event: Event, data: _Data) -> State:
    credential = replace(
        state.credentials[data["credential_id"]],
        outcome=data["outcome"],
        citations=citations_from(data["citations"]),
        reason=sealed_or_none(data["reason"]),
        settled_by=event.actor.id,
        settled_at=event.recorded_at,
        settled_seq=event.seq,
    )
    return replace(state, credentials=_with(state.credentials, credential.id, credential))


def _no_credentials(state: State, event: Event, data: _Data) -> State:
    del data
    return replace(state, no_credentials=_statement(event, "reason"))


def _revalidated(state: State, event: Event, data: _Data) -> State:
    return replace(state, revalidated=_with(state.revalidated, data["part"], settled_from(event)))


def _indicator(state: State, event: Event, data: _Data) -> State:
    indicator = Indicator(
        id=data["indicator_id"],
        indicator=sealed_from(data["indicator"]),
        where=sealed_from(data["where"]),
        citations=citations_from(data["citations"]),
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, indicators=(*state.indicators, indicator))


def _escalation(state: State, event: Event, data: _Data) -> State:
    before = state.escalations[data["escalation"]]
    notifications = before.notifications
    if data["decision"] == "yes":
        added = Notification(
            id=data["notification_id"],
            to=sealed_from(data["to"]),
            due_at=parse_instant(data["due_at"]),
            decided_by=event.actor.id,
            decided_at=event.recorded_at,
            seq=event.seq,
        )
        notifications = (*notifications, added)
    after = replace(
        before,
        decision=data["decision"],
        reason=sealed_or_none(data["reason"]),
        decided_by=event.actor.id,
        decided_at=event.recorded_at,
        seq=event.seq,
        notifications=notifications,
    )
    return replace(state, escalations=_with(state.escalations, after.kind, after))


def _receipted(state: State, event: Event, data: _Data) -> State:
    before = state.escalations[data["escalation"]]
    notifications = tuple(
        replace(
            one,
            receipt=sealed_from(data["receipt"]),
            receipt_citations=citations_from(data["citations"]),
            receipted_by=event.actor.id,
            receipted_at=event.recorded_at,
            given_at=event.occurred_at,
            receipt_seq=event.seq,
            late=data["late"],
        )
        if one.id == data["notification_id"]
        else one
        for one in before.notifications
    )
    after = replace(before, notifications=notifications)
    return replace(state, escalations=_with(state.escalations, after.kind, after))


def _action_assigned(state: State, event: Event, data: _Data) -> State:
    action = Action(
        id=data["action_id"],
        text=sealed_from(data["text"]),
        owner=data["owner"],
        due=date.fromisoformat(data["due"]),
        assigned_by=event.actor.id,
        assigned_at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, actions=_with(state.actions, action.id, action), no_actions=None)


def _action_settled(state: State, event: Event, data: _Data) -> State:
    action = replace(
        state.actions[data["action_id"]],
        standing="done" if event.type == "action.done" else "dropped",
        citations=citations_from(data.get("citations", ())),
        reason=sealed_or_none(data.get("reason")),
        settled_by=event.actor.id,
        settled_at=event.recorded_at,
    )
    return replace(state, actions=_with(state.actions, action.id, action))


def _no_actions(state: State, event: Event, data: _Data) -> State:
    del data
    return replace(state, no_actions=_statement(event, "reason"))


def _review_started(state: State, event: Event, data: _Data) -> State:
    del data
    return replace(state, review=replace(state.review, started_by=event.actor.id, started_at=event.recorded_at))


def _review_answered(state: State, event: Event, data: _Data) -> State:
    answers = _with(state.review.answers, data["prompt"], _statement(event, "text"))
    return replace(state, review=replace(state.review, answers=answers))


def _review_completed(state: State, event: Event, data: _Data) -> State:
    review = replace(
        state.review,
        completed_by=event.actor.id,
        completed_at=event.recorded_at,
        completed_seq=event.seq,
        due_at=None if data["due_at"] is None else parse_instant(data["due_at"]),
        late=data["late"],
    )
    return replace(state, review=review)


def _default_proposed(state: State, event: Event, data: _Data) -> State:
    proposed = Default(
        id=data["default_id"],
        text=sealed_from(data["text"]),
        owner=data["owner"],
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
    )
    return replace(state, defaults=_with(state.defaults, proposed.id, proposed))


def _default_adopted(state: State, event: Event, data: _Data) -> State:
    adopted = replace(
        state.defaults[data["default_id"]],
        adopted_at=event.recorded_at,
        adopted_by=event.actor.id,
        citations=citations_from(data["citations"]),
    )
    return replace(state, defaults=_with(state.defaults, adopted.id, adopted))


def _watch_started(state: State, event: Event, data: _Data) -> State:
    watch = Watch(parse_instant(data["until"]), sealed_from(data["what"]), event.actor.id, event.recorded_at)
    return replace(state, watch=watch)


def _watch_ended(state: State, event: Event, data: _Data) -> State:
    if state.watch is None:
        return state
    return replace(state, watch=replace(state.watch, ended_at=event.recorded_at, outcome=sealed_from(data["outcome"])))


def _asserted(state: State, event: Event, data: _Data) -> State:
    asserted = Asserted(
        at=parse_instant(data["at"]),
        how=data["how"],
        by=event.actor.id,
        citations=citations_from(data["citations"]),
        reason=sealed_or_none(data["reason"]),
        seq=event.seq,
    )
    return replace(state, asserted=_with(state.asserted, data["moment"], asserted))


_FOLDS: Mapping[str, Callable[[State, Event, _Data], State]] = {
    "gate.proven": _gate_proven,
    "gate.waived": _gate_waived,
    "gate.reopened": _gate_reopened,
    "incident.reopened": _incident_reopened,
    "cause.identified": _cause_identified,
    "cause.unknown": _cause_unknown,
    "path.closed": _path_closed,
    "path.verified": _path_verified,
    "credential.listed": _credential_listed,
    "credential.settled": _credential_settled,
    "credential.none_affected": _no_credentials,
    "revalidation.part_settled": _revalidated,
    "indicator.monitored": _indicator,
    "escalation.decided": _escalation,
    "notification.receipted": _receipted,
    "action.assigned": _action_assigned,
    "action.done": _action_settled,
    "action.dropped": _action_settled,
    "action.none_needed": _no_actions,
    "review.started": _review_started,
    "review.answered": _review_answered,
    "review.completed": _review_completed,
    "default.proposed": _default_proposed,
    "default.adopted": _default_adopted,
    "watch.started": _watch_started,
    "watch.ended": _watch_ended,
    "moment.asserted": _asserted,
}


def apply(state: State, event: Event) -> State:
    """The state after one more event; types of other packages and unknown types leave it unchanged."""
    fold = _FOLDS.get(event.type)
    return state if fold is None else fold(state, event, event.data)
