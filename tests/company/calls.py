"""Calls of ordinary days, with requests and answers as the services record them."""

from __future__ import annotations

from datetime import datetime

from tests.company.aws import BUCKETS, Call, s3
from tests.company.cast import CLUSTER, EUC1, LOG, PROD, TOOLS, Cast, arn


def secret_arn(name: str, region: str) -> str:
    """ARN of a secret, whose last six characters are AWS's own."""
    return f"arn:aws:secretsmanager:{region}:{PROD}:secret:{name}-{Cast(0).digest(name).hex()[:5]}X"


def secret(name: str, region: str, *, error: str | None = None) -> Call:
    """Reading one secret."""
    return Call(
        "secretsmanager",
        "GetSecretValue",
        {"secretId": secret_arn(name, region)},
        error=error,
    )


def decrypt(key: str = "1f0c2a64-77b0-4c5e-9a51-2f6d7f1f7a10") -> Call:
    """Using a key of KMS."""
    of = f"arn:aws:kms:{EUC1}:{PROD}:key/{key}"
    return Call(
        "kms",
        "Decrypt",
        {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "keyId": of},
        resources=({"accountId": PROD, "type": "AWS::KMS::Key", "ARN": of},),
    )


def _look(service: str, *names: str) -> list[Call]:
    return [Call(service, name, {"maxResults": 100}) for name in names]


CANARY = (Call("sts", "GetCallerIdentity"),)
BY_SERVICES = (
    Call("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}),
    Call("ec2", "DescribeVolumes", {"volumeSet": {}}),
    Call("s3", "GetBucketAcl", {"bucketName": "larkfield-trail-archive", "acl": ""}),
    Call("kms", "GenerateDataKey", {"keySpec": "AES_256", "keyId": f"arn:aws:kms:{EUC1}:{LOG}:key/trail"}),
)
LOOKS = (
    *_look("ec2", "DescribeInstances", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs", "DescribeImages"),
    *_look("eks", "ListClusters", "DescribeCluster", "ListNodegroups"),
    *_look("rds", "DescribeDBInstances", "DescribeDBClusters"),
    *_look("cloudwatch", "DescribeAlarms", "ListDashboards", "GetMetricData"),
    *_look("logs", "DescribeLogGroups", "FilterLogEvents", "StartQuery"),
    *_look("elasticloadbalancing", "DescribeLoadBalancers", "DescribeTargetHealth"),
    *_look("s3", "ListBuckets"),
    *_look("ecr", "DescribeRepositories", "DescribeImages"),
    *_look("cloudtrail", "LookupEvents", "DescribeTrails"),
)
IAM_LOOKS = (
    *_look("iam", "ListRoles", "GetRole", "ListUsers", "ListAttachedRolePolicies", "GetPolicyVersion", "ListPolicies"),
    *_look("organizations", "DescribeOrganization"),
)
OF_INSTANCES = (
    Call("ssm", "UpdateInstanceInformation", {"agentVersion": "3.3.3050.0", "agentStatus": "Active"}, read=False),
    Call("ssm", "ListInstanceAssociations", {"maxResults": 20}),
    Call("ec2", "DescribeTags", {"maxResults": 100}),
    Call("ecr", "GetAuthorizationToken"),
    Call("logs", "CreateLogStream", {"logGroupName": "/app/node", "logStreamName": "day"}, read=False),
)
OF_WORKLOADS = {
    "checkout": (
        secret("shop/payment-gateway", EUC1),
        decrypt(),
        decrypt(),
        s3("PutObject", BUCKETS["exports"], "orders/incoming.jsonl", read=False, account=PROD),
    ),
    "catalogue": (
        secret("shop/search", EUC1),
        decrypt(),
        s3("GetObject", BUCKETS["exports"], "catalogue/current.json", read=True, account=PROD),
    ),
    "invoices": (
        secret("billing/ledger", EUC1),
        decrypt(),
        s3("PutObject", BUCKETS["exports"], "invoices/incoming.pdf", read=False, account=PROD),
    ),
    "report-runner": (
        Call("athena", "StartQueryExecution", {"workGroup": "reports", "queryString": "***"}, read=False),
        Call("athena", "GetQueryExecution", {"queryExecutionId": "6d1e"}),
        s3("GetObject", BUCKETS["exports"], "reports/template.xlsx", read=True, account=PROD),
    ),
}
_IMAGE = {"repositoryName": "shop", "imageTag": "main", "registryId": TOOLS}
_PUSH = (
    Call("ecr", "GetAuthorizationToken"),
    Call("ecr", "InitiateLayerUpload", {"repositoryName": "shop", "registryId": TOOLS}, read=False),
    Call("ecr", "PutImage", _IMAGE, {"image": _IMAGE}, read=False),
)
CI = {
    "gha-build": _PUSH,
    "gha-terraform": (
        Call("ec2", "DescribeVpcs", {"vpcSet": {}}),
        Call("s3", "GetBucketVersioning", {"bucketName": "larkfield-terraform-state"}),
        Call("dynamodb", "DescribeTable", {"tableName": "terraform-locks"}),
    ),
    "gha-plan": (
        Call("ec2", "DescribeSubnets", {"subnetSet": {}}),
        Call("eks", "DescribeCluster", {"name": "staging-eks"}),
    ),
    "deploy": (
        Call("eks", "DescribeCluster", {"name": CLUSTER}),
        Call("eks", "AccessKubernetesApi", {"cluster": CLUSTER}),
    ),
}
BACKUP = (
    Call("ec2", "CreateSnapshot", {"volumeId": "vol-0aa1b2c3d4e5f6071", "description": "nightly"}, read=False),
    Call("ec2", "DescribeSnapshots", {"ownersSet": {"items": [{"owner": "self"}]}}),
    Call("ec2", "DeleteSnapshot", {"snapshotId": "snap-0bb1b2c3d4e5f6072"}, read=False),
)
REGISTRY = (
    Call("ecr", "BatchGetImage", {"repositoryName": "shop", "registryId": TOOLS}),
    Call("ecr", "GetDownloadUrlForLayer", {"repositoryName": "shop", "registryId": TOOLS}),
)
METRICS = Call("monitoring", "GetMetricData", {"startTime": "Oct 1, 2026, 0:00:00 AM"})
OPERATOR = arn(PROD, "role", "Operator")


def exports(day: datetime) -> tuple[Call, ...]:
    """What the nightly export reads and writes."""
    return (
        s3("GetObject", BUCKETS["exports"], f"orders/{day:%Y-%m-%d}.jsonl", read=True, account=PROD),
        s3("PutObject", BUCKETS["exports"], f"exports/{day:%Y-%m-%d}.csv", read=False, account=PROD),
    )
