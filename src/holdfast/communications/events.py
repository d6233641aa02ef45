"""The event types of claims, updates and promises."""

from __future__ import annotations

from typing import Any

from holdfast.kernel.events import EventType

_EVIDENCE = {"evidence": "ev-3", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}


def _words(number: int) -> dict[str, str]:
    """A sealed reference for an example."""
    return {"commitment": f"{number:02x}" * 32, "sealed": f"01932d5a-7b00-7c3e-9d2a-5f0e1b2c3d{number:02x}"}


_HASH = _words(2)["commitment"]
_UPDATE_FIELDS = {
    "update_id": "id of the update, update-N",
    "audience": "responders, executives or customers",
    "text": "the sealed text; its commitment is the hash that approvals are bound to",
    "claims": "ids of the claims it rests on",
    "next_update_at": "the instant it promises the next update for, or null for the last one",
}
_UPDATE_EXAMPLE: dict[str, Any] = {
    "update_id": "update-1",
    "audience": "customers",
    "text": _words(2),
    "claims": ["claim-1"],
    "next_update_at": "2026-11-23T04:00:00.000Z",
}

_CLAIMS: tuple[EventType, ...] = (
    EventType(
        name="claim.stated",
        sentence="{actor} stated {claim_id} as a hypothesis ({kind}): {text}",
        fields={
            "claim_id": "id of the claim, claim-N",
            "kind": "impact, cause, scope, actor or other",
            "text": "the sealed claim, one statement",
        },
        facet="claim:{claim_id}",
        runbook=("C1", "C2"),
        kind="finding",
        example={"claim_id": "claim-1", "kind": "impact", "text": _words(1)},
    ),
    EventType(
        name="claim.confirmed",
        sentence="{actor} confirmed {claim_id}: it is now a fact",
        fields={"claim_id": "id of the claim", "citations": "what proves it, at least one"},
        facet="claim:{claim_id}",
        runbook=("C1",),
        kind="finding",
        example={"claim_id": "claim-1", "citations": [_EVIDENCE]},
    ),
    EventType(
        name="claim.disproved",
        sentence="{actor} disproved {claim_id}: {reason}",
        fields={
            "claim_id": "id of the claim",
            "citations": "what refutes it; may be empty when a reason is given",
            "reason": "sealed reason, or null when citations say enough",
        },
        facet="claim:{claim_id}",
        runbook=("C2",),
        kind="finding",
        example={"claim_id": "claim-2", "citations": [{"event": 17}], "reason": _words(3)},
    ),
    EventType(
        name="claim.retracted",
        sentence="{actor} retracted {claim_id}, which had been confirmed: {reason}",
        fields={
            "claim_id": "id of the claim",
            "reason": "sealed reason",
            "citations": "what showed it to be wrong; may be empty",
        },
        facet="claim:{claim_id}",
        runbook=("C1", "C2"),
        kind="finding",
        example={"claim_id": "claim-1", "reason": _words(4), "citations": []},
    ),
    EventType(
        name="correction.owed",
        sentence="{correction_id} is owed to {audience}: they were sent {claim_id}, which is retracted",
        fields={
            "correction_id": "id of the correction, correction-N",
            "claim_id": "the retracted claim",
            "audience": "who was sent it",
            "updates": "ids of the sent updates that rested on it",
        },
        facet="correction:{correction_id}",
        runbook=("C2",),
        kind="communication",
        example={
            "correction_id": "correction-1",
            "claim_id": "claim-1",
            "audience": "customers",
            "updates": ["update-1"],
        },
    ),
    EventType(
        name="correction.settled",
        sentence="{actor} settled {correction_id} with {update_id}",
        fields={"correction_id": "id of the correction", "update_id": "the sent update that corrects it"},
        facet="correction:{correction_id}",
        runbook=("C2",),
        kind="communication",
        example={"correction_id": "correction-1", "update_id": "update-3"},
    ),
    EventType(
        name="matrix.marked",
        sentence="{actor} marked a citation {consistency} with {claim_id}",
        fields={
            "claim_id": "the hypothesis",
            "citation": "one citation",
            "consistency": "consistent, inconsistent or neutral",
            "note": "sealed note, or null",
        },
        runbook=("C2",),
        kind="finding",
        example={"claim_id": "claim-2", "citation": _EVIDENCE, "consistency": "inconsistent", "note": None},
    ),
)

_UPDATES: tuple[EventType, ...] = (
    EventType(
        name="update.drafted",
        sentence="{actor} drafted {update_id} for {audience}",
        fields=_UPDATE_FIELDS,
        facet="update:{update_id}",
        runbook=("C1", "C2"),
        kind="communication",
        example=_UPDATE_EXAMPLE,
    ),
    EventType(
        name="update.revised",
        sentence="{actor} revised {update_id}; earlier approvals no longer count",
        fields={key: text for key, text in _UPDATE_FIELDS.items() if key != "audience"},
        facet="update:{update_id}",
        runbook=("C1", "C2"),
        kind="communication",
        example={key: value for key, value in _UPDATE_EXAMPLE.items() if key != "audience"},
    ),
    EventType(
        name="update.approved",
        sentence="{actor} approved {update_id} exactly as it stands",
        fields={
            "update_id": "id of the update",
            "text_hash": "commitment of the approved text",
            "roles": "incident roles the approver held",
            "acting_alone": "whether one person did what two should: a countersignature is then owed",
        },
        facet="update:{update_id}",
        runbook=("C2",),
        kind="decision",
        example={"update_id": "update-1", "text_hash": _HASH, "roles": ["commander"], "acting_alone": False},
    ),
    EventType(
        name="update.approval_refused",
        sentence="{actor} refused to approve {update_id}: {reason}",
        fields={
            "update_id": "id of the update",
            "text_hash": "commitment of the refused text",
            "reason": "sealed reason",
        },
        facet="update:{update_id}",
        runbook=("C2",),
        kind="decision",
        example={"update_id": "update-1", "text_hash": _HASH, "reason": _words(5)},
    ),
    EventType(
        name="update.sent",
        sentence="{actor} sent {update_id} to {audience} by hand, at {where}",
        fields={
            "update_id": "id of the update",
            "audience": "who it went to",
            "text_hash": "commitment of the text that went out",
            "channel": "manual: a person copied the text out",
            "where": "sealed: where and how it was sent",
            "claims": "ids of the claims the audience has now seen",
            "next_update_at": "the promise it makes, or null for the last update",
        },
        facet="update:{update_id}",
        runbook=("C1", "C2"),
        kind="communication",
        example={
            "update_id": "update-1",
            "audience": "customers",
            "text_hash": _HASH,
            "channel": "manual",
            "where": _words(6),
            "claims": ["claim-1"],
            "next_update_at": "2026-11-23T04:00:00.000Z",
        },
    ),
    EventType(
        name="promise.ended",
        sentence="The promised updates to {audience} ended",
        fields={"audience": "whose promise ended", "update_id": "the update that had made it"},
        runbook=("C1",),
        kind="clock",
        example={"audience": "customers", "update_id": "update-1"},
    ),
    EventType(
        name="name.withheld",
        sentence="{actor} withheld a name from outward text: {name}",
        fields={"name": "the sealed name of a person or system"},
        runbook=("C2",),
        kind="communication",
        example={"name": _words(7)},
    ),
)

TYPES: tuple[EventType, ...] = _CLAIMS + _UPDATES
"""Every event type of this package, version 1."""
