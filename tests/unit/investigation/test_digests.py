"""CloudTrail digest chains, all synthetic: valid, altered, with holes, rotated, backfilled, without their proofs."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation import captured, coverage
from holdfast.investigation.captured import Origin
from holdfast.investigation.digests import public_key
from holdfast.investigation.reading import UnreadableError
from holdfast.investigation.state_readers.aws_digest import READERS, instant_us
from tests.unit.investigation.coverage_world import HOUR_US, given, graded, hourly_rows
from tests.unit.investigation.coverage_world import START as HOUR_ZERO
from tests.unit.investigation.digest_chain import ACCOUNT, REGION, Chain, key, public_keys

DAY = 24
"""The chain starts a day after the made-up hours, at 00:01:31."""


def standings(rows: list[dict[str, Any]], part: str = "digest") -> list[str]:
    return [row["standing"] for row in rows if row["part"] == part]


def test_a_whole_chain_is_valid_and_every_log_file_is_there() -> None:
    rows = Chain().judge()
    assert standings(rows) == ["valid"] * 6
    assert [(row["files"], row["files_ok"]) for row in rows] == [(2, 2)] * 6


def test_the_newest_digests_metadata_is_enough_for_the_chain() -> None:
    assert standings(Chain().judge(metadata="last")) == ["valid"] * 6


@pytest.mark.parametrize(("keys", "metadata"), [((), "all"), (("first",), "none"), ((), "none")])
def test_without_keys_or_signatures_nothing_can_be_told(keys: tuple[str, ...], metadata: str) -> None:
    rows = Chain().judge(keys=keys, metadata=metadata)
    assert standings(rows) == ["cannot_tell"] * 6
    assert all("not captured" in row["why"] or "is not there" in row["why"] for row in rows)


def test_a_digest_changed_by_a_byte_is_invalid() -> None:
    chain = Chain()
    name, document, content = chain.documents[2]
    chain.documents[2] = (name, document, content.replace(b"eu-west-1_main", b"eu-west-1_mail", 1))
    assert standings(chain.judge()) == ["valid", "valid", "invalid", "valid", "valid", "valid"]
    assert standings(chain.judge(metadata="last")) == ["cannot_tell", "cannot_tell", "invalid", *["valid"] * 3]


def test_a_digest_signed_with_another_key_is_invalid() -> None:
    chain = Chain()
    name = chain.documents[-1][0]
    chain.signatures[name] = "00" * 256
    assert standings(chain.judge())[-1] == "invalid"


def test_two_digests_deleted_in_a_row_are_a_hole() -> None:
    chain = Chain()
    gone = chain.documents[2:4]
    chain.documents = chain.documents[:2] + chain.documents[4:]
    chain.signatures = {name: value for name, value in chain.signatures.items() if name not in {one[0] for one in gone}}
    rows = chain.judge()
    missing = [row for row in rows if row["standing"] == "missing"]
    assert [row["why"] for row in missing] == ["about 2 digest files in a row are missing"]
    assert missing[0]["to_us"] - missing[0]["from_us"] == 2 * HOUR_US
    assert missing[0]["from_us"] == (HOUR_ZERO + DAY + 2) * HOUR_US + 91_000_000


def test_what_lies_before_the_first_digest_captured_is_not_called_missing() -> None:
    chain = Chain()
    chain.documents = chain.documents[2:]
    assert standings(chain.judge())[0] == "before"


def test_a_chain_started_anew_says_that_validation_was_off() -> None:
    chain = Chain(restart_at=4)
    chain.documents.pop(3)
    rows = chain.judge()
    assert [row["why"] for row in rows if row["standing"] == "off"] == [
        "the chain starts anew: log file validation or logging was off"
    ]


def test_keys_may_rotate_within_a_chain() -> None:
    assert standings(Chain(rotate_at=3).judge()) == ["valid"] * 6
    assert standings(Chain(rotate_at=3).judge(keys=["first"], metadata="all")) == ["valid"] * 3 + ["cannot_tell"] * 3


def test_a_backfill_digest_is_accepted_with_its_files() -> None:
    rows = Chain(backfill_at=3).judge()
    assert [row["standing"] for row in rows if row["backfill"]] == ["valid"]
    assert standings(rows, "log_file") == []


def test_an_altered_a_missing_and_an_added_log_file_are_told() -> None:
    chain = Chain()
    names = list(chain.logs)
    chain.logs[names[0]] = b"something else"
    del chain.logs[names[3]]
    chain.logs[names[5].replace("_sample", "_planted")] = b"{}"
    rows = chain.judge()
    assert standings(rows, "log_file") == ["altered", "file_missing", "unlisted"]
    assert [row["files_ok"] for row in rows if row["part"] == "digest"] == [1, 1, 2, 2, 2, 2]


def test_a_digest_copied_twice_counts_once_and_two_versions_of_it_are_invalid() -> None:
    chain = Chain()
    chain.documents.append(chain.documents[1])
    assert standings(chain.judge()) == ["valid"] * 6
    name, document, content = chain.documents[1]
    chain.documents[-1] = (name, document, content + b" ")
    assert standings(chain.judge())[1] == "invalid"


def test_a_chain_proves_its_hours_and_no_others() -> None:
    hourly = hourly_rows([(ACCOUNT, REGION)], 3, 50, 50)
    rows = coverage.grade_cells(given(hourly, 3, digests=Chain(hours=12).judge()))
    proven = {hour - HOUR_ZERO for _, _, hour in graded(rows, "proven")}
    assert proven == set(range(DAY + 1, DAY + 11)), "from the first whole hour to the last one delivered in time"


def test_a_proven_empty_hour_is_no_gap() -> None:
    hourly = [row for row in hourly_rows([(ACCOUNT, REGION)], 8, 50, 50) if row["hour"] != HOUR_ZERO + DAY + 5]
    assert graded(coverage.grade_cells(given(hourly, 8)), "gap")
    assert not graded(coverage.grade_cells(given(hourly, 8, digests=Chain(hours=12).judge())), "gap")


def test_a_hole_in_the_chain_is_a_gap_though_events_are_there() -> None:
    chain = Chain(hours=12)
    del chain.documents[5]
    hourly = hourly_rows([(ACCOUNT, REGION)], 3, 50, 50)
    rows = coverage.grade_cells(given(hourly, 3, digests=chain.judge()))
    assert {hour - HOUR_ZERO for _, _, hour in graded(rows, "gap")} == {DAY + 5}


def test_without_the_proofs_hours_stay_observed() -> None:
    hourly = hourly_rows([(ACCOUNT, REGION)], 3, 50, 50)
    rows = coverage.grade_cells(given(hourly, 3, digests=Chain(hours=12).judge(keys=())))
    assert not graded(rows, "proven")
    assert not graded(rows, "gap")


def test_readers_know_their_documents_only() -> None:
    head = {"Metadata": {"signature": "ab", "signature-algorithm": "SHA256withRSA"}}
    for document, names in [
        (Chain().documents[0][1], ["aws.cloudtrail_digest"]),
        (public_keys("first"), ["aws.cloudtrail_keys"]),
        (head, ["aws.cloudtrail_digest_metadata"]),
        ({"Records": []}, []),
        ([1], []),
        ("text", []),
        (None, []),
    ]:
        assert [reader.key for reader in READERS if reader.recognises(document)] == names
    assert {"cloudtrail_digests", "cloudtrail_digest_keys"} <= captured.tables().keys()


def test_metadata_names_its_digest_by_key_or_by_path() -> None:
    name = Chain().documents[0][0]
    reader = READERS[2]
    head = {"x-amz-meta-signature": "ab", "x-amz-meta-signature-algorithm": "SHA256withRSA"}
    by_path = reader.tables(head, Origin(f"evidence/{name}.metadata.json", 1, None))
    by_key = reader.tables({**head, "Key": name}, Origin("head.json", 1, None))
    found = [next(iter(one["cloudtrail_digest_signatures"]))["name"] for one in (by_path, by_key)]
    assert found == [name.rsplit("/", 1)[-1]] * 2


def test_a_digest_without_its_times_cannot_be_read() -> None:
    document = {**Chain().documents[0][1], "digestEndTime": "yesterday"}
    with pytest.raises(UnreadableError):
        READERS[0].tables(document, Origin("x", 1, None))


@pytest.mark.parametrize("value", ["", "####", "aGVsbG8=", "MEI="])
def test_what_is_no_key_is_no_key(value: str) -> None:
    assert public_key(value) is None


def test_times_are_read_as_text_and_as_seconds() -> None:
    assert instant_us("2024-01-02T00:00:00Z") == instant_us(1704153600) == 1704153600000000
    assert [instant_us(value) for value in ("soon", None, True, 1e300)] == [None] * 4
    assert key("first") is key("first")
