"""The installation key and what it guards: 32 random bytes at mode 0600, outside the data folder."""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from holdfast.kernel.errors import UnavailableError

_NONCE_BYTES = 12
_KEY_BYTES = 32


def _create(path: Path) -> None:
    """Write a new key whole and durably, or not at all; of two processes that start at once, one wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".installation-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)  # noqa: PTH108 - mkstemp gives a name
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Keyring:
    """Derives purpose-bound keys from the installation key; implements the ``Guard`` port."""

    def __init__(self, master: bytes, *, argon2: PasswordHasher | None = None) -> None:
        """Guard with this key."""
        self._master = master
        self._argon2 = argon2 or PasswordHasher()
        self._nothing = self._argon2.hash("nobody has this password")

    @classmethod
    def load_or_create(cls, folder: Path) -> Keyring:
        """Read ``installation.key``, making it at first start.

        Raises:
            UnavailableError: others can read the key, or it is not 32 bytes.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "installation.key"
        if not path.exists():
            _create(path)
        if path.stat().st_mode & 0o077:
            raise UnavailableError(
                "key-readable-by-others",
                "Holdfast does not start.",
                why=f"{path.name} can be read by other users of this machine.",
                next_step=f"chmod 600 {path}, then decide whether to replace it.",
            )
        master = path.read_bytes()
        if len(master) != _KEY_BYTES:
            raise UnavailableError(
                "key-damaged",
                "Holdfast does not start.",
                why=f"{path.name} does not hold 32 bytes.",
                next_step="Restore the key folder from its own backup.",
            )
        return cls(master)

    def key(self, purpose: str) -> bytes:
        """A 32-byte key bound to a purpose."""
        return hmac.new(self._master, purpose.encode(), hashlib.sha256).digest()

    def hash_password(self, password: str) -> bytes:
        """Argon2id with the library's present defaults."""
        return self._argon2.hash(password).encode()

    def password_matches(self, stored: bytes, password: str) -> bool:
        """Whether it matches; as much work for an account without a password."""
        try:
            self._argon2.verify((stored or self._nothing.encode()).decode(), password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored)

    def seal_seed(self, seed: bytes, account: str) -> bytes:
        """Encrypt a TOTP seed, bound to its account."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + ChaCha20Poly1305(self.key("totp")).encrypt(nonce, seed, account.encode())

    def open_seed(self, sealed: bytes, account: str) -> bytes:
        """Decrypt it."""
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return ChaCha20Poly1305(self.key("totp")).decrypt(nonce, ciphertext, account.encode())
