"""What leads to what through the trust graph: from a subject onward, and back to whoever leads to it (I3).

Rules:
1. Trust in a whole account leads on from an identity of that account only where its grants allow ``sts:AssumeRole``;
   with no captured grants of that identity the step is kept, marked as not known.
2. Paths start at the subjects asked about, or else at the suspects; the shortest is kept, at most eight steps, and at
   most 20,000 of them: a cut is told.
3. A secret that leaked is relied on by its readers; they are told, and what else they read is not reached through it.

Not handled here: network reach, and whether a condition held.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.investigation.activity import Column
from holdfast.investigation.policies import Decision, Holder, Question, may
from holdfast.investigation.trust import secret_name, short

Row = Mapping[str, Any]
Tables = Mapping[str, list[Row]]

PATHS: tuple[Column, ...] = (
    Column("subject_uid", "text", "where the path starts"),
    Column("direction", "text", "start, reaches or reached_by"),
    Column("uid", "text", "where it ends"),
    Column("type", "text", "kind of it"),
    Column("depth", "integer", "steps"),
    Column("path", "text", "the steps in words"),
    Column("relation", "text", "last step"),
    Column("before_uid", "text", "where the last step starts"),
    Column("before_type", "text", "kind of that"),
    Column("seen", "text", "log, state, both, or mixed along the path"),
    Column("standing", "text", "certain, conditional, or not known"),
    Column("condition", "text", "first condition on the way"),
    Column("row_id", "integer", "shows the last step"),
    Column("start_row_id", "integer", "shows the first step"),
)
PATHS_AFTER = ("trust_graph", "held", "suspects", "subjects")

CONSUMES = frozenset({"pulls", "uses_action"})
"""``from`` takes ``to`` in and is controlled by it."""
RELIES = frozenset({"copied_from"})
_MOST = 20_000
_DEEPEST = 8
_WORDS: Mapping[str, str] = {
    "assumes": "becomes",
    "signs_in_as": "signs in as",
    "runs_as": "runs as",
    "presents": "presents",
    "member_of": "is in",
    "reads_secret": "reads",
    "may_use": "may use",
    "may_copy": "may copy",
    "may_read": "may read",
    "may_write": "may write to",
    "attached": "holds",
    "trusts_issuer": "is trusted by",
    "pulls": "is run by",
    "uses_action": "is run by",
    "copied_from": "is copied to",
    "meets": "meets",
    "issued": "made",
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One way to go on from a node."""

    uid: str
    kind: str
    relation: str
    edge: Row
    doubt: str | None = None


@dataclass(slots=True)
class _Web:
    """The graph, ready to be walked both ways."""

    onward: dict[str, list[_Step]] = field(default_factory=lambda: defaultdict(list))
    back: dict[str, list[_Step]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    anyone: list[Row] = field(default_factory=list)
    holders: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))


def paths(tables: Tables) -> list[dict[str, Any]]:
    """Rows of ``trust_paths``: what each start reaches, and what reaches it.

    Args:
        tables: rows of the tables in :data:`PATHS_AFTER`.
    """
    web = _web(tables)
    rows: list[dict[str, Any]] = []
    for start in _starts(tables, web):
        rows.append(_start_row(web, start))
        for direction in ("reaches", "reached_by"):
            for row in _walk(web, start, direction):
                if len(rows) >= _MOST:
                    rows[-1] = {**rows[-1], "path": f"cut after {_MOST} paths", "standing": "not known"}
                    return rows
                rows.append(row)
    return rows


def _starts(tables: Tables, web: _Web) -> list[str]:
    """Nodes to start from: the subjects asked about; else the suspects, a session's key standing for its identity."""
    known = {*web.onward, *web.back}
    names: dict[str, set[str]] = defaultdict(set)
    for uid in known:
        names[uid.rpartition("/")[2]].add(uid)
        names[uid.partition("@sha256:")[2] or uid].add(uid)
    given = [str(row["value"]) for row in tables["subjects"] if row["value"]]
    found = {uid for value in given for uid in _fitting(value, known, names)}
    if not found:
        suspects = [row for row in tables["suspects"] if row["kind"] in ("actor", "credential")]
        values = {one for row in suspects for one in _identity_of(web, str(row["value"]))}
        found = {uid for value in values for uid in _fitting(value, known, names) or {value}} or set(given)
    return sorted(found)


def _fitting(value: str, known: set[str], names: Mapping[str, set[str]]) -> set[str]:
    exact = {value, secret_name(value)} & known
    alike = names.get(value, set())
    return exact or (alike if len(alike) <= 5 else set())  # noqa: PLR2004 - a name that many share is none


def _identity_of(web: _Web, value: str) -> set[str]:
    if not value.startswith("ASIA"):
        return {value}
    return {step.uid for step in web.onward.get(value, ()) if step.relation == "signs_in_as"}


def _web(tables: Tables) -> _Web:
    web = _Web()
    for grant in tables["held"]:
        web.holders[grant["holder_uid"]].append(grant)
    for edge in tables["trust_graph"]:
        one, other, relation = edge["from_uid"], edge["to_uid"], edge["relation"]
        if edge["from_type"] == "account":
            web.accounts[one].append(edge)
        if edge["from_type"] == "anyone":
            web.anyone.append(edge)
        start, end = (one, edge["from_type"]), (other, edge["to_type"])
        if relation in CONSUMES | RELIES:
            start, end = end, start
        web.onward[start[0]].append(_Step(*end, relation, edge))
        web.back[end[0]].append(_Step(*start, relation, edge))
        if relation == "reads_secret":
            # Whoever relies on a leaked secret has to be told, though the secret does not control it.
            web.onward[other].append(_Step(one, edge["from_type"], "relied_on_by", edge))
    return web


def _walk(web: _Web, start: str, direction: str) -> Iterator[dict[str, Any]]:
    seen = {start}
    waiting: deque[tuple[str, tuple[_Step, ...]]] = deque([(start, ())])
    while waiting:
        uid, way = waiting.popleft()
        if len(way) >= _DEEPEST:
            continue
        for step in _steps(web, uid, way, direction):
            if step.uid in seen:
                continue
            seen.add(step.uid)
            further = (*way, step)
            yield _path_row(start, direction, further)
            if step.relation not in ("relied_on_by", "may_use", "may_copy", "attached", "trusts_issuer"):
                waiting.append((step.uid, further))


def _steps(web: _Web, uid: str, way: tuple[_Step, ...], direction: str) -> list[_Step]:
    found = (web.onward if direction == "reaches" else web.back).get(uid, [])
    if direction == "reaches":
        if way and way[-1].relation == "reads_secret":
            # From a secret that was read, only onward to what it signs in as: its other readers are not reached.
            found = [step for step in found if step.relation != "relied_on_by"]
        found = [*found, *_through_account(web, uid)]
    return sorted(found, key=lambda step: (step.relation, step.uid))


def _through_account(web: _Web, uid: str) -> Iterator[_Step]:
    """Rule 4: roles that trust the whole account of this identity, or anybody."""
    account = uid.split(":")[4] if uid.startswith("arn:") and uid.count(":") >= 5 else ""  # noqa: PLR2004 - six parts in an ARN
    if not account or not any(part in uid for part in (":user/", ":role/")):
        return
    for edge in (*web.accounts.get(account, ()), *web.anyone):
        if edge["relation"] != "assumes" or edge["to_uid"] == uid:
            continue
        decision = _may_assume(web, uid, account, edge)
        if decision is None:
            yield _Step(edge["to_uid"], edge["to_type"], "assumes", edge, "not known")
        elif decision.verdict != "denied":
            yield _Step(
                edge["to_uid"],
                edge["to_type"],
                "assumes",
                edge,
                None if decision.verdict == "allowed" else "conditional",
            )


def _may_assume(web: _Web, uid: str, account: str, edge: Row) -> Decision | None:
    grants = web.holders.get(uid)
    if not grants:
        return None
    return may(Holder(uid, account), Question("sts:AssumeRole", edge["to_uid"]), grants)


def _start_row(web: _Web, start: str) -> dict[str, Any]:
    """The start itself, with what was looked at: without state, what could be is not known (rule 2)."""
    edges = [step.edge for step in (*web.onward.get(start, ()), *web.back.get(start, ()))]
    in_state = any(edge["seen"] != "log" for edge in edges) or start in web.holders
    return {
        "subject_uid": start,
        "direction": "start",
        "uid": start,
        "type": None,
        "depth": 0,
        "path": f"{short(start)}: {'captured state names it' if in_state else 'no captured state names it'}",
        "relation": None,
        "before_uid": None,
        "before_type": None,
        "seen": "state" if in_state else "log",
        "standing": "certain" if in_state else "not known",
        "condition": None,
        "row_id": min((edge["row_id"] for edge in edges if edge["row_id"] is not None), default=None),
        "start_row_id": None,
    }


def _path_row(start: str, direction: str, way: tuple[_Step, ...]) -> dict[str, Any]:
    seen = {step.edge["seen"] for step in way}
    condition = next((step.edge["condition"] for step in way if step.edge["condition"]), None)
    doubts = [step.doubt for step in way if step.doubt]
    standing = "not known" if "not known" in doubts else "conditional" if doubts or condition else "certain"
    return {
        "subject_uid": start,
        "direction": direction,
        "uid": way[-1].uid,
        "type": way[-1].kind,
        "depth": len(way),
        "path": _words(start, direction, way),
        "relation": way[-1].relation,
        "before_uid": way[-2].uid if len(way) > 1 else start,
        "before_type": way[-2].kind if len(way) > 1 else None,
        "seen": seen.pop() if len(seen) == 1 else "mixed",
        "standing": standing,
        "condition": condition,
        "row_id": way[-1].edge["row_id"],
        "start_row_id": way[0].edge["row_id"],
    }


def _words(start: str, direction: str, way: tuple[_Step, ...]) -> str:
    names = [start, *(step.uid for step in way)]
    verbs = [
        "is relied on by" if step.relation == "relied_on_by" else _WORDS.get(step.relation, step.relation)
        for step in way
    ]
    if direction == "reached_by":
        names.reverse()
        verbs.reverse()
    parts = [short(names[0])]
    for verb, name in zip(verbs, names[1:], strict=True):
        parts += [verb, short(name)]
    return " ".join(parts)
