"""The exposure search of a git repository on many machines: delta trees of blobs are walked by Apache Spark's tasks.

Rules:
1. Nothing that is sent holds a secret, an anchor or a spelling: a task gets paths, numbers and a filter (see
   :mod:`holdfast.exposure.filters`). Whoever holds the filter can try guesses; what can be guessed is refused.
2. What a task points at is read again here and confirmed as in a search of this machine alone, so that hits are equal.
3. Each unit is a job of its own: when its task fails again and again, that unit is a fault, and no other.
4. Everything else is done here: loose objects, deltas whose bases are elsewhere, objects too large for memory, trees,
   commits, names, and git's own files.
5. What such a filter cannot find is told with every answer. So results are not kept: another search could need more.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.app.ports_exposure import Listener, Target
from holdfast.engines import spark
from holdfast.engines.exposure import pool, spark_worker
from holdfast.engines.exposure.git_layout import Repository
from holdfast.engines.exposure.git_search import GitSearcher, RepositoryRun
from holdfast.engines.exposure.git_store import OpenPack
from holdfast.engines.exposure.git_work import Result, Worker, guarded
from holdfast.engines.exposure.hardening import variables_with
from holdfast.engines.exposure.spark_worker import Told, Unit
from holdfast.engines.exposure.walker import Walked
from holdfast.exposure.filters import Built, build
from holdfast.exposure.git.layout import Whole
from holdfast.exposure.query import Query
from holdfast.exposure.unpacked import Found

if TYPE_CHECKING:
    from pyspark import Broadcast, SparkContext
    from pyspark.sql import SparkSession

_KEY_BYTES = 32
_AT_ONCE = 256
"""Jobs that wait for Spark at the same time, at most."""


class Cluster:
    """A Spark session that is started when it is first needed."""

    def __init__(self, master: str, folder: Path, options: Mapping[str, str] = spark.OPTIONS) -> None:
        """Of a master.

        Args:
            master: ``local[N]``, ``spark://…``, ``k8s://…`` or ``yarn``.
            folder: below which the session's own files are, while it lasts.
            options: Spark's configuration over the defaults.
        """
        self._master, self._below, self._options = master, folder, options
        self._own: Path | None = None
        self._session: SparkSession | None = None

    def session(self) -> SparkSession:
        """The session.

        Raises:
            UnavailableError: pyspark or a Java is missing, or it does not start.
        """
        if self._session is None:
            self._below.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own = Path(tempfile.mkdtemp(prefix="spark-", dir=self._below))
            if self._master.startswith("local"):
                os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            self._session = spark.start(self._own, self._master, self._options)
            atexit.register(self.close)
        return self._session

    def close(self) -> None:
        """End the session and remove its files."""
        if self._session is not None:
            spark.end(self._session)
            self._session = None
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            self._own = None


@dataclass(slots=True)
class SparkGitSearcher(GitSearcher):
    """Searches repositories whose packs the cluster's machines can read."""

    cluster: Cluster = field(kw_only=True)
    _built: tuple[Query, Built] | None = None

    def begin(self, repository: Repository, target: Target, query: Query, listener: Listener) -> RepositoryRun:
        """See :meth:`GitSearcher.begin`.

        Raises:
            BadInputError: a secret can be guessed.
            UnavailableError: Spark cannot be used here.
        """
        if self.plain or query.digest:  # what rules look for is found by their patterns, which no filter stands for
            return GitSearcher.begin(self, repository, target, query, listener)
        if self._built is None or self._built[0] is not query:
            self._built = (query, build(query, os.urandom(_KEY_BYTES)))
            for name in variables_with(query.secrets, os.environ):
                del os.environ[name]  # Spark hands all of them on to its own processes
        self.cluster.session()
        return _SparkRun(self, repository, target, query, listener, built=self._built[1], cluster=self.cluster)


@dataclass(slots=True)
class _SparkRun(RepositoryRun):
    """One search of one repository."""

    built: Built = field(kw_only=True)
    cluster: Cluster = field(kw_only=True)

    def _units(self, tasks: Sequence[pool.Task]) -> Iterator[tuple[pool.Task, Result | pool.KilledError]]:
        """See :meth:`RepositoryRun._units`: what is done here comes first."""
        yield from RepositoryRun._units(self, [task for task in tasks if task[0] != "blobs"])  # noqa: SLF001 - its own
        sent = [task for task in tasks if task[0] == "blobs"]
        if sent:
            for words in self.built.not_searched:
                self._not_searched(words)
            yield from self._sent(sent)

    def _sent(self, tasks: Sequence[pool.Task]) -> Iterator[tuple[pool.Task, Result]]:
        confirming = _Confirming(self._store, self.query, plain=False, limits=self.searcher.limits)
        context = self.cluster.session().sparkContext
        shared = context.broadcast((self.built.filter, confirming.matcher.literals[len(self.query.anchors) :]))
        threads = ThreadPoolExecutor(max(1, min(len(tasks), _AT_ONCE, 2 * context.defaultParallelism)))
        try:
            asked = {}
            for task in tasks:
                pack = self._store.packs[task[1]]
                large, roots = confirming.apart(pack, self._roots(task[1], "blobs")[task[2] : task[3]])
                unit = self._unit(pack, roots)
                asked[threads.submit(_ask, context, shared, unit)] = (task, pack, large, roots)
            for future in as_completed(asked):
                task, pack, large, roots = asked[future]
                told = future.result()
                yield task, guarded(partial(confirming.take_over, pack, large, roots, told), pack.file.path.name)
        except BaseException:
            context.cancelAllJobs()
            raise
        finally:
            threads.shutdown(cancel_futures=True)
            shared.destroy()

    def _unit(self, pack: OpenPack, roots: Whole) -> Unit:
        file = pack.file
        return Unit(
            pack=str(file.path.absolute()),
            index=str(file.index.absolute()),
            checksum=pack.entries.index.checksum,
            width=self.repository.width,
            roots=np.ascontiguousarray(roots, np.int64).tobytes(),
            limits=self.searcher.limits,
        )


class _Confirming(Worker):
    """Reads again what the machines pointed at."""

    def apart(self, pack: OpenPack, roots: Whole) -> tuple[Whole, Whole]:
        """Roots that are searched here, and those that are sent."""
        large = self._set_apart(pack, roots)
        return large, np.setdiff1d(roots, large, assume_unique=True)

    def take_over(self, pack: OpenPack, large: Whole, roots: Whole, told: Told) -> Result:
        """The result of a unit."""
        found, name = Result(), pack.file.path.name
        for entry in large.tolist():
            self._stream_entry(found, pack, entry)
        failed = told.failed or _unlikely(told, pack, roots)
        if failed:
            found.faults.append((name, f"{len(roots):,} of its delta trees were not searched: {failed}"))
            return found
        found.faults += [(name, problem) for problem in told.problems if problem not in pack.entries.problems]
        self.confirm_families(found, pack, set(told.families))
        self._account(found, pack, Walked(told.entries, told.made, told.matched, told.faults))
        for entry in told.archives:
            self._head(found, pack, entry)
        for one in told.unpacked:
            inner = Found(faults=list(one.faults), members=one.members, inflated=one.inflated, matched=one.matched)
            inner.not_searched |= one.not_searched
            self._inner(found, int(pack.numbers[one.entry]), inner)
        return found


def _unlikely(told: Told, pack: OpenPack, roots: Whole) -> str:
    """Why an answer cannot be used: the kernels trust every number that they are given."""
    entries = [*told.archives, *(entry for entry, _ in told.faults), *(one.entry for one in told.unpacked)]
    known = range(len(pack.entries.pack.kind))
    if set(told.families) <= set(roots.tolist()) and all(entry in known for entry in entries):
        return ""
    return "the answer names what was not asked for"


def _ask(context: SparkContext, shared: Broadcast[Any], unit: Unit) -> Told:
    """Have one unit searched, wherever Spark sends it."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with pyspark, which is optional
    from pyspark.errors import PySparkException  # noqa: PLC0415 - likewise

    try:
        return context.parallelize([unit], 1).map(partial(spark_worker.run, shared)).collect()[0]
    except (Py4JError, PySparkException) as error:
        return Told(failed=f"the task failed however often Spark tried it ({type(error).__name__})")
