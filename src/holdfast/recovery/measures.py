"""Measures of one incident, from distinct instants that each say who asserted them and on what basis.

Rules:
1. Every span has two named ends; when one is missing the span is missing, and says which end.
2. Spans are shown one by one. There is no average, no score and no target here: response times are so skewed
   that their mean misleads at the number of incidents one organisation has.
3. A span that runs backwards is shown as it is and marked, because one of its ends is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.kernel.events import Basis

MOMENTS: Mapping[str, str] = {
    "first_malicious_act": "First malicious act",
    "first_signal": "First signal",
    "detected": "Detected",
    "declared": "Declared",
    "acknowledged": "Acknowledged",
    "commander_assumed": "Commander assumed",
    "severity_set": "Severity set",
    "contained": "Contained",
    "path_verified": "Attack path verified closed",
    "recovered": "Recovery verified",
    "closed": "Closed",
    "reviewed": "Reviewed",
}
"""The named instants, in the order in which they usually happen. Notices are many, and are listed apart."""

SPANS: tuple[tuple[str, str], ...] = (
    ("first_malicious_act", "first_signal"),
    ("first_signal", "detected"),
    ("detected", "declared"),
    ("declared", "acknowledged"),
    ("declared", "commander_assumed"),
    ("declared", "severity_set"),
    ("declared", "contained"),
    ("first_malicious_act", "contained"),
    ("contained", "path_verified"),
    ("declared", "recovered"),
    ("recovered", "reviewed"),
    ("declared", "closed"),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant and how it is known."""

    at: datetime
    asserted_by: str
    basis: Basis
    seq: int | None = None
    """The event of the record that says so, where one does."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was sent to somebody."""

    what: str
    """``update-2``, ``notification-1``."""
    to: str
    """Audience or escalation."""
    moment: Moment
    on_time: bool | None
    """Against its promise or due time; ``None`` where it had none."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time between two instants."""

    start: str
    end: str
    seconds: int | None
    """``None`` when an end is missing."""
    missing: tuple[str, ...]
    """Names of the ends nobody has asserted."""
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Measures:
    """All of it."""

    moments: tuple[tuple[str, str, Moment | None], ...]
    """Key, name and instant, or ``None`` where nobody has asserted it."""
    notices: tuple[Notice, ...]
    """Oldest first."""
    spans: tuple[Span, ...]


def measure(moments: Mapping[str, Moment], notices: tuple[Notice, ...] = ()) -> Measures:
    """The measures of one incident; keys that are not in :data:`MOMENTS` are ignored."""
    return Measures(
        moments=tuple((key, name, moments.get(key)) for key, name in MOMENTS.items()),
        notices=tuple(sorted(notices, key=lambda notice: notice.moment.at)),
        spans=tuple(_span(moments, start, end) for start, end in SPANS),
    )


def _span(moments: Mapping[str, Moment], start: str, end: str) -> Span:
    first, last = moments.get(start), moments.get(end)
    if first is None or last is None:
        missing = tuple(MOMENTS[key] for key, found in ((start, first), (end, last)) if found is None)
        return Span(start, end, None, missing)
    seconds = int((last.at - first.at).total_seconds())
    return Span(start, end, seconds, (), backwards=seconds < 0)
