"""Citations: how an answer, a fact or a settled part points at what proves it.

A person writes ``ev-3`` (an evidence item) or ``#17`` (event number 17 of the record). An event holds
``{"evidence": "ev-3", "sha256": "…"}`` or ``{"event": 17}``, so that it still proves itself when an
item is renumbered by a reader or withheld from a pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PATTERN = r"^(ev-[1-9][0-9]{0,8}|#[0-9]{1,9})$"


@dataclass(frozen=True, slots=True)
class Citation:
    """One pointer; exactly one of ``evidence`` and ``event`` is set."""

    evidence: str | None = None
    sha256: str | None = None
    event: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The form an event's data holds."""
        if self.event is not None:
            return {"event": self.event}
        return {"evidence": self.evidence, "sha256": self.sha256}

    def __str__(self) -> str:
        """The form a person writes: ``ev-3`` or ``#17``."""
        return f"#{self.event}" if self.event is not None else str(self.evidence)


def citations_from(values: Iterable[Mapping[str, Any]]) -> tuple[Citation, ...]:
    """The citations from an event's data."""
    return tuple(
        Citation(event=value["event"]) if "event" in value else Citation(value["evidence"], value["sha256"])
        for value in values
    )


def citations_json(citations: Iterable[Citation]) -> list[dict[str, Any]]:
    """The citations as an event's data holds them."""
    return [citation.as_json() for citation in citations]
