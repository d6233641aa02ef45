from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.app import outward
from holdfast.communications.rendering import contents_of, fields_of
from holdfast.kernel.errors import BadInputError, ConflictError, RefusedError
from tests.unit.app.recovery_desk import START, Desk

NEXT = START + timedelta(minutes=30)


def informed() -> Desk:
    desk = Desk()
    desk.run("claim-state", text="312 order files were read", kind="impact")
    desk.run("claim-confirm", claim="claim-1", cites=["ev-1"])
    desk.run("claim-state", text="An access key was published by mistake", kind="cause")
    desk.run("claim-confirm", claim="claim-2", cites=["ev-2"])
    desk.run("claim-state", text="The backups may have been copied", kind="impact")
    return desk


def customers(desk: Desk) -> str:
    answer = desk.run(
        "update-draft",
        by="lin",
        audience="customers",
        claims=["claim-1", "claim-2"],
        action="Change your password on the account page.",
        next_update_at=NEXT,
    )
    return str(answer["text_hash"])


def test_without_a_text_the_template_writes_it_from_the_record() -> None:
    desk = informed()
    due = START + timedelta(minutes=20)
    desk.run("task-assign", owner="tess", action="rotate the key", due=due)
    answer = desk.run("update-draft", by="lin", audience="responders", next_update_at=NEXT)
    text = answer["once"]["text"]
    assert fields_of(text) == {
        "Incident": "payments key is public",
        "Severity": "SEV-2",
        "Status": "Investigating",
        "Started": "2026-11-23 03:05 UTC",
        "Commander": "cem",
        "Known impact": "312 order files were read.",
        "Current actions": "tess: rotate the key",
        "Next update": "2026-11-23 09:30 UTC",
    }
    assert "claim-3: The backups may have been copied" in text
    assert not [finding for finding in answer["findings"] if finding["severity"] == "block"]
    assert desk.state.communications.updates["update-1"].claims == ("claim-1", "claim-3")


def test_executives_get_the_same_fields_without_hypotheses() -> None:
    answer = informed().run("update-draft", audience="executives", next_update_at=NEXT)
    assert "backups" not in answer["once"]["text"]


def test_the_customer_text_is_made_of_facts_and_what_to_do() -> None:
    desk = informed()
    customers(desk)
    text = desk.read(desk.state.communications.updates["update-1"].text)
    assert contents_of(text) == {
        "What happened": "An access key was published by mistake",
        "What data or services were affected": "312 order files were read",
        "What you should do": "Change your password on the account page.",
        "Next update": "By 2026-11-23 09:30 UTC.",
    }


def test_a_customer_draft_without_its_contents_says_which_are_missing() -> None:
    with pytest.raises(BadInputError) as refused:
        informed().run("update-draft", audience="customers", claims=["claim-1"], next_update_at=NEXT)
    assert refused.value.details["missing"] == ["What happened", "What you should do"]


def test_a_customer_draft_does_not_rest_on_a_hypothesis() -> None:
    with pytest.raises(RefusedError):
        informed().run("update-draft", audience="customers", text="words", claims=["claim-3"], next_update_at=NEXT)


def test_a_customer_text_goes_out_after_both_approvals_of_exactly_that_text() -> None:
    desk = informed()
    text_hash = customers(desk)
    assert desk.run("update-approve", by="cem", update="update-1", text_hash=text_hash[:8])["missing"] == [
        ["business_owner"]
    ]
    with pytest.raises(RefusedError):
        desk.run("update-send", by="lin", update="update-1", where="status page")
    assert desk.run("update-approve", by="bo", update="update-1", text_hash=text_hash)["approved"] is True
    desk.run("update-send", by="lin", update="update-1", where="status page")
    (promise,) = desk.state.communications.promises
    assert (promise.audience, promise.due_at) == ("customers", NEXT)


def test_a_revision_voids_the_approval_and_the_old_hash() -> None:
    desk = informed()
    text_hash = customers(desk)
    desk.run("update-approve", by="cem", update="update-1", text_hash=text_hash)
    text = desk.read(desk.state.communications.updates["update-1"].text)
    desk.run("update-revise", by="lin", update="update-1", text=text)
    assert desk.state.communications.updates["update-1"].approvals == ()
    with pytest.raises(ConflictError):
        desk.run("update-approve", by="cem", update="update-1", text_hash=text_hash)


def test_a_withheld_name_blocks_approval() -> None:
    desk = informed()
    text_hash = customers(desk)
    desk.run("name-withhold", by="eve", name="account page")
    with pytest.raises(RefusedError) as refused:
        desk.run("update-approve", by="cem", update="update-1", text_hash=text_hash)
    assert refused.value.code == "update-wording-blocked"


def test_a_hypothesis_written_into_a_customer_text_blocks_approval() -> None:
    desk = informed()
    customers(desk)
    text = desk.read(desk.state.communications.updates["update-1"].text)
    words = text.replace("order files were read", "order files were read. The backups may have been copied")
    answer = desk.run("update-revise", by="lin", update="update-1", text=words)
    assert "unconfirmed" in {finding["rule"] for finding in answer["findings"]}
    with pytest.raises(RefusedError):
        desk.run("update-approve", by="cem", update="update-1", text_hash=answer["text_hash"])


def test_a_retraction_owes_corrections_that_a_later_update_settles_and_may_name_the_mistake() -> None:
    desk = informed()
    text_hash = customers(desk)
    desk.run("update-approve", by="cem", update="update-1", text_hash=text_hash)
    desk.run("update-approve", by="bo", update="update-1", text_hash=text_hash)
    desk.run("update-send", by="lin", update="update-1", where="status page")
    answer = desk.run("claim-retract", by="eve", claim="claim-1", reason="the log was read twice")
    assert answer["corrections"] == ["correction-1"]
    again = desk.run(
        "update-draft",
        by="lin",
        audience="customers",
        claims=["claim-2"],
        happened="We said that 312 order files were read. That was wrong.",
        affected="We do not know yet.",
        action="Nothing for now.",
        next_update_at=NEXT,
    )
    assert not [finding for finding in again["findings"] if finding["severity"] == "block"]
    for who in ("cem", "bo"):
        desk.run("update-approve", by=who, update="update-2", text_hash=again["text_hash"])
    desk.run("update-send", by="lin", update="update-2", where="status page")
    desk.run("correction-settle", by="lin", correction="correction-1", update="update-2")
    assert desk.state.communications.corrections["correction-1"].settled_with == "update-2"


def test_one_person_with_both_roles_owes_a_countersignature() -> None:
    desk = Desk(roles={"business_owner": "cem"})
    desk.run("claim-state", text="312 order files were read", kind="impact")
    desk.run("claim-confirm", claim="claim-1", cites=["ev-1"])
    answer = desk.run("update-draft", by="lin", audience="executives", next_update_at=NEXT)
    desk.run("update-approve", by="cem", update="update-1", text_hash=answer["text_hash"])
    assert [owed.what for owed in desk.state.incidents.owed] == ["update.approved"]


def test_the_last_update_promises_nothing_once_recovery_is_verified() -> None:
    desk = informed()
    with pytest.raises(RefusedError):
        desk.run("update-draft", audience="responders")
    desk.supply()
    desk.prove("X2", "X3", "X4")
    desk.recover()
    text = desk.run("update-draft", audience="responders")["once"]["text"]
    assert fields_of(text)["Next update"] == "None: this is the last update"
    assert outward.situation(desk.state, desk.now).cadence_over


def test_marking_evidence_ranks_hypotheses_and_refusing_needs_a_revision() -> None:
    desk = informed()
    desk.run("claim-mark", claim="claim-3", cite="ev-1", consistency="inconsistent", note="bucket not touched")
    assert desk.state.communications.marks["claim-3", "ev-1"].consistency == "inconsistent"
    customers(desk)
    desk.run("update-refuse", by="bo", update="update-1", reason="too early")
    assert desk.state.communications.updates["update-1"].standing == "refused"
