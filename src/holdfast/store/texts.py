"""Sealed texts at rest: ciphertext in the record's database, key and salt in another one.

Each text has its own random 32-byte ChaCha20-Poly1305 key, used once (so a zero nonce is safe), with
the text id as associated data. Erasure deletes key and salt first and durably; from then on the
ciphertext, and every backup of it, is noise.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from sqlalchemy import Connection, delete, insert, select

from holdfast.app.ports import Randomness, SealedWords
from holdfast.kernel.errors import DamagedError, UnavailableError
from holdfast.kernel.ids import TextId
from holdfast.kernel.texts import Sealed, commitment
from holdfast.store.database import BUSY_TIMEOUT_S, Databases, looking
from holdfast.store.schema import sealed_text, text_key

_ADD_KEY = insert(text_key)
_ADD_TEXT = insert(sealed_text)
_NONCE = bytes(12)
_KEY_BYTES = 32
_READ_AT_ONCE = 500


def seal(text: str, text_id: str, randomness: Randomness) -> SealedWords:
    """Encrypt and commit to a text under fresh key and salt."""
    key, salt = randomness(_KEY_BYTES), randomness(_KEY_BYTES)
    ciphertext = ChaCha20Poly1305(key).encrypt(_NONCE, text.encode(), text_id.encode())
    return SealedWords(Sealed(TextId(text_id), commitment(salt, text)), ciphertext, key, salt)


class SealedTexts:
    """The ``Texts`` port over two databases."""

    def __init__(self, databases: Databases) -> None:
        """Read and erase in these databases."""
        self._databases = databases

    def seal(self, text: str, text_id: str, randomness: Randomness) -> SealedWords:
        """See :func:`seal`."""
        return seal(text, text_id, randomness)

    def keep_keys(self, words: Sequence[SealedWords]) -> None:
        """Commit keys and salts; done before the events that need them, so none is ever missing."""
        if words:
            with self._databases.keys.begin() as connection:
                # After a lost race the same words come again, and their keys are here already.
                ids = [one.reference.text_id for one in words]
                here = set(connection.execute(select(text_key.c.text_id).where(text_key.c.text_id.in_(ids))).scalars())
                new = [
                    {"text_id": one.reference.text_id, "key": one.key, "salt": one.salt}
                    for one in words
                    if one.reference.text_id not in here
                ]
                if new:
                    connection.execute(_ADD_KEY, new)

    def read(self, text_ids: Sequence[str]) -> dict[str, str]:
        """Words by id; erased ones are absent.

        Raises:
            DamagedError: a ciphertext does not open under its key.
        """
        words: dict[str, str] = {}
        for some in _in_groups(text_ids):
            with looking(self._databases.record) as connection:
                stored = connection.execute(
                    select(sealed_text.c.text_id, sealed_text.c.ciphertext).where(sealed_text.c.text_id.in_(some))
                ).all()
            with looking(self._databases.keys) as connection:
                found = connection.execute(
                    select(text_key.c.text_id, text_key.c.key).where(text_key.c.text_id.in_(some))
                ).all()
            keys = {row.text_id: row.key for row in found}
            words.update(
                {
                    row.text_id: _open(row.text_id, row.ciphertext, keys[row.text_id])
                    for row in stored
                    if row.text_id in keys
                }
            )
        return words

    def material(self, text_id: str) -> tuple[bytes, str] | None:
        """Salt and words, for disclosure in a pack; none once erased."""
        with looking(self._databases.keys) as connection:
            row = connection.execute(select(text_key.c.salt).where(text_key.c.text_id == text_id)).first()
        words = self.read([text_id])
        return None if row is None or text_id not in words else (row.salt, words[text_id])

    def has_key(self, text_id: str) -> bool:
        """Whether the key still exists."""
        with looking(self._databases.keys) as connection:
            return (
                connection.execute(select(text_key.c.text_id).where(text_key.c.text_id == text_id)).first() is not None
            )

    def erase(self, text_id: str) -> None:
        """Destroy key and salt, then the ciphertext, and clear them from SQLite's write-ahead log.

        Raises:
            UnavailableError: they are destroyed, but a reader kept the write-ahead log from being emptied.
        """
        for engine, table in ((self._databases.keys, text_key), (self._databases.record, sealed_text)):
            with engine.begin() as connection:
                connection.execute(delete(table).where(table.c.text_id == text_id))
            if engine.dialect.name == "sqlite":
                with engine.connect() as connection:
                    _truncate_log(connection)


def insert_ciphertexts(connection: Connection, stream_id: str, words: Sequence[SealedWords]) -> None:
    """Add ciphertexts inside the append's transaction."""
    if words:
        connection.execute(
            _ADD_TEXT,
            [{"text_id": one.reference.text_id, "stream_id": stream_id, "ciphertext": one.ciphertext} for one in words],
        )


def _open(text_id: str, ciphertext: bytes, key: bytes) -> str:
    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, ciphertext, text_id.encode()).decode()
    except InvalidTag:
        raise DamagedError(
            "text-damaged",
            f"The sealed text {text_id} does not open.",
            why="Its ciphertext or key was changed or mixed up.",
            next_step="Restore both databases from the same backup, then: holdfast fsck",
        ) from None


def _in_groups(text_ids: Sequence[str]) -> list[list[str]]:
    unique = list(dict.fromkeys(text_ids))
    return [unique[start : start + _READ_AT_ONCE] for start in range(0, len(unique), _READ_AT_ONCE)]


def _truncate_log(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None
    cursor = raw.cursor()
    busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    cursor.close()
    if busy:
        raise UnavailableError(
            "erasure-not-finished",
            "The text is erased, but traces of it may still be in the database's write-ahead log.",
            why=f"Somebody was reading for more than {BUSY_TIMEOUT_S} seconds, so that it could not be emptied.",
            next_step="Restart Holdfast: it empties the log at the start.",
        )
