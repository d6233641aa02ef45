"""Whatever order people work in: no step is done with a gap, and no evidence goes without an override."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from holdfast.kernel.errors import HoldfastError, RefusedError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.parts import STANDINGS, Standing, open_parts
from holdfast.plays import outputs, running, stepping
from holdfast.plays.definitions import Step
from holdfast.plays.stepping import Acceptance, Settling

from .journal import CITED, WORDS, Journal, definition, offer_for

F5 = ("cloud_audit_events", "ci_logs", "application_logs")
KEYS = st.sampled_from(["leaked-secret", "ci-token", "cloud-admin"])
INDEX = st.integers(0, 7)


class PlayMachine(RuleBasedStateMachine):
    @initialize(key=KEYS)
    def start(self, key: str) -> None:
        self.play = definition(key)
        self.journal = Journal()
        self.uncaptured: tuple[str, ...] = F5
        self.journal.start(key)

    def step(self, index: int) -> Step:
        return self.play.steps[index % len(self.play.steps)]

    def attempt(self, decide: Callable[[], list[NewEvent]]) -> bool:
        try:
            self.journal.take(decide())
        except HoldfastError:
            return False
        return True

    @rule(index=INDEX, part=INDEX, standing=st.sampled_from(STANDINGS))
    def settle(self, index: int, part: int, standing: Standing) -> None:
        step = self.step(index)
        key = step.parts[part % len(step.parts)].key
        cites, reason = (CITED, None) if standing == "done" else ((), WORDS)
        self.attempt(lambda: stepping.settle(self.journal.run(), step, Settling(key, standing, cites, reason)))

    @rule(index=INDEX, output=INDEX)
    def record(self, index: int, output: int) -> None:
        step = self.step(index)
        offer = offer_for(step.outputs[output % len(step.outputs)])
        self.attempt(lambda: stepping.record(self.journal.run(), step, offer, self.journal.now))

    @rule(index=INDEX)
    def prepare(self, index: int) -> None:
        if self.journal.run().step(self.step(index).id).standing == "open":
            self.journal.prepare(self.play, self.step(index).id)

    @rule(captured=st.sets(st.sampled_from(F5)))
    def capture(self, captured: set[str]) -> None:
        self.uncaptured = tuple(key for key in F5 if key not in captured)

    @rule(index=INDEX)
    def override(self, index: int) -> None:
        step, accepted = self.step(index), Acceptance(WORDS, WORDS, "bea", acting_alone=True)
        done = self.attempt(lambda: stepping.override(self.journal.run(), step, self.uncaptured, accepted))
        assert not done or (step.destroys_evidence and self.uncaptured)

    @rule(index=INDEX)
    def finish(self, index: int) -> None:
        step = self.step(index)
        before = self.journal.run().step(step.id)
        if not self.attempt(lambda: stepping.done(self.journal.run(), self.play, step.id, self.uncaptured)):
            return
        assert before.standing == "open"
        assert not open_parts(step.parts, before.parts)
        assert not outputs.missing(step, before)
        if step.destroys_evidence and self.uncaptured:
            assert before.override is not None
            assert set(self.uncaptured) <= set(before.override.uncaptured)

    @rule(index=INDEX)
    def skip(self, index: int) -> None:
        self.attempt(lambda: stepping.skip(self.journal.run(), self.play, self.step(index).id, WORDS))

    @rule(index=INDEX)
    def reopen(self, index: int) -> None:
        self.attempt(lambda: stepping.reopen(self.journal.run(), self.step(index), WORDS))

    @invariant()
    def no_done_step_has_a_gap(self) -> None:
        for step in self.play.steps:
            state = self.journal.run().step(step.id)
            if state.standing == "done":
                assert not open_parts(step.parts, state.parts)
                assert not outputs.missing(step, state)

    @invariant()
    def a_run_is_complete_exactly_when_no_step_is_open(self) -> None:
        run = self.journal.run()
        is_open = any(run.step(step.id).standing == "open" for step in self.play.steps)
        assert (run.standing == "completed") is not is_open

    @invariant()
    def a_complete_run_cannot_be_abandoned(self) -> None:
        run = self.journal.run()
        if run.standing == "completed":
            with pytest.raises(RefusedError):
                running.abandon(run, self.play, WORDS)


PlayMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPlays = PlayMachine.TestCase
