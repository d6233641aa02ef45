"""Where a secret comes from: standard input, a prompt, a file descriptor, a private file, or a secret manager.

Rules:
1. Never from an argument and never from the environment: both can be read by others and are kept by shells.
2. One secret is the whole input; one newline at its end is dropped, which is told. With lines (or NUL bytes between
   multi-line ones) every non-empty piece is a secret, and equal ones are one.
3. A file that others can read, or that is not a plain file, is refused.
4. What a manager answers is used in memory and told to nobody; no error repeats it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from holdfast.kernel.errors import BadInputError, ForbiddenError, NotFoundError, UnavailableError
from holdfast.kernel.secrets import SecretValue

LARGEST = 1 << 20
"""Bytes of all secrets together; more is a file named by mistake."""
_VAULT_SECONDS = 20
_PART = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@ -]+")
_AWS = re.compile(r"(?P<name>[A-Za-z0-9/_+=.@:-]+?)(?:#(?P<key>[^@#]+))?(?:@(?P<stage>[A-Za-z0-9_-]+))?")


@dataclass(frozen=True, slots=True)
class Given:
    """Secrets that were read."""

    secrets: tuple[SecretValue, ...]
    newline_dropped: bool = False
    """Whether a newline at the end was taken to be none of the secret."""


@dataclass(frozen=True, slots=True)
class AwsName:
    """A secret of AWS Secrets Manager."""

    name: str
    key: str | None
    """Member of the JSON object that the secret is."""
    stage: str | None
    """Version stage, such as ``AWSPREVIOUS``."""


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where a Vault (key-value engine, version 2) is and how one signs in."""

    address: str
    token_file: Path
    namespace: str = ""


def from_stream(stream: BinaryIO, *, lines: bool = False, null: bool = False) -> Given:
    """Read secrets to the end of a stream.

    Args:
        stream: bytes.
        lines: each line is a secret.
        null: each piece between NUL bytes is one.

    Raises:
        BadInputError: there is none, or far too much.
    """
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise BadInputError(
            "secret-too-large",
            "Nothing was searched.",
            why=f"More than {LARGEST >> 20} MiB came as the secret.",
            next_step="Give the secret itself, and name what to search as TARGET.",
        )
    return _parted(data, lines=lines, null=null)


def from_descriptor(number: int, *, lines: bool = False, null: bool = False) -> Given:
    """Read secrets from an open file descriptor, and close it.

    Raises:
        BadInputError: it is not open for reading.
    """
    try:
        with os.fdopen(number, "rb") as stream:
            return from_stream(stream, lines=lines, null=null)
    except OSError:
        raise BadInputError(
            "secret-descriptor-closed",
            "Nothing was searched.",
            why=f"The file descriptor {number} is not open for reading.",
            next_step="Open it in the shell: holdfast exposure search --secret-fd 3 TARGET 3<FILE",
        ) from None


def from_file(path: Path, *, lines: bool = False, null: bool = False) -> Given:
    """Read secrets from a file of the user alone.

    Raises:
        NotFoundError: it cannot be opened.
        ForbiddenError: others can read it, or it is no plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise NotFoundError(
            "secret-file-not-found",
            "Nothing was searched.",
            why="The file that should hold the secret cannot be opened.",
            next_step="Check its path: holdfast exposure search --secret-from file:PATH TARGET",
        ) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode) or mode & 0o077:
        os.close(descriptor)
        raise ForbiddenError(
            "secret-file-open-to-others",
            "Nothing was searched.",
            why="The file that should hold the secret is readable by other users, or no plain file.",
            next_step="chmod 600 FILE, and treat the secret as known to this machine's other users.",
        )
    with os.fdopen(descriptor, "rb") as stream:
        return from_stream(stream, lines=lines, null=null)


def aws_name(text: str) -> AwsName:
    """What ``NAME[#KEY][@STAGE]`` names.

    Raises:
        BadInputError: it is not of that form.
    """
    match = _AWS.fullmatch(text)
    if match is None:
        raise reference_not_understood()
    return AwsName(match["name"], match["key"], match["stage"])


def from_vault(reference: str, place: VaultPlace) -> Given:
    """Read a secret from a Vault's key-value engine, version 2: ``MOUNT/PATH#KEY``.

    Raises:
        BadInputError: the reference is not of that form, or the address would send the token in the clear.
        NotFoundError: there is no such secret or key.
        ForbiddenError: the token is refused.
        UnavailableError: the server does not answer.
    """
    path, _, key = reference.partition("#")
    mount, _, rest = path.strip("/").partition("/")
    if not key or not rest or not all(_PART.fullmatch(one) and one.strip(".") for one in (mount, *rest.split("/"))):
        raise reference_not_understood()
    parts = urlsplit(place.address)
    near = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and near):
        raise BadInputError(
            "vault-address-unfit",
            "Nothing was searched.",
            why="The address of the Vault is not https, so its token could be read on the way.",
            next_step="Name it as https://HOST: holdfast exposure search --vault https://HOST --secret-from vault:…",
        )
    token = from_file(place.token_file).secrets[0]
    address = f"{place.address.rstrip('/')}/v1/{quote(mount)}/data/{quote(rest)}"
    document = _answer(address, token, place.namespace)
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise no_such_secret()
    return Given((SecretValue(value),))


def reference_not_understood() -> BadInputError:
    """A reference is of no known form; it is not repeated, for it may be the secret."""
    return BadInputError(
        "secret-reference-not-understood",
        "Nothing was searched.",
        why="What --secret-from names is not file:PATH, aws-sm:NAME[#KEY][@STAGE] or vault:MOUNT/PATH#KEY. "
        "It was not shown, because it may be the secret. Environment variables and commands are not read.",
        next_step="Write for example: holdfast exposure search --secret-from file:PATH TARGET",
    )


def no_such_secret() -> NotFoundError:
    """The manager has nothing there."""
    return NotFoundError(
        "secret-not-found",
        "Nothing was searched.",
        why="The secret manager holds no such secret or key for this account.",
        next_step="Check the name, or give the secret by hand: holdfast exposure search --secret-stdin TARGET",
    )


def _answer(address: str, token: SecretValue, namespace: str) -> dict[str, object]:
    import httpx  # noqa: PLC0415 - slow to load, and only who asks a Vault needs it

    headers = {"X-Vault-Token": token.reveal().decode("ascii", "replace"), "X-Vault-Request": "true"}
    if namespace:
        headers["X-Vault-Namespace"] = namespace
    try:
        told = httpx.get(address, headers=headers, timeout=_VAULT_SECONDS, follow_redirects=False)
    except httpx.HTTPError as error:
        raise _vault_unreachable(type(error).__name__) from None
    if told.status_code in (401, 403):
        raise ForbiddenError(
            "secret-manager-refused",
            "Nothing was searched.",
            why="The secret manager refuses this account.",
            next_step="Renew the token, or give the secret by hand: holdfast exposure search --secret-stdin TARGET",
        )
    if told.status_code == 404:  # noqa: PLR2004 - not found
        raise no_such_secret()
    try:
        told.raise_for_status()
        return dict(told.json()["data"]["data"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise _vault_unreachable(f"status {told.status_code}") from None


def _vault_unreachable(why: str) -> UnavailableError:
    return UnavailableError(
        "secret-manager-unreachable",
        "Nothing was searched.",
        why=f"The secret manager gave no usable answer ({why}).",
        next_step="Try again, or give the secret by hand: holdfast exposure search --secret-stdin TARGET",
    )


def _parted(data: bytes, *, lines: bool, null: bool) -> Given:
    if null:
        return _several(data.split(b"\0"))
    if lines:
        return _several(line.removesuffix(b"\r") for line in data.split(b"\n"))
    end = b"\r\n" if data.endswith(b"\r\n") else b"\n" if data.endswith(b"\n") else b""
    value = data.removesuffix(end) if end else data
    return Given(_several([value]).secrets, newline_dropped=bool(end))


def _several(pieces: Iterable[bytes]) -> Given:
    found = tuple(SecretValue(piece) for piece in dict.fromkeys(pieces) if piece.strip())
    if not found:
        raise BadInputError(
            "secret-not-given",
            "Nothing was searched.",
            why="No secret was given.",
            next_step="Pipe it in from where it is kept: holdfast exposure search --secret-stdin TARGET",
        )
    return Given(found)
