"""What actions do, compared with two public tables where they are beside the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.investigation.access_levels import aws_level, aws_tags, github_level, kubernetes_level

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "iam_reference"
LEVELS = {
    "Permissions management": "permissions",
    "Write": "write",
    "Read": "read",
    "List": "list",
    "Tagging": "tagging",
}


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("s3:GetObject", "read"),
        ("s3:ListBucket", "list"),
        ("s3:PutObject", "write"),
        ("S3:PUTOBJECT", "write"),
        ("s3:PutBucketPolicy", "permissions"),
        ("iam:CreateAccessKey", "permissions"),
        ("ec2:CreateTags", "tagging"),
        ("dlm:CreateLifecyclePolicy", "write"),
        ("kms:GetKeyPolicy", "read"),
        ("s3:*", "all"),
        ("*", "all"),
        ("!iam:*", "all"),
        ("s3:Get*", "read"),
    ],
)
def test_an_action_has_the_level_of_the_first_rule_that_means_it(action: str, level: str) -> None:
    assert aws_level(action) == level


def test_an_action_that_answers_a_credential_is_tagged() -> None:
    assert "CredentialExposure" in aws_tags("secretsmanager:GetSecretValue")
    assert aws_tags("s3:ListAllMyBuckets") == ()


def test_listing_secrets_of_a_cluster_is_reading_them() -> None:
    assert kubernetes_level("secrets", "list") == "read"
    assert kubernetes_level("pods", "list") == "list"
    assert kubernetes_level("clusterrolebindings", "create") == "permissions"
    assert kubernetes_level("pods/exec", "get") == "write"


def test_a_job_that_may_present_an_identity_rules_permissions() -> None:
    assert github_level("id-token", "write") == "permissions"
    assert github_level("contents", "write") == "write"
    assert github_level("contents", "read") == "read"


def _expected() -> dict[str, set[str]]:
    overrides = json.loads((REFERENCE / "iam-dataset/access_level_overrides.json").read_text())
    annotated = json.loads((REFERENCE / "sensitive_iam_actions/annotated.json").read_text())
    told: dict[str, set[str]] = {}
    for action, level in overrides.items():
        told.setdefault(action, set()).add(LEVELS[level])
    for action, about in annotated.items():
        told.setdefault(action, set()).add(LEVELS[about["access_level"]])
    return told


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"needs the reference tables in {REFERENCE}")
def test_levels_agree_with_the_public_tables(capsys: pytest.CaptureFixture[str]) -> None:
    expected = _expected()
    wrong = {action: aws_level(action) for action, levels in expected.items() if aws_level(action) not in levels}
    with capsys.disabled():
        print(f"\naccess levels: {len(expected) - len(wrong)} of {len(expected)} agree with a public table")  # noqa: T201 - the agreement is to be seen
    assert len(wrong) / len(expected) < 0.04, wrong
    # Where we differ we may say more, never less, than "write" about what changes permissions.
    assert not [action for action, level in wrong.items() if expected[action] == {"permissions"} and level == "list"]


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"needs the reference tables in {REFERENCE}")
@pytest.mark.parametrize(
    ("tag", "share"),
    [("CredentialExposure", 0.8), ("DataAccess", 0.55), ("PrivEsc", 0.99), ("ResourceExposure", 0.95)],
)
def test_tags_cover_the_public_table(tag: str, share: float, capsys: pytest.CaptureFixture[str]) -> None:
    public = set(json.loads((REFERENCE / "iam-dataset/tags.json").read_text())["iam"][tag])
    found = {action for action in public if tag in aws_tags(action)}
    with capsys.disabled():
        print(f"\n{tag}: {len(found)} of {len(public)}")  # noqa: T201 - the agreement is to be seen
    assert len(found) / len(public) >= share, sorted(public - found)
