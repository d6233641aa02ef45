"""What a search keeps between runs: a key of this user, and private folders below the cache folder.

Rules:
1. The key is 32 random bytes in the key folder, readable by its owner only. Everything kept about a secret is keyed
   with it, so that a copy of the cache alone tells nothing and cannot be tried out against guesses.
2. Folders and files are made readable by their owner only, written beside their place and moved there whole.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from holdfast.kernel.errors import UnavailableError

KEY_FILE = "exposure.key"
_KEY_BYTES = 32


class ExposureKey:
    """Keys for one purpose each, derived from the user's key."""

    def __init__(self, master: bytes) -> None:
        """Derive from these bytes."""
        self._master = master

    def key(self, purpose: str) -> bytes:
        """A 32-byte key bound to a purpose."""
        return hmac.new(self._master, purpose.encode(), hashlib.sha256).digest()


def load_or_create_key(folder: Path) -> ExposureKey:
    """The user's key, made at the first search.

    Raises:
        UnavailableError: others can read it, it is not whole, or it cannot be made.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            private_folder(folder)
            _create(path)
        mode, master = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"it cannot be read or made ({error.strerror or type(error).__name__})") from None
    if mode & 0o077:
        raise _unusable(path, "other users of this machine can read it")
    if len(master) != _KEY_BYTES:
        raise _unusable(path, "it does not hold 32 bytes")
    return ExposureKey(master)


def private_folder(path: Path) -> Path:
    """The folder, made if need be, for its owner only."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file for its owner only, whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _create(path: Path) -> None:
    """Of two processes that start at once, one wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".exposure-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _unusable(path: Path, why: str) -> UnavailableError:
    return UnavailableError(
        "exposure-key-unusable",
        "Nothing was searched.",
        why=f"The key {path} cannot be used: {why}.",
        next_step=f"Set it right (chmod 600 {path}), or remove it: what was kept under it is then made anew.",
    )
