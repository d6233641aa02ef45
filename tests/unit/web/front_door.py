"""A browser without a screen for page tests: it keeps cookies, reads forms and sends them."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx

from holdfast.app.application import SYSTEM_VIEWER
from holdfast.app.authorisation import Viewer
from holdfast.app.settings import load
from holdfast.app.signing_in import viewer_of
from holdfast.web.app import create_app
from holdfast.web.identity import COOKIE
from holdfast.wiring import build

START = datetime(2026, 11, 23, 3, 7, 12, tzinfo=UTC)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
JSON = {"Accept": "application/json"}


class FrontDoor:
    """One installation and one browser."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        settings = load({"HOLDFAST_DATA": str(folder / "data"), "HOLDFAST_KEYS": str(folder / "keys")})
        self.app = build(settings, clock=lambda: self.now)
        self.asgi = create_app(self.app)
        self.cookies: dict[str, str] = {}

    def person(self, name: str, *roles: str) -> Viewer:
        accounts = self.app.states.installation().accounts
        if not accounts:
            self.app.add_first_account(name)
        elif name not in accounts:
            said = {"account": name, "roles": list(roles or ("responder",))}
            self.app.execute("account-add", said, SYSTEM_VIEWER)
        return viewer_of(self.app.states.installation().accounts[name], "passkey")

    def enter(self, name: str) -> Viewer:
        viewer = self.person(name)
        self.cookies[COOKIE] = self.app.signing_in.start_session(name, "passkey")
        return viewer

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._ask("GET", path, None, headers)

    def post(
        self, path: str, fields: list[tuple[str, str]] | dict[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://localhost:8300"}
        return self._ask("POST", path, urlencode(fields), kind | (headers or {}))

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str] | None) -> httpx.Response:
        async def go() -> httpx.Response:
            sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} | (headers or {})
            transport = httpx.ASGITransport(self.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8300") as client:
                return await client.request(method, path, content=body, headers=sent)

        response = asyncio.run(go())
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
        return response


def hidden(page: httpx.Response, form: str) -> dict[str, str]:
    """The hidden fields of the form with that id."""
    found = page.text.split(f'id="{form}"', 1)[1].split("</form>", 1)[0]
    return {name: html.unescape(value) for name, value in _HIDDEN.findall(found)}
