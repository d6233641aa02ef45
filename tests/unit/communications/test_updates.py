from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.communications import claims, promises, updates
from holdfast.communications.wording import Finding
from holdfast.kernel.errors import BadInputError, ConflictError, HoldfastError, RefusedError
from tests.unit.communications.record import EVIDENCE, Record, sealed

PEOPLE = {"commander": "cem", "business_owner": "bo", "communications_lead": "lin"}


def ready(audience: str = "customers") -> Record:
    record = Record()
    record.add(claims.state_claim(record.state, "impact", sealed("312 objects were read")))
    record.add(claims.confirm(record.state, "claim-1", [EVIDENCE]))
    record.add(
        updates.draft(record.state, audience, record.content(claims=("claim-1",)), record.situation(**PEOPLE)),  # type: ignore[arg-type]
        by="lin",
    )
    return record


def approve(record: Record, by: str, *, findings: tuple[Finding, ...] = (), **holders: str) -> None:
    update = record.state.updates["update-1"]
    situation = record.situation(**(holders or PEOPLE))
    record.add(
        updates.approve(record.state, "update-1", update.text_hash, by=by, situation=situation, findings=findings),
        by=by,
    )


def test_customer_text_at_sev_2_needs_commander_and_business_owner() -> None:
    record = ready()
    approve(record, "cem")
    update = record.state.updates["update-1"]
    assert updates.missing(record.state, update, record.situation(**PEOPLE)) == (
        "It needs the approval of the business owner (bo).",
    )
    with pytest.raises(RefusedError):
        updates.send(record.state, "update-1", sealed("status page"), situation=record.situation(**PEOPLE))
    approve(record, "bo")
    record.add(updates.send(record.state, "update-1", sealed("status page"), situation=record.situation(**PEOPLE)))
    assert record.state.updates["update-1"].standing == "sent"
    assert not any(approval.acting_alone for approval in record.state.updates["update-1"].approvals)


def test_customer_text_at_sev_3_needs_one_lead() -> None:
    assert len(updates.required("customers", "SEV-3")) == 1
    assert len(updates.required("customers", None)) == 2
    assert len(updates.required("responders", "SEV-1")) == 1


def test_a_revision_voids_approvals() -> None:
    record = ready()
    approve(record, "cem")
    approve(record, "bo")
    content = record.content("other words", ("claim-1",))
    record.add(updates.revise(record.state, "update-1", content, record.situation(**PEOPLE)), by="lin")
    assert record.state.updates["update-1"].approvals == ()
    assert not updates.is_approved(record.state.updates["update-1"], "SEV-2")


def test_an_approval_of_the_text_read_before_an_edit_is_a_conflict() -> None:
    record = ready()
    seen = record.state.updates["update-1"].text_hash
    content = record.content("other words", ("claim-1",))
    record.add(updates.revise(record.state, "update-1", content, record.situation(**PEOPLE)), by="lin")
    with pytest.raises(ConflictError):
        updates.approve(record.state, "update-1", seen, by="cem", situation=record.situation(**PEOPLE), findings=())


def test_an_author_does_not_approve_while_another_can() -> None:
    record = ready("responders")
    with pytest.raises(RefusedError, match="wrote a text"):
        approve(record, "lin")


def test_an_author_who_is_alone_approves_and_it_says_so() -> None:
    record = ready("responders")
    approve(record, "lin", communications_lead="lin")
    assert record.state.updates["update-1"].approvals[0].acting_alone


def test_one_person_in_both_roles_approves_for_both_and_it_says_so() -> None:
    record = ready()
    approve(record, "cem", commander="cem", business_owner="cem")
    (approval,) = record.state.updates["update-1"].approvals
    assert (approval.roles, approval.acting_alone) == (("business_owner", "commander"), True)
    assert updates.is_approved(record.state.updates["update-1"], "SEV-1")


def test_somebody_without_the_role_does_not_approve() -> None:
    with pytest.raises(RefusedError, match="business owner"):
        approve(ready(), "stranger")


def test_a_blocking_finding_refuses_approval_and_a_warning_does_not() -> None:
    record = ready()
    warn = Finding("warn", "outage", (0, 1), "why", "what")
    approve(record, "cem", findings=(warn,))
    with pytest.raises(RefusedError) as refused:
        approve(record, "bo", findings=(warn, Finding("block", "token", (0, 1), "It holds a token.", "Remove it.")))
    assert refused.value.code == "update-wording-blocked"
    assert len(refused.value.details["findings"]) == 2  # type: ignore[arg-type]


def test_a_refused_text_is_not_approved_until_it_is_revised() -> None:
    record = ready()
    record.add(updates.refuse(record.state, "update-1", sealed("too early")), by="bo")
    with pytest.raises(RefusedError, match="refused this text"):
        approve(record, "cem")
    record.add(
        updates.revise(record.state, "update-1", record.content("new", ("claim-1",)), record.situation(**PEOPLE)),
        by="lin",
    )
    approve(record, "cem")
    assert record.state.updates["update-1"].refusal is None


def test_a_customer_text_names_confirmed_claims_only() -> None:
    record = ready()
    record.add(claims.state_claim(record.state, "cause", sealed("maybe a laptop")))
    for named in ((), ("claim-2",), ("claim-1", "claim-2")):
        with pytest.raises(RefusedError) as refused:
            updates.draft(record.state, "customers", record.content(claims=named), record.situation())
        assert refused.value.code == "update-rests-on-unconfirmed"


def test_a_responders_text_may_name_hypotheses_but_nothing_disproved() -> None:
    record = ready()
    record.add(claims.state_claim(record.state, "cause", sealed("maybe a laptop")))
    updates.draft(record.state, "responders", record.content(claims=("claim-2",)), record.situation())
    record.add(claims.disprove(record.state, "claim-2", [EVIDENCE], None))
    with pytest.raises(RefusedError):
        updates.draft(record.state, "responders", record.content(claims=("claim-2",)), record.situation())


def test_a_fact_retracted_after_approval_stops_the_sending() -> None:
    record = ready()
    approve(record, "cem")
    approve(record, "bo")
    record.add(claims.retract(record.state, "claim-1", sealed("misread")))
    with pytest.raises(RefusedError, match="claim-1, which stands as retracted"):
        updates.send(record.state, "update-1", sealed("mail"), situation=record.situation(**PEOPLE))


def test_an_update_promises_the_next_until_the_cadence_is_over() -> None:
    record = ready()
    with pytest.raises(RefusedError):
        updates.draft(record.state, "responders", record.content(minutes=None), record.situation())
    with pytest.raises(BadInputError):
        updates.draft(record.state, "responders", record.content(minutes=-1), record.situation())
    updates.draft(record.state, "responders", record.content(minutes=None), record.situation(over=True))


def test_a_promise_that_would_be_overdue_at_sending_stops_it() -> None:
    record = ready()
    approve(record, "cem")
    approve(record, "bo")
    record.later(31)
    with pytest.raises(RefusedError, match="overdue already"):
        updates.send(record.state, "update-1", sealed("mail"), situation=record.situation(**PEOPLE))


def send_next(record: Record) -> None:
    situation = record.situation("SEV-3", commander="cem")
    record.add(updates.draft(record.state, "customers", record.content(f"n{record.seq}", ("claim-1",)), situation))
    update = list(record.state.updates.values())[-1]
    record.add(
        updates.approve(record.state, update.id, update.text_hash, by="cem", situation=situation, findings=()), by="cem"
    )
    record.add(updates.send(record.state, update.id, sealed("mail"), situation=situation))


def test_a_sent_update_starts_a_promise_that_the_next_one_keeps() -> None:
    record = ready()
    send_next(record)
    assert [one.due_at for one in promises.running(record.state)] == [record.now.replace(minute=37)]
    record.later(20)
    send_next(record)
    first, second = record.state.promises
    assert promises.kept_on_time(first) is True
    assert second.is_open
    record.later(45)
    assert promises.overdue(record.state, record.now) == (second,)
    send_next(record)
    assert promises.kept_on_time(record.state.promises[1]) is False


def test_the_end_of_the_cadence_ends_every_promise() -> None:
    record = ready()
    send_next(record)
    record.add(promises.end(record.state))
    assert promises.running(record.state) == ()
    assert promises.overdue(record.state, record.now.replace(year=2030)) == ()
    assert promises.kept_on_time(record.state.promises[0]) is None
    assert promises.end(record.state) == []


def test_a_sent_update_changes_no_more() -> None:
    record = ready()
    approve(record, "cem")
    approve(record, "bo")
    record.add(updates.send(record.state, "update-1", sealed("mail"), situation=record.situation(**PEOPLE)))
    with pytest.raises(RefusedError, match="stays as it is"):
        updates.revise(record.state, "update-1", record.content("x", ("claim-1",)), record.situation())


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["revise", "approve", "stale", "refuse", "send"]), st.sampled_from(["lin", "cem", "bo"])),
    max_size=25,
)


@given(ACTIONS)
def test_an_edited_text_is_never_approved(actions: list[tuple[str, str]]) -> None:
    record = ready()
    seen = record.state.updates["update-1"].text_hash
    approved: dict[str, set[str]] = {}
    for number, (what, who) in enumerate(actions):
        situation = record.situation(**PEOPLE)
        update = record.state.updates["update-1"]
        try:
            if what == "revise":
                content = record.content(f"text {number}", ("claim-1",))
                record.add(updates.revise(record.state, "update-1", content, situation), by=who)
            elif what in ("approve", "stale"):
                text_hash = update.text_hash if what == "approve" else seen
                events = updates.approve(record.state, "update-1", text_hash, by=who, situation=situation, findings=())
                approved.setdefault(text_hash, set()).add(who)
                record.add(events, by=who)
            elif what == "refuse":
                record.add(updates.refuse(record.state, "update-1", sealed("no")), by=who)
                approved.pop(update.text_hash, None)
            else:
                record.add(updates.send(record.state, "update-1", sealed("mail"), situation=situation), by=who)
        except HoldfastError:
            continue
        after = record.state.updates["update-1"]
        if updates.is_approved(after, "SEV-2"):
            assert {"cem", "bo"} <= approved.get(after.text_hash, set())
        if after.sent_at is not None:
            assert {"cem", "bo"} <= approved.get(after.text_hash, set())
