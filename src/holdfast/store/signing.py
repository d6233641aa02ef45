"""The installation's signing key, in a folder of its own, outside the data folder and its backups.

``signing-key.pem`` is the one private key (PKCS #8, mode 0600); ``verifier-keys.txt`` lists every public key
this installation ever signed with, one verifier key a line, oldest first, so that old checkpoints verify.

Rules:
1. A key file that anybody else can read is refused, not repaired: it may already have been copied.
2. A new key's public half is in the history, durably, before the key can sign anything.
3. Rotation destroys the old private key: its file is replaced, then its old blocks are overwritten. (On
   copy-on-write and flash storage old blocks may survive; full-disk encryption covers those.)
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from holdfast.kernel.errors import DamagedError, ForbiddenError
from holdfast.ledger.notes import VerifierKey

KEY_FILE = "signing-key.pem"
HISTORY_FILE = "verifier-keys.txt"
_OTHERS = 0o077


class FileSigner:
    """The ``Signer`` port on a key file. The loaded key stays in memory: a signature takes microseconds."""

    def __init__(self, folder: Path, name: str, private: Ed25519PrivateKey, history: tuple[VerifierKey, ...]) -> None:
        """Use :meth:`load_or_create`."""
        self._folder = folder
        self._name = name
        self._adopt(private)
        self._history = history if self.key in history else (*history, self.key)

    @classmethod
    def load_or_create(cls, folder: Path, name: str) -> FileSigner:
        """The signer whose key is in ``folder``; the first start makes folder (0700) and key (0600).

        Two processes that start at once end with the same key.

        Raises:
            ForbiddenError: ``key-file-open``, when others can read the key or write its folder.
            DamagedError: ``key-file-damaged``, when a file there is not what this class wrote.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_if_open(folder)
        with _lock(folder):
            path = folder / KEY_FILE
            if not path.exists():
                private = Ed25519PrivateKey.generate()
                _write_history(folder, (*_read_history(folder), _verifier_key(name, private)))
                _replace(path, _pem(private))
            _refuse_if_open(path)
            return cls(folder, name, _load(path), _read_history(folder))

    @property
    def name(self) -> str:
        """The name this signer's notes carry."""
        return self._name

    @property
    def key(self) -> VerifierKey:
        """The public half of the present key."""
        return self._present[1]

    def sign(self, message: bytes) -> bytes:
        """The raw 64-byte Ed25519 signature."""
        return self._present[0].sign(message)

    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """Every public key ever used, oldest first; the present one is among them."""
        return self._history

    def rotate(self) -> VerifierKey:
        """Make a new key, destroy the old private key, and sign with the new one from now on.

        Whoever calls records the change (old and new verifier key) in the installation's own stream.
        """
        with _lock(self._folder):
            private = Ed25519PrivateKey.generate()
            key = _verifier_key(self._name, private)
            history = (*_read_history(self._folder), key)
            _write_history(self._folder, history)
            path = self._folder / KEY_FILE
            with path.open("r+b") as old:
                length = len(old.read())
                _replace(path, _pem(private))
                old.seek(0)
                old.write(b"\0" * length)
                old.flush()
                os.fsync(old.fileno())
        self._history = history
        self._adopt(private)
        return key

    def _adopt(self, private: Ed25519PrivateKey) -> None:
        # One assignment: whoever signs meanwhile never meets the new private key beside the old public one.
        self._present = private, _verifier_key(self._name, private)


def _verifier_key(name: str, private: Ed25519PrivateKey) -> VerifierKey:
    return VerifierKey.of(name, private.public_key().public_bytes_raw())


def _pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _damaged(path, "it is not an unencrypted private key in PEM form") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise _damaged(path, "its key is not an Ed25519 key")
    return private


def _read_history(folder: Path) -> tuple[VerifierKey, ...]:
    path = folder / HISTORY_FILE
    if not path.exists():
        return ()
    keys = tuple(VerifierKey.from_vkey(line) for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(dict.fromkeys(keys))


def _write_history(folder: Path, keys: tuple[VerifierKey, ...]) -> None:
    _replace(folder / HISTORY_FILE, "".join(f"{key.vkey()}\n" for key in keys).encode())


def _replace(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all, durably: fsync, rename, fsync the folder."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the folder against another process that makes or rotates the key."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _refuse_if_open(path: Path) -> None:
    status = path.stat()
    if status.st_mode & _OTHERS or status.st_uid != os.geteuid():
        raise ForbiddenError(
            "key-file-open",
            f"The signing key at {path} is open to others.",
            why="Whoever could read it could sign in this installation's name, so it must be owned by you alone.",
            next_step=f"If nobody else has been on this machine, `chmod go-rwx {path}`; otherwise rotate the key.",
            details={"path": str(path), "mode": f"{status.st_mode & 0o777:04o}"},
        )


def _damaged(path: Path, why: str) -> DamagedError:
    return DamagedError(
        "key-file-damaged",
        f"The signing key at {path} cannot be used.",
        why=f"It was changed by something else: {why}.",
        next_step="Restore the file from its separate backup, or move it away to start with a new key.",
        details={"path": str(path)},
    )
