from __future__ import annotations

from datetime import datetime

import pytest

from holdfast.evidence import custody, erasure
from holdfast.kernel.errors import NotFoundError, RefusedError
from holdfast.kernel.events import Event
from tests.unit.evidence.folding import Record


@pytest.fixture
def record() -> Record:
    found = Record()
    found.collect(content="a")
    found.collect(content="b")
    return found


def ask(record: Record, target: str = "ev-1") -> str:
    news = erasure.request_evidence(record.state, target, record.words(), record.words())
    return str(record.add(news, by="bea")[0].data["erasure_id"])


def erase(record: Record) -> list[Event]:
    order = ask(record)
    return record.add(erasure.approve(record.state, order, "omar"), by="omar")


def test_asking_erases_nothing_until_a_second_person_approves(record: Record) -> None:
    order = ask(record)
    assert record.state.items["ev-1"].standing == "kept"
    assert [pending.id for pending in record.state.pending_erasures] == [order]


def test_approval_erases_and_leaves_digest_and_tombstone(record: Record) -> None:
    order = ask(record)
    added = record.add(erasure.approve(record.state, order, "omar"), by="omar")
    item = record.state.items["ev-1"]
    assert [event.type for event in added] == ["erasure.approved", "evidence.erased", "text.erased", "text.erased"]
    assert (item.standing, item.erased_by, item.sha256, item.size) == ("erased", order, "a" * 64, 10)
    assert record.state.erased_texts == {item.name.text_id, item.origin.text_id if item.origin else ""}
    assert record.state.items["ev-2"].standing == "kept"


def test_who_asks_does_not_approve(record: Record) -> None:
    order = ask(record)
    with pytest.raises(RefusedError) as refusal:
        erasure.approve(record.state, order, "bea")
    assert refusal.value.code == "erasure-needs-second-person"


@pytest.mark.parametrize("held", [[], ["ev-1"], ["ev-1", "ev-2"]])
def test_a_hold_placed_after_the_request_still_stops_the_erasure(record: Record, held: list[str]) -> None:
    order = ask(record)
    record.add(erasure.place_hold(record.state, held, record.words()), by="bea")
    with pytest.raises(RefusedError) as refusal:
        erasure.approve(record.state, order, "omar")
    assert (refusal.value.code, refusal.value.details) == ("erasure-under-hold", {"holds": ["hold-1"]})


def test_what_is_held_cannot_even_be_asked_for(record: Record) -> None:
    record.add(erasure.place_hold(record.state, ["ev-1"], record.words()), by="bea")
    with pytest.raises(RefusedError, match="legal hold"):
        ask(record)


def test_a_hold_on_one_item_leaves_another_erasable(record: Record) -> None:
    record.add(erasure.place_hold(record.state, ["ev-2"], record.words()), by="bea")
    erase(record)
    assert record.state.items["ev-1"].standing == "erased"


def test_a_released_hold_no_longer_binds(record: Record) -> None:
    record.add(erasure.place_hold(record.state, [], record.words()), by="bea")
    record.add(erasure.release_hold(record.state, "hold-1", record.words()), by="bea")
    erase(record)
    assert record.state.items["ev-1"].standing == "erased"


def test_a_hold_is_released_once(record: Record) -> None:
    record.add(erasure.place_hold(record.state, [], record.words()))
    record.add(erasure.release_hold(record.state, "hold-1", record.words()))
    with pytest.raises(RefusedError, match="released already"):
        erasure.release_hold(record.state, "hold-1", record.words())
    with pytest.raises(NotFoundError):
        erasure.release_hold(record.state, "hold-2", record.words())


def test_every_item_with_the_same_bytes_goes_with_it(record: Record) -> None:
    twin = record.collect(content="a")
    erase(record)
    assert record.state.items[twin].standing == "erased"


def test_a_hold_on_an_item_with_the_same_bytes_stops_the_erasure(record: Record) -> None:
    twin = record.collect(content="a")
    record.add(erasure.place_hold(record.state, [twin], record.words()))
    with pytest.raises(RefusedError, match="legal hold"):
        ask(record, "ev-1")


def test_erased_words_keep_their_commitment_and_go_once(record: Record) -> None:
    text = record.words()
    record.add(erasure.request_text(record.state, text, record.words(), record.words()), by="bea")
    record.add(erasure.approve(record.state, "erasure-1", "omar"), by="omar")
    assert record.events[-1].data == {
        "erasure_id": "erasure-1",
        "text_id": text.text_id,
        "commitment": text.commitment,
    }
    with pytest.raises(RefusedError, match="erased already"):
        erasure.request_text(record.state, text, record.words(), record.words())


def test_a_hold_on_an_item_covers_its_sealed_name(record: Record) -> None:
    record.add(erasure.place_hold(record.state, ["ev-1"], record.words()))
    with pytest.raises(RefusedError, match="legal hold"):
        erasure.request_text(record.state, record.state.items["ev-1"].name, record.words(), record.words())
    other = erasure.request_text(record.state, record.state.items["ev-2"].name, record.words(), record.words())
    assert other[0].type == "erasure.requested"


def test_a_name_erased_by_its_own_order_is_not_erased_again_with_its_item(record: Record) -> None:
    name = record.state.items["ev-1"].name
    record.add(erasure.request_text(record.state, name, record.words(), record.words()), by="bea")
    record.add(erasure.approve(record.state, "erasure-1", "omar"), by="omar")
    added = erase(record)
    assert name.text_id not in [event.data.get("text_id") for event in added]


def test_a_text_order_overtaken_by_its_items_erasure_is_refused(record: Record) -> None:
    name = record.state.items["ev-1"].name
    record.add(erasure.request_text(record.state, name, record.words(), record.words()), by="bea")
    erase(record)
    with pytest.raises(RefusedError) as refusal:
        erasure.approve(record.state, "erasure-1", "omar")
    assert refusal.value.code == "text-erased"


def test_a_decided_order_is_not_decided_again(record: Record) -> None:
    order = ask(record)
    record.add(erasure.decline(record.state, order, record.words()), by="omar")
    assert record.state.erasures[order].standing == "declined"
    with pytest.raises(RefusedError, match="declined by omar"):
        erasure.approve(record.state, order, "omar")
    assert ask(record) == "erasure-2"


def test_one_order_at_a_time_for_a_target(record: Record) -> None:
    ask(record)
    with pytest.raises(RefusedError, match="erasure-1 asks for the same"):
        ask(record)


def test_an_unknown_order_is_not_found(record: Record) -> None:
    with pytest.raises(NotFoundError, match="erasure-7"):
        erasure.approve(record.state, "erasure-7", "omar")


def test_nothing_happens_to_erased_evidence_any_more(record: Record) -> None:
    erase(record)
    state = record.state
    attempts = (
        lambda: custody.view(state, "ev-1", None),
        lambda: custody.propose_transfer(state, "ev-1", "omar", "ines", None),
        lambda: custody.accept_transfer(state, "ev-1", "omar"),
        lambda: custody.export(state, ["ev-1"], record.words(), record.words()),
        lambda: custody.reverify(state, "ev-1", ["missing"]),
        lambda: erasure.place_hold(state, ["ev-1"], record.words()),
        lambda: erasure.request_evidence(state, "ev-1", record.words(), record.words()),
    )
    for attempt in attempts:
        with pytest.raises(RefusedError) as refusal:
            attempt()
        assert refusal.value.code == "evidence-erased"


def test_a_pending_transfer_ends_with_the_erasure(record: Record) -> None:
    record.add(custody.propose_transfer(record.state, "ev-1", "omar", "ines", None))
    erase(record)
    assert record.state.pending_transfers == ()
    assert isinstance(record.state.erasures["erasure-1"].decided_at, datetime)
