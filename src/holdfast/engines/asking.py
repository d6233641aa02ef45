"""Read-only SQL for people: each question runs in a process of its own that can read the tables and nothing else.

Rules:
1. One SELECT, as DuckDB itself reads it (:mod:`holdfast.engines.asking_rules`): known tables, functions without
   effects, no table functions but a few. Anything else is refused before it runs.
2. What the rules should miss still finds nothing: the process has its own database, shut but for the tables' files,
   its configuration locked, inside a read-only transaction, without extensions; it may write no file (a limit of the
   operating system), and gets neither the environment nor open files of ours.
3. Time, memory, rows and bytes of the answer are limited. The process is killed when the time is up: not every
   operation of a database can be interrupted.

Not handled here: hiding rows from a person. Who may ask sees every row of the tables.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.app.ports_investigation import Reply
from holdfast.kernel.errors import BadInputError, HoldfastError, TooLargeError, UnavailableError

MEMORY_MB = 1024
ANSWER_BYTES = 8 << 20
"""The most an answer may weigh as JSON."""
_GRACE_S = 5.0
"""Beyond the limit: the start of the process and its own orderly end."""


class Asker:
    """Answers questions over the files of the tables: ``Asker(engine.keep(folder))``."""

    def __init__(self, tables: Mapping[str, Sequence[Path]], *, memory_mb: int = MEMORY_MB) -> None:
        """Know the tables by their Parquet files, as :meth:`DuckEngine.keep` tells them."""
        self._tables = {name: [str(part.resolve()) for part in parts] for name, parts in tables.items()}
        self._memory_mb = memory_mb

    def __call__(
        self, sql: str, parameters: Mapping[str, str] | None = None, *, limit: int = 1000, timeout_s: float = 30.0
    ) -> Reply:
        """Run one SELECT.

        Args:
            sql: DuckDB's SQL; ``$name`` stands for a parameter.
            parameters: texts, bound as values.
            limit: the most rows that come back.
            timeout_s: seconds until it is stopped.

        Raises:
            BadInputError: it is not one SELECT over these tables, or DuckDB cannot run it.
            TooLargeError: it needs more time or memory than there is.
        """
        order = {
            "tables": self._tables,
            "sql": sql,
            "parameters": dict(parameters or {}),
            "limit": limit,
            "bytes": ANSWER_BYTES,
            "memory_mb": self._memory_mb,
            "seconds": timeout_s,
        }
        told = _run(order, timeout_s)
        if "refused" in told:
            raise _refused(told["refused"])
        if "failed" in told:
            raise _failed(told["failed"], told.get("kind", ""), timeout_s)
        return Reply(
            columns=tuple((name, kind) for name, kind in told["columns"]),
            rows=tuple(tuple(row) for row in told["rows"]),
            cut=told["cut"],
            seconds=told["seconds"],
        )


def _run(order: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
    command = [sys.executable, "-I", "-m", "holdfast.engines.asking_child"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=timeout_s + _GRACE_S,
            env={"LANG": "C.UTF-8"},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_heavy(f"It ran longer than {timeout_s:g} seconds.") from None
    except OSError as error:
        raise UnavailableError(
            "sql-not-started",
            "The question was not run.",
            why=f"Its process could not be started ({error.strerror}).",
            next_step="Try again.",
        ) from None
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise _too_heavy("It needed more memory than a question may use, and was ended.") from None
    return told


def _refused(why: str) -> HoldfastError:
    return BadInputError(
        "sql-not-allowed",
        "The question was not run.",
        why=why,
        next_step="Ask with one SELECT over the tables shown by: holdfast sql --tables",
    )


def _failed(message: str, kind: str, timeout_s: float) -> HoldfastError:
    if kind in ("OutOfMemoryException", "MemoryError"):
        return _too_heavy("It needed more memory than a question may use.")
    if kind == "InterruptException":
        return _too_heavy(f"It ran longer than {timeout_s:g} seconds.")
    return BadInputError(
        "sql-not-valid",
        "The question cannot be answered as it is.",
        why=plain(message),
        next_step="Correct it; the tables and their columns are shown by: holdfast sql --tables",
    )


def _too_heavy(why: str) -> HoldfastError:
    return TooLargeError(
        "sql-too-heavy", "The question was stopped.", why=why, next_step="Narrow it by time, source or identity."
    )


def plain(message: str) -> str:
    """DuckDB's message in one sentence, without paths and without the query repeated."""
    first = message.partition("\n\nLINE ")[0].replace("\n", " ")
    without = re.sub(r"(?:[A-Za-z]+:)?/[^\s\"',;)]+(?: [^\s\"',;)]*\.parquet)?", "…", first)
    return without[:400].rstrip(" .") + "."
