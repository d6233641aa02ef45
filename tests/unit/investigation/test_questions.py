"""The questions as data, their rules, and what is shown of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import investigation
from holdfast.investigation import answering
from holdfast.investigation.library import library
from holdfast.investigation.overview import QuestionView, overview
from holdfast.investigation.questions import IMPLICIT, Question, load, question_named
from holdfast.kernel.canonical import canonical
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, HoldfastError, RefusedError
from holdfast.kernel.events import Actor, Event, EventType, NewEvent
from holdfast.kernel.ids import TextId
from holdfast.kernel.parts import STANDINGS, Standing, open_parts
from holdfast.kernel.texts import Sealed

START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
CITED = (Citation("ev-1", "a" * 64), Citation(event=3))
WORDS = Sealed(TextId("txt-1"), "c" * 64)
LATER = Sealed(TextId("txt-2"), "d" * 64)
QUESTIONS = load(library())
PARTS = {
    "I1": ["deployments", "infrastructure", "access_grants", "vendor_changes"],
    "I2": ["humans", "service_accounts", "workload_identities", "ci_tokens", "deploy_keys", "break_glass_accounts"],
    "I3": ["answer"],
    "I4": ["read", "modify", "delete", "export"],
    "I5": ["persistence", "lateral_movement", "repeated_access"],
    "I6": ["answer"],
    "I7": ["answer"],
}


class Journal:
    def __init__(self) -> None:
        self.state = investigation.EMPTY
        self.events: list[Event] = []

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=len(self.events))

    def take(self, new: Iterable[NewEvent]) -> None:
        for event in new:
            seq, bea = len(self.events), Actor("person", "bea", "passkey")
            recorded = Event("INC-1", seq, f"id-{seq}", event.type, 1, self.now, self.now, "observed", bea, event.data)
            recorded.canonical()
            self.events.append(recorded)
            self.state = investigation.apply(self.state, recorded)

    def settle(self, question: Question, part: str, standing: Standing = "done") -> None:
        cites, reason = (CITED, None) if standing == "done" else ((), WORDS)
        self.take(answering.settle(self.state, question, part, standing, cites, reason))

    def settle_all(self, question: Question, standing: Standing = "done") -> None:
        for part in question.parts:
            self.settle(question, part.key, standing)

    def answer(self, question: Question, words: Sealed = WORDS) -> None:
        self.take(answering.answer(self.state, question, words, CITED, as_of=self.now, now=self.now))

    def view(self, question: str) -> QuestionView:
        return next(found for found in overview(self.state, QUESTIONS, "INC-7") if found.question.id == question)


@pytest.fixture
def journal() -> Journal:
    return Journal()


def named(question: str) -> Question:
    return question_named(QUESTIONS, question)


def test_the_seven_questions_are_there_in_order() -> None:
    assert [question.id for question in QUESTIONS] == list(PARTS)


@pytest.mark.parametrize("question", PARTS)
def test_a_question_has_the_runbooks_parts_in_order_and_helps(question: str) -> None:
    found = named(question)
    assert [part.key for part in found.parts] == PARTS[question]
    assert found.why
    assert found.hints
    assert found.traps
    assert all(part.hint for part in found.parts)


def test_a_question_without_named_parts_has_the_single_part_answer() -> None:
    assert named("I7").parts == (IMPLICIT,)


def test_an_unknown_question_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInputError, match="I1, I2, I3, I4, I5, I6, I7"):
        question_named(QUESTIONS, "I8")


@pytest.mark.parametrize(
    ("break_it", "place"),
    [
        (lambda document: document.update(questions=[]), "questions"),
        (lambda document: document.update(format="play"), "format"),
        (lambda document: document.update(extra=1), "extra"),
        (lambda document: document["questions"][2].update(id="I1"), "questions[2].id"),
        (lambda document: document["questions"][0].pop("why"), "questions[0].why"),
        (lambda document: document["questions"][0].update(whys="x"), "questions[0].whys"),
        (lambda document: document["questions"][1]["parts"][0].update(key="A"), "questions[1].parts[0].key"),
        (lambda document: document["questions"][1]["parts"][0].update(key="ci_tokens"), "questions[1].parts"),
    ],
)
def test_a_faulty_document_is_refused_at_the_faulty_place(
    break_it: Callable[[dict[str, Any]], object], place: str
) -> None:
    document = copy.deepcopy(dict(library()))
    break_it(document)
    with pytest.raises(BadInputError) as refusal:
        load(document)
    assert refusal.value.details["place"] == place


@pytest.mark.parametrize("question", PARTS)
def test_a_question_is_answered_when_every_part_is_settled(journal: Journal, question: str) -> None:
    found = named(question)
    for index, part in enumerate(found.parts):
        with pytest.raises(RefusedError) as refusal:
            journal.answer(found)
        assert refusal.value.code == "question-has-open-parts"
        assert refusal.value.details["open_parts"] == PARTS[question][index:]
        journal.settle(found, part.key)
    journal.answer(found)
    state = journal.state.question(question)
    assert (state.standing, state.answer, state.citations, state.answered_by) == ("answered", WORDS, CITED, "bea")
    assert state.as_of == state.answered_at
    assert journal.view(question).clean
    assert journal.view(question).next_command == ""


def test_an_answer_without_a_citation_is_refused_even_a_no(journal: Journal) -> None:
    journal.settle_all(named("I5"))
    with pytest.raises(BadInputError) as refusal:
        answering.answer(journal.state, named("I5"), WORDS, (), as_of=START, now=START)
    assert refusal.value.code == "answer-needs-citation"


@pytest.mark.parametrize("standing", ["unknown", "unreachable"])
def test_what_is_unknown_in_every_part_has_no_answer(journal: Journal, standing: Standing) -> None:
    journal.settle_all(named("I4"), standing)
    with pytest.raises(RefusedError) as refusal:
        journal.answer(named("I4"))
    assert refusal.value.code == "question-is-unknown"
    assert journal.view("I4").next_command.startswith("holdfast question unknown INC-7 I4")


def test_an_answer_with_an_unknown_part_is_not_clean(journal: Journal) -> None:
    journal.settle_all(named("I4"))
    journal.settle(named("I4"), "read", "unknown")
    journal.answer(named("I4"))
    assert journal.events[-1].data["parts_not_done"] == 1
    assert journal.view("I4").parts_not_done == 1
    assert not journal.view("I4").clean


def test_unknown_is_a_standing_with_a_reason_and_counts_what_nobody_looked_at(journal: Journal) -> None:
    journal.settle(named("I2"), "humans")
    journal.take(answering.unknown(journal.state, named("I2"), WORDS, (), as_of=journal.now, now=journal.now))
    state = journal.state.question("I2")
    assert (state.standing, state.answer, journal.view("I2").parts_not_done) == ("unknown", WORDS, 5)
    assert not journal.view("I2").clean


def test_an_answer_never_holds_as_of_the_future(journal: Journal) -> None:
    journal.settle_all(named("I7"))
    ahead = journal.now + timedelta(seconds=1)
    for decide in (answering.answer, answering.unknown):
        with pytest.raises(BadInputError) as refusal:
            decide(journal.state, named("I7"), WORDS, CITED, as_of=ahead, now=journal.now)
        assert refusal.value.code == "instant-in-future"


def test_answering_again_replaces_the_answer_and_keeps_the_history(journal: Journal) -> None:
    journal.settle_all(named("I7"))
    journal.answer(named("I7"))
    journal.answer(named("I7"), LATER)
    state = journal.state.question("I7")
    assert (state.answer, state.history) == (LATER, (1, 2))
    assert [event.data["answer"] for event in journal.events[1:]] == [WORDS.as_json(), LATER.as_json()]


def test_a_part_settled_after_the_answer_makes_it_outdated_until_it_is_answered_again(journal: Journal) -> None:
    journal.settle_all(named("I5"))
    journal.answer(named("I5"))
    journal.settle(named("I5"), "persistence")
    assert journal.state.question("I5").outdated
    assert not journal.view("I5").clean
    assert journal.view("I5").next_command.startswith("holdfast question answer INC-7 I5")
    journal.answer(named("I5"))
    assert journal.view("I5").clean


def test_a_part_goes_back_to_open_only_on_an_open_question(journal: Journal) -> None:
    journal.settle_all(named("I5"))
    journal.answer(named("I5"))
    with pytest.raises(RefusedError) as refusal:
        journal.settle(named("I5"), "persistence", "open")
    assert refusal.value.code == "question-not-open"
    journal.take(answering.reopen(journal.state, named("I5"), LATER))
    journal.settle(named("I5"), "persistence", "open")
    assert [part.key for part in journal.view("I5").open_parts] == ["persistence"]
    assert journal.view("I5").next_command == "holdfast question settle INC-7 I5 persistence --cites ev-…"


def test_reopening_keeps_parts_and_the_answer_and_says_why(journal: Journal) -> None:
    journal.settle_all(named("I7"))
    journal.answer(named("I7"))
    journal.take(answering.reopen(journal.state, named("I7"), LATER))
    state = journal.state.question("I7")
    assert (state.standing, state.answer, state.reopened) == ("open", WORDS, LATER)
    assert set(state.parts) == {"answer"}
    with pytest.raises(RefusedError) as refusal:
        answering.reopen(journal.state, named("I7"), WORDS)
    assert refusal.value.code == "question-already-open"


def test_an_owner_is_kept_until_somebody_else_is_named(journal: Journal) -> None:
    journal.take(answering.assign(named("I3"), "amir"))
    journal.take(answering.assign(named("I3"), "chen"))
    assert journal.view("I3").state.owner == "chen"


def test_a_part_the_question_does_not_have_is_refused(journal: Journal) -> None:
    with pytest.raises(BadInputError, match="read, modify, delete, export"):
        journal.settle(named("I4"), "rename")


@pytest.mark.parametrize("kind", investigation.TYPES, ids=lambda kind: kind.name)
def test_an_example_has_exactly_the_declared_fields_folds_and_reads_as_a_sentence(kind: EventType) -> None:
    assert set(kind.example) == set(kind.fields)
    canonical(kind.example)
    assert kind.sentence.format(actor="bea", **kind.example)
    bea = Actor("person", "bea", "passkey")
    event = Event("INC-1", 0, "id", kind.name, kind.version, START, START, "observed", bea, kind.example)
    assert investigation.apply(investigation.EMPTY, event) != investigation.EMPTY


def test_events_of_other_packages_and_of_later_versions_change_nothing(journal: Journal) -> None:
    for name, version in (("step.done", 1), ("question.answered", 99)):
        event = Event("INC-1", 0, "id", name, version, START, START, "observed", Actor("person", "bea", "token"), {})
        assert investigation.apply(journal.state, event) is journal.state


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["settle", "answer", "unknown", "reopen"]), st.integers(0, 5), st.sampled_from(STANDINGS)
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(question=st.sampled_from(QUESTIONS), acts=ACTS)
def test_in_whatever_order_people_work_an_answered_question_has_no_open_part_and_a_citation(
    question: Question, acts: list[tuple[str, int, Standing]]
) -> None:
    journal = Journal()
    for act, index, standing in acts:
        try:
            if act == "settle":
                journal.settle(question, question.parts[index % len(question.parts)].key, standing)
            elif act == "answer":
                journal.answer(question)
            elif act == "unknown":
                journal.take(answering.unknown(journal.state, question, WORDS, (), as_of=START, now=START))
            else:
                journal.take(answering.reopen(journal.state, question, WORDS))
        except HoldfastError:
            continue
        state = journal.state.question(question.id)
        if state.standing == "answered":
            assert not open_parts(question.parts, state.parts)
            assert state.citations
