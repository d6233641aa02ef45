"""What was captured beside the logs on 24 October: policies, keys, trails, cluster objects, workflows, deploy keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from tests.company.attack import Attack
from tests.company.aws import BUCKETS, OIDC, SAML, eks_issuer, subject
from tests.company.booty import ADMIN_POLICY, DEPLOY_KEY_ID, MACHINE, PLANTED, cluster_binding, token_secret
from tests.company.cast import (
    CI_ROLES,
    EUC1,
    EUW1,
    FOREIGN,
    LOG,
    MACHINES,
    ORG,
    PROD,
    STAGING,
    TOOLS,
    USE1,
    VENDOR,
    WORKLOADS,
    Cast,
    arn,
)
from tests.company.others import BREAK_GLASS, ROLES_APPLIED

Json = dict[str, Any]
EXPORT_POLICY = arn(PROD, "policy", "BillingExport")
ARCHIVE = arn(TOOLS, "role", "billing-archive")
TRAILS: tuple[tuple[str, str, str, bool, bool], ...] = (
    ("log-all", LOG, EUC1, True, False),
    ("tools-all", TOOLS, EUC1, True, False),
    ("staging-all", STAGING, EUC1, True, False),
    ("prod-euc1", PROD, EUC1, False, True),
    ("prod-euw1", PROD, EUW1, False, False),
    ("prod-use1", PROD, USE1, False, False),
    ("prod-second", PROD, EUC1, False, True),
)
"""Name, account, home region, every region, object events selected."""


def documents(cast: Cast, attack: Attack) -> Iterator[tuple[str, bytes]]:
    """Path below the folder and bytes of each captured document."""
    yield from _aws(cast, attack)
    yield from _trails()
    yield "state/k8s/objects.yaml", yaml.safe_dump_all(list(_objects()), sort_keys=False).encode()
    yield from _github()


def _dump(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def _allow(actions: Sequence[str], *resources: str) -> Json:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources) or "*"}


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _trust(principal: Json, action: str = "sts:AssumeRole", condition: Json | None = None) -> Json:
    made = {"Effect": "Allow", "Principal": principal, "Action": action}
    return _policy(made | ({} if condition is None else {"Condition": condition}))


def _user(cast: Cast, account: str, name: str, attached: Sequence[str] = (), inline: Json | None = None) -> Json:
    return {
        "Path": "/",
        "UserName": name,
        "UserId": cast.user_id(account, name),
        "Arn": arn(account, "user", name),
        "CreateDate": "2026-10-20T03:03:30+00:00" if name == PLANTED else "2024-02-01T09:00:00+00:00",
        "UserPolicyList": [] if inline is None else [{"PolicyName": "own", "PolicyDocument": inline}],
        "GroupList": [],
        "AttachedManagedPolicies": [_attached(policy) for policy in attached],
        "Tags": [],
    }


def _role(
    cast: Cast, account: str, name: str, trust: Json, inline: Json | None = None, attached: Sequence[str] = ()
) -> Json:
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": cast.role_id(account, name),
        "Arn": arn(account, "role", name),
        "CreateDate": "2024-02-01T09:00:00+00:00",
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [],
        "RolePolicyList": [] if inline is None else [{"PolicyName": "own", "PolicyDocument": inline}],
        "AttachedManagedPolicies": [_attached(policy) for policy in attached],
        "Tags": [],
        "RoleLastUsed": {},
    }


def _attached(policy: str) -> Json:
    return {"PolicyName": policy.rpartition("/")[2], "PolicyArn": policy}


def _by_saml(account: str) -> Json:
    condition = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    return _trust({"Federated": SAML.format(account=account)}, "sts:AssumeRoleWithSAML", condition)


def _by_job(account: str, *repos: str) -> Json:
    condition = {
        "StringEquals": {f"{OIDC}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{OIDC}:sub": [subject(repo) for repo in repos]},
    }
    provider = {"Federated": f"arn:aws:iam::{account}:oidc-provider/{OIDC}"}
    return _trust(provider, "sts:AssumeRoleWithWebIdentity", condition)


def _details(users: list[Json], roles: list[Json], policies: list[Json]) -> bytes:
    return _dump(
        {
            "UserDetailList": users,
            "GroupDetailList": [],
            "RoleDetailList": roles,
            "Policies": policies,
            "IsTruncated": False,
        }
    )


def _aws(cast: Cast, attack: Attack) -> Iterator[tuple[str, bytes]]:
    yield f"state/aws/{PROD}/account-authorization-details.json", _details(*_production(cast))
    yield f"state/aws/{TOOLS}/account-authorization-details.json", _details(*_tools(cast))
    keys = [(name, cast.key(PROD, name, long_lived=True)) for account, name, _ in MACHINES if account == PROD]
    for name, key in [*keys, (PLANTED, attack.key2)]:
        made = {
            "UserName": name,
            "AccessKeyId": key,
            "Status": "Active",
            "CreateDate": "2026-10-20T03:04:10+00:00" if name == PLANTED else "2024-02-01T09:00:00+00:00",
        }
        yield f"state/aws/{PROD}/access-keys-{name}.json", _dump({"AccessKeyMetadata": [made], "IsTruncated": False})


def _production(cast: Cast) -> tuple[list[Json], list[Json], list[Json]]:
    exports = f"arn:aws:s3:::{BUCKETS['exports']}"
    secrets = [f"arn:aws:secretsmanager:*:{PROD}:secret:{part}/*" for part in ("billing", "shop")]
    export = _policy(
        _allow(["s3:GetObject", "s3:PutObject"], f"{exports}/*"),
        _allow(["s3:ListBucket"], exports),
        _allow(["secretsmanager:ListSecrets"]),
        _allow(["secretsmanager:GetSecretValue"], *secrets),
        _allow(["sts:AssumeRole"], ARCHIVE),
    )
    users = [
        _user(cast, PROD, "svc-canary"),
        _user(cast, PROD, MACHINE, [EXPORT_POLICY]),
        _user(
            cast,
            PROD,
            "svc-backup",
            inline=_policy(_allow(["ec2:CreateSnapshot", "ec2:DeleteSnapshot", "ec2:Describe*"])),
        ),
        _user(cast, PROD, BREAK_GLASS, [ADMIN_POLICY]),
        _user(cast, PROD, PLANTED, [ADMIN_POLICY]),
    ]
    managed = {
        "PolicyName": "BillingExport",
        "PolicyId": "ANPA" + cast.token(17, "policy"),
        "Arn": EXPORT_POLICY,
        "Path": "/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 1,
        "IsAttachable": True,
        "CreateDate": "2024-02-01T09:00:00+00:00",
        "UpdateDate": "2024-02-01T09:00:00+00:00",
        "PolicyVersionList": [
            {"Document": export, "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2024-02-01T09:00:00+00:00"}
        ],
    }
    return users, [*_human_roles(cast), *_machine_roles(cast)], [managed]


def _human_roles(cast: Cast) -> Iterator[Json]:
    looks = _policy(
        _allow(["ec2:Describe*", "iam:List*", "iam:Get*", "s3:ListAllMyBuckets", "eks:Describe*", "logs:*"])
    )
    yield _role(cast, PROD, "Operator", _by_saml(PROD), looks)
    yield _role(cast, PROD, "SecurityAudit", _by_saml(PROD), looks)
    yield _role(cast, PROD, "IncidentResponse", _by_saml(PROD), attached=[ADMIN_POLICY])


def _machine_roles(cast: Cast) -> Iterator[Json]:
    deploy = _policy(
        _allow(["eks:DescribeCluster", "eks:AccessKubernetesApi", "iam:ListRoles"]),
        _allow(["sts:AssumeRole"], arn(PROD, "role", "platform-admin")),
    )
    yield _role(cast, PROD, "deploy", _trust({"AWS": arn(TOOLS, "role", "gha-build")}), deploy)
    yield _role(cast, PROD, "platform-admin", _trust({"AWS": arn(PROD, "role", "deploy")}), attached=[ADMIN_POLICY])
    vendor = _trust({"AWS": [f"arn:aws:iam::{account}:root" for account in (VENDOR, FOREIGN)]})
    yield _role(
        cast, PROD, "vendor-readonly", vendor, _policy(_allow(["cloudwatch:GetMetricData", "s3:ListAllMyBuckets"]))
    )
    yield _role(cast, PROD, "gha-terraform", _by_job(PROD, "infra"), attached=[ADMIN_POLICY])
    yield _role(
        cast, PROD, "app-instance", _trust({"Service": "ec2.amazonaws.com"}), _policy(_allow(["ssm:*", "ecr:Get*"]))
    )
    issuer = eks_issuer(cast)
    provider = {"Federated": f"arn:aws:iam::{PROD}:oidc-provider/{issuer}"}
    for namespace, account, name in WORKLOADS:
        condition = {"StringEquals": {f"{issuer}:sub": f"system:serviceaccount:{namespace}:{account}"}}
        held = _policy(
            _allow(["secretsmanager:GetSecretValue"], f"arn:aws:secretsmanager:{EUC1}:{PROD}:secret:{namespace}/*")
        )
        yield _role(cast, PROD, name, _trust(provider, "sts:AssumeRoleWithWebIdentity", condition), held)
    for number in range(ROLES_APPLIED):
        trust = _trust({"AWS": arn(PROD, "role", f"team-{number:02d}")})
        yield _role(cast, PROD, f"team-{number:02d}-reader", trust, attached=["arn:aws:iam::aws:policy/ReadOnlyAccess"])


def _tools(cast: Cast) -> tuple[list[Json], list[Json], list[Json]]:
    artifacts = f"arn:aws:s3:::{BUCKETS['artifacts']}"
    build = _policy(
        _allow(["ecr:GetAuthorizationToken", "ecr:InitiateLayerUpload", "ecr:PutImage"]),
        _allow(["s3:ListAllMyBuckets"]),
        _allow(["s3:GetObject", "s3:PutObject"], f"{artifacts}/*"),
        _allow(["sts:AssumeRole"], arn(PROD, "role", "deploy")),
    )
    archive = _policy(_allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::larkfield-archive/*"))
    repos = [repo for repo, account, _ in CI_ROLES if account == TOOLS]
    roles = [
        _role(cast, TOOLS, "gha-build", _by_job(TOOLS, *repos), build),
        _role(cast, TOOLS, "billing-archive", _trust({"AWS": arn(PROD, "user", MACHINE)}), archive),
        _role(cast, TOOLS, "Developer", _by_saml(TOOLS), _policy(_allow(["ecr:Describe*", "logs:*"]))),
    ]
    pull = _policy(_allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]))
    return [_user(cast, TOOLS, "svc-canary"), _user(cast, TOOLS, "svc-registry-mirror", inline=pull)], roles, []


def _trails() -> Iterator[tuple[str, bytes]]:
    for name, account, region, everywhere, objects in TRAILS:
        uid = f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"
        trail = {
            "Name": name,
            "S3BucketName": "larkfield-trail-archive",
            "IncludeGlobalServiceEvents": everywhere or region == USE1,
            "IsMultiRegionTrail": everywhere,
            "HomeRegion": region,
            "TrailARN": uid,
            "LogFileValidationEnabled": False,
            "HasCustomEventSelectors": objects,
            "IsOrganizationTrail": False,
        }
        data = [{"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{BUCKETS['exports']}/"]}] if objects else []
        selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": data}]
        status: Json = {
            "Name": uid,
            "IsLogging": True,
            "LatestDeliveryTime": "2026-10-23T23:55:00+00:00",
            "StartLoggingTime": "2024-02-01T09:00:00+00:00",
        }
        if name == "prod-euw1":
            status |= {"StartLoggingTime": "2026-10-20T10:12:44+00:00", "StopLoggingTime": "2026-10-20T04:30:21+00:00"}
        folder = f"state/aws/{account}"
        yield f"{folder}/trail-{name}.json", _dump({"trailList": [trail]})
        yield f"{folder}/trail-status-{name}.json", _dump(status)
        yield f"{folder}/trail-selectors-{name}.json", _dump({"TrailARN": uid, "EventSelectors": selectors})


def _objects() -> Iterator[Json]:
    for namespace, account, role in WORKLOADS:
        yield {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": account,
                "namespace": namespace,
                "annotations": {"eks.amazonaws.com/role-arn": arn(PROD, "role", role)},
            },
        }
        container = {
            "name": account,
            "image": f"{TOOLS}.dkr.ecr.{EUC1}.amazonaws.com/{account}:main",
            "envFrom": [{"secretRef": {"name": f"{account}-db"}}],
        }
        yield {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": account, "namespace": namespace},
            "spec": {"template": {"spec": {"serviceAccountName": account, "containers": [container]}}},
        }
    yield cluster_binding("operators") | {"subjects": [{"kind": "Group", "name": "larkfield:operators"}]}
    yield {key: value for key, value in token_secret().items() if key != "data"}


def _github() -> Iterator[tuple[str, bytes]]:
    for repo, account, role in CI_ROLES:
        steps = [
            {"uses": "actions/checkout@v5"},
            {
                "uses": "aws-actions/configure-aws-credentials@v5",
                "with": {"role-to-assume": arn(account, "role", role), "aws-region": EUC1},
            },
            {"run": "make release", "env": {"NPM_TOKEN": "${{ secrets.NPM_TOKEN }}"}},
        ]
        job = {"runs-on": "ubuntu-latest", "permissions": {"id-token": "write", "contents": "read"}, "steps": steps}
        workflow = {"name": "deploy", "on": {"push": {"branches": ["main"]}}, "jobs": {"build": job}}
        yield (
            f"state/github/{ORG}/{repo}/.github/workflows/deploy.yml",
            yaml.safe_dump(workflow, sort_keys=False).encode(),
        )
    key = {
        "id": DEPLOY_KEY_ID,
        "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMadeUpForTheSyntheticCompanyOnly",
        "url": f"https://api.github.com/repos/{ORG}/shop/keys/{DEPLOY_KEY_ID}",
        "title": "ci-cache",
        "verified": True,
        "created_at": "2026-10-20T02:21:05Z",
        "read_only": False,
        "added_by": "mlind-00",
        "last_used": "2026-10-22T03:15:27Z",
        "enabled": True,
    }
    yield f"state/github/{ORG}/shop/keys.json", _dump([key])
