from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.incidents import command, judging, roles
from holdfast.kernel.errors import ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent

from .folding import START, Folded, declared, words

TIMEOUT = timedelta(minutes=5)


def commanded(level: str = "SEV-2") -> Folded:
    story = declared(level=level)  # type: ignore[arg-type]  # a level
    story.later(minutes=1)
    story.tell("asmith", command.take(story.state, "asmith", qualified=True))
    return story


def challenged() -> Folded:
    story = commanded()
    story.tell("bjones", command.challenge(story.state, "bjones", None, now=story.now, timeout=TIMEOUT))
    return story


def proposed(to: str = "bjones") -> Folded:
    story = commanded()
    events = command.propose_handover(story.state, "asmith", to, words("brief"), None, qualified=True)
    story.tell("asmith", events)
    return story


def told(story: Folded) -> list[tuple[str, str]]:
    return [(notice.to, notice.what) for notice in story.state.notices]


def test_i_command_stops_the_clock_and_ends_acting() -> None:
    state = commanded().state
    assert (state.commander, state.command.acting) == ("asmith", False)
    assert (state.command.acting_since, state.command.assumed_at) == (START, START + timedelta(minutes=1))


def test_the_clock_keeps_its_first_stop() -> None:
    story = proposed()
    story.later(hours=4)
    story.tell("bjones", command.accept_handover(story.state, "bjones", qualified=True))
    assert story.state.command.assumed_at == START + timedelta(minutes=1)


def test_a_qualified_person_takes_over_from_the_acting_commander_who_is_told() -> None:
    story = declared("asmith")
    story.tell("bjones", command.take(story.state, "bjones", qualified=True))
    assert story.state.commander == "bjones"
    assert told(story) == [("asmith", "acting_ended")]


def test_somebody_not_qualified_cannot_command() -> None:
    with pytest.raises(ForbiddenError, match="not qualified"):
        command.take(declared().state, "asmith", qualified=False)


def test_a_second_commander_is_refused() -> None:
    with pytest.raises(RefusedError, match="at most one"):
        command.take(commanded().state, "bjones", qualified=True)


def test_vacant_is_a_recorded_state_and_is_claimed() -> None:
    story = commanded()
    story.tell("asmith", command.vacate(story.state, "asmith", words("ill")))
    assert (story.state.commander, story.state.command.vacant_since) == (None, story.now)
    assert story.tell("bjones", command.take(story.state, "bjones", qualified=True)) == ["command.claimed"]
    assert (story.state.commander, story.state.command.vacant_since) == ("bjones", None)


def test_only_the_commander_vacates() -> None:
    with pytest.raises(ForbiddenError, match="asmith"):
        command.vacate(commanded().state, "bjones", words("why"))


def test_a_challenge_tells_the_commander_and_has_a_time_out() -> None:
    story = challenged()
    assert told(story) == [("asmith", "challenged")]
    assert story.data("commander.challenged")["answer_by"] == "2026-11-23T03:13:00.000Z"


def test_nobody_is_relieved_before_the_time_out() -> None:
    story = challenged()
    story.later(minutes=4, seconds=59)
    with pytest.raises(RefusedError, match="may be answered until"):
        command.relieve(story.state, "bjones", words("silent"), qualified=True, now=story.now)


def test_a_qualified_person_relieves_after_the_time_out_and_the_relieved_is_told() -> None:
    story = challenged()
    story.later(minutes=5)
    events = command.relieve(story.state, "cdiaz", words("silent"), qualified=True, now=story.now)
    story.tell("cdiaz", events)
    assert story.state.commander == "cdiaz"
    assert story.state.command.challenge is None
    assert told(story)[-1] == ("asmith", "relieved")


def test_relief_needs_a_challenge_and_a_qualified_person() -> None:
    story = commanded()
    with pytest.raises(RefusedError, match="not been challenged"):
        command.relieve(story.state, "bjones", words("silent"), qualified=True, now=story.now)
    story = challenged()
    story.later(minutes=6)
    with pytest.raises(ForbiddenError, match="not qualified"):
        command.relieve(story.state, "bjones", words("silent"), qualified=False, now=story.now)
    with pytest.raises(ForbiddenError, match="yourself"):
        command.relieve(story.state, "asmith", words("silent"), qualified=True, now=story.now)


def test_an_answer_ends_the_challenge() -> None:
    story = challenged()
    story.tell("asmith", command.answer_challenge(story.state, "asmith"))
    story.later(minutes=10)
    with pytest.raises(RefusedError, match="answered since"):
        command.relieve(story.state, "bjones", words("silent"), qualified=True, now=story.now)


def test_anything_the_challenged_commander_does_answers() -> None:
    story = challenged()
    story.tell("asmith", judging.raise_to(story.state, "SEV-1", words("busy")))
    assert story.state.command.challenge is None


def test_what_others_or_the_commanders_automation_do_does_not_answer() -> None:
    story = challenged()
    story.tell("bjones", [NewEvent("message.posted.elsewhere", {})])
    story.tell("asmith", [NewEvent("message.posted.elsewhere", {})], kind="service")
    assert story.state.command.challenge is not None


def test_one_does_not_challenge_oneself_twice_or_nobody() -> None:
    story = challenged()
    with pytest.raises(RefusedError, match="has until"):
        command.challenge(story.state, "cdiaz", None, now=story.now, timeout=TIMEOUT)
    with pytest.raises(RefusedError, match="yourself"):
        command.challenge(commanded().state, "asmith", None, now=story.now, timeout=TIMEOUT)
    story.tell("asmith", command.vacate(story.state, "asmith", words("gone")))
    with pytest.raises(RefusedError, match="Nobody commands"):
        command.challenge(story.state, "bjones", None, now=story.now, timeout=TIMEOUT)


def test_a_proposed_handover_moves_nothing() -> None:
    story = proposed()
    assert story.state.commander == "asmith"
    assert told(story) == [("bjones", "asked_to_command")]


def test_acceptance_moves_command_in_one_event() -> None:
    story = proposed()
    assert story.tell("bjones", command.accept_handover(story.state, "bjones", qualified=True)) == ["handover.accepted"]
    assert (story.state.commander, story.state.command.handover) == ("bjones", None)


def test_only_the_one_asked_accepts_or_declines() -> None:
    story = proposed()
    with pytest.raises(ForbiddenError, match="bjones was asked"):
        command.accept_handover(story.state, "cdiaz", qualified=True)
    with pytest.raises(ForbiddenError, match="bjones was asked"):
        command.decline_handover(story.state, "cdiaz", words("no"))


def test_a_declined_handover_leaves_command_and_tells_its_author() -> None:
    story = proposed()
    story.tell("bjones", command.decline_handover(story.state, "bjones", words("tired")))
    assert (story.state.commander, story.state.command.handover) == ("asmith", None)
    assert told(story)[-1] == ("asmith", "handover_declined")


def test_a_withdrawn_handover_cannot_be_accepted() -> None:
    story = proposed()
    with pytest.raises(ForbiddenError, match="proposed it"):
        command.withdraw_handover(story.state, "bjones")
    story.tell("asmith", command.withdraw_handover(story.state, "asmith"))
    with pytest.raises(RefusedError, match="No handover"):
        command.accept_handover(story.state, "bjones", qualified=True)


def test_only_the_commander_proposes_a_handover_but_anybody_when_vacant() -> None:
    story = commanded()
    with pytest.raises(ForbiddenError, match="for the commander"):
        command.propose_handover(story.state, "cdiaz", "bjones", words("brief"), None, qualified=True)
    story.tell("asmith", command.vacate(story.state, "asmith", words("ill")))
    events = command.propose_handover(story.state, "cdiaz", "bjones", words("brief"), None, qualified=True)
    story.tell("cdiaz", events)
    story.tell("bjones", command.accept_handover(story.state, "bjones", qualified=True))
    assert story.state.commander == "bjones"


def test_a_handover_goes_to_a_qualified_other_person_once() -> None:
    story = proposed()
    with pytest.raises(RefusedError, match="has been asked"):
        command.propose_handover(story.state, "asmith", "cdiaz", words("brief"), None, qualified=True)
    with pytest.raises(RefusedError, match="commands already"):
        command.propose_handover(commanded().state, "asmith", "asmith", words("brief"), None, qualified=True)
    with pytest.raises(ForbiddenError, match="not qualified"):
        command.propose_handover(commanded().state, "asmith", "cdiaz", words("brief"), None, qualified=False)


def test_a_handover_dies_with_the_command_that_proposed_it() -> None:
    story = proposed()
    story.tell("asmith", command.vacate(story.state, "asmith", words("ill")))
    assert story.state.command.handover is None


def with_lead(level: str, lead: str) -> Folded:
    story = commanded(level)
    story.tell("asmith", roles.assign(story.state, "technical_lead", lead, by="asmith", qualified=False))
    return story


def test_in_a_sev_1_the_commander_is_technical_lead_only_by_override() -> None:
    story = commanded("SEV-1")
    with pytest.raises(RefusedError, match="does not fix"):
        roles.assign(story.state, "technical_lead", "asmith", by="asmith", qualified=False)
    events = roles.assign(
        story.state, "technical_lead", "asmith", by="asmith", qualified=False, dual_hat_reason=words("alone")
    )
    story.tell("asmith", events)
    assert story.state.command.dual_hat == "asmith"


def test_below_sev_1_one_person_may_be_both_without_a_reason() -> None:
    assert with_lead("SEV-2", "asmith").state.roles_of("asmith") == ("commander", "technical_lead")


def test_a_technical_lead_takes_command_of_a_sev_1_only_by_override() -> None:
    story = with_lead("SEV-1", "bjones")
    events = command.propose_handover(story.state, "asmith", "bjones", words("brief"), None, qualified=True)
    story.tell("asmith", events)
    with pytest.raises(RefusedError, match="technical lead"):
        command.accept_handover(story.state, "bjones", qualified=True)
    story.tell(
        "bjones",
        command.accept_handover(story.state, "bjones", qualified=True, dual_hat_reason=words("nobody else")),
    )
    assert story.state.commander == "bjones"


def test_the_business_owner_takes_command_formally_and_the_commander_is_told() -> None:
    story = commanded()
    with pytest.raises(ForbiddenError, match="business owner"):
        command.override(story.state, "cdiaz", words("risk"), qualified=True)
    story.tell("asmith", roles.assign(story.state, "business_owner", "cdiaz", by="asmith", qualified=True))
    with pytest.raises(ForbiddenError, match="not qualified"):
        command.override(story.state, "cdiaz", words("risk"), qualified=False)
    story.tell("cdiaz", command.override(story.state, "cdiaz", words("risk"), qualified=True))
    assert story.state.commander == "cdiaz"
    assert told(story)[-1] == ("asmith", "overridden")


def test_advice_is_logged_and_moves_nothing() -> None:
    story = commanded()
    story.tell("cdiaz", command.advise(story.state, words("call the bank")))
    assert story.state.commander == "asmith"
    assert told(story)[-1] == ("asmith", "advice")
