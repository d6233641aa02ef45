"""Real servers for the readers of their logs: installed beside the product, started here, stopped by their own id.

Those from PyPI get an environment of their own under the system's temporary folder and are found there again; those
from Debian are programs that the gate installs. Without one the test is skipped, in CI it fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))
_INSTALL_SECONDS = 600


def missing(why: str) -> None:
    """Skip, or fail in CI."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def program(name: str, *elsewhere: str) -> str:
    """Path of a program of the system."""
    found = shutil.which(name, path=_SBIN) or next((one for one in elsewhere if Path(one).exists()), None)
    if found is None:
        missing(f"{name} is not installed here")
    return str(found)


def from_pypi(name: str, *wanted: str) -> Path:
    """The ``bin`` folder of an environment with these exact packages; made where it is not there yet."""
    place = Path(tempfile.gettempdir()) / f"holdfast-{name}-{os.getuid()}"
    if not (place / "bin").exists():
        try:
            _install(place, wanted)
        except (OSError, subprocess.SubprocessError) as error:
            missing(f"{wanted[0]} cannot be installed here: {str(getattr(error, 'stderr', None) or error)[-300:]}")
    return place / "bin"


def _install(place: Path, wanted: tuple[str, ...]) -> None:
    """Install beside the place and move it there whole, so that two at once do no harm."""
    uv = next((str(one) for one in (_ROOT / ".uv" / "bin" / "uv",) if one.exists()), None) or shutil.which("uv")
    made = place.with_name(f"{place.name}.{os.getpid()}")
    if uv:
        steps = [[uv, "venv", "-q", "--relocatable", "-p", sys.executable, str(made)],
                 [uv, "pip", "install", "-q", "-p", str(made / "bin" / "python"), *wanted]]  # fmt: skip
    else:
        steps = [[sys.executable, "-m", "venv", str(made)], [str(made / "bin" / "pip"), "install", "-q", *wanted]]
    clean = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    for step in steps:
        subprocess.run(step, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS, env=clean)
    with contextlib.suppress(OSError):  # somebody else was faster
        made.rename(place)
    shutil.rmtree(made, ignore_errors=True)


def _surroundings(env: dict[str, str] | None) -> dict[str, str]:
    """Ours, and those given; compiled modules are kept, for the servers from PyPI are large."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(env or {})}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as near:
        near.settimeout(1)
        return near.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, ready: Callable[[], bool], env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that is ready; gone afterwards."""
    with (folder / "server.out").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=_surroundings(env), stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while not ready():
            if time.monotonic() > end or process.poll() is not None:
                missing(f"{command[0]} did not start: {(folder / 'server.out').read_text(errors='replace')[-400:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(*command: str, ok: tuple[int, ...] = (0,), given: str | None = None, env: dict[str, str] | None = None) -> str:
    """What a program says; it has to end as expected."""
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=_surroundings(env),
    )
    assert done.returncode in ok, f"{command}: {done.returncode}: {done.stdout[-300:]} {done.stderr[-600:]}"
    return done.stdout
