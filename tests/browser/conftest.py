"""A real server on a free port of this machine, and Debian's Chromium to look at it with."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from holdfast.app.application import SYSTEM_VIEWER, Application
from holdfast.app.authorisation import Viewer
from holdfast.app.settings import load
from holdfast.app.signing_in import viewer_of
from holdfast.web.app import create_app
from holdfast.web.identity import COOKIE
from holdfast.wiring import build

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1500, "height": 1000}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Served:
    """A running installation."""

    url: str
    app: Application

    def person(self, name: str, *roles: str, qualified: tuple[str, ...] = ()) -> Viewer:
        """An account, added if need be: the first is administrator and qualified for everything."""
        accounts = self.app.states.installation().accounts
        if not accounts:
            self.app.add_first_account(name)
        elif name not in accounts:
            said = {"account": name, "roles": list(roles or ("responder",)), "qualified": list(qualified)}
            self.app.execute("account-add", said, SYSTEM_VIEWER)
        return viewer_of(self.app.states.installation().accounts[name], "passkey")

    def enter(self, context: BrowserContext, name: str) -> None:
        """Put a session of the account into a browser, as if it had just signed in."""
        value = self.app.signing_in.start_session(name, "passkey")
        context.add_cookies([{"name": COOKIE, "value": value, "url": self.url, "httpOnly": True, "sameSite": "Lax"}])


@pytest.fixture(scope="module")  # while Playwright runs its loop, no other test of this process could run one
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    yield found
    found.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A real server with an empty record; its address is the one passkeys are bound to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        url = f"http://localhost:{listener.getsockname()[1]}"
        settings = {
            "HOLDFAST_DATA": str(tmp_path / "data"),
            "HOLDFAST_KEYS": str(tmp_path / "keys"),
            "HOLDFAST_URL": url,
        }
        app = build(load(settings))
        config = uvicorn.Config(create_app(app), log_level="error", timeout_graceful_shutdown=1, ws="none")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not running.started and thread.is_alive():
            thread.join(0.02)
        try:
            yield Served(url, app)
        finally:
            running.should_exit = True
            thread.join(10)
            app.close()


Opens = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opens]:
    """Opens a page in a browser context of its own; a script's error or a refused load fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def axe_finds_nothing(page: Page) -> None:
    """Hold a page to axe's rules and to its own width."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def without_scripts(page: Page, url: str) -> None:
    """Go to a page in a browser that runs no script."""
    page.goto(url, wait_until="domcontentloaded")
