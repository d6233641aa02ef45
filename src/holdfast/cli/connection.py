"""Where commands go: over HTTP to a server one is logged in to, else in process under an exclusive lock.

In process the very same ASGI application answers, so that nothing can differ; the account is the one
enrolled on this machine, and events say ``local`` for how it was authenticated.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx

from holdfast.app.ports_vault import ByteSource
from holdfast.app.settings import Settings
from holdfast.kernel.errors import (
    BadInputError,
    ConflictError,
    DamagedError,
    ForbiddenError,
    HoldfastError,
    NotFoundError,
    RefusedError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)

BLOCK = 1 << 20
TOKEN_FILE = "login.json"  # noqa: S105 - a file name
LOCAL_FILE = "local-account"
LOCK_FILE = "in-use.lock"
TIMEOUT = httpx.Timeout(60, connect=10)

Json = dict[str, Any]
T = TypeVar("T")


class Connection(Protocol):
    """A server, wherever it is."""

    place: str
    """What to call it: an address, or ``this machine``."""

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Json:
        """Send one request to ``/api/v1``; raises what the server refused with."""
        ...

    def upload(self, path: str, stream: ByteSource) -> Json:
        """Send a raw body of any size."""
        ...

    def download(self, method: str, path: str, *, body: object = None) -> Iterator[bytes]:
        """Read a body of any size, block by block."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Remote:
    """Over HTTP, with the token of ``holdfast login``."""

    def __init__(self, url: str, token: str | None) -> None:
        """Talk to a server; without a token only what needs none."""
        self.place = url
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Json:
        """One request; a lost connection is told apart from a refusal."""
        try:
            response = self._client.request(method, f"/api/v1{path}", json=body, params=params, headers=_headers(key))
        except httpx.HTTPError as error:
            raise _unreachable(self.place, error) from None
        return _answer(response.status_code, response.content)

    def upload(self, path: str, stream: ByteSource) -> Json:
        """A raw body, streamed."""
        try:
            response = self._client.post(
                f"/api/v1{path}",
                content=_blocks(stream),
                headers={"Content-Type": "application/octet-stream"},
                timeout=None,
            )
        except httpx.HTTPError as error:
            raise _unreachable(self.place, error) from None
        return _answer(response.status_code, response.content)

    def download(self, method: str, path: str, *, body: object = None) -> Iterator[bytes]:
        """A body, streamed."""
        try:
            with self._client.stream(method, f"/api/v1{path}", json=body, timeout=None) as response:
                if not response.is_success:
                    _answer(response.status_code, response.read())
                yield from response.iter_bytes(BLOCK)
        except httpx.HTTPError as error:
            raise _unreachable(self.place, error) from None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class Local:
    """In process, as the account enrolled here."""

    place = "this machine"

    def __init__(self, settings: Settings) -> None:
        """Take the lock and build the application.

        Raises:
            UnavailableError: another Holdfast uses the data folder.
            UnauthenticatedError: nobody is enrolled on this machine.
        """
        from holdfast.app import rounds  # noqa: PLC0415 - likewise
        from holdfast.app.signing_in import viewer_of  # noqa: PLC0415 - the application is heavy; remote use needs none of it
        from holdfast.web.app import create_app  # noqa: PLC0415 - likewise
        from holdfast.wiring import build  # noqa: PLC0415 - likewise

        self._lock = lock(settings)
        self._application = build(settings)
        name = enrolled(settings)
        account = self._application.states.installation().accounts.get(name or "")
        if account is None or not account.active:
            self.close()
            raise UnauthenticatedError(
                "not-enrolled",
                "Nothing was done.",
                why="No account is enrolled on this machine, and you are not logged in to a server.",
                next_step="Start with: holdfast init YOUR-NAME   or: holdfast login URL",
            )
        rounds.make(self._application)
        self._app = create_app(self._application)
        self._app.state.local_viewer = viewer_of(account, "local")
        self._loop = asyncio.new_event_loop()
        # A thread of its own, because a capture uploads from two threads at once.
        self._thread = threading.Thread(target=self._loop.run_forever, name="holdfast-local", daemon=True)
        self._thread.start()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url=settings.url,
            timeout=None,  # noqa: S113 - no network
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Json:
        """One request to the application itself."""
        sent = self._client.request(method, f"/api/v1{path}", json=body, params=params, headers=_headers(key))
        response = self._wait(sent)
        return _answer(response.status_code, response.content)

    def upload(self, path: str, stream: ByteSource) -> Json:
        """A raw body, streamed."""
        sent = self._client.post(f"/api/v1{path}", content=_async_blocks(stream))
        response = self._wait(sent)
        return _answer(response.status_code, response.content)

    def download(self, method: str, path: str, *, body: object = None) -> Iterator[bytes]:
        """A body; in process it is handed over whole, so large packs are better written by a server."""
        sent = self._client.request(method, f"/api/v1{path}", json=body)
        response = self._wait(sent)
        if not response.is_success:
            _answer(response.status_code, response.content)
        yield response.content

    def close(self) -> None:
        """Release databases and lock."""
        if hasattr(self, "_client"):
            self._wait(self._client.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self._application.close()
        os.close(self._lock)

    def _wait(self, sent: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(sent, self._loop).result()

    def __enter__(self) -> Self:
        """For ``with``."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def lock(settings: Settings) -> int:
    """Take the data folder for one process; the descriptor holds it.

    Raises:
        UnavailableError: a server or another command has it.
    """
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(settings.data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise UnavailableError(
            "data-in-use",
            "Nothing was done.",
            why="A Holdfast server, or another command, is using the data on this machine.",
            next_step=f"Talk to the server: holdfast login {settings.url}   (a command ends by itself; then try again)",
        ) from None
    return descriptor


def enrolled(settings: Settings) -> str | None:
    """The account enrolled on this machine."""
    path = settings.keys / LOCAL_FILE
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def enrol(settings: Settings, account: str) -> None:
    """Enrol an account on this machine, readable by this user only."""
    write_private(settings.keys / LOCAL_FILE, account + "\n")


def saved_login(settings: Settings) -> tuple[str, str] | None:
    """(address, token) of the last ``holdfast login``."""
    path = settings.keys / TOKEN_FILE
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077:
        raise ForbiddenError(
            "token-file-open",
            "Nothing was done.",
            why=f"Other users of this machine can read {path}.",
            next_step=f"Revoke the token (holdfast token list), then: rm {path} && holdfast login",
        )
    saved = json.loads(path.read_text(encoding="utf-8"))
    return saved["url"], saved["token"]


def connect(settings: Settings) -> Connection:
    """The server named by ``HOLDFAST_SERVER`` or the last login, else this machine."""
    login = saved_login(settings)
    if settings.server:
        token = login[1] if login is not None and login[0] == settings.server else os.environ.get("HOLDFAST_TOKEN")
        return Remote(settings.server, token)
    return Local(settings) if login is None else Remote(*login)


def write_private(path: Path, content: str) -> None:
    """Write a file of mode 0600, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


_BY_STATUS: dict[int, type[HoldfastError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: RefusedError,
    413: TooLargeError,
    422: BadInputError,
    503: UnavailableError,
}


def _answer(status: int, content: bytes) -> Json:
    if status < 400:  # noqa: PLR2004 - HTTP: below 400 is success
        if not content:
            return {}
        try:
            return dict(json.loads(content))
        except ValueError:
            return {"text": content.decode("utf-8", "replace")}
    try:
        told = json.loads(content)
        code, what, why = told["code"], told["title"], told["detail"]
        next_step, details = told["next_step"], told["details"]
    except (ValueError, KeyError, TypeError):
        raise UnavailableError(
            "answer-not-understood",
            "The command may not have been done.",
            why=f"The server answered with status {status}, and not in Holdfast's way.",
            next_step="Check the address: holdfast login URL",
        ) from None
    kind = ConflictError if code == "facet-changed" else _BY_STATUS.get(status, DamagedError)
    raise kind(code, what, why=why, next_step=next_step, details=details)


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}


def _blocks(stream: ByteSource) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block


async def _async_blocks(stream: ByteSource) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(stream.read, BLOCK):
        yield block


def _unreachable(place: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        "server-unreachable",
        f"{place} did not answer.",
        why=f"{type(error).__name__}: the connection failed or was cut.",
        next_step="Send it again (a command carries a key, so it is done once): "
        "or work on this machine alone: holdfast logout",
    )
