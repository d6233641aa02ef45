"""Answers: one sentence to read aloud, the rows behind it with their citations, and the grades they rest on.

Rules:
1. Every row cites: digest, file and ordinal of the record. A row made from several cites each.
2. "No …" is said only over cells that are proven or observed; otherwise the sentence is "Cannot tell …, because …".
3. An answer holds as of an instant, and says what would change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Grade = Literal["proven", "observed", "silent_expected", "gap", "never_enabled", "out_of_retention", "cannot_tell"]
"""How far a cell (source, account, region, event class, hour) can be relied on."""

Standing = Literal["answered", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a row comes from, down to the record."""

    sha256: str
    """Digest of the captured bytes."""
    file: str
    record: int
    """Ordinal of the record in the file, from 0."""
    item: str | None = None
    """Evidence id, within an incident."""
    event_id: str | None = None
    """The source's own id of the event, where it has one."""

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        found: dict[str, Any] = {"sha256": self.sha256, "file": self.file, "record": self.record}
        if self.item is not None:
            found["item"] = self.item
        if self.event_id is not None:
            found["event_id"] = self.event_id
        return found

    @property
    def text(self) -> str:
        """For people: ``trail.json#17``."""
        return f"{self.item or self.file}#{self.record}"


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One row of the table behind an answer."""

    finding: str
    """Id of the query it comes from."""
    what: str
    """The row in words."""
    cells: Mapping[str, Any]
    """The other columns of the query, without row ids."""
    citation: Citation | None
    """Null only for a row that tells of something absent (a gap)."""
    also: tuple[Citation, ...] = ()
    """Further records the row rests on."""


@dataclass(frozen=True, slots=True)
class CellGrade:
    """The grade of many cells at once: hours of one source, account, region and class that are alike."""

    source: str
    account: str | None
    region: str | None
    event_class: str
    grade: Grade
    from_us: int
    to_us: int
    hours: int
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one query of the library said."""

    query: str
    title: str
    part: str
    sentence: str
    standing: Standing
    """``cannot_tell`` when there are no rows and the coverage does not allow a no."""
    total: int
    """Rows found, of which the answer carries at most a limited number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one of the seven questions."""

    question: str
    sentence: str
    standing: Standing
    findings: tuple[Finding, ...]
    rows: tuple[AnswerRow, ...]
    grades: tuple[CellGrade, ...]
    as_of_us: int
    would_change: tuple[str, ...]
    """What would change it: a capture that closes a gap, a probe not made."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What pictures are drawn from: nodes and edges, hours and counts."""
