"""I7 in one sentence: what still stands open, by probe or by the logs, and what was not probed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.investigation.assembly import instant_text

Row = Mapping[str, Any]


def sentence(results: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> str:
    """The answer to "is it still exploitable", from the rows of its queries and the facts of the run."""
    totals = facts.get("totals", {})
    left, state, probed = (results.get(name, ()) for name in ("i7_open", "i7_state", "i7_probed"))
    parts: list[str] = []
    hot = [row for row in probed if row.get("standing") == "exploitable"]
    if hot:
        when = instant_text(max(int(row["probed_us"] or 0) for row in hot) or None)
        found = f"{len(hot)} {'thing is' if len(hot) == 1 else 'things are'} still exploitable"
        parts.append(f"{found} by a probe{f' at {when}' if when else ''}, first: {hot[0]['uid']}")
    if left:
        total = totals.get("i7_open", len(left))
        count = f"{total} {'thing' if total == 1 else 'things'} made, opened or used by the suspects"
        parts.append(f"{count} {'was' if total == 1 else 'were'} never undone by the logs ({_kinds(left)})")
        parts.append(f"first: {_first(left[0])}")
    elif reason := facts.get("cannot_tell", {}).get("i7_open"):
        parts.append(f"cannot tell whether anything was left in place, because {reason}")
    else:
        parts.append("nothing that the suspects made or opened was left in place by the logs")
    if state:
        total = totals.get("i7_state", len(state))
        parts.append(f"captured state shows {total} open {'place' if total == 1 else 'places'}")
    if gone := totals.get("i7_removed", len(results.get("i7_removed", ()))):
        parts.append(f"{gone} {'was' if gone == 1 else 'were'} undone since")
    if not probed:
        parts.append("nothing was probed, so whether it still works today is not known")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _kinds(rows: Sequence[Row]) -> str:
    counts = Counter(str(row.get("kind") or "other") for row in rows)
    return ", ".join(
        f"{number} {kind}" for kind, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:4]
    )


def _first(row: Row) -> str:
    when = instant_text(row.get("time_us"))
    return f"{row.get('kind')} {row.get('uid')}{f' of {when}' if when else ''}"
