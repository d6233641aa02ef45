"""I1 in one sentence: how much changed in each part, what stands out, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.investigation.assembly import instant_text
from holdfast.investigation.sentences.speaking import spoken

Row = Mapping[str, Any]

_PARTS = (
    ("i1_access_grants", "grants of access"),
    ("i1_infrastructure", "infrastructure"),
    ("i1_deployments", "deployments"),
    ("i1_vendor_changes", "applications and packages of others"),
)


def sentence(results: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> str:
    """The answer to "what is different", from the rows of its queries and the facts of the run."""
    found = [row for name, _ in _PARTS for row in results.get(name, ())]
    changed = [row for row in found if not row.get("ours")]
    leads = [row for row in changed if row.get("lead")]
    parts = [_stands_out(leads)] if leads else []
    if changed and not leads:
        parts.append(f"{_number(changed)} recorded, and none stands out by itself")
    parts += [words for name, what in _PARTS if (words := _part(name, what, results, facts))]
    if len(found) > len(changed):
        parts.append("what our own people changed is left out")
    if not parts:
        return "No change was recorded in the time the logs cover."
    text = "; ".join(parts)
    return spoken(text)


def _stands_out(leads: Sequence[Row]) -> str:
    first = min(leads, key=lambda row: (row.get("time_us") or 0, row.get("row_id") or 0))
    worst = max(leads, key=lambda row: (row.get("suspicion") or 0, -(row.get("time_us") or 0)))
    one = f"{_number(leads)} out from {instant_text(first.get('time_us')) or 'an unknown time'} on"
    one = one.replace(" changes out", " changes stand out").replace("1 change out", "1 change stands out")
    return f"{one}, above all {worst['what']}"


def _number(rows: Sequence[Row]) -> str:
    return f"{len(rows)} change" + ("" if len(rows) == 1 else "s")


def _part(name: str, what: str, results: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> str:
    rows = [row for row in results.get(name, ()) if not row.get("ours")]
    if rows:
        new = sum(1 for row in rows if str(row.get("before", "")).startswith(("never seen", "first by")))
        total = max(facts.get("totals", {}).get(name, 0) - (len(results[name]) - len(rows)), len(rows))
        fresh = f", {new} of them not seen before" if new else ""
        return f"{what}: {total} {'kind of change' if total == 1 else 'kinds of change'}{fresh}"
    if reason := facts.get("cannot_tell", {}).get(name):
        return f"{what}: cannot tell, because {reason}"
    return f"{what}: no change"
