from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.recovery import review
from holdfast.recovery.measures import MOMENTS, SPANS, Moment, Notice, measure
from holdfast.recovery.prefill import Facts, Item, Sentence, duration, prefill
from tests.unit.recovery.record import EVIDENCE, START, Record, sealed


def test_nothing_is_answered_before_the_review_starts_or_after_it_is_completed() -> None:
    record = Record()
    with pytest.raises(RefusedError):
        review.answer(record.state, "V1", sealed())
    record.supply("X8")
    with pytest.raises(RefusedError):
        review.answer(record.state, "V1", sealed())
    with pytest.raises(RefusedError):
        review.start(record.state, None)


def test_a_review_is_completed_only_when_all_six_prompts_are_answered() -> None:
    record = Record()
    record.add(review.start(record.state, START))
    for prompt in ("V1", "V2", "V3", "V4", "V5"):
        record.add(review.answer(record.state, prompt, sealed(), [EVIDENCE]))
    with pytest.raises(RefusedError) as refused:
        review.complete(record.state, START, now=START)
    assert refused.value.details["unanswered"] == ["V6"]
    with pytest.raises(BadInputError):
        review.answer(record.state, "V7", sealed())


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (1, True)])
def test_late_is_recorded_as_late(seconds: int, late: bool) -> None:
    record = Record()
    record.add(review.start(record.state, START))
    for prompt in ("V1", "V2", "V3", "V4", "V5", "V6"):
        record.add(review.answer(record.state, prompt, sealed()))
    record.add(review.complete(record.state, START, now=START + timedelta(seconds=seconds)))
    assert record.state.review.late is late


def test_a_default_is_proposed_with_an_owner_and_adopted_once_with_a_citation() -> None:
    record = Record()
    record.add(review.propose_default(record.state, sealed("scan on push"), "ben"))
    assert record.state.defaults["default-1"].owner == "ben"
    with pytest.raises(BadInputError):
        review.adopt_default(record.state, "default-1", [])
    with pytest.raises(NotFoundError):
        review.adopt_default(record.state, "default-2", [EVIDENCE])
    record.add(review.adopt_default(record.state, "default-1", [EVIDENCE]), by="ben")
    assert record.state.defaults["default-1"].adopted_by == "ben"
    with pytest.raises(RefusedError):
        review.adopt_default(record.state, "default-1", [EVIDENCE])


def moment(minutes: int, seq: int | None = None) -> Moment:
    return Moment(START + timedelta(minutes=minutes), "ana", "observed", seq)


def test_a_span_needs_both_ends_and_names_the_one_that_is_missing() -> None:
    spans = {(span.start, span.end): span for span in measure({"declared": moment(0), "contained": moment(90)}).spans}
    assert spans["declared", "contained"].seconds == 5400
    assert spans["declared", "recovered"].seconds is None
    assert spans["declared", "recovered"].missing == ("Recovery verified",)


def test_a_span_that_runs_backwards_is_marked() -> None:
    measured = measure({"detected": moment(10), "declared": moment(0)})
    span = next(span for span in measured.spans if span.end == "declared")
    assert (span.seconds, span.backwards) == (-600, True)


def test_every_end_of_a_span_is_a_named_moment_and_notices_are_in_order() -> None:
    assert {end for span in SPANS for end in span} <= set(MOMENTS)
    late = Notice("update-2", "customers", moment(5), on_time=False)
    early = Notice("update-1", "customers", moment(1), on_time=None)
    assert measure({}, (late, early)).notices == (early, late)


def test_a_review_is_drafted_from_the_record_with_a_citation_in_each_sentence() -> None:
    moments = {"first_signal": moment(0, 2), "detected": moment(4, 3), "declared": moment(5, 4)}
    facts = Facts(
        measures=measure(moments),
        reported_by=Item("report", "the code host", ("#0",)),
        late=(Item("update-2", "to customers", ("#30",)),),
        refuted=(Item("claim-2", "the key was unused", ("#21", "ev-4")),),
        worked=(Item("freeze-1", "changes to prod were frozen", ("#9",)),),
        gaps=(Item("I6", "data events were off", ("#25",)),),
        improvements=(Item("default-1", "scan on push.", ("#40",)),),
    )
    drafts = prefill(facts)
    assert set(drafts) == {"V1", "V2", "V3", "V4", "V5", "V6"}
    assert all(sentence.citations and sentence.text.endswith(".") for found in drafts.values() for sentence in found)
    assert drafts["V4"] == (
        Sentence("claim-2 was believed and turned out wrong: the key was unused.", ("#21", "ev-4")),
    )
    assert drafts["V2"][0] == Sentence("First signal to detected took 4 min.", ("#2", "#3"))


def test_a_prompt_without_material_gets_no_draft() -> None:
    assert all(found == () for found in prefill(Facts(measure({}))).values())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (93784, "1 d 2 h 3 min"), (86400, "1 d")]
)
def test_a_duration_reads_as_words(seconds: int, words: str) -> None:
    assert duration(seconds) == words
