from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.incidents import EMPTY, access, roles
from holdfast.incidents.access import may_see, viewers
from holdfast.kernel.errors import BadInputError, ForbiddenError, RefusedError

from .folding import Folded, declared, words

ORG = ("administrator", "responder", "observer", "auditor")


def restricted() -> Folded:
    return declared(sensitivity="restricted", codename="GREY HERON")


def broken() -> Folded:
    story = restricted()
    events = access.break_glass(story.state, "eve", words("fire"), lasting=timedelta(hours=1), now=story.now)
    story.tell("eve", events)
    return story


@pytest.mark.parametrize("role", ORG)
def test_an_open_incident_is_seen_by_every_organisation_role(role: str) -> None:
    story = declared()
    assert may_see(story.state, "anybody", {role}, story.now)


@pytest.mark.parametrize("role", ORG)
def test_no_organisation_role_opens_a_restricted_incident(role: str) -> None:
    story = restricted()
    assert not may_see(story.state, "outsider", {role}, story.now)
    assert may_see(story.state, "asmith", {role}, story.now)


def test_nobody_sees_what_is_not_declared_or_without_a_role() -> None:
    story = restricted()
    assert not may_see(EMPTY, "asmith", ORG, story.now)
    assert not may_see(story.state, "asmith", (), story.now)


def test_a_grant_opens_and_a_revocation_closes() -> None:
    story = restricted()
    story.tell("asmith", access.grant(story.state, "bjones", None))
    assert may_see(story.state, "bjones", ORG, story.now)
    with pytest.raises(RefusedError, match="already"):
        access.grant(story.state, "bjones", None)
    story.tell("asmith", access.revoke(story.state, "bjones", None, story.now))
    assert not may_see(story.state, "bjones", ORG, story.now)
    with pytest.raises(RefusedError, match="not on"):
        access.revoke(story.state, "bjones", None, story.now)


def test_a_role_holder_sees_it_and_is_not_struck_off_while_holding_it() -> None:
    story = restricted()
    story.tell("asmith", roles.assign(story.state, "evidence_owner", "bjones", by="asmith", qualified=False))
    assert may_see(story.state, "bjones", ORG, story.now)
    with pytest.raises(RefusedError, match="evidence owner"):
        access.revoke(story.state, "bjones", None, story.now)
    story.tell("asmith", roles.release(story.state, "evidence_owner", "asmith", None))
    assert not may_see(story.state, "bjones", ORG, story.now)


def test_restricting_keeps_in_who_restricts_and_every_role_holder() -> None:
    story = declared()
    story.tell("asmith", roles.assign(story.state, "technical_lead", "bjones", by="asmith", qualified=False))
    story.tell("cdiaz", access.restrict(story.state, "GREY HERON", words("insider"), "cdiaz"))
    assert story.state.access.granted == {"asmith", "bjones", "cdiaz"}
    assert not may_see(story.state, "outsider", ORG, story.now)
    with pytest.raises(RefusedError, match="already"):
        access.restrict(story.state, None, words("why"), "asmith")


def test_unrestricting_opens_it_and_lists_are_for_restricted_incidents_only() -> None:
    story = restricted()
    story.tell("asmith", access.unrestrict(story.state, words("public now")))
    assert may_see(story.state, "outsider", ["observer"], story.now)
    with pytest.raises(RefusedError, match="open to the organisation"):
        access.grant(story.state, "bjones", None)


def test_broken_glass_opens_until_it_expires_and_tells_the_commander() -> None:
    story = broken()
    assert may_see(story.state, "eve", ORG, story.now)
    assert may_see(story.state, "eve", ORG, story.now + timedelta(minutes=59, seconds=59))
    assert not may_see(story.state, "eve", ORG, story.now + timedelta(hours=1))
    assert not may_see(story.state, "mallory", ORG, story.now)
    assert [(notice.to, notice.what) for notice in story.state.notices] == [("asmith", "glass_broken")]


def test_broken_glass_is_ended_early_by_revoking_it() -> None:
    story = broken()
    story.tell("asmith", access.revoke(story.state, "eve", None, story.now))
    assert not may_see(story.state, "eve", ORG, story.now)
    assert access.unreviewed(story.state)


def test_glass_is_broken_only_where_needed_and_for_some_time() -> None:
    story = restricted()
    with pytest.raises(RefusedError, match="see this incident already"):
        access.break_glass(story.state, "asmith", words("why"), lasting=timedelta(hours=1), now=story.now)
    with pytest.raises(BadInputError, match="some time"):
        access.break_glass(story.state, "eve", words("why"), lasting=timedelta(0), now=story.now)
    with pytest.raises(RefusedError, match="open to the organisation"):
        access.break_glass(declared().state, "eve", words("why"), lasting=timedelta(hours=1), now=story.now)


def test_somebody_else_reviews_a_broken_glass_once() -> None:
    story = broken()
    opened = story.state.access.break_glass[0].seq
    with pytest.raises(ForbiddenError, match="cannot review"):
        access.review_glass(story.state, opened, "eve", "justified", words("fine"))
    story.tell("asmith", access.review_glass(story.state, opened, "asmith", "unjustified", words("not a fire")))
    assert access.unreviewed(story.state) == ()
    with pytest.raises(RefusedError, match="owed: none"):
        access.review_glass(story.state, opened, "asmith", "justified", words("again"))


def test_the_viewers_are_who_may_see_it_with_the_end_of_their_sight() -> None:
    story = broken()
    story.tell("asmith", roles.assign(story.state, "technical_lead", "bjones", by="asmith", qualified=False))
    assert viewers(story.state) == {"asmith": "", "bjones": "", "eve": "2026-11-23T04:07:00.000Z"}


def test_the_last_person_cannot_be_struck_off() -> None:
    story = restricted()
    story.tell("asmith", access.grant(story.state, "bjones", None))
    from holdfast.incidents import command

    story.tell("asmith", command.vacate(story.state, "asmith", words("gone")))
    story.tell("bjones", access.revoke(story.state, "asmith", None, story.now))
    with pytest.raises(RefusedError, match="Nobody would be left"):
        access.revoke(story.state, "bjones", None, story.now)
