"""Reference pages of the investigation: the sources that are read, the activity table, the library of queries."""

from __future__ import annotations

from collections.abc import Iterable

from tools.markdown import bullets, code, codes, page, table

from holdfast.investigation import captured, readers
from holdfast.investigation.activity import ACTIVITY, GIVEN, Column
from holdfast.investigation.queries import ENGINES, queries, stages
from holdfast.investigation.reading import Proof
from holdfast.investigation.stages import CLOSURES

_PROOFS = {
    "real_data": "real data",
    "real_server": "a real server",
    "vendor_sample": "the vendor's published sample",
    "vendor_schema": "the vendor's published schema",
    "unproven": "**unproven: off unless asked for by name**",
}


def sources_page() -> str:
    """What is read, and what each reader was proven on."""
    logs = [
        (code(one.key), one.title, one.framing, ", ".join(one.event_classes), _proof(one.proof))
        for one in sorted(readers.shipped(), key=lambda one: one.key)
    ]
    states = [(code(one.key), one.title, _proof(one.proof)) for one in captured.shipped()]
    return page(
        "Sources",
        "What `holdfast investigate` reads, recognised by content and never by a file's name, and what each reader was "
        "proven on. A record that no reader can read is counted and named; a reader that is unproven is off, and "
        "`--unproven KEY` switches it on.",
        "## Logs",
        table(["reader", "source", "framing", "event classes", "proven on"], logs),
        "## Captured state",
        table(["reader", "document", "proven on"], states),
    )


def activity_page() -> str:
    """The tables that SQL can be asked of."""
    made: list[tuple[str, str, Iterable[Column] | None]] = [
        (name, "given", columns) for name, columns in {**GIVEN, **captured.TABLES}.items() if name != "activity"
    ]
    parts = [f"## `{name}`\n\n{_columns(columns)}" for name, _, columns in made if columns]
    closures = [f"## `{one.id}`\n\n{one.title}.\n\n{_columns(one.columns)}" for one in CLOSURES]
    stage_rows = [(code(one.id), one.title, codes(one.after)) for one in stages()]
    return page(
        "Activity table",
        "One row for each thing that was done, from whatever source. `holdfast sql` asks it, and every other table.",
        "## `activity`",
        _columns(ACTIVITY),
        *parts,
        "## Tables made by SQL",
        table(["table", "what it is", "made from"], stage_rows),
        *closures,
    )


def queries_page() -> str:
    """Every query with what it says and where it is proven."""
    parts = []
    for question in sorted({one.question for one in queries()}):
        parts.append(f"## {question}")
        for one in (found for found in queries() if found.question == question):
            unequal = [engine for engine in ENGINES if engine not in one.engines]
            facts = [
                f"part: {one.part or 'the whole question'}",
                f"a no rests on: {codes(one.rests_on) or 'nothing'}",
                f"cases inside: {len(one.cases)}",
                f"equal results proven on: {', '.join(one.engines)}"
                + (f" (not {', '.join(unequal)})" if unequal else ""),
            ]
            parts.append(f"### {code(one.id)} {one.title}\n\n{one.why}\n\n{bullets(facts)}")
    return page(
        "Investigation queries",
        "The library behind the seven questions. Each query is written once, in DuckDB's SQL, with cases inside its "
        "file; sqlglot carries it to Apache Spark and ClickHouse, where tests hold it to equal results. Trino and "
        "Athena are emitted and parsed only, and are unproven.",
        *parts,
    )


def _columns(columns: Iterable[Column]) -> str:
    return table(["column", "type", "meaning"], [(code(one.name), one.type, one.meaning) for one in columns])


def _proof(proof: Proof) -> str:
    return f"{_PROOFS[proof.standing]}: {proof.source}"
