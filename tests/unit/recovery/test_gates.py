from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import BadInputError, ForbiddenError, HoldfastError, RefusedError
from holdfast.recovery import duties, gates, proofs, review
from holdfast.recovery.catalogue import gate_definition, gate_definitions, prompts, revalidation_parts
from holdfast.recovery.duties import Choice
from tests.unit.recovery.record import EVIDENCE, GATES, START, Record, sealed


def test_the_eight_gates_and_six_prompts_are_there_in_order() -> None:
    assert tuple(gate.id for gate in gate_definitions()) == GATES
    assert [prompt.id for prompt in prompts()] == ["V1", "V2", "V3", "V4", "V5", "V6"]
    assert [part.key for part in revalidation_parts()] == ["artifacts", "images", "deployments"]
    with pytest.raises(BadInputError):
        gate_definition("X9")


@pytest.mark.parametrize("gate", GATES)
def test_a_fresh_gate_is_open_and_says_what_is_missing_who_supplies_it_and_what_to_type(gate: str) -> None:
    view = Record().view(gate)
    assert view.standing == "open"
    assert view.missing
    assert view.who
    assert view.next_command.startswith("holdfast ")


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_is_not_proven_before_its_needs_are_met(gate: str) -> None:
    with pytest.raises(RefusedError) as refused:
        gates.prove(Record().state, gate, sealed(), [EVIDENCE])
    assert refused.value.details["missing"]


@pytest.mark.parametrize("gate", GATES)
def test_a_supplied_gate_still_needs_a_name_under_it(gate: str) -> None:
    record = Record()
    record.supply(gate)
    assert record.view(gate).missing == ("Nothing else is missing: prove the gate, citing what shows it.",)
    with pytest.raises(BadInputError):
        gates.prove(record.state, gate, sealed(), [])
    record.add(gates.prove(record.state, gate, sealed(), [EVIDENCE]), by="tl")
    view = record.view(gate)
    assert (view.standing, view.missing) == ("proven", ())
    assert view.mark is not None
    assert view.mark.statement.by == "tl"


def test_a_path_that_is_closed_is_not_yet_verified() -> None:
    record = Record()
    with pytest.raises(RefusedError):
        proofs.verify_path(record.state, sealed(), [EVIDENCE])
    record.add(proofs.close_path(sealed(), [EVIDENCE]))
    view = record.view("X2")
    assert view.missing == ("Nobody has verified that the attack path is closed.",)
    assert "path verify" in view.next_command


def test_closing_the_path_again_voids_its_verification() -> None:
    record = Record()
    record.prove("X2")
    record.add(proofs.close_path(sealed("again"), [EVIDENCE]))
    assert record.view("X2").standing == "open"


def test_a_credential_listed_later_opens_the_proven_gate_again() -> None:
    record = Record()
    record.prove("X3")
    record.add(proofs.list_credential(record.state, sealed("another")))
    view = record.view("X3")
    assert view.standing == "open"
    assert view.missing == ("credential-2 is neither rotated, revoked nor recorded as not needed.",)
    with pytest.raises(BadInputError):
        proofs.settle_credential(record.state, "credential-2", "revoked", [], sealed())
    with pytest.raises(BadInputError):
        proofs.settle_credential(record.state, "credential-2", "not_needed", [EVIDENCE], None)
    record.add(proofs.settle_credential(record.state, "credential-2", "not_needed", [], sealed("stale")))
    assert record.view("X3").standing == "proven"


def test_no_affected_credential_is_a_statement_with_citations() -> None:
    record = Record()
    with pytest.raises(BadInputError):
        proofs.no_credentials(record.state, sealed(), [])
    record.add(proofs.no_credentials(record.state, sealed(), [EVIDENCE]))
    assert gates.requirements(record.state, "X3") == ()
    record.add(proofs.list_credential(record.state, sealed()))
    assert gates.requirements(record.state, "X3") != ()
    with pytest.raises(RefusedError):
        proofs.no_credentials(record.state, sealed(), [EVIDENCE])


@pytest.mark.parametrize(("standing", "open_"), [("unknown", True), ("unreachable", True), ("not_applicable", False)])
def test_an_unknown_part_leaves_revalidation_open(standing: str, open_: bool) -> None:
    record = Record()
    record.supply("X4")
    record.add(proofs.revalidate("images", standing, [], sealed()))  # type: ignore[arg-type]
    assert bool(gates.requirements(record.state, "X4")) is open_


def test_an_undecided_escalation_and_a_yes_without_receipt_block() -> None:
    record = Record()
    record.supply("X6")
    due = record.now + timedelta(hours=72)
    record.add(duties.decide_escalation(record.state, "regulatory", Choice("yes", sealed("authority"), due)))
    assert record.view("X6").missing == ("notification-1 (regulatory) has no receipt.",)
    record.later(hours=80)
    given = record.now - timedelta(hours=1)
    record.add(duties.receipt(record.state, "notification-1", sealed("no. 7"), [], given_at=given, now=record.now))
    assert gates.requirements(record.state, "X6") == ()
    assert record.state.escalations["regulatory"].notifications[0].late
    with pytest.raises(RefusedError):
        duties.decide_escalation(record.state, "regulatory", Choice("undecided"))


def test_only_the_business_owner_waives() -> None:
    with pytest.raises(ForbiddenError):
        gates.waive("X5", sealed(), is_business_owner=False, acting_alone=False)
    record = Record()
    record.add(gates.waive("X5", sealed(), is_business_owner=True, acting_alone=True), by="bo")
    view = record.view("X5")
    assert (view.standing, view.passes) == ("waived", True)
    assert view.mark is not None
    assert view.mark.acting_alone


@pytest.mark.parametrize("gate", ["X1", "X2", "X8"])
def test_a_reopened_gate_is_open_and_needs_its_proof_anew(gate: str) -> None:
    record = Record()
    with pytest.raises(RefusedError):
        gates.reopen(record.state, gate, sealed())
    record.prove(gate)
    record.add(gates.reopen(record.state, gate, sealed()))
    assert record.view(gate).standing == "open"
    if gate == "X2":
        assert record.state.path_verified is None
    if gate == "X8":
        assert record.state.review.completed_at is None
        record.add(review.complete(record.state, None, now=record.now))


@pytest.mark.parametrize(("peak", "standing"), [("SEV-1", "open"), ("SEV-2", "open"), (None, "open")])
def test_the_review_is_required_at_high_peaks(peak: str | None, standing: str) -> None:
    assert Record().view("X8", peak).standing == standing


@pytest.mark.parametrize("peak", ["SEV-3", "SEV-4"])
def test_the_review_is_not_required_below(peak: str) -> None:
    view = Record().view("X8", peak)
    assert (view.standing, view.passes, view.missing) == ("not_required", True, ())


def test_an_overdue_review_shows_as_late_and_a_late_one_still_passes() -> None:
    record = Record()
    due = START + timedelta(days=7)
    assert not gates.gates(record.state, peak="SEV-1", review_due=due, now=START)[-1].late
    assert gates.gates(record.state, peak="SEV-1", review_due=due, now=due + timedelta(seconds=1))[-1].late
    record.add(review.start(record.state, due))
    for prompt in prompts():
        record.add(review.answer(record.state, prompt.id, sealed()))
    record.later(days=8)
    record.add(review.complete(record.state, due, now=record.now))
    record.add(gates.prove(record.state, "X8", sealed(), [EVIDENCE]))
    view = record.view("X8")
    assert (view.standing, view.late) == ("proven", True)


STEPS = st.lists(
    st.tuples(st.sampled_from(["supply", "prove", "waive", "reopen"]), st.sampled_from(GATES)), max_size=30
)


@given(STEPS)
def test_gates_never_all_pass_while_one_is_missing(steps: list[tuple[str, str]]) -> None:
    record = Record()
    waived: set[str] = set()
    proven: set[str] = set()
    for what, gate in steps:
        try:
            if what == "supply":
                record.supply(gate)
            elif what == "prove":
                record.add(gates.prove(record.state, gate, sealed(), [EVIDENCE]))
                proven.add(gate)
                waived.discard(gate)
            elif what == "waive":
                record.add(gates.waive(gate, sealed(), is_business_owner=True, acting_alone=False))
                waived.add(gate)
                proven.discard(gate)
            else:
                record.add(gates.reopen(record.state, gate, sealed()))
                waived.discard(gate)
                proven.discard(gate)
        except HoldfastError:
            continue
    views = gates.gates(record.state, peak="SEV-1")
    for view in views:
        missing = bool(gates.requirements(record.state, view.id))
        assert view.passes == (view.id in waived or (view.id in proven and not missing))
        assert view.passes != bool(view.missing)
    if all(view.passes for view in views):
        assert {view.id for view in views} == waived | proven
