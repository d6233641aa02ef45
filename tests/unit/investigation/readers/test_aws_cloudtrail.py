"""CloudTrail's identities, targets, credentials and envelopes."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from holdfast.investigation.envelopes import opened
from holdfast.investigation.readers.aws_cloudtrail import READERS, columns, fields, recognises
from holdfast.investigation.reading import UnreadableError
from tests.unit.engines.ingest.helping import event

ACCOUNT = "111122223333"


def who(**told: Any) -> dict[str, Any]:
    return fields(event(1, userIdentity={"accountId": ACCOUNT, **told}, userAgent=told.pop("agent", "aws-cli/2")))


def role(session: str, arn: str = f"arn:aws:iam::{ACCOUNT}:role/app/Deploy", **context: Any) -> dict[str, Any]:
    name = arn.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "principalId": f"AROAEXAMPLE:{session}",
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn, "userName": name}, **context},
    }


def test_a_role_session_names_the_role_and_the_session_apart() -> None:
    told = who(**role("ana@corp.example", sourceIdentity="ana"))
    assert told["actor_uid"] == f"arn:aws:iam::{ACCOUNT}:role/app/Deploy"
    assert told["session_uid"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/ana@corp.example"
    assert (told["credential_uid"], told["parent_uid"], told["actor_type"]) == ("ASIAEXAMPLE", "ana", "human")


def test_a_role_without_an_issuer_is_told_by_its_session() -> None:
    told = who(type="AssumedRole", arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/x")
    assert told["actor_uid"] == f"arn:aws:iam::{ACCOUNT}:role/Deploy"


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, "root"),
        ({"type": "IAMUser", "userName": "ana", "accessKeyId": "AKIA1"}, "unknown"),
        ({"type": "IAMUser", "userName": "ana@corp.example"}, "human"),
        ({"type": "IAMUser", "userName": "svc-backup", "accessKeyId": "AKIA1"}, "service_account"),
        (
            {"type": "IAMUser", "userName": "ana", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
            "human",
        ),
        (role("i-0123456789abcdef0"), "workload"),
        (role("x", ec2RoleDelivery="2.0"), "workload"),
        (role("aws-go-sdk-1688990082523310002"), "workload"),
        (role("ana", f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0"), "human"),
        (
            role("SLR", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"),
            "cloud_service",
        ),
        (
            role(
                "x",
                webIdFederationData={
                    "federatedProvider": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
                },
            ),
            "ci_token",
        ),
        (
            role(
                "x",
                webIdFederationData={
                    "federatedProvider": "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"
                },
            ),
            "workload",
        ),
        (role("Session1"), "unknown"),
        ({"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bo"}, "unknown"),
        ({"type": "SAMLUser", "userName": "ana", "identityProvider": "corp"}, "human"),
        (
            {
                "type": "WebIdentityUser",
                "userName": "repo:corp/shop:ref:refs/heads/main",
                "identityProvider": "token.actions.githubusercontent.com",
            },
            "ci_token",
        ),
        (
            {"type": "WebIdentityUser", "userName": "system:serviceaccount:shop:web", "identityProvider": "x"},
            "workload",
        ),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}, "credentialId": "c-1"}, "human"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE"}, "unknown"),
        ({"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL", "principalId": ""}, "anonymous"),
        ({"type": "AWSService", "invokedBy": "rds.amazonaws.com"}, "cloud_service"),
        ({"type": None, "invokedBy": "secretsmanager.amazonaws.com"}, "cloud_service"),
        ({"type": "Unknown", "userName": "x"}, "unknown"),
    ],
)
def test_the_kind_of_actor_is_told_where_the_record_tells_it(identity: dict[str, Any], kind: str) -> None:
    assert who(**identity)["actor_type"] == kind


def test_a_web_identity_is_its_subject_unless_that_is_a_bare_number() -> None:
    subject = who(type="WebIdentityUser", userName="repo:corp/shop:ref:refs/heads/main", principalId="p:c:repo")
    number = who(type="WebIdentityUser", userName="1157", principalId="accounts.google.com:c:1157")
    assert (subject["actor_uid"], number["actor_uid"]) == (
        "repo:corp/shop:ref:refs/heads/main",
        "accounts.google.com:c:1157",
    )


def test_an_identity_centre_user_is_told_by_id() -> None:
    told = who(type="IdentityCenterUser", onBehalfOf={"userId": "u-1"}, credentialId="c-1")
    assert (told["actor_uid"], told["credential_uid"]) == ("u-1", "c-1")


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("Mozilla/5.0 (X11; Ubuntu)", "human"),
        ("aws-sdk-go/1 exec-env/AWS_Lambda_go1.x", "service_account"),
        ("Boto3/1.26 Python/3.9", "unknown"),
    ],
)
def test_a_long_lived_key_is_told_by_its_program_or_not_at_all(agent: str, kind: str) -> None:
    assert fields(event(1, userAgent=agent))["actor_type"] == kind


def test_an_assumed_role_tells_the_session_that_it_started() -> None:
    request = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/app/Deploy", "roleSessionName": "s1"}
    response = {"credentials": {"accessKeyId": "ASIANEW", "sessionToken": "t"}}
    told = fields(
        event(
            1,
            eventSource="sts.amazonaws.com",
            eventName="AssumeRole",
            requestParameters=request,
            responseElements=response,
        )
    )
    assert told["issued_credential_uid"] == "ASIANEW"
    assert told["issued_session_uid"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/s1"
    assert (told["target_uid"], told["target_type"]) == (request["roleArn"], "role")


def test_a_refused_act_issued_nothing() -> None:
    request = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/Deploy", "roleSessionName": "s1"}
    told = fields(event(1, eventName="AssumeRole", requestParameters=request, errorCode="AccessDenied"))
    assert "issued_session_uid" not in told
    assert (told["status"], told["error"]) == ("failure", "AccessDenied")


def test_a_new_key_is_its_own_target() -> None:
    told = fields(
        event(
            1,
            eventName="CreateAccessKey",
            requestParameters={"userName": "bo"},
            responseElements={"accessKey": {"accessKeyId": "AKIANEW"}},
        )
    )
    assert told["issued_credential_uid"] == told["target_uid"] == "AKIANEW"


@pytest.mark.parametrize(
    ("name", "request_", "target", "kind"),
    [
        ("DeleteUser", {"userName": "bo"}, f"arn:aws:iam::{ACCOUNT}:user/bo", "user"),
        ("CreateRole", {"roleName": "R", "path": "/x/"}, f"arn:aws:iam::{ACCOUNT}:role/x/R", "role"),
        ("GetObject", {"bucketName": "b", "key": "k/1"}, "arn:aws:s3:::b/k/1", "bucket"),
        ("UpdateFunctionCode20150331v2", {"functionName": "f"}, "f", "function"),
        ("StopLogging", {"name": "trail-1"}, "trail-1", "trail"),
        ("RunInstances", {"instancesSet": {"items": [{"instanceId": "i-1"}]}}, "i-1", "instance"),
        ("DescribeSomething", {"queueUrl": "q", "x": 1}, "q", "queue"),
    ],
)
def test_targets_are_named_by_operation(name: str, request_: dict[str, Any], target: str, kind: str) -> None:
    told = fields(event(1, eventName=name, requestParameters=request_))
    assert (told["target_uid"], told["target_type"], told["operation"]) == (target, kind, name)


def test_whom_something_is_shared_with_is_the_other_account() -> None:
    added = {
        "attributeType": "launchPermission",
        "imageId": "ami-1",
        "launchPermission": {"add": {"items": [{"userId": "999988887777"}]}},
    }
    shared = fields(event(1, eventName="ModifyImageAttribute", requestParameters=added))
    public = {**added, "launchPermission": {"add": {"items": [{"group": "all"}]}}}
    assert shared["target_account"] == "999988887777"
    assert fields(event(1, eventName="ModifyImageAttribute", requestParameters=public))["target_account"] == "*"
    database = {"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": ["999988887777"]}
    assert (
        fields(event(1, eventName="ModifyDBSnapshotAttribute", requestParameters=database))["target_account"]
        == "999988887777"
    )


def test_a_resource_of_another_account_is_told() -> None:
    listed = [{"ARN": "arn:aws:s3:::b", "accountId": "999988887777"}]
    assert fields(event(1, resources=listed))["target_account"] == "999988887777"


def test_a_failed_sign_in_is_told_by_its_response() -> None:
    changed = {"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "requestParameters": None}
    told = fields(
        event(1, **changed, responseElements={"ConsoleLogin": "Failure"}, errorMessage="Failed authentication")
    )
    assert (told["status"], told["error"], told["event_class"]) == ("failure", "Failed authentication", "signin")
    assert fields(event(1, **changed, responseElements={"ConsoleLogin": "Success"}))["status"] == "success"


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"eventCategory": "Data"}, "data"),
        ({"eventCategory": "Insight", "eventType": "AwsCloudTrailInsight"}, "insight"),
        ({"eventCategory": "NetworkActivity"}, "network"),
        ({"eventCategory": None, "managementEvent": False}, "data"),
        ({"eventCategory": None, "managementEvent": None, "eventName": "GetObject"}, "data"),
        ({"eventCategory": None, "managementEvent": None}, "management"),
    ],
)
def test_the_class_of_an_event_is_told(changed: dict[str, Any], kind: str) -> None:
    assert fields(event(1, **changed))["event_class"] == kind


def test_what_was_left_out_of_a_request_is_told() -> None:
    told = fields(
        event(1, requestParameters={"omitted": True, "reason": "too large"}, addendum={"reason": "UPDATED_DATA"})
    )
    detail = json.loads(told["detail"])
    assert detail["omitted"] is True
    assert detail["addendum"] == {"reason": "UPDATED_DATA"}


def test_detail_tells_identity_and_connection() -> None:
    told = fields(
        event(
            1,
            userIdentity=role("s", attributes={"mfaAuthenticated": "false", "creationDate": "2026-05-01T00:00:00Z"}),
            tlsDetails={"tlsVersion": "TLSv1.3"},
            vpcEndpointId="vpce-1",
        )
    )
    detail = json.loads(told["detail"])
    assert (detail["mfa"], detail["session_created"], detail["session_name"]) == (False, "2026-05-01T00:00:00Z", "s")
    assert (detail["tls"], detail["vpc_endpoint"]) == ({"tlsVersion": "TLSv1.3"}, "vpce-1")


def test_time_may_stand_under_its_older_name() -> None:
    told = event(1, eventTime=None)
    assert fields({**told, "@timestamp": "2026-05-01T12:00:01.250+02:00"})["time_us"] == 1_777_629_601_250_000


@pytest.mark.parametrize(
    "wrapped",
    [
        {"EventId": "1", "EventName": "x", "CloudTrailEvent": json.dumps(event(1))},
        {"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": event(1)},
        {"eventJson": json.dumps(event(1))},
    ],
    ids=["LookupEvents", "EventBridge", "Lake"],
)
def test_an_event_in_an_envelope_is_the_event(wrapped: dict[str, Any]) -> None:
    assert recognises(wrapped)
    assert fields(wrapped) == fields(event(1))


def test_an_envelope_without_an_event_is_refused() -> None:
    for text in ("no", "[]", "{}"):
        with pytest.raises(UnreadableError):
            fields({"CloudTrailEvent": text})


@pytest.mark.parametrize(
    "document",
    [
        {"Records": [event(1)]},
        {"Events": [{"CloudTrailEvent": json.dumps(event(1))}]},
        {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": json.dumps(event(1))}]},
        {
            "awslogs": {
                "data": base64.b64encode(
                    gzip.compress(json.dumps({"logEvents": [{"id": "1", "message": json.dumps(event(1))}]}).encode())
                ).decode()
            }
        },
        {"QueryResultRows": [[{"eventJson": json.dumps(event(1))}]]},
    ],
    ids=["native", "LookupEvents", "CloudWatch Logs", "awslogs", "Lake"],
)
def test_documents_give_their_events(document: dict[str, Any]) -> None:
    found = opened(document)
    assert found is not None
    assert [fields(one) for one in found] == [fields(event(1))]


def test_a_flat_lake_export_is_read() -> None:
    lake = next(reader for reader in READERS if reader.framing == "csv")
    record = {
        "eventID": "e",
        "eventName": "GetUser",
        "eventSource": "iam.amazonaws.com",
        "eventTime": "2026-05-01T00:00:00Z",
        "readOnly": "true",
        "userIdentity": "{type=IAMUser, username=ana}",
        "requestParameters": '{"userName":"bo"}',
        "errorCode": "",
    }
    assert lake.recognises(record)
    told = lake.fields(record)
    assert (told["access"], told["status"], told["request"]) == ("read", "success", '{"userName":"bo"}')
    assert json.loads(told["detail"])["user_identity_text"] == "{type=IAMUser, username=ana}"


def test_many_events_at_once_give_what_one_gives() -> None:
    records = [event(1), {"eventSource": 1}, event(2, eventTime="never"), event(3, userIdentity=role("s"))]
    told, bad = columns(records)
    assert sorted(bad) == [1, 2]
    for at, record in enumerate([records[0], records[3]]):
        single = fields(record)
        many = {name: values[at] for name, values in told.items() if values[at] is not None}
        assert {name: value.decode() if isinstance(value, bytes) else value for name, value in many.items()} == single


@pytest.mark.parametrize(
    ("told", "micros"),
    [
        ("2026-05-01T00:00:00Z", 1_777_593_600_000_000),
        ("2026-05-01T23:59:59Z", 1_777_679_999_000_000),
        ("2026-05-01T10:30:15+02:00", 1_777_624_215_000_000),
        ("1970-01-01T00:30:00Z", 1_800_000_000),
    ],
)
def test_times_of_one_hour_are_told_to_the_second(told: str, micros: int) -> None:
    assert fields({**event(1), "eventTime": told})["time_us"] == micros


@pytest.mark.parametrize("told", ["2026-02-30T10:00:00Z", "2026-05-01T24:00:00Z", "2026-05-01T10:60:00Z"])
def test_a_time_that_no_clock_shows_is_refused(told: str) -> None:
    with pytest.raises(UnreadableError):
        fields({**event(1), "eventTime": told})


def test_equal_identities_are_told_equally_and_others_are_not() -> None:
    first = event(1, userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::1:user/a", "userName": "a"})
    other = event(
        1, userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::1:user/a", "userName": "a", "invokedBy": "x"}
    )
    told, bad = columns([first, first, other])
    assert not bad
    assert told["actor_uid"] == ["arn:aws:iam::1:user/a"] * 3
    assert told["detail"][0] == told["detail"][1] != told["detail"][2]
