from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.evidence import custody
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from tests.unit.evidence.folding import START, Record


@pytest.fixture
def record() -> Record:
    found = Record()
    found.collect(by="ines")
    return found


def test_who_collects_an_item_is_its_first_custodian(record: Record) -> None:
    item = record.state.items["ev-1"]
    assert (item.custodian, item.collected_by, item.standing, item.complete) == ("ines", "ines", "kept", True)


def test_items_are_numbered_in_order(record: Record) -> None:
    assert [record.collect(), record.collect()] == ["ev-2", "ev-3"]


def test_a_proposed_transfer_leaves_custody_where_it_is(record: Record) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "ines", None))
    item = record.state.items["ev-1"]
    assert item.custodian == "ines"
    assert item.transfer is not None
    assert item.transfer.to == "omar"
    assert record.state.pending_transfers == (item,)


def test_acceptance_by_the_receiver_changes_the_custodian(record: Record) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "ines", None))
    record.add(custody.accept_transfer(record.state, "ev-1", "omar"), by="omar")
    item = record.state.items["ev-1"]
    assert (item.custodian, item.transfer, item.handovers) == ("omar", None, 1)


def test_nobody_but_the_receiver_accepts(record: Record) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "ines", None))
    with pytest.raises(RefusedError, match="only the receiver"):
        custody.accept_transfer(record.state, "ev-1", "ines")


@pytest.mark.parametrize("to", ["", "   "])
def test_a_transfer_without_a_receiver_is_refused(record: Record, to: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        custody.propose_transfer(record.state, "ev-1", to, "ines", None)
    assert refusal.value.code == "transfer-without-receiver"


def test_a_transfer_to_the_custodian_is_refused(record: Record) -> None:
    with pytest.raises(RefusedError, match="holds it already"):
        custody.propose_transfer(record.state, "ev-1", "ines", "ines", None)


def test_a_second_offer_waits_for_the_first_to_be_answered(record: Record) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "ines", None))
    with pytest.raises(RefusedError, match="already offered to omar"):
        custody.propose_transfer(record.state, "ev-1", "bea", "ines", None)


def test_somebody_else_than_the_custodian_owes_a_reason_for_an_offer(record: Record) -> None:
    with pytest.raises(BadInputError) as refusal:
        custody.propose_transfer(record.state, "ev-1", "omar", "bea", None)
    assert refusal.value.code == "transfer-needs-reason"
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "bea", record.words()), by="bea")
    assert record.state.items["ev-1"].custodian == "ines"


@pytest.mark.parametrize("who", ["omar", "ines", "bea"])
def test_receiver_custodian_and_proposer_may_end_an_offer(record: Record, who: str) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "bea", record.words()), by="bea")
    record.add(custody.refuse_transfer(record.state, "ev-1", who, record.words()), by=who)
    item = record.state.items["ev-1"]
    assert (item.custodian, item.transfer) == ("ines", None)


def test_a_bystander_may_not_end_an_offer(record: Record) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "ines", None))
    with pytest.raises(RefusedError, match="omar, the custodian ines"):
        custody.refuse_transfer(record.state, "ev-1", "mallory", record.words())


def test_accepting_what_nobody_offered_is_refused(record: Record) -> None:
    with pytest.raises(RefusedError) as refusal:
        custody.accept_transfer(record.state, "ev-1", "omar")
    assert refusal.value.code == "transfer-not-offered"


def test_views_and_exports_are_counted_per_item(record: Record) -> None:
    record.collect()
    record.add(custody.view(record.state, "ev-1", None))
    record.add(custody.export(record.state, ["ev-2", "ev-1"], record.words(), record.words()))
    assert record.events[-1].data["evidence"] == ["ev-1", "ev-2"]
    assert (record.state.items["ev-1"].views, record.state.items["ev-1"].exports) == (1, 1)
    assert (record.state.items["ev-2"].views, record.state.items["ev-2"].exports) == (0, 1)


def test_an_export_sorts_by_number_not_by_letter(record: Record) -> None:
    for _ in range(10):
        record.collect()
    events = custody.export(record.state, ["ev-10", "ev-2", "ev-10"], record.words(), record.words())
    assert events[0].data["evidence"] == ["ev-2", "ev-10"]


def test_an_export_of_nothing_is_refused(record: Record) -> None:
    with pytest.raises(BadInputError, match="names no item"):
        custody.export(record.state, [], record.words(), record.words())


def test_the_worst_object_decides_a_reverification(record: Record) -> None:
    record.add(custody.reverify(record.state, "ev-1", ["matches", "differs", "missing", "matches"]))
    data = record.events[-1].data
    assert (data["outcome"], data["objects"], data["faults"]) == ("missing", 4, 2)
    assert record.state.items["ev-1"].verified == "missing"
    record.add(custody.reverify(record.state, "ev-1", ["matches"]))
    assert record.state.items["ev-1"].verified == "matches"


def test_an_unknown_item_is_not_found(record: Record) -> None:
    with pytest.raises(NotFoundError, match="no evidence 'ev-9'"):
        custody.view(record.state, "ev-9", None)


def test_the_occurrence_is_the_collectors_end_corrected_by_its_offset() -> None:
    record = Record()
    ended = START - timedelta(minutes=5)
    record.collect(started=ended - timedelta(minutes=1), ended=ended, clock_offset_ms=-2000)
    assert record.events[0].occurred_at == ended + timedelta(seconds=2)


def test_a_collectors_clock_that_runs_ahead_never_dates_an_item_in_the_future() -> None:
    record = Record()
    record.collect(ended=START + timedelta(days=3))
    assert record.events[0].occurred_at == START


def test_a_capture_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(BadInputError, match="ended before it started"):
        Record().collect(started=START, ended=START - timedelta(seconds=1))


def test_shortfalls_are_recorded_once_in_a_fixed_order() -> None:
    record = Record()
    record.collect(shortfalls=("timed_out", "unreadable", "timed_out"))
    assert record.state.items["ev-1"].shortfalls == ("unreadable", "timed_out")
    assert not record.state.items["ev-1"].complete


def test_captured_sources_name_what_is_kept() -> None:
    record = Record()
    record.collect(source="cloud_audit")
    record.collect()
    assert record.state.captured_sources() == {"cloud_audit"}
