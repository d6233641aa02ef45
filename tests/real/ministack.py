"""A real AWS-like server for tests: MiniStack, in an environment of its own, on this machine only.

It pins its own versions of many packages, so it never enters the product's environment. It is installed once into a
folder under the system's temporary one and found there again.
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
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

VERSION = "1.5.33"
_ROOT = Path(__file__).parents[2]
_PLACE = Path(tempfile.gettempdir()) / f"holdfast-ministack-{VERSION}-{os.getuid()}"
_INSTALL_SECONDS = 600
_START_SECONDS = 60


def program() -> Path:
    """The server's program; installs it where it is not there yet. Without it the test is skipped, in CI it fails."""
    found = _PLACE / "bin" / "ministack"
    if not found.exists():
        try:
            _install()
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            _missing(f"MiniStack {VERSION} cannot be installed here: {str(said)[-300:]}")
    return found


def _install() -> None:
    """Install beside the place and move it there whole, so that two at once do no harm."""
    uv = next((str(one) for one in (_ROOT / ".uv" / "bin" / "uv",) if one.exists()), None) or shutil.which("uv")
    made = _PLACE.with_name(f"{_PLACE.name}.{os.getpid()}")
    wanted = f"ministack[full]=={VERSION}"
    if uv:
        steps = [[uv, "venv", "-q", "--relocatable", "-p", sys.executable, str(made)],
                 [uv, "pip", "install", "-q", "-p", str(made / "bin" / "python"), wanted]]  # fmt: skip
    else:
        steps = [[sys.executable, "-m", "venv", str(made)], [str(made / "bin" / "pip"), "install", "-q", wanted]]
    clean = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    for step in steps:
        subprocess.run(step, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS, env=clean)
    with contextlib.suppress(OSError):  # somebody else was faster
        made.rename(_PLACE)
    shutil.rmtree(made, ignore_errors=True)


def _missing(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Address of a server with sign-in checks and a trail, empty, gone afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "AUTH": "true",
        "CLOUDTRAIL_RECORDING": "1",
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "GATEWAY_PORT": str(port),
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
    }
    server = program()
    address = f"http://127.0.0.1:{port}"
    with (folder / "ministack.log").open("wb") as log:
        # By its interpreter: the script names the folder it was installed in, which was another one.
        command = [str(server.with_name("python")), str(server)]
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=log, stderr=log)
    try:
        _wait(process, address, folder / "ministack.log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_ministack/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    _missing(f"MiniStack did not start: {log.read_text(errors='replace')[-300:]}")
