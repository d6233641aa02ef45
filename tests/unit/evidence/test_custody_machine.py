"""Custody and erasure under any sequence of acts by any people, refused ones included."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.evidence import custody, erasure
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import NewEvent
from tests.unit.evidence.folding import Record

PEOPLE = st.sampled_from(["ines", "omar", "bea"])
NUMBERS = st.integers(1, 5)
Decider = Callable[[], list[NewEvent]]


class CustodyMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.record = Record()
        self.erased: set[str] = set()
        self.custodians: dict[str, str] = {}

    def attempt(self, decide: Decider, by: str) -> None:
        before = self.record.state
        try:
            news = decide()
        except HoldfastError:
            return
        for event in self.record.add(news, by=by):
            data = event.data
            if event.type == "evidence.transfer_accepted":
                self.custodians[data["evidence_id"]] = by
            elif event.type == "evidence.erased":
                assert not erasure.holds_on_evidence(before, data["evidence_id"])
                assert data["evidence_id"] not in self.erased
                self.erased.add(data["evidence_id"])
            elif event.type == "text.erased":
                assert not erasure.holds_on_text(before, data["text_id"])
            elif event.type == "erasure.approved":
                assert by != data["requested_by"]

    @rule(by=PEOPLE, content=st.sampled_from("abc"))
    def collect(self, by: str, content: str) -> None:
        if len(self.record.state.items) < 5:
            item = self.record.collect(by=by, content=content)
            self.custodians[item] = by

    @rule(item=NUMBERS, to=PEOPLE, by=PEOPLE, reasoned=st.booleans())
    def propose(self, item: int, to: str, by: str, reasoned: bool) -> None:
        reason = self.record.words() if reasoned else None
        self.attempt(lambda: custody.propose_transfer(self.record.state, f"ev-{item}", to, by, reason), by)

    @rule(item=NUMBERS, by=PEOPLE)
    def accept(self, item: int, by: str) -> None:
        self.attempt(lambda: custody.accept_transfer(self.record.state, f"ev-{item}", by), by)

    @rule(item=NUMBERS, by=PEOPLE)
    def refuse(self, item: int, by: str) -> None:
        reason = self.record.words()
        self.attempt(lambda: custody.refuse_transfer(self.record.state, f"ev-{item}", by, reason), by)

    @rule(item=NUMBERS, by=PEOPLE)
    def view(self, item: int, by: str) -> None:
        self.attempt(lambda: custody.view(self.record.state, f"ev-{item}", None), by)

    @rule(items=st.sets(NUMBERS, max_size=2), by=PEOPLE)
    def hold(self, items: set[int], by: str) -> None:
        reason = self.record.words()
        names = [f"ev-{item}" for item in items]
        self.attempt(lambda: erasure.place_hold(self.record.state, names, reason), by)

    @precondition(lambda self: self.record.state.active_holds)
    @rule(data=st.data(), by=PEOPLE)
    def release(self, data: st.DataObject, by: str) -> None:
        hold = data.draw(st.sampled_from([hold.id for hold in self.record.state.active_holds]))
        reason = self.record.words()
        self.attempt(lambda: erasure.release_hold(self.record.state, hold, reason), by)

    @rule(item=NUMBERS, by=PEOPLE, name_only=st.booleans())
    def request(self, item: int, by: str, name_only: bool) -> None:
        state, name = self.record.state, f"ev-{item}"
        reason, basis = self.record.words(), self.record.words()
        if name_only and name in state.items:
            self.attempt(lambda: erasure.request_text(state, state.items[name].name, reason, basis), by)
        else:
            self.attempt(lambda: erasure.request_evidence(state, name, reason, basis), by)

    @precondition(lambda self: self.record.state.erasures)
    @rule(data=st.data(), by=PEOPLE, approve=st.booleans())
    def decide(self, data: st.DataObject, by: str, approve: bool) -> None:
        order = data.draw(st.sampled_from(sorted(self.record.state.erasures)))
        reason = self.record.words()
        if approve:
            self.attempt(lambda: erasure.approve(self.record.state, order, by), by)
        else:
            self.attempt(lambda: erasure.decline(self.record.state, order, reason), by)

    @invariant()
    def exactly_one_custodian_each_and_only_acceptance_changed_it(self) -> None:
        assert {name: item.custodian for name, item in self.record.state.items.items()} == self.custodians

    @invariant()
    def nothing_erased_comes_back(self) -> None:
        standing = {name for name, item in self.record.state.items.items() if item.standing == "erased"}
        assert standing == self.erased

    @invariant()
    def an_erased_item_keeps_neither_offer_nor_name(self) -> None:
        for item in self.record.state.items.values():
            if item.standing == "erased":
                assert item.transfer is None
                assert item.name.text_id in self.record.state.erased_texts


CustodyMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCustody = CustodyMachine.TestCase
