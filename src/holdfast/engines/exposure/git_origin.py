"""Hits of a repository with their provenance: who introduced them, when, where they still are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from holdfast.engines.exposure.git_rules import copies_of, gathered
from holdfast.engines.exposure.git_store import AbsentError, Store
from holdfast.engines.exposure.git_work import Row
from holdfast.exposure.git.graph import NO_TIME, Graph, seconds
from holdfast.exposure.git.history import Held, final_targets, follow, history, introducing
from holdfast.exposure.git.layout import Whole
from holdfast.exposure.git.pushes import Push, from_reflog
from holdfast.exposure.results import Hit, Provenance, Touch, Visibility
from holdfast.kernel.instants import format_instant

Reach = Literal["reachable", "reflog", "unreachable"]
_LISTED = 20
_ORDER = {"HEAD": 0, "refs/heads": 1, "refs/remotes": 2, "refs/tags": 3, "refs/stash": 4, "refs/notes": 5}
_LATEST = 253_402_300_799
"""The last second of the year 9999."""


class Origins:
    """Follows hits up to commits and refs."""

    def __init__(self, store: Store, graph: Graph, pushes: Sequence[Push], visibility: Visibility) -> None:
        """Put history together.

        Args:
            store: the objects.
            graph: what they name, with the names above the hits.
            pushes: what a host's log tells.
            visibility: of the target, as whoever asked says.
        """
        self._store, self._graph, self._visibility = store, graph, visibility
        self.faults: list[tuple[str, str]] = []
        self._past = history(graph)
        repository = store.repository
        named = store.look_up(list(repository.refs.values()))
        at = self._past.positions(np.array(self._targets(named), np.int64))
        # In the order in which they are told, so that no hit has to sort them.
        ranked = sorted(sorted(zip(repository.refs, at.tolist(), strict=True)), key=_rank)
        self._tip_names = np.array([name for name, one in ranked if one >= 0], object)
        self._named: dict[int, list[str]] = {}
        """Refs by the object that they name, tags not followed."""
        for name, one in zip(repository.refs, named.tolist(), strict=True):
            self._named.setdefault(one, []).append(name)
        self._tip_at = np.array([one for _, one in ranked if one >= 0], np.int64)
        self._reachable = self._past.reach(self._tip_at)
        others = self._past.positions(np.array(self._targets(store.look_up(list(repository.pointers))), np.int64))
        self._pointed = self._past.reach(others[others >= 0])
        own = list(from_reflog(repository.moves))
        self._pushes = [(self._past.position(store.number(push.after)), push) for push in (*own, *pushes)]
        self._touches: dict[int, Touch] = {}
        self._reached_from: dict[bytes, np.ndarray] = {}

    def hits(self, rows: Sequence[Row]) -> Iterator[Hit]:
        """Rows as hits."""
        followed = sorted({row.number for row in rows if row.number >= 0 and row.kind in {"blob", "tree"}})
        held = follow(self._past, self._graph.named, followed) if followed else {}
        made: dict[tuple[int, str | None], Provenance] = {}
        for row in rows:
            key = (row.number, row.name)
            if row.match.unknown is None:
                if key not in made:
                    made[key] = self._provenance(row, held)
                yield self._hit(row, made[key])
        for copies in gathered(rows):
            yield self._once(copies, held)

    def _once(self, rows: Sequence[Row], held: dict[int, Held]) -> Hit:
        """A secret that nobody named, with all its copies: told where it came in first."""
        told = rows[0]
        allowed = next((row.match for row in rows if row.match.unknown and row.match.unknown.allowed), None)
        if told.number < 0 or told.kind == "tag":
            found = self._provenance(told, held)
        elif told.kind == "commit":
            at = self._past.positions(np.array([row.number for row in rows], np.int64))
            first = self._past.earliest(at[at >= 0])
            told = next((row for row, one in zip(rows, at.tolist(), strict=True) if one == first >= 0), told)
            found = self._of_commits(np.unique(at[at >= 0]), np.unique(at[at >= 0]))
        else:
            told, found = self._of_copies(rows, held)
        if allowed is not None:
            told = replace(told, match=replace(told.match, unknown=allowed.unknown))
        return replace(self._hit(told, found), copies=copies_of(rows))

    def _of_copies(self, rows: Sequence[Row], held: dict[int, Held]) -> tuple[Row, Provenance]:
        """The copy that came in first, and where all of them come from."""
        numbers = sorted({row.number for row in rows})
        holds = np.zeros(len(self._past.numbers), bool)
        for one in numbers:
            holds[held[one].commits] = True
        holding = np.nonzero(holds)[0]
        since = introducing(self._past, holding) if len(holding) else holding
        first = self._past.earliest(since)
        told = next((row for row in rows if first in held[row.number].introducing), rows[0])
        paths = tuple(dict.fromkeys(path for row in (told, *rows) for path in self._paths(row, held[row.number])))
        if any(held[one].cut for one in numbers):
            self._cut(told)
        names = sorted({name for one in numbers for name in self._named.get(one, ())})
        found = _with_names(self._of_commits(holding, since), names)
        return told, replace(found, paths=paths[:_LISTED], paths_total=len(paths))

    def _hit(self, row: Row, found: Provenance) -> Hit:
        match = row.match
        visibility = self._visibility
        if visibility == "public" and found.refs_total and all(_is_proposal(name) for name in found.refs):
            visibility = "fork-network"
        return Hit(
            target="",
            kind=row.kind,
            form=match.form,
            cls=match.cls,
            secret=match.secret,
            object=self._store.oid(row.number) if row.number >= 0 else row.oid,
            path=found.paths[0] if found.paths else row.stray,
            inner=row.inner,
            start=match.start,
            end=match.end,
            line=row.line,
            visibility=visibility,
            provenance=found,
            unknown=match.unknown,
        )

    def _provenance(self, row: Row, held: dict[int, Held]) -> Provenance:
        if row.number < 0:
            return Provenance()
        if row.kind == "commit":
            return self._of_commit(row.number)
        if row.kind == "tag":
            return self._of_tag(row.number)
        one = held[row.number]
        paths = self._paths(row, one)
        if one.cut:
            self._cut(row)
        found = _with_names(self._of_commits(one.commits, one.introducing), self._named.get(row.number, ()))
        return replace(found, paths=tuple(paths[:_LISTED]), paths_total=len(paths))

    def _paths(self, row: Row, one: Held) -> list[str]:
        paths = [_text(path) for path in one.paths]
        if row.name is not None:
            paths = [f"{path}/{row.name}" if path else row.name for path in paths] or [row.name]
        return paths

    def _cut(self, row: Row) -> None:
        self.faults.append((self._store.oid(row.number)[:12], "its paths and commits are too many to be told all"))

    def _of_commit(self, number: int) -> Provenance:
        at = self._past.position(number)
        if at < 0:
            return Provenance()
        alone = np.array([at], np.int64)
        return self._of_commits(alone, alone)

    def _of_tag(self, number: int) -> Provenance:
        names = sorted(self._named.get(number, ()))
        touch = self._touch_of(number, b"tagger")
        pointed = self._store.oid(number) in self._store.repository.pointers
        reach: Reach = "reachable" if names else ("reflog" if pointed else "unreachable")
        return Provenance(
            first=touch, introduced=1, holding=1, last=touch, heads=tuple(names[:_LISTED]), heads_total=len(names),
            refs=tuple(names[:_LISTED]), refs_total=len(names), reach=reach,
        )  # fmt: skip

    def _of_commits(self, holding: Whole, since: Whole) -> Provenance:
        if not len(holding):
            return Provenance()
        first, last = self._past.earliest(since), self._past.latest(holding)
        after = self._after(since)
        refs = self._tip_names[after[self._tip_at] > 0].tolist()
        held = np.zeros(len(self._past.numbers), bool)
        held[holding] = True
        heads = self._tip_names[held[self._tip_at]].tolist()
        reach: Reach = "unreachable"
        if self._reachable[holding].any():
            reach = "reachable"
        elif self._pointed[holding].any():
            reach = "reflog"
        return Provenance(
            first=self._touch(first, self._push(after)),
            introduced=len(since),
            holding=len(holding),
            last=self._touch(last, None),
            heads=tuple(heads[:_LISTED]),
            heads_total=len(heads),
            refs=tuple(refs[:_LISTED]),
            refs_total=len(refs),
            reach=reach,
            at_head="HEAD" in heads,
        )

    def _after(self, since: Whole) -> np.ndarray:
        """Commits in whose history some commits are."""
        key = since.tobytes()
        if key not in self._reached_from:
            self._reached_from[key] = self._past.reach(since, forward=True)
        return self._reached_from[key]

    def _push(self, after: np.ndarray) -> Push | None:
        """The earliest push that brought one of the commits to a host."""
        known = [push for at, push in self._pushes if at >= 0 and after[at]]
        return min(known, key=lambda push: push.seconds, default=None)

    def _touch(self, at: int, push: Push | None) -> Touch | None:
        if at < 0:
            return None
        found = self._touch_of(int(self._past.numbers[at]), b"committer")
        if found is None or push is None:
            return found
        return replace(found, pushed=_instant(push.seconds), pushed_by=push.who or None)

    def _touch_of(self, number: int, second: bytes) -> Touch | None:
        """What a commit or tag says of who made it and when."""
        oid = self._store.oid(number)
        if number not in self._touches:
            try:
                _, data = self._store.read(oid)
            except AbsentError:
                return None
            head = dict(line.partition(b" ")[::2] for line in reversed(data.partition(b"\n\n")[0].split(b"\n")))
            made = head.get(second, b"")
            wrote = head.get(b"author", made)
            self._touches[number] = Touch(
                oid, _who(wrote), _instant(seconds(wrote)), _who(made), _instant(seconds(made))
            )
        return self._touches[number]

    def _targets(self, numbers: Whole) -> list[int]:
        """What objects stand for, through tags."""
        tags = self._graph.tags
        return [final_targets(tags, one) if one in tags else one for one in numbers.tolist()]


def unfollowed(row: Row, target: str, visibility: Visibility) -> Hit:
    """A row as a hit of which nothing more is known."""
    match = row.match
    return Hit(
        target, row.kind, match.form, match.cls, match.secret, row.oid, row.stray, row.inner, match.start, match.end,
        row.line, visibility, unknown=match.unknown,
    )  # fmt: skip


def _with_names(found: Provenance, names: Sequence[str]) -> Provenance:
    """With refs that name a blob or tree itself."""
    if not names:
        return found
    found = replace(found, heads=(*found.heads, *names), heads_total=found.heads_total + len(names))
    return replace(found, reach="reachable")


def _rank(tip: tuple[str, int]) -> int:
    """HEAD and branches first, what hosts make last."""
    return _ORDER.get("/".join(tip[0].split("/", 2)[:2]), len(_ORDER))


def _is_proposal(name: str) -> bool:
    return name.startswith(("refs/pull/", "refs/merge-requests/", "refs/changes/", "refs/pull-requests/"))


def _who(line: bytes) -> str:
    return _text(line.rpartition(b"> ")[0] + b">") if b"> " in line else _text(line)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _instant(value: int) -> str:
    """RFC 3339, or nothing when there is no time or none of our calendar."""
    if value == NO_TIME or not 0 <= value <= _LATEST:
        return ""
    return format_instant(datetime.fromtimestamp(value, UTC))
