"""C2SP signed notes (c2sp.org/signed-note) under Ed25519: text, a blank line, signature lines.

Rules:
1. A note is UTF-8 without control characters other than newline, at most 1 MiB, ending in a newline.
2. A key id is the first four bytes of SHA-256(name || LF || 0x01 || public key).
3. A signature line of a key we do not know is passed over; a wrong one of a key we know refuses the note.
4. Base64 is RFC 4648 standard with padding, and only the one spelling an encoder would write.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.kernel.errors import BadInputError, DamagedError

ED25519 = b"\x01"
"""The signature type byte of c2sp.org/signed-note."""
KEY_ID_BYTES = 4
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
MAX_NOTE_BYTES = 1 << 20
_VKEY_PARTS = 3
_PREFIX = "— "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named Ed25519 public key."""

    name: str
    """Without white space or plus sign, not empty."""
    key_id: bytes
    """Four bytes."""
    public: bytes
    """32 bytes."""

    @classmethod
    def of(cls, name: str, public: bytes) -> VerifierKey:
        """The key with its computed id.

        Raises:
            BadInputError: the name or the length of the key does not fit.
        """
        if not is_name(name) or len(public) != PUBLIC_BYTES:
            raise _bad_key("a name has no white space and no plus sign, and an Ed25519 key has 32 bytes")
        digest = hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()
        return cls(name, digest[:KEY_ID_BYTES], public)

    def vkey(self) -> str:
        """``name+id+key``, as c2sp.org/signed-note writes a verifier key."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def from_vkey(cls, text: str) -> VerifierKey:
        """Read :meth:`vkey` back.

        Raises:
            BadInputError: not that form, not Ed25519, or an id that is not the key's.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != _VKEY_PARTS:
            raise _bad_key("it does not have the form NAME+ID+KEY")
        raw = decode_base64(parts[2])
        if raw is None or raw[:1] != ED25519:
            raise _bad_key("its last part is not an Ed25519 key in base64")
        key = cls.of(parts[0], raw[1:])
        if key.key_id.hex() != parts[1]:
            raise _bad_key(f"its id should read {key.key_id.hex()}")
        return key

    def fingerprint(self) -> str:
        """SHA-256 of the 32 key bytes, for two people to compare: eight groups of eight hex digits."""
        digest = hashlib.sha256(self.public).hexdigest()
        return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the raw 64-byte signature over the message is this key's."""
        try:
            _loaded(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """Whatever holds a private key: a file, a hardware token, a remote service."""

    @property
    def name(self) -> str:
        """The signer's name, as its notes show it."""
        ...

    @property
    def key(self) -> VerifierKey:
        """The public half of the key that :meth:`sign` uses now."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The raw 64-byte Ed25519 signature of the message."""
        ...


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart, its signatures not yet verified."""

    body: bytes
    """What is signed, its last newline included."""
    signatures: tuple[NoteSignature, ...]


def sign_note(body: bytes, signers: Sequence[Signer]) -> bytes:
    """The note over ``body`` (which ends in a newline), one signature line per signer, in order.

    Raises:
        BadInputError: the body is not text a note can hold.
    """
    if not signers or not _is_note_text(body):
        raise BadInputError(
            "note-not-signable",
            "This text cannot be signed as a note.",
            why="A note is UTF-8 text ending in a newline, without control characters, with a signer.",
            next_step="Sign a text that a person could read line by line.",
        )
    lines = [
        f"{_PREFIX}{signer.name} {base64.b64encode(signer.key.key_id + signer.sign(body)).decode()}\n"
        for signer in signers
    ]
    return body + b"\n" + "".join(lines).encode()


def parse_note(note: bytes) -> Note:
    """Take a note apart without verifying it.

    Raises:
        DamagedError: ``note-malformed``, when it breaks the form anywhere.
    """
    body, separator, block = note.rpartition(b"\n\n")
    body += b"\n"
    if len(note) > MAX_NOTE_BYTES or not separator or not _is_note_text(note) or not _is_note_text(body):
        raise _malformed("it is not text, a blank line, and signature lines")
    return Note(body, tuple(_parse_signature(line) for line in block.decode().removesuffix("\n").split("\n")))


def open_note(note: bytes, keys: Iterable[VerifierKey]) -> tuple[bytes, tuple[VerifierKey, ...]]:
    """The body, and those of ``keys`` that signed it, at least one.

    Raises:
        DamagedError: ``note-malformed``, ``signature-wrong`` or ``signature-missing``.
    """
    known = {(key.name, key.key_id): key for key in keys}
    parsed = parse_note(note)
    verified = []
    for line in parsed.signatures:
        key = known.pop((line.name, line.key_id), None)
        if key is None:
            continue
        if not key.verifies(parsed.body, line.signature):
            raise DamagedError(
                "signature-wrong",
                f"The signature of {key.name} does not fit the text.",
                why="The text or the signature was changed after signing.",
                next_step="Get the note again from whoever signed it.",
                details={"key": key.vkey()},
            )
        verified.append(key)
    if not verified:
        raise DamagedError(
            "signature-missing",
            "None of the trusted keys signed this.",
            why="Every signature on it is by another key.",
            next_step="Compare the signer's fingerprint with its owner before trusting another key.",
            details={"signers": [f"{line.name}+{line.key_id.hex()}" for line in parsed.signatures]},
        )
    return parsed.body, tuple(verified)


def decode_base64(text: str) -> bytes | None:
    """The bytes, or none unless ``text`` is exactly what an encoder would write for them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def is_name(name: str) -> bool:
    """Whether a key may carry this name."""
    return bool(name) and "+" not in name and not any(c.isspace() or not c.isprintable() for c in name)


def _parse_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_PREFIX).partition(" ")
    raw = decode_base64(encoded)
    if not line.startswith(_PREFIX) or not is_name(name) or raw is None:
        raise _malformed("a signature line is not a dash, a name and base64")
    if len(raw) != KEY_ID_BYTES + SIGNATURE_BYTES:
        raise _malformed("a signature line does not hold a key id and 64 bytes")
    return NoteSignature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _is_note_text(text: bytes) -> bool:
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return False
    return decoded.endswith("\n") and all(c >= " " or c == "\n" for c in decoded)


@lru_cache(maxsize=64)
def _loaded(public: bytes) -> Ed25519PublicKey:
    """Loading costs about as much as verifying, and few keys are ever in use."""
    return Ed25519PublicKey.from_public_bytes(public)


def _malformed(why: str) -> DamagedError:
    return DamagedError(
        "note-malformed",
        "This is not a signed note.",
        why=f"The form is strict, and {why}.",
        next_step="Get the note again from whoever signed it.",
    )


def _bad_key(why: str) -> BadInputError:
    return BadInputError(
        "key-not-understood",
        "This is not a verifier key.",
        why=f"It must read NAME+ID+KEY (c2sp.org/signed-note), and {why}.",
        next_step="Copy the whole line that `holdfast keys` prints.",
    )
