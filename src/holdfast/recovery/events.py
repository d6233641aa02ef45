"""The event types of gates, escalations, corrective actions and the review."""

from __future__ import annotations

from holdfast.kernel.events import EventType
from holdfast.recovery.review_events import REVIEW_TYPES

_EVIDENCE = {"evidence": "ev-3", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}


def _words(number: int) -> dict[str, str]:
    """A sealed reference for an example."""
    return {"commitment": f"{number:02x}" * 32, "sealed": f"01932d5a-7b00-7c3e-9d2a-5f0e1b2c3d{number:02x}"}


_GATES: tuple[EventType, ...] = (
    EventType(
        name="gate.proven",
        sentence="{actor} proved gate {gate}: {statement}",
        fields={"gate": "X1 to X8", "statement": "sealed: what shows it", "citations": "at least one"},
        facet="closure:{gate}",
        runbook=("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"),
        kind="decision",
        example={"gate": "X2", "statement": _words(1), "citations": [_EVIDENCE]},
    ),
    EventType(
        name="gate.waived",
        sentence="{actor} waived gate {gate}: {reason}",
        fields={
            "gate": "X1 to X8",
            "reason": "sealed reason",
            "acting_alone": "whether the business owner also holds the role the gate checks",
        },
        facet="closure:{gate}",
        runbook=("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"),
        kind="decision",
        example={"gate": "X5", "reason": _words(2), "acting_alone": False},
    ),
    EventType(
        name="gate.reopened",
        sentence="{actor} reopened gate {gate}: {reason}",
        fields={"gate": "X1 to X8", "reason": "sealed reason"},
        facet="closure:{gate}",
        runbook=("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"),
        kind="decision",
        example={"gate": "X2", "reason": _words(3)},
    ),
)

_FACTS: tuple[EventType, ...] = (
    EventType(
        name="cause.identified",
        sentence="{actor} identified the root cause: {statement}",
        fields={"statement": "sealed root cause", "citations": "what shows it, at least one"},
        facet="closure:X1",
        runbook=("X1",),
        kind="finding",
        example={"statement": _words(4), "citations": [_EVIDENCE]},
    ),
    EventType(
        name="cause.unknown",
        sentence="{actor} recorded the root cause as unknown: {rationale}",
        fields={"rationale": "sealed: why it cannot be known", "citations": "what was examined; may be empty"},
        facet="closure:X1",
        runbook=("X1",),
        kind="finding",
        example={"rationale": _words(5), "citations": []},
    ),
    EventType(
        name="path.closed",
        sentence="{actor} closed the attack path: {statement}",
        fields={"statement": "sealed: what was closed and how", "citations": "what shows it, at least one"},
        facet="closure:X2",
        runbook=("X2",),
        example={"statement": _words(6), "citations": [{"event": 41}]},
    ),
    EventType(
        name="path.verified",
        sentence="{actor} verified that the attack path is closed: {statement}",
        fields={"statement": "sealed: how it was tried, and refused", "citations": "the proof, at least one"},
        facet="closure:X2",
        runbook=("X2",),
        kind="finding",
        example={"statement": _words(7), "citations": [_EVIDENCE]},
    ),
    EventType(
        name="credential.listed",
        sentence="{actor} listed {credential_id} as affected: {name}",
        fields={"credential_id": "id, credential-N", "name": "sealed name, never the secret itself"},
        facet="closure:X3",
        runbook=("X3",),
        example={"credential_id": "credential-1", "name": _words(8)},
    ),
    EventType(
        name="credential.settled",
        sentence="{actor} settled {credential_id} as {outcome}",
        fields={
            "credential_id": "id of the credential",
            "outcome": "rotated, revoked or not_needed",
            "citations": "the proof; mandatory for rotated and revoked",
            "reason": "sealed reason; mandatory for not_needed, else may be null",
        },
        facet="closure:X3",
        runbook=("X3",),
        example={
            "credential_id": "credential-1",
            "outcome": "rotated",
            "citations": [_EVIDENCE],
            "reason": None,
        },
    ),
    EventType(
        name="credential.none_affected",
        sentence="{actor} recorded that no credential was affected: {reason}",
        fields={"reason": "sealed reason", "citations": "what was examined, at least one"},
        facet="closure:X3",
        runbook=("X3",),
        kind="finding",
        example={"reason": _words(9), "citations": [_EVIDENCE]},
    ),
    EventType(
        name="revalidation.part_settled",
        sentence="{actor} settled the revalidation of {part} as {standing}",
        fields={
            "part": "artifacts, images or deployments",
            "standing": "done, unknown, unreachable or not_applicable",
            "citations": "the proof; mandatory for done",
            "reason": "sealed reason; mandatory unless done",
        },
        facet="closure:X4",
        runbook=("X4",),
        example={"part": "images", "standing": "done", "citations": [_EVIDENCE], "reason": None},
    ),
    EventType(
        name="indicator.monitored",
        sentence="{actor} added monitoring for {indicator}, in {where}",
        fields={
            "indicator_id": "id, indicator-N",
            "indicator": "sealed: what would show a recurrence",
            "where": "sealed: which system watches for it and who is told",
            "citations": "the rule or alert, at least one",
        },
        facet="closure:X5",
        runbook=("X5",),
        example={
            "indicator_id": "indicator-1",
            "indicator": _words(10),
            "where": _words(11),
            "citations": [_EVIDENCE],
        },
    ),
)

_DUTIES: tuple[EventType, ...] = (
    EventType(
        name="escalation.decided",
        sentence="{actor} decided the {escalation} escalation: {decision}",
        fields={
            "escalation": "customer, legal, regulatory or contractual",
            "decision": "undecided, yes or no",
            "notification_id": "id of the notification a yes creates, notification-N, else null",
            "to": "sealed: who is to be notified (yes), else null",
            "due_at": "by when (yes), else null",
            "reason": "sealed reason; mandatory for no",
        },
        facet="escalation:{escalation}",
        runbook=("R5", "X6"),
        kind="decision",
        example={
            "escalation": "regulatory",
            "decision": "yes",
            "notification_id": "notification-1",
            "to": _words(12),
            "due_at": "2026-11-26T03:07:00.000Z",
            "reason": None,
        },
    ),
    EventType(
        name="notification.receipted",
        sentence="{actor} recorded the receipt of {notification_id} ({escalation})",
        fields={
            "notification_id": "id of the notification",
            "escalation": "the escalation it belongs to",
            "receipt": "sealed: reference number, address, who took it",
            "citations": "the receipt as evidence; may be empty",
            "late": "whether it was given after its due time",
        },
        facet="escalation:{escalation}",
        runbook=("R5", "X6"),
        kind="communication",
        example={
            "notification_id": "notification-1",
            "escalation": "regulatory",
            "receipt": _words(13),
            "citations": [_EVIDENCE],
            "late": False,
        },
    ),
    EventType(
        name="action.assigned",
        sentence="{actor} assigned {action_id} to {owner}, due {due}: {text}",
        fields={
            "action_id": "id, action-N",
            "text": "sealed: what is to be done",
            "owner": "account name",
            "due": "date, YYYY-MM-DD",
        },
        facet="action:{action_id}",
        runbook=("X7",),
        example={"action_id": "action-1", "text": _words(14), "owner": "ben", "due": "2026-12-11"},
    ),
    EventType(
        name="action.done",
        sentence="{actor} recorded {action_id} as done",
        fields={"action_id": "id of the action", "citations": "what shows it, at least one"},
        facet="action:{action_id}",
        runbook=("X7",),
        example={"action_id": "action-1", "citations": [{"event": 57}]},
    ),
    EventType(
        name="action.dropped",
        sentence="{actor} dropped {action_id}: {reason}",
        fields={"action_id": "id of the action", "reason": "sealed reason"},
        facet="action:{action_id}",
        runbook=("X7",),
        kind="decision",
        example={"action_id": "action-2", "reason": _words(15)},
    ),
    EventType(
        name="action.none_needed",
        sentence="{actor} recorded that no corrective action is needed: {reason}",
        fields={"reason": "sealed reason"},
        facet="closure:X7",
        runbook=("X7",),
        kind="decision",
        example={"reason": _words(16)},
    ),
)

TYPES: tuple[EventType, ...] = _GATES + _FACTS + _DUTIES + REVIEW_TYPES
"""Every event type of this package, version 1."""
