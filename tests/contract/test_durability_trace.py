"""No acknowledgement leaves before what it speaks of is on the disk: seen in the server's own system calls.

SIGKILL keeps the page cache, so the crash harness cannot show this. A system-call trace can.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.house import open_house

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: apt-get install strace"),
]

CALLS = "fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg,rename,renameat,renameat2,link,linkat"
START_S = 120
_SYNC = re.compile(r"\b(?:fsync|fdatasync)\(\d+<(?P<path>[^>]*)>\)?.*= 0$")
_SYNC_DONE = re.compile(r"<\.\.\. (?:fsync|fdatasync) resumed>\)\s*= 0$")
_SYNC_BEGUN = re.compile(r"\b(?:fsync|fdatasync)\(\d+<(?P<path>[^>]*)>\s*<unfinished")
_ANSWER = re.compile(r"\b(?:write|writev|sendto|sendmsg)\(\d+<(?:TCP|socket)[^>]*>.*HTTP/1\.1 (?P<status>\d{3})")
_WRITE = re.compile(r"\b(?:write|pwrite64)\(\d+<(?P<path>/[^>]*)>")


@dataclass
class Traced:
    """A traced server."""

    folder: Path
    port: int
    token: str
    incident: str
    log: Path

    def send(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            return dict(answer)

    def during(self, path: str, body: bytes) -> list[tuple[str, str]]:
        """What the server wrote, synced and answered for one request, in the order in which it was done."""
        before = self.log.stat().st_size
        self.send("POST", path, body)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with self.log.open(errors="replace") as file:
                file.seek(before)
                found = _happened(file.read())
            if found and any(what == "answer" for what, _ in found):
                return found
            time.sleep(0.05)
        raise AssertionError("the trace shows no answer")


def _happened(text: str) -> list[tuple[str, str]]:
    begun: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        thread, _, call = line.partition(" ")
        if match := _SYNC.search(call):
            found.append(("sync", match["path"]))
        elif match := _SYNC_BEGUN.search(call):
            begun[thread] = match["path"]
        elif _SYNC_DONE.search(call) and thread in begun:
            found.append(("sync", begun.pop(thread)))
        elif match := _ANSWER.search(call):
            found.append(("answer", match["status"]))
        elif match := _WRITE.search(call):
            found.append(("write", match["path"]))
    return found


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    with open_house(folder, lambda: datetime.now(UTC)) as house:
        token, incident = house.token("ada"), house.commanded()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")} | {
        "HOLDFAST_DATA": str(folder / "data"),
        "HOLDFAST_KEYS": str(folder / "keys"),
        "HOLDFAST_LISTEN": f"127.0.0.1:{port}",
        "HOLDFAST_URL": f"http://localhost:{port}",
    }
    log = folder / "trace"
    command = ["strace", "-f", "-yy", "-s", "64", "-e", f"trace={CALLS}", "-o", str(log)]
    with (
        (folder / "server.log").open("wb") as said,
        subprocess.Popen(
            [*command, sys.executable, "-m", "holdfast.cli", "serve"],
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        ) as server,
    ):
        try:
            opened = Traced(folder, port, token, incident, log)
            _wait(opened, server)
            yield opened
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(30)


def _wait(traced: Traced, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError, HTTPException):
            traced.send("GET", "/api/v1/health")
            return
        time.sleep(0.1)
    raise AssertionError((traced.folder / "server.log").read_text()[-2000:])


def places(found: list[tuple[str, str]], what: str, part: str = "") -> list[int]:
    return [number for number, (kind, place) in enumerate(found) if kind == what and part in place]


def test_a_command_is_answered_after_the_key_log_and_then_the_records_log_were_synced(traced: Traced) -> None:
    path = f"/api/v1/incidents/{traced.incident}/message/post"
    found = traced.during(path, json.dumps({"text": "who has the pager?"}).encode())
    (answer,) = places(found, "answer")
    keys, record = places(found, "sync", "text-keys.sqlite-wal"), places(found, "sync", "record.sqlite-wal")
    assert keys
    assert record
    assert max(keys) < min(record) < answer
    assert max(places(found, "write", "text-keys.sqlite-wal")) < max(keys)
    # What was written last to the record's log before the answer was synced before the answer.
    written = [number for number in places(found, "write", "record.sqlite-wal") if number < answer]
    assert max(written) < max(number for number in record if number < answer)


def test_evidence_is_answered_after_object_and_folder_and_then_its_binding_were_synced(traced: Traced) -> None:
    found = traced.during(f"/api/v1/incidents/{traced.incident}/objects", b"a line of a log\n" * 5000)
    (answer,) = places(found, "answer")
    syncs = [(number, place) for number, (kind, place) in enumerate(found) if kind == "sync" and number < answer]
    objects = str(traced.folder / "data" / "objects")
    of_vault = [(number, place) for number, place in syncs if place.startswith(objects)]
    folders = [number for number, place in of_vault if Path(place).is_dir()]
    files = [number for number, place in of_vault if not Path(place).is_dir()]
    bound = [number for number, place in syncs if place.endswith("record.sqlite-wal")]
    assert files, found
    assert folders, found
    assert bound, found
    assert min(files) < max(folders) < max(bound) < answer


def test_recorded_evidence_is_answered_after_the_record_was_synced(traced: Traced) -> None:
    stored = traced.send("POST", f"/api/v1/incidents/{traced.incident}/objects", b"another line\n")
    body = {**stored, "kind": "log", "name": "app.log", "media_type": "text/plain"}
    found = traced.during(f"/api/v1/incidents/{traced.incident}/evidence/add", json.dumps(body).encode())
    (answer,) = places(found, "answer")
    assert [number for number in places(found, "sync", "record.sqlite-wal") if number < answer]
