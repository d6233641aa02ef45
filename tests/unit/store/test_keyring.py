"""The installation key: made once, whole or not at all, private, and never guessed from what it guards."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.exceptions import InvalidTag

from holdfast.kernel.errors import UnavailableError
from holdfast.store.keyring import Keyring

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_the_first_start_makes_a_private_key_and_later_ones_read_it(tmp_path: Path) -> None:
    first, second = (Keyring.load_or_create(tmp_path / "keys") for _ in range(2))
    assert first.key("purpose") == second.key("purpose")
    assert first.key("purpose") != first.key("another")
    (made,) = (tmp_path / "keys").iterdir()
    assert made.stat().st_mode & 0o777 == 0o600
    assert made.parent.stat().st_mode & 0o777 == 0o700


def test_starts_at_one_moment_end_with_one_key_and_leave_no_rest(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(lambda _: Keyring.load_or_create(tmp_path).key("x"), range(6)))
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["installation.key"]


def test_a_start_that_breaks_off_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Keyring.load_or_create(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    Keyring.load_or_create(tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    Keyring.load_or_create(tmp_path)
    (tmp_path / "installation.key").chmod(mode)
    with pytest.raises(UnavailableError) as refused:
        Keyring.load_or_create(tmp_path)
    assert refused.value.code == "key-readable-by-others"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(tmp_path: Path, size: int) -> None:
    Keyring.load_or_create(tmp_path)
    (tmp_path / "installation.key").write_bytes(b"k" * size)
    with pytest.raises(UnavailableError) as refused:
        Keyring.load_or_create(tmp_path)
    assert refused.value.code == "key-damaged"


def test_a_password_matches_its_own_hash_and_nothing_matches_none() -> None:
    ring = Keyring(b"k" * 32, argon2=QUICK)
    stored = ring.hash_password("five unrelated words")
    assert b"five" not in stored
    assert stored != ring.hash_password("five unrelated words")
    assert ring.password_matches(stored, "five unrelated words")
    assert not ring.password_matches(stored, "five unrelated word")
    assert not ring.password_matches(b"", "")
    assert not ring.password_matches(b"", "nobody has this password")
    assert not ring.password_matches(b"not a hash", "x")


def test_a_seed_opens_for_its_own_account_only() -> None:
    ring = Keyring(b"k" * 32, argon2=QUICK)
    sealed = ring.seal_seed(b"SEED", "ana")
    assert b"SEED" not in sealed
    assert ring.open_seed(sealed, "ana") == b"SEED"
    with pytest.raises(InvalidTag):
        ring.open_seed(sealed, "bo")
    with pytest.raises(InvalidTag):
        Keyring(b"o" * 32, argon2=QUICK).open_seed(sealed, "ana")
