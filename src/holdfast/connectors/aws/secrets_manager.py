"""Reading one secret from AWS Secrets Manager, with the administrator's own credentials from the usual places."""

from __future__ import annotations

import json
from typing import Any

from holdfast.connectors.aws import open_session
from holdfast.kernel.errors import ForbiddenError, NotFoundError, UnavailableError
from holdfast.kernel.secrets import SecretValue

_ABSENT = ("ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException")
_REFUSED = ("AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException")


def read_secret(name: str, key: str | None = None, stage: str | None = None) -> SecretValue:
    """A secret, or one member of the JSON object that it is.

    Args:
        name: its name or ARN.
        key: member of the object; none takes the whole value.
        stage: version stage such as ``AWSPREVIOUS``; none takes the present one.

    Raises:
        NotFoundError: there is no such secret, version or member.
        ForbiddenError: the account may not read it.
        UnavailableError: AWS does not answer, or the library that talks to it is not installed.
    """
    client = _client()
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the extra: it is there by now

    wanted = {"SecretId": name} if stage is None else {"SecretId": name, "VersionStage": stage}
    try:
        told = client.get_secret_value(**wanted)
    except ClientError as error:
        raise _refusal(str(error.response.get("Error", {}).get("Code", ""))) from None
    except BotoCoreError as error:
        raise _unreachable(type(error).__name__) from None
    text = told.get("SecretString")
    value = SecretValue(told["SecretBinary"] if text is None else text)
    return value if key is None else _member(value, key)


def _client() -> Any:  # noqa: ANN401 - boto3 has no types
    session = open_session()
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - likewise

    try:
        return session.client("secretsmanager")
    except BotoCoreError as error:  # No region, or a profile that is not there.
        raise _unreachable(type(error).__name__) from None


def _member(value: SecretValue, key: str) -> SecretValue:
    try:
        found = json.loads(value.reveal())[key]
    except (ValueError, KeyError, TypeError):
        raise _absent() from None
    if not isinstance(found, str) or not found:
        raise _absent()
    return SecretValue(found)


def _refusal(code: str) -> ForbiddenError | NotFoundError | UnavailableError:
    if code in _ABSENT:
        return _absent()
    if code in _REFUSED:
        return ForbiddenError(
            "secret-manager-refused",
            "Nothing was searched.",
            why="The secret manager refuses this account.",
            next_step="Sign in anew, or give the secret by hand: holdfast exposure search --secret-stdin TARGET",
        )
    return _unreachable(code)


def _absent() -> NotFoundError:
    return NotFoundError(
        "secret-not-found",
        "Nothing was searched.",
        why="The secret manager holds no such secret or key for this account.",
        next_step="Check the name, or give the secret by hand: holdfast exposure search --secret-stdin TARGET",
    )


def _unreachable(why: str) -> UnavailableError:
    return UnavailableError(
        "secret-manager-unreachable",
        "Nothing was searched.",
        why=f"The secret manager gave no usable answer ({why[:60]}).",
        next_step="Try again, or give the secret by hand: holdfast exposure search --secret-stdin TARGET",
    )
