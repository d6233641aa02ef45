"""Typed outputs: what each type takes, refuses and holds."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import BadInputError, RefusedError
from holdfast.plays import outputs, stepping
from holdfast.plays.stepping import Offer

from .journal import CITED, START, WORDS, Journal, definition

LEAKED = definition("leaked-secret")


@pytest.fixture
def journal() -> Journal:
    started = Journal()
    started.start("leaked-secret")
    return started


def record(journal: Journal, step: str, offer: Offer) -> object:
    journal.take(stepping.record(journal.run(), LEAKED.step(step), offer, journal.now))
    return journal.events[-1].data["value"]


def test_each_type_holds_its_own_form(journal: Journal) -> None:
    assert record(journal, "LS3", Offer("procedure", WORDS)) == WORDS.as_json()
    assert record(journal, "LS3", Offer("at", " 2026-11-23T04:06:00+01:00 ")) == "2026-11-23T03:06:00.000Z"
    assert record(journal, "LS3", Offer("approved_by", "amir")) == "amir"
    assert record(journal, "LS3", Offer("action", "rotated")) == "rotated"
    assert record(journal, "LS4", Offer("logs", None, CITED)) == [CITED[0].as_json()]
    item = {"workload": WORDS.as_json(), "proof": [CITED[0].as_json()]}
    assert record(journal, "LS5", Offer("restarted", WORDS, CITED)) == item


@pytest.mark.parametrize(
    ("step", "offer", "why"),
    [
        ("LS3", Offer("procedure"), "needs a value"),
        ("LS3", Offer("action", " "), "needs a value"),
        ("LS3", Offer("action", "deleted"), "one of rotated, revoked"),
        ("LS3", Offer("at", "2027-01-01T00:00:00Z"), "lies in the future"),
        ("LS3", Offer("procedure", WORDS, CITED), "takes no citations"),
        ("LS4", Offer("logs", WORDS, CITED), "takes citations only"),
        ("LS4", Offer("logs"), "at least one citation"),
        ("LS5", Offer("restarted", WORDS), "at least one citation"),
        ("LS5", Offer("restarted", None, CITED), "needs a value"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(journal: Journal, step: str, offer: Offer, why: str) -> None:
    with pytest.raises(BadInputError, match=why) as refusal:
        record(journal, step, offer)
    assert refusal.value.code == "output-not-understood"


@pytest.mark.parametrize("text", ["yesterday", "2026-11-23T03:00:00"])
def test_a_time_without_its_zone_is_refused(journal: Journal, text: str) -> None:
    with pytest.raises(BadInputError):
        record(journal, "LS3", Offer("at", text))


def test_words_that_are_not_sealed_never_reach_an_event() -> None:
    for step, key in (("LS3", "procedure"), ("LS5", "restarted")):
        output = LEAKED.step(step).output(key)
        cites = CITED if output.type == "list" else ()
        assert outputs.takes_words(output)
        with pytest.raises(TypeError, match="sealed"):
            outputs.read(output, "plain words", cites, START)


@pytest.mark.parametrize("order", [("exposed_at", "revoked_at"), ("revoked_at", "exposed_at")])
def test_revocation_before_exposure_is_refused_in_whichever_order_they_come(
    journal: Journal, order: tuple[str, str]
) -> None:
    instants = {"exposed_at": "2026-11-23T03:00:00Z", "revoked_at": "2026-11-23T02:59:59Z"}
    record(journal, "LS4", Offer(order[0], instants[order[0]]))
    with pytest.raises(BadInputError) as refusal:
        record(journal, "LS4", Offer(order[1], instants[order[1]]))
    assert refusal.value.code == "instants-out-of-order"


def test_the_window_from_exposure_to_revocation_is_computed_and_recorded(journal: Journal) -> None:
    journal.prepare(LEAKED, "LS4")
    record(journal, "LS4", Offer("revoked_at", "2026-11-23T03:05:30Z"))
    record(journal, "LS4", Offer("exposed_at", "2026-11-02T09:00:00Z"))
    journal.take(stepping.done(journal.run(), LEAKED, "LS4", ()))
    assert journal.run().step("LS4").derived == {"window_seconds": 20 * 86400 + 18 * 3600 + 5 * 60 + 30}


def test_a_later_value_replaces_the_earlier_and_both_stay_in_the_record(journal: Journal) -> None:
    record(journal, "LS3", Offer("action", "rotated"))
    record(journal, "LS3", Offer("action", "revoked"))
    assert [found.value for found in journal.run().step("LS3").outputs["action"]] == ["revoked"]
    assert [event.data["value"] for event in journal.events[1:]] == ["rotated", "revoked"]


def test_a_list_grows_item_by_item_and_one_item_can_be_replaced(journal: Journal) -> None:
    for _ in range(3):
        record(journal, "LS5", Offer("restarted", WORDS, CITED))
    assert [event.data["item"] for event in journal.events[1:]] == [1, 2, 3]
    record(journal, "LS5", Offer("restarted", WORDS, (*CITED, *CITED), item=2))
    items = journal.run().step("LS5").outputs["restarted"]
    assert [len(item.value["proof"]) for item in items] == [1, 2, 1]


@pytest.mark.parametrize(
    ("step", "offer"),
    [("LS5", Offer("restarted", WORDS, CITED, item=1)), ("LS3", Offer("action", "rotated", item=1))],
)
def test_an_item_that_is_not_there_is_refused(journal: Journal, step: str, offer: Offer) -> None:
    with pytest.raises(BadInputError) as refusal:
        record(journal, step, offer)
    assert refusal.value.code == "output-item-unknown"


def test_an_owner_or_approver_without_an_account_is_named_in_words_instead(journal: Journal) -> None:
    journal.settle_parts(LEAKED, "LS3")
    for offer in (
        Offer("procedure", WORDS),
        Offer("approved_outside", WORDS),
        Offer("action", "revoked"),
    ):
        record(journal, "LS3", offer)
    with pytest.raises(RefusedError) as refusal:
        stepping.done(journal.run(), LEAKED, "LS3", ())
    assert refusal.value.details == {"missing_outputs": ["at"]}
