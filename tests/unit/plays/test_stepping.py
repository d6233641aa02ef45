"""The rules of steps, each refused and each kept."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError, RefusedError
from holdfast.plays import running, stepping
from holdfast.plays.progress import StepView, progress
from holdfast.plays.stepping import Acceptance, Offer, Settling

from .journal import CITED, WORDS, Journal, definition, offer_for

LEAKED = definition("leaked-secret")
CLOUD = definition("cloud-admin")
UNCAPTURED = ("application_logs", "cloud_audit_events")
ACCEPTED = Acceptance(WORDS, WORDS, "bea", acting_alone=False)


@pytest.fixture
def journal() -> Journal:
    started = Journal()
    started.start("leaked-secret")
    return started


def code_of(refusal: pytest.ExceptionInfo[HoldfastError]) -> str:
    return refusal.value.code


def test_a_run_is_bound_to_the_digest_of_its_definition(journal: Journal) -> None:
    run = journal.run()
    assert (run.id, run.key, run.version, run.digest, run.standing) == (
        "play-1",
        "leaked-secret",
        1,
        "d" * 64,
        "running",
    )


def test_several_runs_go_on_at_once_also_of_one_play(journal: Journal) -> None:
    journal.start("cloud-admin")
    journal.start("leaked-secret")
    assert [(run.id, run.key) for run in journal.state.runs.values()] == [
        ("play-1", "leaked-secret"),
        ("play-2", "cloud-admin"),
        ("play-3", "leaked-secret"),
    ]
    journal.prepare(LEAKED, "LS1", "play-3")
    journal.take(stepping.done(journal.run("play-3"), LEAKED, "LS1", ()))
    assert journal.run("play-3").step("LS1").standing == "done"
    assert journal.run("play-1").step("LS1").standing == "open"


def test_a_run_nobody_started_is_not_found(journal: Journal) -> None:
    with pytest.raises(NotFoundError) as refusal:
        running.run_named(journal.state, "play-9")
    assert code_of(refusal) == "play-not-started"
    assert "play-1" in refusal.value.why


def test_a_step_or_part_or_output_the_play_does_not_have_is_refused_with_those_it_has(journal: Journal) -> None:
    with pytest.raises(BadInputError, match="LS1, LS2, LS3"):
        LEAKED.step("CA1")
    with pytest.raises(BadInputError, match="source_control, ci_logs"):
        stepping.settle(journal.run(), LEAKED.step("LS2"), Settling("fax", "done", CITED))
    with pytest.raises(BadInputError, match="fingerprint, scope, owner"):
        stepping.record(journal.run(), LEAKED.step("LS1"), Offer("colour", WORDS), journal.now)


def test_a_part_is_done_only_with_a_citation_and_otherwise_needs_a_reason(journal: Journal) -> None:
    with pytest.raises(BadInputError) as refusal:
        stepping.settle(journal.run(), LEAKED.step("LS2"), Settling("chat", "done"))
    assert code_of(refusal) == "part-needs-citation"
    with pytest.raises(BadInputError) as refusal:
        stepping.settle(journal.run(), LEAKED.step("LS2"), Settling("chat", "unreachable"))
    assert code_of(refusal) == "part-needs-reason"


def test_a_step_with_an_open_part_is_not_done_and_the_refusal_names_it(journal: Journal) -> None:
    journal.prepare(LEAKED, "LS2")
    journal.take(stepping.settle(journal.run(), LEAKED.step("LS2"), Settling("chat", "open")))
    with pytest.raises(RefusedError) as refusal:
        stepping.done(journal.run(), LEAKED, "LS2", ())
    assert code_of(refusal) == "step-has-open-parts"
    assert refusal.value.details == {"open_parts": ["chat"]}
    assert "holdfast step settle INC play-1 LS2 chat" in refusal.value.next_step


def test_a_step_without_its_outputs_is_not_done_and_the_refusal_names_them(journal: Journal) -> None:
    journal.settle_parts(LEAKED, "LS3")
    with pytest.raises(RefusedError) as refusal:
        stepping.done(journal.run(), LEAKED, "LS3", ())
    assert code_of(refusal) == "step-misses-outputs"
    assert refusal.value.details == {"missing_outputs": ["procedure", "approved_by", "action", "at"]}


def test_a_done_step_says_how_many_parts_are_not_done_and_what_it_was_ahead_of(journal: Journal) -> None:
    journal.prepare(LEAKED, "LS2")
    journal.take(stepping.settle(journal.run(), LEAKED.step("LS2"), Settling("chat", "unreachable", (), WORDS)))
    journal.take(stepping.done(journal.run(), LEAKED, "LS2", UNCAPTURED))
    data = journal.events[-1].data
    assert (data["parts_not_done"], data["ahead_of"], data["uncaptured"]) == (1, ["LS1"], [])


@pytest.mark.parametrize(("key", "step"), [("leaked-secret", "LS3"), ("ci-token", "CT1"), ("cloud-admin", "CA1")])
def test_a_step_that_destroys_evidence_waits_for_every_capture(key: str, step: str) -> None:
    journal, play = Journal(), definition(key)
    journal.start(key)
    journal.prepare(play, step)
    with pytest.raises(RefusedError) as refusal:
        stepping.done(journal.run(), play, step, UNCAPTURED)
    assert code_of(refusal) == "evidence-at-risk"
    assert refusal.value.details == {"uncaptured": list(UNCAPTURED)}
    journal.take(stepping.done(journal.run(), play, step, ()))
    assert journal.run().step(step).standing == "done"


@pytest.mark.parametrize(("key", "step"), [("leaked-secret", "LS3"), ("ci-token", "CT1"), ("cloud-admin", "CA1")])
def test_an_override_lets_exactly_the_named_evidence_go(key: str, step: str) -> None:
    journal, play = Journal(), definition(key)
    journal.start(key)
    journal.prepare(play, step)
    journal.take(stepping.override(journal.run(), play.step(step), UNCAPTURED[:1], ACCEPTED))
    with pytest.raises(RefusedError) as refusal:
        stepping.done(journal.run(), play, step, UNCAPTURED)
    assert refusal.value.details == {"uncaptured": [UNCAPTURED[1]]}
    journal.take(stepping.done(journal.run(), play, step, UNCAPTURED[:1]))
    assert journal.events[-1].data["uncaptured"] == [UNCAPTURED[0]]
    found = journal.run().step(step).override
    assert found is not None
    assert (found.accepted_by, found.acting_alone, found.uncaptured) == ("bea", False, UNCAPTURED[:1])


def test_an_override_that_is_not_needed_is_refused(journal: Journal) -> None:
    for step, missing in (("LS3", ()), ("LS2", UNCAPTURED)):
        with pytest.raises(RefusedError) as refusal:
            stepping.override(journal.run(), LEAKED.step(step), missing, ACCEPTED)
        assert code_of(refusal) == "override-not-needed"


def test_reopening_keeps_parts_and_outputs_and_voids_the_override(journal: Journal) -> None:
    journal.prepare(LEAKED, "LS3")
    journal.take(stepping.override(journal.run(), LEAKED.step("LS3"), UNCAPTURED, ACCEPTED))
    journal.take(stepping.done(journal.run(), LEAKED, "LS3", UNCAPTURED))
    before = journal.run().step("LS3")
    journal.take(stepping.reopen(journal.run(), LEAKED.step("LS3"), WORDS))
    after = journal.run().step("LS3")
    assert (after.standing, after.override, after.parts, after.outputs) == ("open", None, before.parts, before.outputs)
    with pytest.raises(RefusedError, match="not captured"):
        stepping.done(journal.run(), LEAKED, "LS3", UNCAPTURED)


def test_a_settled_step_changes_only_by_reopening(journal: Journal) -> None:
    journal.prepare(LEAKED, "LS1")
    journal.take(stepping.done(journal.run(), LEAKED, "LS1", ()))
    run, step = journal.run(), LEAKED.step("LS1")
    attempts = (
        lambda: stepping.assign(run, step, "amir"),
        lambda: stepping.settle(run, step, Settling("scope", "open")),
        lambda: stepping.record(run, step, Offer("scope", WORDS), journal.now),
        lambda: stepping.override(run, step, UNCAPTURED, ACCEPTED),
        lambda: stepping.skip(run, LEAKED, "LS1", WORDS),
        lambda: stepping.done(run, LEAKED, "LS1", ()),
    )
    for attempt in attempts:
        with pytest.raises(RefusedError) as refusal:
            attempt()
        assert code_of(refusal) == "step-not-open"


def test_an_open_step_is_not_reopened(journal: Journal) -> None:
    with pytest.raises(RefusedError) as refusal:
        stepping.reopen(journal.run(), LEAKED.step("LS1"), WORDS)
    assert code_of(refusal) == "step-already-open"


def finish_all(journal: Journal) -> None:
    for step in LEAKED.steps[:-1]:
        journal.prepare(LEAKED, step.id)
        journal.take(stepping.done(journal.run(), LEAKED, step.id, ()))
    journal.take(stepping.skip(journal.run(), LEAKED, "LS6", WORDS))


def test_the_last_settled_step_completes_the_run_and_reopening_one_runs_it_again(journal: Journal) -> None:
    finish_all(journal)
    assert journal.events[-1].type == "play.completed"
    assert journal.events[-1].data == {"play_id": "play-1", "steps_done": 5, "steps_skipped": 1, "parts_not_done": 0}
    assert journal.run().standing == "completed"
    journal.take(stepping.reopen(journal.run(), LEAKED.step("LS2"), WORDS))
    assert (journal.run().standing, journal.run().ended_at) == ("running", None)
    journal.take(stepping.done(journal.run(), LEAKED, "LS2", ()))
    assert journal.run().standing == "completed"


def test_an_abandoned_run_changes_no_more(journal: Journal) -> None:
    journal.take(running.abandon(journal.run(), LEAKED, WORDS))
    assert journal.events[-1].data["steps_open"] == ["LS1", "LS2", "LS3", "LS4", "LS5", "LS6"]
    run, step = journal.run(), LEAKED.step("LS1")
    attempts = (
        lambda: stepping.assign(run, step, "amir"),
        lambda: stepping.reopen(run, step, WORDS),
        lambda: running.abandon(run, LEAKED, WORDS),
    )
    for attempt in attempts:
        with pytest.raises(RefusedError) as refusal:
            attempt()
        assert code_of(refusal) == "play-abandoned"


def test_a_complete_run_is_not_abandoned(journal: Journal) -> None:
    finish_all(journal)
    with pytest.raises(RefusedError) as refusal:
        running.abandon(journal.run(), LEAKED, WORDS)
    assert code_of(refusal) == "play-completed"


def view(journal: Journal, step: str, uncaptured: tuple[str, ...] = ()) -> StepView:
    return next(found for found in progress(journal.run(), LEAKED, uncaptured, "INC-7") if found.step.id == step)


def test_the_progress_leads_from_parts_to_outputs_to_evidence_to_done(journal: Journal) -> None:
    assert view(journal, "LS3").next_command == "holdfast step settle INC-7 play-1 LS3 result --cites ev-…"
    journal.settle_parts(LEAKED, "LS3")
    assert view(journal, "LS3").next_command == "holdfast step record INC-7 play-1 LS3 procedure --value …"
    journal.record_outputs(LEAKED, "LS3")
    at_risk = view(journal, "LS3", UNCAPTURED)
    assert (at_risk.at_risk, at_risk.ready) == (UNCAPTURED, False)
    assert at_risk.next_command.startswith("holdfast step override INC-7 play-1 LS3")
    assert view(journal, "LS3").ready
    assert view(journal, "LS3").next_command == "holdfast step done INC-7 play-1 LS3"
    journal.take(stepping.done(journal.run(), LEAKED, "LS3", ()))
    assert view(journal, "LS3").next_command == ""


def test_the_progress_cautions_about_open_predecessors_and_asks_for_proof_of_lists(journal: Journal) -> None:
    journal.settle_parts(LEAKED, "LS5")
    found = view(journal, "LS5", UNCAPTURED)
    assert found.ahead_of == ("LS1", "LS2", "LS3", "LS4")
    assert found.at_risk == ()
    assert found.next_command == "holdfast step record INC-7 play-1 LS5 restarted --value … --cites ev-…"


def test_an_owner_is_kept_until_somebody_else_is_named(journal: Journal) -> None:
    journal.take(stepping.assign(journal.run(), LEAKED.step("LS2"), "amir"))
    journal.take(stepping.assign(journal.run(), LEAKED.step("LS2"), "chen"))
    assert journal.run().step("LS2").owner == "chen"


def test_keeping_the_identity_needs_the_reason_that_disabling_it_does_not() -> None:
    journal = Journal()
    journal.start("cloud-admin")
    step = CLOUD.step("CA1")
    journal.settle_parts(CLOUD, "CA1")
    for offer in (offer_for(step.output("at")), Offer("measure", "kept")):
        journal.take(stepping.record(journal.run(), step, offer, journal.now))
    with pytest.raises(RefusedError) as refusal:
        stepping.done(journal.run(), CLOUD, "CA1", ())
    assert refusal.value.details == {"missing_outputs": ["kept_because"]}
    journal.take(stepping.record(journal.run(), step, Offer("measure", "disabled"), journal.now))
    journal.take(stepping.done(journal.run(), CLOUD, "CA1", ()))
    assert journal.run().step("CA1").standing == "done"
