"""What suspects could do and what they did."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation.effective import (
    COULD,
    COULD_AFTER,
    DID,
    HELD_AFTER,
    act_deed,
    could,
    data_set,
    deed_of,
    did,
    held,
)

ADA = "arn:aws:iam::111111111111:user/ada"
GROUP = "arn:aws:iam::111111111111:group/ops"
POLICY = "arn:aws:iam::111111111111:policy/data"


def grant(holder: str, action: str, resource: str = "*", effect: str = "allow", **more: Any) -> dict[str, Any]:
    service = action.partition(":")[0] if ":" in action else "*"
    return {"holder_uid": holder, "effect": effect, "service": service, "action": action, "resource": resource,
            "access_level": None, "via": f"policy of {holder}", "condition": None, "boundary": False,
            "account_uid": "111111111111", "captured_us": 1, "row_id": 5, **more}  # fmt: skip


def edge(start: str, relation: str, end: str, condition: str | None = None) -> dict[str, Any]:
    return {"from_uid": start, "from_type": "user", "relation": relation, "to_uid": end, "to_type": "policy",
            "condition": condition, "account_uid": "111111111111", "captured_us": 1, "row_id": 6}  # fmt: skip


def holding(grants: list[dict[str, Any]], edges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    given = {"grants": grants, "trust_edges": edges}
    return held({name: given[name] for name in HELD_AFTER})


def possible(rows: list[dict[str, Any]], *paths: dict[str, Any], suspect: str = ADA) -> list[dict[str, Any]]:
    given = {"held": rows, "trust_paths": list(paths), "suspects": [{"value": suspect, "kind": "actor"}]}
    found = could({name: given[name] for name in COULD_AFTER})
    assert all(set(row) <= {column.name for column in COULD} and row["what"] for row in found)
    return found


def deeds(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(row["service"], row["deed"], row["verdict"]) for row in rows}


def test_an_identity_holds_what_its_policies_groups_and_boundary_say() -> None:
    rows = holding(
        [grant(POLICY, "s3:*"), grant(GROUP, "ec2:*"), grant("user/ada", "sqs:*")],
        [edge(ADA, "attached", POLICY), edge(ADA, "member_of", GROUP), edge(ADA, "limited_by", POLICY)],
    )
    mine = {(row["action"], row["boundary"]) for row in rows if row["holder_uid"] == ADA}
    assert mine == {("s3:*", False), ("ec2:*", False), ("s3:*", True), ("sqs:*", False)}


def test_a_role_binding_keeps_its_cluster_role_to_the_namespace() -> None:
    account = "system:serviceaccount:shop:api"
    rows = holding(
        [grant("clusterroles/reader", "secrets:get", "*/*", service="k8s")],
        [edge(account, "attached", "clusterroles/reader", '{"namespace":"shop"}')],
    )
    assert {row["resource"] for row in rows if row["holder_uid"] == account} == {"shop/*"}
    assert deeds(possible(rows, suspect=account)) == {("k8s", "read", "allowed")}


def test_a_wildcard_is_asked_action_by_action() -> None:
    found = deeds(possible([grant(ADA, "*")]))
    assert {
        ("s3", "read", "allowed"),
        ("s3", "delete", "allowed"),
        ("ec2", "export", "allowed"),
        ("iam", "permissions", "allowed"),
    } <= found


def test_a_deny_takes_back_what_it_names() -> None:
    rows = [grant(ADA, "s3:*"), grant(ADA, "s3:Delete*", effect="deny")]
    assert ("s3", "delete", "allowed") not in deeds(possible(rows))
    assert ("s3", "read", "allowed") in deeds(possible(rows))


def test_an_action_is_not_asked_of_another_services_resource() -> None:
    rows = possible([grant(ADA, "*", "arn:aws:s3:::b/*")])
    assert {row["service"] for row in rows} == {"s3"}


def test_without_captured_grants_it_cannot_be_told() -> None:
    (row,) = possible([])
    assert row["verdict"] == "cannot_tell"
    assert "no captured state" in row["what"]


def test_an_attached_policy_that_was_not_captured_cannot_be_told() -> None:
    rows = possible(holding([grant(ADA, "s3:GetObject")], [edge(ADA, "attached", POLICY)]))
    assert {row["verdict"] for row in rows} == {"allowed", "cannot_tell"}
    assert any("attached, but not captured: data" in row["what"] for row in rows)


def test_what_it_could_become_counts_with_the_path() -> None:
    role = "arn:aws:iam::111111111111:role/admin"
    path = {"subject_uid": ADA, "direction": "reaches", "uid": role, "relation": "assumes", "depth": 1,
            "path": "ada becomes admin", "row_id": 9}  # fmt: skip
    (row,) = possible([grant(role, "secretsmanager:GetSecretValue")], path)
    assert (row["subject_uid"], row["holder_uid"], row["through"]) == (ADA, role, "ada becomes admin")
    assert (row["deed"], row["path_row_id"]) == ("read", 9)


def test_a_condition_is_told() -> None:
    (row,) = possible([grant(ADA, "s3:GetObject", condition='{"Bool":{"aws:MultiFactorAuthPresent":"true"}}')])
    assert row["verdict"] == "conditional"
    assert "MultiFactorAuthPresent" in row["why"]


@pytest.mark.parametrize(
    ("service", "action", "deed"),
    [
        ("s3", "s3:GetObject", "read"),
        ("s3", "s3:ListBucket", "list"),
        ("s3", "s3:DeleteObject", "delete"),
        ("ec2", "ec2:TerminateInstances", "delete"),
        ("ec2", "ec2:ModifySnapshotAttribute", "export"),
        ("iam", "iam:DeleteUser", "permissions"),
        ("k8s", "secrets:list", "read"),
        ("k8s", "pods:list", "list"),
        ("k8s", "pods:deletecollection", "delete"),
        ("github", "contents:write", "modify"),
    ],
)
def test_deeds_of_actions(service: str, action: str, deed: str) -> None:
    assert deed_of(service, action) == deed


def acted(operation: str, source: str = "aws.cloudtrail", service: str = "s3", **more: Any) -> dict[str, Any]:
    row = {"source": source, "account_uid": "1", "service": service, "operation": operation,
           "event_class": "management",
           "access": None, "outcome": "done", "actor_uid": ADA, "target_uid": "b/x", "events": 2, "first_us": 5,
           "last_us": 9, "first_row": 1, "last_row": 2}  # fmt: skip
    return {**row, **more}


@pytest.mark.parametrize(
    ("row", "deed"),
    [
        (acted("GetObject"), "export"),
        (acted("AddPermission20150331v2", service="lambda"), "export"),
        (acted("DeleteBucket"), "delete"),
        (acted("ConsoleLogin", service="signin", event_class="signin"), "sign-in"),
        (acted("git.clone", "github.audit"), "export"),
        (acted("repo.destroy", "github.audit"), "delete"),
        (acted("org.add_member", "github.audit"), "permissions"),
        (acted("list secrets", "k8s.audit"), "export"),
        (acted("get pods", "k8s.audit", access="read"), "read"),
        (acted("workflows.rerun", "github.audit"), "modify"),
    ],
)
def test_deeds_of_acts(row: dict[str, Any], deed: str) -> None:
    assert act_deed(row) == deed


def test_acts_are_counted_by_data_set() -> None:
    rows = did({"suspect_acts": [acted("GetObject"), acted("GetObject", target_uid="b/y", first_us=1, first_row=8)]})
    (row,) = rows
    assert set(row) == {column.name for column in DID}
    assert (row["data_set"], row["targets"], row["events"], row["row_id"], row["first_us"]) == ("b", 2, 4, 8, 1)
    assert data_set(acted("x", service="dynamodb", target_uid="t")) == "t"
    assert data_set(acted("x", target_uid=None)) is None
