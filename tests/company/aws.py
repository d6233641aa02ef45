"""CloudTrail records in their native form: who calls (:class:`Who`), what is called (:class:`Call`), one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from tests.company.cast import DOMAIN, EUC1, ORG, TOOLS, Cast, Person, arn, stamp

AT, REQUEST, EVENT = "@@time@@", "@@request@@", "@@event@@"
"""Places that differ from one record of a kind to the next."""
BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
)
CLI = "aws-cli/2.31.9 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 lang/python#3.13.7"
SDK = "aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux api/sts#1.38"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.15.0"
OIDC = "token.actions.githubusercontent.com"
SAML = "arn:aws:iam::{account}:saml-provider/Okta"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Who:
    """An identity in use, and where it calls from."""

    identity: Json
    ip: str
    agent: str

    def seen_from(self, ip: str, agent: str) -> Who:
        """The same credential elsewhere."""
        return Who(self.identity, ip, agent)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the service records it."""

    service: str
    name: str
    request: Any = None
    response: Any = None
    read: bool = True
    error: str | None = None
    resources: tuple[Json, ...] = ()
    data: bool = False
    """A data event (objects of a bucket), told only by trails that select them."""
    extra: Mapping[str, Any] = field(default_factory=dict)


def record(who: Who, call: Call, account: str, region: str) -> Json:
    """A record with :data:`AT`, :data:`REQUEST` and :data:`EVENT` left open."""
    made: Json = {
        "eventVersion": "1.11",
        "userIdentity": who.identity,
        "eventTime": AT,
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.name,
        "awsRegion": region,
        "sourceIPAddress": who.ip,
        "userAgent": who.agent,
    }
    if call.error is not None:
        made["errorCode"] = call.error
        made["errorMessage"] = (
            f"User: {who.identity.get('arn')} is not authorized to perform: {call.service}:{call.name}"
        )
    made |= {
        "requestParameters": call.request,
        "responseElements": call.response,
        "requestID": REQUEST,
        "eventID": EVENT,
        "readOnly": call.read,
    }
    if call.resources:
        made["resources"] = list(call.resources)
    made |= {
        "eventType": "AwsApiCall",
        "managementEvent": not call.data,
        "recipientAccountId": account,
        "eventCategory": "Data" if call.data else "Management",
    }
    return made | dict(call.extra)


def pieces(who: Who, call: Call, account: str, region: str) -> tuple[bytes, bytes, bytes, bytes]:
    """The record as JSON, cut at the three open places."""
    text = orjson.dumps(record(who, call, account, region))
    before, rest = text.split(AT.encode(), 1)
    middle, rest = rest.split(REQUEST.encode(), 1)
    late, end = rest.split(EVENT.encode(), 1)
    return before, middle, late, end


def user(cast: Cast, account: str, name: str, key: str, ip: str, agent: str = SDK) -> Who:
    """An IAM user with a long-lived key."""
    return Who(
        {
            "type": "IAMUser",
            "principalId": cast.user_id(account, name),
            "arn": arn(account, "user", name),
            "accountId": account,
            "accessKeyId": key,
            "userName": name,
        },
        ip,
        agent,
    )


def console_user(cast: Cast, account: str, name: str, ip: str, *, mfa: bool) -> Who:
    """An IAM user as a sign-in record names it, or with a console session's key when calling."""
    return Who(
        {
            "type": "IAMUser",
            "principalId": cast.user_id(account, name),
            "arn": arn(account, "user", name),
            "accountId": account,
            "accessKeyId": cast.key("console", account, name, ip),
            "userName": name,
            "sessionContext": {"attributes": {"mfaAuthenticated": str(mfa).lower()}},
        },
        ip,
        BROWSER,
    )


@dataclass(frozen=True, slots=True)
class Role:
    """A role session."""

    account: str
    role: str
    session: str
    key: str
    begun: datetime
    federated: Json | None = None
    instance: bool = False

    @property
    def arn(self) -> str:
        return arn(self.account, "assumed-role", f"{self.role}/{self.session}", "sts")

    def who(self, cast: Cast, ip: str, agent: str) -> Who:
        """The session calling."""
        issuer = {
            "type": "Role",
            "principalId": cast.role_id(self.account, self.role),
            "arn": arn(self.account, "role", self.role),
            "accountId": self.account,
            "userName": self.role,
        }
        context: Json = {
            "sessionIssuer": issuer,
            "attributes": {"creationDate": stamp(self.begun), "mfaAuthenticated": "false"},
        }
        if self.federated is not None:
            context["webIdFederationData"] = self.federated
        if self.instance:
            context["ec2RoleDelivery"] = "2.0"
        identity = {
            "type": "AssumedRole",
            "principalId": f"{cast.role_id(self.account, self.role)}:{self.session}",
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": self.key,
            "sessionContext": context,
        }
        return Who(identity, ip, agent)

    def issued(self, cast: Cast) -> Json:
        """What the call that began it answered; the token is not a real one."""
        return {
            "credentials": {
                "accessKeyId": self.key,
                "sessionToken": "FwoGZXIvYXdzEXAMPLE" + cast.token(20, "session token", self.key),
                "expiration": stamp(self.begun + timedelta(hours=1)),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{cast.role_id(self.account, self.role)}:{self.session}",
                "arn": self.arn,
            },
        }


def by_saml(cast: Cast, person: Person, role: Role, ip: str) -> tuple[Who, Call]:
    """A person takes a role through Okta."""
    provider = SAML.format(account=role.account)
    who = Who(
        {
            "type": "SAMLUser",
            "principalId": f"{cast.token(20, 'saml', person.email)}:{person.email}",
            "userName": person.email,
            "identityProvider": cast.token(20, "saml", "provider"),
        },
        ip,
        BROWSER,
    )
    answer = role.issued(cast) | {
        "subject": person.email,
        "subjectType": "persistent",
        "issuer": f"https://www.okta.com/{cast.token(18, 'issuer').lower()}",
        "audience": "https://signin.aws.amazon.com/saml",
    }
    request = {
        "sAMLAssertionID": f"id{cast.number(10**17, 'assertion', role.key)}",
        "roleSessionName": role.session,
        "durationSeconds": 3600,
        "roleArn": arn(role.account, "role", role.role),
        "principalArn": provider,
    }
    resources = (
        {"ARN": arn(role.account, "role", role.role), "accountId": role.account, "type": "AWS::IAM::Role"},
        {"ARN": provider, "accountId": role.account, "type": "AWS::IAM::SAMLProvider"},
    )
    return who, Call("sts", "AssumeRoleWithSAML", request, answer, resources=resources)


def by_web_identity(cast: Cast, role: Role, provider: str, subject: str, ip: str, agent: str) -> tuple[Who, Call]:
    """A workload or a CI job takes a role with a token of its own issuer."""
    arn_of = f"arn:aws:iam::{role.account}:oidc-provider/{provider}"
    who = Who(
        {
            "type": "WebIdentityUser",
            "principalId": f"{arn_of}:sts.amazonaws.com:{subject}",
            "userName": subject,
            "identityProvider": arn_of,
        },
        ip,
        agent,
    )
    answer = {"subjectFromWebIdentityToken": subject} | role.issued(cast)
    answer |= {"provider": arn_of, "audience": "sts.amazonaws.com"}
    request = {
        "roleArn": arn(role.account, "role", role.role),
        "roleSessionName": role.session,
        "durationSeconds": 3600,
    }
    resources = ({"ARN": arn(role.account, "role", role.role), "accountId": role.account, "type": "AWS::IAM::Role"},)
    return who, Call("sts", "AssumeRoleWithWebIdentity", request, answer, resources=resources)


def assume(cast: Cast, role: Role, shared: str | None = None) -> Call:
    """A role takes the next one; across accounts both tell of it under one shared id."""
    request = {
        "roleArn": arn(role.account, "role", role.role),
        "roleSessionName": role.session,
        "durationSeconds": 3600,
    }
    resources = ({"ARN": arn(role.account, "role", role.role), "accountId": role.account, "type": "AWS::IAM::Role"},)
    extra = {} if shared is None else {"sharedEventID": shared}
    return Call("sts", "AssumeRole", request, role.issued(cast), resources=resources, extra=extra)


def by_service(service: str) -> Who:
    """AWS itself."""
    return Who({"type": "AWSService", "invokedBy": service}, service, service)


def subject(repo: str, ref: str = "refs/heads/main") -> str:
    """The subject claim of a workflow's token."""
    return f"repo:{ORG}/{repo}:ref:{ref}"


def okta_issuer() -> str:
    """Okta's own host for this company."""
    return f"{DOMAIN.split('.', maxsplit=1)[0]}.okta.com"


def eks_issuer(cast: Cast) -> str:
    """The cluster's issuer of pod identities."""
    return f"oidc.eks.{EUC1}.amazonaws.com/id/{cast.token(32, 'eks issuer')}"


def login(name: str, *, mfa: bool, ok: bool = True) -> Call:
    """A sign-in to the console by password."""
    return Call(
        "signin",
        "ConsoleLogin",
        None,
        {"ConsoleLogin": "Success" if ok else "Failure"},
        read=False,
        extra={
            "eventType": "AwsConsoleSignIn",
            "additionalEventData": {
                "LoginTo": "https://console.aws.amazon.com/console/home",
                "MobileVersion": "No",
                "MFAUsed": "Yes" if mfa else "No",
            },
        }
        | ({} if ok else {"errorMessage": f"Failed authentication of {name}"}),
    )


BUCKETS = {"exports": "larkfield-customer-exports", "artifacts": "larkfield-build-artifacts"}
ARTIFACTS_ACCOUNT = TOOLS


def s3(name: str, bucket: str, key: str, *, read: bool, account: str) -> Call:
    """An object call, which is a data event."""
    return Call(
        "s3",
        name,
        {"bucketName": bucket, "Host": f"{bucket}.s3.{EUC1}.amazonaws.com", "key": key},
        None,
        read=read,
        data=True,
        resources=(
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
            {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ),
        extra={"additionalEventData": {"bytesTransferredOut": 48211 if read else 0.0}},
    )
