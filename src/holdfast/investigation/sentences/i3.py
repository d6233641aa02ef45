"""I3 in one sentence: how many systems trust it, which come first, and what the logs alone cannot tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

KINDS: Mapping[str, tuple[str, str]] = {
    "role": ("role", "roles"),
    "user": ("user", "users"),
    "secret": ("secret", "secrets"),
    "workload": ("workload", "workloads"),
    "job": ("CI job", "CI jobs"),
    "access_key": ("access key", "access keys"),
    "credential": ("credential", "credentials"),
    "repository": ("repository", "repositories"),
    "service_account": ("service account", "service accounts"),
    "resource": ("resource", "resources"),
    "image": ("image", "images"),
    "policy": ("policy", "policies"),
    "k8s_role": ("cluster role", "cluster roles"),
    "key": ("encryption key", "encryption keys"),
    "snapshot": ("snapshot", "snapshots"),
}


def sentence(results: Mapping[str, Sequence[Row]], facts: Mapping[str, Any]) -> str:
    """The answer to "who trusts it", from the rows of its queries and the facts of the run."""
    reach, back, state = (results.get(name, ()) for name in ("i3_reach", "i3_reached_by", "i3_state"))
    blind = [row for row in state if row.get("standing") != "certain"]
    parts: list[str] = []
    if reach:
        total = facts.get("totals", {}).get("i3_reach", len(reach))
        subjects = sorted({str(row["subject_uid"]) for row in reach})
        who = subjects[0] if len(subjects) == 1 else f"{len(subjects)} suspects or subjects"
        parts.append(f"{total} {'system trusts' if total == 1 else 'systems trust'} {who} ({counted(reach)})")
        parts.append(f"first: {reach[0]['what']}")
        doubtful = sum(1 for row in reach if row.get("standing") != "certain")
        if doubtful:
            parts.append(f"{doubtful} of them only on a condition or a guess")
    elif reason := facts.get("cannot_tell", {}).get("i3_reach"):
        parts.append(f"Cannot tell which systems trust it, because {reason}")
    elif state:
        parts.append("No system was seen to trust it")
    else:
        return "Cannot tell who trusts it: nobody was asked about, and nobody in the logs is suspect."
    if back:
        total = facts.get("totals", {}).get("i3_reached_by", len(back))
        parts.append(f"{total} {'leads' if total == 1 else 'lead'} to it")
    if blind:
        parts.append(f"no captured state names {_named(blind)}, so this is only what the logs show")
    if gaps := facts.get("totals", {}).get("i3_not_understood", len(results.get("i3_not_understood", ()))):
        parts.append(f"{gaps} {'place' if gaps == 1 else 'places'} of the captured state could not be read whole")
    return "; ".join(parts) + "."


def counted(rows: Sequence[Row]) -> str:
    """``3 roles, 1 secret``: rows by kind, the many first."""
    counts = Counter(str(row.get("type") or "other") for row in rows)
    told = []
    for kind, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        one, many = KINDS.get(kind, (kind.replace("_", " "), kind.replace("_", " ")))
        told.append(f"{number} {one if number == 1 else many}")
    return ", ".join(told)


def _named(rows: Sequence[Row]) -> str:
    names = sorted({str(row["subject_uid"]) for row in rows})
    return names[0] if len(names) == 1 else f"{len(names)} of them"
