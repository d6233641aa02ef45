"""Secrets that nobody named, in a repository: an object inherits what it was made from, so each is told once.

Rules:
1. One rule and one fingerprint in one kind of place is one finding, however many objects hold it.
2. A secret that somebody named is told in every object: it is to be taken out of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from holdfast.engines.exposure.git_work import Row
from holdfast.exposure.results import Hit


def gathered(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of secrets that nobody named: those of one finding together, in an order that no engine changes."""
    groups: dict[tuple[str, str, str, bool], list[Row]] = {}
    for row in rows:
        unknown = row.match.unknown
        if unknown is not None:
            groups.setdefault((row.kind, unknown.rule, unknown.fingerprint, row.number < 0), []).append(row)
    return [sorted(groups[key], key=_order) for key in sorted(groups)]


def told_once(rows: Sequence[Row], told: Callable[[Row], Hit]) -> Iterator[Hit]:
    """Rows that are followed no further, as hits."""
    for row in rows:
        if row.match.unknown is None:
            yield told(row)
    for copies in gathered(rows):
        yield replace(told(copies[0]), copies=copies_of(copies))


def copies_of(rows: Sequence[Row]) -> int:
    """How many objects rows are about."""
    return len({(row.number, row.oid, row.stray) for row in rows})


def _order(row: Row) -> tuple[int, str, str, tuple[str, ...], int]:
    return row.number, row.oid or "", row.stray or "", row.inner, row.match.start
