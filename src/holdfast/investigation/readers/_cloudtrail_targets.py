"""What a CloudTrail record acted upon, and what it issued: rules for single operations as data.

Rules:
1. A rule names the kind of the target and where its name stands: a path into the request, or into the response after
   ``>``. Several paths are tried in turn.
2. IAM names become ARNs of the account, with the path that the request gives or ``/``: the same user is then named the
   same in every event. An ARN that the record itself tells is preferred.
3. Without a rule the target is the first resource the record lists, else the first id of a well-known name.
4. A target in another account is one whose ARN says so, or to whom something is shared; ``*`` means everybody.

Request fields are spelled as in the events themselves (``dBSnapshotIdentifier``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from holdfast.investigation.framing import Value
from holdfast.investigation.readers._cloudtrail_identity import table, words

Rule = tuple[str, tuple[str, ...]]

_USER: Rule = ("user", ("userName",))
_ROLE: Rule = ("role", ("roleName",))
_GROUP: Rule = ("group", ("groupName",))
_POLICY: Rule = ("policy", ("policyArn", ">policy.arn", "policyName"))
_BUCKET: Rule = ("bucket", ("bucketName",))
_SECRET: Rule = ("secret", ("secretId", ">aRN", ">arn", "name"))
_PARAMETER: Rule = ("parameter", ("name", "names.0"))
_KEY: Rule = ("key", (">keyId", "keyId", ">keyMetadata.keyId"))
_INSTANCE: Rule = (
    "instance",
    ("instanceId", "instancesSet.items.0.instanceId", ">instancesSet.items.0.instanceId", "instanceIds.0", "target"),
)
_SNAPSHOT: Rule = ("snapshot", ("snapshotId", ">snapshotId", "dBSnapshotIdentifier", "dBClusterSnapshotIdentifier"))
_IMAGE: Rule = ("image", ("imageId", ">imageId"))
_FUNCTION: Rule = ("function", ("functionName", ">functionArn"))
_GROUP_EC2: Rule = ("security_group", ("groupId", ">groupId", "groupName"))
_TRAIL: Rule = ("trail", ("name", "trailName", ">trailARN"))
_DATABASE: Rule = ("database", ("dBInstanceIdentifier", "dBClusterIdentifier"))
_PROVIDER: Rule = (
    "identity_provider",
    ("openIDConnectProviderArn", "sAMLProviderArn", ">openIDConnectProviderArn", ">sAMLProviderArn", "url", "name"),
)
_ASSUMED: Rule = ("role", ("roleArn", ">assumedRoleUser.arn"))
_LAYER: Rule = ("layer", (">layerVersionArn", "layerName"))
_RULE: Rule = ("rule", ("name", "rule"))
_DETECTOR: Rule = ("detector", ("detectorId",))
_ACCOUNT: Rule = ("account", ("accountId", "account", "targetPrincipal", "handshakeId", "target.id"))
_STACK: Rule = ("stack", ("stackName", ">stackId"))
_REPOSITORY: Rule = ("repo", ("repositoryName",))
_PROJECT: Rule = ("job", ("projectName", "name"))
_CLUSTER: Rule = ("cluster", ("name", "clusterName", "cluster"))


def _each(names: str, rule: Rule) -> dict[str, Rule]:
    """The same rule for every operation named."""
    return dict.fromkeys(names.split(), rule)


RULES: Mapping[str, Rule] = {
    **_each(
        "CreateUser DeleteUser UpdateUser GetUser TagUser CreateLoginProfile UpdateLoginProfile "
        "DeleteLoginProfile GetLoginProfile AttachUserPolicy DetachUserPolicy PutUserPolicy DeleteUserPolicy "
        "AddUserToGroup RemoveUserFromGroup PutUserPermissionsBoundary DeleteUserPermissionsBoundary "
        "ListAccessKeys DeactivateMFADevice EnableMFADevice CreateServiceSpecificCredential "
        "ResetServiceSpecificCredential UploadSSHPublicKey UploadSigningCertificate ListGroupsForUser "
        "ListUserPolicies ListAttachedUserPolicies",
        _USER,
    ),
    **_each(
        "CreateRole DeleteRole GetRole UpdateRole TagRole UpdateAssumeRolePolicy AttachRolePolicy "
        "DetachRolePolicy PutRolePolicy DeleteRolePolicy PutRolePermissionsBoundary "
        "DeleteRolePermissionsBoundary AddRoleToInstanceProfile RemoveRoleFromInstanceProfile "
        "ListRolePolicies ListAttachedRolePolicies CreateServiceLinkedRole",
        _ROLE,
    ),
    **_each(
        "CreateGroup DeleteGroup AttachGroupPolicy DetachGroupPolicy PutGroupPolicy DeleteGroupPolicy GetGroup",
        _GROUP,
    ),
    "CreateAccessKey": ("key", (">accessKey.accessKeyId", "userName")),
    **_each(
        "UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed",
        ("key", ("accessKeyId",)),
    ),
    **_each(
        "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion GetPolicy "
        "GetPolicyVersion",
        _POLICY,
    ),
    **_each(
        "CreateOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint AddClientIDToOpenIDConnectProvider "
        "DeleteOpenIDConnectProvider CreateSAMLProvider UpdateSAMLProvider DeleteSAMLProvider",
        _PROVIDER,
    ),
    **_each(
        "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot AssumeRoleWithCertificate",
        _ASSUMED,
    ),
    "GetFederationToken": ("session", (">federatedUser.arn", "name")),
    "SwitchRole": ("role", ()),
    **_each(
        "GetSecretValue PutSecretValue CreateSecret UpdateSecret DeleteSecret DescribeSecret RotateSecret "
        "RestoreSecret GetResourcePolicy PutResourcePolicy UpdateSecretVersionStage ReplicateSecretToRegions",
        _SECRET,
    ),
    **_each(
        "GetParameter GetParameters PutParameter DeleteParameter DeleteParameters GetParameterHistory",
        _PARAMETER,
    ),
    "GetParametersByPath": ("parameter", ("path",)),
    "BatchGetSecretValue": ("secret", ("secretIdList.0",)),
    **_each(
        "SendCommand StartSession ResumeSession TerminateSession UpdateInstanceInformation SendSSHPublicKey "
        "SendSerialConsoleSSHPublicKey GetPasswordData GetConsoleScreenshot ModifyInstanceAttribute "
        "DescribeInstanceAttribute RunInstances StartInstances StopInstances TerminateInstances "
        "RebootInstances ModifyInstanceMetadataOptions AssociateIamInstanceProfile "
        "ReplaceIamInstanceProfileAssociation",
        _INSTANCE,
    ),
    **_each(
        "Encrypt Decrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext CreateKey "
        "ScheduleKeyDeletion CancelKeyDeletion DisableKey EnableKey PutKeyPolicy CreateGrant RetireGrant "
        "RevokeGrant ImportKeyMaterial DeleteImportedKeyMaterial DisableKeyRotation",
        _KEY,
    ),
    **_each(
        "CreateSnapshot DeleteSnapshot ModifySnapshotAttribute CopySnapshot ModifyDBSnapshotAttribute "
        "CreateDBSnapshot DeleteDBSnapshot CopyDBSnapshot ModifyDBClusterSnapshotAttribute "
        "RestoreDBInstanceFromDBSnapshot SharedSnapshotVolumeCreated SharedSnapshotCopyInitiated",
        _SNAPSHOT,
    ),
    **_each(
        "ModifyImageAttribute CreateImage CopyImage DeregisterImage RegisterImage",
        _IMAGE,
    ),
    **_each(
        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
        "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup",
        _GROUP_EC2,
    ),
    **_each(
        "CreateTrail DeleteTrail StopLogging StartLogging UpdateTrail PutEventSelectors PutInsightSelectors "
        "GetTrailStatus GetEventSelectors",
        _TRAIL,
    ),
    **_each(
        "CreateDBInstance DeleteDBInstance ModifyDBInstance ModifyDBCluster CreateDBCluster DeleteDBCluster "
        "StartExportTask",
        _DATABASE,
    ),
    **_each(
        "CreateFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction GetFunction "
        "AddPermission RemovePermission CreateFunctionUrlConfig UpdateFunctionUrlConfig "
        "CreateEventSourceMapping PublishVersion Invoke InvokeFunction GetPolicy_lambda",
        _FUNCTION,
    ),
    **_each(
        "PublishLayerVersion AddLayerVersionPermission DeleteLayerVersion",
        _LAYER,
    ),
    **_each(
        "PutRule DeleteRule DisableRule EnableRule PutTargets RemoveTargets",
        _RULE,
    ),
    **_each(
        "DeleteDetector UpdateDetector CreateIPSet UpdateIPSet CreateFilter UpdateFilter DeleteMembers "
        "DisassociateFromMasterAccount StopMonitoringMembers",
        _DETECTOR,
    ),
    **_each(
        "InviteAccountToOrganization CreateAccount LeaveOrganization RemoveAccountFromOrganization MoveAccount",
        _ACCOUNT,
    ),
    **_each(
        "CreateStack UpdateStack DeleteStack ExecuteChangeSet",
        _STACK,
    ),
    **_each(
        "GetDownloadUrlForLayer BatchGetImage PutImage SetRepositoryPolicy",
        _REPOSITORY,
    ),
    **_each(
        "StartBuild UpdateProject CreateProject",
        _PROJECT,
    ),
    **_each(
        "CreateCluster DescribeCluster DeleteCluster UpdateClusterConfig CreateAccessEntry",
        _CLUSTER,
    ),
    "AssociateAccessPolicy": ("cluster", ("name",)),
    "DeleteFlowLogs": ("flow_log", ("DeleteFlowLogsRequest.FlowLogId.content", "flowLogIds.0")),
    **_each(
        "CreateLogGroup DeleteLogGroup PutRetentionPolicy",
        ("log_group", ("logGroupName",)),
    ),
    "DeleteLogStream": ("log_stream", ("logStreamName",)),
    "CreateKeyPair": ("key", ("keyName",)),
    "ImportKeyPair": ("key", ("keyName",)),
    "CreateTrustAnchor": ("trust_anchor", (">trustAnchor.trustAnchorArn", "name")),
    "CreateProfile": ("profile", (">profile.profileArn", "name")),
    "InvokeModel": ("model", ("modelId",)),
    "CreateResourceShare": ("share", ("name",)),
    "AssociateResourceShare": ("share", ("resourceShareArn",)),
}
"""Operation, without the date or version that Lambda puts behind it, to where its target stands."""

GENERIC: tuple[tuple[str, str], ...] = (
    ("bucketName", "bucket"),
    ("userName", "user"),
    ("roleName", "role"),
    ("groupName", "group"),
    ("policyArn", "policy"),
    ("instanceId", "instance"),
    ("functionName", "function"),
    ("secretId", "secret"),
    ("keyId", "key"),
    ("tableName", "table"),
    ("queueUrl", "queue"),
    ("topicArn", "topic"),
    ("roleArn", "role"),
    ("resourceArn", "resource"),
    ("resourceARN", "resource"),
    ("arn", "resource"),
    ("vpcId", "network"),
    ("volumeId", "volume"),
    ("snapshotId", "snapshot"),
    ("imageId", "image"),
    ("groupId", "security_group"),
    ("dBInstanceIdentifier", "database"),
    ("clusterName", "cluster"),
    ("logGroupName", "log_group"),
    ("repositoryName", "repo"),
    ("stackName", "stack"),
    ("domainName", "domain"),
    ("hostedZoneId", "zone"),
    ("networkInterfaceId", "network_interface"),
    ("subnetId", "network"),
    ("routeTableId", "route_table"),
    ("internetGatewayId", "gateway"),
    ("allocationId", "address"),
    ("instanceProfileName", "instance_profile"),
    ("dBSubnetGroupName", "database"),
    ("trustAnchorId", "trust_anchor"),
    ("profileId", "profile"),
    ("modelId", "model"),
    ("resourceId", "resource"),
    ("name", "name"),
)
"""Names of request fields that name a target in most services, most telling first."""
_RANKS = {key: rank for rank, (key, _) in enumerate(GENERIC)}

_VERSION = re.compile(r"(?:\d{8}(?:v\d+)?|\d{4}_\d\d_\d\d)$")
_ACCOUNT_OF = re.compile(r"arn:[\w-]+:[\w-]*:[\w-]*:(\d{12}):")
_SHARING = frozenset(
    {
        "ModifyImageAttribute",
        "ModifySnapshotAttribute",
        "ModifyDBSnapshotAttribute",
        "ModifyDBClusterSnapshotAttribute",
        "AddPermission",
        "AddLayerVersionPermission",
        "CreateResourceShare",
        "AssociateResourceShare",
        "CreateGrant",
        "InviteAccountToOrganization",
        "SharedSnapshotVolumeCreated",
        "SharedSnapshotCopyInitiated",
    }
)
_TWELVE = re.compile(r"(?<!\d)\d{12}(?!\d)")


def bare_operation(name: str) -> str:
    """The operation without Lambda's or CloudFront's date: ``AddPermission20150331v2`` is ``AddPermission``."""
    return _VERSION.sub("", name)


def at(value: Value, path: str) -> str | None:
    """Text under a dotted path."""
    if "." not in path:
        return words(value.get(path)) if isinstance(value, dict) else None
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return words(value)


def target(record: Mapping[str, Any], operation: str, account: str | None) -> tuple[str | None, str | None]:
    """What was acted upon, and of which kind it is; an event of the service itself names it in its details."""
    request = record.get("requestParameters") or record.get("serviceEventDetails")
    resource = _resource(record["resources"]) if record.get("resources") else None
    rule = RULES.get(operation)
    if rule is not None:
        kind, paths = rule
        name = _first(paths, request, record.get("responseElements"))
        if name is not None:
            return _full(name, kind, request, resource, account), kind
        if resource:
            return resource, kind
    if isinstance(request, dict):
        named = [_RANKS[key] for key in request if key in _RANKS and words(request[key])]
        if named:
            key, kind = GENERIC[min(named)]
            return _full(request[key], kind, request, resource, account), kind
    return resource, "resource" if resource else None


def _first(paths: tuple[str, ...], request: Value, response: Value) -> str | None:
    for path in paths:
        found = at(response, path[1:]) if path[0] == ">" else at(request, path)
        if found is not None:
            return found
    return None


def _resource(listed: Value) -> str | None:
    if isinstance(listed, list):
        for one in listed:
            if isinstance(one, dict):
                return words(one.get("ARN")) or words(one.get("arn")) or words(one.get("ResourceName"))
    return None


def _full(name: str, kind: str, request: Value, resource: str | None, account: str | None) -> str:
    if kind == "bucket":
        key = words(table(request).get("key"))
        return f"arn:aws:s3:::{name}/{key}" if key else f"arn:aws:s3:::{name}"
    if name.startswith("arn:"):
        return name
    if kind in {"user", "role", "group"} and account and "/" not in name:
        path = words(table(request).get("path")) or "/"
        return f"arn:aws:iam::{account}:{kind}{path if path.startswith('/') and path.endswith('/') else '/'}{name}"
    if resource and kind in {"secret", "parameter", "key"} and name in resource:
        return resource
    return name


def other_account(record: Mapping[str, Any], operation: str, uid: str | None, account: str | None) -> str | None:
    """The account of the target or of whom it was shared with, where it is not the record's own."""
    if operation in _SHARING:
        shared = _shared(record.get("requestParameters"), account)
        if shared:
            return shared
    if uid is not None and uid.startswith("arn:") and (match := _ACCOUNT_OF.match(uid)) and match[1] != account:
        return match[1]
    return _owner(record["resources"], account) if record.get("resources") else None


def _owner(listed: Value, account: str | None) -> str | None:
    """The account that owns a resource, as the record lists it, where it is another."""
    owners = (words(table(one).get("accountId")) for one in listed) if isinstance(listed, list) else ()
    return next((owner for owner in owners if owner and owner != account), None)


def _shared(request: Value, account: str | None) -> str | None:
    """Account numbers anywhere in what is added; everybody before any of them."""
    added = [
        table(table(request).get("launchPermission")).get("add"),
        table(table(request).get("createVolumePermission")).get("add"),
        table(request).get("valuesToAdd"),
        table(request).get("principal"),
        table(request).get("principals"),
        table(request).get("granteePrincipal"),
        table(request).get("userId"),
        table(request).get("target"),
    ]
    flat = str([one for one in added if one is not None])[:10_000]
    if re.search(r"'(?:all|\*)'", flat):
        return "*"
    return next((found for found in _TWELVE.findall(flat) if found != account), None)


ISSUES: Mapping[str, tuple[str, str]] = {
    "AssumeRole": ("credentials.accessKeyId", "assumedRoleUser.arn"),
    "AssumeRoleWithSAML": ("credentials.accessKeyId", "assumedRoleUser.arn"),
    "AssumeRoleWithWebIdentity": ("credentials.accessKeyId", "assumedRoleUser.arn"),
    "AssumeRoot": ("credentials.accessKeyId", "sourceIdentity"),
    "GetSessionToken": ("credentials.accessKeyId", ""),
    "GetFederationToken": ("credentials.accessKeyId", "federatedUser.arn"),
    "CreateSession": ("credentialSet.0.credentials.accessKeyId", "credentialSet.0.assumedRoleUser.arn"),
    "CreateAccessKey": ("accessKey.accessKeyId", ""),
    "CreateServiceSpecificCredential": ("serviceSpecificCredential.serviceSpecificCredentialId", ""),
    "UploadSSHPublicKey": ("sSHPublicKey.sSHPublicKeyId", ""),
    "UploadSigningCertificate": ("certificate.certificateId", ""),
    "GetRoleCredentials": ("roleCredentials.accessKeyId", ""),
}
"""Operation to where the response tells the credential and the session that it issued."""
