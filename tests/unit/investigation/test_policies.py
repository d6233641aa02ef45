"""Effective permission, one rule at a time; all combinations are in the property tests."""

from __future__ import annotations

from typing import Any

from holdfast.investigation.policies import Holder, Question, may

ME = "arn:aws:iam::111111111111:user/ada"
HOLDER = Holder(ME, "111111111111")
READ = Question("s3:GetObject", "arn:aws:s3:::b/secret/x")


def grant(effect: str = "allow", action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {
        "holder_uid": ME,
        "effect": effect,
        "action": action,
        "resource": resource,
        "via": "p",
        "condition": None,
        "boundary": False,
        **more,
    }


def test_without_a_grant_it_may_not() -> None:
    assert may(HOLDER, READ, []).verdict == "denied"


def test_an_explicit_deny_wins() -> None:
    found = may(HOLDER, READ, [grant(), grant("deny", resource="arn:aws:s3:::b/secret/*")])
    assert (found.verdict, found.deciding[0]["effect"]) == ("denied", "deny")


def test_actions_are_compared_without_case_and_resources_with_it() -> None:
    assert may(HOLDER, READ, [grant(action="S3:getobject")]).verdict == "allowed"
    assert may(HOLDER, READ, [grant(resource="arn:aws:s3:::B/*")]).verdict == "denied"


def test_a_condition_is_named_and_makes_it_conditional() -> None:
    found = may(HOLDER, READ, [grant(condition='{"Bool":{"aws:MultiFactorAuthPresent":"true"}}')])
    assert found.verdict == "conditional"
    assert "MultiFactorAuthPresent" in found.conditions[0]


def test_a_boundary_limits_what_policies_allow() -> None:
    limit = grant(action="ec2:*", boundary=True, via="boundary x")
    assert may(HOLDER, READ, [grant(), limit]).verdict == "denied"
    assert may(HOLDER, READ, [grant(), {**limit, "action": "s3:Get*"}]).verdict == "allowed"


def test_a_session_policy_limits_as_well() -> None:
    assert may(HOLDER, READ, [grant()], session=[grant(action="s3:PutObject")]).verdict == "denied"
    assert may(HOLDER, READ, [grant()], session=[]).verdict == "denied"


def test_what_notaction_leaves_out_is_not_allowed() -> None:
    assert may(HOLDER, READ, [grant(action="!iam:* s3:GetObject")]).verdict == "denied"
    assert may(HOLDER, READ, [grant(action="!iam:*")]).verdict == "allowed"


def test_a_deny_on_a_part_of_what_is_asked_makes_it_conditional() -> None:
    all_of_it = Question("s3:GetObject", "arn:aws:s3:::b/*")
    found = may(HOLDER, all_of_it, [grant(), grant("deny", resource="arn:aws:s3:::b/secret/*")])
    assert found.verdict == "conditional"
    assert "except arn:aws:s3:::b/secret/*" in found.conditions[0]


def test_the_users_own_name_fills_its_variable_and_others_stay_open() -> None:
    home = Question("s3:GetObject", "arn:aws:s3:::b/ada/x")
    assert may(HOLDER, home, [grant(resource="arn:aws:s3:::b/${aws:username}/*")]).verdict == "allowed"
    assert may(HOLDER, READ, [grant(resource="arn:aws:s3:::b/${aws:username}/*")]).verdict == "denied"
    assert may(HOLDER, home, [grant(resource="arn:aws:s3:::b/${aws:userid}/*")]).verdict == "conditional"


def test_a_resource_policy_allows_in_the_same_account_and_not_alone_in_another() -> None:
    policy = grant(via="resource-policy arn:aws:s3:::b")
    assert may(HOLDER, READ, [policy]).verdict == "allowed"
    foreign = Question(READ.action, READ.resource, "222222222222")
    assert may(HOLDER, foreign, [policy]).verdict == "denied"
    assert may(HOLDER, foreign, [policy, grant()]).verdict == "allowed"
    assert may(HOLDER, foreign, [grant()]).verdict == "cannot_tell"


def test_a_resource_policy_for_the_account_delegates_to_its_own_policies() -> None:
    policy = grant(via="resource-policy b", holder_uid="111111111111")
    assert may(HOLDER, READ, [policy]).verdict == "denied"
    assert may(HOLDER, Question(READ.action, READ.resource, "222222222222"), [policy, grant()]).verdict == "allowed"


def test_an_organisation_policy_of_unknown_attachment_makes_it_conditional() -> None:
    policy = grant(action="ec2:*", boundary=True, via="organisation-policy? p-1", holder_uid="p-1")
    found = may(HOLDER, READ, [grant(), policy])
    assert found.verdict == "conditional"
    assert "attached was not captured" in found.conditions[0]
