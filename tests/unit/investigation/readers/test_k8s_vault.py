"""Kubernetes and Vault: two logs that tell one act in several stages, and that secrets may lie in."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest

from holdfast.investigation.readers import k8s_audit, vault_audit
from tests.unit.investigation.readers.samples import K8S, K8S_AKS, VAULT

CLUSTER, STORE = k8s_audit.READER.fields, vault_audit.READER.fields
SECRET = "c2VjcmV0LXZhbHVl"


def _k8s(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(K8S), **more}


def _ref(resource: str, **more: str) -> dict[str, str]:
    return {"resource": resource, "namespace": "shop", **more}


def test_an_act_in_the_cluster_is_verb_resource_and_subresource() -> None:
    told = CLUSTER(K8S)
    expected = {
        "time_us": 1767261600123456,
        "delivered_us": 1767261605000000,
        "service": "pods",
        "operation": "create pods/exec",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "workload",
        "actor_uid": "system:serviceaccount:ci:deployer",
        "credential_uid": "JTI=abc",
        "target_uid": "shop/web-1",
        "target_type": "pods",
        "src_ip": "203.0.113.7",
        "user_agent": "kubectl/v1.33",
        "event_uid": "k-1/ResponseComplete",
    }
    assert told.items() >= expected.items()
    assert told["detail"]["sourceIPs"] == ["203.0.113.7", "10.0.0.9"]


def test_aks_carries_the_same_event_and_names_its_cluster() -> None:
    told, plain = CLUSTER(K8S_AKS), CLUSTER(K8S)
    assert told["account_uid"].endswith("/MANAGEDCLUSTERS/ONE")
    assert {**told, "account_uid": None} == plain


def test_a_request_without_its_completion_is_kept_and_is_no_act() -> None:
    told = CLUSTER(_k8s(stage="RequestReceived", responseStatus=None))
    assert told["event_class"] == "other"
    assert "status" not in told
    assert told["event_uid"] == "k-1/RequestReceived"
    assert CLUSTER(_k8s(stage="Panic"))["error"] == "Panic"


def test_a_request_for_no_resource_is_named_by_its_path() -> None:
    assert CLUSTER(_k8s(objectRef=None, verb="get", requestURI="/version?x=1"))["operation"] == "get /version"


def test_all_of_a_namespace_and_all_of_the_cluster_are_told_apart() -> None:
    assert CLUSTER(_k8s(verb="list", objectRef=_ref("secrets")))["target_uid"] == "shop/*"
    told = CLUSTER(_k8s(verb="list", objectRef={"resource": "secrets"}))
    assert (told["target_uid"], told["event_class"], told["access"]) == ("secrets", "data", "read")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"code": 200}, ("success", None)),
        ({"code": 403, "reason": "Forbidden"}, ("failure", "Forbidden")),
        ({"code": 500}, ("failure", "500")),
        ({}, (None, None)),
    ],
)
def test_the_response_decides_the_outcome(status: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    told = CLUSTER(_k8s(responseStatus=status))
    assert (told.get("status"), told.get("error")) == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("alice@acme.example", "human"),
        ("kubernetes-admin", "human"),
        ("system:anonymous", "anonymous"),
        ("system:node:box-3", "cloud_service"),
        ("system:kube-scheduler", "cloud_service"),
    ],
)
def test_users_of_the_cluster_are_told_apart(name: str, kind: str) -> None:
    assert CLUSTER(_k8s(user={"username": name}))["actor_type"] == kind


def test_who_is_impersonated_acts_and_who_authenticated_stands_behind() -> None:
    told = CLUSTER(_k8s(user={"username": "alice@acme.example"}, impersonatedUser={"username": "system:admin"}))
    assert (told["actor_uid"], told["parent_uid"]) == ("system:admin", "alice@acme.example")
    assert told["session_uid"] == "alice@acme.example as system:admin"
    assert told["detail"]["impersonatedUser"] == {"username": "system:admin"}


def test_a_cloud_role_in_the_cluster_is_the_session_of_the_clouds_own_log() -> None:
    arn = "arn:aws:sts::111122223333:assumed-role/Ops/alice"
    extra = {"arn": [arn], "canonicalArn": ["arn:aws:iam::111122223333:role/Ops"], "accessKeyId": ["ASIAEXAMPLE"]}
    told = CLUSTER(_k8s(user={"username": "ops", "extra": extra}))
    expected = {
        "session_uid": arn,
        "parent_uid": "arn:aws:iam::111122223333:role/Ops",
        "credential_uid": "ASIAEXAMPLE",
        "actor_type": "unknown",
    }
    assert told.items() >= expected.items()


def test_a_token_request_issues_the_credential_it_names_and_no_token_enters() -> None:
    told = CLUSTER(
        _k8s(
            objectRef=_ref("serviceaccounts", name="deployer", subresource="token"),
            annotations={"authentication.kubernetes.io/issued-credential-id": "JTI=new"},
            responseObject={"kind": "TokenRequest", "status": {"token": SECRET, "expirationTimestamp": "x"}},
        )
    )
    assert told["operation"] == "create serviceaccounts/token"
    assert told["issued_credential_uid"] == "JTI=new"
    assert SECRET not in orjson.dumps(told).decode()


def test_content_of_secrets_never_enters_not_even_in_lists_or_annotations() -> None:
    one = {
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "t", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": SECRET}},
        "data": {"password": SECRET},
        "stringData": {"other": SECRET},
    }
    told = CLUSTER(_k8s(objectRef=_ref("secrets"), requestObject=one, responseObject={"items": [one]}))
    assert SECRET not in orjson.dumps(told).decode()
    assert set(told["request"]["data"]) == {"password"}
    assert told["issued_credential_uid"] == "secret:shop/t"


def test_an_event_object_of_the_cluster_is_no_audit_event() -> None:
    assert not k8s_audit.READER.recognises({"kind": "Event", "apiVersion": "v1", "involvedObject": {}, "reason": "x"})


def test_a_response_of_the_store_is_the_act_and_tells_the_new_token() -> None:
    told = STORE(VAULT)
    expected = {
        "time_us": 1767261600123456,
        "account_uid": "root",
        "service": "token",
        "operation": "update auth/token/create",
        "event_class": "management",
        "access": "write",
        "status": "success",
        "actor_type": "human",
        "actor_uid": "e-1",
        "actor_name": "alice@acme.example",
        "credential_uid": "hmac-sha256:aa",
        "issued_credential_uid": "hmac-sha256:bb",
        "target_uid": "auth/token/create",
        "src_ip": "203.0.113.7",
        "user_agent": "vault-cli",
        "event_uid": "v-1/response",
    }
    assert told.items() >= expected.items()
    assert told["request"] == {"no_parent": True}


def test_a_request_is_no_act_until_it_is_answered_or_refused() -> None:
    asked = {**VAULT, "type": "request", "response": None}
    told = STORE(asked)
    assert (told["event_class"], told["event_uid"]) == ("other", "v-1/request")
    assert "status" not in told
    refused = STORE({**asked, "error": "1 error occurred:\n\t* permission denied\n\n"})
    assert (refused["status"], refused["error"]) == ("failure", "1 error occurred: * permission denied")


def test_a_login_is_by_whom_it_was_for() -> None:
    new = {"accessor": "hmac-sha256:cc", "display_name": "kubernetes-ci", "metadata": {"role": "ci"}, "policies": []}
    login = {
        **VAULT,
        "auth": {},
        "request": {**VAULT["request"], "path": "auth/kubernetes/login"},
        "response": {"auth": new},
    }
    told = STORE(login)
    expected = {
        "event_class": "signin",
        "actor_type": "workload",
        "actor_uid": "kubernetes-ci",
        "credential_uid": None,
        "issued_credential_uid": "hmac-sha256:cc",
    }
    assert told.items() >= expected.items()


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ({"display_name": "root", "policies": ["root"]}, "root"),
        ({"display_name": "approle", "metadata": {"role_name": "x"}}, "service_account"),
        ({"display_name": "jwt-x", "metadata": {"repository": "acme/shop"}}, "ci_token"),
        ({"display_name": "ldap-bob"}, "human"),
        ({"display_name": "token"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_who_uses_the_store_is_told_by_how_they_signed_in(auth: dict[str, Any], kind: str) -> None:
    assert STORE({**VAULT, "auth": {**auth, "accessor": "hmac-sha256:aa"}})["actor_type"] == kind


def test_a_secret_that_the_store_did_not_hash_is_replaced() -> None:
    read = {
        **VAULT,
        "request": {**VAULT["request"], "operation": "read", "path": "secret/data/db"},
        "response": {"data": {"data": {"password": SECRET, "user": "hmac-sha256:dd"}, "list": [SECRET]}},
    }
    told = STORE(read)
    assert (told["event_class"], told["access"]) == ("data", "read")
    assert SECRET not in orjson.dumps(told).decode()
    assert told["response"]["data"]["user"] == "hmac-sha256:dd"
