"""The event types of the post-incident review, platform defaults, the watch period and asserted moments."""

from __future__ import annotations

from holdfast.kernel.events import EventType


def _words(number: int) -> dict[str, str]:
    """A sealed reference for an example."""
    return {"commitment": f"{number:02x}" * 32, "sealed": f"01932d5a-7b00-7c3e-9d2a-5f0e1b2c3e{number:02x}"}


REVIEW_TYPES: tuple[EventType, ...] = (
    EventType(
        name="review.started",
        sentence="{actor} started the post-incident review",
        fields={"due_at": "when it is due, or null where none is required or nothing has set the clock"},
        facet="review",
        runbook=("X8",),
        example={"due_at": "2026-12-02T16:30:00.000Z"},
    ),
    EventType(
        name="review.answered",
        sentence="{actor} answered review prompt {prompt}: {text}",
        fields={"prompt": "V1 to V6", "text": "sealed answer", "citations": "what it rests on; may be empty"},
        facet="review:{prompt}",
        runbook=("V1", "V2", "V3", "V4", "V5", "V6"),
        kind="finding",
        example={"prompt": "V1", "text": _words(1), "citations": [{"event": 2}]},
    ),
    EventType(
        name="review.completed",
        sentence="{actor} completed the post-incident review",
        fields={"due_at": "when it was due, or null", "late": "whether it was completed after that"},
        facet="review",
        runbook=("X8",),
        kind="decision",
        example={"due_at": "2026-12-02T16:30:00.000Z", "late": False},
    ),
    EventType(
        name="default.proposed",
        sentence="{actor} proposed {default_id} for the platform's defaults, owner {owner}: {text}",
        fields={
            "default_id": "id, default-N",
            "text": "sealed: the prevention or detection improvement",
            "owner": "account name",
        },
        facet="default:{default_id}",
        runbook=("V6",),
        example={"default_id": "default-1", "text": _words(2), "owner": "ben"},
    ),
    EventType(
        name="default.adopted",
        sentence="{actor} recorded {default_id} as adopted into the platform's defaults",
        fields={"default_id": "id of the proposal", "citations": "the change, at least one"},
        facet="default:{default_id}",
        runbook=("V6",),
        kind="decision",
        example={"default_id": "default-1", "citations": [{"event": 61}]},
    ),
    EventType(
        name="watch.started",
        sentence="{actor} started a watch period until {until}: {what}",
        fields={"until": "instant it ends", "what": "sealed: what is watched for"},
        facet="watch",
        runbook=("X5",),
        kind="clock",
        example={"until": "2026-12-07T09:00:00.000Z", "what": _words(3)},
    ),
    EventType(
        name="watch.ended",
        sentence="{actor} ended the watch period: {outcome}",
        fields={"outcome": "sealed: what was seen", "early": "whether it ended before its time"},
        facet="watch",
        runbook=("X5",),
        kind="clock",
        example={"outcome": _words(4), "early": False},
    ),
    EventType(
        name="moment.asserted",
        sentence="{actor} asserted the time of {moment}: {at}",
        fields={
            "moment": "first_malicious_act, first_signal or contained",
            "at": "the instant",
            "how": "observed, estimated or evidenced",
            "citations": "what shows it; mandatory for evidenced",
            "reason": "sealed: how it is known, or null",
        },
        facet="moment:{moment}",
        runbook=("V1",),
        kind="finding",
        example={
            "moment": "first_malicious_act",
            "at": "2026-11-23T02:51:00.000Z",
            "how": "estimated",
            "citations": [],
            "reason": _words(5),
        },
    ),
)
