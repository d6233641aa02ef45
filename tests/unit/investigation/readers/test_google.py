"""Google Workspace activities and Google Cloud audit logs."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from holdfast.investigation.readers import gcp_audit, google_workspace
from tests.unit.investigation.readers.samples import GCP, GWS

CLOUD = gcp_audit.READER.fields
ADMIN = next(reader for reader in google_workspace.READERS if reader.key == "gws.admin")

TWO_ACTS = {
    **GWS,
    "events": [
        *GWS["events"],
        {"type": "USER_SETTINGS", "name": "CREATE_USER", "parameters": [{"name": "N", "multiIntValue": ["1", "2"]}]},
    ],
}


def _cloud(**payload: Any) -> dict[str, Any]:
    entry = copy.deepcopy(GCP)
    entry["protoPayload"].update(payload)
    return entry


def test_an_activity_of_several_events_is_an_envelope_of_as_many_records() -> None:
    assert ADMIN.unwrap is not None
    assert not ADMIN.recognises(TWO_ACTS)
    parts = ADMIN.unwrap(TWO_ACTS)
    assert parts is not None
    assert all(ADMIN.recognises(part) for part in parts)
    told = [ADMIN.fields(part) for part in parts]
    assert [row["operation"] for row in told] == ["ASSIGN_ROLE", "CREATE_USER"]
    assert len({row["event_uid"] for row in told}) == 2
    assert ADMIN.unwrap(GWS) is None


def test_a_page_of_activities_gives_all_their_events() -> None:
    assert ADMIN.unwrap is not None
    page = ADMIN.unwrap({"kind": "admin#reports#activities", "items": [GWS, TWO_ACTS, "broken"]})
    assert page is not None
    assert len(page) == 4
    assert page[0] is GWS
    assert ADMIN.unwrap({"items": [{"kind": "Pod"}]}) is None
    assert ADMIN.unwrap({"items": []}) is None


def test_an_activity_tells_act_target_and_person() -> None:
    told = ADMIN.fields(GWS)
    expected = {
        "time_us": 1767261600123000,
        "account_uid": "C01",
        "service": "admin",
        "operation": "ASSIGN_ROLE",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "target_uid": "eve@acme.example",
        "target_type": "user",
        "src_ip": "203.0.113.7",
        "event_uid": "admin/2026-01-01T10:00:00.123Z/-77",
    }
    assert told.items() >= expected.items()
    assert told["request"]["ROLE_NAME"] == "_SEED_ADMIN_ROLE"


def _activity(application: str, name: str, **more: Any) -> dict[str, Any]:
    return {**GWS, "id": {**GWS["id"], "applicationName": application}, "events": [{"name": name}], **more}


@pytest.mark.parametrize(
    ("application", "key"),
    [
        ("login", "gws.login"),
        ("mobile", "gws.device"),
        ("user_accounts", "gws.user_accounts"),
        ("new_one", "gws.other"),
    ],
)
def test_the_application_is_the_source(application: str, key: str) -> None:
    record = _activity(application, "x")
    assert [reader.key for reader in google_workspace.READERS if reader.recognises(record)] == [key]


@pytest.mark.parametrize(
    ("application", "name", "expected"),
    [
        ("login", "login_success", {"event_class": "signin", "status": "success"}),
        ("login", "login_failure", {"event_class": "signin", "status": "failure", "error": "login_failure"}),
        ("login", "email_forwarding_out_of_domain", {"event_class": "management", "access": "write"}),
        ("drive", "download", {"event_class": "data", "access": "read"}),
        ("drive", "change_user_access", {"event_class": "management", "access": "write"}),
        ("token", "authorize", {"event_class": "management", "access": "write"}),
    ],
)
def test_class_and_outcome_go_by_application_and_name(application: str, name: str, expected: dict[str, Any]) -> None:
    assert ADMIN.fields(_activity(application, name)).items() >= expected.items()


def test_an_application_with_delegation_stands_behind_the_person_it_acts_for() -> None:
    actor = {"email": "bob@acme.example", "applicationInfo": {"oauthClientId": "123", "impersonation": True}}
    told = ADMIN.fields(_activity("drive", "download", actor=actor))
    assert (told["parent_uid"], told["session_uid"]) == ("123", "123 as bob@acme.example")
    by_key = ADMIN.fields(_activity("admin", "X", actor={"callerType": "KEY", "key": "consumer"}))
    assert (by_key["actor_type"], by_key["actor_uid"]) == ("service_account", "consumer")


def test_flattened_parameters_are_read_alike() -> None:
    flat = {"id": GWS["id"], "actor": GWS["actor"], "name": "CREATE_USER", "parameters": {"USER_EMAIL": "e@a.example"}}
    told = ADMIN.fields(flat)
    assert (told["operation"], told["target_uid"]) == ("CREATE_USER", "e@a.example")


def test_a_cloud_entry_tells_the_key_used_the_key_made_and_who_is_behind() -> None:
    told = CLOUD(GCP)
    expected = {
        "time_us": 1767261600123456,
        "delivered_us": 1767261602000000,
        "account_uid": "shop",
        "region": "europe-north1",
        "service": "iam",
        "operation": "google.iam.admin.v1.CreateServiceAccountKey",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "workload",
        "actor_uid": "deployer@shop.iam.gserviceaccount.com",
        "credential_uid": "serviceAccounts/deployer@shop.iam.gserviceaccount.com/keys/aaa",
        "issued_credential_uid": "serviceAccounts/backup@shop.iam.gserviceaccount.com/keys/bbb",
        "parent_uid": "alice@acme.example",
        "target_type": "service_account",
        "src_ip": "203.0.113.7",
        "user_agent": "gcloud",
    }
    assert told.items() >= expected.items()


@pytest.mark.parametrize(
    ("status", "authorization", "expected"),
    [
        ({"code": 7, "message": "no"}, [], ("failure", "PERMISSION_DENIED")),
        ({"code": 99}, [], ("failure", "99")),
        ({}, [], ("success", None)),
        (None, [{"granted": True}], ("success", None)),
        (None, [{"granted": False}], ("failure", "PERMISSION_DENIED")),
        (None, [{}], (None, None)),
        (None, [], (None, None)),
    ],
)
def test_an_outcome_is_told_by_status_or_permissions_or_not(
    status: object, authorization: list[Any], expected: tuple[str | None, str | None]
) -> None:
    told = CLOUD(_cloud(status=status, authorizationInfo=authorization))
    assert (told.get("status"), told.get("error")) == expected


@pytest.mark.parametrize(
    ("who", "kind", "uid"),
    [
        ({"principalEmail": "Alice@Acme.example"}, "human", "alice@acme.example"),
        ({"principalEmail": "service-12@gcp-sa-x.iam.gserviceaccount.com"}, "cloud_service", None),
        ({"principalEmail": "12@cloudservices.gserviceaccount.com"}, "cloud_service", None),
        ({"principalEmail": "12-compute@developer.gserviceaccount.com"}, "workload", None),
        ({"principalEmail": "system:serviceaccount:a:b"}, "workload", None),
        ({"principalEmail": "system:anonymous"}, "anonymous", None),
        ({"principalSubject": "user:Bob@Acme.example"}, "human", "bob@acme.example"),
        ({"principalSubject": "principal://iam.googleapis.com/p/subject/repo:acme/shop"}, "workload", None),
        ({}, "unknown", None),
    ],
)
def test_callers_of_the_cloud_are_told_apart(who: dict[str, Any], kind: str, uid: str | None) -> None:
    told = CLOUD(_cloud(authenticationInfo=who))
    assert told["actor_type"] == kind
    assert uid is None or told["actor_uid"] == uid


def test_a_caller_inside_the_network_is_no_address() -> None:
    told = CLOUD(_cloud(requestMetadata={"callerIp": "gce-internal-ip"}))
    assert (told["src_ip"], told["src_service"]) == (None, "gce-internal-ip")


def test_data_access_is_data_and_its_permission_tells_reading_from_writing() -> None:
    entry = {
        **_cloud(methodName="storage.objects.get"),
        "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Fdata_access",
    }
    assert CLOUD(entry).items() >= {"event_class": "data", "access": "read"}.items()
    entry["protoPayload"]["authorizationInfo"] = [{"permissionType": "DATA_WRITE"}]
    assert CLOUD(entry)["access"] == "write"


def test_entries_that_are_no_audit_logs_are_left_alone() -> None:
    assert not gcp_audit.READER.recognises({"logName": "projects/x/logs/requests", "httpRequest": {}})
    assert not gcp_audit.READER.recognises({"logName": "projects/x/logs/a", "protoPayload": {"@type": "other"}})
