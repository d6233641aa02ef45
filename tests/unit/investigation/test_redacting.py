"""Secrets go, ids and shapes stay."""

from __future__ import annotations

import json
import re
import time

import pytest

from holdfast.investigation.redacting import NAMES, SUSPECT, is_secret, redacted, without_secrets


@pytest.mark.parametrize(
    "name", [*NAMES, "X-Amz-Security-Token", "masterUserPassword", "GITHUB_ACCESS_TOKEN", "client_secret", "Set-Cookie"]
)
def test_a_secret_under_its_name_goes(name: str) -> None:
    told = json.dumps({"a": {name: "hunter2"}, "b": [{name: ["hunter2", None, True]}]})
    assert re.search(SUSPECT, told)
    out = redacted(told)
    assert "hunter2" not in out
    assert json.loads(out) == {"a": {name: f"[redacted {name}]"}, "b": [{name: [f"[redacted {name}]", None, True]}]}


@pytest.mark.parametrize(
    "name",
    [
        "accessKeyId",
        "nextToken",
        "clientToken",
        "secretId",
        "tokenId",
        "hashed_token",
        "passwordResetRequired",
        "keyId",
        "clientRequestToken",
        "authorizationInfo",
    ],
)
def test_what_only_names_or_orders_stays(name: str) -> None:
    assert not is_secret(name)
    assert redacted(json.dumps({name: "value"})) == json.dumps({name: "value"})


def test_an_object_under_such_a_name_is_looked_into() -> None:
    told = {"authorization": {"action": "read", "password": "x"}}
    assert without_secrets(told) == {"authorization": {"action": "read", "password": "[redacted password]"}}


def test_environments_are_pairs_of_name_and_value() -> None:
    told = {"environment": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "COLOUR", "value": "red"}]}
    assert without_secrets(told) == {
        "environment": [{"name": "DB_PASSWORD", "value": "[redacted DB_PASSWORD]"}, {"name": "COLOUR", "value": "red"}]
    }


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("psql password=abc --x", "psql password=[redacted password] --x"),
        ("DB_PASSWORD='a b' run", "DB_PASSWORD='[redacted DB_PASSWORD]' run"),
        ("Authorization: Basic YWxhZGRpbjpvcGVu", "Authorization: [redacted Authorization]"),
        (r"body {\"password\":\"x\",\"a\":1}", r"body {\"password\":\"[redacted password]\",\"a\":1}"),
        ("GET /?X-Amz-Security-Token=abc&a=1", "GET /?X-Amz-Security-Token=[redacted X-Amz-Security-Token]&a=1"),
        ("use ghp_" + "a" * 36 + " now", "use [redacted github token] now"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "[redacted jwt]"),
        ("token: keep", "token: keep"),
    ],
)
def test_secrets_in_text_go(text: str, out: str) -> None:
    assert redacted(text) == out
    assert redacted(out) == out


def test_text_without_secrets_is_the_same_text() -> None:
    told = '{ "policy": "{\\"Action\\": \\"secretsmanager:GetSecretValue\\"}", "nextToken": "x" }'
    assert redacted(told) == told


@pytest.mark.parametrize(
    "piece",
    ["password=", '"password":', 'password="', "password=\\\\", "eyJ", "-----BEGIN PRIVATE KEY", "a.b-", "token "],
)
def test_no_text_takes_long(piece: str) -> None:
    begun = time.monotonic()
    redacted(piece * (200_000 // len(piece)) + "token")
    assert time.monotonic() - begun < 3
