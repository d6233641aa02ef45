"""AWS through boto3, which is an extra: ``pip install holdfast[aws]``."""

from __future__ import annotations

from typing import Any

from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.secrets import SecretValue


def open_session(profile: str | None = None, region: str | None = None) -> Any:  # noqa: ANN401 - boto3 has no types
    """A boto3 session with the administrator's read-only credentials, from the usual places or a named profile.

    Raises:
        UnavailableError: boto3 is not installed.
    """
    return _boto3().Session(profile_name=profile, region_name=region)


def open_session_of(key: str, secret: SecretValue) -> Any:  # noqa: ANN401 - boto3 has no types
    """A boto3 session of one access key, held in memory only.

    Raises:
        UnavailableError: boto3 is not installed.
    """
    # A region is needed to sign; who somebody is, every region answers alike.
    return _boto3().Session(
        aws_access_key_id=key, aws_secret_access_key=secret.reveal().decode(), region_name="us-east-1"
    )


def _boto3() -> Any:  # noqa: ANN401 - boto3 has no types
    try:
        import boto3  # noqa: PLC0415 - an extra: only who probes AWS needs it
    except ImportError:
        raise UnavailableError(
            "aws-extra-missing",
            "AWS cannot be asked from here.",
            why="The library that talks to AWS (boto3) is not installed.",
            next_step="Install it with: pip install 'holdfast[aws]'",
        ) from None
    return boto3
