"""Who trusts whom: one graph from what the logs show and from captured state, and the paths through it (I3).

Rules:
1. An edge says what it lets happen: whoever controls ``from`` becomes, reads, changes or runs in ``to``. What consumes
   an artifact (a workload its image, a job its action) is controlled by it, so that edge is walked backwards.
2. An edge is seen in the ``log``, in captured ``state``, or in ``both``. State tells what could be, logs what was.
3. Names of one thing are brought together: a secret by its ARN, with or without the random end, or by its name; a role
   by its ARN; an OIDC subject by the patterns that meet it; a user by ``user/NAME`` where one account has that user.
4. Trust in a whole account leads on from an identity of that account only where its grants allow ``sts:AssumeRole``;
   with no captured grants of that identity the step is kept, marked as not known.
5. Paths start at the subjects asked about, or else at the suspects; the shortest is kept, at most eight steps, and at
   most 20,000 of them: a cut is told.

Not handled here: network reach, and whether a condition held.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from holdfast.investigation.activity import Column
from holdfast.investigation.policies import Decision, Holder, Question, may, overlaps

Row = Mapping[str, Any]
Tables = Mapping[str, list[Row]]

EDGES: tuple[Column, ...] = (
    Column("from_uid", "text", "who may"),
    Column("from_type", "text", "kind of it"),
    Column("relation", "text", "assumes, signs_in_as, reads_secret, pulls, attached, …"),
    Column("to_uid", "text", "what it leads to"),
    Column("to_type", "text", "kind of it"),
    Column("seen", "text", "log, state or both"),
    Column("condition", "text", "condition of the captured state as JSON text"),
    Column("account_uid", "text", "account, organisation or cluster"),
    Column("events", "integer", "times the logs show it"),
    Column("first_us", "integer", "first time in the logs"),
    Column("last_us", "integer", "last time in the logs"),
    Column("captured_us", "integer", "when the state was captured"),
    Column("row_id", "integer", "record or document that shows it"),
)
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
EDGES_AFTER = ("trust_edges", "issues", "suspect_credentials", "log_uses")
PATHS_AFTER = ("trust_graph", "held", "suspects", "subjects")

BECOMES = frozenset({"assumes", "signs_in_as", "runs_as", "presents", "member_of", "meets", "issued"})
"""Relations by which control of one identity is control of another."""
OBTAINS = frozenset({"reads_secret", "may_use", "may_copy", "may_read", "may_write", "attached", "trusts_issuer"})
CONSUMES = frozenset({"pulls", "uses_action"})
"""``from`` takes ``to`` in and is controlled by it."""
RELIES = frozenset({"copied_from"})
_MOST = 20_000
_DEEPEST = 8
_RANDOM_END = re.compile(r"-[A-Za-z0-9]{6}$")
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


def secret_name(uid: str) -> str:
    """A secret as every record can name it: without ARN and without the six random characters behind the name."""
    head, found, name = uid.partition(":secret:")
    if found and head.startswith("arn:"):
        return _RANDOM_END.sub("", name)
    _, found, name = uid.partition(":parameter")
    return name if found and uid.startswith("arn:") else uid


def graph(tables: Tables) -> list[dict[str, Any]]:
    """Rows of ``trust_graph``, by from, relation and to.

    Args:
        tables: rows of the tables in :data:`EDGES_AFTER`.
    """
    users = _users(tables)
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for edge in (*_from_state(tables["trust_edges"]), *_from_logs(tables)):
        whole = {
            **edge,
            "from_uid": users.get(edge["from_uid"], edge["from_uid"]),
            "to_uid": users.get(edge["to_uid"], edge["to_uid"]),
        }
        if whole["from_uid"] == whole["to_uid"]:
            continue
        key = (whole["from_uid"], whole["relation"], whole["to_uid"])
        found[key] = _merged(found[key], whole) if key in found else whole
    for edge in _meetings(found.values()):
        found.setdefault((edge["from_uid"], edge["relation"], edge["to_uid"]), edge)
    return [found[key] for key in sorted(found)]


def _from_state(edges: Iterable[Row]) -> Iterator[dict[str, Any]]:
    for edge in edges:
        yield {
            **{name: edge[name] for name in ("relation", "condition", "account_uid", "captured_us", "row_id")},
            "from_uid": _canonical(edge["from_uid"], edge["from_type"]),
            "from_type": edge["from_type"],
            "to_uid": _canonical(edge["to_uid"], edge["to_type"]),
            "to_type": edge["to_type"],
            "seen": "state",
            "events": None,
            "first_us": None,
            "last_us": None,
        }


def _canonical(uid: str, kind: str) -> str:
    return secret_name(uid) if kind == "secret" else uid


def _from_logs(tables: Tables) -> Iterator[dict[str, Any]]:
    for issue in tables["issues"]:
        edge = _issue_edge(issue)
        if edge is not None:
            yield edge
    for used in tables["suspect_credentials"]:
        if used["actor_uid"]:
            yield _log_edge(
                (used["credential_uid"], "credential"),
                "signs_in_as",
                (used["actor_uid"], _kind_of(used["actor_uid"], used["actor_type"])),
                used,
            )
    for used in tables["log_uses"]:
        yield from _use_edges(used)


def _log_edge(start: tuple[str, str], relation: str, end: tuple[str, str], row: Row) -> dict[str, Any]:
    return {
        "from_uid": start[0],
        "from_type": start[1],
        "relation": relation,
        "to_uid": end[0],
        "to_type": end[1],
        "seen": "log",
        "condition": None,
        "account_uid": row["account_uid"],
        "events": row.get("events") or 1,
        "first_us": row.get("first_us", row.get("time_us")),
        "last_us": row.get("last_us", row.get("time_us")),
        "captured_us": None,
        "row_id": row.get("first_row", row.get("row_id")),
    }


def _issue_edge(issue: Row) -> dict[str, Any] | None:
    """An assumed role: who became which; a made key: who made it."""
    role = issue.get("role_uid")
    if role:
        if issue.get("subject"):
            issuer = str(issue.get("issuer") or "*").partition("oidc-provider/")[2] or str(issue.get("issuer") or "*")
            return _log_edge((f"{issuer}|{issue['subject']}", "oidc_subject"), "assumes", (role, "role"), issue)
        actor = issue["actor_uid"] or issue["credential_uid"]
        return (
            _log_edge((actor, _kind_of(actor, issue["actor_type"])), "assumes", (role, "role"), issue)
            if actor
            else None
        )
    if issue["issued_credential_uid"] and issue["actor_uid"] and issue["operation"] == "CreateAccessKey":
        return _log_edge(
            (issue["actor_uid"], _kind_of(issue["actor_uid"], issue["actor_type"])),
            "issued",
            (issue["issued_credential_uid"], "access_key"),
            issue,
        )
    return None


def _kind_of(uid: str, kind: str | None) -> str:
    for part in ("user", "role"):
        if f":{part}/" in uid:
            return part
    if uid.startswith("system:serviceaccount:"):
        return "service_account"
    return kind or "principal"


def _use_edges(used: Row) -> Iterator[dict[str, Any]]:
    actor = used["actor_uid"]
    operation = used["operation"]
    if operation == "workflows.prepared_workflow_job":
        yield from _job_edges(used)
        return
    target = used["named"] or used["target_uid"]
    if not actor or not target:
        return
    start = (actor, _kind_of(actor, used["actor_type"]))
    if operation in ("BatchGetImage", "GetDownloadUrlForLayer"):
        yield _log_edge(start, "pulls", (target, "image"), used)
    elif operation in ("git.clone", "repo.download_zip"):
        yield _log_edge(start, "may_read", (target, "repository"), used)
    elif operation == "git.push":
        yield _log_edge(start, "may_write", (target, "repository"), used)
    elif operation == "Decrypt":
        yield _log_edge(start, "may_use", (target, "key"), used)
    else:
        yield _log_edge(start, "reads_secret", (_secret_target(used), "secret"), used)


def _job_edges(used: Row) -> Iterator[dict[str, Any]]:
    """``secrets_passed`` of GitHub's prepared job: which job was handed which secret, named as state names them."""
    try:
        told = orjson.loads(used["named"] or "null")
    except orjson.JSONDecodeError:
        return
    repo = used["target_uid"] or ""
    workflow = str(used["workflow"] or f"{repo}/jobs").partition("@")[0]
    for secret in told if isinstance(told, list) else []:
        end = (f"{repo}/secrets/{str(secret).rpartition('.')[2]}", "secret")
        yield _log_edge((f"{workflow}#{used['job'] or '?'}", "job"), "reads_secret", end, used)


def _secret_target(used: Row) -> str:
    """A secret as state names it: a cluster's is ``ns/name`` in its audit log and ``ns/secrets/name`` here."""
    target = str(used["named"] or used["target_uid"])
    if not str(used["operation"]).endswith(" secrets"):
        return secret_name(target)
    space, found, name = target.partition("/")
    return f"{space}/secrets/{name}" if found else target


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    kept = dict(one)
    kept["seen"] = one["seen"] if one["seen"] == other["seen"] else "both"
    kept["events"] = (one["events"] or 0) + (other["events"] or 0) or None
    firsts = [edge["first_us"] for edge in (one, other) if edge["first_us"] is not None]
    lasts = [edge["last_us"] for edge in (one, other) if edge["last_us"] is not None]
    kept["first_us"], kept["last_us"] = min(firsts, default=None), max(lasts, default=None)
    # Two statements trust the same: the one without a condition is what holds.
    states = [edge for edge in (one, other) if edge["seen"] != "log"]
    kept["condition"] = (
        None if any(edge["condition"] is None for edge in states) else one["condition"] or other["condition"]
    )
    kept["captured_us"] = max(
        (edge["captured_us"] for edge in (one, other) if edge["captured_us"] is not None), default=None
    )
    kept["row_id"] = min((edge["row_id"] for edge in (one, other) if edge["row_id"] is not None), default=None)
    return kept


def _users(tables: Tables) -> Mapping[str, str]:
    """``user/NAME`` to the ARN, where exactly one is known."""
    arns: dict[str, set[str]] = defaultdict(set)
    for edge in tables["trust_edges"]:
        for uid in (edge["from_uid"], edge["to_uid"]):
            for kind in ("user", "role", "group"):
                if uid and f":{kind}/" in uid:
                    arns[f"{kind}/{uid.rpartition('/')[2]}"].add(uid)
    for row in (*tables["issues"], *tables["suspect_credentials"]):
        uid = row["actor_uid"]
        if uid and ":user/" in uid:
            arns[f"user/{uid.rpartition('/')[2]}"].add(uid)
    return {name: next(iter(found)) for name, found in arns.items() if len(found) == 1}


def _meetings(edges: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What one side presents and the other trusts by a pattern: equal subjects need no edge, others get one."""
    presented: dict[str, dict[str, Any]] = {}
    trusted: dict[str, dict[str, Any]] = {}
    for edge in edges:
        if edge["to_type"] == "oidc_subject":
            presented[edge["to_uid"]] = edge
        if edge["from_type"] == "oidc_subject":
            (trusted if edge["seen"] != "log" else presented)[edge["from_uid"]] = edge
    return [
        {
            **edge,
            "from_uid": one,
            "from_type": "oidc_subject",
            "relation": "meets",
            "to_uid": other,
            "to_type": "oidc_subject",
            "condition": None,
        }
        for one, edge in sorted(presented.items())
        for other in sorted(trusted)
        if one != other and overlaps(one, other)
    ]


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


def short(uid: str) -> str:
    """A name that fits into a sentence: an ARN's resource with its account, other names as they are."""
    parts = uid.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":  # noqa: PLR2004 - six parts in an ARN
        return f"{parts[5]} ({parts[4]})" if parts[4] else parts[5]
    return uid
