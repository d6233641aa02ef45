"""Checking contents before they get in: nothing that leaked comes back, and nothing that looks like a secret enters.

Rules:
1. Only what comes in is told: what the version before held, in the same file or in another one that goes, is not new.
2. A known value (baseline) and an allowed one (allow list, a word on its line) do not refuse; they are told as such.
3. A value that leaked before refuses, whatever any list says.
4. What could not be read makes the check incomplete, never clean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast.exposure.baseline import AllowList, Baseline, Entry, inline_reason
from holdfast.exposure.leaked import LeakedMatcher
from holdfast.exposure.results import Fault
from holdfast.exposure.rules import RuleMatcher, length_bucket
from holdfast.kernel.secrets import fingerprint

LEAKED = "leaked-value"
"""Rule of a finding that is a value which leaked before."""
_LONGEST_LINE = 4096
"""Bytes of a line on which a word that allows is looked for, each way."""
State = Literal["new", "known", "allowed"]
Removed = Callable[[str | None], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Item:
    """Contents that come in."""

    path: str
    """Shown; of a commit's message it is empty."""
    data: bytes
    object: str | None = None
    commit: str | None = None
    before: bytes | None = None
    """What the version before held there."""
    offset: int = 0
    """Of the data in the file, when it comes in pieces."""
    line: int = 1
    """Number of the first line of the data."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that a check tells of."""

    rule: str
    fingerprint: str
    path: str
    line: int
    column: int
    start: int
    end: int
    length: str
    """A bucket."""
    state: State
    object: str | None = None
    commit: str | None = None
    form: str = "raw"
    note: str = ""
    """Why it is allowed, or which leak it is."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...]
    items: int
    size: int
    """Bytes."""

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What must not get in."""
        return tuple(one for one in self.findings if one.state == "new")

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.faults

    def entries(self) -> Iterator[Entry]:
        """What a baseline of this report holds."""
        for one in self.findings:
            if one.rule != LEAKED and one.state != "allowed":
                yield Entry(fingerprint=one.fingerprint, rule=one.rule, path=one.path)


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked for, and what is passed over."""

    key: bytes
    rules: RuleMatcher | None = None
    leaked: tuple[LeakedMatcher, ...] = ()
    baseline: Baseline | None = None
    allowed: AllowList = field(default_factory=AllowList)

    @property
    def window(self) -> int:
        """Bytes that pieces of a file overlap by."""
        return max([4096, *(one.window for one in self.leaked)])

    def run(self, items: Iterable[Item | Fault], removed: Removed = lambda _: ()) -> Report:
        """Check contents as they come.

        Args:
            items: what comes in, and what could not be read.
            removed: contents that go with a commit (none: with what is staged); asked for only if something was found.
        """
        found: list[Finding] = []
        faults: list[Fault] = []
        seen: set[tuple[str, str, str, int, str | None]] = set()
        count = size = 0
        for item in items:
            if isinstance(item, Fault):
                faults.append(item)
                continue
            count += item.offset == 0
            size += len(item.data)
            for one in self._of(item):
                place = (one.path, one.rule, one.fingerprint, one.start, one.object)
                if place not in seen:
                    seen.add(place)
                    found.append(one)
        found = [
            kept for commit in {one.commit: None for one in found} for kept in self._unmoved(found, commit, removed)
        ]
        return Report(tuple(sorted(found, key=_order)), tuple(faults), count, size)

    def _of(self, item: Item) -> list[Finding]:
        found = self._raw(item)
        if found and item.before is not None:
            known = Counter((rule, mark) for rule, mark, *_ in self._marks(item.before))
            found = _surplus(found, known)
        return found

    def _raw(self, item: Item) -> list[Finding]:
        found = []
        for rule, mark, start, end, form, note in self._marks(item.data):
            state, why = self._state(rule, mark, item, start, end)
            newlines = item.data.count(b"\n", 0, start)
            found.append(
                Finding(
                    rule=rule,
                    fingerprint=mark,
                    path=item.path,
                    line=item.line + newlines,
                    column=start - (item.data.rfind(b"\n", 0, start) + 1) + 1,
                    start=item.offset + start,
                    end=item.offset + end,
                    length=length_bucket(end - start),
                    state=state,
                    object=item.object,
                    commit=item.commit,
                    form=form,
                    note=why or note,
                )
            )
        return found

    def _marks(self, data: bytes) -> Iterator[tuple[str, str, int, int, str, str]]:
        """Rule, fingerprint, place, form and note of everything in some bytes."""
        for matcher in self.leaked:
            for back in matcher.find(data):
                note = f"{back.entry.name} of {back.entry.incident}" if back.entry.incident else back.entry.name
                yield LEAKED, fingerprint(back.entry.proof, self.key), back.start, back.end, back.form, note
        for one in self.rules.find(data) if self.rules is not None else ():
            yield one.rule, one.fingerprint, one.start, one.end, "raw", ""

    def _state(self, rule: str, mark: str, item: Item, start: int, end: int) -> tuple[State, str]:
        if rule == LEAKED:
            return "new", ""
        reason = self.allowed.reason(rule, mark, item.path)
        if reason is None:
            reason = inline_reason(_line(item.data, start, end))
        if reason is not None:
            return "allowed", reason
        if self.baseline is not None and self.baseline.known(rule, mark, item.path):
            return "known", ""
        return "new", ""

    def _unmoved(self, found: list[Finding], commit: str | None, removed: Removed) -> list[Finding]:
        """What a commit brings in beyond what it only moves to another file."""
        gone = Counter((rule, mark) for data in removed(commit) for rule, mark, *_ in self._marks(data))
        return _surplus([one for one in found if one.commit == commit], gone)


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as a line of ``--json``; no character of the secret is in it."""
    return {
        "kind": "finding",
        "rule": finding.rule,
        "fingerprint": finding.fingerprint,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "start": finding.start,
        "end": finding.end,
        "length": finding.length,
        "form": finding.form,
        "state": finding.state,
        "object": finding.object,
        "commit": finding.commit,
        "note": finding.note,
    }


def _surplus(found: list[Finding], before: Counter[tuple[str, str]]) -> list[Finding]:
    """Without as many of each value as were there before."""
    left = Counter(before)
    kept = []
    for one in found:
        if left[one.rule, one.fingerprint] > 0:
            left[one.rule, one.fingerprint] -= 1
        else:
            kept.append(one)
    return kept


def _line(data: bytes, start: int, end: int) -> bytes:
    """The line of a place; of a place on several lines the first one."""
    first = data.rfind(b"\n", max(0, start - _LONGEST_LINE), start) + 1
    newline = data.find(b"\n", start, start + _LONGEST_LINE)
    last = newline if newline >= 0 else min(len(data), end + _LONGEST_LINE)
    return data[first or max(0, start - _LONGEST_LINE) : last]


def _order(one: Finding) -> tuple[str, int, str, str]:
    return one.path, one.start, one.rule, one.commit or ""
