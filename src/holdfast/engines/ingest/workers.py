"""Jobs on several processes, with an account even of those that die.

Rules:
1. Processes are started afresh (spawn), so that nothing of a server's threads and locks comes with them; they end when
   their parent ends.
2. When a process dies, the jobs under way are done again one file at a time, each alone, and once more if it dies then
   (it may have died of another's doing the first time); what kills its process each time is named.
3. Results come in the order of the jobs, whatever the number of processes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import wait as wait_for
from typing import Any, Generic, TypeVar

from holdfast.engines.ingest.reading import Setup
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.work import Done, Job, Wanted, read_job

DIED = "reader process died"
_ATTEMPTS = 2
Task = TypeVar("Task")
Result = TypeVar("Result")


class _WithoutPandas:
    """Arrow loads pandas where it is installed, only to ask whether a list is a Series: most of a process's start."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:  # noqa: ARG004 - as importlib calls it
        if name == "pandas":
            raise ImportError(name)


def _begin() -> None:
    """In a new process: leave interrupts to the parent, and end with it."""
    sys.meta_path.insert(0, _WithoutPandas())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    gc.disable()  # records make many objects and no cycles; each job collects once


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _run(act: Callable[[Any, Any], Any], task: object, setup: object) -> object:
    try:
        return act(task, setup)
    finally:
        gc.collect()


class Workers(Generic[Task, Result]):
    """Runs one function over tasks on processes; a context manager is not needed: each run cleans up."""

    def __init__(self, act: Callable[[Task, Any], Result], setup: object, workers: int) -> None:
        """Call ``act(task, setup)``; both must be found again by name in a new process."""
        self._act, self._setup, self._workers = act, setup, workers

    def run(self, tasks: Sequence[Task], finished: Callable[[int, Result], None]) -> list[int]:
        """Run all; tell each result as it comes. Gives the places of the tasks under way when a process died."""
        died: list[int] = []
        waiting = list(range(len(tasks)))
        while waiting:
            lost = self._pool(tasks, waiting, finished)
            died += lost
        return sorted(died)

    def _pool(self, tasks: Sequence[Task], waiting: list[int], finished: Callable[[int, Result], None]) -> list[int]:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(self._workers, len(waiting)), context, initializer=_begin)
        under_way: dict[Future[Any], int] = {}
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self._workers:
                    place = waiting.pop(0)
                    under_way[pool.submit(_run, self._act, tasks[place], self._setup)] = place
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    finished(under_way[future], future.result())
                    del under_way[future]
        except BrokenProcessPool:
            return list(under_way.values())
        finally:
            _stop(pool)
        return []


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the processes, also in the middle of a task."""
    for process in list((pool._processes or {}).values()):  # noqa: SLF001 - no public way to end a running task
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


def run_jobs(jobs: Sequence[Job], setup: Setup, workers: int, finished: Callable[[Job], None]) -> list[Done]:
    """Every job done, or accounted for as died, in order."""
    results: dict[int, Done] = {}

    def take(place: int, done: Done) -> None:
        results[place] = done
        finished(jobs[place])

    if workers < 1:
        for place, job in enumerate(jobs):
            take(place, read_job(job, setup))
        return [results[place] for place in range(len(jobs))]
    for place in Workers(read_job, setup, workers).run(jobs, take):
        take(place, _alone(jobs[place], setup))
    return [results[place] for place in range(len(jobs))]


def _alone(job: Job, setup: Setup) -> Done:
    """A job that was under way when a process died: each of its inputs in a process of its own."""
    whole = Done()
    singles = [replace(job, name=f"{job.name}-{place:03d}", files=(one,)) for place, one in enumerate(_singles(job))]
    results: dict[int, Done] = {}
    for place, single in enumerate(singles):
        for _ in range(_ATTEMPTS):
            if not Workers(read_job, setup, 1).run([single], lambda _, done, at=place: results.update({at: done})):  # type: ignore[misc]
                break
        found = results.get(place) or _dead(single.files[0])
        whole.parts += found.parts
        whole.tallies += found.tallies
        whole.archives += found.archives
        for name, rows in found.tables.items():
            whole.tables.setdefault(name, []).extend(rows)
    return whole


def _singles(job: Job) -> Iterable[Wanted]:
    for file in job.files:
        if file.members is None:
            yield file
        else:
            yield from (replace(file, members={place: told}) for place, told in file.members.items())


def _dead(file: Wanted) -> Done:
    numbers = [(file.input_no, file.shown)] if file.members is None else list(file.members.values())
    tallies = [Tally(number, shown, file.item, size=file.size) for number, shown in numbers]
    for tally in tallies:
        tally.quarantine(DIED)
    return Done(tallies=tallies)
