"""Probes, captured state and effective permission against a server that really enforces them (MiniStack)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

boto3 = pytest.importorskip("boto3", reason="needs the aws extra")
from botocore.exceptions import ClientError  # noqa: E402 - only where boto3 is

from holdfast.connectors.aws import open_session_of  # noqa: E402
from holdfast.connectors.aws.probing import AwsProbe, SuspectCredentialProbe  # noqa: E402
from holdfast.investigation.captured import TABLES, Origin, shipped  # noqa: E402
from holdfast.investigation.effective import HELD_AFTER, held  # noqa: E402
from holdfast.investigation.policies import Holder, Question, may  # noqa: E402
from holdfast.investigation.probing import ProbeQuestion, ProbeResult, responders_from  # noqa: E402
from holdfast.kernel.errors import RefusedError  # noqa: E402
from holdfast.kernel.secrets import SecretValue  # noqa: E402
from tests.real.ministack import running  # noqa: E402

pytestmark = pytest.mark.real
ACCOUNT = "000000000000"
OUTSIDE = "222222222222"


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class Cloud:
    address: str

    def session(self, key: str = "test", secret: str = "test") -> Any:
        return boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")

    def client(self, service: str, key: str = "test", secret: str = "test") -> Any:
        return self.session(key, secret).client(service, endpoint_url=self.address)

    def probe(self, key: str = "test", secret: str = "test") -> AwsProbe:
        return AwsProbe(self.session(key, secret), now_us, self.address)

    def ask(self, uid: str, check: str, **target: str) -> ProbeResult:
        return self.probe().check(ProbeQuestion(uid, check, target))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("ministack")) as address:
        yield Cloud(address)


def trust(principal: Any) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
    )


def policy(*statements: tuple[str, Any, Any]) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": effect, "Action": act, "Resource": on} for effect, act, on in statements],
        }
    )


def test_a_key_is_exploitable_until_it_is_inactive_or_gone(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="leaked")
    key = iam.create_access_key(UserName="leaked")["AccessKey"]["AccessKeyId"]
    assert cloud.ask(key, "key_active", key=key).standing == "exploitable"
    iam.update_access_key(UserName="leaked", AccessKeyId=key, Status="Inactive")
    found = cloud.ask(key, "key_active", key=key)
    assert (found.standing, found.why) == ("closed", "the key of leaked is Inactive")
    assert found.probed_us is not None
    iam.delete_access_key(UserName="leaked", AccessKeyId=key)
    assert cloud.ask(key, "key_active", key=key).standing in ("closed", "cannot_tell")


def test_the_suspect_credential_itself_is_used_on_an_order_only(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="worker")
    key = iam.create_access_key(UserName="worker")["AccessKey"]
    session = open_session_of(key["AccessKeyId"], SecretValue(key["SecretAccessKey"].encode()))
    with pytest.raises(RefusedError):
        SuspectCredentialProbe(session, now_us, None, cloud.address)
    probe = SuspectCredentialProbe(session, now_us, "D-7", cloud.address)
    question = ProbeQuestion(key["AccessKeyId"], "key_works")
    found = probe.check(question)
    assert (found.standing, found.acted_as, found.order) == ("exploitable", key["AccessKeyId"], "D-7")
    assert key["SecretAccessKey"] not in str(found)
    assert responders_from([found])[0]["value"] == key["AccessKeyId"]
    iam.update_access_key(UserName="worker", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert probe.check(question).standing == "closed"


def test_a_role_is_open_while_it_trusts_somebody_outside(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName="backdoor", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{OUTSIDE}:root"}))
    found = cloud.ask("backdoor", "trust_open", role="backdoor")
    assert (found.standing, OUTSIDE in found.why) == ("exploitable", True)
    iam.update_assume_role_policy(RoleName="backdoor", PolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    assert cloud.ask("backdoor", "trust_open", role="backdoor").standing == "cannot_tell"
    iam.delete_role(RoleName="backdoor")
    assert cloud.ask("backdoor", "trust_open", role="backdoor").standing == "closed"


def test_policies_are_open_while_they_are_attached_or_in_place(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="raised")
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.attach_user_policy(UserName="raised", PolicyArn=admin)
    iam.put_user_policy(UserName="raised", PolicyName="own", PolicyDocument=policy(("Allow", "*", "*")))

    def standing(name: str) -> str:
        return cloud.ask(f"raised {name}", "policy_open", holder_type="user", holder="raised", policy=name).standing

    assert [standing(admin), standing("own")] == ["exploitable", "exploitable"]
    iam.detach_user_policy(UserName="raised", PolicyArn=admin)
    iam.delete_user_policy(UserName="raised", PolicyName="own")
    assert [standing(admin), standing("own")] == ["closed", "closed"]


def test_a_snapshot_is_open_while_it_is_shared(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    share = {"SnapshotId": snapshot, "Attribute": "createVolumePermission", "UserIds": [OUTSIDE]}
    ec2.modify_snapshot_attribute(**share, OperationType="add")
    asked = {"snapshot": snapshot, "shared_with": OUTSIDE}
    assert cloud.ask(snapshot, "snapshot_shared", **asked).standing == "exploitable"
    ec2.modify_snapshot_attribute(**share, OperationType="remove")
    assert cloud.ask(snapshot, "snapshot_shared", **asked).standing == "closed"


def test_a_bucket_is_open_by_its_policy_unless_it_is_blocked(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="open-data")
    s3.delete_public_access_block(Bucket="open-data")  # a new bucket has one, as at AWS
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open-data/*"}
    s3.put_bucket_policy(Bucket="open-data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert cloud.ask("open-data", "bucket_public", bucket="open-data").standing == "exploitable"
    s3.put_public_access_block(
        Bucket="open-data",
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    assert cloud.ask("open-data", "bucket_public", bucket="open-data").standing == "closed"
    assert cloud.ask("gone", "bucket_public", bucket="no-such-bucket-here").standing == "closed"


def test_without_the_permission_to_look_it_cannot_be_told(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="blind")
    key = iam.create_access_key(UserName="blind")["AccessKey"]
    probe = cloud.probe(key["AccessKeyId"], key["SecretAccessKey"])
    found = probe.check(ProbeQuestion("r", "trust_open", {"role": "anything"}))
    assert found.standing == "cannot_tell"
    assert "AccessDenied" in found.why


def test_a_server_that_does_not_answer_cannot_be_told() -> None:
    probe = AwsProbe(boto3.Session("k", "s", region_name="us-east-1"), now_us, "http://127.0.0.1:9")
    assert probe.check(ProbeQuestion("k", "key_active", {"key": "AKIA"})).standing == "cannot_tell"


def captured(cloud: Cloud) -> dict[str, list[dict[str, Any]]]:
    """What the state readers make of the server's own authorization details."""
    answer = cloud.client("iam").get_account_authorization_details()
    document = json.loads(json.dumps(answer, default=str))
    (reader,) = [one for one in shipped() if one.recognises(document)]
    tables = reader.tables(document, Origin("details.json", 1, now_us()))
    return {name: [dict(row) for row in tables.get(name, ())] for name in TABLES}


def test_effective_permission_is_what_the_server_enforces(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    iam, s3 = cloud.client("iam"), cloud.client("s3")
    s3.create_bucket(Bucket="data")
    for name in ("public/a", "secret/b", "home/reader/c"):
        s3.put_object(Bucket="data", Key=name, Body=b"x")
    everything = "arn:aws:s3:::data/*"
    users = {
        "nothing": [],
        "reader": [policy(("Allow", "s3:GetObject", everything))],
        "kept-out": [policy(("Allow", "s3:*", "*"), ("Deny", "s3:*", "arn:aws:s3:::data/secret/*"))],
        "part": [policy(("Allow", ["s3:Get*", "s3:Put*"], "arn:aws:s3:::data/p?blic/*"))],
        "admin": [policy(("Allow", "*", "*"))],
        "denied": [policy(("Allow", "*", "*")), policy(("Deny", "*", "*"))],
        "upper": [policy(("Allow", "S3:GETOBJECT", everything))],
    }
    keys = {}
    for name, documents in users.items():
        iam.create_user(UserName=name)
        for number, document in enumerate(documents):
            iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=document)
        keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
    tables = captured(cloud)
    rows = held({name: tables[name] for name in HELD_AFTER})
    wrong, asked = [], 0
    for name, key in keys.items():
        client = cloud.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
        holder = Holder(f"arn:aws:iam::{ACCOUNT}:user/{name}", ACCOUNT)
        for path in ("public/a", "secret/b", "home/reader/c"):
            for action, call in (
                ("s3:GetObject", lambda c=client, p=path: c.get_object(Bucket="data", Key=p)),
                ("s3:PutObject", lambda c=client, p=path: c.put_object(Bucket="data", Key=p, Body=b"x")),
            ):
                asked += 1
                said = may(holder, Question(action, f"arn:aws:s3:::data/{path}"), rows).verdict
                if (said == "allowed") != works(call):
                    wrong.append((name, action, path, said))
    with capsys.disabled():
        print(f"\neffective permission: {asked - len(wrong)} of {asked} calls as the server enforces")  # noqa: T201 - the agreement is to be seen
    assert not wrong


def works(call: Any) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_captured_answers_of_the_server_are_recognised(cloud: Cloud, tmp_path: Path) -> None:
    iam, ec2, trail = cloud.client("iam"), cloud.client("ec2"), cloud.client("cloudtrail")
    iam.create_user(UserName="seen")
    iam.create_access_key(UserName="seen")
    iam.create_role(RoleName="seen", AssumeRolePolicyDocument=trust({"AWS": "*"}))
    cloud.client("s3").create_bucket(Bucket="trail-data")
    trail.create_trail(Name="all", S3BucketName="trail-data", IsMultiRegionTrail=True)
    iam.generate_credential_report()
    answers = {
        "aws.iam": [iam.get_role(RoleName="seen"), iam.list_access_keys(UserName="seen")],
        "aws.trail": [trail.describe_trails(), trail.get_trail_status(Name="all")],
        "aws.resource": [ec2.describe_security_groups()],
        "aws.credential_report": [iam.get_credential_report()],
    }
    for key, several in answers.items():
        for answer in several:
            answer.pop("ResponseMetadata", None)
            if isinstance(answer.get("Content"), bytes):
                answer["Content"] = base64.b64encode(answer["Content"]).decode()
            document = json.loads(json.dumps(answer, default=str))
            found = [one for one in shipped() if one.recognises(document)]
            assert [one.key for one in found] == [key], document
            tables = found[0].tables(document, Origin("x.json", 1, None))
            assert any(list(rows) for rows in tables.values()), document
