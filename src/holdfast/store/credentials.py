"""The ``Credentials`` port over the record's database (itself mode 0600)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, delete, insert, select, update

from holdfast.app.ports_identity import Bearer, Credential
from holdfast.kernel.instants import format_instant, parse_instant
from holdfast.store.database import Databases, looking
from holdfast.store.schema import bearer as bearers
from holdfast.store.schema import credential as credentials


class SqlCredentials:
    """Credentials and bearers in SQL."""

    def __init__(self, databases: Databases) -> None:
        """Use the record's database."""
        self._databases = databases

    def of(self, account: str, kind: str) -> list[Credential]:
        """An account's credentials of a kind."""
        query = select(credentials).where(credentials.c.account == account, credentials.c.kind == kind)
        with looking(self._databases.record) as connection:
            return [_credential(row) for row in connection.execute(query)]

    def passkey(self, credential_id: str) -> Credential | None:
        """A passkey by its id."""
        query = select(credentials).where(credentials.c.kind == "passkey", credentials.c.credential_id == credential_id)
        with looking(self._databases.record) as connection:
            row = connection.execute(query).first()
        return None if row is None else _credential(row)

    def put(self, credential: Credential, at: datetime) -> None:
        """Add or replace."""
        table = credentials.c
        with self._databases.record.begin() as connection:
            connection.execute(
                delete(credentials).where(
                    table.account == credential.account,
                    table.kind == credential.kind,
                    table.credential_id == credential.credential_id,
                )
            )
            connection.execute(
                insert(credentials),
                {
                    "account": credential.account,
                    "kind": credential.kind,
                    "credential_id": credential.credential_id,
                    "secret": credential.secret,
                    "counter": credential.counter,
                    "label": credential.label,
                    "at": format_instant(at),
                },
            )

    def advance(self, credential: Credential, counter: int) -> bool:
        """Move a counter forward, once."""
        table = credentials.c
        with self._databases.record.begin() as connection:
            moved = connection.execute(
                update(credentials)
                .where(
                    table.account == credential.account,
                    table.kind == credential.kind,
                    table.credential_id == credential.credential_id,
                    table.counter < counter,
                )
                .values(counter=counter)
            )
            return moved.rowcount == 1

    def remove(self, account: str, kind: str, credential_id: str | None = None) -> int:
        """Remove credentials; how many."""
        query = delete(credentials).where(credentials.c.account == account, credentials.c.kind == kind)
        if credential_id is not None:
            query = query.where(credentials.c.credential_id == credential_id)
        with self._databases.record.begin() as connection:
            return int(connection.execute(query).rowcount)

    def add_bearer(self, bearer: Bearer) -> None:
        """Keep a bearer."""
        with self._databases.record.begin() as connection:
            connection.execute(
                insert(bearers),
                {
                    "digest": bearer.digest,
                    "kind": bearer.kind,
                    "bearer_id": bearer.bearer_id,
                    "account": bearer.account,
                    "scopes": " ".join(bearer.scopes),
                    "label": bearer.label,
                    "created_at": format_instant(bearer.created_at),
                    "expires_at": format_instant(bearer.expires_at),
                    "authenticated": bearer.authenticated,
                },
            )

    def bearer(self, digest: str) -> Bearer | None:
        """The bearer, lapsed or not."""
        with looking(self._databases.record) as connection:
            row = connection.execute(select(bearers).where(bearers.c.digest == digest)).first()
        return None if row is None else _bearer(row)

    def take(self, digest: str) -> Bearer | None:
        """Remove and return; only one taker gets it."""
        with self._databases.record.begin() as connection:
            row = connection.execute(select(bearers).where(bearers.c.digest == digest).with_for_update()).first()
            taken = connection.execute(delete(bearers).where(bearers.c.digest == digest)).rowcount
        return _bearer(row) if row is not None and taken == 1 else None

    def drop_bearer(self, bearer_id: str) -> None:
        """End one."""
        with self._databases.record.begin() as connection:
            connection.execute(delete(bearers).where(bearers.c.bearer_id == bearer_id))

    def drop_bearers_of(self, account: str, kind: str | None = None) -> None:
        """End all of an account, or all of one kind."""
        query = delete(bearers).where(bearers.c.account == account)
        if kind is not None:
            query = query.where(bearers.c.kind == kind)
        with self._databases.record.begin() as connection:
            connection.execute(query)

    def drop_lapsed(self, now: datetime) -> int:
        """Forget lapsed ones; how many."""
        with self._databases.record.begin() as connection:
            return int(connection.execute(delete(bearers).where(bearers.c.expires_at <= format_instant(now))).rowcount)


def _credential(row: Row[tuple[object, ...]]) -> Credential:
    return Credential(row.account, row.kind, row.credential_id, bytes(row.secret), int(row.counter), row.label)


def _bearer(row: Row[tuple[object, ...]]) -> Bearer:
    return Bearer(
        digest=row.digest,
        kind=row.kind,
        bearer_id=row.bearer_id,
        account=row.account,
        scopes=tuple(row.scopes.split()),
        label=row.label,
        created_at=parse_instant(row.created_at),
        expires_at=parse_instant(row.expires_at),
        authenticated=row.authenticated,
    )
