"""Whatever several people do, in any order, these hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.incidents import access, command, declaring, judging, lifecycle, roles
from holdfast.incidents.declaring import Declaration, Judgement
from holdfast.incidents.severity import LEVELS, Circumstances, is_worse, rank
from holdfast.incidents.state_command import ASSIGNABLE_ROLES
from holdfast.kernel.citations import Citation
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import NewEvent

from .folding import PINS, Folded, assessed, words

PEOPLE = ("asmith", "bjones", "cdiaz", "dlee")
OUTSIDER = "outsider"
WHO = st.sampled_from(PEOPLE)
LEVEL = st.sampled_from(LEVELS)
TAKES = {"command.assumed", "command.claimed", "command.overridden", "handover.accepted", "commander.relieved"}
LOWERS = {"severity.lowered"}


class Incident(RuleBasedStateMachine):
    """Several people at one incident; refusals are part of the game, broken invariants are not."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Folded()
        self.let_in: set[str] = set()

    def attempt(self, by: str, decide: Callable[[], list[NewEvent]]) -> None:
        before = self.story.state
        seen = len(self.story.events)
        try:
            decided = decide()
        except HoldfastError:
            return
        self.story.tell(by, decided)
        after = self.story.state
        told = {event.type for event in self.story.events[seen:]}
        if after.commander != before.commander and after.commander is not None and before.declared:
            assert told & TAKES
            assert after.commander == by, "nobody is made commander by somebody else"
        if "handover.accepted" in told:
            assert before.command.handover is not None
            assert before.command.handover.to == by
        if before.level is not None and after.level is not None and is_worse(before.level, after.level):
            assert told == LOWERS
            assert before.severity.lowering is not None
            assert before.severity.lowering.by != by
            assert before.severity.lowering.by == before.commander
        if "commander.relieved" in told:
            assert before.command.challenge is not None
            assert self.story.now >= before.command.challenge.answer_by

    @initialize(by=WHO, level=LEVEL, sensitivity=st.sampled_from(["open", "restricted"]))
    def declare(self, by: str, level: Any, sensitivity: Any) -> None:
        said = Declaration(name=words("name"), pins=PINS, calendar="utc-weekdays", sensitivity=sensitivity)
        judged = Judgement({}, Circumstances(), assessed(level))
        self.attempt(by, lambda: declaring.declare(self.story.state, said, judged, by=by, now=self.story.now))

    @rule(minutes=st.integers(1, 8))
    def wait(self, minutes: int) -> None:
        self.story.later(minutes=minutes)

    @rule(by=WHO, qualified=st.booleans())
    def take(self, by: str, *, qualified: bool) -> None:
        self.attempt(by, lambda: command.take(self.story.state, by, qualified=qualified))

    @rule(by=WHO)
    def vacate(self, by: str) -> None:
        self.attempt(by, lambda: command.vacate(self.story.state, by, words("why")))

    @rule(by=WHO)
    def challenge(self, by: str) -> None:
        lapse = timedelta(minutes=5)
        self.attempt(by, lambda: command.challenge(self.story.state, by, None, now=self.story.now, timeout=lapse))

    @rule(by=WHO, qualified=st.booleans())
    def relieve(self, by: str, *, qualified: bool) -> None:
        self.attempt(
            by,
            lambda: command.relieve(self.story.state, by, words("why"), qualified=qualified, now=self.story.now),
        )

    @rule(by=WHO, to=WHO)
    def propose(self, by: str, to: str) -> None:
        self.attempt(
            by, lambda: command.propose_handover(self.story.state, by, to, words("brief"), None, qualified=True)
        )

    @rule(by=WHO, answer=st.sampled_from(["accept", "decline", "withdraw"]))
    def respond(self, by: str, answer: str) -> None:
        answers: dict[str, Callable[[], list[NewEvent]]] = {
            "accept": lambda: command.accept_handover(self.story.state, by, qualified=True),
            "decline": lambda: command.decline_handover(self.story.state, by, words("why")),
            "withdraw": lambda: command.withdraw_handover(self.story.state, by),
        }
        self.attempt(by, answers[answer])

    @rule(by=WHO, role=st.sampled_from(ASSIGNABLE_ROLES), account=WHO, release=st.booleans())
    def role(self, by: str, role: Any, account: str, *, release: bool) -> None:
        if release:
            self.attempt(by, lambda: roles.release(self.story.state, role, by, None))
        elif self.story.state.commander == by:
            self.attempt(by, lambda: roles.assign(self.story.state, role, account, by=by, qualified=True))

    @rule(by=WHO)
    def override(self, by: str) -> None:
        self.attempt(by, lambda: command.override(self.story.state, by, words("why"), qualified=True))

    @rule(by=WHO, level=LEVEL, how=st.sampled_from(["raise", "lower", "confirm", "answer"]))
    def severity(self, by: str, level: Any, how: str) -> None:
        state = self.story.state
        answered = assessed(level)
        hows: dict[str, Callable[[], list[NewEvent]]] = {
            "raise": lambda: judging.raise_to(state, level, words("why")),
            "lower": lambda: judging.propose_lower(state, level, words("why"), by),
            "confirm": lambda: judging.confirm_lower(state, by),
            "answer": lambda: judging.answer(state, {}, Circumstances(), answered, self.story.now),
        }
        self.attempt(by, hows[how])

    @rule(by=WHO, status=st.sampled_from(["investigating", "contained", "recovering", "closed", "reopened"]))
    def status(self, by: str, status: Any) -> None:
        state = self.story.state
        if status == "closed":
            self.attempt(by, lambda: lifecycle.close(state, (), None, acting_alone=False))
        elif status == "reopened":
            self.attempt(by, lambda: lifecycle.reopen(state, words("why")))
        else:
            self.attempt(by, lambda: lifecycle.set_status(state, status, words("why")))

    @rule(by=WHO, confirm=st.booleans())
    def disposition(self, by: str, *, confirm: bool) -> None:
        state = self.story.state
        cited = [Citation(event=0)]
        self.attempt(
            by,
            lambda: (
                lifecycle.confirm_disposition(state, by)
                if confirm
                else lifecycle.propose_disposition(state, "false_positive", words("why"), cited)
            ),
        )

    @rule(by=WHO, account=WHO, how=st.sampled_from(["restrict", "unrestrict", "grant", "revoke", "glass"]))
    def access(self, by: str, account: str, how: str) -> None:
        state = self.story.state
        lasting = timedelta(minutes=6)
        hows: dict[str, Callable[[], list[NewEvent]]] = {
            "restrict": lambda: access.restrict(state, "GREY HERON", words("why"), by),
            "unrestrict": lambda: access.unrestrict(state, words("why")),
            "grant": lambda: access.grant(state, account, None),
            "revoke": lambda: access.revoke(state, account, None, self.story.now),
            "glass": lambda: access.break_glass(state, by, words("why"), lasting=lasting, now=self.story.now),
        }
        self.attempt(by, hows[how])

    @precondition(lambda self: self.story.state.commander is not None)
    @rule(by=WHO, level=st.sampled_from(LEVELS[2:]), same=st.booleans(), confirm=st.booleans())
    def lower_in_two_steps(self, by: str, level: Any, *, same: bool, confirm: bool) -> None:
        commander = self.story.state.commander
        assert commander is not None
        by = commander if same else by
        self.attempt(commander, lambda: judging.propose_lower(self.story.state, level, words("why"), commander))
        if confirm:
            self.attempt(by, lambda: judging.confirm_lower(self.story.state, by))

    @precondition(lambda self: self.story.state.commander is not None)
    @rule(by=WHO, waiting=st.integers(0, 6))
    def challenge_and_relieve(self, by: str, waiting: int) -> None:
        lapse = timedelta(minutes=5)
        self.attempt(by, lambda: command.challenge(self.story.state, by, None, now=self.story.now, timeout=lapse))
        self.story.later(minutes=waiting)
        self.attempt(
            by,
            lambda: command.relieve(self.story.state, by, words("why"), qualified=True, now=self.story.now),
        )

    @precondition(lambda self: self.story.state.command.handover is not None)
    @rule(by=WHO)
    def accept_what_waits(self, by: str) -> None:
        self.attempt(by, lambda: command.accept_handover(self.story.state, by, qualified=True))

    @precondition(lambda self: self.story.state.restricted)
    @rule(by=WHO)
    def empty_the_list(self, by: str) -> None:
        for account in PEOPLE:
            self.attempt(by, lambda account=account: access.revoke(self.story.state, account, None, self.story.now))

    @invariant()
    def there_is_at_most_one_commander(self) -> None:
        state = self.story.state
        holders = [person for person in (*PEOPLE, OUTSIDER) if "commander" in state.roles_of(person)]
        assert holders == ([state.commander] if state.commander else [])
        if state.declared:
            assert (state.commander is None) == (state.command.vacant_since is not None)
        if state.command.challenge is not None:
            assert state.command.challenge.commander == state.commander

    @invariant()
    def the_peak_is_the_worst_level_ever_declared(self) -> None:
        severity = self.story.state.severity
        if severity.changes:
            assert severity.peak == min((change.level for change in severity.changes), key=rank)
            assert severity.level == severity.changes[-1].level
        if severity.lowering is not None:
            assert severity.lowering.by == self.story.state.commander

    @invariant()
    def outsiders_never_see_a_restricted_incident(self) -> None:
        state = self.story.state
        every_role = ("administrator", "responder", "observer", "auditor")
        seen = access.may_see(state, OUTSIDER, every_role, self.story.now)
        assert seen == (state.declared and not state.restricted)
        for person in PEOPLE:
            if state.restricted and access.may_see(state, person, every_role, self.story.now):
                assert person in access.viewers(state)

    @invariant()
    def a_restricted_incident_always_has_somebody_who_sees_it(self) -> None:
        state = self.story.state
        if state.declared and state.restricted:
            assert any(access.may_see(state, person, ("responder",), self.story.now) for person in PEOPLE)


TestIncident = Incident.TestCase
TestIncident.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
