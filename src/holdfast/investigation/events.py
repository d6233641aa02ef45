"""The event types of the seven questions."""

from __future__ import annotations

from holdfast.kernel.events import EventType

_FACET = "question:{question}"
_ITEMS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7")
_SEALED = {"commitment": "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592", "sealed": "txt-7"}
_EVIDENCE = {"evidence": "ev-3", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}

PART_SETTLED = EventType(
    name="question.part_settled",
    sentence="{actor} settled {part} of question {question}: {standing}",
    fields={
        "question": "id of the question, I1 to I7",
        "part": "key of the part",
        "standing": "open, done, unknown, unreachable or not_applicable",
        "citations": "what proves it; at least one when done",
        "reason": "sealed words; needed when unknown, unreachable or not applicable",
    },
    facet=_FACET,
    runbook=_ITEMS,
    kind="finding",
    example={
        "question": "I1",
        "part": "access_grants",
        "standing": "done",
        "citations": [_EVIDENCE, {"event": 17}],
        "reason": None,
    },
)

ANSWERED = EventType(
    name="question.answered",
    sentence="{actor} recorded question {question} as {standing}: {answer}",
    fields={
        "question": "id of the question, I1 to I7",
        "standing": "answered or unknown",
        "answer": "sealed sentence: the answer, or why it cannot be told",
        "citations": "what proves it; at least one when answered",
        "as_of": "instant up to which the answer holds",
        "parts_not_done": "number of parts that are open, unknown, unreachable or not applicable",
    },
    facet=_FACET,
    runbook=_ITEMS,
    kind="finding",
    example={
        "question": "I4",
        "standing": "answered",
        "answer": _SEALED,
        "citations": [_EVIDENCE],
        "as_of": "2026-11-23T03:14:00.000Z",
        "parts_not_done": 1,
    },
)

REOPENED = EventType(
    name="question.reopened",
    sentence="{actor} reopened question {question}: {reason}",
    fields={"question": "id of the question, I1 to I7", "reason": "sealed words: what is in doubt now"},
    facet=_FACET,
    runbook=_ITEMS,
    kind="action",
    example={"question": "I7", "reason": _SEALED},
)

ASSIGNED = EventType(
    name="question.assigned",
    sentence="{actor} gave question {question} to {owner}",
    fields={"question": "id of the question, I1 to I7", "owner": "account who looks into it"},
    facet=_FACET,
    runbook=_ITEMS,
    kind="action",
    example={"question": "I2", "owner": "bea"},
)

TYPES: tuple[EventType, ...] = (PART_SETTLED, ANSWERED, REOPENED, ASSIGNED)
