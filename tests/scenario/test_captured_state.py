"""Logs and captured state together: who trusts a leaked key, what it could do, and what was left behind.

The account, cluster and repository are our own, written here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from holdfast.app.investigating import Investigation, Order, investigate
from holdfast.app.ports_investigation import Source
from holdfast.app.ports_probing import Probe
from holdfast.investigation.probing import ProbeQuestion, ProbeResult, Standing
from holdfast.wiring import investigation_means

IAM = "arn:aws:iam::111111111111:"
KEY, MADE_KEY = "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"
ISSUER = "token.actions.githubusercontent.com"
WORKFLOW = """
on: push
permissions: {id-token: write, contents: read}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps: [{run: "x ${{ secrets.NPM }}"}]
"""
CLUSTER = """
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: hunter2}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {spec: {containers: [{name: c, image: "corp/api:1", envFrom: [{secretRef: {name: db}}]}]}}}
"""


def event(minute: int, name: str, service: str, request: Any = None, response: Any = None, **more: Any) -> Any:
    identity = {"type": "IAMUser", "principalId": "A", "arn": f"{IAM}user/ci", "accountId": "111111111111",
                "accessKeyId": KEY, "userName": "ci"}  # fmt: skip
    return {
        "eventVersion": "1.08",
        "userIdentity": identity,
        "eventTime": f"2026-03-01T10:{minute:02d}:00Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.9",
        "userAgent": "aws-cli",
        "requestParameters": request,
        "responseElements": response,
        "eventID": f"00000000-0000-0000-0000-0000000000{minute:02d}",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111111111111",
        **more,
    }


def logs(folder: Path) -> None:
    made = {"accessKey": {"accessKeyId": MADE_KEY, "userName": "backup", "status": "Active"}}
    records = [
        event(1, "GetCallerIdentity", "sts"),
        event(2, "CreateUser", "iam", {"userName": "backup"}, {"user": {"userName": "backup"}}),
        event(3, "CreateAccessKey", "iam", {"userName": "backup"}, made),
        event(4, "GetSecretValue", "secretsmanager", {"secretId": "prod/db"}),
        event(5, "CreateUser", "iam", {"userName": "gone"}, {"user": {"userName": "gone"}}),
        event(6, "DeleteTrail", "cloudtrail", {"name": "all"}, errorCode="AccessDenied"),
        event(7, "DeleteUser", "iam", {"userName": "gone"}),
    ]
    (folder / "trail.json").write_text(json.dumps({"Records": records}))


def state(folder: Path) -> None:
    subject = {"StringLike": {f"{ISSUER}:sub": "repo:corp/shop:*"}}
    trust = [
        {"Effect": "Allow", "Principal": {"AWS": f"{IAM}root"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Federated": f"{IAM}oidc-provider/{ISSUER}"},
         "Action": "sts:AssumeRoleWithWebIdentity", "Condition": subject},
    ]  # fmt: skip
    assume = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
    details = {
        "UserDetailList": [
            {
                "UserName": "ci",
                "Arn": f"{IAM}user/ci",
                "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": assume}],
            }
        ],
        "RoleDetailList": [
            {
                "RoleName": "admin",
                "Arn": f"{IAM}role/admin",
                "AssumeRolePolicyDocument": {"Statement": trust},
                "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}],
            }
        ],
        "GroupDetailList": [],
        "Policies": [],
        "IsTruncated": False,
    }
    keys = [{"UserName": "ci", "AccessKeyId": KEY, "Status": "Active"}]
    (folder / "details.json").write_text(json.dumps(details))
    (folder / "keys.json").write_text(json.dumps({"AccessKeyMetadata": keys}))
    (folder / "cluster.yaml").write_text(CLUSTER)
    workflows = folder / "corp" / "shop" / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "ci.yml").write_text(WORKFLOW)


def asked(folder: Path, subject: str, probes: tuple[Probe, ...] = ()) -> Iterator[Investigation]:
    work = folder.parent / "work"
    work.mkdir()
    order = Order((Source(folder, "evidence"),), (subject,))
    found = investigate(order, investigation_means(probes=probes), work)
    yield found
    found.close()


class Keys:
    """A provider that knows two keys."""

    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"key_active": ("iam:ListAccessKeys",)}

    def check(self, question: ProbeQuestion) -> ProbeResult:
        standing: Standing = "closed" if question.uid == KEY else "exploitable"
        return ProbeResult(question, standing, 1_800_000_000_000_000, "as the provider says")


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    logs(folder)
    return folder


def whats(found: Investigation, question: str, query: str) -> list[str]:
    return [row.what for row in found.answers[question].rows if row.finding == query]


def test_a_leaked_keys_trust_permissions_and_leavings_are_told_with_state(evidence: Path) -> None:
    state(evidence)
    for found in asked(evidence, KEY):
        reach = whats(found, "I3", "i3_reach")
        assert f"{KEY} signs in as user/ci (111111111111) becomes role/admin (111111111111)" in reach
        assert f"{KEY} signs in as user/ci (111111111111) reads prod/db" in reach
        could = whats(found, "I4", "i4_could")
        assert any("role/admin (111111111111) could delete objects in s3: DeleteObject" in what for what in could)
        assert any("was refused DeleteTrail" in what for what in whats(found, "I4", "i4_refused"))
        left = [row.cells["uid"] for row in found.answers["I7"].rows if row.finding == "i7_open"]
        assert left[0] == KEY
        assert set(left) == {KEY, MADE_KEY, "backup"}
        assert len(whats(found, "I7", "i7_removed")) == 1
        assert whats(found, "I7", "i7_state") == [f"key {KEY}, which a suspect used, is active"]
        assert "nothing was probed" in found.answers["I7"].sentence
        assert all(row.citation for row in found.answers["I3"].rows)
        assert "hunter2" not in str(found.answers)


def test_without_state_it_is_said_that_the_logs_alone_were_there(evidence: Path) -> None:
    for found in asked(evidence, KEY):
        assert "no captured state names" in found.answers["I3"].sentence
        assert whats(found, "I4", "i4_could")[0].startswith("Cannot tell what")
        assert whats(found, "I7", "i7_state") == []


def test_a_probe_decides_what_stands_open(evidence: Path) -> None:
    for found in asked(evidence, KEY, (Keys(),)):
        left = [row.cells["uid"] for row in found.answers["I7"].rows if row.finding == "i7_open"]
        assert left == [MADE_KEY, "backup"]
        said = f"1 thing is still exploitable by a probe at 2027-01-15T08:00:00Z, first: {MADE_KEY}"
        assert found.answers["I7"].sentence.startswith(said)


def test_a_repository_leads_through_its_job_to_the_role_that_trusts_it(evidence: Path) -> None:
    state(evidence)
    for found in asked(evidence, "corp/shop/.github/workflows/ci.yml#deploy"):
        assert any("becomes role/admin" in what for what in whats(found, "I3", "i3_reach"))


def test_a_secret_of_the_cluster_is_relied_on_by_its_workload(evidence: Path) -> None:
    state(evidence)
    for found in asked(evidence, "shop/secrets/db"):
        assert whats(found, "I3", "i3_reach") == ["shop/secrets/db is relied on by shop/deployments/api"]
