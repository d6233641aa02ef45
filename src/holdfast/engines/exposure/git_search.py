"""The exposure search of a git repository: all objects, wherever they are, and where each hit comes from.

In order:
1. Lay out: packs, loose objects, refs, reflogs, borrowed objects. Files are read here and never by git.
2. Search blobs, delta tree by delta tree, in as many processes as asked for.
3. Read what trees, commits and tags name, and search their own bytes in the same walk; what is missing is told.
4. Follow all hits up to the commits that hold them.
5. Search git's own files: configuration, hooks, reflogs, descriptions, ref names, the index.

Whatever could not be read is a fault: the search is then incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdfast.app.ports_exposure import Listener, Target
from holdfast.engines.exposure import hardening, pool
from holdfast.engines.exposure.cache import ResultCache
from holdfast.engines.exposure.git_layout import Repository, git_folder, lay_out, nested
from holdfast.engines.exposure.git_links import LinkReader
from holdfast.engines.exposure.git_names import search_names, search_texts
from holdfast.engines.exposure.git_origin import Origins, unfollowed
from holdfast.engines.exposure.git_rows import Told, from_rows, to_rows, unit_of, whole_from_rows, whole_to_rows
from holdfast.engines.exposure.git_rules import told_once
from holdfast.engines.exposure.git_store import Store, open_store
from holdfast.engines.exposure.git_stray import search_file, search_stray
from holdfast.engines.exposure.git_work import Result, Row, Worker, guarded
from holdfast.engines.exposure.inflater import NotReadyError, ready
from holdfast.engines.exposure.limits import Limits
from holdfast.exposure.git.graph import Graph
from holdfast.exposure.git.history import above
from holdfast.exposure.git.layout import BLOB, OFS_DELTA, TREE, Whole
from holdfast.exposure.git.names import Names
from holdfast.exposure.git.pushes import Push
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Totals

UNIT = 8 << 20
"""Compressed bytes of one unit of work."""
ALONE = 48 << 20
"""Packed bytes up to which a repository is searched in this process."""
_LOOSE = 2_000
_NAMED = 20


@dataclass(slots=True)
class GitSearcher:
    """Searches repositories."""

    processes: int
    """With one or none it is all done in this process."""
    cache: ResultCache | None = None
    plain: bool = False
    """Whether the engine without kernels is used."""
    limits: Limits = field(default_factory=Limits)
    pushes: Sequence[Push] = ()
    """What a host's log tells of pushes."""
    fallback: str | None = None
    """Why the plain engine is used though it was not asked for."""

    def __post_init__(self) -> None:
        """Prove the fast engine once; without it the plain one is used, which is said."""
        if not self.plain:
            try:
                ready()
            except NotReadyError as fault:
                self.plain, self.fallback = True, str(fault)

    def search(self, target: Target, query: Query, listener: Listener, *, within: Path | None = None) -> Totals:
        """See :class:`~holdfast.app.ports_exposure.Searcher`.

        ``within`` is a folder out of which the repository must not lead, where it is not trusted with the machine.
        """
        path = Path(target.where)
        if path.is_file():
            return self._file(path, target, query, listener)
        home = git_folder(path)
        if home is None:
            listener.fault(Fault(target.shown, "", "it is no git repository that can be read"))
            return Totals()
        return self._repository(home, target, query, listener, within)

    def _file(self, path: Path, target: Target, query: Query, listener: Listener) -> Totals:
        """A bundle, or a pack that stands alone: objects without a history that could be followed."""
        try:
            found = search_file(path, query, self.limits, plain=self.plain)
        except OSError as error:
            listener.fault(Fault(target.shown, "", f"it cannot be read: {error.strerror}"))
            return Totals()
        if found is None:
            listener.fault(Fault(target.shown, "", "it is no git repository, bundle or pack"))
            return Totals()
        for where, reason in found.faults:
            listener.fault(Fault(target.shown, where, reason))
        for hit in told_once(found.rows, lambda row: unfollowed(row, target.shown, target.visibility)):
            listener.hit(hit)
        return Totals(
            objects=found.objects,
            files=found.files,
            bytes_read=path.stat().st_size,
            bytes_inflated=found.made,
            bytes_matched=found.matched,
            not_searched=frozenset(found.not_searched),
        )

    def begin(self, repository: Repository, target: Target, query: Query, listener: Listener) -> RepositoryRun:
        """One search of one repository; it may be made another way by whoever searches on other machines."""
        return RepositoryRun(self, repository, target, query, listener)

    def _repository(self, home: Path, target: Target, query: Query, listener: Listener, within: Path | None) -> Totals:
        repository = lay_out(home, within)
        if repository.closed:
            for where, reason in repository.faults:
                listener.fault(Fault(target.shown, where, reason))
            return Totals()
        inner = nested(repository)
        run = self.begin(repository, target, query, listener)
        totals = run.everything(inner)
        for one in inner:
            shown = f"{target.shown}!{one.relative_to(repository.common)}"
            totals += self._repository(one, Target(str(one), shown, target.visibility), query, listener, within)
        return totals


@dataclass(slots=True)
class RepositoryRun:
    """One search of one repository."""

    searcher: GitSearcher
    repository: Repository
    target: Target
    query: Query
    listener: Listener
    _told: Told = field(default_factory=Told)
    _store: Store = field(init=False)
    _worker: Worker | None = None
    _links: LinkReader = field(init=False)
    _mark: str = ""
    _weighed: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    _done: int = 0
    _bytes: int = 0

    def everything(self, inner: list[Path]) -> Totals:
        """Search it all."""
        searcher = self.searcher
        cache = searcher.cache
        self._mark = "" if cache is None else cache.mark(self.query, repr(searcher.limits), self.query.digest)
        unit = None if cache is None else unit_of(self.repository, self.target.visibility, searcher.pushes)
        kept = None if cache is None or unit is None else cache.get(unit, self._mark)
        if kept is not None:
            self._again(whole_from_rows(kept))
        else:
            self._anew()
            if cache is not None and unit is not None and self._told.whole:
                cache.put(unit, self._mark, whole_to_rows(self._told, self.query), self.query)
        worker = self._worker or Worker(Store(self.repository), self.query, searcher.plain, searcher.limits)
        for hit in search_names(self.repository, worker):
            self.listener.hit(self._at(hit))
        for hit in search_texts(self.repository, inner, worker, self._fault):
            self.listener.hit(self._at(hit))
        return self._told.totals

    def _again(self, told: Told) -> None:
        """Tell what an earlier search of the same contents told."""
        self._told = told
        for where, reason in told.faults:
            self.listener.fault(Fault(self.target.shown, where, reason))
        for hit in told.hits:
            self.listener.hit(self._at(hit))

    def _anew(self) -> None:
        """Search all objects, and follow what is found."""
        self._store = store = open_store(self.repository)
        self._worker = worker = Worker(store, self.query, self.searcher.plain, self.searcher.limits)
        self._links = LinkReader(worker)
        worker.load()
        self._links.load()
        self._bytes = sum(len(pack.entries.pack.data) for pack in store.packs)
        for where, reason in store.faults:
            self._fault(where, reason)
        for pack in store.packs:
            self._structural(pack.file.path.name, len(pack.entries.damaged), len(pack.entries.circular))
        rows: list[Row] = []
        try:
            for row in self._objects():
                rows.append(row)  # noqa: PERF402 - what came before an interruption is told
            rows += self._stray()
            graph, more = self._read_links({row.number for row in rows if row.number >= 0})
        except KeyboardInterrupt:
            for hit in told_once(
                rows,
                lambda row: unfollowed(replace(row, oid=row.oid or store.oid(row.number)), "", self.target.visibility),
            ):
                self._hit(hit)
            raise
        self._missing(graph)
        self._origins(graph, rows + more)
        self._name_others(graph)
        self._told.totals += Totals(bytes_read=self._bytes)

    def _name_others(self, graph: Graph) -> None:
        """Name the submodules: they are other repositories."""
        names = sorted(name.decode("utf-8", "replace") for name in graph.links)
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            listed = ", ".join(names[:_NAMED])
            self._not_searched(f"submodules (other repositories) of {self.target.shown}: {listed}{more}")

    def _ready(self) -> Worker:
        assert self._worker is not None
        return self._worker

    # -- searching

    def _objects(self) -> Iterator[Row]:
        """Search blobs, loose objects and orphans; rows as they come."""
        tasks = [*self._cut("blobs"), *(("orphans", number) for number in self._with_orphans())]
        loose = self._store.repository.loose
        tasks += [("loose", start, min(start + _LOOSE, len(loose))) for start in range(0, len(loose), _LOOSE)]
        for task, outcome in self._units(tasks):
            if isinstance(outcome, pool.KilledError):
                self._killed(task)
                continue
            yield from self._take(outcome)
            self._advance(task)

    def _units(self, tasks: Sequence[pool.Task]) -> Iterator[tuple[pool.Task, Result | pool.KilledError]]:
        """Every unit with what became of it."""
        outcomes: Iterator[tuple[pool.Task, Result | pool.KilledError]] = self._run(tasks, self._do)
        return outcomes

    def _do(self, task: pool.Task) -> Result:
        """One unit, in whatever process."""
        name = str(task[0])
        if name == "loose":
            return guarded(
                lambda: self._ready().loose(self._store.repository.loose[task[1] : task[2]]), "loose objects"
            )
        pack = self._store.packs[task[1]]
        where = pack.file.path.name
        if name == "orphans":
            return guarded(lambda: self._ready().orphans(pack), where)
        cache, unit = self.searcher.cache, f"{pack.entries.index.checksum}:{name}:{task[2]}-{task[3]}"
        if cache is not None and (kept := cache.get(unit, self._mark)) is not None:
            found = from_rows(kept, self._store)
            if found is not None:
                return found
        roots = self._roots(task[1], name)[task[2] : task[3]]
        found = guarded(lambda: self._ready().objects(pack, roots), where)
        if cache is not None and not found.faults:
            cache.put(unit, self._mark, to_rows(found, self._store), self.query)
        return found

    def _stray(self) -> list[Row]:
        """Search packs without an index and files of interrupted writes."""
        found = search_stray(self._store, self._ready())
        return list(self._take(found))

    # -- links and origins

    def _read_links(self, hits: set[int]) -> tuple[Graph, list[Row]]:
        """Read what objects name and search names and messages; rows of what was found in them."""
        edges = bool(hits)
        graph, rows = self._walk_links(hits, edges=edges, search=True)
        trees = {row.number for row in rows if row.kind == "tree"}
        if trees and not edges:
            graph = self._walk_links(hits, edges=True, search=False)[0]
        folders = graph.named.folders() | trees
        if folders:
            marks = above(graph, folders, len(self._store.ids), self._look_into) | hits | trees
            graph.named.update(self._links.others(marks, edges=False).named)
        return graph, rows

    def _walk_links(self, marks: set[int], *, edges: bool, search: bool) -> tuple[Graph, list[Row]]:
        graph, rows = Graph(), list[Row]()
        wanted = sorted(marks)

        def do(task: pool.Task) -> tuple[Graph, Result]:
            pack = self._store.packs[task[1]]
            roots = self._roots(task[1], "links")[task[2] : task[3]]
            return self._links.units(pack, roots, wanted, edges=edges, search=search)

        for task, outcome in self._run(list(self._cut("links")), do):
            if isinstance(outcome, pool.KilledError):
                self._killed(task)
                continue
            graph.add(outcome[0])
            rows += self._take(outcome[1])
            self._advance(task)
        graph.add(self._links.others(wanted, edges=edges))
        return graph, rows

    def _look_into(self, folders: set[int], marks: set[int]) -> Names:
        """Entries that lead to marked objects, in folders that are in packs and in all that are made from these."""
        graph = Graph()
        chosen = np.zeros(len(self._store.ids), bool)
        chosen[np.fromiter(folders, np.int64, len(folders))] = True
        roots, weight = dict[int, Whole](), 0
        for number, pack in enumerate(self._store.packs):
            table = pack.entries.pack
            roots[number] = np.unique(table.family[chosen[pack.numbers] & (table.final == TREE)])
            weight += int(self._weights(number)[roots[number]].sum())

        def do(task: pool.Task) -> tuple[Graph, Result]:
            share = np.ascontiguousarray(roots[task[1]][task[2] :: task[3]])
            return self._links.units(self._store.packs[task[1]], share, marks, edges=False, search=False)

        shares = max(1, self.searcher.processes) if weight > ALONE else 1
        tasks = [("names", number, share, shares) for number in roots if len(roots[number]) for share in range(shares)]
        for task, outcome in self._run(tasks, do, weight):
            if isinstance(outcome, pool.KilledError):
                self._killed(task)
            else:
                graph.add(outcome[0])
        return graph.named

    def _origins(self, graph: Graph, rows: list[Row]) -> None:
        if not rows:
            return
        origins = Origins(self._store, graph, self.searcher.pushes, self.target.visibility)
        for hit in origins.hits(rows):
            self._hit(hit)
        for where, reason in origins.faults:
            self._fault(where, reason)

    # -- units

    def _roots(self, number: int, what: str) -> Whole:
        """Whole objects of a pack: blobs, or what links."""
        kind = self._store.packs[number].entries.pack.kind
        wanted = kind == BLOB if what == "blobs" else (kind > 0) & (kind != BLOB) & (kind < OFS_DELTA)
        return np.nonzero(wanted)[0]

    def _cut(self, what: str) -> Iterator[pool.Task]:
        """Ranges of roots whose delta trees are some ``UNIT`` compressed bytes together."""
        for number in range(len(self._store.packs)):
            weight = self._weights(number)
            roots = self._roots(number, what)
            filled = np.cumsum(weight[roots])
            if len(roots):
                parts = np.searchsorted(filled, np.arange(UNIT, float(filled[-1]), UNIT), "left") + 1
                bounds = np.unique(np.concatenate([[0], np.minimum(parts, len(roots)), [len(roots)]]))
                for start, end in zip(bounds.tolist(), bounds[1:].tolist(), strict=False):
                    yield what, number, start, end, int(weight[roots[start:end]].sum())

    def _weights(self, number: int) -> NDArray[np.float64]:
        """Compressed bytes of every delta tree of a pack, at its root."""
        if number not in self._weighed:
            table = self._store.packs[number].entries.pack
            weights = np.bincount(table.family, weights=table.stop - table.start, minlength=len(table.kind))
            self._weighed[number] = weights.astype(np.float64, copy=False)
        return self._weighed[number]

    def _with_orphans(self) -> list[int]:
        return [number for number, pack in enumerate(self._store.packs) if len(pack.entries.orphans)]

    def _run(self, tasks: Sequence[pool.Task], do, weight: int | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as ``pool.run``
        """Do tasks on so many packed bytes, or on all there are, in as many processes as are worth their start."""
        few = len(self._store.repository.loose) < _LOOSE
        alone = weight <= ALONE if weight is not None else self._bytes <= ALONE and few
        return pool.run(tasks, do, 0 if alone else self.searcher.processes, self._begin)

    def _begin(self) -> None:
        """What each process does first: locks of memory are not inherited."""
        hardening.lock([*(secret.reveal() for secret in self.query.secrets), *self.query.anchors])

    # -- telling

    def _take(self, found: Result) -> Iterator[Row]:
        for where, reason in found.faults:
            self._fault(where, reason)
        for where, reason in found.within:
            self._fault(where, reason, always=True)
        for digest in sorted(found.kept_elsewhere):
            kept = self.repository.common / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
            if not kept.is_file():
                self._fault(f"Git LFS content {digest[:12]}", "it is kept elsewhere and is not here")
        for words in found.not_searched:
            self._not_searched(words)
        self._told.totals += Totals(
            objects=found.objects,
            files=found.files,
            bytes_inflated=found.made,
            bytes_matched=found.matched,
            cached=found.cached,
        )
        yield from found.rows

    def _at(self, hit: Hit) -> Hit:
        return replace(hit, target=self.target.shown)

    def _hit(self, hit: Hit) -> None:
        self._told.hits.append(hit)
        self.listener.hit(self._at(hit))

    def _fault(self, where: str, reason: str, *, always: bool = False) -> None:
        """Tell a fault; ``always`` when the same contents always have it."""
        if always:
            self._told.faults.append((where, reason))
        else:
            self._told.whole = False
        self.listener.fault(Fault(self.target.shown, where, reason))

    def _killed(self, task: pool.Task) -> None:
        pack = self._store.packs[task[1]].file.path.name if task[0] != "loose" else "loose objects"
        self._fault(pack, f"the process that searched a part of it ({task[0]} {task[2:4]}) was killed")

    def _structural(self, where: str, damaged: int, circular: int) -> None:
        if damaged:
            self._fault(where, f"{damaged:,} entries have a head that cannot be read")
        if circular:
            self._fault(where, f"{circular:,} deltas are made from one another in a circle")

    def _not_searched(self, words: str) -> None:
        self._told.totals += Totals(not_searched=frozenset({words}))

    def _advance(self, task: pool.Task) -> None:
        if len(task) > 4:  # noqa: PLR2004 - a range, with its bytes
            self._done += task[4]
            self.listener.progress(min(self._done, self._bytes), self._bytes, str(task[0]))

    def _missing(self, graph: Graph) -> None:
        """Tell what is named and is not here."""
        repository = self.repository
        if repository.shallow:
            self._fault(
                "", f"the clone is shallow: history before {len(repository.shallow):,} commits is not here", always=True
            )
        shallow = {self._store.number(oid) for oid in repository.shallow}
        lost = {oid.hex() for oid, source in graph.missing.items() if source not in shallow}
        named = sorted(set(repository.refs.values()))
        lost |= {named[one] for one in np.nonzero(self._store.look_up(named) < 0)[0].tolist()}
        if lost:
            promised = "promised by the repository it was cloned from, and never fetched"
            why = promised if repository.promised else "missing"
            first = ", ".join(one[:12] for one in sorted(lost)[:3])
            more = " and more" if len(lost) > 3 else ""  # noqa: PLR2004 - as many as are named
            self._fault("", f"{len(lost):,} objects are {why}: {first}{more}", always=True)
