"""The live stream on a real server: greets, tells of commits of this and of other processes, ends with the session."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvicorn

from holdfast.web import live
from holdfast.web.app import create_app
from tests.house import House, open_house

PATIENCE_S = 30


class Stream:
    """One open stream, read line by line from a plain socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.status = 0

    async def open(self, port: int, path: str, token: str) -> None:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._writer.write(head.encode())
        self.status = int((await self._line()).split()[1])
        while await self._line():
            pass

    async def _line(self) -> str:
        line = await asyncio.wait_for(self._reader.readline(), PATIENCE_S)
        if not line:
            raise EOFError
        return line.decode().rstrip("\r\n")

    async def event(self) -> tuple[str, dict[str, object]]:
        """The next event and its data; comments, chunk sizes and pauses are skipped.

        Raises:
            EOFError: the stream has ended.
        """
        name = ""
        while True:
            line = await self._line()
            if line == "0":
                raise EOFError
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))

    async def told(self, incident: str, version: int) -> None:
        """Wait until it says that the incident is at this version; it may say before that it was at an older one."""
        seen: dict[str, object] = {}
        while seen.get("version") != version:
            name, seen = await self.event()
            assert (name, seen["incident"]) == ("changed", incident)
            assert isinstance(seen["version"], int)
            assert seen["version"] <= version

    async def quiet(self, seconds: float) -> bool:
        """Whether no event comes for so long."""
        try:
            await asyncio.wait_for(self.event(), seconds)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def stream(port: int, token: str, incident: str | None = None) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    opened = Stream(reader, writer)
    try:
        await opened.open(port, "/api/v1/live" + (f"?incident={incident}" if incident else ""), token)
        yield opened
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("live")) as opened:
        yield opened


@pytest.fixture(scope="module")
def port(house: House) -> Iterator[int]:
    """Of a real server in a thread."""
    config = uvicorn.Config(create_app(house.app), port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = threading.Thread(target=server.run)
    running.start()
    until = time.monotonic() + PATIENCE_S
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    running.join(PATIENCE_S)


def test_a_watcher_is_greeted_and_told_which_incident_changed_to_which_version(house: House, port: int) -> None:
    incident = house.declare()

    async def watch() -> None:
        async with stream(port, house.token("ben")) as opened:
            assert opened.status == 200
            assert await opened.event() == ("hello", {})
            told = await asyncio.to_thread(house.do, "ada", "message-post", incident, text="hello")
            await opened.told(incident, told.version)

    asyncio.run(watch())


def test_a_watcher_of_one_incident_hears_of_no_other(house: House, port: int) -> None:
    mine, other = house.declare(), house.declare()

    async def watch() -> None:
        async with stream(port, house.token("ben"), mine) as opened:
            await opened.event()
            await asyncio.to_thread(house.do, "ada", "message-post", other, text="elsewhere")
            told = await asyncio.to_thread(house.do, "ada", "message-post", mine, text="here")
            await opened.told(mine, told.version)

    asyncio.run(watch())


def test_what_another_process_commits_is_told_too(house: House, port: int) -> None:
    incident = house.declare()
    folder = Path(house.app.settings.data).parent

    async def watch(other: House) -> None:
        async with stream(port, house.token("ben")) as opened:
            await opened.event()
            told = await asyncio.to_thread(other.do, "ada", "message-post", incident, text="from elsewhere")
            await opened.told(incident, told.version)

    with open_house(folder) as other:
        asyncio.run(watch(other))


def test_restricted_incidents_reach_only_those_let_in(house: House, port: int) -> None:
    hidden = house.commanded(sensitivity="restricted")
    shown = house.declare()

    async def watch() -> None:
        async with stream(port, house.token("out")) as outside, stream(port, house.token("ada")) as inside:
            for opened in (outside, inside):
                await opened.event()
            told = await asyncio.to_thread(house.do, "ada", "message-post", hidden, text="hidden")
            await inside.told(hidden, told.version)
            assert await outside.quiet(1)
            after = await asyncio.to_thread(house.do, "ada", "message-post", shown, text="shown")
            await outside.told(shown, after.version)

    asyncio.run(watch())


@pytest.mark.parametrize(("who", "scope", "status"), [("ada", "gate", 403), ("nobody", "", 401)])
def test_who_may_not_read_is_refused_at_once(house: House, port: int, who: str, scope: str, status: int) -> None:
    async def watch() -> int:
        token = "hf_token_wrong" if who == "nobody" else house.token(who, scope)
        async with stream(port, token) as opened:
            return opened.status

    assert asyncio.run(watch()) == status


def test_two_hundred_watchers_are_all_told(house: House, port: int) -> None:
    incident = house.declare()
    token = house.token("ben")

    async def watch() -> int:
        opened = [stream(port, token) for _ in range(200)]
        watchers = [await one.__aenter__() for one in opened]
        try:
            for one in watchers:
                assert (await one.event())[0] == "hello"
            told = await asyncio.to_thread(house.do, "ada", "message-post", incident, text="to all")
            await asyncio.gather(*(one.told(incident, told.version) for one in watchers))
            return len(watchers)
        finally:
            for one in opened:
                await one.__aexit__(None, None, None)

    assert asyncio.run(watch()) == 200


def test_a_session_that_ends_closes_its_stream_though_much_happens(
    house: House, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.3)
    incident = house.declare()
    issued = house.do("ben", "token-issue", label="short")

    async def watch() -> list[str]:
        heard: list[str] = []
        async with stream(port, issued.once["token"]) as opened:
            heard.append((await opened.event())[0])
            await asyncio.to_thread(house.do, "ben", "token-revoke", token_id=issued.result["token_id"])
            busy = asyncio.create_task(_busy(house, incident))
            try:
                while True:
                    heard.append((await opened.event())[0])
            except EOFError:
                return heard
            finally:
                busy.cancel()

    heard = asyncio.run(watch())
    assert heard[0] == "hello"
    assert heard[-1] == "signed-out"


async def _busy(house: House, incident: str) -> None:
    while True:
        await asyncio.to_thread(house.do, "ada", "message-post", incident, text="on and on")
        await asyncio.sleep(0.02)


def test_the_stream_goes_on_after_the_database_was_away(
    house: House, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = house.declare()
    record = type(house.app.record)
    changed, failures = record.changed, iter(range(2))

    def away(self: object, after: int, limit: int = 1000) -> list[tuple[int, str]]:
        if next(failures, None) is not None:
            raise ConnectionError("away")
        return changed(self, after, limit)  # type: ignore[arg-type]

    async def watch() -> None:
        async with stream(port, house.token("ben")) as opened:
            await opened.event()
            monkeypatch.setattr(record, "changed", away)
            told = await asyncio.to_thread(house.do, "ada", "message-post", incident, text="meanwhile")
            await opened.told(incident, told.version)

    asyncio.run(watch())
