"""I2 in one sentence: who acted under suspicion, how, through whom, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.investigation.assembly import instant_text
from holdfast.investigation.sentences.speaking import spoken

Row = Mapping[str, Any]
Results = Mapping[str, Sequence[Row]]
Facts = Mapping[str, Any]

_KINDS = (
    ("i2_humans", "human"),
    ("i2_service_accounts", "service account"),
    ("i2_workload_identities", "workload or service"),
    ("i2_ci_tokens", "CI token"),
    ("i2_deploy_keys", "deploy key"),
    ("i2_break_glass", "break-glass or root account"),
    ("i2_other_identities", "of unknown kind"),
)
_NAMED = 3
"""Suspects that the sentence names; the table has the rest."""


def sentence(results: Results, facts: Facts) -> str:
    """The answer to "under which identities did it act", from the rows of its queries and the facts of the run.

    Args:
        results: query id to its rows.
        facts: ``totals``, ``cannot_tell``, ``subjects``, and ``unmatched`` where subjects do not occur.
    """
    parts = [_suspects(results, facts), _unmatched(facts), _ways(results)]
    parts += [_new(results, facts), _together(results, facts), _unissued(results, facts)]
    parts += [_everyone(results, facts), _doubts(facts)]
    return spoken("; ".join(part for part in parts if part))


def _unmatched(facts: Facts) -> str:
    names = facts.get("unmatched") or ()
    if not names:
        return ""
    return f"no act by or on {_listed([str(name) for name in names])} is in the logs"


def _suspects(results: Results, facts: Facts) -> str:
    rows = results.get("i2_suspects", ())
    if not rows:
        silent = facts.get("unmatched") or "i2_suspects" in facts.get("cannot_tell", {})
        return "" if silent else "no identity that acted is under suspicion"
    total = _total("i2_suspects", rows, facts)
    count = "1 identity acted" if total == 1 else f"{total} identities acted"
    first = instant_text(min((row["first_us"] for row in rows if row.get("first_us") is not None), default=None))
    last = instant_text(max((row["last_us"] for row in rows if row.get("last_us") is not None), default=None))
    when = f", seen from {first} to {last}" if first and last else ""
    named = [_suspect(row) for row in rows[:_NAMED]]
    more = f" and {total - _NAMED} more" if total > _NAMED else ""
    return f"{count} under suspicion{when}: {', '.join(named)}{more}"


def _suspect(row: Row) -> str:
    acts = _count(row.get("suspect_events") or 0, "suspect act")
    addresses = row.get("addresses") or 0
    if addresses == 1:
        return f"{row['person_name']} with {acts} from {row.get('top_addresses')}"
    return f"{row['person_name']} with {acts}" + (f" and {addresses} addresses" if addresses else "")


def _ways(results: Results) -> str:
    rows = [row for row in results.get("i2_chains", ()) if row.get("suspect")]
    if not rows:
        return ""
    others = _count(len(rows) - 1, "other way") if len(rows) > 1 else ""
    return f"the sessions lead back by {rows[0]['chain']}" + (f" and {others}" if others else "")


def _new(results: Results, facts: Facts) -> str:
    said = []
    rows = results.get("i2_new_addresses", ())
    if rows:
        total = _total("i2_new_addresses", rows, facts)
        more = f" and {total - 1} more" if total > 1 else ""
        said.append(f"{rows[0]['person_name']} came from {rows[0]['new_address']} for the first time{more}")
    rows = results.get("i2_first_time", ())
    if rows:
        total = _total("i2_first_time", rows, facts)
        said.append(f"{_count(total, 'identity', 'identities')} acted at no other time, first {rows[0]['person_name']}")
    return "; ".join(said)


def _together(results: Results, facts: Facts) -> str:
    rows = results.get("i2_concurrent", ())
    if not rows:
        return ""
    total = _total("i2_concurrent", rows, facts)
    one = f"{rows[0]['key']} from {rows[0]['address']} and {rows[0]['other_address']}"
    return f"{_count(total, 'credential')} in use at two addresses within five minutes, first {one}"


def _unissued(results: Results, facts: Facts) -> str:
    rows = results.get("i2_no_issuer", ())
    if not rows:
        return ""
    total = _total("i2_no_issuer", rows, facts)
    return f"{_count(total, 'session')} cannot be led back to who started {'it' if total == 1 else 'them'}"


def _everyone(results: Results, facts: Facts) -> str:
    """All identities by kind. A kind without rows is left out: its own finding says what may be said of it."""
    counted = [(word, _total(name, results[name], facts)) for name, word in _KINDS if results.get(name)]
    if not counted:
        return "" if facts.get("cannot_tell") else "no identity acted"
    whole = sum(total for _, total in counted)
    kinds = ", ".join(f"{total} {word}" for word, total in counted)
    return f"in all {_count(whole, 'identity', 'identities')} acted ({kinds})"


def _doubts(facts: Facts) -> str:
    doubts = facts.get("cannot_tell", {})
    kinds = [word for name, word in _KINDS if name in doubts]
    if kinds:
        reason = next(doubts[name] for name, _ in _KINDS if name in doubts)
        return f"cannot tell whether others acted ({', '.join(kinds)}), because {reason}"
    if "i2_suspects" in doubts:
        return f"cannot tell who acted under suspicion, because {doubts['i2_suspects']}"
    return ""


def _total(name: str, rows: Sequence[Row], facts: Facts) -> int:
    return max(int(facts.get("totals", {}).get(name, 0)), len(rows))


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
