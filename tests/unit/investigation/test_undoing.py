"""What was made and never removed: keys, conditions, order, and what state and probes add."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast.investigation.undoing import AFTER, MADE, made, operations, pairs, tail


def act(time: int, operation: str, request: Any = None, response: Any = None, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(("session_uid", "credential_uid", "issued_credential_uid", "src_ip", "target_uid", "detail"))
    return {
        **row,
        "row_id": time,
        "time_us": time,
        "source": "aws.cloudtrail",
        "account_uid": "111111111111",
        "operation": operation,
        "actor_uid": "mallory",
        "request": json.dumps(request),
        "response": json.dumps(response),
        **more,
    }


def run(
    made_acts: list[dict[str, Any]], unmade: list[dict[str, Any]] | None = None, **more: Any
) -> list[dict[str, Any]]:
    given = {"made_acts": made_acts, "unmade_acts": unmade or [], **more}
    rows = made({name: given.get(name, []) for name in AFTER})
    assert all(set(row) <= {column.name for column in MADE} for row in rows)
    return rows


KEY = act(10, "CreateAccessKey", {"userName": "u"}, {"accessKey": {"accessKeyId": "AKIA1"}})


def test_a_key_that_nothing_removed_is_open() -> None:
    (row,) = run([KEY])
    assert (row["uid"], row["standing"], row["check"], row["row_id"]) == ("AKIA1", "open", "key_active", 10)
    assert row["what"].endswith("nothing in the logs undoes it")


@pytest.mark.parametrize(
    ("operation", "request_", "standing"),
    [
        ("DeleteAccessKey", {"accessKeyId": "AKIA1"}, "removed"),
        ("UpdateAccessKey", {"accessKeyId": "AKIA1", "status": "Inactive"}, "removed"),
        ("UpdateAccessKey", {"accessKeyId": "AKIA1", "status": "Active"}, "open"),
        ("DeleteAccessKey", {"accessKeyId": "AKIA2"}, "open"),
    ],
)
def test_only_what_removes_exactly_this_removes_it(operation: str, request_: Any, standing: str) -> None:
    (row,) = run([KEY], [act(20, operation, request_, actor_uid="ada")])
    assert row["standing"] == standing
    assert row.get("removed_by") == ("ada" if standing == "removed" else None)


def test_a_removal_before_the_making_and_one_in_another_account_do_not_count() -> None:
    before = act(5, "DeleteAccessKey", {"accessKeyId": "AKIA1"})
    elsewhere = act(20, "DeleteAccessKey", {"accessKeyId": "AKIA1"}, account_uid="222222222222")
    assert run([KEY], [before, elsewhere])[0]["standing"] == "open"


def test_made_again_after_the_removal_it_is_open_again() -> None:
    user = [act(10, "CreateUser", {"userName": "u"}), act(30, "CreateUser", {"userName": "u"})]
    (row,) = run(user, [act(20, "DeleteUser", {"userName": "u"})])
    assert (row["standing"], row["time_us"]) == ("open", 30)


def test_a_share_is_removed_by_account_or_with_the_whole_snapshot() -> None:
    share = act(
        10,
        "ModifySnapshotAttribute",
        {"snapshotId": "s", "createVolumePermission": {"add": {"items": [{"userId": "1"}, {"userId": "2"}]}}},
    )
    back = act(
        20,
        "ModifySnapshotAttribute",
        {"snapshotId": "s", "createVolumePermission": {"remove": {"items": [{"userId": "1"}]}}},
    )
    assert {row["uid"]: row["standing"] for row in run([share], [back])} == {"s 1": "removed", "s 2": "open"}
    gone = act(30, "DeleteSnapshot", {"snapshotId": "s"})
    assert {row["standing"] for row in run([share], [gone])} == {"removed"}


def test_an_arn_and_a_name_are_one_thing() -> None:
    policy = act(10, "CreatePolicy", {"policyName": "p"}, {"policy": {"arn": "arn:aws:iam::1:policy/p"}})
    gone = act(20, "DeletePolicy", {"policyArn": "arn:aws:iam::1:policy/p"})
    assert run([policy], [gone])[0]["standing"] == "removed"
    assert tail("arn:aws:lambda:x:1:function:f") == "f"


def test_what_was_changed_again_is_not_said_to_be_removed() -> None:
    trust = act(10, "UpdateAssumeRolePolicy", {"roleName": "r"})
    again = act(20, "UpdateAssumeRolePolicy", {"roleName": "r"}, actor_uid="ada")
    assert run([trust], [again])[0]["standing"] == "changed again"
    assert run([trust], [again, act(15, "DeleteRole", {"roleName": "r"})])[0]["standing"] == "removed"


def test_a_key_that_a_suspect_used_is_listed_first_as_if_it_had_been_made() -> None:
    used = {"source": "aws.cloudtrail", "account_uid": "111111111111", "credential_uid": "AKIA9", "actor_uid": "u",
            "first_us": 1, "last_us": 50, "first_row": 1, "last_row": 50}  # fmt: skip
    session = {**used, "credential_uid": "ASIA9"}
    rows = run([KEY], suspect_credentials=[used, session])
    assert [row["uid"] for row in rows] == ["AKIA9", "AKIA1"]
    off = act(60, "UpdateAccessKey", {"accessKeyId": "AKIA9", "status": "Inactive"}, actor_uid="ada")
    assert {row["uid"]: row["standing"] for row in run([KEY], [off], suspect_credentials=[used])}["AKIA9"] == "removed"


def test_captured_state_counts_when_it_was_captured_afterwards() -> None:
    item = {
        "uid": "AKIA1",
        "type": "access_key",
        "attribute": "status",
        "value": "Active",
        "captured_us": 99,
        "row_id": 7,
    }
    (row,) = run([KEY], state_items=[item])
    assert (row["state"], row["state_us"], row["state_row_id"]) == ("status: Active", 99, 7)
    assert "state" not in run([KEY], state_items=[{**item, "captured_us": 5}])[0]


def test_other_sources_pair_by_their_target() -> None:
    hook = act(10, "hook.create", {"hook_id": 5}, source="github.audit", target_uid="corp/shop")
    gone = act(20, "hook.destroy", {"hook_id": 5}, source="github.audit", target_uid="corp/shop")
    assert run([hook])[0]["uid"] == "corp/shop 5"
    assert run([hook], [gone])[0]["standing"] == "removed"


def test_a_request_that_is_not_json_makes_nothing_and_raises_nothing() -> None:
    assert run([act(10, "CreateUser", None) | {"request": "{broken"}]) == []


def test_every_pair_can_be_made_and_names_its_thing() -> None:
    for pair in pairs().values():
        assert pair.acts["make"], pair.id
        assert all(one.key and one.operations for acts in pair.acts.values() for one in acts), pair.id
    assert len(operations({})) == sum(
        len(a.operations) for p in pairs().values() for acts in p.acts.values() for a in acts
    )
