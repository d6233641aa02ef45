"""Every event type of the evidence package."""

from __future__ import annotations

from typing import Any, Literal

from holdfast.kernel.events import EventType

Kind = Literal["log", "screenshot", "ticket", "command_history", "file", "folder_manifest", "export", "other"]
KINDS: tuple[Kind, ...] = (
    "log",
    "screenshot",
    "ticket",
    "command_history",
    "file",
    "folder_manifest",
    "export",
    "other",
)
"""R4 names the first four; the rest is what a vault meets besides."""

Outcome = Literal["matches", "differs", "missing"]
"""How stored bytes stand against the digest in the record."""

Shortfall = Literal["unreadable", "changed", "special", "too_deep", "interrupted", "timed_out", "held_open"]
"""Why a capture is incomplete; which entries are meant stands in its manifest."""
SHORTFALLS: tuple[Shortfall, ...] = (
    "unreadable",
    "changed",
    "special",
    "too_deep",
    "interrupted",
    "timed_out",
    "held_open",
)

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _words(number: int) -> dict[str, Any]:
    return {"commitment": f"{number:064x}", "sealed": f"019ab000-0000-7000-8000-{number:012d}"}


_COLLECTED = EventType(
    name="evidence.collected",
    sentence="{actor} collected {evidence_id} ({kind}): {name}",
    fields={
        "evidence_id": "ev-N, numbered within the incident",
        "kind": "log, screenshot, ticket, command_history, file, folder_manifest, export or other",
        "name": "sealed original name of the file, or what the collector called it",
        "origin": "sealed words on where it came from (host and path, query asked), or null",
        "sha256": "digest of the exact bytes",
        "size": "bytes",
        "media_type": "as declared by the collector; never trusted when served",
        "source": "key of the volatile source it came from (F5), or null",
        "collected_by": "account that collected it: its first custodian",
        "collector": "program that collected it",
        "collector_version": "its version",
        "started": "when collecting began, by the collector's clock, or null",
        "ended": "when collecting ended, by the collector's clock, or null",
        "clock_offset_ms": "collector's clock minus the server's, milliseconds, or null when not measured",
        "manifest": "digest of the capture manifest (folders and commands), or null",
        "contents": "how many objects the manifest names besides",
        "contents_size": "their bytes together",
        "shortfalls": "why the capture is incomplete, sorted; empty when it is complete",
    },
    facet="custody:{evidence_id}",
    runbook=("R4", "F5"),
    kind="evidence",
    example={
        "evidence_id": "ev-1",
        "kind": "log",
        "name": _words(1),
        "origin": _words(2),
        "sha256": _DIGEST,
        "size": 48211,
        "media_type": "text/plain",
        "source": "cloud_audit",
        "collected_by": "ines",
        "collector": "holdfast-cli",
        "collector_version": "0.1.0",
        "started": "2026-11-23T03:09:00.000Z",
        "ended": "2026-11-23T03:09:02.120Z",
        "clock_offset_ms": -140,
        "manifest": None,
        "contents": 0,
        "contents_size": 0,
        "shortfalls": [],
    },
)

_VIEWED = EventType(
    name="evidence.viewed",
    sentence="{actor} viewed {evidence_id}: {purpose}",
    fields={"evidence_id": "the item", "purpose": "sealed reason for looking, or null"},
    runbook=("R4",),
    kind="evidence",
    example={"evidence_id": "ev-1", "purpose": _words(3)},
)

_PROPOSED = EventType(
    name="evidence.transfer_proposed",
    sentence="{actor} offered {evidence_id} from {custodian} to {to}: {reason}",
    fields={
        "evidence_id": "the item",
        "custodian": "who holds it, and goes on holding it until the offer is accepted",
        "to": "who would hold it",
        "reason": "sealed reason, or null when the custodian offers it",
    },
    facet="custody:{evidence_id}",
    runbook=("R4",),
    kind="evidence",
    example={"evidence_id": "ev-1", "custodian": "ines", "to": "omar", "reason": _words(4)},
)

_ACCEPTED = EventType(
    name="evidence.transfer_accepted",
    sentence="{actor} took {evidence_id} over from {custodian}",
    fields={"evidence_id": "the item", "custodian": "who held it until now", "to": "who holds it from now on"},
    facet="custody:{evidence_id}",
    runbook=("R4",),
    kind="evidence",
    example={"evidence_id": "ev-1", "custodian": "ines", "to": "omar"},
)

_REFUSED = EventType(
    name="evidence.transfer_refused",
    sentence="{actor} turned the transfer of {evidence_id} to {to} down: {reason}",
    fields={
        "evidence_id": "the item",
        "custodian": "who holds it, unchanged",
        "to": "who would have held it",
        "reason": "sealed reason",
    },
    facet="custody:{evidence_id}",
    runbook=("R4",),
    kind="evidence",
    example={"evidence_id": "ev-1", "custodian": "ines", "to": "omar", "reason": _words(5)},
)

_EXPORTED = EventType(
    name="evidence.exported",
    sentence="{actor} exported {evidence} to {recipient}: {purpose}",
    fields={
        "evidence": "ids of the items that left, sorted by number; none where the record left alone",
        "recipient": "sealed words on who received them",
        "purpose": "sealed reason",
    },
    runbook=("R4",),
    kind="evidence",
    example={"evidence": ["ev-1", "ev-2"], "recipient": _words(6), "purpose": _words(7)},
)

_REVERIFIED = EventType(
    name="evidence.reverified",
    sentence="{actor} hashed {evidence_id} again: {outcome}",
    fields={
        "evidence_id": "the item",
        "outcome": "matches, differs or missing: the worst of its objects",
        "sha256": "the digest it was held against",
        "objects": "how many objects were hashed",
        "faults": "how many of them differ or are missing",
    },
    runbook=("R4",),
    kind="evidence",
    example={"evidence_id": "ev-1", "outcome": "matches", "sha256": _DIGEST, "objects": 1, "faults": 0},
)

_HELD = EventType(
    name="hold.placed",
    sentence="{actor} placed legal hold {hold_id} on {scope}: {reason}",
    fields={
        "hold_id": "hold-N",
        "scope": "incident (everything, present and future) or items",
        "evidence": "the items held, when the scope is items",
        "reason": "sealed reason",
    },
    facet="hold",
    runbook=("R4", "R5"),
    kind="decision",
    example={"hold_id": "hold-1", "scope": "items", "evidence": ["ev-1"], "reason": _words(8)},
)

_RELEASED = EventType(
    name="hold.released",
    sentence="{actor} released legal hold {hold_id}: {reason}",
    fields={"hold_id": "the hold", "reason": "sealed reason"},
    facet="hold",
    runbook=("R4", "R5"),
    kind="decision",
    example={"hold_id": "hold-1", "reason": _words(9)},
)

_ASKED = EventType(
    name="erasure.requested",
    sentence="{actor} asked to erase {target}: {reason} (legal basis: {legal_basis})",
    fields={
        "erasure_id": "erasure-N",
        "target": "ev-N, or the id of a sealed text",
        "target_kind": "evidence or text",
        "commitment": "of the text, or null",
        "reason": "sealed reason",
        "legal_basis": "sealed legal basis",
    },
    facet="erasure:{erasure_id}",
    runbook=("R4", "R5"),
    kind="decision",
    example={
        "erasure_id": "erasure-1",
        "target": "ev-1",
        "target_kind": "evidence",
        "commitment": None,
        "reason": _words(10),
        "legal_basis": _words(11),
    },
)

_APPROVED = EventType(
    name="erasure.approved",
    sentence="{actor} approved {erasure_id}, which {requested_by} had asked for",
    fields={"erasure_id": "the order", "requested_by": "who asked; another person than who approves"},
    facet="erasure:{erasure_id}",
    runbook=("R4", "R5"),
    kind="decision",
    example={"erasure_id": "erasure-1", "requested_by": "bea"},
)

_DECLINED = EventType(
    name="erasure.declined",
    sentence="{actor} declined {erasure_id}: {reason}",
    fields={"erasure_id": "the order", "reason": "sealed reason"},
    facet="erasure:{erasure_id}",
    runbook=("R4", "R5"),
    kind="decision",
    example={"erasure_id": "erasure-1", "reason": _words(12)},
)

_TEXT_ERASED = EventType(
    name="text.erased",
    sentence="{actor} erased the words of {text_id} under {erasure_id}",
    fields={
        "erasure_id": "the approved order",
        "text_id": "the sealed text whose key and salt are destroyed",
        "commitment": "its commitment, which stays",
    },
    runbook=("R4",),
    kind="evidence",
    example={"erasure_id": "erasure-1", "text_id": _words(1)["sealed"], "commitment": _words(1)["commitment"]},
)

_ERASED = EventType(
    name="evidence.erased",
    sentence="{actor} erased the bytes of {evidence_id} under {erasure_id}; the digest {sha256} stays",
    fields={
        "erasure_id": "the approved order",
        "evidence_id": "the item",
        "sha256": "digest of the erased bytes, which stays",
        "size": "bytes they had",
        "manifest": "digest of the capture manifest whose objects go with it, or null",
    },
    facet="custody:{evidence_id}",
    runbook=("R4",),
    kind="evidence",
    example={
        "erasure_id": "erasure-1",
        "evidence_id": "ev-1",
        "sha256": _DIGEST,
        "size": 48211,
        "manifest": None,
    },
)

TYPES: tuple[EventType, ...] = (
    _COLLECTED,
    _VIEWED,
    _PROPOSED,
    _ACCEPTED,
    _REFUSED,
    _EXPORTED,
    _REVERIFIED,
    _HELD,
    _RELEASED,
    _ASKED,
    _APPROVED,
    _DECLINED,
    _TEXT_ERASED,
    _ERASED,
)
