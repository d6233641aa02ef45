"""The demo's own folder, and a real server over it: ``holdfast serve`` as a process of its own, on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from holdfast.app.settings import Settings, load
from holdfast.cli.connection import lock
from holdfast.kernel.errors import BadInputError, UnavailableError

FOLDER = "demo-data"
MARKER = ".made-by-holdfast-demo"
START_SECONDS = 60.0
"""A server starts in about two seconds; a busy build machine may need many times that."""
STOP_SECONDS = 10.0
_SERVING = "Holdfast serves"
_LINK = re.compile(r"http\S+/welcome#\S+")


@dataclass(frozen=True, slots=True)
class Place:
    """The demo's folder, the address of its server, and the environment its processes get."""

    folder: Path
    settings: Settings
    environment: Mapping[str, str]

    @property
    def inputs(self) -> Path:
        """Where the made-up repository and logs are."""
        return self.folder / "inputs"

    def cli(self, *arguments: str) -> list[str]:
        """A ``holdfast`` command line of this very installation."""
        return [sys.executable, "-m", "holdfast.cli", *arguments]


def prepare(parent: Path, environment: Mapping[str, str]) -> Place:
    """A fresh ``demo-data`` below ``parent``; the one of an earlier run is deleted, anything else is not.

    Raises:
        BadInputError: there is a folder of that name that no demo made.
        UnavailableError: a demo still runs in it.
    """
    folder = parent / FOLDER
    listen = environment.get("HOLDFAST_LISTEN") or f"127.0.0.1:{_free_port()}"
    ours = {
        "HOLDFAST_DATA": str(folder / "data"),
        "HOLDFAST_KEYS": str(folder / "keys"),
        "HOLDFAST_CACHE": str(folder / "cache"),
        "HOLDFAST_LISTEN": listen,
        "HOLDFAST_URL": f"http://localhost:{listen.rpartition(':')[2]}",
    }
    settings = load(ours)
    if folder.exists() or folder.is_symlink():
        _delete(folder, settings)
    folder.mkdir(mode=0o700)
    (folder / MARKER).write_text("Made by the Holdfast demo, which deletes this folder when it runs again.\n")
    (folder / "inputs").mkdir()
    kept = {name: value for name, value in environment.items() if not name.startswith("HOLDFAST_")}
    return Place(folder, settings, {**kept, **ours})


def _delete(folder: Path, settings: Settings) -> None:
    if folder.is_symlink() or not folder.is_dir() or not (folder / MARKER).is_file():
        raise BadInputError(
            "demo-folder-foreign",
            "The demo did not start.",
            why=f"{folder} exists and was not made by the demo, so it is not deleted.",
            next_step=f"Move it away (mv {folder} elsewhere), or run the demo in another folder.",
        )
    if settings.data.is_dir():
        # A server that still runs holds this lock: its data must not vanish below it.
        os.close(lock(settings))
    shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """``holdfast serve``, from entering to leaving a ``with``."""

    def __init__(self, place: Place) -> None:
        """Serve this place."""
        self._place = place
        self._log = place.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            UnavailableError: it ended or did not answer in time; its own words are in the error.
        """
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, arguments of our own
                self._place.cli("serve"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._place.folder,
                env=dict(self._place.environment),
                # Ctrl-C is for the demo, which then stops the server in order.
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def first_link(self) -> str:
        """The one-time link it printed at its first start."""
        found = _LINK.search(self._said())
        return found[0] if found else ""

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> None:
        """Until it ends by itself, or the demo is interrupted."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """End it: asked first, then by force."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        try:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        finally:
            # Also when somebody cannot wait and presses Ctrl-C again.
            process.kill()
            process.wait()

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self._place.settings.url}/api/v1/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.is_running:
            # Its own words first: whatever else might answer at this address is not our server.
            if _SERVING in self._said() and self._answers():
                return
            time.sleep(0.05)
        said = self._said().split()
        raise UnavailableError(
            "demo-server-silent",
            "The demo's server did not start.",
            why=" ".join(said)[-500:] or f"It did not answer at {self._place.settings.url} in {START_SECONDS:.0f} s.",
            next_step="Look at demo-data/server.log; for another address: HOLDFAST_LISTEN=127.0.0.1:8301 make demo",
        )
