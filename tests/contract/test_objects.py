"""The contract of every evidence vault, run on the filesystem one, and what a crash may leave of it."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.app.ports_vault import Stored, Vault
from holdfast.kernel.errors import BadInputError, DamagedError, TooLargeError
from holdfast.store.objects import CHUNK, FilesystemVault

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(root: Path) -> Vault:
    return FilesystemVault(root)


def object_path(root: Path, digest: str) -> Path:
    return root / "objects" / digest[:2] / digest[2:4] / digest


def visible(root: Path) -> list[Path]:
    return [path for path in (root / "objects").rglob("*") if path.is_file()]


class Trickle:
    """A stream without ``readinto`` that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, self._step))


def test_what_was_put_is_opened_again(vault: Vault) -> None:
    stored = vault.put(io.BytesIO(b"hello"))
    assert stored == Stored(HELLO, 5)
    with vault.open(HELLO) as file:
        assert file.read() == b"hello"
    assert (vault.exists(HELLO), vault.size(HELLO), vault.verify(HELLO)) == (True, 5, "ok")


def test_an_empty_object_is_an_object(vault: Vault) -> None:
    stored = vault.put(io.BytesIO(b""))
    assert vault.verify(stored.sha256) == "ok"
    assert stored.size == 0


@pytest.mark.parametrize("step", [1 << 16, CHUNK, 3 * CHUNK + 1])
@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, 11 * CHUNK + 7])
def test_any_size_in_any_steps_has_its_own_digest(vault: Vault, size: int, step: int) -> None:
    data = os.urandom(1024) * (size // 1024) + b"x" * (size % 1024)
    expected = Stored(hashlib.sha256(data).hexdigest(), size)
    assert vault.put(Trickle(data, step)) == expected
    vault.erase(expected.sha256)
    assert vault.put(io.BytesIO(data)) == expected
    assert vault.verify(expected.sha256) == "ok"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.integers(0, 400_000), max_size=12))
def test_pieces_of_mixed_sizes_are_hashed_in_order(vault: Vault, chunks: list[int]) -> None:
    upload = vault.begin()
    whole = hashlib.sha256()
    for index, length in enumerate(chunks):
        piece = bytes([index]) * length
        whole.update(piece)
        upload.write(piece)
    assert upload.commit() == Stored(whole.hexdigest(), sum(chunks))


def test_two_puts_of_the_same_bytes_keep_one_object(root: Path, vault: Vault) -> None:
    assert vault.put(io.BytesIO(b"hello")) == vault.put(io.BytesIO(b"hello"))
    assert visible(root) == [object_path(root, HELLO)]


def test_an_object_that_is_there_is_not_synced_again(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put(io.BytesIO(b"hello"))
    monkeypatch.setattr(os, "fsync", lambda _fd: pytest.fail("nothing new to make durable"))
    assert vault.put(io.BytesIO(b"hello")) == Stored(HELLO, 5)


def test_an_object_left_by_a_dead_process_gets_its_folders_synced_once(
    root: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.put(io.BytesIO(b"hello"))
    restarted = FilesystemVault(root)
    synced = watch_syncs(monkeypatch)
    restarted.put(io.BytesIO(b"hello"))
    assert synced == [object_path(root, HELLO).parent, object_path(root, HELLO).parent.parent, root / "objects"]
    restarted.put(io.BytesIO(b"hello"))
    assert len(synced) == 3


def test_the_bytes_are_synced_before_the_name_and_the_name_before_the_answer(
    root: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    synced = watch_syncs(monkeypatch, order)
    replace = os.replace

    def renamed(source: Any, target: Any) -> None:
        order.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "replace", renamed)
    vault.put(io.BytesIO(b"hello"))
    shard = object_path(root, HELLO).parent
    assert synced[0].parent == root / "tmp"
    assert synced[1:] == [root / "objects", shard.parent, shard]
    assert order == ["sync", "sync", "sync", "rename", "sync"]


def watch_syncs(monkeypatch: pytest.MonkeyPatch, order: list[str] | None = None) -> list[Path]:
    synced: list[Path] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        if order is not None:
            order.append("sync")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    return synced


@pytest.mark.parametrize("fault", ["fsync", "replace", "write"])
def test_a_fault_before_the_name_leaves_nothing_behind(
    root: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, fault, fail)
        with pytest.raises(OSError, match="No space"):
            vault.put(io.BytesIO(b"hello"))
    assert visible(root) == []
    assert list((root / "tmp").iterdir()) == []
    assert not vault.exists(HELLO)
    assert vault.put(io.BytesIO(b"hello")) == Stored(HELLO, 5)


def test_a_source_that_fails_leaves_nothing_behind(root: Path, vault: Vault) -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        vault.put(Broken())
    assert list((root / "tmp").iterdir()) == []


def test_what_a_killed_process_left_is_removed_at_the_next_start(root: Path, vault: Vault) -> None:
    (root / "tmp" / "abandoned").write_bytes(b"half")
    alive = vault.begin()
    alive.write(b"hello")
    FilesystemVault(root)
    assert not (root / "tmp" / "abandoned").exists()
    assert alive.commit() == Stored(HELLO, 5)


@pytest.mark.parametrize("size", [5, 3 * CHUNK])
def test_an_object_over_the_limit_is_refused_and_not_kept(root: Path, vault: Vault, size: int) -> None:
    with pytest.raises(TooLargeError, match="limit of 4 bytes"):
        vault.put(io.BytesIO(b"x" * size), limit=4)
    assert visible(root) == []
    assert list((root / "tmp").iterdir()) == []
    assert vault.put(io.BytesIO(b"four"), limit=4).size == 4


def test_a_flipped_bit_differs_and_a_removed_file_is_missing(root: Path, vault: Vault) -> None:
    vault.put(io.BytesIO(b"hello"))
    path = object_path(root, HELLO)
    path.write_bytes(b"hellp")
    assert vault.verify(HELLO) == "differs"
    path.unlink()
    assert (vault.verify(HELLO), vault.exists(HELLO), vault.size(HELLO)) == ("missing", False, None)


def test_a_truncated_object_is_healed_by_the_next_put_of_its_bytes(root: Path, vault: Vault) -> None:
    vault.put(io.BytesIO(b"hello"))
    object_path(root, HELLO).write_bytes(b"hel")
    vault.put(io.BytesIO(b"hello"))
    assert vault.verify(HELLO) == "ok"


def test_a_symbolic_link_in_place_of_an_object_is_not_followed(root: Path, vault: Vault, tmp_path: Path) -> None:
    vault.put(io.BytesIO(b"hello"))
    other = tmp_path / "other"
    other.write_bytes(b"hello")
    object_path(root, HELLO).unlink()
    object_path(root, HELLO).symlink_to(other)
    assert vault.verify(HELLO) == "differs"
    with pytest.raises(DamagedError):
        vault.open(HELLO)


def test_opening_what_is_not_there_names_the_damage(vault: Vault) -> None:
    with pytest.raises(DamagedError) as refusal:
        vault.open(HELLO)
    assert refusal.value.code == "object-missing"


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_digest_names_an_object(vault: Vault, digest: str) -> None:
    for use in (vault.open, vault.exists, vault.verify, vault.erase):
        with pytest.raises(BadInputError):
            use(digest)


def test_an_erased_object_is_gone_and_may_be_put_again(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put(io.BytesIO(b"hello"))
    synced = watch_syncs(monkeypatch)
    assert vault.erase(HELLO)
    assert len(synced) == 1
    assert not vault.erase(HELLO)
    assert vault.verify(HELLO) == "missing"
    assert vault.put(io.BytesIO(b"hello")) == Stored(HELLO, 5)


def test_digests_are_listed_in_order_and_strangers_are_passed_over(root: Path, vault: Vault) -> None:
    expected = sorted(vault.put(io.BytesIO(bytes([number]))).sha256 for number in range(40))
    (root / "objects" / "README").write_text("not an object")
    (object_path(root, HELLO).parent).mkdir(parents=True, exist_ok=True)
    (object_path(root, HELLO).parent / ("f" * 64)).write_text("misplaced")
    assert list(vault.iter_digests()) == expected


def test_folders_and_files_are_for_their_owner_only(root: Path, vault: Vault) -> None:
    vault.put(io.BytesIO(b"hello"))
    path = object_path(root, HELLO)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, root / "objects", root / "tmp", root):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_many_threads_may_put_the_same_and_other_bytes_at_once(root: Path, vault: Vault) -> None:
    found: list[Stored] = []

    def work(number: int) -> None:
        found.extend(vault.put(io.BytesIO(bytes([index]) * 1000)) for index in (number, 0, number % 3))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 36
    assert {vault.verify(stored.sha256) for stored in found} == {"ok"}
    assert len(visible(root)) == 12
    assert list((root / "tmp").iterdir()) == []


def test_an_aborted_upload_leaves_nothing_and_aborting_twice_is_harmless(root: Path, vault: Vault) -> None:
    upload = vault.begin()
    upload.write(b"x" * CHUNK)
    upload.abort()
    upload.abort()
    assert list((root / "tmp").iterdir()) == []


@pytest.fixture(autouse=True)
def no_descriptor_or_thread_is_left_open() -> Iterator[None]:
    before = set(Path("/proc/self/fd").iterdir())
    yield
    assert set(Path("/proc/self/fd").iterdir()) <= before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("vault-hash")]
