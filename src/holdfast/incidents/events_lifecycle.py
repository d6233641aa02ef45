"""Event types of the lifecycle, dispositions and access."""

from __future__ import annotations

from holdfast.kernel.events import EventType

_WORDS = {"commitment": "2c" * 32, "sealed": "0198c0de-0000-7000-8000-000000000003"}

LIFECYCLE: tuple[EventType, ...] = (
    EventType(
        name="status.changed",
        sentence="{actor} changed the status from {previous} to {status}: {reason}",
        fields={"status": "new status", "previous": "status before", "reason": "what shows it, sealed"},
        facet="status",
        runbook=("C1", "R2"),
        kind="decision",
        example={"status": "contained", "previous": "investigating", "reason": _WORDS},
    ),
    EventType(
        name="recovery.verified",
        sentence="{actor} verified the recovery: X2 to X4 are proven",
        fields={
            "note": "a word with it, sealed, or null",
            "acting_alone": "whether the commander holds other roles too, so that a countersignature is owed",
        },
        facet="status",
        runbook=("X2", "X3", "X4", "X8"),
        kind="decision",
        example={"note": None, "acting_alone": False},
    ),
    EventType(
        name="incident.closed",
        sentence="{actor} closed the incident as {disposition}",
        fields={
            "disposition": "real, false_positive or duplicate_of",
            "previous": "status before",
            "note": "a word with it, sealed, or null",
            "acting_alone": "whether the commander holds other roles too, so that a countersignature is owed",
        },
        facet="status",
        runbook=("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"),
        kind="decision",
        example={"disposition": "real", "previous": "recovering", "note": None, "acting_alone": False},
    ),
    EventType(
        name="incident.reopened",
        sentence="{actor} reopened the incident: {reason}",
        fields={"reason": "why, sealed"},
        facet="status",
        kind="decision",
        example={"reason": _WORDS},
    ),
)

DISPOSITIONS: tuple[EventType, ...] = (
    EventType(
        name="disposition.proposed",
        sentence="{actor} proposed the disposition {disposition}: {reason}",
        fields={
            "disposition": "false_positive or duplicate_of",
            "reason": "why, sealed",
            "citations": "what refutes or shows it",
            "target": "the other incident, for a duplicate, or null",
        },
        facet="disposition",
        kind="decision",
        example={
            "disposition": "false_positive",
            "reason": _WORDS,
            "citations": [{"evidence": "ev-3", "sha256": "5e" * 32}],
            "target": None,
        },
    ),
    EventType(
        name="disposition.confirmed",
        sentence="{actor} confirmed {proposed_by}'s disposition {disposition}",
        fields={
            "disposition": "what it is now",
            "target": "the other incident, for a duplicate, or null",
            "proposed_by": "who proposed it",
            "proposed": "sequence number of the proposal",
        },
        facet="disposition",
        kind="decision",
        example={"disposition": "false_positive", "target": None, "proposed_by": "asmith", "proposed": 22},
    ),
    EventType(
        name="disposition.refused",
        sentence="{actor} refused the disposition {disposition}: {reason}",
        fields={"disposition": "what had been proposed", "reason": "why, sealed"},
        facet="disposition",
        kind="decision",
        example={"disposition": "false_positive", "reason": _WORDS},
    ),
    EventType(
        name="disposition.restored",
        sentence="{actor} treats the incident as real again: {reason}",
        fields={"disposition": "real", "target": "null", "reason": "why, sealed"},
        facet="disposition",
        kind="decision",
        example={"disposition": "real", "target": None, "reason": _WORDS},
    ),
)

ACCESS: tuple[EventType, ...] = (
    EventType(
        name="sensitivity.restricted",
        sentence="{actor} restricted the incident to named people: {reason}",
        fields={"codename": "neutral name", "reason": "why, sealed"},
        facet="access",
        kind="decision",
        example={"codename": "GREY HERON", "reason": _WORDS},
    ),
    EventType(
        name="sensitivity.unrestricted",
        sentence="{actor} opened the incident to the organisation: {reason}",
        fields={"reason": "why, sealed"},
        facet="access",
        kind="decision",
        example={"reason": _WORDS},
    ),
    EventType(
        name="access.granted",
        sentence="{actor} let {account} see the incident",
        fields={"account": "who may see it", "reason": "why, sealed, or null"},
        kind="decision",
        example={"account": "bjones", "reason": None},
    ),
    EventType(
        name="access.revoked",
        sentence="{actor} ended {account}'s sight of the incident",
        fields={"account": "who may no longer see it", "reason": "why, sealed, or null"},
        kind="decision",
        example={"account": "bjones", "reason": None},
    ),
    EventType(
        name="breakglass.opened",
        sentence="{actor} broke the glass until {expires_at}: {reason}",
        fields={"reason": "why, sealed", "expires_at": "instant it ends"},
        kind="decision",
        example={"reason": _WORDS, "expires_at": "2026-11-23T07:00:00.000Z"},
    ),
    EventType(
        name="breakglass.reviewed",
        sentence="{actor} reviewed {account}'s breaking of the glass: {verdict}: {note}",
        fields={
            "account": "who broke it",
            "opened": "sequence number of the opening",
            "verdict": "justified or unjustified",
            "note": "what was looked at, sealed",
        },
        facet="breakglass:{opened}",
        kind="decision",
        example={"account": "cdiaz", "opened": 33, "verdict": "justified", "note": _WORDS},
    ),
)

CLOCK_MISSED = EventType(
    name="clock.missed",
    sentence="Missed: {name}, due {due_at}",
    fields={"clock": "key of the clock", "name": "what it was for", "due_at": "when it was due"},
    runbook=("S1", "S2", "S3", "X8", "C1"),
    kind="clock",
    example={"clock": "first-fifteen", "name": "First 15 minutes", "due_at": "2026-11-23T03:22:00.000Z"},
)

TYPES: tuple[EventType, ...] = (CLOCK_MISSED, *LIFECYCLE, *DISPOSITIONS, *ACCESS)
