from __future__ import annotations

import pytest

from holdfast.communications import claims, matrix, updates
from holdfast.kernel.errors import BadInputError, NotFoundError, RefusedError
from tests.unit.communications.record import ENTRY, EVIDENCE, Record, sealed


def stated(*kinds: str) -> Record:
    record = Record()
    for kind in kinds:
        record.add(claims.state_claim(record.state, kind, sealed(kind)))  # type: ignore[arg-type]
    return record


def test_a_claim_starts_as_a_hypothesis_with_the_next_id() -> None:
    record = stated("impact", "cause")
    assert list(record.state.claims) == ["claim-1", "claim-2"]
    assert {claim.standing for claim in record.state.claims.values()} == {"hypothesis"}


def test_confirming_needs_a_citation() -> None:
    record = stated("impact")
    with pytest.raises(BadInputError, match="claim-1 is not confirmed"):
        claims.confirm(record.state, "claim-1", ())


def test_a_confirmed_claim_is_a_fact_that_says_who_and_citing_what() -> None:
    record = stated("impact")
    record.add(claims.confirm(record.state, "claim-1", [EVIDENCE]), by="ben")
    claim = record.state.claims["claim-1"]
    assert (claim.standing, claim.settled_by, claim.citations) == ("fact", "ben", (EVIDENCE,))


def test_a_fact_is_not_disproved_but_retracted() -> None:
    record = stated("impact")
    record.add(claims.confirm(record.state, "claim-1", [EVIDENCE]))
    with pytest.raises(RefusedError) as refused:
        claims.disprove(record.state, "claim-1", [ENTRY], None)
    assert "retract" in refused.value.next_step


def test_disproving_needs_a_citation_or_a_reason() -> None:
    record = stated("cause")
    with pytest.raises(BadInputError):
        claims.disprove(record.state, "claim-1", [], None)
    record.add(claims.disprove(record.state, "claim-1", [], sealed("the log shows otherwise")))
    assert record.state.claims["claim-1"].standing == "disproved"


def test_only_a_fact_is_retracted() -> None:
    record = stated("impact")
    with pytest.raises(RefusedError):
        claims.retract(record.state, "claim-1", sealed("why"))


def test_an_unknown_claim_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        claims.confirm(Record().state, "claim-9", [EVIDENCE])


def sent_to(record: Record, audience: str, claim_ids: tuple[str, ...]) -> str:
    situation = record.situation("SEV-3", commander="cem")
    record.add(updates.draft(record.state, audience, record.content(f"{audience}{record.seq}", claim_ids), situation))  # type: ignore[arg-type]
    update = list(record.state.updates.values())[-1]
    record.add(
        updates.approve(record.state, update.id, update.text_hash, by="cem", situation=situation, findings=()), by="cem"
    )
    record.add(updates.send(record.state, update.id, sealed("mail"), situation=situation))
    return update.id


def test_a_retraction_owes_a_correction_to_every_audience_that_was_sent_the_fact() -> None:
    record = stated("impact", "cause")
    record.add(claims.confirm(record.state, "claim-1", [EVIDENCE]))
    record.add(claims.confirm(record.state, "claim-2", [EVIDENCE]))
    first = sent_to(record, "customers", ("claim-1",))
    second = sent_to(record, "customers", ("claim-1", "claim-2"))
    sent_to(record, "executives", ("claim-2",))
    third = sent_to(record, "responders", ("claim-1",))
    record.add(claims.retract(record.state, "claim-1", sealed("re-read the log")))
    owed = {one.audience: one.updates for one in record.state.corrections.values()}
    assert owed == {"customers": (first, second), "responders": (third,)}


def test_a_correction_is_settled_only_by_a_later_update_to_that_audience_without_the_claim() -> None:
    record = stated("impact", "cause")
    record.add(claims.confirm(record.state, "claim-1", [EVIDENCE]))
    record.add(claims.confirm(record.state, "claim-2", [EVIDENCE]))
    before = sent_to(record, "customers", ("claim-1",))
    record.add(claims.retract(record.state, "claim-1", sealed("wrong")))
    elsewhere = sent_to(record, "responders", ("claim-2",))
    for update_id in (before, elsewhere, "update-99"):
        with pytest.raises(RefusedError):
            claims.settle_correction(record.state, "correction-1", update_id)
    after = sent_to(record, "customers", ("claim-2",))
    record.add(claims.settle_correction(record.state, "correction-1", after))
    assert record.state.corrections["correction-1"].settled_with == after
    with pytest.raises(RefusedError):
        claims.settle_correction(record.state, "correction-1", after)


def test_the_matrix_ranks_by_fewest_inconsistencies_not_by_most_support() -> None:
    record = stated("cause", "cause", "cause")
    for claim_id, citation, consistency in (
        ("claim-1", EVIDENCE, "consistent"),
        ("claim-1", ENTRY, "inconsistent"),
        ("claim-2", EVIDENCE, "consistent"),
        ("claim-2", ENTRY, "neutral"),
        ("claim-3", EVIDENCE, "consistent"),
        ("claim-3", ENTRY, "neutral"),
    ):
        record.add(claims.mark(record.state, claim_id, citation, consistency))  # type: ignore[arg-type]
    built = matrix.build(record.state)
    assert [(one.claim.id, one.rank) for one in built.ranked] == [("claim-2", 1), ("claim-3", 1), ("claim-1", 3)]
    assert [one.claim.id for one in built.best()] == ["claim-2", "claim-3"]
    assert built.idle == ("ev-1",)


def test_evidence_marked_for_only_some_hypotheses_is_not_called_idle() -> None:
    record = stated("cause", "cause")
    record.add(claims.mark(record.state, "claim-1", EVIDENCE, "consistent"))
    built = matrix.build(record.state)
    assert built.idle == ()
    assert [one.unmarked for one in built.ranked] == [0, 1]


def test_a_second_mark_replaces_the_first() -> None:
    record = stated("cause", "impact")
    record.add(claims.mark(record.state, "claim-1", EVIDENCE, "consistent"))
    record.add(claims.mark(record.state, "claim-1", EVIDENCE, "inconsistent", sealed("on reflection")))
    built = matrix.build(record.state, "cause")
    assert [(one.claim.id, one.inconsistent, one.consistent) for one in built.ranked] == [("claim-1", 1, 0)]
