from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.incidents import command, judging, lifecycle
from holdfast.incidents.severity import Circumstances, Level
from holdfast.kernel.errors import ForbiddenError, RefusedError

from .folding import START, Folded, assessed, declared, words


def lowering_proposed(level: Level = "SEV-3") -> Folded:
    story = declared()
    story.tell("asmith", judging.propose_lower(story.state, level, words("why"), "asmith"))
    return story


def test_a_later_assessment_stands_as_a_proposal_and_changes_nothing() -> None:
    story = declared()
    told = story.tell("bjones", judging.answer(story.state, {}, Circumstances(), assessed("SEV-1"), story.now))
    assert told == ["severity.answered"]
    assert (story.state.level, story.state.severity.proposed) == ("SEV-2", "SEV-1")


def test_open_decisive_questions_are_due_in_fifteen_minutes() -> None:
    severity = declared(open_questions=("data_left",)).state.severity
    assert severity.provisional
    assert severity.assessed is not None
    assert severity.assessed.open_due_at == START + timedelta(minutes=15)


def test_answers_rule_and_author_are_kept() -> None:
    story = declared()
    story.tell("bjones", judging.answer(story.state, {"ci_token": "confirmed"}, Circumstances(), assessed(), story.now))
    found = story.state.severity.assessed
    assert found is not None
    assert (found.answers, found.rule, found.by) == ({"ci_token": "confirmed"}, "production_secret", "bjones")
    assert found.reason == "SEV-2: because"


def test_anybody_raises_the_severity_with_a_reason_and_the_peak_follows() -> None:
    story = declared()
    story.tell("bjones", judging.raise_to(story.state, "SEV-1", words("worse")))
    assert (story.state.level, story.state.peak) == ("SEV-1", "SEV-1")
    assert [change.level for change in story.state.severity.changes] == ["SEV-2", "SEV-1"]


@pytest.mark.parametrize("level", ["SEV-2", "SEV-3", "SEV-4"])
def test_raising_to_the_same_or_a_lower_level_is_refused(level: Level) -> None:
    with pytest.raises(RefusedError, match="not worse"):
        judging.raise_to(declared().state, level, words("why"))


def test_proposing_a_lower_severity_changes_nothing_yet() -> None:
    story = lowering_proposed()
    assert story.state.level == "SEV-2"
    assert story.state.severity.lowering is not None


def test_a_second_person_confirms_and_the_peak_stays() -> None:
    story = lowering_proposed()
    story.tell("bjones", judging.confirm_lower(story.state, "bjones"))
    assert (story.state.level, story.state.peak, story.state.severity.lowering) == ("SEV-3", "SEV-2", None)
    assert story.data("severity.lowered")["proposed_by"] == "asmith"


def test_the_proposer_cannot_confirm_even_when_alone_in_every_role() -> None:
    story = lowering_proposed()
    with pytest.raises(ForbiddenError, match="whatever roles"):
        judging.confirm_lower(story.state, "asmith")


def test_only_the_commander_proposes_a_lower_severity() -> None:
    with pytest.raises(ForbiddenError, match="asmith"):
        judging.propose_lower(declared().state, "SEV-3", words("why"), "bjones")


def test_nobody_proposes_a_lower_severity_while_command_is_vacant() -> None:
    story = declared()
    story.tell("asmith", command.vacate(story.state, "asmith", words("ill")))
    with pytest.raises(ForbiddenError, match="nobody"):
        judging.propose_lower(story.state, "SEV-3", words("why"), "asmith")


def test_a_higher_level_is_not_proposed_as_lower() -> None:
    with pytest.raises(RefusedError, match="not lower"):
        judging.propose_lower(declared().state, "SEV-1", words("why"), "asmith")


def test_one_proposal_waits_at_a_time() -> None:
    with pytest.raises(RefusedError, match="second person"):
        judging.propose_lower(lowering_proposed().state, "SEV-4", words("why"), "asmith")


def test_a_raise_voids_the_waiting_proposal() -> None:
    story = lowering_proposed()
    story.tell("cdiaz", judging.raise_to(story.state, "SEV-1", words("worse")))
    with pytest.raises(RefusedError, match="fell away"):
        judging.confirm_lower(story.state, "bjones")


def test_a_change_of_commander_voids_the_waiting_proposal() -> None:
    story = lowering_proposed()
    story.tell("bjones", command.take(story.state, "bjones", qualified=True))
    assert story.state.severity.lowering is None


def test_saying_i_command_keeps_the_acting_commanders_proposal() -> None:
    story = lowering_proposed()
    story.tell("asmith", command.take(story.state, "asmith", qualified=True))
    assert story.state.severity.lowering is not None


def test_a_refused_proposal_is_gone() -> None:
    story = lowering_proposed()
    story.tell("bjones", judging.refuse_lower(story.state, words("no")))
    assert story.state.severity.lowering is None
    with pytest.raises(RefusedError, match="No lower severity"):
        judging.refuse_lower(story.state, words("no"))


def test_a_closed_incident_keeps_its_severity() -> None:
    story = declared()
    for status in ("contained", "recovering"):
        story.tell("asmith", lifecycle.set_status(story.state, status, words("shown")))
    story.tell("asmith", lifecycle.close(story.state, (), None, acting_alone=False))
    with pytest.raises(RefusedError, match="closed"):
        judging.raise_to(story.state, "SEV-1", words("why"))


def test_containment_is_read_from_the_status() -> None:
    story = declared()
    assert not judging.is_contained(story.state)
    story.tell("asmith", lifecycle.set_status(story.state, "contained", words("shown")))
    assert judging.is_contained(story.state)
