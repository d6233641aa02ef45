"""Sealed texts: kept apart, opened only with their own key, and gone when erased."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select, update

from holdfast.kernel.errors import DamagedError, UnavailableError
from holdfast.kernel.texts import commitment
from holdfast.store import database as store_database
from holdfast.store import schema
from holdfast.store.database import sqlite_url
from tests.contract.records import Bench, batch, bench, bytes_within, event, words

INC = "INC-2026-0001"
SECRETIVE = "the mail of the customer who reported it"


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Bench]]:
    urls: tuple[str | None, str | None] = (None, None)
    if request.param == "postgresql":
        urls = request.getfixturevalue("postgres_schemas")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(bench(tmp_path, *urls))


@pytest.fixture
def at(opened: Callable[[], Bench]) -> Bench:
    return opened()


def say(at: Bench, *texts: str) -> list[str]:
    said = [words(text) for text in texts]
    events = [event(INC, seq, {"text": one.reference.as_json()}) for seq, one in enumerate(said)]
    at.record.append(batch(INC, 0, events=events, words=said))
    return [one.reference.text_id for one in said]


def test_words_are_read_back_and_unknown_ones_are_absent(at: Bench) -> None:
    ids = say(at, SECRETIVE, "", "zwei\nZeilen \0 \U0001f512")
    assert at.texts.read([*ids, "nobody"]) == dict(zip(ids, (SECRETIVE, "", "zwei\nZeilen \0 \U0001f512"), strict=True))
    assert at.texts.read([]) == {}
    assert at.texts.material("nobody") is None


def test_more_words_than_one_query_takes_are_read(at: Bench) -> None:
    ids = say(at, *(f"text {number}" for number in range(1201)))
    found = at.texts.read(ids)
    assert [found[one] for one in ids] == [f"text {number}" for number in range(1201)]


def test_salt_and_words_fit_the_commitment_that_the_event_holds(at: Bench) -> None:
    said = words(SECRETIVE)
    at.record.append(batch(INC, 0, events=[event(INC, 0, {"t": said.reference.as_json()})], words=[said]))
    material = at.texts.material(said.reference.text_id)
    assert material is not None
    assert commitment(*material) == said.reference.commitment


def test_equal_words_have_nothing_in_common_at_rest(at: Bench) -> None:
    one, two = words(SECRETIVE), words(SECRETIVE)
    assert len({one.key, two.key, one.salt, two.salt}) == 4
    assert one.ciphertext != two.ciphertext
    assert one.reference.commitment != two.reference.commitment


def test_the_records_database_holds_no_key_and_the_keys_database_no_words(at: Bench) -> None:
    said = words(SECRETIVE)
    at.record.append(batch(INC, 0, events=[event(INC, 0, {"t": said.reference.as_json()})], words=[said]))
    with at.databases.record.connect() as connection:
        held = b"".join(
            repr(tuple(found)).encode()
            for table in schema.RECORD.sorted_tables
            for found in connection.execute(select(table))
        )
    for secret in (said.key, said.salt, SECRETIVE.encode()):
        assert repr(secret).strip("b'\"").encode() not in held
    assert schema.KEYS.tables.keys().isdisjoint(schema.RECORD.tables.keys())


def test_a_changed_ciphertext_and_a_swapped_one_are_found(at: Bench) -> None:
    one, two = say(at, "first", "second")
    with at.databases.record.begin() as connection:
        texts = schema.sealed_text
        swapped = connection.execute(select(texts.c.ciphertext).where(texts.c.text_id == two)).scalar_one()
        connection.execute(update(texts).where(texts.c.text_id == one).values(ciphertext=swapped))
    with pytest.raises(DamagedError) as refused:
        at.texts.read([one])
    assert refused.value.code == "text-damaged"
    assert at.texts.read([two]) == {two: "second"}


def test_an_erased_text_is_gone_for_every_reader_and_erasing_again_changes_nothing(
    at: Bench, opened: Callable[[], Bench]
) -> None:
    gone, kept = say(at, SECRETIVE, "this stays")
    for _ in range(2):
        at.texts.erase(gone)
    other = opened()
    assert other.texts.read([gone, kept]) == {kept: "this stays"}
    assert other.texts.material(gone) is None
    assert not other.texts.has_key(gone)
    assert other.texts.has_key(kept)
    assert other.record.size(INC) == 2


def test_no_byte_of_an_erased_text_is_left_in_any_sqlite_file_or_log(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        said = [words(f"{SECRETIVE} {number} " + "padding " * 2000) for number in range(3)]
        events = [event(INC, seq, {"t": one.reference.as_json()}) for seq, one in enumerate(said)]
        at.record.append(batch(INC, 0, events=events, words=said))
        for one in said:
            found = bytes_within(tmp_path)
            assert one.key in found
            assert one.salt in found
            assert one.ciphertext[:64] in found
        at.texts.erase(said[1].reference.text_id)
        found = bytes_within(tmp_path)
        for secret in (said[1].key, said[1].salt, said[1].ciphertext[:64], said[1].ciphertext[-64:]):
            assert secret not in found
        # A page of a long ciphertext is looked for piece by piece: it lies on several of the file's pages.
        assert not any(said[1].ciphertext[at : at + 48] in found for at in range(0, len(said[1].ciphertext) - 48, 512))
        assert said[0].key in found
        assert said[2].ciphertext[:64] in found


def test_an_erasure_says_so_when_a_reader_keeps_the_log_from_being_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_database, "BUSY_TIMEOUT_S", 0.2)
    with bench(tmp_path) as at:
        (gone,) = say(at, SECRETIVE)
        reader = sqlite3.connect(tmp_path / "record.sqlite")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchone()
        with pytest.raises(UnavailableError) as told:
            at.texts.erase(gone)
        assert told.value.code == "erasure-not-finished"
        reader.close()
        assert not at.texts.has_key(gone)
        at.texts.erase(gone)
        assert (tmp_path / "record.sqlite-wal").stat().st_size == 0


def test_keys_are_private_to_this_user(tmp_path: Path) -> None:
    with bench(tmp_path):
        for name in ("record.sqlite", "keys/text-keys.sqlite"):
            assert (tmp_path / name).stat().st_mode & 0o077 == 0, name
        assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_database_is_named_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_bytes(b"not a database at all, only a text file\n" * 200)
    with pytest.raises(DamagedError) as refused, bench(tmp_path):
        pass
    assert refused.value.code == "database-damaged"


def test_a_server_that_is_not_there_is_named_as_unavailable(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2"
    with pytest.raises(UnavailableError) as refused, bench(tmp_path, url):
        pass
    assert refused.value.code == "database-unavailable"


def test_a_database_that_stays_locked_is_named_as_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_database, "BUSY_TIMEOUT_S", 0.1)
    with bench(tmp_path) as at:
        say(at, "before")
        other = sqlite3.connect(tmp_path / "record.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError) as refused:
            at.record.append(batch(INC, 1))
        assert refused.value.code == "database-unavailable"
        assert refused.value.retry_helps
        other.execute("ROLLBACK")
        other.close()
        at.record.append(batch(INC, 1))


def test_forty_threads_read_at_once_without_waiting_for_a_connection(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        say(at, "before")
        inside = threading.Barrier(40, timeout=20)
        failed: list[BaseException] = []

        def read() -> None:
            try:
                with store_database.reading(at.databases.record) as connection:
                    connection.execute(select(schema.event.c.seq)).all()
                    inside.wait()
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)

        threads = [threading.Thread(target=read) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
    assert sqlite_url(tmp_path / "x").startswith("sqlite:////")
