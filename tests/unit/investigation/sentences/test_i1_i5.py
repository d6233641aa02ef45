"""What changed and whether anybody stayed, in one sentence to read aloud."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.sentences import i1, i5
from holdfast.investigation.sentences.speaking import spoken

FACTS: dict[str, Any] = {"totals": {}, "cannot_tell": {}, "sources": ["aws.cloudtrail"], "suspects": []}
AT = 1_792_464_131_000_000
"""2026-10-20T02:42:11Z in microseconds."""


def change(**more: Any) -> dict[str, Any]:
    row = {"row_id": 1, "time_us": AT, "suspicion": 80, "lead": True, "ours": False, "before": "first by this identity"}
    return row | {"what": "arn:aws:iam::111122223333:user/eve: Create access key (AKIA1)"} | more


def test_what_stands_out_comes_first_with_its_time() -> None:
    told = i1.sentence({"i1_access_grants": [change()], "i1_infrastructure": []}, FACTS)
    assert told == (
        "1 change stands out from 2026-10-20T02:42:11Z on, above all user/eve: Create access key (AKIA1); "
        "grants of access: 1 kind of change, 1 of them not seen before; infrastructure: no change; "
        "deployments: no change; applications and packages of others: no change."
    )


def test_our_own_changes_are_left_out_and_that_is_said() -> None:
    told = i1.sentence({"i1_access_grants": [change(), change(ours=True, row_id=2)]}, FACTS)
    assert "grants of access: 1 kind of change" in told
    assert told.endswith("what our own people changed is left out.")


def test_changes_that_do_not_stand_out_are_counted() -> None:
    told = i1.sentence({"i1_deployments": [change(lead=False, before="seen before")]}, FACTS)
    assert told.startswith("1 change recorded, and none stands out by itself; ")


def test_a_part_that_cannot_be_told_never_says_no_change() -> None:
    facts = FACTS | {"cannot_tell": {"i1_vendor_changes": "no log among the inputs tells of it"}}
    told = i1.sentence({}, facts)
    assert "applications and packages of others: cannot tell, because no log among the inputs tells of it" in told
    assert "applications and packages of others: no change" not in told


def test_undone_containment_comes_before_everything() -> None:
    results = {
        "i5_persistence": [change(status="success")],
        "i5_undone": [change(what="arn:aws:iam::1:user/eve: the key was made active again (UpdateAccessKey on bob)")],
        "i5_blinded": [change(what="eve: Stop a trail (main)"), change(what="eve: Delete trail (main)")],
        "i5_new_credential_used": [
            change(what="eve made AKIA1, used from another address, 203.0.113.9", elsewhere=True)
        ],
        "i5_returned": [change(what="the credential AKIA1 was back after 21 hours of silence")],
    }
    assert i5.sentence(results, FACTS) == (
        "Containment was undone, first listed at 2026-10-20T02:42:11Z: user/eve: the key was made active again "
        "(UpdateAccessKey on bob); 1 foothold from 2026-10-20T02:42:11Z on, above all user/eve: Create access key "
        "(AKIA1); recording or recovery was cut: eve: Stop a trail (main) (and 1 more); they moved on: eve made AKIA1, "
        "used from another address, 203.0.113.9; the credential AKIA1 was back after 21 hours of silence, at "
        "2026-10-20T02:42:11Z."
    )


def test_a_refused_attempt_is_no_foothold() -> None:
    told = i5.sentence({"i5_persistence": [change(status="failure")]}, FACTS)
    assert told == "No foothold stands out."


def test_what_cannot_be_told_is_never_a_no() -> None:
    facts = FACTS | {
        "cannot_tell": {"i5_undone": "hours are missing", "i5_persistence": "hours are missing", "i5_x": "-"}
    }
    told = i5.sentence({}, facts)
    assert told == (
        "Cannot tell whether containment was undone, whether there are footholds and of 1 other sign, because -."
    )


def test_nothing_found_over_logs_that_can_tell_is_said_plainly() -> None:
    told = i5.sentence({"i5_refused": [change(in_row_id=None)]}, FACTS | {"cannot_tell": {}})
    assert told == "No foothold stands out."
    entered = i5.sentence({"i5_refused": [change(in_row_id=7, what="ada was refused 5 times")]}, FACTS)
    assert entered == "No foothold stands out; ada was refused 5 times."


def test_arns_are_cut_to_names_when_spoken() -> None:
    assert (
        spoken("arn:aws:sts::1:assumed-role/app/i-0 took arn:aws:s3:::bucket.") == "Assumed-role/app/i-0 took bucket."
    )
