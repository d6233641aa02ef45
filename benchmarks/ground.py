"""A real server on loopback with its own data, and how much CPU it used."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from holdfast.app.settings import load
from holdfast.app.signing_in import viewer_of
from holdfast.wiring import build

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the benchmark runs."""

    pid: int
    url: str
    token: str
    folder: Path
    started_s: float

    def client(self) -> httpx.Client:
        """A client that is signed in and keeps its connection."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def cpu_s(self) -> float:
        """User and system CPU seconds of the server so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """Proportional set size of the server, MB."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def ground(incidents: int = 0) -> Iterator[Ground]:
    """A server whose record already holds that many incidents."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        port = _free_port()
        environment = {
            **os.environ,
            "HOLDFAST_DATA": str(folder / "data"),
            "HOLDFAST_KEYS": str(folder / "keys"),
            "HOLDFAST_LISTEN": f"127.0.0.1:{port}",
            "HOLDFAST_URL": f"http://127.0.0.1:{port}",
        }
        token = _prepare(environment, incidents)
        begun = time.perf_counter()
        log = (folder / "server.log").open("wb")
        server = subprocess.Popen(
            [sys.executable, "-m", "holdfast.cli", "serve"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        url = environment["HOLDFAST_URL"]
        try:
            _wait(url)
            yield Ground(server.pid, url, token, folder, time.perf_counter() - begun)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            log.close()


def _prepare(environment: dict[str, str], incidents: int) -> str:
    app = build(load(environment))
    try:
        app.add_first_account("ana")
        viewer = viewer_of(app.states.installation().accounts["ana"], "local")
        token = app.execute("token-issue", {"label": "bench"}, viewer).once["token"]
        for number in range(incidents):
            fields = {"name": f"Seeded incident {number}", "play": "leaked-secret"}
            app.execute("declare", fields, viewer)
            if sys.stderr.isatty() and number % 500 == 0:
                sys.stderr.write(f"\rseeding {number} of {incidents}")
        return str(token)
    finally:
        app.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/api/v1/health", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    msg = "the server did not answer within 30 s"
    raise TimeoutError(msg)
