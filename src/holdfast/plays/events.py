"""The event types of plays and their steps."""

from __future__ import annotations

from holdfast.kernel.events import EventType

_STEP_FACET = "step:{play_id}:{step}"
_PLAY_FACET = "play:{play_id}"
_LEAKED_SECRET = ("LS1", "LS2", "LS3", "LS4", "LS5", "LS6")
_CI_TOKEN = ("CT1", "CT2", "CT3", "CT4", "CT5")
_CLOUD_ADMIN = ("CA1", "CA2", "CA3", "CA4", "CA5")
_STEPS = (*_LEAKED_SECRET, *_CI_TOKEN, *_CLOUD_ADMIN)
_DESTROYING = ("LS3", "CT1", "CA1")
_SEALED = {"commitment": "7d793037a0760186574b0282f2f435e77d793037a0760186574b0282f2f435e7", "sealed": "txt-12"}
_EVIDENCE = {"evidence": "ev-5", "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}
_STEP = {"play_id": "id of the run", "step": "id of the step, for example LS3"}

STARTED = EventType(
    name="play.started",
    sentence="{actor} started the play {name} as {play_id}",
    fields={
        "play_id": "id of the run, play-1 and on",
        "play": "key of the play",
        "name": "name of the play",
        "version": "version of the play",
        "definition": "digest of the pinned play document",
        "subject": "sealed words: what this run is about, or null",
    },
    facet=_PLAY_FACET,
    runbook=_STEPS,
    kind="decision",
    example={
        "play_id": "play-1",
        "play": "leaked-secret",
        "name": "Leaked production secret",
        "version": 1,
        "definition": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
        "subject": _SEALED,
    },
)

COMPLETED = EventType(
    name="play.completed",
    sentence="The play {play_id} is complete: {steps_done} steps done, {steps_skipped} skipped",
    fields={
        "play_id": "id of the run",
        "steps_done": "number of steps done",
        "steps_skipped": "number of steps that did not apply",
        "parts_not_done": "number of parts in done steps that are unknown, unreachable or not applicable",
    },
    facet=_PLAY_FACET,
    runbook=_STEPS,
    example={"play_id": "play-1", "steps_done": 6, "steps_skipped": 0, "parts_not_done": 1},
)

ABANDONED = EventType(
    name="play.abandoned",
    sentence="{actor} abandoned the play {play_id}: {reason}",
    fields={"play_id": "id of the run", "reason": "sealed words: why", "steps_open": "ids of the steps left open"},
    facet=_PLAY_FACET,
    runbook=_STEPS,
    kind="decision",
    example={"play_id": "play-2", "reason": _SEALED, "steps_open": ["CA3", "CA4", "CA5"]},
)

ASSIGNED = EventType(
    name="step.assigned",
    sentence="{actor} gave step {step} of {play_id} to {owner}",
    fields={**_STEP, "owner": "account who does it"},
    facet=_STEP_FACET,
    runbook=_STEPS,
    example={"play_id": "play-1", "step": "LS2", "owner": "bea"},
)

PART_SETTLED = EventType(
    name="step.part_settled",
    sentence="{actor} settled {part} of step {step} in {play_id}: {standing}",
    fields={
        **_STEP,
        "part": "key of the part",
        "standing": "open, done, unknown, unreachable or not_applicable",
        "citations": "what proves it; at least one when done",
        "reason": "sealed words; needed when unknown, unreachable or not applicable",
    },
    facet=_STEP_FACET,
    runbook=_STEPS,
    kind="finding",
    example={
        "play_id": "play-1",
        "step": "LS2",
        "part": "chat",
        "standing": "unreachable",
        "citations": [],
        "reason": _SEALED,
    },
)

OUTPUT_RECORDED = EventType(
    name="step.output_recorded",
    sentence="{actor} recorded {output} of step {step} in {play_id}: {value}",
    fields={
        **_STEP,
        "output": "key of the output",
        "kind": "text, instant, account, citation, choice or list",
        "value": "sealed words, RFC 3339 instant, account name, citations, choice key, or an object of these",
        "item": "1-based place in a list output, or null",
    },
    facet=_STEP_FACET,
    runbook=_STEPS,
    example={
        "play_id": "play-1",
        "step": "LS5",
        "output": "restarted",
        "kind": "list",
        "value": {"workload": _SEALED, "proof": [_EVIDENCE]},
        "item": 1,
    },
)

DONE = EventType(
    name="step.done",
    sentence="{actor} finished step {step} of {play_id}",
    fields={
        **_STEP,
        "parts_not_done": "number of parts that are unknown, unreachable or not applicable",
        "ahead_of": "ids of earlier steps still open",
        "uncaptured": "volatile evidence missing under an override, empty for other steps",
        "derived": "whole numbers computed from the outputs, for example window_seconds",
    },
    facet=_STEP_FACET,
    runbook=_STEPS,
    example={
        "play_id": "play-1",
        "step": "LS4",
        "parts_not_done": 0,
        "ahead_of": ["LS2"],
        "uncaptured": [],
        "derived": {"window_seconds": 1834560},
    },
)

REOPENED = EventType(
    name="step.reopened",
    sentence="{actor} reopened step {step} of {play_id}: {reason}",
    fields={**_STEP, "reason": "sealed words: what is in doubt now"},
    facet=_STEP_FACET,
    runbook=_STEPS,
    example={"play_id": "play-1", "step": "LS3", "reason": _SEALED},
)

SKIPPED = EventType(
    name="step.skipped",
    sentence="{actor} skipped step {step} of {play_id} as not applicable: {reason}",
    fields={**_STEP, "reason": "sealed words: why it does not apply"},
    facet=_STEP_FACET,
    runbook=_STEPS,
    kind="decision",
    example={"play_id": "play-1", "step": "LS5", "reason": _SEALED},
)

OVERRIDE_RECORDED = EventType(
    name="step.override_recorded",
    sentence="{actor} accepted the loss of evidence to do step {step} of {play_id}: {reason}",
    fields={
        **_STEP,
        "uncaptured": "keys of the volatile evidence not captured, which this override covers",
        "reason": "sealed words: why it cannot wait",
        "lost": "sealed words: which evidence is lost",
        "accepted_by": "account who accepts the loss",
        "acting_alone": "whether one person holds the roles that should have agreed",
    },
    facet=_STEP_FACET,
    runbook=(*_DESTROYING, "F5"),
    kind="decision",
    example={
        "play_id": "play-1",
        "step": "LS3",
        "uncaptured": ["application_logs"],
        "reason": _SEALED,
        "lost": _SEALED,
        "accepted_by": "amir",
        "acting_alone": False,
    },
)

TYPES: tuple[EventType, ...] = (
    STARTED,
    COMPLETED,
    ABANDONED,
    ASSIGNED,
    PART_SETTLED,
    OUTPUT_RECORDED,
    DONE,
    REOPENED,
    SKIPPED,
    OVERRIDE_RECORDED,
)
