"""The sentences of I3, I4 and I7 say numbers and names, and never "none" where it cannot be told."""

from __future__ import annotations

from holdfast.investigation.sentences import i3, i4, i7


def test_i3_counts_by_kind_and_says_when_only_logs_were_there() -> None:
    reach = [
        {"subject_uid": "AKIA1", "type": "role", "what": "AKIA1 becomes role/a", "standing": "certain"},
        {"subject_uid": "AKIA1", "type": "role", "what": "x", "standing": "conditional"},
        {"subject_uid": "AKIA1", "type": "secret", "what": "y", "standing": "certain"},
    ]
    start = [{"subject_uid": "AKIA1", "standing": "not known"}]
    said = i3.sentence({"i3_reach": reach, "i3_state": start}, {"totals": {"i3_reach": 3}, "cannot_tell": {}})
    assert said == (
        "3 systems trust AKIA1 (2 roles, 1 secret); first: AKIA1 becomes role/a; 1 of them only on a condition or a "
        "guess; no captured state names AKIA1, so this is only what the logs show."
    )


def test_i3_does_not_say_none_where_it_cannot_be_told() -> None:
    facts = {"totals": {}, "cannot_tell": {"i3_reach": "3 hours are missing"}}
    assert i3.sentence({}, facts) == "Cannot tell which systems trust it, because 3 hours are missing."
    assert i3.sentence({}, {}).startswith("Cannot tell who trusts it")


def test_i4_tells_taken_changed_refused_and_possible() -> None:
    results = {
        "i4_export": [{"what": "ada did GetSecretValue on db"}],
        "i4_refused": [{"what": "x"}, {"what": "y"}],
        "i4_could": [
            {"verdict": "allowed", "deed": "export", "data": "disks and machines", "service": "ec2"},
            {"verdict": "cannot_tell", "deed": "unknown", "service": "*"},
        ],
        "i4_unrecorded": [{"source": "aws.cloudtrail"}],
    }
    said = i4.sentence(results, {"totals": {}, "cannot_tell": {"i4_read": "reads are not logged"}})
    assert said == (
        "1 data set or service was taken or handed out, first: ada did GetSecretValue on db; nothing was seen to be "
        "changed, deleted or opened; cannot tell what was read or listed, because reads are not logged; 2 kinds of act "
        "were refused; by captured permissions they could export disks and machines (and of 1 identity it cannot be "
        "told); reads of contents were not all recorded in aws.cloudtrail, so more may have been read."
    )


def test_i4_without_suspects_cannot_tell() -> None:
    assert i4.sentence({}, {}) == "Cannot tell what was reached: nobody in the logs is suspect."


def test_i7_puts_probes_before_logs_and_says_when_nothing_was_probed() -> None:
    left = [{"uid": "AKIA1", "kind": "access key", "time_us": 1_700_000_000_000_000}]
    said = i7.sentence({"i7_open": left}, {"totals": {"i7_open": 1}, "cannot_tell": {}})
    assert said == (
        "1 thing made, opened or used by the suspects was never undone by the logs (1 access key); first: access key "
        "AKIA1 of 2023-11-14T22:13:20Z; nothing was probed, so whether it still works today is not known."
    )
    probed = [{"uid": "AKIA1", "standing": "exploitable", "probed_us": 1_700_000_000_000_000}]
    said = i7.sentence({"i7_open": left, "i7_probed": probed}, {})
    assert said.startswith("1 thing is still exploitable by a probe at 2023-11-14T22:13:20Z, first: AKIA1; ")


def test_i7_does_not_say_none_where_it_cannot_be_told() -> None:
    said = i7.sentence({}, {"cannot_tell": {"i7_open": "the trail was stopped"}})
    assert said.startswith("Cannot tell whether anything was left in place, because the trail was stopped")
