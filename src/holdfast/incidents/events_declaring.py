"""Event types of declaring (F2, F3) and of severity (S1 to S4)."""

from __future__ import annotations

from holdfast.kernel.events import EventType

_WORDS = {"commitment": "0c" * 32, "sealed": "0198c0de-0000-7000-8000-000000000001"}
_TABLE = "9f" * 32

DECLARED = EventType(
    name="incident.declared",
    sentence="{actor} declared the incident",
    fields={
        "kind": "real or exercise",
        "sensitivity": "open or restricted",
        "codename": "neutral name of a restricted incident, or null",
        "name": "short name, sealed",
        "detected_at": "instant it was noticed, or null",
        "detected_basis": "how that instant is known",
        "started_at": "instant it is thought to have begun, or null",
        "started_basis": "how that instant is known",
        "play": "key of the guided play chosen, or null",
        "calendar": "name of the response calendar",
        "pins": "digests of severity table, calendar, runbook and plays",
        "report": "the five parts of the first report, each sealed, or null for unknown",
    },
    facet="status",
    runbook=("F1", "F2"),
    kind="decision",
    example={
        "kind": "real",
        "sensitivity": "open",
        "codename": None,
        "name": _WORDS,
        "detected_at": "2026-11-23T03:05:00.000Z",
        "detected_basis": "observed",
        "started_at": None,
        "started_basis": "estimated",
        "play": "leaked-secret",
        "calendar": "default",
        "pins": {"calendar": "ab" * 32, "plays": {"leaked-secret": "cd" * 32}, "runbook": "ef" * 32}
        | {"severity_table": _TABLE},
        "report": {
            "reported_by": _WORDS,
            "reported_when": _WORDS,
            "affected_systems": _WORDS,
            "suspected_impact": None,
            "evidence_in_hand": None,
        },
    },
)

REPORT_ADDED = EventType(
    name="report.added",
    sentence="{actor} added to the first report ({part}): {text}",
    fields={"part": "which of the five parts", "text": "the words, sealed"},
    runbook=("F2",),
    kind="finding",
    example={"part": "suspected_impact", "text": _WORDS},
)

TIME_STATED = EventType(
    name="time.stated",
    sentence="{actor} stated that the incident {moment} at {at} ({basis}): {reason}",
    fields={
        "moment": "detected or started",
        "at": "the instant",
        "basis": "observed, estimated or evidenced",
        "reason": "what it rests on, sealed",
    },
    facet="time:{moment}",
    runbook=("C1", "F2"),
    kind="finding",
    example={"moment": "started", "at": "2026-11-23T02:51:00.000Z", "basis": "evidenced", "reason": _WORDS},
)

IMPACT_STATED = EventType(
    name="impact.stated",
    sentence="{actor} stated the impact on {impact}: {answer}",
    fields={
        "impact": "customer_data, production_availability or privileged_access",
        "answer": "no, unknown, suspected or confirmed",
        "reason": "why, sealed, or null",
    },
    facet="impact:{impact}",
    runbook=("F3",),
    kind="finding",
    example={"impact": "customer_data", "answer": "suspected", "reason": _WORDS},
)

ANSWERED = EventType(
    name="severity.answered",
    sentence="{actor} answered the severity questions; the table says {level} by rule {rule}",
    fields={
        "table": "digest of the decision table",
        "table_version": "its version",
        "answers": "question to no, unknown, suspected or confirmed",
        "context": "circumstances the escalators read",
        "level": "level the table gives",
        "rule": "rule that fired",
        "matches": "every rule that applied",
        "reason": "the table's own sentence for it",
        "provisional": "whether a decisive question is unknown",
        "open_questions": "decisive questions still unknown",
        "open_questions_due_at": "instant by which they are to be answered, or null",
    },
    facet="severity",
    runbook=("F3", "S1", "S2", "S3", "S4"),
    kind="finding",
    example={
        "table": _TABLE,
        "table_version": 1,
        "answers": {"production_secret": "confirmed"},
        "context": {"contained": False},
        "level": "SEV-2",
        "rule": "production_secret",
        "matches": ["production_secret"],
        "reason": "SEV-2 provisional: a production secret left its trust boundary",
        "provisional": True,
        "open_questions": ["data_left"],
        "open_questions_due_at": "2026-11-23T03:22:00.000Z",
    },
)

SET = EventType(
    name="severity.set",
    sentence="The severity is {level}, by rule {rule} of the decision table",
    fields={"level": "first declared level", "rule": "rule of the first assessment"},
    facet="severity",
    runbook=("F3", "S1", "S2", "S3", "S4"),
    kind="decision",
    example={"level": "SEV-2", "rule": "production_secret"},
)

RAISED = EventType(
    name="severity.raised",
    sentence="{actor} raised the severity from {previous} to {level}: {reason}",
    fields={"level": "new level", "previous": "level before", "reason": "why, sealed"},
    facet="severity",
    runbook=("S1", "S2", "S3"),
    kind="decision",
    example={"level": "SEV-1", "previous": "SEV-2", "reason": _WORDS},
)

LOWER_PROPOSED = EventType(
    name="severity.lower_proposed",
    sentence="{actor} proposed to lower the severity from {previous} to {level}: {reason}",
    fields={"level": "proposed level", "previous": "declared level", "reason": "why, sealed"},
    facet="severity",
    runbook=("S2", "S3", "S4"),
    kind="decision",
    example={"level": "SEV-3", "previous": "SEV-2", "reason": _WORDS},
)

LOWER_REFUSED = EventType(
    name="severity.lower_refused",
    sentence="{actor} refused to lower the severity to {level}: {reason}",
    fields={"level": "level that had been proposed", "reason": "why, sealed"},
    facet="severity",
    runbook=("S2", "S3", "S4"),
    kind="decision",
    example={"level": "SEV-3", "reason": _WORDS},
)

LOWERED = EventType(
    name="severity.lowered",
    sentence="{actor} confirmed {proposed_by}'s proposal: the severity falls from {previous} to {level}: {reason}",
    fields={
        "level": "new level",
        "previous": "level before",
        "reason": "the commander's reason, sealed",
        "proposed_by": "commander who proposed it",
        "proposed": "sequence number of the proposal",
    },
    facet="severity",
    runbook=("S2", "S3", "S4"),
    kind="decision",
    example={"level": "SEV-3", "previous": "SEV-2", "reason": _WORDS, "proposed_by": "asmith", "proposed": 31},
)

TYPES: tuple[EventType, ...] = (
    DECLARED,
    REPORT_ADDED,
    TIME_STATED,
    IMPACT_STATED,
    ANSWERED,
    SET,
    RAISED,
    LOWER_PROPOSED,
    LOWER_REFUSED,
    LOWERED,
)
