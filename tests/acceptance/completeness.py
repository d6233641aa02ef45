"""Nothing of the runbook is left out: the shipped data against a table by hand, and the record against both."""

from __future__ import annotations

from tests.acceptance.driver import By
from tests.acceptance.expected import CLASSIFIED, COUNTS, ORDER
from tests.acceptance.shipped import BOARD, CASES, GATES, PLAYS, PROMPTS, QUESTIONS, ROLES

STEPS = {step.id: step for steps in PLAYS.values() for step in steps.values()}


class Completeness:
    """Runs last: what the record of this surface's whole run says."""

    def test_the_shipped_library_holds_every_id_and_part_in_order(self) -> None:
        assert tuple(BOARD) == ORDER["F"]
        assert tuple(QUESTIONS) == ORDER["I"]
        assert tuple(tuple(steps) for steps in PLAYS.values()) == (ORDER["LS"], ORDER["CT"], ORDER["CA"])
        assert tuple(GATES) == ORDER["X"]
        assert tuple(PROMPTS) == ORDER["V"]
        assert tuple(ROLES) == ("R1", "R2", "R3", "R4", "R5")
        for item in (*BOARD.values(), *QUESTIONS.values(), *STEPS.values()):
            assert max(len(item.parts), 1) == COUNTS[item.id], item.id
        assert [(one["level"], one["runbook"]) for one in CASES] == [
            (level, level.replace("SEV-", "S")) for _, level in CLASSIFIED.values()
        ]

    def test_every_id_and_part_was_performed_as_the_record_says(self, by: By) -> None:
        short = {
            item: sorted(by.ledger.parts(item))
            for item, count in COUNTS.items()
            if item not in by.ledger.done or len(by.ledger.parts(item)) < count
        }
        assert not short, f"{by.name} did not perform all of: {short}"
        for answer, level in CLASSIFIED.values():
            assert answer.partition("=")[0] in by.ledger.parts(level.replace("SEV-", "S")), answer
        known = {**BOARD, **QUESTIONS, **STEPS}
        for item in known.values():
            missing = set(item.parts) - by.ledger.parts(item.id)
            assert not missing, f"{by.name} did not perform {item.id}: {missing}"

    def test_parts_were_left_undone_with_their_reason_as_well_as_done(self, by: By) -> None:
        for line_or_question in ("F5", "I1", "I2", "I4", "I5"):
            seen = {
                standing
                for (item, _), standings in by.ledger.standings.items()
                if item == line_or_question
                for standing in standings
            }
            assert {"done", "unknown", "unreachable", "not_applicable"} <= seen, line_or_question
