"""AWS answers become rows; what is missing or not understood is told."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from holdfast.investigation.captured import TABLES, Origin, shipped

ORIGIN = Origin("captured/answer.json", 7, 1_700_000_000_000_000)
USER, ROLE = "arn:aws:iam::111111111111:user/ada", "arn:aws:iam::111111111111:role/deploy"
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def read(document: Any, origin: Origin = ORIGIN) -> dict[str, list[dict[str, Any]]]:
    fitting = [reader for reader in shipped() if reader.recognises(document)]
    assert len(fitting) == 1, [reader.key for reader in fitting]
    tables = fitting[0].tables(document, origin)
    found = {name: [dict(row) for row in tables.get(name, ())] for name in TABLES}
    for name, rows in found.items():
        known = {column.name for column in TABLES[name]}
        assert all(set(row) <= known and row["row_id"] == origin.row_id for row in rows)
    return found


def edges(found: dict[str, list[dict[str, Any]]]) -> set[tuple[str, str, str]]:
    return {(edge["from_uid"], edge["relation"], edge["to_uid"]) for edge in found["trust_edges"]}


def items(found: dict[str, list[dict[str, Any]]]) -> set[tuple[str, str, str]]:
    return {(item["uid"], item["attribute"], item["value"]) for item in found["state_items"]}


def gaps(found: dict[str, list[dict[str, Any]]]) -> str:
    return " / ".join(f"{gap['kind']} {gap['why']}" for gap in found["state_gaps"])


def role(statement: Any) -> dict[str, Any]:
    return {"Role": {"RoleName": "deploy", "Arn": ROLE, "AssumeRolePolicyDocument": {"Statement": statement}}}


def trusting(principal: Any, **more: Any) -> dict[str, list[dict[str, Any]]]:
    return read(role([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}]))


def test_authorization_details_tell_policies_groups_boundaries_and_profiles() -> None:
    found = read(
        {
            "UserDetailList": [
                {
                    "UserName": "ada",
                    "Arn": USER,
                    "GroupList": ["ops"],
                    "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": quote('{"Statement":[]}')}],
                    "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}],
                    "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111111111111:policy/limit"},
                }
            ],
            "RoleDetailList": [
                {
                    "RoleName": "deploy",
                    "Arn": ROLE,
                    "AssumeRolePolicyDocument": {"Statement": []},
                    "InstanceProfileList": [{"Arn": "arn:aws:iam::111111111111:instance-profile/web"}],
                    "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": ALLOW}}],
                }
            ],
            "GroupDetailList": [],
            "Policies": [
                {
                    "Arn": "arn:aws:iam::111111111111:policy/limit",
                    "PolicyVersionList": [{"IsDefaultVersion": True, "Document": {"Statement": ALLOW}}],
                }
            ],
            "IsTruncated": False,
        }
    )
    assert {
        (USER, "member_of", "arn:aws:iam::111111111111:group/ops"),
        (USER, "attached", "arn:aws:iam::aws:policy/AdministratorAccess"),
        (USER, "limited_by", "arn:aws:iam::111111111111:policy/limit"),
        ("arn:aws:iam::111111111111:instance-profile/web", "runs_as", ROLE),
    } <= edges(found)
    held = {(grant["holder_uid"], grant["action"], grant["access_level"]) for grant in found["grants"]}
    assert ("arn:aws:iam::aws:policy/AdministratorAccess", "*", "all") in held
    assert (ROLE, "s3:GetObject", "read") in held
    assert {row["account_uid"] for row in found["grants"]} == {"111111111111"}
    assert "no statement at all" in gaps(found)
    assert "truncated" not in gaps(found)


def test_an_answer_that_goes_on_is_a_gap() -> None:
    found = read({"RoleDetailList": [], "UserDetailList": [], "IsTruncated": True, "Marker": "x"})
    assert "truncated" in gaps(found)


@pytest.mark.parametrize(
    ("principal", "uid", "kind"),
    [
        ("*", "*", "anyone"),
        ({"AWS": "*"}, "*", "anyone"),
        ({"AWS": "arn:aws:iam::222222222222:root"}, "222222222222", "account"),
        ({"AWS": ["222222222222"]}, "222222222222", "account"),
        ({"AWS": USER}, USER, "user"),
        ({"Service": "ec2.amazonaws.com"}, "ec2.amazonaws.com", "service"),
    ],
)
def test_whom_a_role_trusts_is_an_edge(principal: Any, uid: str, kind: str) -> None:
    found = trusting(principal)
    assert (uid, "assumes", ROLE) in edges(found)
    assert kind in {edge["from_type"] for edge in found["trust_edges"]}


def test_conditions_stay_with_the_edge() -> None:
    found = trusting({"AWS": "222222222222"}, Condition={"StringEquals": {"sts:ExternalId": "x"}})
    assert found["trust_edges"][0]["condition"] == '{"StringEquals":{"sts:ExternalId":"x"}}'


def test_every_subject_of_an_outside_issuer_is_an_edge_and_none_is_a_gap() -> None:
    issuer = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
    key = "token.actions.githubusercontent.com:sub"
    found = trusting(
        {"Federated": issuer}, Action="sts:AssumeRoleWithWebIdentity",
        Condition={"StringLike": {key: ["repo:corp/shop:*", "repo:corp/site:ref:refs/heads/main"]}},
    )  # fmt: skip
    assert ("token.actions.githubusercontent.com|repo:corp/shop:*", "assumes", ROLE) in edges(found)
    assert (issuer, "trusts_issuer", ROLE) in edges(found)
    open_to_all = trusting({"Federated": issuer}, Action="sts:AssumeRoleWithWebIdentity")
    assert ("token.actions.githubusercontent.com|*", "assumes", ROLE) in edges(open_to_all)
    assert "any subject" in gaps(open_to_all)


def test_a_deny_in_a_trust_policy_and_notprincipal_are_gaps() -> None:
    found = read(role([{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
                       {"Effect": "Allow", "NotPrincipal": {"AWS": USER}, "Action": "sts:AssumeRole"}]))  # fmt: skip
    assert "denies somebody" in gaps(found)
    assert "NotPrincipal" in gaps(found)


def test_notaction_and_notresource_become_negated_patterns_and_variables_are_told() -> None:
    found = read(
        {
            "UserName": "ada",
            "PolicyName": "p",
            "PolicyDocument": {
                "Statement": [
                    {"Effect": "Allow", "NotAction": ["iam:*", "aws-portal:*"], "NotResource": "arn:aws:s3:::b"},
                    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"},
                ]
            },
        }
    )
    first, second = found["grants"]
    assert (first["action"], first["resource"], first["service"]) == ("!aws-portal:* iam:*", "!arn:aws:s3:::b", "*")
    assert (second["effect"], second["holder_uid"]) == ("deny", "user/ada")
    assert "policy_variable" in gaps(found)


def test_a_policy_that_is_not_json_is_a_gap_and_no_grant() -> None:
    found = read({"RoleName": "deploy", "PolicyName": "p", "PolicyDocument": "%7Bnot json"})
    assert not found["grants"]
    assert "not JSON" in gaps(found)


def test_keys_are_told_with_their_status_and_owner() -> None:
    found = read({"AccessKeyMetadata": [{"UserName": "ada", "AccessKeyId": "AKIA1", "Status": "Active"}]})
    assert ("AKIA1", "status", "Active") in items(found)
    assert ("AKIA1", "signs_in_as", "user/ada") in edges(found)


def test_the_credential_report_is_read_from_the_answer_and_from_lines() -> None:
    names = "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_2_active,mfa_active"
    text = f"{names}\nada,{USER},true,2026-01-01T00:00:00Z,false,false\n"
    answer = read({"Content": base64.b64encode(text.encode()).decode(), "ReportFormat": "text/csv"})
    assert (USER, "key_1_status", "Active") in items(answer)
    head, line = text.splitlines()
    lines = read([dict(zip(head.split(","), line.split(","), strict=True))])
    assert items(lines) == items(answer)


def test_answers_that_do_not_name_their_thing_say_so() -> None:
    assert "without their holder" in gaps(read({"AttachedPolicies": [{"PolicyName": "p", "PolicyArn": "a"}]}))
    assert "does not name the policy" in gaps(read({"PolicyVersion": {"Document": {"Statement": ALLOW}}}))
    assert "does not name the bucket" in gaps(read({"Owner": {"ID": "1"}, "Grants": []}))
    assert "does not name the trail" in gaps(read({"IsLogging": True}))


def test_an_organisation_policy_limits_from_somewhere() -> None:
    found = read(
        {
            "Policy": {
                "PolicySummary": {"Arn": "arn:aws:organizations::1:policy/o/scp/p-1", "Type": "SERVICE_CONTROL_POLICY"},
                "Content": '{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
            }
        }
    )
    assert found["grants"][0]["boundary"] is True
    assert "attached is not in this document" in gaps(found)


def test_a_bucket_policy_names_its_bucket_and_whom_it_lets_in() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    found = read({"Policy": json.dumps({"Statement": [statement]})})
    assert found["grants"][0]["via"] == "resource-policy arn:aws:s3:::b"
    assert ("arn:aws:s3:::b", "open_to", '{"condition":null,"principal":"*"}') in items(found)


@pytest.mark.parametrize(
    ("answer", "item"),
    [
        (
            {"SnapshotId": "snap-1", "CreateVolumePermissions": [{"UserId": "222222222222"}]},
            ("snap-1", "open_to", "222222222222"),
        ),
        ({"SnapshotId": "snap-1", "CreateVolumePermissions": [{"Group": "all"}]}, ("snap-1", "public", "all")),
        ({"SnapshotId": "snap-1", "CreateVolumePermissions": []}, ("snap-1", "shared", "no")),
        ({"ImageId": "ami-1", "LaunchPermissions": [{"UserId": "2"}]}, ("ami-1", "open_to", "2")),
        (
            {
                "DBSnapshotAttributesResult": {
                    "DBSnapshotIdentifier": "db",
                    "DBSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": ["all"]}],
                }
            },
            ("db", "public", "all"),
        ),
        (
            {
                "SecurityGroups": [
                    {
                        "GroupId": "sg-1",
                        "IpPermissions": [
                            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
                        ],
                    }
                ]
            },
            ("sg-1", "public", "0.0.0.0/0 tcp 22-22"),
        ),
    ],
)
def test_shares_and_open_groups_are_told(answer: Any, item: tuple[str, str, str]) -> None:
    assert item in items(read(answer))


def test_trails_tell_status_selectors_and_validation() -> None:
    arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/all"
    found = read({"trailList": [{"TrailARN": arn, "IsMultiRegionTrail": True, "LogFileValidationEnabled": False}]})
    assert {(arn, "multi_region", "true"), (arn, "log_file_validation", "false")} <= items(found)
    selectors = read({"TrailARN": arn, "EventSelectors": [{"ReadWriteType": "All"}]})
    assert (arn, "selectors", '[{"ReadWriteType":"All"}]') in items(selectors)
    assert (arn, "is_logging", "false") in items(read({"Name": arn, "IsLogging": False}))


def test_a_configuration_of_an_unknown_kind_is_a_gap_by_its_kind() -> None:
    found = read({"ResourceType": "AWS.EC2.Volume", "Arn": "arn:aws:ec2:x:1:volume/v", "State": "in-use"})
    assert "AWS.EC2.Volume: only its state was read" in gaps(found)


@pytest.mark.parametrize("odd", [None, [], {}, [None], {"Policies": [1]}, {"Role": None}, {"Grants": 1}, "text", 5])
def test_odd_documents_are_nobodys_and_raise_nothing(odd: Any) -> None:
    assert [reader.key for reader in shipped() if reader.recognises(odd)] == []
