"""GitLab audit events, Okta's System Log, Slack's audit log."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation.readers import gitlab_audit, okta_system, slack_audit
from tests.unit.investigation.readers.samples import GITLAB, OKTA, SLACK

LAB, LOG, CHAT = gitlab_audit.READER.fields, okta_system.READER.fields, slack_audit.READER.fields


def test_a_gitlab_event_tells_the_token_it_made() -> None:
    told = LAB(GITLAB)
    expected = {
        "time_us": 1767261600250000,
        "account_uid": "acme",
        "operation": "deploy_token_created",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "actor_name": "Alice Example",
        "issued_credential_uid": "DeployToken:501",
        "target_uid": "release",
        "target_type": "deploytoken",
        "src_ip": "203.0.113.7",
        "event_uid": "Project/7f3c",
    }
    assert told.items() >= expected.items()


def test_a_gitlab_event_without_a_type_is_named_by_what_changed() -> None:
    old = {"author_id": 1, "entity_id": 6, "entity_type": "Group", "created_at": "2026-01-01T10:00:00Z"}
    assert LAB({**old, "details": {"add": "user_access", "as": "Owner"}})["operation"] == "add user_access"
    assert LAB({**old, "details": {"custom_message": "Group archived"}})["operation"] == "Group archived"
    assert LAB({**old, "change": "visibility", "from": "Private", "to": "Public"})["request"] == {
        "change": "visibility",
        "from": "Private",
        "to": "Public",
    }
    assert LAB(old)["actor_uid"] == "gitlab:user:1"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"author_id": -1}, "anonymous"),
        ({"author_id": -2}, "service_account"),
        ({"author_id": -3}, "deploy_key"),
        ({"details": {"author_class": "Gitlab::Audit::CiRunnerTokenAuthor"}}, "ci_token"),
        ({"details": {"author_class": "Gitlab::Audit::DeployKeyAuthor"}}, "deploy_key"),
        ({"author_name": "project_7_bot_f3", "details": {}}, "service_account"),
    ],
)
def test_gitlab_authors_without_an_account_are_told_apart(more: dict[str, Any], kind: str) -> None:
    assert LAB({**GITLAB, **more})["actor_type"] == kind


def test_reading_a_secret_in_gitlab_is_a_read_of_data() -> None:
    told = LAB({**GITLAB, "event_type": "secrets_manager_read_project_secret"})
    assert (told["event_class"], told["access"], told["issued_credential_uid"]) == ("data", "read", None)


def test_an_okta_event_tells_session_token_and_person() -> None:
    told = LOG(OKTA)
    expected = {
        "time_us": 1767261600123000,
        "service": "system",
        "operation": "system.api_token.create",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "session_uid": "102abc",
        "credential_uid": "00T1",
        "issued_credential_uid": "00T9",
        "target_uid": "00T9",
        "target_type": "token",
        "src_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "event_uid": "5f0c7b1e-1f0d-11f0-8000-000000000001",
    }
    assert told.items() >= expected.items()
    assert told["detail"]["actor_id"] == "00u1"
    assert told["detail"]["security"] == {"isProxy": True}
    assert "zone" in told["detail"]


@pytest.mark.parametrize(
    ("result", "status", "error"),
    [
        ("SUCCESS", "success", None),
        ("ALLOW", "success", None),
        ("FAILURE", "failure", "INVALID_CREDENTIALS"),
        ("DENY", "failure", "INVALID_CREDENTIALS"),
        ("CHALLENGE", None, None),
        ("UNKNOWN", None, None),
    ],
)
def test_okta_outcomes_that_decide_nothing_are_neither(result: str, status: str | None, error: str | None) -> None:
    told = LOG({**OKTA, "outcome": {"result": result, "reason": "INVALID_CREDENTIALS"}})
    assert (told["status"], told["error"]) == (status, error)


def test_an_okta_sign_in_issues_its_session() -> None:
    told = LOG({**OKTA, "eventType": "user.session.start", "target": []})
    assert told["event_class"] == "signin"
    assert told["issued_session_uid"] == "102abc"
    assert "session_uid" not in told


def test_an_okta_act_on_a_person_is_about_the_person() -> None:
    targets = [{"id": "g1", "type": "UserGroup"}, {"id": "00u2", "type": "User", "alternateId": "Eve@Acme.example"}]
    told = LOG({**OKTA, "eventType": "user.account.privilege.grant", "target": targets})
    assert (told["target_uid"], told["target_type"]) == ("eve@acme.example", "user")
    assert told["issued_credential_uid"] is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("SystemPrincipal", "cloud_service"), ("PublicClientApp", "service_account"), ("Strange", "unknown")],
)
def test_okta_actors_are_told_apart_by_type(kind: str, expected: str) -> None:
    assert LOG({**OKTA, "actor": {"type": kind, "id": "x", "alternateId": "unknown"}})["actor_type"] == expected


def test_an_okta_event_under_keys_in_small_letters_is_the_same() -> None:
    assert LOG({key.lower(): value for key, value in OKTA.items()}) == LOG(OKTA)


def test_an_okta_event_is_taken_out_of_its_event_bus_envelope() -> None:
    unwrap = okta_system.READER.unwrap
    assert unwrap is not None
    assert unwrap({"detail-type": "SystemLog", "source": "aws.partner/okta.com/x", "detail": OKTA}) == [OKTA]
    assert unwrap({"detail-type": "Other", "detail": {"a": 1}}) is None


def test_a_slack_entry_tells_the_app_it_installed() -> None:
    told = CHAT(SLACK)
    expected = {
        "time_us": 1767261600000000,
        "account_uid": "E1",
        "operation": "app_installed",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "session_uid": "847288190092",
        "issued_credential_uid": "app:A9",
        "target_uid": "A9",
        "target_type": "app",
        "src_ip": "203.0.113.7",
    }
    assert told.items() >= expected.items()
    assert CHAT({**SLACK, "action": "user_login"})["issued_session_uid"] == "847288190092"
    assert CHAT({**SLACK, "action": "user_login_failed"})["status"] == "failure"
    assert CHAT({**SLACK, "action": "file_downloaded"})["event_class"] == "data"
