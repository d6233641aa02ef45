from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.incidents import freezing, passes
from holdfast.incidents.freezing import (
    RESTRICTED_WORDS,
    GateAnswer,
    Origin,
    PassAnswer,
    combined,
    gate,
    in_force,
    is_scope,
    lies_within,
    standing_freezes,
    stops,
)
from holdfast.incidents.state_board import Freeze, Pass
from holdfast.kernel.errors import BadInputError, HoldfastError, NotFoundError, RefusedError
from tests.unit.incidents.boarding import T0, Recorder, minutes, words

OPEN = Origin("INC-2026-0042", restricted=False)
SECRET = Origin("RES-9f31c2", restricted=True)
SEGMENT = st.sampled_from(["prod", "production", "pay", "payments", "a", "b.c", "x-1"])
SCOPE = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)
HOUR = timedelta(hours=1)
DAYS = timedelta(days=7)


def freeze(*scopes: str, exceptions: tuple[str, ...] = (), until: datetime = T0 + HOUR, number: int = 1) -> Freeze:
    return Freeze(f"freeze-{number}", scopes, exceptions, words("why"), "ana", "ana", T0, until, seq=number)


def ordered(recorder: Recorder, *scopes: str, until: datetime = T0 + HOUR, exceptions: tuple[str, ...] = ()) -> None:
    recorder.record(
        freezing.order(recorder.state, scopes, exceptions, until, reason=words("why"), ask="ana", now=recorder.now)
    )


def issued(recorder: Recorder, scope: str = "prod/payments", to: str = "deploy-*", uses: int = 2) -> Pass:
    recorder.record(
        passes.issue_pass(
            recorder.state, scope, to, recorder.now + HOUR, max_uses=uses, reason=words(), now=recorder.now
        )
    )
    return list(recorder.state.passes.values())[-1]


def segments(scope: str) -> list[str]:
    return scope.split("/")


@given(SCOPE, SCOPE)
def test_a_freeze_reaches_by_whole_segments_down_and_up(frozen: str, asked: str) -> None:
    shorter = min(len(segments(frozen)), len(segments(asked)))
    related = segments(frozen)[:shorter] == segments(asked)[:shorter]
    assert stops(freeze(frozen), asked) == related
    assert lies_within(asked, frozen) == (segments(asked)[: len(segments(frozen))] == segments(frozen))


def test_prod_covers_payments_below_it_but_not_production() -> None:
    assert stops(freeze("prod"), "prod/payments")
    assert not stops(freeze("prod"), "production")
    assert not stops(freeze("prod/pay"), "prod/payments")


def test_asking_for_all_of_prod_is_frozen_when_only_a_part_is() -> None:
    assert gate([freeze("prod/payments")], "prod", T0, OPEN).verdict == "frozen"
    assert gate([freeze("prod/payments")], "prod/web", T0, OPEN).verdict == "go"


@given(SCOPE, SCOPE, SCOPE)
def test_an_exception_frees_itself_and_below_and_nothing_wider(base: str, below: str, asked: str) -> None:
    exception = f"{base}/{below}"
    partly = freeze(base, exceptions=(exception,))
    assert stops(partly, asked) == (stops(freeze(base), asked) and not lies_within(asked, exception))
    assert not stops(partly, f"{exception}/deeper")
    assert stops(partly, base)


@given(SCOPE, SCOPE)
def test_more_freezes_never_turn_frozen_into_go(first: str, second: str) -> None:
    for asked in (first, second, "prod"):
        one = gate([freeze(first)], asked, T0, OPEN).verdict
        two = gate([freeze(first), freeze(second, number=2)], asked, T0, OPEN).verdict
        assert two == "frozen" if one == "frozen" else two in {"go", "frozen"}


def test_an_exception_of_one_freeze_does_not_open_another() -> None:
    both = [freeze("prod", exceptions=("prod/web",)), freeze("prod/web", number=2)]
    assert gate(both, "prod/web", T0, OPEN).freeze_id == "freeze-2"


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (T0 - timedelta(milliseconds=1), "go"),
        (T0, "frozen"),
        (T0 + HOUR - timedelta(milliseconds=1), "frozen"),
        (T0 + HOUR, "go"),
    ],
)
def test_a_freeze_holds_from_its_order_up_to_but_not_at_its_expiry(at: datetime, verdict: str) -> None:
    assert gate([freeze("prod")], "prod", at, OPEN).verdict == verdict


def test_of_several_freezes_the_one_that_lasts_longest_is_named() -> None:
    answer = gate([freeze("prod"), freeze("prod", until=T0 + 2 * HOUR, number=2)], "prod", T0, OPEN)
    assert (answer.freeze_id, answer.until, answer.ask) == ("freeze-2", T0 + 2 * HOUR, "ana")
    assert answer.words == "frozen by INC-2026-0042 until 2026-11-23T05:07:00.000Z; ask ana"
    assert answer.reason == words("why")


def test_a_restricted_incident_says_only_that_a_security_incident_froze_it() -> None:
    refused = PassAnswer(opens=False, pass_id="pass-1", why="the pass has expired")
    answer = gate([freeze("prod")], "prod", T0, SECRET, refused)
    assert answer == GateAnswer("frozen", RESTRICTED_WORDS)


@pytest.mark.parametrize("scope", ["", "/", "prod/", "/prod", "Prod", "prod//x", "prod pay", "..", "a" * 201, "prod\n"])
def test_what_is_not_a_scope_is_unknown_and_never_go(scope: str) -> None:
    assert not is_scope(scope)
    assert gate([], scope, T0, OPEN).verdict == "unknown"


def test_frozen_beats_unknown_beats_go_over_all_incidents() -> None:
    go, unknown = GateAnswer("go", "not frozen"), GateAnswer("unknown", "cannot tell")
    named = gate([freeze("prod")], "prod", T0, OPEN)
    hidden = gate([freeze("prod", until=T0 + DAYS)], "prod", T0, SECRET)
    used = GateAnswer("go", "opened", passed_by="pass-1")
    assert combined([]).verdict == "go"
    assert combined([go, unknown]) == unknown
    assert combined([unknown, hidden, go]) == hidden
    assert combined([hidden, named]) == combined([named, hidden]) == named
    assert combined([go, used, go]) == used
    assert combined([used, hidden]).passed_by is None, "a pass that did not help is not used"


def test_a_freeze_without_scope_or_with_an_exception_outside_is_refused() -> None:
    recorder = Recorder()
    for scopes, exceptions in [((), ()), (("Prod",), ()), (("prod",), ("stage",)), (("prod",), ("prod",))]:
        with pytest.raises(BadInputError):
            ordered(recorder, *scopes, exceptions=exceptions)
    with pytest.raises(BadInputError, match="nothing or everything"):
        ordered(recorder, "prod/web", exceptions=("prod",))


@pytest.mark.parametrize("until", [T0, T0 - HOUR, T0 + DAYS + timedelta(milliseconds=1)])
def test_an_expiry_is_mandatory_to_come_and_within_seven_days(until: datetime) -> None:
    with pytest.raises(BadInputError) as refused:
        ordered(Recorder(), "prod", until=until)
    assert refused.value.code == "freeze-expiry-invalid"


def test_seven_days_exactly_are_accepted_and_ids_count_up() -> None:
    recorder = Recorder()
    ordered(recorder, "prod", "prod", until=T0 + DAYS)
    ordered(recorder, "stage")
    assert list(recorder.state.freezes) == ["freeze-1", "freeze-2"]
    assert recorder.state.freezes["freeze-1"].scopes == ("prod",)


def test_a_freeze_is_only_extended_to_later_and_only_while_in_force() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    with pytest.raises(BadInputError, match="already"):
        freezing.extend(recorder.state, "freeze-1", T0 + HOUR, words(), T0)
    recorder.record(freezing.extend(recorder.state, "freeze-1", T0 + 2 * HOUR, words(), T0))
    assert gate(recorder.state.freezes.values(), "prod", T0 + 1.5 * HOUR, OPEN).verdict == "frozen"
    with pytest.raises(RefusedError, match="lapsed"):
        freezing.extend(recorder.state, "freeze-1", T0 + 4 * HOUR, words(), T0 + 2 * HOUR)
    with pytest.raises(NotFoundError):
        freezing.lift(recorder.state, "freeze-9", words(), T0)


def test_a_lifted_freeze_lets_go_at_once_and_is_not_lifted_twice() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    recorder.record(freezing.lift(recorder.state, "freeze-1", words(), T0))
    assert gate(recorder.state.freezes.values(), "prod", T0, OPEN).verdict == "go"
    with pytest.raises(RefusedError, match="was lifted"):
        freezing.lift(recorder.state, "freeze-1", words(), T0)


def test_declining_is_refused_while_a_freeze_is_in_force() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    with pytest.raises(RefusedError, match="in force"):
        freezing.decline(recorder.state, words(), T0)
    recorder.record(freezing.decline(recorder.state, words(), T0 + HOUR), at=T0 + HOUR)
    assert recorder.state.declined is not None


def test_the_expiry_is_warned_of_once_before_it_lapses_and_again_after_an_extension() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    due = T0 + minutes(45)
    assert freezing.warn_at(recorder.state, T0) == due
    assert freezing.warn(recorder.state, due - timedelta(milliseconds=1)) == []
    recorder.record(freezing.warn(recorder.state, due), at=due)
    assert recorder.events[-1].data == {"freeze_id": "freeze-1", "expires_at": "2026-11-23T04:07:00.000Z"}
    assert freezing.warn(recorder.state, due) == []
    assert freezing.warn_at(recorder.state, due) is None
    recorder.record(freezing.extend(recorder.state, "freeze-1", T0 + 2 * HOUR, words(), due))
    assert len(freezing.warn(recorder.state, T0 + minutes(105))) == 1
    assert freezing.warn(recorder.state, T0 + 2 * HOUR) == [], "too late is not a warning"


def test_a_pass_needs_a_standing_freeze_and_lives_at_most_four_hours() -> None:
    recorder = Recorder()
    with pytest.raises(RefusedError, match="No freeze in force"):
        issued(recorder)
    ordered(recorder, "prod", until=T0 + DAYS)
    for until in (T0, T0 + timedelta(hours=4, milliseconds=1)):
        with pytest.raises(BadInputError, match="4 hours"):
            passes.issue_pass(recorder.state, "prod", "x", until, max_uses=1, reason=words(), now=T0)
    for uses in (0, 101):
        with pytest.raises(BadInputError, match="1 to 100"):
            passes.issue_pass(recorder.state, "prod", "x", T0 + HOUR, max_uses=uses, reason=words(), now=T0)
    assert passes.issue_pass(recorder.state, "prod", "x", T0 + 4 * HOUR, max_uses=1, reason=words(), now=T0)


def test_a_pass_opens_its_scope_for_its_holder_until_it_ends_or_is_used_up() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    known = issued(recorder)
    payload = passes.pass_payload("INC-2026-0042", known)

    def ask(scope: str = "prod/payments/api", at: datetime = T0, used: int = 0, who: str = "deploy-7") -> str:
        return passes.check_pass(payload, scope, at, used, revoked=False, asker=who).why

    assert ask() == ""
    assert ask("prod/payments") == ""
    assert ask("prod") == "the pass is for another scope"
    assert ask("prod/paymentsx") == "the pass is for another scope"
    assert ask(who="deploy") == "the pass was issued to somebody else"
    assert ask(who="") == "the pass was issued to somebody else"
    assert ask(used=1) == ""
    assert ask(used=2) == "the pass is used up"
    assert ask(at=T0 + HOUR - timedelta(milliseconds=1)) == ""
    assert ask(at=T0 + HOUR) == "the pass has expired"
    assert ask(at=T0 - timedelta(milliseconds=1)) == "the pass is not valid yet"
    assert (
        passes.check_pass(payload, "prod/payments", T0, 0, revoked=True, asker="deploy-7").why == "the pass is revoked"
    )


def test_the_gate_lets_a_valid_pass_through_and_says_which_and_otherwise_why_not() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    known = issued(recorder)
    good = passes.check_known(known, "prod/payments", "deploy-7", T0)
    assert gate(recorder.state.freezes.values(), "prod/payments", T0, OPEN, good).passed_by == "pass-1"
    assert gate(recorder.state.freezes.values(), "stage", T0, OPEN, good).passed_by is None, "not frozen needs no pass"
    bad = passes.check_known(known, "prod/web", "deploy-7", T0)
    answer = gate(recorder.state.freezes.values(), "prod/web", T0, OPEN, bad)
    assert answer.verdict == "frozen"
    assert answer.words.endswith("; the pass is for another scope")


def test_the_last_use_of_a_pass_is_never_shared() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    issued(recorder, uses=1)
    recorder.record(passes.use_pass(recorder.state, "pass-1", "prod/payments", "deploy-7", T0))
    assert recorder.state.passes["pass-1"].used == 1
    with pytest.raises(RefusedError, match="used up"):
        passes.use_pass(recorder.state, "pass-1", "prod/payments", "deploy-8", T0)


def test_a_revoked_pass_opens_nothing_and_is_not_revoked_twice() -> None:
    recorder = Recorder()
    ordered(recorder, "prod")
    issued(recorder)
    recorder.record(passes.revoke_pass(recorder.state, "pass-1", words()))
    with pytest.raises(RefusedError, match="revoked"):
        passes.use_pass(recorder.state, "pass-1", "prod/payments", "deploy-7", T0)
    with pytest.raises(RefusedError, match="revoked already"):
        passes.revoke_pass(recorder.state, "pass-1", words())
    with pytest.raises(NotFoundError):
        passes.revoke_pass(recorder.state, "pass-2", words())


def token() -> str:
    recorder = Recorder()
    ordered(recorder, "prod")
    return passes.pass_token(passes.pass_payload("INC-2026-0042", issued(recorder)), b"\x07" * 64)


def test_a_token_reads_back_to_what_was_signed() -> None:
    read = passes.read_token(token())
    assert read.signature == b"\x07" * 64
    assert json.loads(read.body) == read.payload
    assert passes.check_pass(read.payload, "prod/payments", T0, 0, revoked=False, asker="deploy-1").opens


@given(st.data())
def test_a_token_with_any_character_changed_is_unreadable_or_another_token(data: st.DataObject) -> None:
    whole = token()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda char: char != whole[place]))
    changed = whole[:place] + other + whole[place + 1 :]
    original = passes.read_token(whole)
    try:
        read = passes.read_token(changed)
    except BadInputError:
        return
    assert (read.body, read.signature) != (original.body, original.signature)


@given(st.text(max_size=200))
def test_whatever_is_offered_as_a_pass_is_a_clear_error(text: str) -> None:
    with pytest.raises(BadInputError):
        passes.read_token(text)


def test_a_token_of_ten_thousand_brackets_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadInputError):
        passes.read_token("W1tb" * 10_000 + ".AAAA")


@pytest.mark.parametrize(
    "change",
    [{"purpose": "x"}, {"version": 2}, {"scope": 7}, {"max_uses": "2"}, {"expires_at": "soon"}, {"issued_at": None}],
)
def test_a_payload_of_another_shape_opens_nothing(change: dict[str, object]) -> None:
    payload = {**passes.read_token(token()).payload, **change}
    answer = passes.check_pass(payload, "prod/payments", T0, 0, revoked=False, asker="deploy-1")
    assert answer == PassAnswer(opens=False, pass_id="", why="the pass cannot be read")
    missing = {name: value for name, value in payload.items() if name not in change}
    assert not passes.check_pass(missing, "prod/payments", T0, 0, revoked=False, asker="deploy-1").opens


class FreezeMachine(RuleBasedStateMachine):
    """Orders, extensions, passes and time in any order, against a model that knows only intervals."""

    def __init__(self) -> None:
        super().__init__()
        self.recorder = Recorder()
        self.ends: dict[str, tuple[str, datetime]] = {}
        self.uses: dict[str, int] = {}
        self.revoked: set[str] = set()

    def attempt(self, action: object) -> bool:
        try:
            self.recorder.record(action())  # type: ignore[operator]  # a decider bound to its arguments
        except HoldfastError:
            return False
        return True

    @rule(scope=SCOPE, lasts=st.integers(-5, 8 * 24 * 60))
    def order(self, scope: str, lasts: int) -> None:
        until = self.recorder.now + minutes(lasts)
        accepted = self.attempt(
            lambda: freezing.order(
                self.recorder.state, [scope], [], until, reason=words(), ask="ana", now=self.recorder.now
            )
        )
        assert accepted == (0 < lasts <= 7 * 24 * 60)
        if accepted:
            self.ends[list(self.recorder.state.freezes)[-1]] = (scope, until)

    @precondition(lambda self: self.ends)
    @rule(data=st.data(), lasts=st.integers(1, 7 * 24 * 60))
    def extend(self, data: st.DataObject, lasts: int) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.ends)))
        scope, end = self.ends[chosen]
        now, until = self.recorder.now, self.recorder.now + minutes(lasts)
        accepted = self.attempt(lambda: freezing.extend(self.recorder.state, chosen, until, words(), now))
        assert accepted == (now < end < until)
        if accepted:
            self.ends[chosen] = (scope, until)

    @precondition(lambda self: self.ends)
    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.ends)))
        scope, end = self.ends[chosen]
        accepted = self.attempt(lambda: freezing.lift(self.recorder.state, chosen, words(), self.recorder.now))
        assert accepted == (self.recorder.now < end)
        if accepted:
            self.ends[chosen] = (scope, self.recorder.now)

    @rule(step=st.integers(1, 600))
    def wait(self, step: int) -> None:
        self.recorder.now += minutes(step)

    @rule()
    def warn(self) -> None:
        due = freezing.warn(self.recorder.state, self.recorder.now)
        if due:
            self.recorder.record(due)
        assert freezing.warn(self.recorder.state, self.recorder.now) == []

    @rule(scope=SCOPE, uses=st.integers(1, 2))
    def issue(self, scope: str, uses: int) -> None:
        now = self.recorder.now
        frozen = any(in_force(one, now) and stops(one, scope) for one in self.recorder.state.freezes.values())
        accepted = self.attempt(
            lambda: passes.issue_pass(
                self.recorder.state, scope, "*", now + HOUR, max_uses=uses, reason=words(), now=now
            )
        )
        assert accepted == frozen
        if accepted:
            self.uses[list(self.recorder.state.passes)[-1]] = 0

    @precondition(lambda self: self.uses)
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.uses)))
        known = self.recorder.state.passes[chosen]
        expected = (
            chosen not in self.revoked and self.uses[chosen] < known.max_uses and self.recorder.now < known.expires_at
        )
        accepted = self.attempt(
            lambda: passes.use_pass(self.recorder.state, chosen, known.scope, "deploy-1", self.recorder.now)
        )
        assert accepted == expected
        self.uses[chosen] += accepted

    @precondition(lambda self: self.uses)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.uses)))
        accepted = self.attempt(lambda: passes.revoke_pass(self.recorder.state, chosen, words()))
        assert accepted == (chosen not in self.revoked)
        self.revoked.add(chosen)

    @invariant()
    def in_force_is_what_the_model_says(self) -> None:
        now = self.recorder.now
        expected = [name for name, (_, end) in self.ends.items() if now < end]
        assert [one.id for one in standing_freezes(self.recorder.state, now)] == expected
        for scope, end in self.ends.values():
            if now < end:
                assert gate(self.recorder.state.freezes.values(), scope, now, OPEN).verdict == "frozen"

    @invariant()
    def no_pass_is_used_beyond_its_number(self) -> None:
        for name, used in self.uses.items():
            known = self.recorder.state.passes[name]
            assert known.used == used <= known.max_uses


TestFreezeMachine = FreezeMachine.TestCase
TestFreezeMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
