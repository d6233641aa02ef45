"""One input into rows, tables of captured state, and an account of what could not be read.

Rules:
1. State is looked for first, then records: a document that describes what is, is no log.
2. The reader that recognises most of the first records is asked first for each; then the others, by priority.
3. Until a record is recognised, records are only counted; a file of which nothing is recognised is one quarantined
   record with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from holdfast.engines.ingest.limits import Limits
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.writing import PartWriter
from holdfast.investigation import captured, readers
from holdfast.investigation.activity import row_id
from holdfast.investigation.blocks import blocks, journal_records, ldif_records
from holdfast.investigation.captured import Origin, StateReader
from holdfast.investigation.envelopes import opened
from holdfast.investigation.framing import (
    HEAD,
    Chunks,
    Fault,
    Value,
    begun,
    csv_records,
    decoded,
    json_values,
    shape,
    text_lines,
)
from holdfast.investigation.mapping import readers_of
from holdfast.investigation.reading import Framing, Mapped, Reader, UnreadableError
from holdfast.investigation.yaml_documents import documents, looks_like_yaml

FAULTS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What a reader may raise for a record it was not written for: the record is quarantined, the run goes on."""
NOBODY = "no reader recognises it"
_SAMPLE, _TABLE_HEAD = 50, 1 << 20
_WORDS: Mapping[Framing, str] = {
    "json": "JSON that no reader recognises",
    "csv": "a table that no reader recognises",
    "lines": "plain text that no reader recognises",
    "ldif": "LDIF that no reader recognises",
    "journal": "a journal that no reader recognises",
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run reads with: the same in every process."""

    limits: Limits = field(default_factory=Limits)
    unproven: frozenset[str] = frozenset()
    mapping: Mapped | None = None


@dataclass(slots=True)
class Tables:
    """Rows of captured state by table."""

    rows: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def add(self, told: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Keep rows of a document; all of them or none."""
        made = {name: [dict(row) for row in rows] for name, rows in told.items()}
        for name, rows in made.items():
            self.rows.setdefault(name, []).extend(rows)


class Desk:
    """Reads inputs one after another."""

    def __init__(self, setup: Setup, writer: PartWriter) -> None:
        """Read with these readers, into this writer."""
        shipped = readers.shipped()
        on = [one for one in shipped if one.proof.standing != "unproven" or one.key in setup.unproven]
        self._off = [one for one in shipped if one not in on]
        self._on = on + list(readers_of(setup.mapping) if setup.mapping else ())
        self._states = captured.shipped()
        self._unwraps = [one.unwrap for one in shipped if one.unwrap is not None]
        self._limits, self._writer = setup.limits, writer
        self.tables = Tables()

    def read(self, tally: Tally, chunks: Chunks) -> None:
        """Read one input. Nothing in it raises."""
        plain = decoded(begun(chunks))
        head, _ = plain.head(HEAD)
        kind = shape(head)
        if kind == "json":
            self._json(tally, plain)
        elif kind == "text":
            self._text(tally, plain, head)
        elif kind == "binary":
            tally.quarantine("binary that no reader recognises")
        elif plain.fault is None:
            tally.reasons["empty"] = 0
        if plain.fault is not None:
            tally.quarantine(plain.fault)

    def _json(self, tally: Tally, chunks: Chunks) -> None:
        batches = json_values(chunks, self._limits.framing)
        first = next(batches, [])
        if first and self._state(first[0]) is not None:
            for batch in chain([first], batches):
                self._documents(tally, batch)
            return
        self._records(tally, (self._flat(batch) for batch in chain([first], batches)), "json")

    def _text(self, tally: Tally, chunks: Chunks, head: bytes) -> None:
        limit = self._limits.framing.line
        entries = blocks(head)
        if entries is not None:
            framed = ldif_records if entries == "ldif" else journal_records
            self._records(tally, framed(chunks, limit), entries)
            return
        text = head.decode("utf-8", "replace")
        if looks_like_yaml(text):
            whole, complete = chunks.head(self._limits.framing.yaml)
            found = documents(whole.decode("utf-8", "replace")) if complete else None
            if found and any(self._state(one) is not None for one in found):
                self._documents(tally, found)
                return
        if self._is_table(chunks):
            self._records(tally, csv_records(chunks, limit), "csv")
        else:
            self._records(tally, text_lines(chunks, limit), "lines")

    def _is_table(self, chunks: Chunks) -> bool:
        head, complete = chunks.head(_TABLE_HEAD)
        begun = head.split(b"\n", _SAMPLE)
        lines = begun[:_SAMPLE] if complete or len(begun) > 1 else []
        limit = self._limits.framing.line
        rows = [row for batch in csv_records(Chunks([b"\n".join(lines)]), limit) for row in batch]
        return any(self._choose(rows, "csv", among) for among in (self._on, self._off))

    # -- captured state

    def _state(self, document: Value) -> StateReader | None:
        if isinstance(document, Fault):
            return None
        return next((one for one in self._states if _says(one.recognises, document)), None)

    def _documents(self, tally: Tally, found: Sequence[Value]) -> None:
        for document in found:
            state = self._state(document)
            if state is None:
                tally.quarantine(document.reason if isinstance(document, Fault) else NOBODY)
                continue
            tally.read_by(state.key, state.proof, state.kind)
            origin = Origin(tally.path, row_id(tally.input_no, tally.documents), None)
            tally.documents += 1
            try:
                self.tables.add(state.tables(document, origin))
            except UnreadableError as fault:
                tally.quarantine(str(fault))
            except FAULTS as fault:
                tally.quarantine(f"the reader failed: {type(fault).__name__}")

    # -- records

    def _flat(self, values: Iterable[Value], depth: int = 0) -> list[Value]:
        """Records out of their envelopes."""
        told: list[Value] = []
        for value in values:
            if isinstance(value, (dict, list)) and depth < 3 and not self._known(value):  # noqa: PLR2004 - pages of lists
                inner = opened(value, self._unwraps)
                if inner is not None:
                    told += inner if inner and self._known(inner[0]) else self._flat(inner, depth + 1)
                    continue
            told.append(value)
        return told

    def _known(self, value: Value) -> bool:
        return isinstance(value, dict) and any(
            one.framing == "json" and _says(one.recognises, value) for one in chain(self._on, self._off)
        )

    def _choose(self, records: Sequence[Value], framing: Framing, among: Sequence[Reader]) -> Reader | None:
        """The reader that recognises all of the first records, or most of them; of equals the first by priority."""
        asked = [one for one in among if one.framing == framing]
        told = [record for record in records if not isinstance(record, Fault)]
        for start in range(0, len(told), _SAMPLE):
            sample = told[start : start + _SAMPLE]
            counts = []
            for one in asked:
                counts.append(sum(_says(one.recognises, record) for record in sample))
                if counts[-1] == len(sample):
                    return one
            if any(counts):
                return asked[counts.index(max(counts))]
        return None

    def _records(self, tally: Tally, batches: Iterator[list[Value]], framing: Framing) -> None:
        reader: Reader | None = None
        off: Reader | None = None
        passed: list[str] = []
        count = 0
        for records in batches:
            if reader is None:
                reader = self._choose(records, framing, self._on)
                if reader is None:
                    off = off or self._choose(records, framing, self._off)
                    count += len(records)
                    passed += [one.reason for one in records if isinstance(one, Fault)][: self._limits.listed]
                    continue
                tally.read_by(reader.key, reader.proof, "log")
                for _ in range(count):
                    tally.quarantine(NOBODY, limit=self._limits.listed)
            self._rows(tally, reader, records)
        if reader is None and count:
            tally.quarantine(_refusal(off, passed, framing))

    def _rows(self, tally: Tally, reader: Reader, records: Sequence[Value]) -> None:
        base = tally.records
        if reader.columns is not None and not any(isinstance(record, Fault) for record in records):
            told, bad = reader.columns(list(records))
            if not any(self._other(reader, records[place]) for place in bad):
                left = [base + place for place in range(len(records)) if place not in bad] if bad else None
                self._writer.add(tally, range(base, base + len(records)) if left is None else left, told)
                for place, reason in bad.items():
                    known = _says(reader.recognises, records[place])
                    tally.quarantine(reason if known else NOBODY, base + place, self._limits.listed)
                return
        self._one_by_one(tally, reader, records, base)

    def _one_by_one(self, tally: Tally, reader: Reader, records: Sequence[Value], base: int) -> None:
        rows: list[dict[str, Any]] = []
        ordinals: list[int] = []
        refused: list[tuple[int, str]] = []
        for place, record in enumerate(records, base):
            told = self._fields(reader, record, tally.path)
            if isinstance(told, str):
                refused.append((place, told))
            else:
                rows.append(told)
                ordinals.append(place)
        names = {name for row in rows for name in row}
        self._writer.add(tally, ordinals, {name: [row.get(name) for row in rows] for name in names})
        for place, reason in refused:
            tally.quarantine(reason, place, self._limits.listed)

    def _fields(self, reader: Reader, record: Value, path: str) -> dict[str, Any] | str:
        """What a record tells, or the reason why it cannot be read."""
        if isinstance(record, Fault):
            return record.reason
        if not _says(reader.recognises, record):
            other = self._other(reader, record)
            if other is None:
                return NOBODY
            reader = other
        try:
            told = reader.fields(record) if reader.fields_at is None else reader.fields_at(record, path)
        except UnreadableError as fault:
            return str(fault)
        except FAULTS as fault:
            return f"the reader failed: {type(fault).__name__}"
        told.setdefault("source", reader.key.partition("+")[0])
        return told

    def _other(self, reader: Reader, record: Value) -> Reader | None:
        if isinstance(record, Fault) or _says(reader.recognises, record):
            return None
        same = (one for one in self._on if one.framing == reader.framing and one is not reader)
        return next((one for one in same if _says(one.recognises, record)), None)


def _says(recognises: Any, record: Value) -> bool:  # noqa: ANN401 - a reader's or a state reader's
    try:
        return bool(recognises(record))
    except FAULTS:
        return False


def _refusal(off: Reader | None, passed: Sequence[str], framing: Framing) -> str:
    if off is not None:
        return f"{off.title}: its reader is unproven and therefore off; switch it on with --unproven {off.key}"
    return passed[0] if passed else _WORDS[framing]
