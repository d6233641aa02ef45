"""I5 in one sentence: undone containment first, then footholds, ways onward and returns, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.investigation.assembly import instant_text
from holdfast.investigation.sentences.speaking import spoken

Row = Mapping[str, Any]
Results = Mapping[str, Sequence[Row]]


def sentence(results: Results, facts: Mapping[str, Any]) -> str:
    """The answer to "have they stayed, spread or come back", from the rows of its queries and the facts of the run."""
    doubts = facts.get("cannot_tell", {})
    said = (
        _undone(results, facts),
        _footholds(results, doubts),
        _blinded(results),
        _onward(results),
        _returned(results),
    )
    parts = [words for words in said if words]
    if doubts:
        reasons = sorted({str(reason) for reason in doubts.values()})
        parts.append(f"cannot tell {_doubtful(doubts)}, because {reasons[0]}")
    text = "; ".join(parts) or "no sign that anybody stayed, spread or came back in the time the logs cover"
    return spoken(text)


def _undone(results: Results, facts: Mapping[str, Any]) -> str:
    rows = results.get("i5_undone", ())
    if not rows:
        return ""
    total = facts.get("totals", {}).get("i5_undone", len(rows))
    often = "" if total == 1 else f" {total} times"
    return f"containment was undone{often}, first listed at {_at(rows[0])}: {rows[0]['what']}"


def _footholds(results: Results, doubts: Mapping[str, Any]) -> str:
    """Only leads that succeeded are footholds; what was refused or is usual stays in the table."""
    rows = [row for row in results.get("i5_persistence", ()) if row.get("lead") and row.get("status") != "failure"]
    if not rows:
        return "" if "i5_persistence" in doubts else "no foothold stands out"
    count = "1 foothold" if len(rows) == 1 else f"{len(rows)} footholds"
    return f"{count} from {_at(_first(rows))} on, above all {rows[0]['what']}"


def _blinded(results: Results) -> str:
    rows = [row for row in results.get("i5_blinded", ()) if row.get("lead")]
    if not rows:
        return ""
    done = [row for row in rows if row.get("status") != "failure"]
    if not done:
        return f"they tried in vain to cut recording or recovery: {rows[0]['what']}{_more(len(rows))}"
    failed = len(rows) - len(done)
    vain = f", and {failed} tries in vain" if failed else ""
    return f"recording or recovery was cut: {done[0]['what']}{_more(len(done))}{vain}"


_ONWARD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("i5_new_credential_used", ("elsewhere", "lead")),
    ("i5_shared_copies", ("row_id",)),
    ("i5_workflow_then_secrets", ("row_id",)),
    ("i5_consent_then_mail", ("row_id",)),
    ("i5_across_accounts", ("leads",)),
    ("i5_sessions", ("lead",)),
)
"""Queries of ways onward in the order they are told, each with the columns of which one has to hold."""


def _onward(results: Results) -> str:
    told = [
        rows for name, held in _ONWARD if (rows := [row for row in results.get(name, ()) if any(map(row.get, held))])
    ]
    return "they moved on: " + ", ".join(f"{rows[0]['what']}{_more(len(rows))}" for rows in told[:3]) if told else ""


def _returned(results: Results) -> str:
    back = results.get("i5_returned", ())
    if back:
        last = max(back, key=lambda row: (row.get("time_us") or 0, row.get("row_id") or 0))
        return f"{last['what']}, at {_at(last)}{_more(len(back))}"
    entered = [row for row in results.get("i5_refused", ()) if row.get("in_row_id") is not None]
    return f"{entered[0]['what']}{_more(len(entered))}" if entered else ""


def _first(rows: Sequence[Row]) -> Row:
    return min(rows, key=lambda row: (row.get("time_us") or 0, row.get("row_id") or 0))


def _at(row: Row) -> str:
    return instant_text(row.get("time_us")) or "an unknown time"


def _more(number: int) -> str:
    return f" (and {number - 1} more)" if number > 1 else ""


def _doubtful(doubts: Mapping[str, Any]) -> str:
    said = {
        "i5_undone": "whether containment was undone",
        "i5_persistence": "whether there are footholds",
        "i5_blinded": "whether recording was cut",
    }
    named = [words for name, words in said.items() if name in doubts]
    rest = len(doubts) - len(named)
    if rest:
        named.append(f"of {rest} {'other ' if named else ''}{'sign' if rest == 1 else 'signs'}")
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
