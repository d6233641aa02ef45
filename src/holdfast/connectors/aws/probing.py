"""Probes of AWS by the administrator's view: read-only calls, one answer each, dated.

Rules:
1. Only calls that read are made; :data:`AwsProbe.permissions` names every one by check.
2. "Not found" is ``closed``. Any other refusal, a time-out or an answer without what decides is ``cannot_tell``, with
   the provider's error code.
3. What is kept as evidence is the deciding part of the answer; no answer read here holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from holdfast.app.probing import require_order
from holdfast.connectors.aws.judging import bucket_standing, trust_standing
from holdfast.investigation.probing import ProbeQuestion, ProbeResult, Standing

Seen = tuple[Standing, str, Mapping[str, Any]]
_GONE = frozenset(
    {"NoSuchEntity", "NoSuchBucket", "InvalidSnapshot.NotFound", "InvalidSnapshotID.NotFound", "DBSnapshotNotFound"}
)
_REFUSED = frozenset({"InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "ExpiredToken"})


class AwsProbe:
    """Looks at one AWS account."""

    permissions: Mapping[str, tuple[str, ...]] = {
        "key_active": ("iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"),
        "policy_open": ("iam:ListAttachedUserPolicies", "iam:ListAttachedRolePolicies", "iam:ListAttachedGroupPolicies",
                        "iam:ListUserPolicies", "iam:ListRolePolicies", "iam:ListGroupPolicies"),
        "trust_open": ("iam:GetRole",),
        "snapshot_shared": ("ec2:DescribeSnapshotAttribute",),
        "bucket_public": ("s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:GetBucketPublicAccessBlock"),
    }  # fmt: skip

    def __init__(self, session: Any, now_us: Callable[[], int], endpoint: str | None = None) -> None:  # noqa: ANN401 - boto3 has no types
        """Look through a session.

        Args:
            session: a boto3 session of an administrator who may read.
            now_us: the time, microseconds since 1970 UTC.
            endpoint: another address of the services, for tests; none means AWS.
        """
        self._session = session
        self._now_us = now_us
        self._endpoint = endpoint
        self._looks: Mapping[str, Callable[[Mapping[str, str]], Seen]] = {
            "key_active": self._key,
            "policy_open": self._policy,
            "trust_open": self._trust,
            "snapshot_shared": self._snapshot,
            "bucket_public": self._bucket,
        }

    def check(self, question: ProbeQuestion) -> ProbeResult:
        """Look once."""
        moment = self._now_us()
        try:
            standing, why, evidence = self._looks[question.check](question.target)
        except ClientError as error:
            standing, why, evidence = _refused(error)
        except BotoCoreError as error:
            standing, why, evidence = "cannot_tell", f"AWS did not answer: {type(error).__name__}", {}
        return ProbeResult(question, standing, moment, why, evidence)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        return self._session.client(service, endpoint_url=self._endpoint, config=CONFIG)

    def _key(self, target: Mapping[str, str]) -> Seen:
        key, iam = target["key"], self._client("iam")
        user = iam.get_access_key_last_used(AccessKeyId=key).get("UserName")
        if not user:
            return "cannot_tell", "AWS does not say whose key it is", {}
        for page in iam.get_paginator("list_access_keys").paginate(UserName=user):
            for one in page["AccessKeyMetadata"]:
                if one["AccessKeyId"] == key:
                    active = one["Status"] == "Active"
                    said = f"the key of {user} is {one['Status']}"
                    return "exploitable" if active else "closed", said, {"UserName": user, "Status": one["Status"]}
        return "closed", f"{user} does not have the key any more", {"UserName": user}

    def _policy(self, target: Mapping[str, str]) -> Seen:
        kind, holder, policy = target["holder_type"], target["holder"], target["policy"]
        iam, named = self._client("iam"), {f"{target['holder_type'].capitalize()}Name": target["holder"]}
        if policy.startswith("arn:"):
            pages = iam.get_paginator(f"list_attached_{kind}_policies").paginate(**named)
            there = [one["PolicyArn"] for page in pages for one in page["AttachedPolicies"]]
        else:
            there = [name for page in iam.get_paginator(f"list_{kind}_policies").paginate(**named)
                     for name in page["PolicyNames"]]  # fmt: skip
        if policy in there:
            return "exploitable", f"{kind} {holder} still has {policy}", {"policies": there}
        return "closed", f"{kind} {holder} does not have {policy} any more", {"policies": there}

    def _trust(self, target: Mapping[str, str]) -> Seen:
        role = self._client("iam").get_role(RoleName=target["role"])["Role"]
        standing, why = trust_standing(role["Arn"], role["AssumeRolePolicyDocument"])
        return standing, why, {"Arn": role["Arn"], "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"]}

    def _snapshot(self, target: Mapping[str, str]) -> Seen:
        answer = self._client("ec2").describe_snapshot_attribute(
            SnapshotId=target["snapshot"], Attribute="createVolumePermission"
        )
        whom = [str(one.get("UserId") or one.get("Group")) for one in answer.get("CreateVolumePermissions", ())]
        evidence = {"CreateVolumePermissions": whom}
        if target["shared_with"] in whom or "all" in whom:
            return "exploitable", f"it is shared with {', '.join(sorted(whom))}", evidence
        left = f"; it is shared with {', '.join(sorted(whom))}" if whom else ""
        return "closed", f"it is not shared with {target['shared_with']} any more{left}", evidence

    def _bucket(self, target: Mapping[str, str]) -> Seen:
        s3, name = self._client("s3"), {"Bucket": target["bucket"]}
        acl = s3.get_bucket_acl(**name).get("Grants", [])
        policy = _unless(lambda: s3.get_bucket_policy(**name)["Policy"], "NoSuchBucketPolicy")
        block = _unless(
            lambda: s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"],
            "NoSuchPublicAccessBlockConfiguration",
        )
        standing, why = bucket_standing(policy, acl, block or {})
        return standing, why, {"Policy": policy, "Grants": acl, "PublicAccessBlockConfiguration": block}


class SuspectCredentialProbe:
    """Signs in once with the suspect credential itself, on a recorded order (``sts:GetCallerIdentity``)."""

    permissions: Mapping[str, tuple[str, ...]] = {"key_works": ("sts:GetCallerIdentity (every identity has it)",)}

    def __init__(
        self,
        session: Any,  # noqa: ANN401 - boto3 has no types
        now_us: Callable[[], int],
        order: str | None,
        endpoint: str | None = None,
    ) -> None:
        """Use a boto3 session of the suspect credential.

        Raises:
            RefusedError: no order is named.
        """
        require_order("key_works", order)
        self._session = session
        self._now_us = now_us
        self._order = order
        self._endpoint = endpoint

    def check(self, question: ProbeQuestion) -> ProbeResult:
        """Sign in once; the result says which credential acted, so that its event can be told from the suspect's."""
        moment = self._now_us()
        key = self._session.get_credentials().access_key
        try:
            client = self._session.client("sts", endpoint_url=self._endpoint, config=CONFIG)
            said = client.get_caller_identity()
            seen: Seen = ("exploitable", f"it signs in as {said['Arn']}", {"Arn": said["Arn"]})
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            seen = ("closed", f"AWS refuses it: {code}", {"Code": code}) if code in _REFUSED else _refused(error)
        except BotoCoreError as error:
            seen = ("cannot_tell", f"AWS did not answer: {type(error).__name__}", {})
        return ProbeResult(question, seen[0], moment, seen[1], seen[2], acted_as=key, order=self._order)


CONFIG = Config(
    connect_timeout=5,
    read_timeout=15,
    retries={"max_attempts": 2, "mode": "standard"},
    user_agent_extra="holdfast-probe",
)
"""Short waits, few attempts, and a name in the provider's log by which the probe is told from others."""


def _refused(error: ClientError) -> Seen:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code in _GONE:
        return "closed", f"it is gone ({code})", {"Code": code}
    return "cannot_tell", f"AWS refused to say: {code}", {"Code": code}


def _unless(call: Callable[[], Any], code: str) -> Any:  # noqa: ANN401 - an answer of AWS
    """What the call gives, or none where AWS says that there is no such thing."""
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == code:
            return None
        raise
