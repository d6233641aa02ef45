"""From rows to answers: citations, what a "no" may rest on, and the sentence. Pure; the rules are in ``answers``.

Not handled here: the words of each question's sentence (``sentences``), and how coverage is judged (``coverage``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.investigation.activity import place
from holdfast.investigation.answers import Answer, AnswerRow, CellGrade, Citation, Finding
from holdfast.investigation.queries import Query

Row = Mapping[str, Any]
Composer = Callable[[Mapping[str, Sequence[Row]], Mapping[str, Any]], str]
AllowsNo = Callable[[Query], tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of the library with what it gave."""

    query: Query
    rows: tuple[Row, ...]
    """At most a limited number, the first ones."""
    total: int
    """How many there are in all."""


@dataclass(frozen=True, slots=True)
class Citer:
    """Turns row ids into citations."""

    inputs: Mapping[int, Row]
    """Row of the inputs table by number."""
    event_uids: Mapping[int, str]
    """Row id to the source's own event id, where it has one."""

    def cite(self, row: int | None) -> Citation | None:
        """The citation of a row id; none for none, or for an input that is not there."""
        if row is None:
            return None
        number, ordinal = place(row)
        found = self.inputs.get(number)
        if found is None:
            return None
        return Citation(found["sha256"], found["path"], ordinal, found.get("item"), self.event_uids.get(row))


@dataclass(frozen=True, slots=True)
class Context:
    """What every answer of a run shares."""

    citer: Citer
    allows_no: AllowsNo
    grades: Callable[[str], tuple[CellGrade, ...]]
    would_change: Callable[[str], tuple[str, ...]]
    facts: Mapping[str, Any]
    as_of_us: int


def cited_rows(rows: Iterable[Row]) -> list[int]:
    """Every row id that rows cite, each once, in order."""
    found = {value for row in rows for name, value in row.items() if name.endswith("row_id") and value is not None}
    return sorted(found)


def instant_text(moment_us: int | None) -> str | None:
    """Microseconds since 1970 as RFC 3339 text in UTC; none when there is none or no calendar has it."""
    if moment_us is None:
        return None
    try:
        moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    fraction = moment_us % 1_000_000
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:06d}".rstrip("0") + "Z" if fraction else text + "Z"


def answer_row(query: Query, row: Row, citer: Citer) -> AnswerRow:
    """A row of a query as a row of an answer: instants in words, row ids as citations."""
    cells: dict[str, Any] = {}
    for name, value in row.items():
        if name == "what" or name.endswith("row_id"):
            continue
        if name.endswith("_us"):
            cells[name.removesuffix("_us") + "_at"] = instant_text(value)
        else:
            cells[name] = value
    others = sorted(name for name in row if name.endswith("row_id") and name != "row_id")
    also = [citer.cite(row[name]) for name in others]
    main = citer.cite(row.get("row_id"))
    rest = tuple(found for found in also if found is not None and found != main)
    return AnswerRow(query.id, str(row.get("what") or query.title), cells, main, rest)


def finding(asked: Asked, allows_no: AllowsNo) -> Finding:
    """What one query said, in a sentence."""
    query = asked.query
    if asked.rows:
        words = _filled(query.some, asked)
        return Finding(query.id, query.title, query.part, words, "answered", asked.total)
    allowed, why = allows_no(query)
    if allowed:
        return Finding(query.id, query.title, query.part, f"{query.none}.", "answered", 0)
    words = f"Cannot tell ({query.title.lower()}): {why}."
    return Finding(query.id, query.title, query.part, words, "cannot_tell", 0)


def assemble(
    question: str,
    asked: Sequence[Asked],
    compose: Composer,
    context: Context,
) -> Answer:
    """The answer to one question."""
    findings = tuple(finding(one, context.allows_no) for one in asked)
    doubtful = {one.query: one.sentence for one in findings if one.standing == "cannot_tell"}
    facts = {
        **context.facts,
        "totals": {one.query.id: one.total for one in asked},
        "cannot_tell": {name: _reason(words) for name, words in doubtful.items()},
    }
    sentence = compose({one.query.id: one.rows for one in asked}, facts)
    told = any(one.standing == "answered" for one in findings)
    rows = tuple(answer_row(one.query, row, context.citer) for one in asked for row in one.rows)
    return Answer(
        question=question,
        sentence=sentence,
        standing="answered" if told else "cannot_tell",
        findings=findings,
        rows=rows,
        grades=context.grades(question),
        as_of_us=context.as_of_us,
        would_change=context.would_change(question),
    )


def _filled(words: str, asked: Asked) -> str:
    known: dict[str, object] = {"rows": asked.total}
    for name, value in asked.rows[0].items():
        if name.endswith("_us"):
            known[name.removesuffix("_us") + "_at"] = instant_text(value) or "an unknown time"
        known[name] = "unknown" if value is None else value
    for name, value in known.items():
        words = words.replace("{" + name + "}", str(value))
    return words


def _reason(words: str) -> str:
    return words.partition(": ")[2].rstrip(".")
