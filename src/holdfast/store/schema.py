"""The tables. One metadata for the record, a second one for the keys of sealed texts, kept apart."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

RECORD = MetaData()
"""Everything that a backup of the data folder holds."""

KEYS = MetaData()
"""Keys and salts of sealed texts: not in the same file, not in the same backup."""

Position = BigInteger().with_variant(Integer, "sqlite")

meta = Table("meta", RECORD, Column("key", String(64), primary_key=True), Column("value", String, nullable=False))

head = Table(
    "head",
    RECORD,
    Column("id", Integer, primary_key=True),
    Column("position", Position, nullable=False),
    Column("log_size", Position, nullable=False),
    Column("log_frontier", LargeBinary, nullable=False),
    Column("log_checkpoint", LargeBinary, nullable=False),
)
"""One row, locked by every append: the gap-free commit position and the installation log."""

stream = Table(
    "stream",
    RECORD,
    Column("stream_id", String(64), primary_key=True),
    Column("size", Position, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("opening_leaf", Position, nullable=False),
)

event = Table(
    "event",
    RECORD,
    Column("position", Position, primary_key=True, autoincrement=False),
    Column("stream_id", String(64), nullable=False),
    Column("seq", Position, nullable=False),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("type", String(80), nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("stream_id", "seq"),
)

checkpoint = Table(
    "checkpoint",
    RECORD,
    Column("stream_id", String(64), primary_key=True),
    Column("size", Position, primary_key=True, autoincrement=False),
    Column("log_leaf", Position, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

installation_leaf = Table(
    "installation_leaf",
    RECORD,
    Column("leaf", Position, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

number_series = Table(
    "number_series", RECORD, Column("series", String(32), primary_key=True), Column("last", Integer, nullable=False)
)

sealed_text = Table(
    "sealed_text",
    RECORD,
    Column("text_id", String(36), primary_key=True),
    Column("stream_id", String(64), nullable=False, index=True),
    Column("ciphertext", LargeBinary, nullable=False),
)

text_key = Table(
    "text_key",
    KEYS,
    Column("text_id", String(36), primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)

document = Table(
    "document", RECORD, Column("digest", String(64), primary_key=True), Column("body", LargeBinary, nullable=False)
)

idempotency = Table(
    "idempotency",
    RECORD,
    Column("account", String(40), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("at", String(24), nullable=False),
)

uploaded_object = Table(
    "uploaded_object",
    RECORD,
    Column("stream_id", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", Position, nullable=False),
    Column("account", String(40), nullable=False),
    Column("at", String(24), nullable=False),
)

credential = Table(
    "credential",
    RECORD,
    Column("account", String(40), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("credential_id", String(400), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("counter", Position, nullable=False),
    Column("label", String(80), nullable=False),
    Column("at", String(24), nullable=False),
)
"""Argon2 hashes, sealed TOTP seeds, passkey public keys; never a secret in the clear."""

bearer = Table(
    "bearer",
    RECORD,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("bearer_id", String(36), nullable=False, unique=True),
    Column("account", String(40), nullable=False, index=True),
    Column("scopes", String(200), nullable=False),
    Column("label", String(80), nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("authenticated", String(24), nullable=False),
)
"""Sessions, API tokens and one-time links, by the SHA-256 of their random value."""

incident_row = Table(
    "incident_row",
    RECORD,
    Column("incident_id", String(64), primary_key=True),
    Column("seq", Position, nullable=False),
    Column("restricted", Boolean, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(40), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("disposition", String(16), nullable=False),
    Column("commander", String(40), nullable=False),
    Column("acting", Boolean, nullable=False),
    Column("declared_at", String(24), nullable=False),
    Column("next_update_at", String(24), nullable=False),
    Column("frozen", Boolean, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Index("incident_row_order", "declared_at", "incident_id"),
)
"""Projection for lists and the freeze gate; rebuilt from the record on demand."""

incident_viewer = Table(
    "incident_viewer",
    RECORD,
    Column("account", String(40), primary_key=True),
    Column("incident_id", String(64), primary_key=True),
    Column("until", String(24), nullable=False),
)
"""Projection: who may see a restricted incident, and until when ('' for no end)."""

PROJECTIONS = (incident_row, incident_viewer)
