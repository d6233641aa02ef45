"""One real installation for the acceptance tests: people with tokens and sessions, and a real server process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyotp

from holdfast.app.application import Application
from holdfast.app.settings import load
from holdfast.app.signing_in import viewer_of
from holdfast.wiring import build

ADMINISTRATOR = "ada"
COMMANDER, LEAD, COMMUNICATOR, KEEPER, OWNER, SECOND = "mara", "tomas", "cleo", "edda", "bruno", "sven"
PEOPLE: Mapping[str, tuple[str, ...]] = {
    COMMANDER: ("commander",),
    LEAD: ("technical_lead",),
    COMMUNICATOR: ("communications_lead",),
    KEEPER: ("evidence_owner",),
    OWNER: ("business_owner",),
    SECOND: ("commander",),
}
"""Responders, and the incident roles they are qualified for."""


PASSWORD = "correct horse battery staple"
STEP_S = 30


@dataclass(frozen=True)
class Installation:
    """Where it is, and how each person proves who they are."""

    url: str
    folder: Path
    tokens: Mapping[str, str]
    seeds: Mapping[str, str]
    _used: dict[str, int] = field(default_factory=dict)

    def code(self, name: str) -> str:
        """A code of the person's device that was not used yet; the server takes one step ahead."""
        step = max(int(time.time()) // STEP_S, self._used.get(name, 0) + 1)
        while step > int(time.time()) // STEP_S + 1:
            time.sleep(0.2)
        self._used[name] = step
        return pyotp.TOTP(self.seeds[name]).at(step * STEP_S)


@contextmanager
def running(folder: Path) -> Iterator[Installation]:
    """Make an installation, serve it with ``holdfast serve``, stop it at the end."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    ours = {
        "HOLDFAST_DATA": str(folder / "data"),
        "HOLDFAST_KEYS": str(folder / "keys"),
        "HOLDFAST_URL": url,
        "HOLDFAST_LISTEN": f"127.0.0.1:{port}",
    }
    tokens, seeds = _enrol_everybody(ours)
    environment = {**_plain_environment(), **ours}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "holdfast.cli", "serve"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(url, server, folder / "server.log")
            yield Installation(url, folder, tokens, seeds)
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}


def _enrol_everybody(ours: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    app = build(load(ours))
    try:
        app.add_first_account(ADMINISTRATOR)
        administrator = viewer_of(app.states.installation().accounts[ADMINISTRATOR], "local")
        for name, qualified in PEOPLE.items():
            app.execute("account-add", {"account": name, "qualified": list(qualified)}, administrator)
        return {name: _token(app, name) for name in PEOPLE}, {name: _enrolled(app, name) for name in PEOPLE}
    finally:
        app.close()


def _token(app: Application, name: str) -> str:
    viewer = viewer_of(app.states.installation().accounts[name], "password+totp")
    return str(app.execute("token-issue", {"label": "acceptance"}, viewer).once["token"])


def _enrolled(app: Application, name: str) -> str:
    """Password and authenticator, proven with the code before the present one, so that this one is still unused."""
    seed = app.signing_in.new_seed()
    app.signing_in.set_password(name, PASSWORD)
    app.signing_in.enrol_totp(name, seed, pyotp.TOTP(seed).at(int(time.time()) - STEP_S))
    return seed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/api/v1/health", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    message = f"the server does not answer: {log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
    raise RuntimeError(message)
