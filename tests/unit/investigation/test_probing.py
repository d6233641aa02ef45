"""Which checks are asked, how answers become rows, and the order that using a suspect credential needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from holdfast.app.probing import probe_all, require_order
from holdfast.investigation.probing import (
    CHECKS,
    COLUMNS,
    ProbeQuestion,
    ProbeResult,
    not_probed,
    questions_from,
    responders_from,
    rows_from,
)
from holdfast.investigation.undoing import pairs
from holdfast.kernel.errors import RefusedError

KEY = ProbeQuestion("AKIA1", "key_active", {"key": "AKIA1"}, 7)


class Always:
    permissions: ClassVar[Mapping[str, tuple[str, ...]]] = {"key_active": ("iam:ListAccessKeys",)}

    def check(self, question: ProbeQuestion) -> ProbeResult:
        return ProbeResult(question, "closed", 5_000_000, "the key of ada is Inactive")


def test_open_rows_become_questions_each_thing_once() -> None:
    rows = [
        {"uid": "AKIA1", "check_name": "key_active", "operation": "CreateAccessKey", "row_id": 7},
        {"uid": "AKIA1", "check_name": "key_active", "operation": None, "row_id": 8},
        {"uid": "r", "check_name": "trust_open", "operation": "CreateRole", "row_id": 1},
        {
            "uid": "r arn:aws:iam::aws:policy/A",
            "check_name": "policy_open",
            "operation": "AttachRolePolicy",
            "row_id": 2,
        },
        {"uid": "snap-1 222222222222", "check_name": "snapshot_shared", "operation": "ModifySnapshotAttribute"},
        {"uid": "b", "check": "bucket_public", "operation": "PutBucketPolicy"},
        {"uid": "hook", "check_name": None, "operation": "hook.create"},
        {"uid": "g p", "check_name": "policy_open", "operation": "Unknown"},
    ]
    found = questions_from(rows)
    assert found[0] == KEY
    assert [question.target for question in found[1:]] == [
        {"role": "r"},
        {"holder_type": "role", "holder": "r", "policy": "arn:aws:iam::aws:policy/A"},
        {"snapshot": "snap-1", "shared_with": "222222222222"},
        {"bucket": "b"},
    ]


def test_every_check_of_the_pairs_is_known() -> None:
    assert {pair.check for pair in pairs().values() if pair.check} <= set(CHECKS)


def test_what_no_probe_can_ask_stays_not_probed() -> None:
    other = ProbeQuestion("r", "trust_open", {"role": "r"})
    rows = rows_from(probe_all([KEY, other], [Always()]))
    assert [(row["standing"], row["probed_us"]) for row in rows] == [("closed", 5_000_000), ("not_probed", None)]
    assert all(set(row) == {column.name for column in COLUMNS} for row in rows)
    assert rows_from(not_probed([KEY]))[0]["why"] == "offline: not asked whether the access key is active"


def test_the_suspect_credential_needs_an_order() -> None:
    with pytest.raises(RefusedError) as refused:
        require_order("key_works", " ")
    assert refused.value.code == "probe-needs-order"
    require_order("key_works", "D-4")
    require_order("key_active", None)


def test_a_probe_that_acted_as_the_suspect_is_subtracted_for_its_seconds() -> None:
    acted = ProbeResult(KEY, "exploitable", 5_000_000, "it signs in", acted_as="AKIA1", order="D-4")
    looked = ProbeResult(KEY, "exploitable", 5_000_000, "Active")
    assert responders_from([acted, looked]) == [{"value": "AKIA1", "from_us": 4_000_000, "to_us": 6_000_000}]
