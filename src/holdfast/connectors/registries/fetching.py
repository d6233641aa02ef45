"""Asking a registry over HTTP, within limits and without giving credentials away.

Rules:
1. Plain HTTP is spoken to this machine only.
2. A redirect to another host is followed without credentials, and never from TLS to plain HTTP.
3. An answer that breaks off gives what came, and is told.
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from holdfast.kernel.secrets import SecretValue

LARGEST_DOCUMENT = 64 << 20
PIECE = 1 << 20
_REDIRECTS = 5
_LONGEST_CREDENTIAL = 64 << 10
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NEXT = re.compile(r"<([^>]{1,2000})>[^,]*rel=\"?next\"?", re.IGNORECASE)
_CHALLENGE = re.compile(r'([a-z]+)="([^"]{0,1000})"', re.IGNORECASE)
_MOVED = frozenset({301, 302, 303, 307, 308})
_OK, _UNAUTHORISED, _NOT_FOUND = 200, 401, 404


class NotFetchedError(Exception):
    """A registry did not give something; the message says why, without credentials and without a full stop."""


class GoneError(NotFetchedError):
    """It is not there."""


def credential(reference: str | None) -> SecretValue | None:
    """A credential by its reference: ``env:NAME`` or ``file:PATH``.

    The value is ``user:password``, or a token.

    Raises:
        NotFetchedError: there is none.
    """
    if reference is None:
        return None
    kind, _, name = reference.partition(":")
    if kind == "env" and (value := os.environ.get(name)):
        return SecretValue(value.strip())
    if kind == "file":
        try:
            path = Path(name)
            if stat.S_ISREG(path.stat().st_mode) and path.stat().st_size <= _LONGEST_CREDENTIAL:
                return SecretValue(path.read_bytes().strip())
        except OSError as error:
            raise NotFetchedError(f"the credential cannot be read from {name}") from error
    raise NotFetchedError("there is no credential where the reference says: env:NAME or file:PATH")


class Fetcher:
    """One registry."""

    def __init__(self, client: httpx.Client, base: str, secret: SecretValue | None = None) -> None:
        """Ask by a client.

        Args:
            client: follows no redirects by itself and has no credentials of its own.
            base: address of the registry, without credentials.
            secret: ``user:password`` or a token.

        Raises:
            NotFetchedError: the address is not one that may be asked.
        """
        parts = urlsplit(base)
        if parts.username is not None or parts.password is not None:
            raise NotFetchedError("credentials do not belong in an address: give a reference")
        self._client, self._secret, self.base = client, secret, base.rstrip("/")
        self._host = _host(base)
        self._tokens: dict[str, SecretValue] = {}
        self._check(base)

    def document(self, path: str, accept: str, limit: int = LARGEST_DOCUMENT) -> tuple[bytes, httpx.Headers]:
        """A whole answer, up to a limit.

        Raises:
            NotFetchedError: it was not given.
        """
        with self._asked(self.absolute(path), {"accept": accept}) as answer:
            parts, size = [], 0
            try:
                for piece in answer.iter_bytes(PIECE):
                    parts.append(piece)
                    size += len(piece)
                    if size > limit:
                        raise NotFetchedError(f"an answer of more than {limit >> 20} MB is not read")
            except httpx.HTTPError as error:
                raise NotFetchedError(f"the answer broke off ({type(error).__name__})") from error
            return b"".join(parts), answer.headers

    @contextmanager
    def stream(self, path: str) -> Iterator[Download]:
        """An answer as it comes.

        Raises:
            NotFetchedError: it was not given.
        """
        with self._asked(self.absolute(path), {"accept": "*/*"}) as answer:
            yield Download(answer)

    def absolute(self, path: str) -> str:
        """An address; a path is one of the registry's."""
        return urljoin(f"{self.base}/", path)

    def following(self, headers: Mapping[str, str], asked: str) -> str | None:
        """Where a list goes on."""
        found = _NEXT.search(headers.get("link", ""))
        return urljoin(self.absolute(asked), found[1]) if found else None

    @contextmanager
    def _asked(self, address: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        wanted = {**headers, "accept-encoding": "identity"}
        tried = False
        for _ in range(_REDIRECTS + 2):
            self._check(address)
            answer = self._send(address, {**wanted, **self._authorisation(address)})
            try:
                if answer.status_code in _MOVED and "location" in answer.headers:
                    address = self._moved(address, answer.headers["location"])
                    continue
                if answer.status_code == _UNAUTHORISED and not tried and self._host == _host(address):
                    tried = True
                    if self._challenged(answer.headers.get("www-authenticate", ""), address):
                        continue
                if answer.status_code != _OK:
                    kind = GoneError if answer.status_code == _NOT_FOUND else NotFetchedError
                    raise kind(f"{_shown(address)} answered {answer.status_code}")
                yield answer
                return
            finally:
                answer.close()
        raise NotFetchedError(f"{_shown(address)} redirects too often")

    def _send(self, address: str, headers: Mapping[str, str]) -> httpx.Response:
        try:
            request = self._client.build_request("GET", address, headers=dict(headers))
            return self._client.send(request, stream=True, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotFetchedError(f"{_shown(address)} cannot be asked ({type(error).__name__})") from error

    def _moved(self, before: str, location: str) -> str:
        address = urljoin(before, location)
        if urlsplit(before).scheme == "https" and urlsplit(address).scheme != "https":
            raise NotFetchedError(f"{_shown(before)} redirects to an address without TLS")
        return address

    def _check(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NotFetchedError("the address is not one of HTTP")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise NotFetchedError(f"{parts.hostname} is not this machine: it is asked over TLS only")

    # -- credentials

    def _authorisation(self, address: str) -> dict[str, str]:
        """The header for an address: of the registry's own host only."""
        if _host(address) != self._host:
            return {}
        token = self._tokens.get(_scope_of(address))
        if token is not None:
            return {"authorization": f"Bearer {token.reveal().decode()}"}
        return {} if self._secret is None else {"authorization": _header(self._secret)}

    def _challenged(self, challenge: str, address: str) -> bool:
        """Fetch the token that a registry of images wants; whether there is one now."""
        if not challenge.lower().startswith("bearer "):
            return False
        told = {name.lower(): value for name, value in _CHALLENGE.findall(challenge)}
        realm = urljoin(self.base, told.get("realm", ""))
        self._check(realm)
        if urlsplit(realm).scheme != "https" and _host(realm) != self._host:
            raise NotFetchedError("the registry sends for a token to another host without TLS")
        query = {name: told[name] for name in ("service", "scope") if name in told}
        headers = {} if self._secret is None else {"authorization": _header(self._secret)}
        try:
            answer = self._client.get(realm, params=query, headers=headers, follow_redirects=False)
            token = answer.json().get("token") or answer.json().get("access_token")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
            raise NotFetchedError(f"{_shown(realm)} gave no token") from error
        if answer.status_code != _OK or not isinstance(token, str):
            raise NotFetchedError(f"{_shown(realm)} answered {answer.status_code}")
        self._tokens[_scope_of(address)] = SecretValue(token)
        return True


class Download:
    """An answer that is read piece by piece."""

    def __init__(self, answer: httpx.Response) -> None:
        """Of an answer whose content was not read yet."""
        self._answer = answer
        self.trouble: str | None = None
        """Why it broke off."""
        self.size = 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come; they end early when the connection does."""
        try:
            for piece in self._answer.iter_raw():
                self.size += len(piece)
                yield piece
        except httpx.HTTPError as error:
            self.trouble = f"the download broke off ({type(error).__name__})"
        told = self._answer.headers.get("content-length", "")
        if self.trouble is None and told.isdigit() and int(told) != self.size:
            self.trouble = f"{self.size} of {told} bytes came"


def _header(secret: SecretValue) -> str:
    value = secret.reveal()
    if b":" in value:
        return f"Basic {base64.b64encode(value).decode()}"
    return f"Bearer {value.decode('latin-1')}"


def _host(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port


def _scope_of(address: str) -> str:
    """What a token of a registry of images is good for: one repository."""
    path = urlsplit(address).path
    return re.sub(r"/(?:tags|manifests|blobs|referrers)/.*", "", path)


def _shown(address: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
