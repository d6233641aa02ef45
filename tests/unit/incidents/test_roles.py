from __future__ import annotations

import pytest

from holdfast.incidents import command, roles
from holdfast.incidents.roles import acting_alone, role_book
from holdfast.incidents.state_command import ROLES
from holdfast.kernel.errors import ForbiddenError, RefusedError
from holdfast.kernel.events import NewEvent

from .folding import Folded, declared, words


def with_roles(**held: str) -> Folded:
    story = declared()
    for role, account in held.items():
        events = roles.assign(story.state, role, account, by="asmith", qualified=True)  # type: ignore[arg-type]  # a role
        story.tell("asmith", events)
    return story


def test_the_book_holds_the_five_roles_in_order() -> None:
    book = role_book()
    assert tuple(book.roles) == ROLES
    assert [role.runbook for role in book.roles.values()] == ["R1", "R2", "R3", "R4", "R5"]
    assert {key for key, role in book.roles.items() if role.qualified} == {"commander", "business_owner"}
    assert book.limits.challenge.total_seconds() == 300


def test_one_person_may_hold_several_roles() -> None:
    state = with_roles(technical_lead="bjones", evidence_owner="bjones").state
    assert state.roles_of("bjones") == ("technical_lead", "evidence_owner")


def test_assigning_replaces_the_holder_and_tells_the_new_one() -> None:
    story = with_roles(evidence_owner="bjones")
    story.tell("asmith", roles.assign(story.state, "evidence_owner", "cdiaz", by="asmith", qualified=False))
    assert story.state.holder("evidence_owner") == "cdiaz"
    assert story.data("role.assigned")["previous"] == "bjones"
    assert [notice.to for notice in story.state.notices] == ["bjones", "cdiaz"]


def test_the_business_owner_is_a_qualified_person() -> None:
    with pytest.raises(ForbiddenError, match="business owner"):
        roles.assign(declared().state, "business_owner", "bjones", by="asmith", qualified=False)


def test_a_role_is_not_given_to_its_holder_again() -> None:
    with pytest.raises(RefusedError, match="already"):
        roles.assign(with_roles(evidence_owner="bjones").state, "evidence_owner", "bjones", by="asmith", qualified=True)


@pytest.mark.parametrize("by", ["bjones", "asmith"])
def test_the_holder_or_the_commander_ends_a_role(by: str) -> None:
    story = with_roles(evidence_owner="bjones")
    story.tell(by, roles.release(story.state, "evidence_owner", by, None))
    assert story.state.holder("evidence_owner") is None
    assert story.state.roles.released_at["evidence_owner"] == story.now


def test_nobody_else_ends_a_role_and_an_unfilled_one_has_no_end() -> None:
    with pytest.raises(ForbiddenError, match="bjones or the commander"):
        roles.release(with_roles(evidence_owner="bjones").state, "evidence_owner", "cdiaz", None)
    with pytest.raises(RefusedError, match="no evidence owner"):
        roles.release(declared().state, "evidence_owner", "asmith", None)


@pytest.mark.parametrize(
    ("held", "account", "needed", "alone"),
    [
        ({}, "asmith", ("commander",), False),
        ({}, "asmith", ("commander", "technical_lead"), True),
        ({"technical_lead": "bjones"}, "asmith", ("commander", "technical_lead"), False),
        ({"technical_lead": "asmith"}, "asmith", ("commander",), True),
        ({"business_owner": "bjones"}, "bjones", ("business_owner",), False),
        ({"business_owner": "bjones", "evidence_owner": "bjones"}, "bjones", ("business_owner",), True),
    ],
)
def test_acting_alone_is_standing_in_for_several_roles_with_nobody_beside(
    held: dict[str, str], account: str, needed: tuple[str, ...], *, alone: bool
) -> None:
    assert acting_alone(with_roles(**held).state, account, needed) is alone


def alone() -> Folded:
    story = declared()
    story.tell("asmith", [NewEvent("gate.waived.elsewhere", {"acting_alone": True})])
    return story


def test_any_packages_event_that_says_acting_alone_owes_a_countersignature() -> None:
    (owed,) = alone().state.owed
    assert (owed.what, owed.by) == ("gate.waived.elsewhere", "asmith")
    story = declared()
    story.tell("asmith", [NewEvent("gate.waived.elsewhere", {"acting_alone": False})])
    assert story.state.owed == ()


def test_somebody_else_countersigns() -> None:
    story = alone()
    seq = story.state.owed[0].seq
    with pytest.raises(ForbiddenError, match="acted alone"):
        roles.countersign(story.state, seq, "asmith", None)
    story.tell("bjones", roles.countersign(story.state, seq, "bjones", words("seen")))
    assert story.state.owed == ()
    with pytest.raises(RefusedError, match="owed: none"):
        roles.countersign(story.state, seq, "bjones", None)


def test_vacating_command_leaves_the_other_roles() -> None:
    story = with_roles(technical_lead="bjones")
    story.tell("asmith", command.vacate(story.state, "asmith", words("ill")))
    assert story.state.holder("technical_lead") == "bjones"
