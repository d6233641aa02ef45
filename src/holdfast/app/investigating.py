"""An investigation from sources to answers: read, make the tables, ask the library, assemble.

It runs wherever it is called: the CLI on files and folders, or an incident on its captured items. It decides nothing
itself; what the tables and sentences are is the domain's, what reads and runs is behind ports.

Rules:
1. Nothing is left over: the activity table lives in the folder it is given, and whoever gave it removes it.
2. The same sources give the same answers, whatever the number of workers and the order of files.
3. What could not be read stands in ``inputs``, with its reason, beside every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.app.ports_investigation import Engine, Ingest, Ingested, Keeper, Progress, Source
from holdfast.app.ports_probing import Probe
from holdfast.app.probing import probe_all
from holdfast.investigation import captured
from holdfast.investigation.activity import GIVEN, INPUTS, RESPONDERS, SCOPE, SUBJECTS, Column, place
from holdfast.investigation.answers import Answer
from holdfast.investigation.assembly import Asked, Citer, Context, Row, assemble, cited_rows
from holdfast.investigation.coverage import allows_no, grades_for, would_change
from holdfast.investigation.probing import COLUMNS as PROBES
from holdfast.investigation.probing import ProbeQuestion, ProbeResult, not_probed, questions_from, rows_from
from holdfast.investigation.queries import Query, queries
from holdfast.investigation.sentences import COMPOSERS
from holdfast.investigation.sigma import Refused
from holdfast.investigation.spine import Entry, from_rows, from_state, merge
from holdfast.investigation.stages import Closure, ordered
from holdfast.investigation.suspects import unmatched_subjects

QUESTIONS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7")
ROWS = 500
"""Rows of one query that an answer carries; the total says how many there are."""
TABLES = "tables"
"""Folder of the tables beside the activity, within the folder of a run that is kept."""
_CITED_AT_ONCE = 2_000
_DATED = ("trust_edges", "grants", "state_items")
"""State tables whose rows say when they were captured."""
_TIMELINE = 20_000
"""Entries of a timeline that a result keeps; the table behind it has all of them."""
_DRAWN = 20_000
"""Rows that a picture is drawn from, at most."""
_SIGMA = Query(
    id="i5_sigma",
    question="I5",
    part="",
    title="Your own Sigma rules",
    why="Rules are hints of single events; they say where to look.",
    rank=900,
    some="{rows} events fit your own Sigma rules, the first: {what}.",
    none="No event fits your own Sigma rules",
    rests_on=(),
    after=("activity",),
    sql="",
    engines=("duckdb",),
    cases=(),
)


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
    clock_offsets_ms: Mapping[str, int] = field(default_factory=dict)
    """Source to how far its clock is ahead of the right time; applied to what the timeline shows, never to a row."""
    captured_us: Mapping[str, int] = field(default_factory=dict)
    """Evidence id to when it was captured: the date of state whose documents tell none."""
    probe_questions: tuple[ProbeQuestion, ...] = ()
    """Checks a person asked for, beside those that the logs give rise to."""
    rows: int = ROWS


@dataclass(frozen=True, slots=True)
class Means:
    """What it is done with."""

    ingest: Ingest
    engine: Callable[[Path], Engine]
    """Opens an engine that may write into a folder."""
    probes: Sequence[Probe] = ()
    """What looks at providers and repositories; without any, nothing is probed, and the answer says so."""
    sigma: Callable[[Engine], tuple[list[dict[str, Any]], list[Refused]]] | None = None
    """Runs the user's own Sigma rules: events they fit, and rules that were not run."""
    progress: Progress | None = None


@dataclass(slots=True)
class Investigation:
    """A finished run. The engine stays open for more questions until :meth:`close`."""

    order: Order
    ingested: Ingested
    engine: Engine
    scope: Row
    answers: dict[str, Answer] = field(default_factory=dict)
    timeline: list[Entry] = field(default_factory=list)
    pictures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows that each picture is drawn from."""
    probes: list[ProbeResult] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    """Sigma rules that were not run."""

    def totals(self) -> dict[str, int]:
        """Records, and what became of them; the first is the sum of the others."""
        names = ("records", "rows", "duplicates", "quarantined")
        return {name: sum(one[name] for one in self.ingested.inputs) for name in names}

    def keep(self, folder: Path) -> bool:
        """Keep the tables in the run's folder for questions in SQL; whether the engine can."""
        if not isinstance(self.engine, Keeper):
            return False
        self.engine.keep(folder / TABLES)
        return True

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
        _probe(found, means)
        citer = _answer(found, means)
        _lay_out(found, citer)
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
    engine.define("probes", PROBES, [])
    tables: dict[str, tuple[Sequence[Column], Sequence[Row]]] = {
        name: (columns, []) for name, columns in captured.tables().items()
    }
    dates = _dates(order, ingested)
    for name, (columns, rows) in {**tables, **ingested.tables}.items():
        engine.define(name, columns, [_dated(row, dates) for row in rows] if dates else rows)


def _dates(order: Order, ingested: Ingested) -> dict[int, int]:
    """Number of an input to when it was captured, where the incident's record tells."""
    known = order.captured_us
    return {one["input_no"]: known[one["item"]] for one in ingested.inputs if one.get("item") in known}


def _dated(row: Row, dates: Mapping[int, int]) -> Row:
    """A row of captured state with the date of its capture, where its document tells none."""
    if row.get("captured_us", 0) is not None or row.get("row_id") is None:
        return row
    return {**row, "captured_us": dates.get(place(row["row_id"])[0])}


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


def _probe(found: Investigation, means: Means) -> None:
    """Ask whether what was made or opened still works; what cannot be asked stays not probed."""
    made = found.engine.rows("SELECT * FROM made ORDER BY ALL")
    asked = [*questions_from(made), *found.order.probe_questions]
    found.probes = probe_all(asked, means.probes) if means.probes else not_probed(asked)
    found.engine.define("probes", PROBES, rows_from(found.probes))


def _answer(found: Investigation, means: Means) -> Citer:
    library = queries()
    asked: dict[str, list[Asked]] = {question: [] for question in QUESTIONS}
    for number, query in enumerate(library):
        if means.progress is not None:
            means.progress(number, len(library), query.title)
        asked[query.question].append(_ask(found.engine, query, found.order.rows))
    if means.sigma is not None:
        hits, found.refused = means.sigma(found.engine)
        rows = tuple({**one, "what": f"{one['title']} ({one['level'] or 'no level'})"} for one in hits)
        asked["I5"].append(Asked(_SIGMA, rows[: found.order.rows], len(rows)))
    context = _context(found, [row for some in asked.values() for one in some for row in one.rows])
    for question in QUESTIONS:
        found.answers[question] = assemble(question, asked[question], COMPOSERS[question], context)
    return context.citer


def _lay_out(found: Investigation, citer: Citer) -> None:
    """The timeline and what the pictures are drawn from."""
    engine = found.engine
    rows = engine.rows("SELECT * FROM timeline ORDER BY time_us, row_id, kind, until_us", _TIMELINE)
    state = [row for name in _DATED for row in engine.rows(f"SELECT DISTINCT row_id, captured_us FROM {name}")]  # noqa: S608 - our own names
    cited = {one: citation for one in cited_rows([*rows, *state]) if (citation := citer.cite(one)) is not None}
    offsets = found.order.clock_offsets_ms
    found.timeline = merge(from_rows(rows, cited), from_state(state, cited), offsets_ms=offsets)
    edges = next(query for query in queries() if query.id == "i3_edges")
    found.pictures = {
        "timeline": rows,
        "trust": engine.rows(edges.sql, _DRAWN),
        "coverage": engine.rows("SELECT * FROM coverage ORDER BY ALL", _DRAWN),
        "identities": engine.rows("SELECT * FROM identity_hours ORDER BY place, hour", _DRAWN),
        "suspects": engine.rows("SELECT DISTINCT value FROM suspects ORDER BY value", _DRAWN),
    }


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
                one["value"]
                for one in engine.rows(
                    "SELECT * FROM suspects WHERE kind <> 'origin' ORDER BY kind, value, row_id", 200
                )
            ],
            "subjects": list(found.order.subjects),
            "unmatched": _unmatched(found) if found.order.subjects else [],
        },
        as_of_us=scope["as_of_us"],
    )


def _unmatched(found: Investigation) -> list[str]:
    """Subjects asked about that do not occur in what was read."""
    hits = found.engine.rows("SELECT DISTINCT value FROM subject_hits")
    led = found.engine.rows("SELECT DISTINCT subject FROM suspects")
    return unmatched_subjects([{"value": value} for value in found.order.subjects], hits, led)


def _rests_on(question: str) -> tuple[str, ...]:
    named = {one: None for query in queries() if query.question == question for one in query.rests_on}
    return tuple(named)


def _captured_kinds(engine: Engine) -> frozenset[str]:
    """Which captured state there is: names of the state tables that have rows."""
    names = captured.tables()
    return frozenset(name for name in names if engine.rows(f"SELECT row_id FROM {name}", 1))  # noqa: S608 - our own names


def _event_uids(engine: Engine, rows: Sequence[int]) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(rows), _CITED_AT_ONCE):
        listed = ", ".join(str(row) for row in rows[start : start + _CITED_AT_ONCE])
        sql = f"SELECT row_id, event_uid FROM activity WHERE row_id IN ({listed}) AND event_uid IS NOT NULL"  # noqa: S608 - whole numbers
        found.update({one["row_id"]: one["event_uid"] for one in engine.rows(sql)})
    return found
