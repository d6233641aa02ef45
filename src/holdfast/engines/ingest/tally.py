"""The account of one input: what was found in it and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from holdfast.investigation.reading import Proof

_REASONS = 20


@dataclass(slots=True)
class Tally:
    """Counts of one input. ``records`` is always rows and quarantined together, until duplicates are taken out."""

    input_no: int
    path: str
    item: str | None = None
    sha256: str | None = None
    size: int = 0
    delivered_us: int | None = None
    kind: str = "unrecognised"
    reader: str | None = None
    proof: str | None = None
    documents: int = 0
    records: int = 0
    rows: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    listed: list[dict[str, Any]] = field(default_factory=list)
    first_us: int | None = None
    last_us: int | None = None

    def quarantine(self, reason: str, ordinal: int | None = None, limit: int = 100) -> None:
        """Count one record that could not be read, at the next place or the one named."""
        place = self.records if ordinal is None else ordinal
        if len(self.listed) < limit:
            self.listed.append({"input_no": self.input_no, "ordinal": place, "reason": reason})
        self.records += 1
        self.quarantined += 1
        known = reason if reason in self.reasons or len(self.reasons) < _REASONS else "other reasons"
        self.reasons[known] += 1

    def read_by(self, key: str, proof: Proof, kind: str) -> None:
        """Name the reader."""
        self.reader, self.proof, self.kind = key, proof.standing, kind

    def seen(self, first: int, last: int) -> None:
        """Widen the span of its events."""
        self.first_us = first if self.first_us is None else min(self.first_us, first)
        self.last_us = last if self.last_us is None else max(self.last_us, last)

    def row(self, read_us: int) -> dict[str, Any]:
        """Its row of the inputs table."""
        told = (f"{words} ({count})" if count else words for words, count in sorted(self.reasons.items()))
        return {
            "input_no": self.input_no,
            "path": self.path,
            "sha256": self.sha256,
            "content_sha256": None,
            "item": self.item,
            "kind": self.kind,
            "reader": self.reader,
            "proof": self.proof,
            "size": self.size,
            "records": self.records,
            "rows": self.rows,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "reason": "; ".join(told) or None,
            "first_us": self.first_us,
            "last_us": self.last_us,
            "delivered_us": self.delivered_us,
            "read_us": read_us,
        }
