from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.incidents import declaring
from holdfast.incidents.declaring import Judgement
from holdfast.incidents.severity import Circumstances
from holdfast.incidents.state import IMPACTS, REPORT_PARTS, Moment
from holdfast.kernel.errors import BadInputError, RefusedError

from .folding import START, assessed, declared, words


def test_declaring_needs_only_a_name_and_everything_else_is_recorded_as_unknown() -> None:
    story = declared()
    assert story.state.declared
    assert story.data("incident.declared")["report"] == dict.fromkeys(REPORT_PARTS)
    assert [story.state.impact[impact].answer for impact in IMPACTS] == ["unknown"] * 3
    assert story.state.status == "investigating"


def test_the_three_impact_statements_are_separate_events() -> None:
    story = declared(impact={"customer_data": ("suspected", words("why"))})
    stated = [event.data for event in story.events if event.type == "impact.stated"]
    assert [one["impact"] for one in stated] == list(IMPACTS)
    assert [one["answer"] for one in stated] == ["suspected", "unknown", "unknown"]
    assert stated[0]["reason"] == words("why").as_json()


def test_who_declares_acts_as_commander_and_the_clock_runs() -> None:
    command = declared("bjones").state.command
    assert (command.commander, command.acting, command.acting_since) == ("bjones", True, START)
    assert not command.clock_stopped


def test_the_first_assessment_sets_severity_and_peak() -> None:
    story = declared(level="SEV-1")
    assert (story.state.level, story.state.peak) == ("SEV-1", "SEV-1")
    assert story.data("severity.set") == {"level": "SEV-1", "rule": "production_secret"}


def test_the_first_report_is_kept_and_later_words_are_added_beside_it() -> None:
    story = declared(report={"reported_by": words("first")})
    story.later(minutes=3)
    story.tell("cdiaz", declaring.add_to_report(story.state, "reported_by", words("second")))
    story.tell("cdiaz", declaring.add_to_report(story.state, "suspected_impact", words("third")))
    entries = story.state.report["reported_by"]
    assert [(entry.text, entry.by) for entry in entries] == [(words("first"), "asmith"), (words("second"), "cdiaz")]
    assert story.state.report["suspected_impact"][0].at == START + timedelta(minutes=3)


def test_pins_kind_play_and_times_are_kept() -> None:
    detected = Moment(START - timedelta(minutes=2), "observed")
    started = Moment(START - timedelta(days=21), "estimated")
    state = declared(kind="exercise", play="leaked-secret", detected=detected, started=started).state
    assert (state.kind, state.play, state.detected, state.started) == ("exercise", "leaked-secret", detected, started)
    assert state.pins["severity_table"] == "dd" * 32


def test_an_incident_is_declared_once() -> None:
    story = declared()
    said = declaring.Declaration(name=words("again"), pins={"plays": {}}, calendar="utc-weekdays")
    with pytest.raises(RefusedError, match="declared already"):
        declaring.declare(story.state, said, Judgement({}, Circumstances(), assessed()), by="asmith", now=story.now)


def test_an_unpinned_play_is_refused() -> None:
    with pytest.raises(BadInputError, match="leaked-secret"):
        declared(play="cloud-admin")


@pytest.mark.parametrize("moment", ["detected", "started"])
def test_a_time_in_the_future_is_refused(moment: str) -> None:
    with pytest.raises(BadInputError, match="after now"):
        declared(**{moment: Moment(START + timedelta(seconds=1), "observed")})


def test_it_cannot_have_started_after_it_was_detected() -> None:
    with pytest.raises(BadInputError, match="started after"):
        declared(
            detected=Moment(START - timedelta(hours=2), "observed"),
            started=Moment(START - timedelta(hours=1), "evidenced"),
        )


def test_the_start_can_be_stated_later_and_again() -> None:
    story = declared()
    for hours in (5, 4):
        moment = Moment(START - timedelta(hours=hours), "evidenced")
        story.tell("asmith", declaring.state_time(story.state, "started", moment, words("log"), story.now))
    assert story.state.started == Moment(START - timedelta(hours=4), "evidenced")
    assert [event.type for event in story.events].count("time.stated") == 2


def test_an_impact_is_stated_anew_with_its_author() -> None:
    story = declared()
    story.tell("bjones", declaring.state_impact(story.state, "privileged_access", "confirmed", None))
    said = story.state.impact["privileged_access"]
    assert (said.answer, said.by) == ("confirmed", "bjones")


def test_taking_back_a_suspicion_needs_a_reason() -> None:
    story = declared(impact={"customer_data": ("suspected", None)})
    with pytest.raises(BadInputError, match="needs a reason"):
        declaring.state_impact(story.state, "customer_data", "no", None)
    story.tell("asmith", declaring.state_impact(story.state, "customer_data", "no", words("looked")))
    assert story.state.impact["customer_data"].answer == "no"


def test_saying_the_same_of_an_impact_again_records_nothing() -> None:
    with pytest.raises(RefusedError, match="already"):
        declaring.state_impact(declared().state, "customer_data", "unknown", None)


def test_a_restricted_declarer_keeps_sight_after_command_has_moved() -> None:
    assert declared(sensitivity="restricted", codename="GREY HERON").state.access.granted == {"asmith"}


@pytest.mark.parametrize(
    ("play", "implied"),
    [
        (None, {}),
        ("leaked-secret", {"production_secret": "confirmed"}),
        ("ci-token", {"ci_token": "confirmed"}),
        ("cloud-admin", {"cloud_admin": "suspected", "unexplained_access": "suspected"}),
    ],
)
def test_choosing_a_play_answers_what_it_implies(play: str | None, implied: dict[str, str]) -> None:
    assert declaring.implied_answers(play) == implied
