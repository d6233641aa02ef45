"""The credential store's contract, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.app.ports_identity import Bearer, Credential
from holdfast.store.credentials import SqlCredentials
from tests.contract.records import bench, digest

NOW = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCredentials]:
    urls: tuple[str | None, str | None] = (None, None)
    if request.param == "postgresql":
        urls = request.getfixturevalue("postgres_schemas")
    with bench(tmp_path, *urls) as opened:
        yield SqlCredentials(opened.databases)


def credential(account: str = "ana", kind: str = "password", name: str = "", counter: int = 0) -> Credential:
    return Credential(account, kind, name, b"\0secret\xff", counter, "")


def bearer(name: str, account: str = "ana", lasts: int = 60) -> Bearer:
    return Bearer(digest(name), "session", name, account, ("all", "read"), "", NOW, NOW + timedelta(seconds=lasts), "p")


def test_a_credential_is_kept_replaced_and_removed(store: SqlCredentials) -> None:
    store.put(credential(), NOW)
    store.put(credential(counter=7), NOW)
    store.put(credential(kind="totp"), NOW)
    assert store.of("ana", "password") == [credential(counter=7)]
    assert store.of("bo", "password") == []
    assert store.remove("ana", "password") == 1
    assert store.remove("ana", "password") == 0
    assert store.of("ana", "totp") == [credential(kind="totp")]


def test_a_passkey_is_found_by_its_id_and_removed_alone(store: SqlCredentials) -> None:
    for name in ("one", "two"):
        store.put(credential(kind="passkey", name=name), NOW)
    store.put(credential(kind="totp", name="three"), NOW)
    assert store.passkey("two") == credential(kind="passkey", name="two")
    assert store.passkey("three") is None
    assert store.remove("ana", "passkey", "one") == 1
    assert store.of("ana", "passkey") == [credential(kind="passkey", name="two")]


def test_a_counter_moves_forward_only_and_for_one_taker_only(store: SqlCredentials) -> None:
    seed = credential(kind="totp", counter=10)
    store.put(seed, NOW)
    assert not store.advance(seed, 10)
    assert not store.advance(seed, 9)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda _: store.advance(seed, 11), range(6))) == 1
    assert store.of("ana", "totp")[0].counter == 11


def test_a_one_time_link_is_taken_by_one_taker_only(store: SqlCredentials) -> None:
    store.add_bearer(bearer("link"))
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda _: store.take(digest("link")), range(6)))
    assert [one for one in taken if one is not None] == [bearer("link")]
    assert store.take(digest("link")) is None


def test_a_bearer_is_found_by_its_digest_and_ended_by_its_id(store: SqlCredentials) -> None:
    for name in ("one", "two"):
        store.add_bearer(bearer(name))
    assert store.bearer(digest("one")) == bearer("one")
    assert store.bearer("one") is None
    store.drop_bearer("one")
    assert store.bearer(digest("one")) is None
    assert store.bearer(digest("two")) == bearer("two")


def test_all_bearers_of_an_account_end_together_and_nobody_elses(store: SqlCredentials) -> None:
    for name, account in (("one", "ana"), ("two", "ana"), ("three", "bo")):
        store.add_bearer(bearer(name, account))
    store.drop_bearers_of("ana")
    assert store.bearer(digest("one")) is None
    assert store.bearer(digest("two")) is None
    assert store.bearer(digest("three")) is not None


def test_lapsed_bearers_are_forgotten_at_their_very_instant(store: SqlCredentials) -> None:
    for name, lasts in (("gone", 60), ("stays", 61)):
        store.add_bearer(bearer(name, lasts=lasts))
    assert store.drop_lapsed(NOW + timedelta(seconds=60)) == 1
    assert store.bearer(digest("gone")) is None
    assert store.bearer(digest("stays")) is not None
