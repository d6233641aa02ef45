"""PostgreSQL for the contract suites: one database for the run, two schemas for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import psycopg
import pytest

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def contract_database(postgres_server: str) -> str:
    """Address of a database that all contract tests of this process share."""
    with psycopg.connect(postgres_server.replace("DATABASE", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE contract TEMPLATE template0")
    return postgres_server.replace("DATABASE", "contract")


@pytest.fixture
def postgres_schemas(contract_database: str) -> Iterator[tuple[str, str]]:
    """Two addresses, each of an empty schema: a schema takes milliseconds where a database takes seconds."""
    number = next(_NUMBERS)
    names = (f"record_{number}", f"keys_{number}")
    with psycopg.connect(contract_database, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE SCHEMA {name}")
        joint = "&" if "?" in contract_database else "?"
        record, keys = (f"{contract_database}{joint}options=-csearch_path%3D{name}" for name in names)
        yield record, keys
        for name in names:
            connection.execute(f"DROP SCHEMA {name} CASCADE")
