"""Entra, Microsoft 365 and Azure."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation.readers import azure_activity, entra, m365_ual
from holdfast.investigation.reading import Fields
from tests.unit.investigation.readers.samples import (
    AZURE,
    AZURE_BLOB,
    AZURE_REST,
    ENTRA_ANALYTICS,
    ENTRA_APP_SIGN_IN,
    ENTRA_DIAGNOSTIC,
    ENTRA_GRAPH,
    ENTRA_SIGN_IN,
    M365,
    M365_CSV,
)

AUDIT, SIGN_IN = (reader.fields for reader in entra.READERS)
UNIFIED = m365_ual.READERS[0].fields
ACTIVITY = azure_activity.READERS[0].fields
NEW_KEY = "22222222-2222-2222-2222-222222222222"
CERTIFICATES = "Update application \N{EN DASH} Certificates and secrets management"


@pytest.mark.parametrize(
    "record", [ENTRA_GRAPH, ENTRA_DIAGNOSTIC, ENTRA_ANALYTICS], ids=["graph", "diagnostic", "table"]
)
def test_the_three_spellings_of_a_directory_act_tell_the_same(record: dict[str, Any]) -> None:
    told = AUDIT(record)
    expected = {
        "time_us": 1767261600123456,
        "service": "Core Directory",
        "operation": "Add service principal credentials",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "error": None,
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "issued_credential_uid": NEW_KEY,
        "target_uid": "sp-1",
        "target_type": "serviceprincipal",
        "src_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "event_uid": "Directory_1_A",
    }
    assert told.items() >= expected.items()
    assert set(told["request"]["KeyDescription"]) == {"old", "new"}


def test_the_tenant_is_never_the_workspace() -> None:
    assert AUDIT(ENTRA_ANALYTICS)["account_uid"] == AUDIT(ENTRA_DIAGNOSTIC)["account_uid"] == "t-1"
    assert AUDIT(ENTRA_GRAPH)["account_uid"] is None


def test_text_in_quotes_within_a_change_is_opened() -> None:
    changed = [{"displayName": "Role.DisplayName", "oldValue": None, "newValue": '"Global Administrator"'}]
    told = AUDIT({**ENTRA_GRAPH, "targetResources": [{"id": "x", "modifiedProperties": changed}]})
    assert told["request"] == {"Role.DisplayName": {"old": None, "new": "Global Administrator"}}
    assert told["issued_credential_uid"] is None


def test_a_hyphen_a_pipeline_wrote_is_the_vendors_dash() -> None:
    for dash in ("-", "\N{EN DASH}"):
        name = f"Update application {dash} Certificates and secrets management "
        assert AUDIT({**ENTRA_GRAPH, "activityDisplayName": name})["operation"] == CERTIFICATES


def test_an_application_acts_as_its_service_principal_and_a_failure_says_why() -> None:
    by = {"user": None, "app": {"servicePrincipalId": "sp-7", "displayName": "Sync"}}
    told = AUDIT({**ENTRA_GRAPH, "initiatedBy": by, "result": "failure", "resultReason": "Not allowed"})
    assert (told["actor_type"], told["actor_uid"], told["actor_name"]) == ("service_account", "sp-7", "Sync")
    assert (told["status"], told["error"]) == ("failure", "Not allowed")


def test_a_sign_in_tells_session_and_the_token_it_issued() -> None:
    told = SIGN_IN(ENTRA_SIGN_IN)
    expected = {
        "time_us": 1767261600000000,
        "operation": "Sign-in activity",
        "event_class": "signin",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "session_uid": "sess-1",
        "issued_credential_uid": "uti-1",
        "target_uid": "Microsoft Graph",
        "src_ip": "2001:db8::7",
        "event_uid": "s-1",
    }
    assert told.items() >= expected.items()


def test_a_service_principal_signs_in_with_the_key_that_was_issued_to_it() -> None:
    told = SIGN_IN(ENTRA_APP_SIGN_IN)
    expected = {
        "time_us": 1767261600000000,
        "delivered_us": 1767261780000000,
        "account_uid": "t-1",
        "actor_type": "service_account",
        "actor_uid": "sp-1",
        "credential_uid": NEW_KEY,
        "status": "failure",
        "error": "7000215 Invalid client secret is provided.",
    }
    assert told.items() >= expected.items()
    managed = SIGN_IN({**ENTRA_APP_SIGN_IN, "category": "ManagedIdentitySignInLogs"})
    assert managed["actor_type"] == "workload"


def test_intunes_entries_in_the_same_stream_are_not_read_as_entras() -> None:
    intune = {
        "category": "AuditLogs",
        "operationName": "Create MobileApp",
        "properties": {"AuditEventId": "x", "ActivityDate": "4/11/2025 6:21:02 PM"},
        "time": "2026-01-01T10:00:00Z",
    }
    assert not any(reader.recognises(intune) for reader in entra.READERS)


def test_the_unified_log_names_the_session_and_token_of_the_sign_in() -> None:
    told, signed = UNIFIED(M365), SIGN_IN(ENTRA_SIGN_IN)
    assert told["session_uid"] == signed["session_uid"]
    assert told["credential_uid"] == signed["issued_credential_uid"]


@pytest.mark.parametrize("record", [M365, M365_CSV], ids=["api", "csv"])
def test_a_cmdlet_in_the_unified_log_tells_its_parameters(record: dict[str, Any]) -> None:
    told = UNIFIED(record)
    expected = {
        "time_us": 1767261600000000,
        "account_uid": "t-1",
        "service": "Exchange",
        "operation": "New-InboxRule",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "src_ip": "203.0.113.7",
        "event_uid": "m-1",
    }
    assert told.items() >= expected.items()
    assert told["request"] == {"ForwardTo": "x@evil.example", "DeleteMessage": "True"}


def _mail(**more: Any) -> Fields:
    return UNIFIED({**M365, "Operation": "MailItemsAccessed", "RecordType": "50", "Parameters": None, **more})


def test_mail_read_is_data_and_its_mailbox_the_target() -> None:
    told = _mail(
        MailboxOwnerUPN="Bob@Acme.example",
        ClientIP=None,
        Client_IPAddress="203.0.113.9",
        ResultStatus="Succeeded",
        OperationProperties=[{"Name": "MailAccessType", "Value": "Sync"}, {"Name": "IsThrottled", "Value": "True"}],
    )
    expected = {"event_class": "data", "access": "read", "target_uid": "bob@acme.example", "target_type": "mailbox"}
    assert told.items() >= expected.items()
    assert told["src_ip"] == "203.0.113.9"
    assert told["detail"]["properties"] == {"MailAccessType": "Sync", "IsThrottled": "True"}


def test_a_sign_in_that_was_answered_may_still_have_failed() -> None:
    told = _mail(Operation="UserLoggedIn", RecordType=15, ResultStatus="Succeeded", LogonError="InvalidPassword")
    assert (told["event_class"], told["status"], told["error"]) == ("signin", "failure", "InvalidPassword")
    assert _mail(Operation="UserLoginFailed", ResultStatus="Success")["status"] == "failure"
    assert _mail(Operation="UserLoggedIn", ErrorNumber="0")["status"] == "success"


@pytest.mark.parametrize(
    ("user", "kind", "expected"),
    [
        ("app@sharepoint", 0, "service_account"),
        ("ServicePrincipal_1234", 4, "service_account"),
        ("NT AUTHORITY\\SYSTEM (w3wp)", 0, "cloud_service"),
        ("bob@acme.example", None, "human"),
        ("bob@acme.example", "DcAdmin", "cloud_service"),
        ("guest@else.example", 10, "human"),
        ("x", 99, "unknown"),
    ],
)
def test_users_of_the_unified_log_are_told_apart(user: str, kind: object, expected: str) -> None:
    assert _mail(UserId=user, UserType=kind)["actor_type"] == expected


def test_an_operation_in_capitals_gets_its_documented_spelling_back() -> None:
    told = ACTIVITY(AZURE)
    expected = {
        "time_us": 1767261600123456,
        "account_uid": "S-1",
        "region": "northeurope",
        "service": "Microsoft.Storage",
        "operation": "Microsoft.Storage/storageAccounts/regenerateKey/action",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "alice@acme.example",
        "credential_uid": "uti-1",
        "src_ip": "203.0.113.7",
    }
    assert told.items() >= expected.items()
    assert told["request"] == {"keyName": "key1"}


def test_a_managed_identity_is_refused_over_the_rest_spelling() -> None:
    told = ACTIVITY(AZURE_REST)
    expected = {
        "delivered_us": 1767261630000000,
        "account_uid": "s-1",
        "operation": "Microsoft.Authorization/roleAssignments/write",
        "status": "failure",
        "error": "Forbidden",
        "actor_type": "workload",
        "actor_uid": "33333333-3333-3333-3333-333333333333",
        "target_type": "microsoft.authorization/roleassignments",
        "event_uid": "d-1",
    }
    assert told.items() >= expected.items()


def test_the_beginning_of_a_long_operation_is_no_act() -> None:
    begun = ACTIVITY({**AZURE_REST, "eventName": {"value": "BeginRequest"}, "status": {"value": "Started"}})
    assert begun["event_class"] == "other"
    assert "status" not in begun


def test_a_blob_read_is_data_of_the_resource() -> None:
    told = azure_activity.READERS[1].fields(AZURE_BLOB)
    expected = {
        "operation": "GetBlob",
        "event_class": "data",
        "access": "read",
        "status": "success",
        "target_uid": "/shop/customers/all.csv",
        "src_ip": "203.0.113.7",
        "user_agent": "curl",
        "account_uid": "s-1",
    }
    assert told.items() >= expected.items()
