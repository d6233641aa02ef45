"""Every event type of the exposure package."""

from __future__ import annotations

from holdfast.kernel.events import EventType

_SEARCHED = EventType(
    name="exposure.searched",
    sentence=(
        "{actor} searched for {secrets}: {hits} hits in {places} places, {still} still there; {outcome}; "
        "earliest exposure {exposed_at} ({basis}), see {evidence_id}"
    ),
    fields={
        "evidence_id": "the item that holds the report",
        "sha256": "digest of that item",
        "made": "here (by this installation) or elsewhere (a report that was handed in)",
        "secrets": "keyed fingerprints of what was searched for, never the secrets",
        "targets": "how many targets were searched",
        "outcome": "complete, or incomplete when anything could not be looked into",
        "faults": "how many things could not be looked into",
        "hits": "how many hits there are",
        "by_class": "hits by class: exact, encoded, split, partial",
        "places": "in how many places they are",
        "still": "in how many of these it is in the newest version, or in what was searched",
        "exposed_at": "earliest exposure that something proves, or null",
        "basis": "what proves it: pushed, sent, published; committed means not later than; unknown when null",
        "proof": "number of the hit in the report that proves it, or null",
    },
    facet="exposure",
    runbook=("LS2",),
    kind="finding",
    example={
        "evidence_id": "ev-9",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "made": "here",
        "secrets": ["5f0c1a9be2d47386"],
        "targets": 4,
        "outcome": "incomplete",
        "faults": 1,
        "hits": 6,
        "by_class": {"encoded": 2, "exact": 4},
        "places": 5,
        "still": 3,
        "exposed_at": "2026-11-02T14:03:00.000Z",
        "basis": "pushed",
        "proof": 2,
    },
)

TYPES: tuple[EventType, ...] = (_SEARCHED,)
