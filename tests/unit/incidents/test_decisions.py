from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.incidents import board, decisions
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from tests.unit.incidents.boarding import PROOF, T0, Recorder, minutes, words

CHOICE = decisions.Choice(
    text=words("text"),
    rejected=words("rejected"),
    known=words("known"),
    reversible=False,
    review_at=T0 + minutes(60),
    message=4,
    citations=(PROOF,),
)
SAFE = decisions.Containment(
    owner="li",
    action=words("action"),
    destroys=None,
    destroys_nothing=True,
    accepts_loss=None,
    undo=words("undo"),
    no_undo=False,
    review_at=None,
)
LOSSY = replace(SAFE, destroys=words("memory"), destroys_nothing=False, accepts_loss="ana")


def test_a_decision_records_what_was_turned_down_what_was_known_and_when_to_look_again() -> None:
    recorder = Recorder()
    event = recorder.record(decisions.record(recorder.state, CHOICE, T0))
    assert event.data == {
        "decision_id": "decision-1",
        "text": words("text").as_json(),
        "rejected": words("rejected").as_json(),
        "known": words("known").as_json(),
        "reversible": False,
        "review_at": "2026-11-23T04:07:00.000Z",
        "message": 4,
        "citations": [PROOF.as_json()],
    }
    assert recorder.state.decisions["decision-1"].by == "ana"
    assert decisions.first_containment(recorder.state) is None


def test_a_review_time_that_is_past_is_refused() -> None:
    for decide in (
        lambda: decisions.record(Recorder().state, replace(CHOICE, review_at=T0), T0),
        lambda: decisions.contain(Recorder().state, replace(SAFE, review_at=T0), "ana", T0),
    ):
        with pytest.raises(BadInputError) as refused:
            decide()
        assert refused.value.code == "review-time-past"


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_containment_is_decided_exactly_when_evidence_loss_and_undo_are_each_said_once(
    destroys: bool, nothing: bool, accepts: bool, undo: bool, no_undo: bool
) -> None:
    decided = replace(
        SAFE,
        destroys=words() if destroys else None,
        destroys_nothing=nothing,
        accepts_loss="ana" if accepts else None,
        undo=words() if undo else None,
        no_undo=no_undo,
    )
    if destroys != nothing and undo != no_undo and accepts == destroys:
        (event,) = decisions.contain(Recorder().state, decided, "ana", T0)
        assert (event.data["destroys"] is None) == nothing
        assert (event.data["undo"] is None) == no_undo
    else:
        with pytest.raises(BadInputError):
            decisions.contain(Recorder().state, decided, "ana", T0)


def test_who_accepts_the_loss_of_their_own_decision_acts_alone() -> None:
    (alone,) = decisions.contain(Recorder().state, LOSSY, "ana", T0)
    (two,) = decisions.contain(Recorder().state, LOSSY, "li", T0)
    (none,) = decisions.contain(Recorder().state, SAFE, "ana", T0)
    assert [event.data["acting_alone"] for event in (alone, two, none)] == [True, False, False]


def test_a_containment_decision_says_what_was_uncaptured_at_that_moment() -> None:
    recorder = Recorder()
    recorder.record(board.settle("F5", "ci_logs", "done", [PROOF], None))
    (event,) = decisions.contain(recorder.state, LOSSY, "li", T0)
    assert event.data["uncaptured"] == [
        "cloud_audit_events",
        "deployment_history",
        "identity_provider_logs",
        "host_metadata",
        "application_logs",
    ]


def test_the_first_containment_decision_stays_the_first_and_ids_run_through_both_kinds() -> None:
    recorder = Recorder()
    recorder.record(decisions.record(recorder.state, CHOICE, T0))
    recorder.record(decisions.contain(recorder.state, SAFE, "ana", T0))
    recorder.record(decisions.contain(recorder.state, replace(LOSSY, undo=None, no_undo=True), "li", T0))
    first = decisions.first_containment(recorder.state)
    assert first is not None
    assert (first.id, first.owner, first.reversible) == ("decision-2", "li", True)
    assert recorder.state.decisions["decision-3"].reversible is False


def test_a_decision_is_reviewed_once() -> None:
    recorder = Recorder()
    recorder.record(decisions.record(recorder.state, CHOICE, T0))
    recorder.record(decisions.review(recorder.state, "decision-1", "upheld", words()), at=T0 + minutes(60))
    assert recorder.state.decisions["decision-1"].reviewed_at == T0 + minutes(60)
    with pytest.raises(RefusedError, match="already"):
        decisions.review(recorder.state, "decision-1", "changed", words())
    with pytest.raises(NotFoundError):
        decisions.review(recorder.state, "decision-2", "changed", words())
