"""What a team has besides its cloud's trail: sign-ins, deployments, the code host's log, the cluster, the account.

Each is written in the form its vendor gives it (documented by the vendor; the values are made up), because the
investigation reads it again, and knows nothing of who wrote it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.demo.trail import ACCOUNT, BUCKET, REGION, STRANGERS_USER, Cloud
from holdfast.kernel.instants import format_instant

WORKLOADS = ("charge", "receipts", "nightly-export")
SECRET = "payments-aws"  # noqa: S105 - the name of a Kubernetes secret
ORGANISATION = "payments-example"
_TEAM = {"jo": "jo@payments.example", "lee": "lee@payments.example"}
_IMAGE = f"registry.payments.example/payments@sha256:{'3f' * 32}"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Writes everything below one folder."""

    folder: Path
    cloud: Cloud

    @property
    def now(self) -> datetime:
        """The instant of the alert."""
        return self.cloud.now

    def write(self) -> None:
        """CI logs, deployments, sign-ins, the code host's log, the cluster, the account, application logs, chat."""
        for number, days in ((1041, 18), (1042, 9), (1043, 2)):
            lines = [f"{self._at(days=days)} run {number} started", "AWS_ACCESS_KEY_ID=***", "tests: 214 passed"]
            _text(self.folder / f"ci-logs/run-{number}.log", lines)
        _json(self.folder / "deployments.json", {"total_count": 2, "workflow_runs": self._runs()})
        _json(self.folder / "identity-provider.json", self._sign_ins())
        _lines(self.folder / "code-host.jsonl", self._code_host())
        _json(self.folder / "cluster.json", self._cluster())
        self.write_account(self.folder / "account", keys={"payments": "Active", STRANGERS_USER: "Active"})
        _text(self.folder / "app/payments.log", [f"{self._at(minutes=m)} receipt written" for m in range(60, 0, -2)])
        _lines(self.folder / "chat/payments.jsonl", self._chat())

    def write_account(self, folder: Path, keys: Mapping[str, str]) -> None:
        """The state of the account as its own interface tells it.

        Args:
            folder: where to write.
            keys: user to the status of the key the story knows of.
        """
        ids = {"payments": self.cloud.payments_key, STRANGERS_USER: self.cloud.strangers_key}
        _json(folder / "account-authorization-details.json", self._authorization())
        for user, status in keys.items():
            metadata = {"AccessKeyId": ids[user], "CreateDate": self._at(days=90), "Status": status, "UserName": user}
            _json(folder / f"access-keys-{user}.json", {"AccessKeyMetadata": [metadata], "IsTruncated": False})
        trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/organisation"
        _json(
            folder / "trails.json",
            {
                "trailList": [
                    {
                        "HomeRegion": REGION,
                        "IncludeGlobalServiceEvents": True,
                        "IsMultiRegionTrail": True,
                        "LogFileValidationEnabled": False,
                        "Name": "organisation",
                        "S3BucketName": "organisation-trail",
                        "TrailARN": trail,
                    }
                ]
            },
        )

    def _at(self, **back: int) -> str:
        return format_instant(self.now - timedelta(**back))

    def _runs(self) -> list[Document]:
        found = []
        for number, days, version in ((1041, 18, "1.4.0"), (1042, 9, "1.5.0")):
            found.append(
                {
                    "actor": {"login": "lee", "type": "User"},
                    "conclusion": "success",
                    "created_at": self._at(days=days),
                    "display_title": f"Release {version}",
                    "event": "push",
                    "head_branch": f"v{version}",
                    "head_repository": {"full_name": f"{ORGANISATION}/payments"},
                    "head_sha": uuid.uuid5(uuid.NAMESPACE_DNS, version).hex + "0" * 8,
                    "id": 7_000_000 + number,
                    "name": "deploy",
                    "path": ".github/workflows/deploy.yml",
                    "repository": {"full_name": f"{ORGANISATION}/payments"},
                    "run_attempt": 1,
                    "run_number": number,
                    "run_started_at": self._at(days=days),
                    "status": "completed",
                    "triggering_actor": {"login": "lee", "type": "User"},
                    "updated_at": self._at(days=days),
                    "workflow_id": 41,
                }
            )
        return found

    def _sign_ins(self) -> list[Document]:
        found = []
        for hours, who, address in (
            (23, "jo", "198.51.100.31"),
            (9, "lee", "198.51.100.32"),
            (1, "jo", "198.51.100.31"),
        ):
            found.append(
                {
                    "actor": {
                        "alternateId": _TEAM[who],
                        "displayName": who,
                        "id": f"00u{uuid.uuid5(uuid.NAMESPACE_DNS, who).hex[:17]}",
                        "type": "User",
                    },
                    "authenticationContext": {"externalSessionId": f"idx{uuid.uuid4().hex[:20]}"},
                    "client": {"ipAddress": address, "userAgent": {"rawUserAgent": "Mozilla/5.0"}},
                    "displayMessage": "User login to Okta",
                    "eventType": "user.session.start",
                    "outcome": {"result": "SUCCESS"},
                    "published": self._at(hours=hours),
                    "severity": "INFO",
                    "target": [],
                    "uuid": str(uuid.uuid4()),
                    "version": "0",
                }
            )
        return found

    def _code_host(self) -> list[Document]:
        acts = (
            (21, "repo.access", "jo", {"visibility": "public", "previous_visibility": "private"}),
            (9, "protected_branch.create", "lee", {"name": "main"}),
        )
        found = []
        for days, action, actor, more in acts:
            moment = int((self.now - timedelta(days=days)).timestamp() * 1000)
            found.append(
                {
                    "@timestamp": moment,
                    "_document_id": uuid.uuid4().hex[:22],
                    "action": action,
                    "actor": actor,
                    "actor_id": 1 + len(actor),
                    "created_at": moment,
                    "org": ORGANISATION,
                    "repo": f"{ORGANISATION}/payments",
                    **more,
                }
            )
        return found

    def _cluster(self) -> Document:
        items: list[Document] = []
        for name in WORKLOADS:
            container = {
                "env": [
                    {"name": variable, "valueFrom": {"secretKeyRef": {"key": key, "name": SECRET}}}
                    for variable, key in (("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key"))
                ],
                "image": _IMAGE,
                "name": name,
            }
            pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
            metadata = {"creationTimestamp": self._at(days=60), "name": name, "namespace": "payments"}
            if name == "nightly-export":
                job = {"jobTemplate": {"spec": {"template": pod}}, "schedule": "0 2 * * *"}
                items.append({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": job})
            else:
                spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": pod}
                items.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
        return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}

    def _authorization(self) -> Document:
        receipts = f"arn:aws:s3:::{BUCKET}"
        backup = f"arn:aws:iam::{ACCOUNT}:user/{STRANGERS_USER}"
        policies = {
            "payments": [
                ("receipts", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{receipts}/*"),
                ("list-receipts", ["s3:ListBucket"], receipts),
                ("old-backup-rotation", ["iam:CreateAccessKey", "iam:ListUsers"], backup),
            ],
            STRANGERS_USER: [("backups", ["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::payments-backups*")],
            "platform-ops": [("operate", ["*"], "*")],
        }
        return {
            "GroupDetailList": [],
            "IsTruncated": False,
            "Policies": [],
            "RoleDetailList": [],
            "UserDetailList": [self._user(user, held) for user, held in policies.items()],
        }

    def _user(self, user: str, held: list[tuple[str, list[str], str]]) -> Document:
        inline = [
            {
                "PolicyDocument": {
                    "Statement": [{"Action": actions, "Effect": "Allow", "Resource": resource}],
                    "Version": "2012-10-17",
                },
                "PolicyName": name,
            }
            for name, actions, resource in held
        ]
        return {
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
            "AttachedManagedPolicies": [],
            "CreateDate": self._at(days=90),
            "GroupList": [],
            "Path": "/",
            "UserId": f"AIDA{uuid.uuid5(uuid.NAMESPACE_DNS, user).hex[:17].upper()}",
            "UserName": user,
            "UserPolicyList": inline,
        }

    def _chat(self) -> list[Document]:
        return [
            {"at": self._at(days=20), "by": "lee", "text": "does the laptop deployment work now?"},
            {"at": self._at(days=20), "by": "jo", "text": "yes, settings are in the repository for the moment"},
            {
                "at": self._at(minutes=20),
                "by": "code-host",
                "text": "secret scanning alert: cloud key in payments, public since 21 days",
            },
        ]


def _json(file: Path, document: object) -> None:
    _text(file, [json.dumps(document, indent=1, sort_keys=True)])


def _lines(file: Path, rows: list[Document]) -> None:
    _text(file, [json.dumps(row, sort_keys=True) for row in rows])


def _text(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
