"""Who trusts whom: one graph from what the logs show and from captured state (I3).

Rules:
1. An edge says what it lets happen: whoever controls ``from`` becomes, reads, changes or runs in ``to``. What consumes
   an artifact (a workload its image, a job its action) is controlled by it, so that edge is walked backwards.
2. An edge is seen in the ``log``, in captured ``state``, or in ``both``. State tells what could be, logs what was.
3. Names of one thing are brought together: a secret by its ARN, with or without the random end, or by its name; a role
   by its ARN; an OIDC subject by the patterns that meet it; a user by ``user/NAME`` where one account has that user.

Not handled here: the paths through it (``trust_paths``), network reach, and whether a condition held.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from holdfast.investigation.activity import Column
from holdfast.investigation.policies import overlaps

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
EDGES_AFTER = ("trust_edges", "issues", "suspect_credentials", "log_uses")
_RANDOM_END = re.compile(r"-[A-Za-z0-9]{6}$")


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


def short(uid: str) -> str:
    """A name that fits into a sentence: an ARN's resource with its account, other names as they are."""
    parts = uid.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":  # noqa: PLR2004 - six parts in an ARN
        return f"{parts[5]} ({parts[4]})" if parts[4] else parts[5]
    return uid
