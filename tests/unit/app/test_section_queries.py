"""What the sections of an incident show: nothing unknown passes for clean, nothing unconfirmed for a fact."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from holdfast.app.queries import claiming, playing, questions, recovering, reviewing, updating
from holdfast.app.queries.parts import reader
from holdfast.kernel.errors import NotFoundError
from holdfast.web.app import create_app
from tests.unit.web.morning import recovering as two_days_on
from tests.unit.web.night import Night, begun

READS = ("questions", "plays", "plays/play-1", "claims", "updates", "updates/update-2", "closure", "review", "measures")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return two_days_on(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Night:
    night = begun(tmp_path_factory.mktemp("hidden"))
    night.do("mara.lind", "access-restrict", codename="HERON", reason="Personal data")
    return night


def state(night: Night) -> Any:
    return night.app.incident(night.incident, night.who("mara.lind"))


def asked(night: Night) -> dict[str, questions.QuestionShown]:
    found = questions.questions(state(night), night.app.tools.documents)
    return {one.id: one for one in found.questions}


def test_an_answer_with_a_part_out_of_reach_is_not_clean(night: Night) -> None:
    found = questions.questions(state(night), night.app.tools.documents)
    first = asked(night)["I1"]
    assert (first.standing, first.clean, first.parts_not_done, found.not_clean) == ("answered", False, 1, 1)
    assert [part.standing for part in first.parts] == ["done", "done", "done", "unreachable"]
    assert first.next_form == ""


def test_a_question_says_which_form_comes_next(night: Night) -> None:
    assert asked(night)["I2"].next_form == "question-settle"
    assert asked(night)["I2"].open_parts[0] == "humans"
    assert asked(night)["I6"].next_form == "question-unknown"


def test_a_play_shows_one_next_step_and_names_what_a_step_would_destroy(night: Night) -> None:
    run = playing.play(state(night), night.app.tools.documents, "play-1")
    steps = {step.id: step for step in run.steps}
    assert [step.id for step in run.steps if step.is_next] == ["LS1"]
    assert (steps["LS2"].standing, steps["LS1"].standing) == ("in_progress", "open")
    assert steps["LS3"].at_risk == ("Deployment history", "Identity-provider logs", "Relevant application logs")
    assert steps["LS1"].at_risk == ()
    assert steps["LS3"].ahead_of[0].startswith("LS1 ")


def test_outputs_say_what_they_take(night: Night) -> None:
    run = playing.play(state(night), night.app.tools.documents, "play-1")
    taken = {(step.id, one.key): (one.takes_value, one.takes_cites) for step in run.steps for one in step.outputs}
    assert taken["LS1", "fingerprint"] == (True, False)
    assert taken["LS4", "logs"] == (False, True)
    assert taken["LS2", "places"] == (True, True)


def test_a_play_that_was_never_started_is_not_found(night: Night) -> None:
    with pytest.raises(NotFoundError):
        playing.play(state(night), night.app.tools.documents, "play-9")


def test_a_hypothesis_is_never_among_the_facts_and_idle_evidence_is_marked(night: Night) -> None:
    found = claiming.claims(state(night))
    assert {claim.id for claim in found.facts} == {"claim-1"}
    assert [(one.claim.id, one.rank, one.inconsistent) for one in found.hypotheses] == [
        ("claim-2", 1, 0),
        ("claim-3", 2, 1),
    ]
    assert [(row.citation, row.idle) for row in found.matrix] == [("ev-1", False), ("ev-2", True)]
    assert found.best == ("claim-2",)
    assert found.hypotheses[0].claim.told == ("responders",)


def updates(night: Night) -> dict[str, updating.AudienceShown]:
    found = updating.updates(state(night), night.app.texts, night.app.tools.documents, night.now)
    return {one.audience: one for one in found.audiences}


def test_a_promise_that_has_passed_is_overdue(night: Night) -> None:
    promise = updates(night)["responders"].promise
    assert promise is not None
    assert promise.overdue
    assert updates(night)["customers"].promise is None


def test_a_draft_says_who_must_approve_it_and_what_its_wording_lacks(night: Night) -> None:
    (text,) = updates(night)["executives"].updates
    assert text.blocked
    assert [(need.roles, need.holders, need.given) for need in text.needed] == [
        (("commander",), ("mara.lind",), False),
        (("business_owner",), ("tomas.vega",), False),
    ]
    assert any("approval of the business owner (tomas.vega)" in said for said in text.missing)


def test_what_was_sent_is_not_reviewed_again(night: Night) -> None:
    (sent,) = updates(night)["responders"].updates
    assert (sent.standing, sent.findings, sent.missing) == ("sent", (), ())


def test_a_new_draft_offers_executives_no_hypothesis(night: Night) -> None:
    offered = {audience: one.offered for audience, one in updates(night).items()}
    assert "took over" not in offered["executives"].text
    assert "The attacker made a key" not in offered["executives"].text
    assert "The attacker made a key" in offered["responders"].text
    assert offered["customers"].affected == "The key read 312 objects of one bucket between 02:51 and 03:05 UTC."
    assert offered["customers"].claims == ("claim-1",)


def test_the_suggested_promise_lies_ahead_and_ends_with_recovery(night: Night) -> None:
    due = updating.next_promise(state(night), night.app.tools.documents, night.now)
    assert due is not None
    assert due > night.now
    assert due.second == 0


def test_a_gate_says_what_is_missing_and_who_holds_the_role(night: Night) -> None:
    found = recovering.closure(state(night), night.app.tools.documents, night.now)
    gates = {gate.id: gate for gate in found.gates}
    assert {gate.id for gate in found.gates if gate.passes} == {"X1", "X2", "X5"}
    assert gates["X3"].missing == ("credential-2 is neither rotated, revoked nor recorded as not needed.",)
    assert [(one.role, one.account) for one in gates["X6"].who] == [("business_owner", "tomas.vega")]
    assert (gates["X7"].provable, gates["X3"].provable) == (True, False)
    assert len(found.recovery_blockers) == 2


def test_a_notification_past_its_time_is_overdue_until_its_receipt(night: Night) -> None:
    later = night.now + timedelta(hours=21)
    found = recovering.closure(state(night), night.app.tools.documents, later)
    regulatory = next(one for one in found.escalations if one.kind == "regulatory")
    assert [one.overdue for one in regulatory.notifications] == [True]


def test_a_corrective_action_past_its_day_is_overdue(night: Night) -> None:
    later = night.now + timedelta(days=30)
    (action,) = recovering.closure(state(night), night.app.tools.documents, later).actions
    assert action.overdue


def test_every_sentence_of_a_review_draft_cites_the_record(night: Night) -> None:
    found = reviewing.review(state(night), night.app.texts, night.app.tools.documents, night.now)
    assert (found.required, found.answered, len(found.prompts)) == (True, 1, 6)
    drafted = [one for prompt in found.prompts for one in prompt.draft]
    assert len(drafted) >= 8
    assert all(one.citations for one in drafted)
    assert "Data of no customer was read" in found.prompts[3].draft[0].text


def test_a_span_with_a_missing_end_says_which(night: Night) -> None:
    spans = reviewing.measures(state(night)).spans
    assert spans[0].missing == ("First signal",)
    contained = next(one for one in spans if (one.start, one.end) == ("First malicious act", "Contained"))
    assert contained.seconds is not None
    assert contained.seconds // 60 == 40 * 60 + 58


def test_words_are_read_in_one_go_and_once(night: Night) -> None:
    asked_for: list[list[str]] = []

    class Counting:
        def read(self, ids: Any) -> Any:
            asked_for.append(list(ids))
            return night.app.texts.read(ids)

    claims = list(state(night).communications.claims.values())
    read = reader(Counting(), (claim.text for claim in claims))  # type: ignore[arg-type]  # only read is used
    assert [read(claim.text) for claim in claims + claims] == [read(claim.text) for claim in claims + claims]
    assert len(asked_for) == 1
    assert read(None) == ""


@pytest.mark.parametrize("path", READS)
def test_every_section_is_read_through_the_api_as_json(night: Night, path: str) -> None:
    body = _get(night, "mara.lind", path)
    assert body.status_code == 200
    assert "commitment" not in body.text


@pytest.mark.parametrize("path", READS)
def test_no_section_tells_a_stranger_that_a_restricted_incident_exists(hidden: Night, path: str) -> None:
    assert _get(hidden, "ada.ops", path).status_code == 404


def _get(night: Night, name: str, path: str) -> httpx.Response:
    site = create_app(night.app)
    site.state.local_viewer = night.who(name)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=site), base_url=night.app.settings.url
        ) as client:
            return await client.get(f"/api/v1/incidents/{night.incident}/{path}")

    return asyncio.run(send())
