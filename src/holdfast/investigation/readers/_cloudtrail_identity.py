"""Who acted, from CloudTrail's ``userIdentity``.

Fields are those of https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

Rules:
1. The lasting identity of an assumed role is the role; the assumed-role ARN with its session name is the session.
2. What kind of actor it is, is told only where the record tells it: a console or MFA session, a name with an address in
   it, or an identity centre means a human; an instance's session name, a cluster's or a CI service's token issuer means
   a machine. A long-lived key tells neither: its holder is ``unknown`` unless the name or the program says otherwise.
3. Without ``userIdentity``, or with a type of null, nobody is named but the service that is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.investigation.framing import Value

CI_ISSUERS = (
    "token.actions.githubusercontent.com",
    "gitlab",
    "bitbucket.org",
    "api.bitbucket",
    "oidc.circleci.com",
    "agent.buildkite.com",
    "app.terraform.io",
    "vstoken.dev.azure.com",
)
"""Parts of token issuers that belong to CI services."""
WORKLOAD_ISSUERS = ("oidc.eks.", "container.googleapis.com", "oic.prod-aks.azure.com", "accounts.google.com/workload")
"""Parts of token issuers that belong to clusters."""
_INSTANCE = re.compile(r"(?:i|mi)-[0-9a-f]{8,17}")
_MACHINE_SESSION = re.compile(
    r"(?:botocore-session-\d+|aws-go-sdk-\d+|aws-sdk-(?:java|js|php|ruby)-.*|eks-.*|ecs-.*|[0-9a-f]{32}|AWSCodeBuild-.*"
    r"|GitHubActions|awslambda_.*|[0-9]{13,})"
)
_MACHINE_NAME = re.compile(
    r"(?:^|[-_./ ])(?:svc|service|ci|cd|cicd|bot|robot|deploy(?:er|ment)?|terraform|jenkins|github|gitlab|circleci"
    r"|automation|backup|pipeline|machine|system|exporter|scraper|ses-smtp-user|smtp)(?:[-_./ ]|\d|$)",
    re.IGNORECASE,
)
_ASSUMED = re.compile(r"arn:([\w-]+):sts::(\d{0,12}):assumed-role/([^/]+)/(.*)", re.DOTALL)
_SSO = "AWSReservedSSO_"


@dataclass(slots=True)
class Identity:
    """What the activity table tells of who acted."""

    actor_type: str = "unknown"
    actor_uid: str | None = None
    actor_name: str | None = None
    session_uid: str | None = None
    credential_uid: str | None = None
    parent_uid: str | None = None
    account_uid: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def table(value: Value) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def words(value: Value) -> str | None:
    """The value if it is text and not empty."""
    return value if isinstance(value, str) and value else None


def identity(told: Mapping[str, Any]) -> Identity:
    """Read one ``userIdentity``."""
    kind = words(told.get("type"))
    found = Identity(
        actor_uid=words(told.get("arn")),
        actor_name=words(told.get("userName")),
        credential_uid=words(told.get("accessKeyId")),
        account_uid=words(told.get("accountId")),
        detail=_detail(told, kind),
    )
    _KINDS.get(kind or "", _unknown)(found, told)
    return found


def _detail(told: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    session = table(told.get("sessionContext"))
    attributes = table(session.get("attributes"))
    issuer = table(session.get("sessionIssuer"))
    pairs = {
        "identity_type": kind,
        "principal_id": told.get("principalId"),
        "invoked_by": told.get("invokedBy"),
        "mfa": _true(attributes.get("mfaAuthenticated")),
        "session_created": attributes.get("creationDate"),
        "issuer": issuer.get("arn"),
        "source_identity": session.get("sourceIdentity"),
        "federated_provider": table(session.get("webIdFederationData")).get("federatedProvider"),
        "identity_provider": told.get("identityProvider"),
        "on_behalf_of": told.get("onBehalfOf"),
        "in_scope_of": told.get("inScopeOf"),
        "role_delivery": session.get("ec2RoleDelivery"),
        "assumed_root": session.get("assumedRoot"),
    }
    return {name: value for name, value in pairs.items() if value is not None and value != ""}


def _true(value: Value) -> bool | None:
    if value is None:
        return None
    return str(value).lower() == "true"


def _root(found: Identity, told: Mapping[str, Any]) -> None:
    found.actor_type = "root"
    found.actor_name = found.actor_name or "root"
    if found.actor_uid is None and found.account_uid:
        found.actor_uid = f"arn:aws:iam::{found.account_uid}:root"
    if words(told.get("invokedBy")):
        found.detail["invoked_by"] = told["invokedBy"]


def _user(found: Identity, told: Mapping[str, Any]) -> None:
    if found.actor_uid is None and found.account_uid and found.actor_name:
        found.actor_uid = f"arn:aws:iam::{found.account_uid}:user/{found.actor_name}"
    found.actor_uid = found.actor_uid or words(told.get("principalId"))
    name = found.actor_name or (found.actor_uid or "").rpartition("/")[2]
    if "@" in name or found.detail.get("mfa"):
        found.actor_type = "human"
    elif _MACHINE_NAME.search(name):
        found.actor_type = "service_account"


def _role(found: Identity, told: Mapping[str, Any]) -> None:
    session = table(told.get("sessionContext"))
    issuer = table(session.get("sessionIssuer"))
    found.session_uid = found.actor_uid
    match = _ASSUMED.fullmatch(found.actor_uid or "")
    role = words(issuer.get("arn"))
    if role is None and match:
        role = f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"
    if role is not None or match:
        found.actor_uid = role
    found.actor_uid = found.actor_uid or words(told.get("principalId"))
    name = match[4] if match else (words(told.get("principalId")) or "").partition(":")[2]
    found.actor_name = words(issuer.get("userName")) or (match[3] if match else found.actor_name)
    found.parent_uid = words(session.get("sourceIdentity")) or _behalf(told)
    found.actor_type = _role_type(role or "", name, session, told)
    if _SSO in (role or "") and name:
        found.parent_uid = found.parent_uid or name
    if name:
        found.detail["session_name"] = name


def _role_type(role: str, name: str, session: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    provider = words(table(session.get("webIdFederationData")).get("federatedProvider")) or ""
    if ":role/aws-service-role/" in role:
        return "cloud_service"
    if provider:
        return issuer_type(provider)
    if _INSTANCE.fullmatch(name) or "ec2RoleDelivery" in session:
        return "workload"
    if _SSO in role or "@" in name or "onBehalfOf" in told:
        return "human"
    if table(session.get("attributes")).get("mfaAuthenticated") in ("true", True):
        return "human"
    return "workload" if _MACHINE_SESSION.fullmatch(name) else "unknown"


def issuer_type(provider: str) -> str:
    """Kind of actor behind a token of this issuer."""
    bare = provider.lower()
    if any(part in bare for part in CI_ISSUERS):
        return "ci_token"
    if any(part in bare for part in WORKLOAD_ISSUERS):
        return "workload"
    return "unknown"


def _behalf(told: Mapping[str, Any]) -> str | None:
    return words(table(told.get("onBehalfOf")).get("userId"))


def _federated(found: Identity, told: Mapping[str, Any]) -> None:
    issuer = table(table(told.get("sessionContext")).get("sessionIssuer"))
    found.session_uid = found.actor_uid
    found.actor_name = words(issuer.get("userName")) or (found.actor_uid or "").rpartition("/")[2] or None
    found.actor_uid = words(issuer.get("arn")) or found.actor_uid or words(told.get("principalId"))
    found.parent_uid = words(issuer.get("arn"))


def _saml(found: Identity, told: Mapping[str, Any]) -> None:
    found.actor_type = "human"
    found.actor_uid = found.actor_uid or found.actor_name or words(told.get("principalId"))


def _web(found: Identity, told: Mapping[str, Any]) -> None:
    """The subject says more than the principal id, but a bare number is only unique beside its issuer."""
    subject = found.actor_name
    principal = words(told.get("principalId"))
    found.actor_type = issuer_type(f"{told.get('identityProvider')} {principal}")
    found.actor_uid = subject if subject and not subject.isdigit() else principal or subject
    if subject and subject.startswith("system:serviceaccount:"):
        found.actor_type = "workload"


def _centre(found: Identity, told: Mapping[str, Any]) -> None:
    found.actor_type = "human"
    found.actor_uid = _behalf(told) or words(told.get("userId")) or words(told.get("principalId")) or found.actor_uid
    found.credential_uid = found.credential_uid or words(told.get("credentialId"))


def _account(found: Identity, told: Mapping[str, Any]) -> None:
    principal = words(told.get("principalId"))
    found.actor_uid = found.actor_uid or principal or found.account_uid
    if "anonymous" in f"{principal} {found.account_uid}".lower():
        found.actor_type, found.account_uid = "anonymous", None


def _service(found: Identity, told: Mapping[str, Any]) -> None:
    found.actor_type = "cloud_service"
    found.actor_uid = words(told.get("invokedBy")) or found.actor_uid
    found.actor_name = found.actor_uid


def _unknown(found: Identity, told: Mapping[str, Any]) -> None:
    if found.actor_uid is None and words(told.get("invokedBy")):
        _service(found, told)
        return
    if ":assumed-role/" in (found.actor_uid or ""):
        _role(found, told)
        return
    found.actor_uid = found.actor_uid or words(told.get("principalId")) or found.actor_name


_KINDS = {
    "Root": _root,
    "IAMUser": _user,
    "AssumedRole": _role,
    "Role": _role,
    "FederatedUser": _federated,
    "SAMLUser": _saml,
    "WebIdentityUser": _web,
    "IdentityCenterUser": _centre,
    "AWSAccount": _account,
    "AWSService": _service,
}
