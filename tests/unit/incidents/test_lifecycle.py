from __future__ import annotations

import itertools

import pytest

from holdfast.incidents import lifecycle
from holdfast.incidents.state import Status
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError

from .folding import Folded, declared, words

STATUSES: tuple[Status, ...] = ("investigating", "contained", "recovering", "closed")
STEPS = {
    ("investigating", "contained"),
    ("contained", "investigating"),
    ("contained", "recovering"),
    ("recovering", "contained"),
}


def at(status: Status) -> Folded:
    story = declared()
    for step in STATUSES[1 : STATUSES.index(status) + 1]:
        story.later(minutes=10)
        if step == "closed":
            story.tell("asmith", lifecycle.close(story.state, (), None, acting_alone=False))
        else:
            story.tell("asmith", lifecycle.set_status(story.state, step, words("shown")))
    return story


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATUSES, STATUSES)))
def test_the_status_moves_one_step_at_a_time(before: Status, after: Status) -> None:
    story = at(before)
    if (before, after) in STEPS:
        story.tell("asmith", lifecycle.set_status(story.state, after, words("shown")))
        assert story.state.status == after
    else:
        with pytest.raises(RefusedError):
            lifecycle.set_status(story.state, after, words("shown"))


def test_the_first_containment_is_remembered() -> None:
    story = at("contained")
    first = story.now
    for status in ("investigating", "contained"):
        story.later(hours=1)
        story.tell("asmith", lifecycle.set_status(story.state, status, words("shown")))
    assert story.state.lifecycle.contained_at == first


def test_recovery_is_verified_only_while_recovering_and_unblocked() -> None:
    with pytest.raises(RefusedError, match="while recovering"):
        lifecycle.verify_recovery(at("contained").state, (), None, acting_alone=False)
    story = at("recovering")
    with pytest.raises(RefusedError, match="X2: path not closed; X3") as refused:
        lifecycle.verify_recovery(story.state, ("X2: path not closed", "X3: key not rotated"), None, acting_alone=False)
    assert refused.value.details["blockers"] == ["X2: path not closed", "X3: key not rotated"]
    story.tell("asmith", lifecycle.verify_recovery(story.state, (), None, acting_alone=False))
    assert story.state.lifecycle.recovery_verified_at == story.now
    with pytest.raises(RefusedError, match="stands until"):
        lifecycle.verify_recovery(story.state, (), None, acting_alone=False)


def test_a_step_back_voids_the_verification_and_keeps_its_history() -> None:
    story = at("recovering")
    story.tell("asmith", lifecycle.verify_recovery(story.state, (), None, acting_alone=False))
    story.tell("asmith", lifecycle.set_status(story.state, "contained", words("again")))
    assert story.state.lifecycle.recovery_verified_at is None
    assert len(story.state.lifecycle.verifications) == 1


def test_verifying_alone_owes_a_countersignature() -> None:
    story = at("recovering")
    story.tell("asmith", lifecycle.verify_recovery(story.state, (), None, acting_alone=True))
    assert [owed.what for owed in story.state.owed] == ["recovery.verified"]


def test_a_real_incident_closes_from_recovering_when_nothing_blocks() -> None:
    with pytest.raises(RefusedError, match="closes from recovering"):
        lifecycle.close(at("contained").state, (), None, acting_alone=False)
    with pytest.raises(RefusedError, match="X8"):
        lifecycle.close(at("recovering").state, ("X8: no review",), None, acting_alone=False)
    assert at("closed").state.lifecycle.closed_at is not None


def test_reopening_keeps_everything_and_starts_at_investigating() -> None:
    story = at("closed")
    before = story.state
    story.tell("bjones", lifecycle.reopen(story.state, words("again")))
    after = story.state
    assert (after.status, after.lifecycle.closed_at, after.lifecycle.reopened) == ("investigating", None, 1)
    assert (after.peak, after.commander, after.report, after.impact) == (
        before.peak,
        before.commander,
        before.report,
        before.impact,
    )
    with pytest.raises(RefusedError, match="not closed"):
        lifecycle.reopen(after, words("again"))


def refuted() -> Folded:
    story = declared()
    events = lifecycle.propose_disposition(story.state, "false_positive", words("test key"), [Citation(event=0)])
    story.tell("asmith", events)
    return story


def test_a_false_positive_needs_what_refutes_it() -> None:
    with pytest.raises(BadInputError, match="refutes"):
        lifecycle.propose_disposition(declared().state, "false_positive", words("why"))
    with pytest.raises(BadInputError, match="Only a duplicate"):
        lifecycle.propose_disposition(
            declared().state, "false_positive", words("why"), [Citation(event=0)], "INC-2026-0041"
        )


def test_a_second_reviewer_confirms_a_false_positive() -> None:
    story = refuted()
    assert story.state.lifecycle.disposition == "real"
    with pytest.raises(ForbiddenError, match="second pair of eyes"):
        lifecycle.confirm_disposition(story.state, "asmith")
    story.tell("bjones", lifecycle.confirm_disposition(story.state, "bjones"))
    assert story.state.lifecycle.disposition == "false_positive"


def test_what_is_not_real_closes_from_anywhere_without_the_gates_and_erases_nothing() -> None:
    story = refuted()
    with pytest.raises(RefusedError, match="waits for a second person"):
        lifecycle.close(story.state, (), None, acting_alone=False)
    story.tell("bjones", lifecycle.confirm_disposition(story.state, "bjones"))
    told = len(story.events)
    story.tell("asmith", lifecycle.close(story.state, ("X1: no cause",), None, acting_alone=False))
    assert (story.state.status, len(story.events)) == ("closed", told + 1)
    assert story.data("incident.closed")["disposition"] == "false_positive"


@pytest.mark.parametrize("target", [None, "INC-2026-0042"])
def test_a_duplicate_names_another_incident(target: str | None) -> None:
    with pytest.raises(BadInputError, match="another incident"):
        lifecycle.propose_disposition(declared().state, "duplicate_of", words("why"), (), target)


def test_a_duplicate_keeps_its_target() -> None:
    story = declared()
    story.tell("asmith", lifecycle.propose_disposition(story.state, "duplicate_of", words("same"), (), "INC-2026-0041"))
    story.tell("bjones", lifecycle.confirm_disposition(story.state, "bjones"))
    assert (story.state.lifecycle.disposition, story.state.lifecycle.duplicate_of) == ("duplicate_of", "INC-2026-0041")


def test_it_is_real_again_at_once_with_a_reason() -> None:
    story = refuted()
    story.tell("bjones", lifecycle.confirm_disposition(story.state, "bjones"))
    story.tell("asmith", lifecycle.propose_disposition(story.state, "real", words("it was not a test key")))
    assert story.state.lifecycle.disposition == "real"


def test_one_disposition_waits_at_a_time_and_may_be_refused() -> None:
    story = refuted()
    with pytest.raises(RefusedError, match="asmith proposed"):
        lifecycle.propose_disposition(story.state, "duplicate_of", words("why"), (), "INC-2026-0041")
    with pytest.raises(RefusedError, match="real already"):
        lifecycle.propose_disposition(story.state, "real", words("why"))
    story.tell("bjones", lifecycle.refuse_disposition(story.state, words("not convinced")))
    assert story.state.lifecycle.proposal is None
    for decide in (
        lambda: lifecycle.confirm_disposition(story.state, "bjones"),
        lambda: lifecycle.refuse_disposition(story.state, words("no")),
    ):
        with pytest.raises(RefusedError, match="Nobody has proposed"):
            decide()
