"""AWS resources as captured: resource policies, buckets, snapshot and image shares, security groups, configurations.

Rules:
1. ``open_to`` tells who outside may use a resource, ``public`` that everybody may.
2. Answers that do not name their resource (GetBucketAcl, GetPublicAccessBlock) are kept under the capture's path,
   and a gap says so.
3. Resource configurations with a ``ResourceType`` of another kind than those read here become a gap by that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof
from holdfast.investigation.state_readers._aws_policies import (
    account_of,
    add_grants,
    add_resource_grants,
    add_trust,
    document,
)
from holdfast.investigation.state_readers._rows import Row, Rows, mappings, table, words

Value = Mapping[str, Any]
_EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
_ANYWHERE = ("0.0.0.0/0", "::/0")


def _policy_of(value: Value) -> tuple[str | None, object] | None:
    """Resource name (if the answer tells it) and policy of the answers that carry a resource's policy."""
    if isinstance(value.get("Policy"), str):
        return None, value["Policy"]
    if "ResourcePolicy" in value and "ARN" in value:
        return str(value["ARN"]), value["ResourcePolicy"]
    if "policyText" in value and "repositoryName" in value:
        return str(value["repositoryName"]), value["policyText"]
    policy = table(value.get("Attributes")).get("Policy")
    if policy is not None:
        attributes = table(value["Attributes"])
        return str(attributes.get("QueueArn") or attributes.get("TopicArn") or "") or None, policy
    return None


def _read_policy(rows: Rows, value: Value) -> None:
    name, policy = _policy_of(value) or (None, None)
    found = document(policy)
    if name is None:
        named = [arn for one in mappings(table(found).get("Statement")) for arn in words(one.get("Resource"))]
        name = min((arn.partition("/*")[0] for arn in named), key=len, default=rows.origin.path)
    rows.account = account_of(name)
    add_resource_grants(rows, name, policy)


def _read_acl(rows: Rows, value: Value) -> None:
    uid = str(value.get("Arn") or f"bucket of {rows.origin.path}")
    for grant in mappings(value.get("Grants")):
        grantee = table(grant.get("Grantee"))
        if grantee.get("URI") in _EVERYBODY:
            rows.item(uid, "bucket", public=f"{grant.get('Permission')} to {str(grantee['URI']).rpartition('/')[2]}")
        elif grantee.get("ID") != table(value.get("Owner")).get("ID"):
            rows.item(uid, "bucket", open_to={"principal": grantee.get("ID"), "permission": grant.get("Permission")})
    _unnamed(rows, value, uid)


def _unnamed(rows: Rows, value: Value, uid: str) -> None:
    if "Arn" not in value:
        rows.gap("kind of object", uid, "the answer does not name the bucket it is about")


def _read_block(rows: Rows, value: Value) -> None:
    uid = str(value.get("Arn") or f"bucket of {rows.origin.path}")
    block = table(value.get("PublicAccessBlockConfiguration"))
    missing = [key for key in ("BlockPublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets") if not block.get(key)]
    rows.item(uid, "bucket", public_access_block="partial" if missing else "on")
    _unnamed(rows, value, uid)


def _read_share(rows: Rows, value: Value) -> None:
    for key, permissions, kind in (
        ("SnapshotId", "CreateVolumePermissions", "snapshot"),
        ("ImageId", "LaunchPermissions", "image"),
    ):
        if key in value and permissions in value:
            _shared(
                rows,
                str(value[key]),
                kind,
                [str(one.get("UserId") or one.get("Group")) for one in mappings(value[permissions])],
            )
    result = table(value.get("DBSnapshotAttributesResult"))
    for attribute in mappings(result.get("DBSnapshotAttributes")):
        if attribute.get("AttributeName") == "restore":
            _shared(rows, str(result.get("DBSnapshotIdentifier")), "snapshot", words(attribute.get("AttributeValues")))


def _shared(rows: Rows, uid: str, kind: str, whom: list[str]) -> None:
    rows.item(uid, kind, shared="no" if not whom else None)
    for one in sorted(whom):
        rows.item(uid, kind, public="all" if one == "all" else None, open_to=None if one == "all" else one)
        rows.edge((one if one != "all" else "*", "account" if one != "all" else "anyone"), "may_copy", (uid, kind))


def _read_groups(rows: Rows, value: Value) -> None:
    for group in mappings(value.get("SecurityGroups")):
        uid = str(group.get("GroupId"))
        rows.account = str(group["OwnerId"]) if "OwnerId" in group else None
        rows.item(uid, "security_group", name=group.get("GroupName"))
        for rule in mappings(group.get("IpPermissions")):
            named = [one.get("CidrIp") for one in mappings(rule.get("IpRanges"))]
            named += [one.get("CidrIpv6") for one in mappings(rule.get("Ipv6Ranges"))]
            for source in named:
                ports = f"{rule.get('IpProtocol')} {rule.get('FromPort', 'all')}-{rule.get('ToPort', 'all')}"
                attribute = "public" if source in _ANYWHERE else "open_to"
                rows.item(uid, "security_group", **{attribute: f"{source} {ports}"})


def _has(*keys: str) -> Callable[[Value], bool]:
    return lambda value: all(key in value for key in keys)


_READ: tuple[tuple[Callable[[Value], bool], Callable[[Rows, Value], None]], ...] = (
    (lambda value: _policy_of(value) is not None, _read_policy),
    (_has("Grants", "Owner"), _read_acl),
    (_has("PublicAccessBlockConfiguration"), _read_block),
    (_has("SnapshotId", "CreateVolumePermissions"), _read_share),
    (_has("ImageId", "LaunchPermissions"), _read_share),
    (_has("DBSnapshotAttributesResult"), _read_share),
    (lambda value: any("IpPermissions" in one for one in mappings(value.get("SecurityGroups"))), _read_groups),
)


def _answer(value: object) -> bool:
    return isinstance(value, Mapping) and "ResourceType" not in value and any(fits(value) for fits, _ in _READ)


def _answer_tables(value: Value, origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    next(read for fits, read in _READ if fits(value))(rows, value)
    return rows.tables()


def _configured(value: object) -> bool:
    return isinstance(value, Mapping) and str(value.get("ResourceType", "")).startswith("AWS.")


def _configured_tables(value: Value, origin: Origin) -> Mapping[str, Iterable[Row]]:
    uid = str(value.get("Arn") or value.get("ARN") or value.get("ResourceId") or value.get("Id") or origin.path)
    rows = Rows(origin, str(value["AccountId"]) if value.get("AccountId") else account_of(uid))
    kind = str(value["ResourceType"])
    read = _CONFIGURED.get(kind)
    if read is None:
        rows.item(uid, kind.removeprefix("AWS."), state=value.get("State") or value.get("Status"))
        rows.gap("kind of object", uid, f"{kind}: only its state was read")
    else:
        read(rows, uid, value)
    return rows.tables()


def _role(rows: Rows, uid: str, value: Value) -> None:
    rows.item(uid, "role", name=value.get("Name"), created=value.get("CreateDate"))
    add_trust(rows, uid, value.get("AssumeRolePolicyDocument"))
    _held(rows, uid, "role", value)


def _user(rows: Rows, uid: str, value: Value) -> None:
    report = table(value.get("CredentialReport"))
    rows.item(uid, "user", name=value.get("UserName"), created=value.get("CreateDate"), mfa=report.get("MfaActive"))
    for number in ("1", "2"):
        active = report.get(f"AccessKey{number}Active")
        if isinstance(active, bool):
            rows.item(uid, "user", **{f"key_{number}_status": "Active" if active else "Inactive"})
    _held(rows, uid, "user", value)


def _held(rows: Rows, uid: str, kind: str, value: Value) -> None:
    for arn in words(value.get("ManagedPolicyARNs")):
        rows.edge((uid, kind), "attached", (arn, "policy"))
    for name, policy in table(value.get("InlinePolicies")).items():
        add_grants(rows, uid, f"{uid} inline {name}", policy)


def _policy(rows: Rows, uid: str, value: Value) -> None:
    rows.item(uid, "policy", default_version=value.get("DefaultVersionId"), updated=value.get("UpdateDate"))
    add_grants(rows, uid, uid, value.get("PolicyDocument"))
    entities = table(value.get("Entities"))
    for key, kind in (("PolicyRoles", "Role"), ("PolicyUsers", "User"), ("PolicyGroups", "Group")):
        for one in mappings(entities.get(key)):
            holder = f"arn:aws:iam::{rows.account}:{kind.lower()}/{one.get(f'{kind}Name')}"
            rows.edge((holder, kind.lower()), "attached", (uid, "policy"))


def _bucket(rows: Rows, uid: str, value: Value) -> None:
    rows.item(uid, "bucket", name=value.get("Name"), location=value.get("Location"))
    named = {**value, "Arn": uid}
    _read_acl(rows, named)
    if value.get("PublicAccessBlockConfiguration"):
        _read_block(rows, named)
    if value.get("Policy"):
        add_resource_grants(rows, uid, value["Policy"])


_CONFIGURED: Mapping[str, Callable[[Rows, str, Value], None]] = {
    "AWS.IAM.Role": _role,
    "AWS.IAM.User": _user,
    "AWS.IAM.Policy": _policy,
    "AWS.S3.Bucket": _bucket,
}

READERS = (
    StateReader(
        "aws.resource",
        "AWS resources: policies, bucket access, snapshot and image shares, security groups",
        Proof("real_server", "MiniStack 1.5.33 for shares, buckets and groups; the services' API references"),
        _answer,
        _answer_tables,
    ),
    StateReader(
        "aws.configuration",
        "AWS resource configurations with a ResourceType",
        Proof("real_data", "panther-labs/panther-analysis resource examples (Apache-2.0)"),
        _configured,
        _configured_tables,
    ),
)
