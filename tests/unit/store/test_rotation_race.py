"""A signature and the key named beside it belong together, also while another thread rotates the key."""

from __future__ import annotations

import threading
from pathlib import Path

from holdfast.ledger.checkpoints import Checkpoint
from holdfast.ledger.notes import open_note
from holdfast.store.signing import FileSigner
from tests.contract.records import batch, bench


def test_the_signer_changes_its_private_and_its_public_key_in_one_step(tmp_path: Path) -> None:
    signer = FileSigner.load_or_create(tmp_path, "holdfast")
    stop = threading.Event()

    def rotate() -> None:
        for _ in range(30):
            signer.rotate()
        stop.set()

    rotating = threading.Thread(target=rotate)
    rotating.start()
    while not stop.is_set():
        before = signer.key
        signature = signer.sign(b"message")
        if signer.key == before:
            assert before.verifies(b"message", signature)
    rotating.join()


def test_a_rotation_between_naming_the_key_and_signing_is_signed_again(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        signer, rotated = at.signer, []

        class Restless:
            name = signer.name

            @property
            def key(self) -> object:
                return signer.key

            def sign(self, message: bytes) -> bytes:
                if not rotated:
                    rotated.append(signer.rotate())
                return signer.sign(message)

        at.record.use_signer(Restless())  # type: ignore[arg-type]  # the port's three names
        at.record.append(batch("INC-2026-0001", 0))
        note = at.record.checkpoint("INC-2026-0001")
        assert note is not None
        assert isinstance(at.checkpoint("INC-2026-0001"), Checkpoint)
        open_note(note, [signer.key])
