"""What a suspect could have done by captured grants, and what it did by the logs, in the same words (I4).

Rules:
1. Deeds are ``list``, ``read``, ``modify``, ``delete``, ``export`` and ``permissions`` (who else gets access). An
   export is an act that moves data, or the means to it, to where we do not see it.
2. ``held`` gives each identity the grants of its policies, groups, roles and boundaries; a policy that is attached and
   was not captured is a row with the effect ``unknown``, and then "denied" is never said.
3. A wildcard is asked action by action, from a list of those that matter; actions granted by name are asked as well.
4. Without captured grants of an identity the row says "cannot tell": absent state is not "nothing".
5. What the suspect could become counts too, with the path that leads there, unless the path is only a guess.

Not handled here: whether the data existed then; what a service could do in the actor's name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.investigation.access_levels import aws, aws_level, aws_tags, kubernetes_level
from holdfast.investigation.activity import Column
from holdfast.investigation.captured import GRANTS
from holdfast.investigation.policies import Decision, Holder, Question, may, overlaps
from holdfast.investigation.state_readers._aws_policies import account_of
from holdfast.investigation.trust import short

Row = Mapping[str, Any]
Tables = Mapping[str, list[Row]]

HELD = GRANTS
HELD_AFTER = ("grants", "trust_edges")
COULD: tuple[Column, ...] = (
    Column("subject_uid", "text", "suspect"),
    Column("holder_uid", "text", "identity whose grants decide: the suspect, or what it could become"),
    Column("through", "text", "path from the suspect to the holder; null when it is the suspect itself"),
    Column("service", "text", "service"),
    Column("data", "text", "kind of data, where the reference names it"),
    Column("deed", "text", "list, read, modify, delete, export or permissions"),
    Column("verdict", "text", "allowed, conditional or cannot_tell"),
    Column("actions", "text", "the actions, by name"),
    Column("resources", "text", "on what"),
    Column("why", "text", "the grant that decides, and what it hangs on"),
    Column("row_id", "integer", "document that shows it"),
    Column("path_row_id", "integer", "last step of the path"),
    Column("what", "text", "the row in words"),
)
COULD_AFTER = ("held", "trust_paths", "suspects")
DID: tuple[Column, ...] = (
    Column("source", "text", "log that tells of it"),
    Column("account_uid", "text", "account"),
    Column("service", "text", "service"),
    Column("data_set", "text", "bucket, table, secret, repository or other target"),
    Column("deed", "text", "list, read, modify, delete, export or permissions"),
    Column("outcome", "text", "done or refused"),
    Column("operations", "text", "what was called"),
    Column("actors", "text", "under which identities"),
    Column("events", "integer", "how often"),
    Column("targets", "integer", "how many different targets"),
    Column("first_us", "integer", "first time"),
    Column("last_us", "integer", "last time"),
    Column("row_id", "integer", "first record"),
    Column("last_row_id", "integer", "last record"),
    Column("what", "text", "the row in words"),
)
DID_AFTER = ("suspect_acts",)

_DELETES = re.compile(
    r"(?i)(?:^|[:. _])(?:batch)?(?:delete|remove|destroy|purge|terminate|drop|deregister|schedulekeydeletion)"
    r"|\.destroy$"
)
_READS = re.compile(
    r"(?i)^(?:get|describe|batchget|head|lookup|search|query|scan|select|read|view|download|fetch|access|"
    r"mailitemsaccessed|fileaccessed|messagebind)|\.(?:get|read|access|fetch|clone)\b"
)
_LISTS = re.compile(r"(?i)^(?:list|search)|\.list\b")
_PERMITS = re.compile(
    r"(?i)permission|privilege|\brole|policy|member|collaborator|acl|setiam|consent|delegat|rolebinding"
)
EXPORTS = frozenset(
    {
        ("github.audit", "git.clone"),
        ("github.audit", "repo.download_zip"),
        ("github.audit", "repo.transfer"),
        ("github.audit", "migration.create"),
        ("gitlab.audit", "project_export_created"),
        ("gitlab.audit", "group_export_created"),
        ("k8s.audit", "list secrets"),
        ("gws.admin", "CUSTOMER_TAKEOUT_CREATED"),
        ("gws.admin", "CREATE_DATA_TRANSFER_REQUEST"),
        ("gws.drive", "download"),
        ("gws.drive", "copy"),
        ("m365.ual", "FileDownloaded"),
        ("m365.ual", "FileSyncDownloadedFull"),
        ("m365.ual", "MailItemsAccessed"),
        ("m365.ual", "New-ComplianceSearchAction"),
        ("m365.ual", "New-MailboxExportRequest"),
        ("aws.cloudtrail", "GetSecretValue"),
        ("aws.cloudtrail", "BatchGetSecretValue"),
        ("aws.cloudtrail", "GetParameter"),
        ("aws.cloudtrail", "GetParameters"),
        ("aws.cloudtrail", "GetParametersByPath"),
        ("aws.cloudtrail", "GetPasswordData"),
        ("aws.cloudtrail", "GetObject"),
        ("aws.cloudtrail", "CopyObject"),
        ("aws.cloudtrail", "SharedSnapshotCopyInitiated"),
        ("aws.cloudtrail", "SharedSnapshotVolumeCreated"),
        ("aws.cloudtrail", "PutBucketReplication"),
        ("vault.audit", "read"),
    }
)
"""Acts that hand contents to the caller or to a place outside, by source and operation, beside those tagged Export."""
_SHOWN = 6
_HOLDERS = 40


def held(tables: Tables) -> list[dict[str, Any]]:
    """Rows of ``held``: grants by the identity that ends up with them.

    Args:
        tables: rows of the tables in :data:`HELD_AFTER`.
    """
    own: dict[str, list[Row]] = defaultdict(list)
    for grant in tables["grants"]:
        own[grant["holder_uid"]].append(grant)
    names = _names(tables)
    links: dict[str, list[tuple[str, str, Row]]] = defaultdict(list)
    for edge in tables["trust_edges"]:
        if edge["relation"] in ("attached", "limited_by", "member_of"):
            links[names.get(edge["from_uid"], edge["from_uid"])].append((edge["relation"], edge["to_uid"], edge))
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for holder in sorted({*own, *links}):
        for row in _of(holder, own, links):
            row["holder_uid"] = names.get(holder, holder)
            key = tuple(row[column.name] for column in HELD if column.name not in ("captured_us", "row_id"))
            rows.setdefault(key, row)
    return list(rows.values())


def _names(tables: Tables) -> Mapping[str, str]:
    """``user/NAME`` to its ARN, where one is known."""
    arns: dict[str, set[str]] = defaultdict(set)
    for uid in {
        *(grant["holder_uid"] for grant in tables["grants"]),
        *(edge["from_uid"] for edge in tables["trust_edges"]),
    }:
        for kind in ("user", "role", "group"):
            if f":{kind}/" in uid:
                arns[f"{kind}/{uid.rpartition('/')[2]}"].add(uid)
    return {name: next(iter(found)) for name, found in arns.items() if len(found) == 1}


def _of(
    holder: str, own: Mapping[str, list[Row]], links: Mapping[str, list[tuple[str, str, Row]]]
) -> Iterator[dict[str, Any]]:
    for grant in own.get(holder, ()):
        yield dict(grant)
    groups = [to for relation, to, _ in links.get(holder, ()) if relation == "member_of"]
    for group in groups:
        for grant in own.get(group, ()):
            yield {**grant, "via": f"group {group.rpartition('/')[2]}: {grant['via']}"}
    for identity in (holder, *groups):
        for relation, policy, edge in links.get(identity, ()):
            if relation == "member_of" or (relation == "limited_by" and identity != holder):
                continue
            yield from _policy_rows(policy, own.get(policy), edge, limits=relation == "limited_by")


def _policy_rows(policy: str, grants: list[Row] | None, edge: Row, *, limits: bool) -> Iterator[dict[str, Any]]:
    if not grants:
        yield {
            "effect": "unknown",
            "service": "*",
            "action": "*",
            "resource": "*",
            "access_level": None,
            "via": policy,
            "condition": None,
            "boundary": limits,
            "account_uid": edge["account_uid"],
            "captured_us": edge["captured_us"],
            "row_id": edge["row_id"],
        }
        return
    space = _namespace(edge["condition"])
    for grant in grants:
        row = {**grant, "boundary": limits or bool(grant["boundary"])}
        if limits:
            row["via"] = f"boundary {policy}"
        if space is not None and str(row["resource"]).startswith("*/"):
            row["resource"] = f"{space}/{row['resource'][2:]}"
        yield row


def _namespace(condition: str | None) -> str | None:
    """Namespace that a role binding keeps its role to."""
    if condition is None:
        return None
    try:
        found = orjson.loads(condition)
    except orjson.JSONDecodeError:
        return None
    return found.get("namespace") if isinstance(found, Mapping) else None


def could(tables: Tables) -> list[dict[str, Any]]:
    """Rows of ``could_do``, by suspect, holder and service.

    Args:
        tables: rows of the tables in :data:`COULD_AFTER`.
    """
    grants: dict[str, list[Row]] = defaultdict(list)
    shared: list[Row] = []
    for row in tables["held"]:
        via = str(row["via"] or "")
        if via.startswith(("resource-policy", "organisation-policy")):
            shared.append(row)
        else:
            grants[row["holder_uid"]].append(row)
    rows: list[dict[str, Any]] = []
    holders = _holders(tables)
    known = {subject for subject, holder, _ in holders if grants.get(holder)}
    for subject, holder, path in holders:
        if not grants.get(holder):
            if path is None and subject not in known:
                rows.append(_nothing_known(subject))
            continue
        for row in _asked(holder, [*grants[holder], *shared]):
            through = None if path is None else path["path"]
            row["what"] = _could_words(holder, through, row)
            rows.append({"subject_uid": subject, "holder_uid": holder, "through": through, **row,
                         "path_row_id": None if path is None else path["row_id"]})  # fmt: skip
    return rows


def _holders(tables: Tables) -> list[tuple[str, str, Row | None]]:
    """Suspect identities and what they could become: each holder once, by the shortest path."""
    found: dict[str, tuple[str, str, Row | None]] = {}
    ordered = sorted(tables["trust_paths"], key=lambda path: (path["depth"], path["subject_uid"], path["uid"]))
    for row in sorted(tables["suspects"], key=lambda row: str(row["value"])):
        if row["kind"] == "actor":
            found[str(row["value"])] = (str(row["value"]), str(row["value"]), None)
    for path in ordered:
        if path["direction"] == "start":
            found.setdefault(path["uid"], (path["uid"], path["uid"], None))
        elif path["direction"] == "reaches" and path["relation"] in ("assumes", "signs_in_as", "runs_as"):
            found.setdefault(path["uid"], (path["subject_uid"], path["uid"], path))
    return list(found.values())[:_HOLDERS]


def _nothing_known(subject: str) -> dict[str, Any]:
    return {
        "subject_uid": subject,
        "holder_uid": subject,
        "service": "*",
        "deed": "unknown",
        "verdict": "cannot_tell",
        "why": "no captured state holds its permissions",
        "what": f"Cannot tell what {short(subject)} could do: no captured state holds its permissions",
    }


@dataclass(frozen=True, slots=True)
class _Found:
    """One action on one resource, decided."""

    action: str
    resource: str
    decision: Decision


def _asked(holder: str, grants: list[Row]) -> Iterator[dict[str, Any]]:
    account = account_of(holder) or next((str(row["account_uid"]) for row in grants if row["account_uid"]), None)
    asker = Holder(holder, account)
    groups: dict[tuple[str, str | None, str, str], list[_Found]] = defaultdict(list)
    for action, data, allows in _candidates(grants):
        relevant = [row for row in grants if overlaps(str(row["action"]).lower(), action.lower())]
        for resource in sorted({str(row["resource"]) for row in allows})[:20]:
            if not _fits(action, resource):
                continue
            decision = may(asker, Question(action, resource, _owner(resource)), relevant)
            if decision.verdict in ("allowed", "conditional", "cannot_tell"):
                service = (
                    allows[0]["service"]
                    if ":" not in action or allows[0]["service"] in ("k8s", "github")
                    else action.partition(":")[0].lower()
                )
                groups[service, data, deed_of(service, action), decision.verdict].append(
                    _Found(action, resource, decision)
                )
    for (service, data, deed, verdict), found in sorted(
        groups.items(), key=lambda pair: (pair[0][0], pair[0][2], str(pair[0][1]), pair[0][3])
    ):
        yield _could_row((service, data, deed, verdict), found)
    unknown = [row for row in grants if row["effect"] == "unknown"]
    if unknown:
        names = ", ".join(sorted({str(row["via"]).rpartition("/")[2] for row in unknown}))
        yield {"service": "*", "deed": "unknown", "verdict": "cannot_tell", "row_id": unknown[0]["row_id"],
               "why": f"attached, but not captured: {names}"}  # fmt: skip


def _candidates(grants: list[Row]) -> Iterator[tuple[str, str | None, list[Row]]]:
    """Rule 3: actions to ask, the kind of data they are about, and the grants that might allow them."""
    allows = [row for row in grants if row["effect"] == "allow" and not row["boundary"]]
    asked: dict[str, str | None] = {action: data for data, actions in aws().asked.items() for action in actions}
    cloud = [row for row in allows if row["service"] not in ("k8s", "github")]
    for row in cloud:
        name = str(row["action"])
        if not name.startswith("!") and "*" not in name and "?" not in name and ":" in name:
            asked.setdefault(_spelled(name, asked), None)
    for action, data in asked.items():
        matching = [row for row in cloud if overlaps(str(row["action"]).lower(), action.lower())]
        if matching:
            yield action, data, matching
    seen: set[str] = set()
    for row in allows:
        if row["service"] in ("k8s", "github") and row["action"] not in seen:
            seen.add(row["action"])
            yield row["action"], None, [one for one in allows if one["action"] == row["action"]]


def _spelled(name: str, asked: Mapping[str, Any]) -> str:
    return next((known for known in asked if known.lower() == name.lower()), name)


def _fits(action: str, resource: str) -> bool:
    """Whether an action can be about a resource at all: an ARN of another service is not for it."""
    parts = resource.split(":")
    if len(parts) < 3 or parts[0] != "arn" or "*" in parts[2] or "?" in parts[2]:  # noqa: PLR2004 - the service of an ARN
        return True
    service = action.partition(":")[0].lower()
    return parts[2] == service or {parts[2], service} in ({"iam", "sts"}, {"rds", "rds-db"}, {"ec2", "ssm"})


def _owner(resource: str) -> str | None:
    account = account_of(resource)
    return account if account and account.isdigit() else None


def _could_row(key: tuple[str, str | None, str, str], found: list[_Found]) -> dict[str, Any]:
    service, data, deed, verdict = key
    first = found[0].decision
    hangs = sorted({condition for one in found for condition in one.decision.conditions})
    why = first.why if not hangs else f"{first.why}: {'; '.join(hangs[:2])}"
    return {
        "service": service,
        "data": data,
        "deed": deed,
        "verdict": verdict,
        "actions": _some({one.action.partition(":")[2] or one.action for one in found}),
        "resources": _some({one.resource for one in found}),
        "why": why[:400],
        "row_id": next((row["row_id"] for row in first.deciding), None),
    }


_VERBS: Mapping[str, str] = {
    "list": "list",
    "read": "read",
    "modify": "change",
    "delete": "delete",
    "export": "export or hand out",
    "permissions": "change access to",
}


def _could_words(holder: str, through: str | None, row: Row) -> str:
    who = short(holder)
    way = f" (reached: {through})" if through else ""
    if row["verdict"] == "cannot_tell":
        return f"Cannot tell all that {who} could do{way}: {row['why']}"
    could = "could" if row["verdict"] == "allowed" else "could, on a condition,"
    about = f" {row['data']}" if row.get("data") else ""
    return (
        f"{who} {could} {_VERBS.get(row['deed'], row['deed'])}{about} in {row['service']}: {row['actions']} "
        f"on {row['resources']}{way}"
    )


def _some(texts: Iterable[str]) -> str:
    kept = sorted(set(texts))
    more = f" and {len(kept) - _SHOWN} more" if len(kept) > _SHOWN else ""
    return ", ".join(kept[:_SHOWN]) + more


def deed_of(service: str, action: str) -> str:
    """What an action is to a responder (rule 1)."""
    if service in ("k8s", "github"):
        verb = action.rpartition(":")[2]
        if verb == "list" and kubernetes_level(action.partition(":")[0], verb) == "read":
            return "read"
        return {"get": "read", "watch": "read", "list": "list", "read": "read", "*": "permissions"}.get(
            verb, "delete" if verb.startswith("delete") else "modify"
        )
    if "Export" in aws_tags(action):
        return "export"
    level = aws_level(action)
    if level == "permissions":
        return "permissions"
    if level in ("write", "tagging", "all"):
        return "delete" if _DELETES.search(action.partition(":")[2]) else "modify"
    return level


def did(tables: Tables) -> list[dict[str, Any]]:
    """Rows of ``did_do``: acts of suspects by source, service, data set and deed.

    Args:
        tables: rows of the tables in :data:`DID_AFTER`.
    """
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for act in tables["suspect_acts"]:
        deed = act_deed(act)
        groups[act["source"], act["account_uid"], act["service"], data_set(act), deed, act["outcome"]].append(act)
    rows = [_did_row(key, acts) for key, acts in groups.items()]
    return sorted(rows, key=lambda row: (row["first_us"], row["row_id"]))


def act_deed(act: Row) -> str:
    """What an act of the activity table was to a responder."""
    operation, source = str(act["operation"] or ""), act["source"]
    plain = re.sub(r"20\d{6}(?:v\d)?$", "", operation)
    if (source, plain) in EXPORTS:
        return "export"
    if act["event_class"] == "signin":
        return "sign-in"
    if source == "aws.cloudtrail":
        return deed_of(str(act["service"]), f"{act['service']}:{plain}")
    return _plain_deed(act, operation)


def _plain_deed(act: Row, operation: str) -> str:
    if _DELETES.search(operation):
        return "delete"
    if act["access"] == "read" or (act["access"] is None and (_READS.search(operation) or _LISTS.search(operation))):
        return "list" if _LISTS.search(operation) else "read"
    return "permissions" if _PERMITS.search(operation) else "modify"


def data_set(act: Row) -> str | None:
    """The bucket of an object, the table of an item, and otherwise the target itself."""
    target = act["target_uid"]
    if target is None:
        return None
    if act["service"] == "s3":
        name = str(target).removeprefix("arn:aws:s3:::")
        return name.partition("/")[0]
    return str(target)


def _did_row(key: tuple[Any, ...], acts: list[Row]) -> dict[str, Any]:
    source, account, service, data, deed, outcome = key
    calls, actors = (
        _some(str(act["operation"]) for act in acts),
        _some(short(str(act["actor_uid"] or "unknown")) for act in acts),
    )
    events = sum(act["events"] for act in acts)
    times = f", {events} times" if events > 1 else ""
    strange = sum(act.get("new_events") or 0 for act in acts)
    address = next((act["new_address"] for act in acts if act.get("new_address")), None)
    apart = f", {strange} of them from {address}, new to the credential" if strange and events > 1 else ""
    on = f" on {short(str(data))}" if data else ""
    first = min(acts, key=lambda act: (act["first_us"], act["first_row"]))
    last = max(acts, key=lambda act: (act["last_us"], act["last_row"]))
    return {
        "source": source,
        "account_uid": account,
        "service": service,
        "data_set": data,
        "deed": deed,
        "outcome": outcome,
        "operations": calls,
        "actors": actors,
        "events": events,
        "targets": len({act["target_uid"] for act in acts if act["target_uid"] is not None}),
        "first_us": first["first_us"],
        "last_us": last["last_us"],
        "row_id": first["first_row"],
        "last_row_id": last["last_row"],
        "what": f"{actors} {'was refused' if outcome == 'refused' else 'did'} {calls}{on}{times}{apart} ({deed})",
    }
