from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.app.authorisation import table
from holdfast.app.closure import closing_blockers, command_for, gate_views, recovery_blockers
from holdfast.app.commanding import REGISTRY
from holdfast.app.measures import measures_of, moments, review_drafts
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError
from tests.unit.app.recovery_desk import START, Desk

MINE = tuple(f"holdfast.app.commands.{name}" for name in ("claims", "communications", "recovery", "review"))


def test_every_use_case_has_an_act_and_a_facet_and_positionals_its_command_can_name() -> None:
    cases = [case for case in REGISTRY.values() if case.module in MINE]
    assert len(cases) == 38
    for case in cases:
        assert case.act in table().acts, case.path
        assert set(case.positional) <= set(case.command.model_fields), case.path
        if case.facet is not None:
            case.facet.format(**dict.fromkeys(case.command.model_fields, "x"))


def test_escalations_and_waivers_are_for_the_business_owner_alone() -> None:
    for act in ("closure.waive", "escalation.decide"):
        assert table().acts[act].incident == {"business_owner"}


def test_a_fresh_incident_is_blocked_by_every_gate_and_by_recovery() -> None:
    desk = Desk()
    blockers = closing_blockers(desk.state)
    assert blockers[0].startswith("Recovery is not verified")
    assert [blocker.split()[0] for blocker in blockers[1:]] == [f"X{number}" for number in range(1, 9)]
    assert [blocker.split()[0] for blocker in recovery_blockers(desk.state)] == ["X2", "X3", "X4"]


def test_a_blocker_says_what_is_missing_who_supplies_it_and_what_to_type() -> None:
    desk = Desk()
    (blocker,) = [one for one in closing_blockers(desk.state) if one.startswith("X6")]
    assert "The customer escalation is undecided." in blocker
    assert "business owner (bo)" in blocker
    assert "holdfast escalation decide INC-2026-0042 customer" in blocker


def test_the_command_of_every_gate_names_the_incident() -> None:
    for view in gate_views(Desk().state):
        command = command_for(view, "INC-2026-0042")
        assert "INC-2026-0042" in command
        assert "INC " not in f"{command} "


def test_recovery_is_verified_when_x2_to_x4_are_proven_and_that_ends_the_promises() -> None:
    desk = Desk()
    desk.supply()
    with pytest.raises(RefusedError):
        desk.recover()
    desk.prove("X2", "X3", "X4")
    assert recovery_blockers(desk.state) == []
    desk.run("recovery-verify")
    assert desk.state.incidents.lifecycle.recovery_verified_at == START


def test_a_sev_2_closes_only_after_its_review() -> None:
    desk = Desk("SEV-2")
    desk.supply()
    desk.prove("X1", "X2", "X3", "X4", "X5", "X6", "X7")
    desk.recover()
    (blocker,) = closing_blockers(desk.state)
    assert blocker.startswith("X8")
    with pytest.raises(RefusedError):
        desk.run("close")
    desk.review()
    desk.prove("X8")
    assert closing_blockers(desk.state) == []
    desk.run("close")
    assert desk.state.incidents.status == "closed"


def test_a_sev_3_closes_without_a_review() -> None:
    desk = Desk("SEV-3")
    desk.supply()
    desk.prove("X1", "X2", "X3", "X4", "X5", "X6", "X7")
    desk.recover()
    assert closing_blockers(desk.state) == []


def test_the_review_is_late_after_five_business_days_and_still_closes() -> None:
    desk = Desk("SEV-1")
    desk.supply()
    desk.prove("X1", "X2", "X3", "X4", "X5", "X6", "X7")
    desk.recover()
    desk.later(days=8)
    desk.review()
    assert desk.state.recovery.review.late
    assert desk.state.recovery.review.due_at is not None
    assert timedelta(days=7) <= desk.state.recovery.review.due_at - START < timedelta(days=8)
    desk.prove("X8")
    assert closing_blockers(desk.state) == []


def test_a_review_within_five_business_days_is_not_late() -> None:
    desk = Desk("SEV-1")
    desk.supply()
    desk.prove("X2", "X3", "X4")
    desk.recover()
    desk.later(days=4)
    desk.review()
    assert not desk.state.recovery.review.late


def test_a_waiver_lets_a_gate_pass_and_one_person_in_two_roles_owes_a_countersignature() -> None:
    desk = Desk(roles={"business_owner": "cem"})
    desk.run("closure-waive", gate="X5", reason="no indicator can be watched")
    assert [view.standing for view in gate_views(desk.state) if view.id == "X5"] == ["waived"]
    assert [owed.what for owed in desk.state.incidents.owed] == ["gate.waived"]
    other = Desk()
    other.run("closure-waive", by="bo", gate="X5", reason="accepted")
    assert other.state.incidents.owed == ()
    with pytest.raises(ForbiddenError):
        other.run("closure-waive", by="cem", gate="X6", reason="accepted")


def test_something_new_that_is_missing_blocks_the_closing_again() -> None:
    desk = Desk("SEV-3")
    desk.supply()
    desk.prove("X1", "X2", "X3", "X4", "X5", "X6", "X7")
    desk.recover()
    desk.run("credential-list", name="one more key")
    (blocker,) = closing_blockers(desk.state)
    assert "credential-2" in blocker


def test_a_date_that_is_no_day_is_bad_input() -> None:
    with pytest.raises(BadInputError):
        Desk().run("action-assign", text="x", owner="tess", due="2026-02-30")


def test_every_moment_says_who_asserted_it_and_on_what_basis() -> None:
    desk = Desk()
    desk.run("moment-assert", by="eve", moment="first_malicious_act", at=START - timedelta(hours=6))
    desk.later(minutes=3)
    desk.supply()
    desk.prove("X2", "X3", "X4")
    desk.recover()
    found = moments(desk.state)
    assert set(found) == {
        "first_malicious_act",
        "detected",
        "declared",
        "acknowledged",
        "commander_assumed",
        "severity_set",
        "contained",
        "path_verified",
        "recovered",
    }
    assert (found["first_malicious_act"].asserted_by, found["first_malicious_act"].basis) == ("eve", "estimated")
    assert found["path_verified"].basis == "evidenced"
    spans = {(span.start, span.end): span.seconds for span in measures_of(desk.state).spans}
    assert spans["declared", "contained"] == 180
    assert spans["declared", "closed"] is None
    (notice,) = measures_of(desk.state).notices
    assert (notice.what, notice.on_time) == ("notification-1", True)


def test_what_somebody_asserts_as_contained_goes_before_the_change_of_status() -> None:
    desk = Desk()
    desk.later(minutes=30)
    desk.run("status-set", status="contained", reason="key off")
    desk.run("moment-assert", moment="contained", at=START + timedelta(minutes=12), how="evidenced", cites=["ev-1"])
    assert moments(desk.state)["contained"].at == START + timedelta(minutes=12)


def test_review_drafts_quote_the_record_and_cite_it() -> None:
    desk = Desk()
    desk.run("claim-state", text="The key was unused", kind="cause")
    desk.run("claim-disprove", claim="claim-1", cites=["ev-2"])
    desk.run("board-settle", line="F5", part="ci_logs", standing="unreachable", reason="data events were off")
    desk.run("default-propose", text="Turn data events on", owner="tess")
    drafts = review_drafts(desk.state, desk.read)
    assert [sentence.text for sentence in drafts["V4"]] == [
        "claim-1 was believed and turned out wrong: The key was unused."
    ]
    assert drafts["V4"][0].citations[1] == "ev-2"
    assert "data events were off" in drafts["V5"][0].text
    assert drafts["V6"][0].text == "default-1 is proposed: Turn data events on."
    assert all(sentence.citations for found in drafts.values() for sentence in found)
    assert drafts["V1"][0].text == "Detected: 2026-11-23T03:05:00.000Z, observed, asserted by cem."
