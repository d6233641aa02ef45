"""Ports of what proves identity: credentials, sessions, tokens, one-time links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Credential:
    """One enrolled proof. ``secret`` is an Argon2 hash, a sealed TOTP seed or a passkey's public key."""

    account: str
    kind: str
    credential_id: str
    secret: bytes
    counter: int
    label: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """A session, an API token or a one-time link, known by the digest of its random value."""

    digest: str
    kind: str
    bearer_id: str
    account: str
    scopes: tuple[str, ...]
    label: str
    created_at: datetime
    expires_at: datetime
    authenticated: str


class Credentials(Protocol):
    """Where proofs are kept."""

    def of(self, account: str, kind: str) -> list[Credential]:
        """An account's credentials of a kind."""
        ...

    def passkey(self, credential_id: str) -> Credential | None:
        """A passkey by its id."""
        ...

    def put(self, credential: Credential, at: datetime) -> None:
        """Add or replace a credential."""
        ...

    def advance(self, credential: Credential, counter: int) -> bool:
        """Move a counter forward; false when it was not behind (a replay)."""
        ...

    def remove(self, account: str, kind: str, credential_id: str | None = None) -> int:
        """Remove an account's credentials of a kind; how many."""
        ...

    def add_bearer(self, bearer: Bearer) -> None:
        """Keep a bearer."""
        ...

    def bearer(self, digest: str) -> Bearer | None:
        """The bearer with that digest, lapsed or not."""
        ...

    def take(self, digest: str) -> Bearer | None:
        """Remove a bearer and return it; of two takers only one gets it."""
        ...

    def drop_bearer(self, bearer_id: str) -> None:
        """End one bearer."""
        ...

    def drop_bearers_of(self, account: str, kind: str | None = None) -> None:
        """End every session, token and link of an account, or those of one kind."""
        ...

    def drop_lapsed(self, now: datetime) -> int:
        """Forget bearers that have expired."""
        ...


class Guard(Protocol):
    """Seals the seeds at rest and hashes passwords."""

    def hash_password(self, password: str) -> bytes:
        """Argon2id."""
        ...

    def password_matches(self, stored: bytes, password: str) -> bool:
        """Constant work whether it matches or not."""
        ...

    def seal_seed(self, seed: bytes, account: str) -> bytes:
        """Encrypt a TOTP seed for an account."""
        ...

    def open_seed(self, sealed: bytes, account: str) -> bytes:
        """Decrypt it."""
        ...
