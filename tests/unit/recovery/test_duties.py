from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from holdfast.recovery import duties, gates, proofs
from holdfast.recovery.duties import Choice
from holdfast.recovery.proofs import Known
from tests.unit.recovery.record import EVIDENCE, START, Record, sealed


@pytest.mark.parametrize(
    "choice",
    [
        Choice("yes"),
        Choice("yes", to=sealed()),
        Choice("yes", due_at=START),
        Choice("no"),
        Choice("no", to=sealed(), due_at=START),
    ],
)
def test_a_yes_says_to_whom_and_by_when_and_a_no_says_why(choice: Choice) -> None:
    with pytest.raises(BadInputError):
        duties.decide_escalation(Record().state, "customer", choice)


def test_each_yes_adds_a_notification_and_a_no_owes_none() -> None:
    record = Record()
    for name in ("first", "second"):
        choice = Choice("yes", sealed(name), START + timedelta(days=1))
        record.add(duties.decide_escalation(record.state, "contractual", choice))
    escalation = record.state.escalations["contractual"]
    assert [one.id for one in escalation.owed] == ["notification-1", "notification-2"]
    assert len(duties.overdue_notifications(record.state, START + timedelta(days=2))) == 2
    assert duties.overdue_notifications(record.state, START) == ()
    record.add(duties.decide_escalation(record.state, "contractual", Choice("no", reason=sealed("not a party"))))
    assert record.state.escalations["contractual"].owed == ()


def test_a_notification_takes_one_receipt_not_from_the_future() -> None:
    record = Record()
    record.add(duties.decide_escalation(record.state, "legal", Choice("yes", sealed(), START + timedelta(days=1))))
    with pytest.raises(NotFoundError):
        duties.receipt(record.state, "notification-9", sealed(), [], given_at=START, now=START)
    with pytest.raises(BadInputError):
        duties.receipt(record.state, "notification-1", sealed(), [], given_at=START + timedelta(hours=1), now=START)
    record.add(duties.receipt(record.state, "notification-1", sealed(), [EVIDENCE], given_at=START, now=START))
    assert not record.state.escalations["legal"].notifications[0].late
    with pytest.raises(RefusedError):
        duties.receipt(record.state, "notification-1", sealed(), [], given_at=START, now=START)


def test_an_action_has_an_owner_and_a_date_that_has_not_passed() -> None:
    record = Record()
    today = START.date()
    with pytest.raises(BadInputError):
        duties.assign_action(record.state, sealed(), "ben", today - timedelta(days=1), today=today)
    record.add(duties.assign_action(record.state, sealed(), "ben", today, today=today))
    action = record.state.actions["action-1"]
    assert (action.owner, action.due, action.standing) == ("ben", today, "open")
    assert duties.overdue_actions(record.state, today) == ()
    assert duties.overdue_actions(record.state, today + timedelta(days=1)) == (action,)


def test_an_action_is_done_with_a_citation_once() -> None:
    record = Record()
    record.supply("X7")
    with pytest.raises(BadInputError):
        duties.do_action(record.state, "action-1", [])
    record.add(duties.do_action(record.state, "action-1", [EVIDENCE]))
    with pytest.raises(RefusedError):
        duties.drop_action(record.state, "action-1", sealed())
    with pytest.raises(NotFoundError):
        duties.do_action(record.state, "action-2", [EVIDENCE])


def test_when_every_action_is_dropped_somebody_says_that_none_is_needed() -> None:
    record = Record()
    record.supply("X7")
    with pytest.raises(RefusedError):
        duties.no_actions(record.state, sealed())
    record.add(duties.drop_action(record.state, "action-1", sealed("superseded")))
    assert gates.requirements(record.state, "X7")
    record.add(duties.no_actions(record.state, sealed("nothing to do")))
    assert gates.requirements(record.state, "X7") == ()


def test_one_watch_period_runs_at_a_time_and_an_early_end_says_so() -> None:
    record = Record()
    with pytest.raises(BadInputError):
        proofs.start_watch(record.state, START, sealed(), now=START)
    with pytest.raises(RefusedError):
        proofs.end_watch(record.state, sealed(), now=START)
    record.add(proofs.start_watch(record.state, START + timedelta(days=14), sealed(), now=START))
    with pytest.raises(RefusedError):
        proofs.start_watch(record.state, START + timedelta(days=15), sealed(), now=START)
    (ended,) = proofs.end_watch(record.state, sealed(), now=START + timedelta(days=1))
    assert ended.data["early"] is True
    record.add([ended])
    assert record.state.watch is not None
    assert record.state.watch.ended_at is not None


def test_an_asserted_time_is_not_in_the_future_and_evidenced_needs_a_citation() -> None:
    with pytest.raises(BadInputError):
        proofs.assert_moment("first_signal", START + timedelta(seconds=1), Known("estimated"), now=START)
    with pytest.raises(BadInputError):
        proofs.assert_moment("first_signal", START, Known("evidenced"), now=START)
    (event,) = proofs.assert_moment("first_signal", START, Known("evidenced", (EVIDENCE,)), now=START)
    assert (event.occurred_at, event.basis) == (START, "evidenced")
