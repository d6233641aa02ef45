from __future__ import annotations

from datetime import timedelta

from holdfast.incidents import access, command, judging, lifecycle, roles
from holdfast.incidents.nagging import Nag, nags
from holdfast.incidents.severity import Circumstances

from .folding import START, Folded, assessed, declared, words


def about(story: Folded, text: str) -> Nag | None:
    found = [nag for nag in nags(story.state, story.now) if text in nag.what]
    assert len(found) <= 1, found
    return found[0] if found else None


def test_a_fresh_incident_names_every_gap_with_the_command_that_fills_it() -> None:
    story = declared(open_questions=("data_left",))
    found = nags(story.state, story.now)
    assert sum("is unknown" in nag.what for nag in found) == 3
    assert sum(nag.what.startswith("The first report") for nag in found) == 5
    assert sum("(R" in nag.what for nag in found) == 4
    assert all(nag.next_command.startswith("holdfast ") and "INC-2026-0042" in nag.next_command for nag in found)
    assert not any(nag.red for nag in found)


def test_a_filled_gap_goes_away() -> None:
    story = declared(report={"reported_by": words("me")}, impact={"customer_data": ("no", None)})
    assert about(story, "reported by") is None
    assert about(story, "customer data") is None
    story.tell("asmith", roles.assign(story.state, "evidence_owner", "bjones", by="asmith", qualified=False))
    assert about(story, "evidence owner") is None


def test_no_commander_is_red_and_comes_first() -> None:
    story = declared()
    story.later(minutes=3)
    story.tell("asmith", command.vacate(story.state, "asmith", words("ill")))
    first = nags(story.state, story.now)[0]
    assert (first.what, first.red, first.since) == ("No commander", True, story.now)


def test_acting_turns_red_after_five_minutes_and_at_once_in_a_sev_1() -> None:
    story = declared()
    nag = about(story, "I command")
    assert nag is not None
    assert not nag.red
    story.later(minutes=5)
    nag = about(story, "I command")
    assert nag is not None
    assert nag.red
    urgent = about(declared(level="SEV-1"), "I command")
    assert urgent is not None
    assert urgent.red


def test_unfilled_roles_turn_red_after_fifteen_minutes() -> None:
    story = declared()
    story.later(minutes=15)
    nag = about(story, "technical lead")
    assert nag is not None
    assert (nag.red, nag.since) == (True, START)


def test_an_unanswered_challenge_turns_red_at_its_time_out() -> None:
    story = declared()
    events = command.challenge(story.state, "bjones", None, now=story.now, timeout=timedelta(minutes=5))
    story.tell("bjones", events)
    for minutes, red, verb in ((4, False, "answer"), (1, True, "relieve")):
        story.later(minutes=minutes)
        nag = about(story, "has not answered whether")
        assert nag is not None
        assert nag.red is red
        assert verb in nag.next_command


def test_open_severity_questions_turn_red_when_due() -> None:
    story = declared(open_questions=("data_left",))
    story.later(minutes=15)
    nag = about(story, "provisional")
    assert nag is not None
    assert nag.red


def test_a_differing_assessment_says_which_way() -> None:
    for level, verb in (("SEV-1", "raise"), ("SEV-4", "lower")):
        story = declared()
        story.tell("asmith", judging.answer(story.state, {}, Circumstances(), assessed(level), story.now))  # type: ignore[arg-type]  # a level
        nag = about(story, "The table says")
        assert nag is not None
        assert f"severity {verb} INC-2026-0042 {level}" in nag.next_command


def test_a_raise_to_sev_1_with_one_person_in_both_roles_is_red_until_overridden() -> None:
    story = declared()
    story.tell("asmith", roles.assign(story.state, "technical_lead", "asmith", by="asmith", qualified=False))
    story.tell("bjones", judging.raise_to(story.state, "SEV-1", words("worse")))
    nag = about(story, "commander and technical lead")
    assert nag is not None
    assert nag.red
    story.tell(
        "asmith",
        roles.assign(
            story.state, "technical_lead", "asmith", by="asmith", qualified=False, dual_hat_reason=words("alone")
        ),
    )
    assert about(story, "commander and technical lead") is None


def test_waiting_second_persons_are_nagged_for() -> None:
    story = declared(sensitivity="restricted")
    story.tell("asmith", judging.propose_lower(story.state, "SEV-3", words("why"), "asmith"))
    events = command.propose_handover(story.state, "asmith", "bjones", words("brief"), None, qualified=True)
    story.tell("asmith", events)
    story.tell("asmith", lifecycle.propose_disposition(story.state, "duplicate_of", words("same"), (), "INC-2026-0041"))
    glass = access.break_glass(story.state, "eve", words("fire"), lasting=timedelta(hours=1), now=story.now)
    story.tell("eve", glass)
    for text in ("proposal of SEV-3", "the handover", "disposition duplicate_of", "broke the glass"):
        assert about(story, text) is not None


def test_a_closed_incident_keeps_only_owed_reviews() -> None:
    story = declared()
    for status in ("contained", "recovering"):
        story.tell("asmith", lifecycle.set_status(story.state, status, words("shown")))  # type: ignore[arg-type]  # a status
    story.tell("asmith", lifecycle.close(story.state, (), None, acting_alone=True))
    assert [nag.what for nag in nags(story.state, story.now)] == [
        f"#{story.events[-1].seq} (incident.closed) was approved by asmith alone"
    ]
