"""Units of work in forked processes, so that secrets and opened packs are inherited and never written or sent.

Rules:
1. A process that is killed takes only its own unit with it: that unit is tried once more alone, then it is a failure.
2. An interruption ends the processes at once.
3. Small work is done in this process: starting others costs more than it saves.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Task = tuple[Any, ...]
Outcome = TypeVar("Outcome")
_do: Callable[[Task], Any] | None = None


class KilledError(Exception):
    """The process that did a task was killed, twice."""


def run(
    tasks: Sequence[Task], do: Callable[[Task], Outcome], processes: int, begin: Callable[[], object] = lambda: None
) -> Iterator[tuple[Task, Outcome | KilledError]]:
    """Do every task, in any order.

    Args:
        tasks: small values; the largest task should come first.
        do: does one; it is inherited by the processes and need not be picklable.
        processes: how many; with one or none it is all done here.
        begin: what each process does first.
    """
    if processes <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, do(task)
        return
    left = list(tasks)
    broken: list[Task] = []
    while left:
        done: set[int] = set()
        for place, outcome in _attempt(left, do, min(processes, len(left)), begin):
            if outcome is None:
                break
            done.add(place)
            yield left[place], outcome[0]
        left = [task for place, task in enumerate(left) if place not in done]
        if left:
            # Which of the units under way it was cannot be told: each is tried by itself.
            broken, left = left[:processes], left[processes:]
            for task in broken:
                outcomes = [outcome for _, outcome in _attempt([task], do, 1, begin)]
                yield task, KilledError() if outcomes[0] is None else outcomes[0][0]


def _attempt(
    tasks: Sequence[Task], do: Callable[[Task], Outcome], processes: int, begin: Callable[[], object]
) -> Iterator[tuple[int, tuple[Outcome] | None]]:
    """Outcomes as they come; none at the end when a process was killed."""
    global _do  # noqa: PLW0603 - forked processes find it here
    _do = do
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _begin, (begin,))
    futures: dict[Future[Any], int] = {}
    try:
        futures = {pool.submit(_one, task): place for place, task in enumerate(tasks)}
        waiting = set(futures)
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                yield futures[future], (future.result(),)
    except BrokenProcessPool:
        yield -1, None
    except BaseException:
        _end(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        _do = None


def _begin(begin: Callable[[], object]) -> None:
    # The terminal sends an interruption to all; only the first process answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin()


def _end(pool: ProcessPoolExecutor) -> None:
    for number in list(getattr(pool, "_processes", None) or {}):
        os.kill(number, signal.SIGKILL)


def _one(task: Task) -> Any:  # noqa: ANN401 - whatever the task gives
    assert _do is not None
    return _do(task)
