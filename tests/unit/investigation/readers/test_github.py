"""GitHub: audit log, runs and jobs."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation.readers import github_actions, github_audit
from tests.unit.investigation.readers.samples import GITHUB, GITHUB_JOB, GITHUB_RUN

AUDIT, ACTIONS = github_audit.READER.fields, github_actions.READER.fields
SESSION = "acme/shop/actions/runs/8123/attempts/2"


def _git(**more: Any) -> dict[str, Any]:
    return {"@timestamp": 1767261600123, "org": "acme", "repo": "acme/shop", "action": "git.clone", **more}


def test_an_audit_entry_tells_who_did_what_with_which_token() -> None:
    told = AUDIT(GITHUB)
    expected = {
        "time_us": 1767261600123000,
        "delivered_us": 1767261605456000,
        "account_uid": "acme",
        "service": "repo",
        "operation": "repo.create_actions_secret",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "mallory",
        "credential_uid": "9fT1vq0aZ8k=",
        "target_uid": "acme/shop",
        "target_type": "repo",
        "src_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "event_uid": "kq8Zs0-7Rr1",
    }
    assert told.items() >= expected.items()
    assert told["request"] == {"key": "DEPLOY_TOKEN"}
    assert told["detail"]["external_identity_nameid"] == "mallory@acme.example"


def test_without_an_event_time_the_time_of_writing_is_the_time() -> None:
    told = AUDIT({key: value for key, value in GITHUB.items() if key != "@timestamp"})
    assert (told["time_us"], told["delivered_us"]) == (1767261605456000, None)


@pytest.mark.parametrize(
    ("more", "kind", "uid"),
    [
        ({"actor": "github-actions[bot]"}, "ci_token", "github-actions[bot]"),
        ({"actor": "renovate", "actor_is_bot": True}, "ci_token", "renovate"),
        ({"actor": "x", "programmatic_access_type": "GitHub App server-to-server token"}, "ci_token", "x"),
        ({"actor": "x", "programmatic_access_type": "GitHub App user-to-server token"}, "human", "x"),
        ({"actor": "deploy_key", "deploy_key_fingerprint": "SHA256:k"}, "deploy_key", "deploy_key:SHA256:k"),
        ({"actor": "deploy_key"}, "deploy_key", "deploy_key:acme/shop"),
        ({"actor": "github"}, "cloud_service", "github"),
        ({}, "unknown", None),
    ],
)
def test_the_kind_of_actor_is_told_by_login_and_token(more: dict[str, Any], kind: str, uid: str | None) -> None:
    told = AUDIT(_git(**more))
    assert (told["actor_type"], told["actor_uid"], told["event_class"], told["access"]) == (kind, uid, "data", "read")


def test_a_token_made_by_the_act_is_issued_and_not_what_it_was_done_with() -> None:
    made = AUDIT({**GITHUB, "action": "personal_access_token.create", "programmatic_access_type": None})
    assert made["issued_credential_uid"] == "9fT1vq0aZ8k="
    assert "credential_uid" not in made
    by_token = AUDIT({**GITHUB, "action": "public_key.create", "fingerprint": "SHA256:new"})
    assert (by_token["credential_uid"], by_token["issued_credential_uid"]) == ("9fT1vq0aZ8k=", "SHA256:new")


def test_failures_are_told_by_action_status_and_conclusion() -> None:
    assert AUDIT(_git(action="user.failed_login", user="eve"))["status"] == "failure"
    assert AUDIT(_git(action="api.request", status_code=404))["error"] == "404"
    assert AUDIT(_git(action="workflows.completed_workflow_run", conclusion="failure"))["error"] == "failure"
    assert AUDIT(_git(action="user.failed_login"))["event_class"] == "signin"


def test_a_membership_is_about_the_person() -> None:
    told = AUDIT(_git(action="org.add_member", user="eve", actor="mallory", permission="admin"))
    assert (told["target_uid"], told["target_type"]) == ("eve", "user")


def test_a_workflow_run_is_one_session_in_the_audit_log_and_in_the_api() -> None:
    created = AUDIT(_git(action="workflows.created_workflow_run", workflow_run_id=8123, run_attempt=2))
    prepared = AUDIT(_git(action="workflows.prepared_workflow_job", workflow_run_id=8123, run_attempt=2))
    run, job = ACTIONS(GITHUB_RUN), ACTIONS(GITHUB_JOB)
    assert created["issued_session_uid"] == run["issued_session_uid"] == SESSION
    assert prepared["session_uid"] == job["session_uid"] == SESSION


def test_who_starts_a_run_again_acts_and_the_first_actor_stands_behind() -> None:
    told = ACTIONS(GITHUB_RUN)
    expected = {
        "actor_uid": "mallory",
        "actor_type": "human",
        "parent_uid": "alice",
        "time_us": 1767265200000000,
        "account_uid": "acme",
        "operation": "workflow_run",
        "event_class": "job",
        "status": "success",
        "target_uid": "acme/shop",
        "event_uid": "run/8123/2",
    }
    assert told.items() >= expected.items()
    assert told["detail"]["fork"] is True
    assert told["detail"]["head_repository"] == "mallory/shop"
    assert told["detail"]["pull_requests"] == [12]
    assert told["request"]["event"] == "pull_request_target"


def test_a_job_acts_with_the_token_of_its_run() -> None:
    told = ACTIONS(GITHUB_JOB)
    expected = {
        "actor_type": "ci_token",
        "operation": "workflow_job",
        "status": "failure",
        "error": "failure",
        "target_uid": "acme/shop",
        "event_uid": "job/9001/2",
    }
    assert told.items() >= expected.items()
    assert told["detail"]["runner_name"] == "box-3"


def test_lists_of_the_api_are_opened_and_other_lists_are_left_alone() -> None:
    unwrap = github_actions.READER.unwrap
    assert unwrap is not None
    assert unwrap({"total_count": 1, "workflow_runs": [GITHUB_RUN]}) == [GITHUB_RUN]
    assert unwrap({"total_count": 1, "jobs": [GITHUB_JOB]}) == [GITHUB_JOB]
    assert unwrap({"jobs": [{"name": "something else"}]}) is None
    assert unwrap({"workflow_runs": []}) is None


def test_a_subject_of_a_token_is_kept_where_the_record_has_one() -> None:
    told = ACTIONS({**GITHUB_JOB, "oidc_sub": "repo:acme/shop:environment:production"})
    assert told["detail"]["oidc_sub"] == "repo:acme/shop:environment:production"
