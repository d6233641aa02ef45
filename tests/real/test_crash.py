"""Whatever was acknowledged survives SIGKILL at any instant, once; in CI 20 kills for each database.

``make hammer`` runs the same with HAMMER_KILLS kills. The instants are random: the seed is printed with a failure,
and HAMMER_SEED repeats its pauses.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.house import open_house
from tests.real.crashing import Harness, Server, prepared

KILLS = int(os.environ.get("HAMMER_KILLS", "20"))
DATABASE_KILL_EVERY = 6
"""In the PostgreSQL run, a database process is killed too before each so many kills of the server."""

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.hammer]


def crash(folder: Path, kills: int, environment: dict[str, str], disturb: Callable[[int], None] | None = None) -> None:
    token, incident = prepared(folder, **environment)
    seed = int(os.environ.get("HAMMER_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    places = {"HOLDFAST_DATA": str(folder / "data"), "HOLDFAST_KEYS": str(folder / "keys")}
    with Server(folder, places | environment).nursed() as server:
        harness = Harness(server, token, incident, seed)
        harness.run(kills, disturb or (lambda _number: None))
    with open_house(folder, lambda: datetime.now(UTC), **environment) as house:
        harness.reckon(house)
    print(f"seed {seed}: {kills} kills, {len(harness.told)} acknowledged writes, {len(harness.objects)} objects")  # noqa: T201


def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed_on_sqlite(tmp_path: Path) -> None:
    crash(tmp_path, KILLS, {})


def test_nothing_acknowledged_is_lost_or_doubled_when_server_and_database_are_killed_on_postgresql(
    tmp_path: Path, postgres_url: str
) -> None:
    killed = []

    def disturb(number: int) -> None:
        if number % DATABASE_KILL_EVERY != DATABASE_KILL_EVERY - 1:
            return
        # A killed backend makes PostgreSQL end every other one and recover from its log, as after a crash.
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            found = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert found is not None
            os.kill(found[0], signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        killed.append(found[0])
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(postgres_url):
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not recover")

    crash(tmp_path, KILLS, {"HOLDFAST_DATABASE": postgres_url}, disturb)
    assert len(killed) == KILLS // DATABASE_KILL_EVERY
