"""What an investigation asks of the rim: something that reads inputs, and something that runs SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from holdfast.investigation.activity import Column


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes to read: a file, or a folder that is walked."""

    path: Path
    shown: str
    """The path as citations name it."""
    item: str | None = None
    """Evidence id, within an incident."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What the ingest made: Parquet files of activity rows, and small tables."""

    folder: Path
    parts: tuple[Path, ...]
    """Parquet files with the columns of the activity table, duplicates already out."""
    inputs: tuple[Mapping[str, Any], ...]
    """Rows of the inputs table."""
    quarantined: tuple[Mapping[str, Any], ...]
    """``input_no``, ``ordinal``, ``reason``: at most a limited number per input; the counts are complete."""
    tables: Mapping[str, tuple[tuple[Column, ...], list[Mapping[str, Any]]]]
    """Tables from captured state and digest files: name to columns and rows."""


class Progress(Protocol):
    """Hears how far long work is."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """Bytes done of total, and what is being done."""
        ...


class Ingest(Protocol):
    """Reads sources into Parquet."""

    def __call__(self, sources: Sequence[Source], folder: Path, progress: Progress | None = None) -> Ingested:
        """Read everything; never raises for the content of a source."""
        ...


class Engine(Protocol):
    """Runs the library's SQL. Tables are named; SQL is DuckDB's and is carried over where need be."""

    name: str

    def activity(self, parts: Sequence[Path]) -> None:
        """Make the table ``activity`` from Parquet files; none gives an empty table."""
        ...

    def define(self, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Make a small table from rows; columns left out are null."""
        ...

    def materialise(self, name: str, sql: str) -> None:
        """Make a table from a query."""
        ...

    def rows(self, sql: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of a query as mappings of text, whole numbers and booleans."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a question in SQL gives."""

    columns: tuple[tuple[str, str], ...]
    """Names and DuckDB's types."""
    rows: tuple[tuple[Any, ...], ...]
    """Values as JSON holds them; instants are texts in UTC with Z."""
    cut: str | None
    """``rows`` or ``bytes`` when there was more than a reply may hold."""
    seconds: float


class Ask(Protocol):
    """Runs one SELECT of a person over an investigation's tables, and can do nothing else."""

    def __call__(
        self, sql: str, parameters: Mapping[str, str] | None = None, *, limit: int = 1000, timeout_s: float = 30.0
    ) -> Reply:
        """Rows of the query; ``$name`` in it stands for the parameter's text."""
        ...


@runtime_checkable
class Keeper(Protocol):
    """An engine whose tables can be kept for questions later."""

    def keep(self, folder: Path) -> Mapping[str, Sequence[Path]]:
        """Write every table but the activity into a folder, one file each, named after it."""
        ...
