"""I4 in one sentence: what was taken, changed and read, what was refused or possible, and what nobody recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_NAMED = 3
"""Names and deeds that fit into a sentence; the worst come first."""
_PARTS = (
    ("i4_export", "taken or handed out"),
    ("i4_changed", "changed, deleted or opened"),
    ("i4_read", "read or listed"),
)


def sentence(results: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> str:
    """The answer to "what could it reach", from the rows of its queries and the facts of the run."""
    totals, doubts = facts.get("totals", {}), facts.get("cannot_tell", {})
    if not any(results.get(name) for name in ("i4_export", "i4_changed", "i4_read", "i4_refused", "i4_could")):
        reason = doubts.get("i4_export") or doubts.get("i4_changed")
        return f"Cannot tell what was reached: {reason or 'nobody in the logs is suspect'}."
    parts: list[str] = []
    for name, words in _PARTS:
        rows = results.get(name, ())
        if rows:
            total = totals.get(name, len(rows))
            parts.append(f"{total} {'data set or service was' if total == 1 else 'data sets or services were'} {words}")
            if name == "i4_export":
                parts[-1] += f", first: {rows[0]['what']}"
        elif name in doubts:
            parts.append(f"cannot tell what was {words}, because {doubts[name]}")
        else:
            parts.append(f"nothing was seen to be {words}")
    if refused := totals.get("i4_refused", len(results.get("i4_refused", ()))):
        parts.append(f"{refused} {'kind of act was' if refused == 1 else 'kinds of act were'} refused")
    parts.append(_possible(results.get("i4_could", ())))
    if unrecorded := results.get("i4_unrecorded", ()):
        sources = ", ".join(sorted({str(row["source"]) for row in unrecorded}))
        parts.append(f"reads of contents were not all recorded in {sources}, so more may have been read")
    text = "; ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}."


def _possible(could: Sequence[Row]) -> str:
    """What captured grants allowed, worst deed first; without any, that it cannot be told."""
    known = [row for row in could if row.get("verdict") in ("allowed", "conditional")]
    if not known:
        return "cannot tell what was possible: no captured state holds their permissions" if could else ""
    verbs = {
        "export": "export",
        "permissions": "change access to",
        "delete": "delete",
        "modify": "change",
        "read": "read",
    }
    told = []
    for deed, verb in verbs.items():
        data = sorted({str(row.get("data") or row.get("service")) for row in known if row.get("deed") == deed})
        if data:
            more = f" and {len(data) - _NAMED} more" if len(data) > _NAMED else ""
            told.append(f"{verb} {', '.join(data[:_NAMED])}{more}")
    blind = sum(1 for row in could if row.get("verdict") == "cannot_tell")
    tail = f" (and of {blind} {'identity' if blind == 1 else 'identities'} it cannot be told)" if blind else ""
    return f"by captured permissions they could {', '.join(told[:_NAMED]) or 'only list names'}{tail}"
