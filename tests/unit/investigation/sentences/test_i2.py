"""I2 in one sentence: names, numbers, times, and no claim that the coverage does not carry."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.sentences.i2 import sentence

SUSPECT: dict[str, Any] = {
    "person_name": "bert-jan",
    "suspect_events": 2104,
    "addresses": 1,
    "top_addresses": "192.0.2.10",
    "first_us": 1_688_990_000_000_000,
    "last_us": 1_688_990_600_000_000,
}


def test_suspects_are_named_with_their_acts_addresses_and_times() -> None:
    words = sentence({"i2_suspects": [SUSPECT], "i2_humans": [SUSPECT, {}]}, {"totals": {}})
    assert words == (
        "1 identity acted under suspicion, seen from 2023-07-10T11:53:20Z to 2023-07-10T12:03:20Z: "
        "bert-jan with 2,104 suspect acts from 192.0.2.10; in all 2 identities acted (2 human)."
    )


def test_the_totals_count_and_not_the_rows_that_were_kept() -> None:
    words = sentence({"i2_suspects": [SUSPECT] * 4}, {"totals": {"i2_suspects": 900}})
    assert words.startswith("900 identities acted under suspicion")
    assert "and 897 more" in words


def test_a_subject_that_does_not_occur_is_said_first() -> None:
    words = sentence({"i2_humans": [{}]}, {"unmatched": ["AKIANOWHERE"], "totals": {}})
    assert words.startswith("No act by or on AKIANOWHERE is in the logs; in all 1 identity acted")


def test_nothing_is_denied_where_the_logs_cannot_tell() -> None:
    words = sentence({}, {"cannot_tell": {"i2_suspects": "no logs were read", "i2_humans": "no logs were read"}})
    assert words == "Cannot tell whether others acted (human), because no logs were read."
    assert sentence({}, {"cannot_tell": {"i2_suspects": "no logs were read"}}) == (
        "Cannot tell who acted under suspicion, because no logs were read."
    )


def test_ways_new_addresses_copies_and_lost_issuers_are_told() -> None:
    words = sentence(
        {
            "i2_chains": [{"chain": "user/ada → role/Admin", "suspect": True}, {"chain": "x", "suspect": False}],
            "i2_new_addresses": [{"person_name": "Ada", "new_address": "203.0.113.9"}],
            "i2_first_time": [{"person_name": "backdoor"}],
            "i2_concurrent": [{"key": "AKIA1", "address": "192.0.2.1", "other_address": "203.0.113.9"}],
            "i2_no_issuer": [{}, {}],
        },
        {"totals": {}},
    )
    assert "the sessions lead back by user/ada → role/Admin;" in words
    assert "Ada came from 203.0.113.9 for the first time;" in words
    assert "1 identity acted at no other time, first backdoor" in words
    assert "first AKIA1 from 192.0.2.1 and 203.0.113.9" in words
    assert "2 sessions cannot be led back to who started them" in words
