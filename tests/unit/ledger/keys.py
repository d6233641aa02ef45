"""A signer for tests, from a fixed seed."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.ledger.notes import VerifierKey


class SeedSigner:
    """Satisfies ``Signer`` with a key made from one repeated byte."""

    def __init__(self, seed: int, name: str = "holdfast.test") -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.name = name
        self.key = VerifierKey.of(name, self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)
