from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from holdfast.app.settings import load
from holdfast.store.database import open_databases, sqlite_url
from holdfast.store.migrating import current
from holdfast.wiring import build


@pytest.fixture(params=["sqlite", "postgresql"])
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where a record and its text keys go."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "record.sqlite"), sqlite_url(tmp_path / "keys.sqlite")
    make: Callable[[], str] = request.getfixturevalue("postgres_database")
    return make(), make()


def test_an_empty_database_gets_its_tables_and_keeps_them(addresses: tuple[str, str]) -> None:
    first = open_databases(*addresses)
    revision = current(first.record)
    first.close()
    again = open_databases(*addresses)
    with again.record.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert revision is not None
    assert current(again.record) == revision
    again.close()


def test_an_installation_starts_and_starts_again_on_either_database(addresses: tuple[str, str], tmp_path: Path) -> None:
    settings = load(
        {
            "HOLDFAST_DATA": str(tmp_path / "data"),
            "HOLDFAST_KEYS": str(tmp_path / "keys"),
            "HOLDFAST_DATABASE": addresses[0],
            "HOLDFAST_KEY_DATABASE": addresses[1],
        }
    )
    first = build(settings)
    first.add_first_account("ana")
    keys = first.verifier_keys()
    first.close()
    again = build(settings)
    assert set(again.states.installation().accounts) == {"ana"}
    assert again.verifier_keys() == keys
    again.close()
