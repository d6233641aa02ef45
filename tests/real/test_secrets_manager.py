"""The secret from AWS Secrets Manager, against a server that really checks signatures and permissions (MiniStack)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

boto3 = pytest.importorskip("boto3", reason="needs the aws extra")

from holdfast.cli.exposure_secret import Asking, secrets_of  # noqa: E402 - only where boto3 is
from holdfast.connectors.aws.secrets_manager import read_secret  # noqa: E402
from holdfast.kernel.errors import ForbiddenError, NotFoundError, UnavailableError  # noqa: E402
from tests.real.ministack import running  # noqa: E402

pytestmark = pytest.mark.real
OLD, NEW = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
BINARY = b"\x00\xff" + OLD.encode()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("ministack")) as place:
        manager = root().client("secretsmanager", endpoint_url=place)
        manager.create_secret(Name="prod/deploy", SecretString=OLD)
        manager.put_secret_value(SecretId="prod/deploy", SecretString=NEW)
        manager.create_secret(Name="prod/db", SecretString=json.dumps({"password": NEW, "port": 5432}))
        manager.create_secret(Name="prod/key", SecretBinary=BINARY)
        yield place


def root() -> Any:
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture
def signed_in(address: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The usual environment of somebody who administers AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", address)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return monkeypatch


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("prod/deploy", "new"),
        ("prod/deploy@AWSPREVIOUS", "old"),
        ("prod/db#password", "new"),
        ("prod/key", "old in binary"),
    ],
)
def test_a_reference_gives_the_secret(signed_in: object, reference: str, value: str) -> None:
    (given,) = secrets_of(Asking(reference=f"aws-sm:{reference}"))
    assert given.reveal() == {"new": NEW.encode(), "old": OLD.encode(), "old in binary": BINARY}[value]


@pytest.mark.parametrize(
    ("name", "key", "stage"),
    [("prod/none", None, None), ("prod/db", "user", None), ("prod/db", "port", None), ("prod/deploy", "x", None)],
)
def test_what_is_not_there_is_told(signed_in: object, name: str, key: str | None, stage: str | None) -> None:
    with pytest.raises(NotFoundError) as refused:
        read_secret(name, key, stage)
    assert NEW not in str(vars(refused.value))


def test_an_account_that_is_not_let_in_is_told(signed_in: pytest.MonkeyPatch) -> None:
    signed_in.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7NOBODYX")
    with pytest.raises(ForbiddenError):
        read_secret("prod/deploy")


def test_a_manager_that_is_not_there_and_a_region_that_is_not_named_are_told(signed_in: pytest.MonkeyPatch) -> None:
    signed_in.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError):
        read_secret("prod/deploy")
    signed_in.delenv("AWS_DEFAULT_REGION")
    signed_in.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(UnavailableError):
        read_secret("prod/deploy")
