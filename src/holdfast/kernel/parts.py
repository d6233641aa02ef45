"""Parts: the named pieces of a runbook step or question, each settled on its own.

Rules:
1. A part is *done* only with a citation; *unknown*, *unreachable* and *not applicable* need a reason.
2. A step or question is settled only when every one of its parts is.
3. Unknown is never clean: a settled step says how many of its parts are not *done*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from holdfast.kernel.citations import Citation, citations_from, citations_json
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.events import Event
from holdfast.kernel.texts import Sealed, sealed_or_none

Standing = Literal["open", "done", "unknown", "unreachable", "not_applicable"]
STANDINGS: tuple[Standing, ...] = ("open", "done", "unknown", "unreachable", "not_applicable")


@dataclass(frozen=True, slots=True)
class Part:
    """The definition of a part, from library data."""

    key: str
    """``[a-z_]+``, unique within its step."""
    name: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """How one part stands."""

    standing: Standing
    citations: tuple[Citation, ...]
    reason: Sealed | None
    by: str
    at: datetime
    seq: int
    """The event that settled it."""


def settlement(part: str, standing: Standing, citations: Iterable[Citation], reason: Sealed | None) -> dict[str, Any]:
    """The data of a part-settled event, after rule 1.

    Raises:
        BadInputError: done without a citation, or otherwise settled without a reason.
    """
    cited = citations_json(citations)
    if standing == "done" and not cited:
        raise BadInputError(
            "part-needs-citation",
            f"The part {part!r} is not settled.",
            why="Done needs at least one citation: an evidence item (ev-3) or an entry of the record (#17).",
            next_step="Capture or find what proves it, then settle the part citing that.",
        )
    if standing in ("unknown", "unreachable", "not_applicable") and reason is None:
        raise BadInputError(
            "part-needs-reason",
            f"The part {part!r} is not settled.",
            why=f"{standing.replace('_', ' ').capitalize()} needs a reason, so that the review can tell why.",
            next_step="Say in one sentence why, then settle it again.",
        )
    return {
        "part": part,
        "standing": standing,
        "citations": cited,
        "reason": None if reason is None else reason.as_json(),
    }


def settled_from(event: Event) -> Settled:
    """How the part stands after a part-settled event."""
    data = event.data
    return Settled(
        standing=data["standing"],
        citations=citations_from(data["citations"]),
        reason=sealed_or_none(data["reason"]),
        by=event.actor.id,
        at=event.recorded_at,
        seq=event.seq,
    )


def open_parts(parts: Iterable[Part], settled: Mapping[str, Settled]) -> tuple[Part, ...]:
    """The parts of a step that are not settled yet, in order."""
    return tuple(part for part in parts if part.key not in settled or settled[part.key].standing == "open")


def part_named(parts: Iterable[Part], key: str, step: str) -> Part:
    """The definition of a part.

    Raises:
        BadInputError: the step has no such part; the error lists those it has.
    """
    known = tuple(parts)
    for part in known:
        if part.key == key:
            return part
    raise BadInputError(
        "part-unknown",
        f"{step} has no part {key!r}.",
        why="Its parts are " + ", ".join(part.key for part in known) + ".",
        next_step="Name one of those.",
    )
