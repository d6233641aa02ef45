"""An investigation from sources to answers: read, make the tables, ask the library, assemble.

It runs wherever it is called: the CLI on files and folders, or an incident on its captured items. It decides nothing
itself; what the tables and sentences are is the domain's, what reads and runs is behind ports.

Rules:
1. Nothing is left over: the activity table lives in the folder it is given, and whoever gave it removes it.
2. The same sources give the same answers, whatever the number of workers and the order of files.
3. What could not be read stands in ``inputs``, with its reason, beside every answer.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.app.ports_investigation import Engine, Ingest, Ingested, Progress, Source
from holdfast.investigation import captured
from holdfast.investigation.activity import GIVEN, INPUTS, RESPONDERS, SCOPE, SUBJECTS, Column
from holdfast.investigation.answers import Answer
from holdfast.investigation.assembly import Asked, Citer, Context, Row, assemble, cited_rows
from holdfast.investigation.coverage import allows_no, grades_for, would_change
from holdfast.investigation.queries import Query, queries
from holdfast.investigation.stages import Closure, ordered

QUESTIONS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7")
ROWS = 500
"""Rows of one query that an answer carries; the total says how many there are."""
_CITED_AT_ONCE = 2_000
PROBES = (
    Column("uid", "text", "what was probed"),
    Column("check", "text", "which check"),
    Column("standing", "text", "exploitable, closed, not_probed or cannot_tell"),
    Column("probed_us", "integer", "when it was probed"),
    Column("why", "text", "what the probe saw"),
    Column("row_id", "integer", "what it was asked for"),
)


def _composer(question: str) -> Any:
    try:
        return importlib.import_module(f"holdfast.investigation.sentences.{question.lower()}").sentence
    except ImportError:
        return lambda results, facts: " ".join(f"{name}: {len(rows)} rows." for name, rows in results.items())


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked."""

    sources: tuple[Source, ...]
    subjects: tuple[str, ...] = ()
    """Credentials, identities or artifacts asked about; none asks about whoever acted suspiciously."""
    from_us: int | None = None
    to_us: int | None = None
    responders: tuple[Row, ...] = ()
    """Rows of the responders table: whose acts are ours."""
    probes: tuple[Row, ...] = ()
    """Rows of the probes table: checks already made."""
    rows: int = ROWS


@dataclass(frozen=True, slots=True)
class Means:
    """What it is done with."""

    ingest: Ingest
    engine: Callable[[Path], Engine]
    """Opens an engine that may write into a folder."""
    progress: Progress | None = None


@dataclass(slots=True)
class Investigation:
    """A finished run. The engine stays open for more questions until :meth:`close`."""

    order: Order
    ingested: Ingested
    engine: Engine
    scope: Row
    answers: dict[str, Answer] = field(default_factory=dict)

    def totals(self) -> dict[str, int]:
        """Records, and what became of them; the first is the sum of the others."""
        names = ("records", "rows", "duplicates", "quarantined")
        return {name: sum(one[name] for one in self.ingested.inputs) for name in names}

    def close(self) -> None:
        """Close the engine; the folder is its giver's to remove."""
        self.engine.close()


def investigate(order: Order, means: Means, folder: Path) -> Investigation:
    """Read the sources and answer the seven questions.

    Args:
        order: what is asked.
        means: what it is done with.
        folder: an empty folder for the activity table and the engine's spilling.
    """
    ingested = means.ingest(order.sources, folder, means.progress)
    return investigate_ingested(order, means, folder, ingested)


def investigate_ingested(order: Order, means: Means, folder: Path, ingested: Ingested) -> Investigation:
    """The same over what was read before."""
    engine = means.engine(folder)
    try:
        scope = _scope(order, ingested)
        found = Investigation(order, ingested, engine, scope)
        _define(engine, order, ingested, scope)
        _make_stages(engine, means.progress)
        found.answers = _answers(found, means.progress)
    except BaseException:
        engine.close()
        raise
    return found


def _scope(order: Order, ingested: Ingested) -> dict[str, Any]:
    """The window; without one it is all there is, and there is no time before it."""
    firsts = [one["first_us"] for one in ingested.inputs if one["first_us"] is not None]
    lasts = [one["last_us"] for one in ingested.inputs if one["last_us"] is not None]
    first, last = min(firsts, default=0), max(lasts, default=0)
    start = order.from_us if order.from_us is not None else first
    end = order.to_us if order.to_us is not None else last
    return {
        "from_us": start,
        "to_us": end,
        "baseline_from_us": min(first, start),
        "baseline_to_us": start,
        "as_of_us": min(last, end) if lasts else end,
        "given": order.from_us is not None or order.to_us is not None,
    }


def _define(engine: Engine, order: Order, ingested: Ingested, scope: Row) -> None:
    engine.activity(ingested.parts)
    engine.define("inputs", INPUTS, ingested.inputs)
    engine.define("scope", SCOPE, [scope])
    engine.define("subjects", SUBJECTS, [{"value": value} for value in order.subjects])
    engine.define("responders", RESPONDERS, order.responders)
    engine.define("probes", PROBES, order.probes)
    tables: dict[str, tuple[Sequence[Column], Sequence[Row]]] = {
        name: (columns, []) for name, columns in captured.tables().items()
    }
    for name, (columns, rows) in {**tables, **ingested.tables}.items():
        engine.define(name, columns, rows)


def given_tables() -> dict[str, Sequence[Column]]:
    """Every table that is there before the first stage, with its columns."""
    return {**GIVEN, **captured.tables(), "probes": PROBES}


def _make_stages(engine: Engine, progress: Progress | None) -> None:
    stages = ordered(given_tables())
    for number, stage in enumerate(stages):
        if progress is not None:
            progress(number, len(stages), stage.title)
        if isinstance(stage, Closure):
            given: dict[str, list[Row]] = {
                name: [*engine.rows(f"SELECT * FROM {name} ORDER BY ALL")]  # noqa: S608 - our own names
                for name in stage.after
            }
            engine.define(stage.id, stage.columns, stage.rows(given))
        else:
            engine.materialise(stage.id, stage.sql)


def _answers(found: Investigation, progress: Progress | None) -> dict[str, Answer]:
    library = queries()
    asked: dict[str, list[Asked]] = {question: [] for question in QUESTIONS}
    for number, query in enumerate(library):
        if progress is not None:
            progress(number, len(library), query.title)
        asked[query.question].append(_ask(found.engine, query, found.order.rows))
    context = _context(found, [row for some in asked.values() for one in some for row in one.rows])
    return {question: assemble(question, asked[question], _composer(question), context) for question in QUESTIONS}


def _ask(engine: Engine, query: Query, limit: int) -> Asked:
    rows = engine.rows(query.sql, limit + 1)
    if len(rows) <= limit:
        return Asked(query, tuple(rows), len(rows))
    counted = engine.rows(f"SELECT count(*) AS n FROM ({query.sql}) AS counted")  # noqa: S608 - the library's own SQL
    return Asked(query, tuple(rows[:limit]), counted[0]["n"])


def _context(found: Investigation, rows: Iterable[Row]) -> Context:
    engine, scope = found.engine, found.scope
    coverage = engine.rows("SELECT * FROM coverage")
    state = _captured_kinds(engine)
    window = (scope["from_us"], scope["to_us"])
    rests = {question: _rests_on(question) for question in QUESTIONS}
    citer = Citer({one["input_no"]: one for one in found.ingested.inputs}, _event_uids(engine, cited_rows(rows)))
    return Context(
        citer=citer,
        allows_no=lambda query: allows_no(coverage, query.rests_on, *window, state),
        grades=lambda question: grades_for(coverage, rests[question], *window),
        would_change=lambda question: would_change(coverage, rests[question], *window, state),
        facts={
            "from_us": scope["from_us"],
            "to_us": scope["to_us"],
            "sources": sorted({one["source"] for one in coverage if one["source"]}),
            "suspects": [
                one["value"] for one in engine.rows("SELECT * FROM suspects ORDER BY kind, value, row_id", 200)
            ],
            "subjects": list(found.order.subjects),
        },
        as_of_us=scope["as_of_us"],
    )


def _rests_on(question: str) -> tuple[str, ...]:
    named = {one: None for query in queries() if query.question == question for one in query.rests_on}
    return tuple(named)


def _captured_kinds(engine: Engine) -> frozenset[str]:
    """Which captured state there is: names of the state tables that have rows."""
    names = captured.TABLES
    return frozenset(name for name in names if engine.rows(f"SELECT row_id FROM {name}", 1))  # noqa: S608 - our own names


def _event_uids(engine: Engine, rows: Sequence[int]) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(rows), _CITED_AT_ONCE):
        listed = ", ".join(str(row) for row in rows[start : start + _CITED_AT_ONCE])
        sql = f"SELECT row_id, event_uid FROM activity WHERE row_id IN ({listed}) AND event_uid IS NOT NULL"  # noqa: S608 - whole numbers
        found.update({one["row_id"]: one["event_uid"] for one in engine.rows(sql)})
    return found
