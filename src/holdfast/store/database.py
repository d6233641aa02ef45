"""Opening the databases: SQLite by default, PostgreSQL for teams; migrations at start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from holdfast.kernel.errors import DamagedError, HoldfastError, UnavailableError
from holdfast.store.schema import KEYS

BUSY_TIMEOUT_S = 30
SQLITE_CONNECTIONS = 60
"""At most; the web server's 40 threads, its rounds and its live stream never wait for one another's."""
_DAMAGE = ("malformed", "not a database")
"""What SQLite says of a file whose pages do not fit together (SQLITE_CORRUPT, SQLITE_NOTADB)."""


@dataclass(frozen=True, slots=True)
class Databases:
    """The record's database and, apart from it, the one that holds keys and salts of sealed texts."""

    record: Engine
    keys: Engine

    @property
    def is_sqlite(self) -> bool:
        """Whether the record is on the embedded default."""
        return self.record.dialect.name == "sqlite"

    def close(self) -> None:
        """Give the connections back."""
        self.record.dispose()
        self.keys.dispose()


def sqlite_url(path: Path) -> str:
    """The address of an SQLite file."""
    return f"sqlite:///{path}"


def open_databases(record_url: str, keys_url: str) -> Databases:
    """Open both, private to this user, and bring their tables to this version.

    Raises:
        UnavailableError: a database cannot be reached.
        DamagedError: a file is no database, or its pages do not fit together.
    """
    databases = Databases(_engine(record_url), _engine(keys_url))
    from holdfast.store.migrating import upgrade  # noqa: PLC0415 - alembic is slow to import when not needed

    upgrade(databases.record)
    with databases.keys.begin() as connection:
        KEYS.create_all(connection)
    return databases


_BEGIN = "holdfast_begin"
"""Execution option: how SQLite begins a transaction; '' for not at all."""


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            _private_file(Path(parsed.database))
        engine = create_engine(
            url,
            hide_parameters=True,  # what a traceback would show are keys, salts and people's words
            connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
            max_overflow=SQLITE_CONNECTIONS - 5,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)
    event.listen(engine, "handle_error", _translated)
    return engine


def _translated(context: ExceptionContext) -> HoldfastError | None:
    """Our own error for what a person can act on; anything else (a broken rule of the schema) stays as it is."""
    error = context.sqlalchemy_exception or context.original_exception
    if isinstance(error, DatabaseError) and any(sign in str(error.orig) for sign in _DAMAGE):
        return DamagedError(
            "database-damaged",
            "The database cannot be read.",
            why=_first_line(error),
            next_step="Stop Holdfast, keep a copy of the file, restore a backup, then: holdfast fsck",
        )
    if context.is_disconnect or isinstance(error, OperationalError | InterfaceError):
        return UnavailableError(
            "database-unavailable",
            "The database did not do its part.",
            why=_first_line(error),
            next_step="Try again; if it stays so, check HOLDFAST_DATABASE, that its server runs and the disk has room.",
        )
    return None


def _private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=True)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own implicit transactions are switched off: _begin_immediate starts them.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # Readers say so; whoever else begins a transaction here is about to write.
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
    if begin:
        connection.exec_driver_sql(begin)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent snapshot for several reads; takes no write lock."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**{_BEGIN: "BEGIN"}, **options) as connection:
        yield connection
        connection.rollback()


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """For one statement, which sees a snapshot of its own: no transaction is opened around it."""
    options = {_BEGIN: ""} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ or error
    return str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(cause).__name__
