"""A whole installation in a folder: people, tokens, a clock that is moved by hand, and the API in process."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from holdfast.app.application import SYSTEM_VIEWER, Application
from holdfast.app.authorisation import Viewer
from holdfast.app.dispatching import Outcome
from holdfast.app.settings import Settings, load
from holdfast.app.signing_in import viewer_of
from holdfast.kernel.events import Event
from holdfast.web.app import create_app
from holdfast.wiring import build

QUALIFIED = ["commander", "technical_lead", "communications_lead", "evidence_owner", "business_owner"]
PEOPLE: Mapping[str, tuple[str, ...]] = {
    "ada": ("administrator", "responder"),
    "ben": ("responder",),
    "cem": ("responder",),
    "out": ("responder",),
    "eye": ("observer",),
    "aud": ("auditor",),
}
"""Account to organisation roles. ``out`` is let into nothing restricted, ``eye`` only looks, ``aud`` audits."""


class Clock:
    """Goes on by a millisecond each time it is read, and by what the test adds."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class House:
    """An application and who lives in it."""

    app: Application
    clock: Callable[[], datetime]
    tokens: dict[str, str] = field(default_factory=dict)

    def viewer(self, account: str, scopes: frozenset[str] = frozenset({"all"})) -> Viewer:
        """The account as it is now."""
        return viewer_of(self.app.states.installation().accounts[account], "passkey", scopes)

    def do(
        self, account: str, case: str, incident: str | None = None, key: str | None = None, /, **fields: Any
    ) -> Outcome:
        """Run a use case as somebody."""
        return self.app.execute(case, fields, self.viewer(account), incident_id=incident, idempotency_key=key)

    def system(self, case: str, /, **fields: Any) -> Outcome:
        """Run a use case on the installation as its own administrator."""
        return self.app.execute(case, fields, SYSTEM_VIEWER)

    def declare(self, account: str = "ada", **fields: Any) -> str:
        """Declare an incident; its id."""
        return self.do(account, "declare", **({"name": "A key lies open"} | fields)).incident_id

    def commanded(self, account: str = "ada", **fields: Any) -> str:
        """Declare an incident and command it."""
        incident = self.declare(account, **fields)
        self.do(account, "command-take", incident)
        return incident

    def collect(self, incident: str, account: str = "ada", body: bytes = b"a line of a log\n") -> str:
        """Upload bytes and record them as evidence; the item's id."""
        sha256, size = self.app.upload(incident, self.viewer(account), io.BytesIO(body))
        fields = {"sha256": sha256, "size": size, "kind": "log", "name": "app.log", "media_type": "text/plain"}
        self.do(account, "evidence-add", incident, **fields)
        return max(self.app.states.incident(incident).evidence.items, key=lambda name: int(name[3:]))

    def events(self, stream: str) -> list[Event]:
        """The record of a stream."""
        return self.app.record.load(stream)

    def types(self, stream: str) -> list[str]:
        """Names of the events of a stream."""
        return [event.type for event in self.events(stream)]

    def token(self, account: str, scope: str = "all") -> str:
        """An API token of an account with a scope, made once."""
        name = f"{account}:{scope}"
        if name not in self.tokens:
            kind = self.app.states.installation().accounts[account].kind
            if kind == "service":
                issued = self.system("token-issue-service", account=account, label="test", scopes=[scope])
            else:
                issued = self.do(account, "token-issue", label="test", scopes=[scope])
            self.tokens[name] = issued.once["token"]
        return self.tokens[name]

    def headers(self, account: str, scope: str = "all") -> dict[str, str]:
        """What a request of theirs carries."""
        return {"Authorization": f"Bearer {self.token(account, scope)}"}


def settings(folder: Path, **more: str) -> Settings:
    """Settings of an installation in a folder."""
    places = {f"HOLDFAST_{name.upper()}": str(folder / name) for name in ("data", "keys", "cache")}
    return load(places | more)


@contextmanager
def open_house(folder: Path, clock: Callable[[], datetime] | None = None, **more: str) -> Iterator[House]:
    """Build the installation, with its people at the first opening."""
    clock = clock or Clock()
    app = build(settings(folder, **more), clock=clock, randomness=os.urandom)
    house = House(app, clock)
    try:
        if not app.states.installation().accounts:
            for account, roles in PEOPLE.items():
                house.system("account-add", account=account, roles=list(roles), qualified=QUALIFIED)
            house.system("account-add", account="bot", kind="service", roles=["responder"])
        yield house
    finally:
        app.close()


class Api:
    """The ASGI application in process, with its own event loop in a thread, as a server has one."""

    def __init__(self, house: House) -> None:
        self.asgi = create_app(house.app)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._context = self.asgi.router.lifespan_context(self.asgi)
        self.run(self._context.__aenter__())
        transport = httpx.ASGITransport(self.asgi, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost:8300")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Wait for a coroutine on the application's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; its whole answer."""
        found: httpx.Response = self.run(self._client.request(method, path, **more))
        return found

    def close(self) -> None:
        """Shut down as a server does."""
        self.run(self._client.aclose())
        self.run(self._context.__aexit__(None, None, None))
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextmanager
def served(house: House) -> Iterator[Api]:
    """The API in process, under the address people use."""
    api = Api(house)
    try:
        yield api
    finally:
        api.close()
