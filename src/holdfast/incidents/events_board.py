"""Event types of the first fifteen minutes: board, channel, timeline entries, decisions, freeze, tasks.

Messages and pins carry no facet: two people talking at once are never in conflict. Neither does the use of
a pass or an expiry warning, so that a pipeline never makes a commander's order fail.
"""

from __future__ import annotations

from holdfast.kernel.events import EventType

_WORDS = {
    "commitment": "5f2b8c1e9a7d4036f1c2e8b7a6d5c4f3029183746556473829100f1e2d3c4b5a",
    "sealed": "0198c2f4-6e1a-7c3d-9b52-4f60a1d7e835",
}
_OTHER_WORDS = {
    "commitment": "a1d0c3b2e5f4978601234567fedcba9876543210aabbccddeeff001122334455",
    "sealed": "0198c2f4-70b3-7e18-8c4d-2a91f6e05b7c",
}
_LOG = {
    "evidence": "ev-3",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_LINE = "line of the board, F1 to F6"
_SEQ = "sequence number of the event meant"
_FREEZE = "freeze-N, numbered within the incident"
_PASS = "pass-N, numbered within the incident"  # noqa: S105  # a description, not a credential
_TASK = "task-N, numbered within the incident"
_DECISION = "decision-N, numbered within the incident"
_CITES = "what proves it: evidence items and entries of the record"
_REVIEW = "when it is looked at again (RFC 3339), or null"

_BOARD = (
    EventType(
        name="board.claimed",
        sentence="{actor} took {line} of the board",
        fields={"line": _LINE, "owner": "account that took it"},
        facet="board:{line}",
        example={"line": "F5", "owner": "ana.reyes"},
    ),
    EventType(
        name="board.assigned",
        sentence="{actor} gave {line} of the board to {owner}",
        fields={"line": _LINE, "owner": "account that now owns it"},
        facet="board:{line}",
        example={"line": "F5", "owner": "li.wei"},
    ),
    EventType(
        name="board.acknowledged",
        sentence="{actor} acknowledged owning {line} of the board",
        fields={"line": _LINE},
        facet="board:{line}",
        example={"line": "F5"},
    ),
    EventType(
        name="board.part_settled",
        sentence="{actor} settled {part} of {line} as {standing}",
        fields={
            "line": "line of the board, F2 or F5",
            "part": "key of the part in the board's data",
            "standing": "open (again), done, unknown, unreachable or not_applicable",
            "citations": _CITES,
            "reason": "why it is not done (sealed), or null",
        },
        facet="board:{line}.{part}",
        runbook=("F2", "F5"),
        kind="evidence",
        example={"line": "F5", "part": "ci_logs", "standing": "done", "citations": [_LOG], "reason": None},
    ),
)

_CHANNEL = (
    EventType(
        name="message.posted",
        sentence="{actor}: {text}",
        fields={
            "text": "the message (sealed)",
            "mentions": "accounts mentioned, sorted",
            "reply_to": f"{_SEQ}, or null",
        },
        runbook=("F1",),
        kind="message",
        example={"text": _WORDS, "mentions": ["li.wei"], "reply_to": None},
    ),
    EventType(
        name="message.pinned",
        sentence="{actor} pinned message #{entry}",
        fields={"entry": _SEQ},
        runbook=("F1",),
        kind="message",
        example={"entry": 17},
    ),
    EventType(
        name="message.unpinned",
        sentence="{actor} unpinned message #{entry}",
        fields={"entry": _SEQ},
        kind="message",
        example={"entry": 17},
    ),
    EventType(
        name="entry.added",
        sentence="{actor} noted: {text}",
        fields={
            "text": "what happened (sealed)",
            "source": "where that is known from (sealed), or null",
            "citations": _CITES,
        },
        runbook=("R1", "I6"),
        kind="finding",
        example={"text": _WORDS, "source": _OTHER_WORDS, "citations": [_LOG]},
    ),
    EventType(
        name="entry.superseded",
        sentence="{actor} corrected #{entry}: {text}",
        fields={
            "entry": "sequence number of the entry that is corrected; it stays as it was",
            "text": "what is right (sealed)",
            "source": "where that is known from (sealed), or null",
            "citations": _CITES,
            "reason": "why the earlier entry was wrong (sealed)",
        },
        facet="entry:{entry}",
        runbook=("R1",),
        kind="finding",
        example={"entry": 21, "text": _WORDS, "source": None, "citations": [], "reason": _OTHER_WORDS},
    ),
    EventType(
        name="entry.pinned",
        sentence="{actor} pinned #{entry}",
        fields={"entry": _SEQ},
        runbook=("R1",),
        example={"entry": 21},
    ),
    EventType(
        name="entry.unpinned",
        sentence="{actor} unpinned #{entry}",
        fields={"entry": _SEQ},
        example={"entry": 21},
    ),
)

_DECISIONS = (
    EventType(
        name="decision.recorded",
        sentence="{actor} decided ({decision_id}): {text}",
        fields={
            "decision_id": _DECISION,
            "text": "the decision (sealed)",
            "rejected": "options turned down, and why (sealed), or null",
            "known": "what was known at the time (sealed), or null",
            "reversible": "whether it can be taken back",
            "review_at": _REVIEW,
            "message": "sequence number of the message it was taken in, or null",
            "citations": _CITES,
        },
        runbook=("R1",),
        kind="decision",
        example={
            "decision_id": "decision-1",
            "text": _WORDS,
            "rejected": _OTHER_WORDS,
            "known": None,
            "reversible": True,
            "review_at": "2026-11-23T05:00:00.000Z",
            "message": 17,
            "citations": [],
        },
    ),
    EventType(
        name="decision.reviewed",
        sentence="{actor} reviewed {decision_id}, {outcome}: {note}",
        fields={
            "decision_id": _DECISION,
            "outcome": "upheld or changed",
            "note": "what the review found (sealed)",
        },
        facet="decision:{decision_id}",
        runbook=("R1",),
        kind="decision",
        example={"decision_id": "decision-1", "outcome": "upheld", "note": _WORDS},
    ),
    EventType(
        name="containment.decided",
        sentence="{actor} decided a containment action, owner {owner} ({decision_id}): {action} "
        "(evidence lost: {destroys}, accepted by {accepts_loss}; undo: {undo})",
        fields={
            "decision_id": _DECISION,
            "owner": "account that carries it out",
            "action": "the action (sealed)",
            "destroys": "what evidence it destroys (sealed); null says it destroys none",
            "accepts_loss": "account that accepts losing that evidence, or null when none is lost",
            "acting_alone": "whether who decided also accepts the loss; a countersignature is then owed",
            "undo": "how to undo it (sealed); null says plainly that it cannot be undone",
            "review_at": _REVIEW,
            "uncaptured": "keys of the F5 parts still open at that moment",
        },
        facet="containment",
        runbook=("F6",),
        kind="decision",
        example={
            "decision_id": "decision-2",
            "owner": "li.wei",
            "action": _WORDS,
            "destroys": _OTHER_WORDS,
            "accepts_loss": "ana.reyes",
            "acting_alone": False,
            "undo": None,
            "review_at": "2026-11-23T04:00:00.000Z",
            "uncaptured": ["host_metadata"],
        },
    ),
)

_FREEZES = (
    EventType(
        name="freeze.ordered",
        sentence="{actor} froze destructive changes to {scopes} until {expires_at} ({freeze_id}): {reason}",
        fields={
            "freeze_id": _FREEZE,
            "scopes": "slash paths that are frozen, each with everything below it",
            "exceptions": "slash paths below those that stay free",
            "reason": "why (sealed)",
            "expires_at": "when it lapses by itself (RFC 3339)",
            "ask": "account to ask for an exception",
        },
        facet="freeze",
        runbook=("F4",),
        example={
            "freeze_id": "freeze-1",
            "scopes": ["prod"],
            "exceptions": ["prod/status-page"],
            "reason": _WORDS,
            "expires_at": "2026-11-23T07:00:00.000Z",
            "ask": "ana.reyes",
        },
    ),
    EventType(
        name="freeze.extended",
        sentence="{actor} extended {freeze_id} until {expires_at}: {reason}",
        fields={"freeze_id": _FREEZE, "expires_at": "the new expiry (RFC 3339)", "reason": "why (sealed)"},
        facet="freeze",
        runbook=("F4",),
        example={"freeze_id": "freeze-1", "expires_at": "2026-11-23T11:00:00.000Z", "reason": _WORDS},
    ),
    EventType(
        name="freeze.lifted",
        sentence="{actor} lifted {freeze_id}: {reason}",
        fields={"freeze_id": _FREEZE, "reason": "why (sealed)"},
        facet="freeze",
        runbook=("F4",),
        example={"freeze_id": "freeze-1", "reason": _WORDS},
    ),
    EventType(
        name="freeze.warned",
        sentence="{freeze_id} lapses at {expires_at} unless it is extended",
        fields={"freeze_id": _FREEZE, "expires_at": "the expiry warned of (RFC 3339)"},
        runbook=("F4",),
        kind="clock",
        example={"freeze_id": "freeze-1", "expires_at": "2026-11-23T07:00:00.000Z"},
    ),
    EventType(
        name="freeze.declined",
        sentence="{actor} decided that no freeze is needed: {reason}",
        fields={"reason": "why not (sealed)"},
        facet="freeze",
        runbook=("F4",),
        kind="decision",
        example={"reason": _WORDS},
    ),
    EventType(
        name="pass.issued",
        sentence="{actor} issued {pass_id} for {scope} to {issued_to} until {expires_at}: {reason}",
        fields={
            "pass_id": _PASS,
            "scope": "slash path it opens, with everything below it",
            "issued_to": "account or pipeline name; * stands for any characters",
            "expires_at": "when it ends (RFC 3339)",
            "max_uses": "how often it may be used",
            "reason": "the containment it is for (sealed)",
        },
        facet="freeze",
        runbook=("F4",),
        example={
            "pass_id": "pass-1",
            "scope": "prod/payments",
            "issued_to": "deploy-payments-*",
            "expires_at": "2026-11-23T04:30:00.000Z",
            "max_uses": 3,
            "reason": _WORDS,
        },
    ),
    EventType(
        name="pass.used",
        sentence="{pipeline} used {pass_id} to change {scope}",
        fields={"pass_id": _PASS, "scope": "slash path it asked for", "pipeline": "who said it was asking"},
        runbook=("F4",),
        example={"pass_id": "pass-1", "scope": "prod/payments", "pipeline": "deploy-payments-1182"},
    ),
    EventType(
        name="pass.revoked",
        sentence="{actor} revoked {pass_id}: {reason}",
        fields={"pass_id": _PASS, "reason": "why (sealed)"},
        facet="freeze",
        runbook=("F4",),
        example={"pass_id": "pass-1", "reason": _WORDS},
    ),
)

_TASKS = (
    EventType(
        name="task.assigned",
        sentence="{actor} gave {task_id} to {owner}, due {due}: {action}",
        fields={
            "task_id": _TASK,
            "owner": "the one account that owns it",
            "action": "the next action (sealed)",
            "due": "end of its time box (RFC 3339)",
        },
        facet="task:{task_id}",
        runbook=("C1", "R1"),
        example={"task_id": "task-1", "owner": "li.wei", "action": _WORDS, "due": "2026-11-23T03:40:00.000Z"},
    ),
    EventType(
        name="task.acknowledged",
        sentence="{actor} acknowledged {task_id}",
        fields={"task_id": _TASK},
        facet="task:{task_id}",
        runbook=("C1",),
        example={"task_id": "task-1"},
    ),
    EventType(
        name="task.progressed",
        sentence="{actor} on {task_id}: {note}",
        fields={"task_id": _TASK, "note": "how it stands (sealed)"},
        facet="task:{task_id}",
        runbook=("C1",),
        example={"task_id": "task-1", "note": _WORDS},
    ),
    EventType(
        name="task.done",
        sentence="{actor} finished {task_id}",
        fields={"task_id": _TASK, "note": "the result (sealed), or null", "citations": _CITES},
        facet="task:{task_id}",
        runbook=("C1",),
        example={"task_id": "task-1", "note": None, "citations": [_LOG]},
    ),
    EventType(
        name="task.dropped",
        sentence="{actor} dropped {task_id}: {note}",
        fields={"task_id": _TASK, "note": "why it is not needed any more (sealed)"},
        facet="task:{task_id}",
        runbook=("C1",),
        example={"task_id": "task-1", "note": _WORDS},
    ),
)

TYPES: tuple[EventType, ...] = (*_BOARD, *_CHANNEL, *_DECISIONS, *_FREEZES, *_TASKS)
"""Every event type of this board."""
