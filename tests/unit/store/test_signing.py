"""The signing key's file: who may read it, what rotation keeps, what it destroys."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from holdfast.kernel.errors import BadInputError, DamagedError, ForbiddenError
from holdfast.ledger.notes import open_note, sign_note
from holdfast.store.signing import HISTORY_FILE, KEY_FILE, FileSigner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keys"


def test_the_first_start_makes_a_key_that_only_its_owner_can_read(folder: Path) -> None:
    FileSigner.load_or_create(folder, "holdfast.test")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in folder.iterdir()} == {KEY_FILE, HISTORY_FILE}


def test_a_restart_signs_with_the_same_key(folder: Path) -> None:
    first = FileSigner.load_or_create(folder, "holdfast.test")
    second = FileSigner.load_or_create(folder, "holdfast.test")
    assert second.key == first.key
    assert second.verifier_keys() == (first.key,)
    assert first.key.verifies(b"message", second.sign(b"message"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o611])
def test_a_key_that_others_can_touch_is_refused(folder: Path, mode: int) -> None:
    FileSigner.load_or_create(folder, "holdfast.test")
    (folder / KEY_FILE).chmod(mode)
    with pytest.raises(ForbiddenError) as refused:
        FileSigner.load_or_create(folder, "holdfast.test")
    assert refused.value.code == "key-file-open"


def test_a_folder_that_others_can_touch_is_refused(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with pytest.raises(ForbiddenError):
        FileSigner.load_or_create(folder, "holdfast.test")
    assert not (folder / KEY_FILE).exists()


def test_rotation_keeps_old_signatures_verifiable_and_destroys_the_old_key(folder: Path) -> None:
    signer = FileSigner.load_or_create(folder, "holdfast.test")
    old, old_pem = signer.key, (folder / KEY_FILE).read_bytes()
    os.link(folder / KEY_FILE, folder / "another-name-of-the-same-blocks")
    note = sign_note(b"before\n", [signer])
    new = signer.rotate()
    assert signer.key == new != old
    assert open_note(note, signer.verifier_keys())[1] == (old,)
    assert open_note(sign_note(b"after\n", [signer]), [new])[1] == (new,)
    assert FileSigner.load_or_create(folder, "holdfast.test").verifier_keys() == (old, new)
    assert (folder / "another-name-of-the-same-blocks").read_bytes() == b"\0" * len(old_pem)
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_crash_between_history_and_key_leaves_the_old_key_in_force(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = FileSigner.load_or_create(folder, "holdfast.test")
    real = Path.replace

    def crash_on_the_key(self: Path, target: Path) -> Path:
        if target.name == KEY_FILE:
            raise OSError("power cut")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", crash_on_the_key)
    with pytest.raises(OSError, match="power cut"):
        signer.rotate()
    monkeypatch.undo()
    again = FileSigner.load_or_create(folder, "holdfast.test")
    assert again.key == signer.key
    assert signer.key in again.verifier_keys()
    assert again.rotate() in FileSigner.load_or_create(folder, "holdfast.test").verifier_keys()


def test_two_first_starts_at_once_end_with_one_key(folder: Path) -> None:
    signers: list[FileSigner] = []
    threads = [
        threading.Thread(target=lambda: signers.append(FileSigner.load_or_create(folder, "holdfast.test")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({signer.key for signer in signers}) == 1
    assert len(signers) == 6


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_file_is_named(folder: Path, content: bytes) -> None:
    FileSigner.load_or_create(folder, "holdfast.test")
    (folder / KEY_FILE).write_bytes(content)
    with pytest.raises(DamagedError) as refused:
        FileSigner.load_or_create(folder, "holdfast.test")
    assert refused.value.details == {"path": str(folder / KEY_FILE)}


def test_a_damaged_history_is_refused(folder: Path) -> None:
    FileSigner.load_or_create(folder, "holdfast.test")
    (folder / HISTORY_FILE).write_text("nonsense\n")
    with pytest.raises(BadInputError):
        FileSigner.load_or_create(folder, "holdfast.test")
