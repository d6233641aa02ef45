"""Names and bodies of what the attacker makes: the night, the secrets, the objects, trusts and bindings."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from tests.company.aws import Call
from tests.company.cast import END, EUW1, FOREIGN, PROD, VENDOR

NIGHT = END - timedelta(days=4)
"""2026-10-20T00:00Z."""
SNAPSHOT, VOLUME = "snap-0f1e2d3c4b5a69788", "vol-0aa1b2c3d4e5f6071"
MACHINE, PLANTED = "svc-billing-export", "svc-telemetry"
ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
DEPLOY_KEY = "SHA256:q3xJ0vZ1mYtB8kW4nD6rP2sH5cF7gL9aEiOuTyQwXz0"
DEPLOY_KEY_ID = 118_204_377
SECRETS = (
    "billing/ledger",
    "billing/psp-token",
    "billing/datev",
    "billing/bank-upload",
    "billing/signing",
    "billing/mail-relay",
    "shop/payment-gateway",
    "shop/search",
    "shop/session-pepper",
    "shop/partner-feed",
    "shop/webhooks",
)
REFUSED = ("vault/root", "vault/unseal-1", "vault/unseal-2")
OBJECTS = tuple(f"customers/part-{number:04d}.parquet" for number in range(37))
CLUSTER_SECRETS = ("shop/checkout-db", "billing/ledger-db", "argocd/repo-credentials")
TRAIL_EUW1 = f"arn:aws:cloudtrail:{EUW1}:{PROD}:trail/prod-euw1"


def at(clock: str, days: int = 0) -> datetime:
    """An instant of the night, or of a day after it."""
    hour, minute, second = map(int, clock.split(":"))
    return NIGHT + timedelta(days=days, hours=hour, minutes=minute, seconds=second)


def trust_document(*accounts: str) -> str:
    """Trust of the vendor's role, as IAM is sent it: the vendor first, others beside it."""
    principals = [f"arn:aws:iam::{account}:root" for account in (VENDOR, *accounts)]
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def share(what: str) -> Call:
    """Sharing the snapshot with the foreign account, or no longer."""
    request = {
        "snapshotId": SNAPSHOT,
        "createVolumePermission": {what: {"items": [{"userId": FOREIGN}]}},
        "attributeType": "CREATE_VOLUME_PERMISSION",
    }
    return Call("ec2", "ModifySnapshotAttribute", request, {"_return": True}, read=False)


def cluster_binding(name: str) -> dict[str, Any]:
    """A binding of a service account to the cluster's administrator."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "metrics", "namespace": "kube-system"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    }


def token_secret() -> dict[str, Any]:
    """A token of a service account that never expires."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": "metrics-token",
            "namespace": "kube-system",
            "annotations": {"kubernetes.io/service-account.name": "metrics"},
        },
    }
