"""The crash harness: concurrent writers over HTTP, a server that is killed without warning, and the reckoning after."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any

from holdfast.app import checking, exporting
from tests.house import House, open_house

WRITERS = 4
ALIVE_S = (0.03, 0.4)
"""A server lives this long, at random, before it is killed."""
START_S = 90
"""A busy machine may take this long until a started server answers."""
ROOT = Path(__file__).parents[2]


@dataclass
class Sent:
    """One write, with the key under which it is repeated until somebody answers."""

    path: str
    body: dict[str, Any]
    key: str
    answer: dict[str, Any] | None = None


@dataclass
class Server:
    """The server, started and killed again and again."""

    folder: Path
    environment: dict[str, str]
    port: int = 0
    pid: int = 0
    _nursery: subprocess.Popen[str] | None = None

    @contextmanager
    def nursed(self) -> Iterator[Server]:
        """With a warm process to fork servers from."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")},
            **self.environment,
            "HOLDFAST_LISTEN": f"127.0.0.1:{self.port}",
            "HOLDFAST_URL": f"http://localhost:{self.port}",
        }
        with (
            (self.folder / "server.log").open("w") as log,
            subprocess.Popen(
                [sys.executable, "-m", "tests.real.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=ROOT,
                text=True,
            ) as self._nursery,
        ):
            try:
                yield self
            finally:
                self.kill()
                assert self._nursery.stdin is not None
                self._nursery.stdin.close()
                self._nursery.wait(30)
                assert self._nursery.stdout is not None
                self._nursery.stdout.close()

    def _line(self) -> str:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        line = self._nursery.stdout.readline()
        assert line, (self.folder / "server.log").read_text()[-2000:]
        return line.strip()

    def _fork(self) -> None:
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        self.pid = int(self._line())

    def start(self) -> None:
        """Start it and wait until it answers; where its database is not up yet, again, as a service manager does."""
        self._fork()
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if not _is_running(self.pid):
                assert self._line() == "ended False"
                time.sleep(0.1)
                self._fork()
            with (
                contextlib.suppress(OSError, HTTPException),
                contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection,
            ):
                connection.request("GET", "/api/v1/health")
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError("the server did not come up: " + (self.folder / "server.log").read_text()[-2000:])

    def kill(self) -> None:
        """SIGKILL: no handler runs, no buffer is flushed."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            assert self._line() == "ended True"
            self.pid = 0


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Harness:
    """Writers that go on through every crash, and what they were told."""

    server: Server
    token: str
    incident: str
    seed: int
    told: list[Sent] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, kills: int, disturb: Callable[[int], None] = lambda _number: None) -> None:
        """Kill the server so many times under its writers; ``disturb`` may break something else besides."""
        chance = random.Random(self.seed)
        writers = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        self.server.start()
        for writer in writers:
            writer.start()
        try:
            for number in range(kills):
                time.sleep(chance.uniform(*ALIVE_S))
                disturb(number)
                self.server.kill()
                self.server.start()
        finally:
            self.stop.set()
            for writer in writers:
                writer.join(START_S)
        self._repeat(chance)

    def _write(self, writer: int) -> None:
        chance = random.Random(f"{self.seed} {writer}")
        while not self.stop.is_set():
            sent = self._next(chance)
            if sent is None:
                continue
            answer = self._until_answered(sent)
            if answer is not None:
                sent.answer = answer
                self.told.append(sent)

    def _next(self, chance: random.Random) -> Sent | None:
        number = next(self._numbers)
        key = f"crash-{self.seed}-{number:08d}"
        kind = chance.choice(["message", "message", "message", "declare", "token", "evidence"])
        place = f"/api/v1/incidents/{self.incident}"
        if kind == "declare":
            return Sent("/api/v1/incidents", {"name": f"crash {number}"}, key)
        if kind == "token":
            return Sent("/api/v1/token/issue", {"label": f"crash {number}", "scopes": ["gate"]}, key)
        if kind == "evidence":
            content = f"line of log {number}\n".encode() * 50
            sha256 = hashlib.sha256(content).hexdigest()
            if self._until_answered(Sent(f"{place}/objects", {}, ""), content) is None:
                return None
            self.objects.add(sha256)
            fields = {"sha256": sha256, "size": len(content), "kind": "log", "media_type": "text/plain"}
            return Sent(f"{place}/evidence/add", {**fields, "name": f"{number}.log"}, key)
        return Sent(f"{place}/message/post", {"text": f"message number {number}"}, key)

    def _until_answered(self, sent: Sent, content: bytes | None = None) -> dict[str, Any] | None:
        """Send it with the same key until an answer comes; none if the run ended before."""
        while True:
            try:
                status, answer = self._send(sent, content)
            except (OSError, HTTPException, ValueError):
                status, answer = 503, {}
            if status == 200:
                return answer
            if status != 503:
                self.wrong.append(f"{sent.path} answered {status}: {answer}")
                return None
            if self.stop.is_set():
                return None
            time.sleep(0.02)

    def _send(self, sent: Sent, content: bytes | None = None) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if sent.key:
            headers["Idempotency-Key"] = sent.key
        try:
            connection.request("POST", sent.path, json.dumps(sent.body) if content is None else content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def _repeat(self, chance: random.Random) -> None:
        """After the last crash the same requests get the same answers, and nothing is done twice."""
        for sent in chance.sample(self.told, min(60, len(self.told))):
            assert sent.answer is not None
            _, again = self._send(sent)
            same = {name: value for name, value in sent.answer.items() if name not in ("replayed", "result")}
            if not again.get("replayed") or same != {name: again.get(name) for name in same}:
                self.wrong.append(f"{sent.path} {sent.key} answered otherwise: {again}")

    def reckon(self, house: House) -> None:
        """Hold what was acknowledged against what is stored; then check and verify everything."""
        assert self.wrong == []
        assert self.told
        stored: Counter[tuple[str, int, str]] = Counter()
        for stream in house.app.record.streams():
            for event in house.events(stream):
                stored[stream, event.seq, event.event_id] += 1
        assert set(stored.values()) == {1}
        for sent in self.told:
            assert sent.answer is not None
            for told in sent.answer["events"]:
                assert stored[sent.answer["incident"], told["seq"], told["event_id"]] == 1, sent
        said = Counter(
            house.app.texts.read([event.data["text"]["sealed"]])[event.data["text"]["sealed"]]
            for event in house.events(self.incident)
            if event.type == "message.posted"
        )
        assert not [text for text, times in said.items() if times > 1]
        messages = [sent.body["text"] for sent in self.told if sent.path.endswith("/message/post")]
        assert all(said[text] == 1 for text in messages)
        numbers = sorted(stream for stream in house.app.record.streams() if stream.startswith("INC-"))
        assert [int(one.rpartition("-")[2]) for one in numbers] == list(range(1, len(numbers) + 1))
        for digest in self.objects:
            assert house.app.vault.verify(digest) == "ok", digest
        assert checking.check(house.app).faults == []
        self._verify_pack(house)

    def _verify_pack(self, house: House) -> None:
        from holdfast.evidence.packs.verify import verify

        out = BytesIO()
        viewer = house.viewer("ada")
        exporting.export(house.app, self.incident, viewer, out, recipient="the auditor", purpose="after the crashes")
        out.seek(0)
        verify(out)


def prepared(folder: Path, **environment: str) -> tuple[str, str]:
    """A token and an incident to write to, in an installation of this folder."""
    with open_house(folder, lambda: datetime.now(UTC), **environment) as house:
        return house.token("ada"), house.commanded()
