"""AWS IAM as captured: account authorization details and their pages, single answers, key lists, credential report.

Rules:
1. Policies, groups and identities are rows of their own, joined by edges (``attached``, ``member_of``,
   ``limited_by``), because a long answer comes in pages that are captured as documents of their own.
2. An answer that says it goes on (IsTruncated) is told as a gap: what is on the next page is not known.
3. An answer that does not name what it is about (ListAttachedUserPolicies, GetPolicyVersion) is told as a gap.
4. Keys are named by their id, passwords and hashes never appear: IAM does not answer them.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.reading import Proof, UnreadableError
from holdfast.investigation.state_readers._aws_policies import account_of, add_grants, add_trust, tags_of
from holdfast.investigation.state_readers._rows import Row, Rows, as_text, mappings, table, words

_DETAILS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_MANAGED: Mapping[str, tuple[tuple[str, str], ...]] = {
    # What these AWS-managed policies hold (AWS managed policy reference); others have to be captured.
    "AdministratorAccess": (("Allow", "*"),),
    "AWSDenyAll": (("Deny", "*"),),
    "PowerUserAccess": (("Allow", "!account:* iam:* organizations:*"),),
    "IAMFullAccess": (("Allow", "iam:*"),),
    "AmazonS3FullAccess": (("Allow", "s3:*"), ("Allow", "s3-object-lambda:*")),
    "SecretsManagerReadWrite": (("Allow", "secretsmanager:*"),),
}


def _details(value: object) -> bool:
    return isinstance(value, Mapping) and (
        any(isinstance(value.get(key), list) for key in _DETAILS[:3])
        or any("PolicyVersionList" in one for one in mappings(value.get("Policies")))
    )


def _details_tables(value: Mapping[str, Any], origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin, _account(value))
    for user in mappings(value.get("UserDetailList")):
        _identity(rows, user, "user")
        for group in words(user.get("GroupList")):
            rows.edge(_uid(user), "member_of", (f"arn:aws:iam::{rows.account}:group/{group}", "group"))
    for one in mappings(value.get("GroupDetailList")):
        _identity(rows, one, "group")
    for role in mappings(value.get("RoleDetailList")):
        _identity(rows, role, "role")
    for policy in mappings(value.get("Policies")):
        _policy(rows, policy)
    _whole(rows, value, "account authorization details")
    return rows.tables()


def _account(value: Mapping[str, Any]) -> str | None:
    for key in _DETAILS:
        for one in mappings(value.get(key)):
            found = account_of(one.get("Arn"))
            if found and found != "aws":
                return found
    return None


def _uid(identity: Mapping[str, Any]) -> tuple[str, str]:
    arn = str(identity.get("Arn") or "")
    return arn, arn.rpartition(":")[2].partition("/")[0] or "principal"


def _identity(rows: Rows, identity: Mapping[str, Any], kind: str) -> None:
    uid = str(identity.get("Arn") or "")
    if not uid:
        rows.gap("kind of object", kind, f"a {kind} without an ARN")
        return
    tags = tags_of(identity.get("Tags"))
    used = table(identity.get("RoleLastUsed"))
    rows.item(
        uid,
        kind,
        name=identity.get(f"{kind.capitalize()}Name"),
        id=identity.get(f"{kind.capitalize()}Id"),
        created=identity.get("CreateDate"),
        last_used=used.get("LastUsedDate") or identity.get("PasswordLastUsed"),
        max_session_seconds=identity.get("MaxSessionDuration"),
        tags=dict(tags) or None,
    )
    for policy in mappings(identity.get(f"{kind.capitalize()}PolicyList")):
        add_grants(rows, uid, f"{uid} inline {policy.get('PolicyName')}", policy.get("PolicyDocument"))
    for attached in mappings(identity.get("AttachedManagedPolicies")):
        _attached(rows, (uid, kind), "attached", str(attached.get("PolicyArn")))
    boundary = table(identity.get("PermissionsBoundary")).get("PermissionsBoundaryArn")
    if boundary:
        _attached(rows, (uid, kind), "limited_by", str(boundary))
    if "AssumeRolePolicyDocument" in identity:
        add_trust(rows, uid, identity["AssumeRolePolicyDocument"])
    for profile in mappings(identity.get("InstanceProfileList")):
        rows.edge((str(profile.get("Arn")), "instance_profile"), "runs_as", (uid, kind))


def _attached(rows: Rows, holder: tuple[str, str], relation: str, policy: str) -> None:
    rows.edge(holder, relation, (policy, "policy"))
    for effect, action in _MANAGED.get(policy.rpartition("/")[2], ()) if ":aws:policy/" in policy else ():
        statement: dict[str, object] = {"Effect": effect, "Resource": "*"}
        statement["NotAction" if action.startswith("!") else "Action"] = action.lstrip("!").split()
        add_grants(rows, policy, policy, {"Statement": [statement]})


def _policy(rows: Rows, policy: Mapping[str, Any]) -> None:
    arn = str(policy.get("Arn") or "")
    if arn.rpartition("/")[2] in _MANAGED and ":aws:policy/" in arn:
        return  # its attachment has told it
    rows.item(arn, "policy", default_version=policy.get("DefaultVersionId"), updated=policy.get("UpdateDate"))
    versions = mappings(policy.get("PolicyVersionList"))
    current = [one for one in versions if one.get("IsDefaultVersion")]
    for version in current:
        add_grants(rows, arn, arn, version.get("Document"))
    if not current:
        rows.gap("truncated", arn, "the policy's present version was not captured")


def _whole(rows: Rows, value: Mapping[str, Any], what: str) -> None:
    if value.get("IsTruncated"):
        rows.gap("truncated", what, "the answer goes on: what is on the next pages is not in this document")


_PIECES = {"Role": "role", "User": "user", "Group": "group"}


def _piece(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    if any("Arn" in table(value.get(key)) and ":iam:" in str(table(value[key])["Arn"]) for key in (*_PIECES, "Policy")):
        return True
    return bool(
        ("PolicyDocument" in value and "PolicyName" in value)
        or any(isinstance(value.get(key), list) for key in ("AccessKeyMetadata", "AttachedPolicies"))
        or isinstance(value.get("AccessKeyLastUsed"), Mapping)
        or "Document" in table(value.get("PolicyVersion"))
        or "Content" in table(value.get("Policy"))
        or any("AssumeRolePolicyDocument" in one for one in mappings(value.get("Roles")))
        or any("UserId" in one and ":iam:" in str(one.get("Arn")) for one in mappings(value.get("Users")))
    )


def _piece_tables(value: Mapping[str, Any], origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    for key, kind in _PIECES.items():
        for one in [*mappings(value.get(key)), *mappings(value.get(f"{key}s"))]:
            rows.account = account_of(one.get("Arn"))
            _identity(rows, one, kind)
    for read in (_inline, _keys, _last_used, _version, _organisation_policy):
        read(rows, value)
    if isinstance(value.get("AttachedPolicies"), list):
        names = ", ".join(str(one.get("PolicyName")) for one in mappings(value["AttachedPolicies"]))
        rows.gap("kind of object", origin.path, f"attached policies without their holder: {names or 'none'}")
    _whole(rows, value, origin.path)
    return rows.tables()


def _inline(rows: Rows, value: Mapping[str, Any]) -> None:
    if "PolicyDocument" not in value:
        return
    for kind in ("User", "Role", "Group"):
        name = value.get(f"{kind}Name")
        if name:
            uid = f"{kind.lower()}/{name}"
            add_grants(rows, uid, f"{uid} inline {value.get('PolicyName')}", value["PolicyDocument"])


def _keys(rows: Rows, value: Mapping[str, Any]) -> None:
    for key in mappings(value.get("AccessKeyMetadata")):
        uid, user = str(key.get("AccessKeyId")), str(key.get("UserName"))
        rows.item(uid, "access_key", status=key.get("Status"), created=key.get("CreateDate"), owner=user)
        rows.edge((uid, "access_key"), "signs_in_as", (f"user/{user}", "user"))


def _last_used(rows: Rows, value: Mapping[str, Any]) -> None:
    used = table(value.get("AccessKeyLastUsed"))
    if used:
        rows.item(
            f"user/{value.get('UserName')}",
            "user",
            key_last_used=used.get("LastUsedDate"),
            key_last_service=used.get("ServiceName"),
            key_last_region=used.get("Region"),
        )
        rows.gap("kind of object", f"user/{value.get('UserName')}", "the answer does not name the key it is about")


def _version(rows: Rows, value: Mapping[str, Any]) -> None:
    version = table(value.get("PolicyVersion"))
    if version:
        uid = f"policy of {rows.origin.path}"
        add_grants(rows, uid, uid, version.get("Document"))
        rows.gap("kind of object", uid, "the answer does not name the policy it is a version of")


def _organisation_policy(rows: Rows, value: Mapping[str, Any]) -> None:
    policy = table(value.get("Policy"))
    if "Content" not in policy:
        if policy:
            _policy(rows, policy)
        return
    summary = table(policy.get("PolicySummary"))
    arn = str(summary.get("Arn") or rows.origin.path)
    if summary.get("Type") not in (None, "SERVICE_CONTROL_POLICY"):
        rows.gap("kind of object", arn, f"an organisation policy of the type {summary.get('Type')}")
        return
    add_grants(rows, arn, f"organisation-policy? {arn}", policy["Content"], boundary=True)
    rows.gap("kind of object", arn, "where the organisation's policy is attached is not in this document")


def _report(value: object) -> bool:
    if isinstance(value, Mapping):
        return value.get("ReportFormat") == "text/csv" and isinstance(value.get("Content"), str | bytes)
    return (
        isinstance(value, list) and bool(value) and isinstance(value[0], Mapping) and "access_key_1_active" in value[0]
    )


def _report_tables(value: object, origin: Origin) -> Mapping[str, Iterable[Row]]:
    rows = Rows(origin)
    for line in _lines(value):
        uid = str(line.get("arn"))
        rows.account = account_of(uid)
        kind = "root" if line.get("user") == "<root_account>" else "user"
        rows.item(
            uid,
            kind,
            name=line.get("user"),
            created=_told(line.get("user_creation_time")),
            password_enabled=_told(line.get("password_enabled")),
            password_last_used=_told(line.get("password_last_used")),
            mfa=_told(line.get("mfa_active")),
        )
        for number in ("1", "2"):
            _report_key(rows, uid, line, number)
    return rows.tables()


def _report_key(rows: Rows, uid: str, line: Mapping[str, Any], number: str) -> None:
    active = str(line.get(f"access_key_{number}_active")).lower()
    rotated = _told(line.get(f"access_key_{number}_last_rotated"))
    if active == "true" or rotated:
        rows.item(
            uid,
            "user",
            **{
                f"key_{number}_status": "Active" if active == "true" else "Inactive",
                f"key_{number}_created": rotated,
                f"key_{number}_last_used": _told(line.get(f"access_key_{number}_last_used_date")),
            },
        )


def _told(value: object) -> str | None:
    text = as_text(value)
    return None if text in (None, "", "N/A", "no_information", "not_supported") else text


def _lines(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        return mappings(value)
    try:
        content = base64.b64decode(str(table(value)["Content"]), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise UnreadableError("the credential report is not base64 of text") from None
    return list(csv.DictReader(io.StringIO(content)))


READERS = (
    StateReader(
        "aws.account_authorization",
        "AWS IAM: GetAccountAuthorizationDetails, whole or by page",
        Proof("real_server", "MiniStack 1.5.33; vendor's reference API_GetAccountAuthorizationDetails"),
        _details,
        _details_tables,
    ),
    StateReader(
        "aws.iam",
        "AWS IAM and Organizations: single answers",
        Proof("real_server", "MiniStack 1.5.33 for users, roles, policies and keys; IAM API reference for the rest"),
        _piece,
        _piece_tables,
    ),
    StateReader(
        "aws.credential_report",
        "AWS IAM: credential report",
        Proof("real_server", "MiniStack 1.5.33; IAM user guide, credential report format"),
        _report,
        _report_tables,
    ),
)
