"""Texts made from the record: the eight-field update (C1) and the four contents for customers (C2).

Rules:
1. An update has exactly eight lines, with fixed labels in a fixed order; a value never spans lines, so that
   no value can pass for a field.
2. *Known impact* holds confirmed claims of kind impact and nothing else.
3. Hypotheses are written only for responders, below the eight lines, in a block that says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files
from string import Template

from holdfast.communications.state import Audience, ClaimKind, ClaimStanding

LABELS: tuple[str, ...] = (
    "Incident",
    "Severity",
    "Status",
    "Started",
    "Commander",
    "Known impact",
    "Current actions",
    "Next update",
)
"""C1's fields, in order."""
CONTENTS: tuple[str, ...] = (
    "What happened",
    "What data or services were affected",
    "What you should do",
    "Next update",
)
"""C2's contents, in order."""
NOTHING_CONFIRMED = "None confirmed yet."
NO_COMMANDER = "None: command is vacant"
NO_ACTIONS = "None assigned"
LAST_UPDATE = "None: this is the last update"
HYPOTHESES_HEADING = "Hypotheses, not confirmed (for responders only)"


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim with its words."""

    id: str
    kind: ClaimKind
    standing: ClaimStanding
    text: str


@dataclass(frozen=True, slots=True)
class UpdateInput:
    """What an update says; every claim may be passed, rendering picks what may be said."""

    audience: Audience
    incident: str
    severity: str
    """``SEV-1`` to ``SEV-4``."""
    status: str
    """``investigating``, ``contained``, ``recovering`` or ``closed``."""
    started: datetime
    commander: str | None
    claims: tuple[ClaimLine, ...]
    actions: tuple[tuple[str, str], ...]
    """Owner and next action."""
    next_update: datetime | None
    """``None`` for the last update."""
    zone: tzinfo = UTC


def one_line(text: str) -> str:
    """The text with every run of white space, line breaks included, as one space."""
    return re.sub(r"\s+", " ", text).strip()


def zoned(moment: datetime, zone: tzinfo = UTC) -> str:
    """``2026-11-23 03:07 UTC``, or ``2026-11-23 04:07 +01:00 (CET)`` in another zone."""
    local = moment.astimezone(zone)
    if zone is UTC:
        return local.strftime("%Y-%m-%d %H:%M UTC")
    return f"{local.strftime('%Y-%m-%d %H:%M')} {local.isoformat()[-6:]} ({local.tzname()})"


def known_impact(claims: Iterable[ClaimLine]) -> str:
    """The *Known impact* value: confirmed claims of kind impact, as sentences."""
    facts = [one_line(claim.text) for claim in claims if claim.standing == "fact" and claim.kind == "impact"]
    return " ".join(fact if fact.endswith((".", "!", "?")) else f"{fact}." for fact in facts) or NOTHING_CONFIRMED


def render_update(given: UpdateInput) -> str:
    """The C1 text: eight lines, and for responders the labelled block of hypotheses if there are any."""
    values = {
        "incident": one_line(given.incident),
        "severity": given.severity,
        "status": given.status.capitalize(),
        "started": zoned(given.started, given.zone),
        "commander": one_line(given.commander or NO_COMMANDER),
        "known_impact": known_impact(given.claims),
        "current_actions": "; ".join(f"{one_line(owner)}: {one_line(action)}" for owner, action in given.actions)
        or NO_ACTIONS,
        "next_update": LAST_UPDATE if given.next_update is None else zoned(given.next_update, given.zone),
    }
    text = template("update").substitute(values)
    hypotheses = [claim for claim in given.claims if claim.standing == "hypothesis"]
    if given.audience == "responders" and hypotheses:
        lines = "".join(f"- {claim.id}: {one_line(claim.text)}\n" for claim in hypotheses)
        text += f"\n{HYPOTHESES_HEADING}\n{lines}"
    return text


def render_customers(
    happened: str, affected: str, action: str, next_update: datetime | None, zone: tzinfo = UTC
) -> str:
    """The C2 text: its four contents under their headings."""
    promise = "This is the last update." if next_update is None else f"By {zoned(next_update, zone)}."
    return template("customers").substitute(
        happened=happened.strip(), affected=affected.strip(), action=action.strip(), next_update=promise
    )


def fields_of(text: str) -> dict[str, str]:
    """Label to value for each C1 line in a text; a label that occurs twice keeps the first value."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, colon, value = line.partition(":")
        if colon and label.strip() in LABELS:
            found.setdefault(label.strip(), value.strip())
    return found


def contents_of(text: str) -> dict[str, str]:
    """C2 heading to the words below it, for each heading that stands alone on its line."""
    found: dict[str, str] = {}
    heading: str | None = None
    known = {content.lower(): content for content in CONTENTS}
    for line in text.splitlines():
        bare = line.strip().strip("#*").strip().rstrip(":").lower()
        if bare in known:
            heading = known[bare]
            found.setdefault(heading, "")
        elif heading is not None:
            found[heading] = f"{found[heading]}\n{line}".strip()
    return found


@cache
def template(name: str) -> Template:
    """A shipped template of ``library/``."""
    file = files("holdfast.communications").joinpath(f"library/{name}.md")
    return Template(file.read_text(encoding="utf-8"))
