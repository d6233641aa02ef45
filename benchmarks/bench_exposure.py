"""A leaked secret in whole histories: CPU seconds against the bound of inflating and matching once, and against peers.

Repositories come from ``HOLDFAST_BENCH_REPOSITORIES`` (git folders, separated by colons); without it, this project's
own is taken, which is far too small to say much. Each is borrowed from by a new repository with plants.

The bound is what no search can save: inflating every entry of the packs but trees once, and matching those bytes once.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from tests.planting import Planted, new_repository, plant
from tests.unit.engines.exposure.listening import Heard, wrong

from holdfast.app.ports_exposure import Target
from holdfast.engines.exposure import git_search, pool
from holdfast.engines.exposure.git_layout import git_folder, lay_out
from holdfast.engines.exposure.git_search import GitSearcher
from holdfast.engines.exposure.git_store import OpenPack, Store, open_store
from holdfast.engines.exposure.git_work import Worker
from holdfast.engines.exposure.inflater import ready
from holdfast.engines.exposure.limits import Limits
from holdfast.exposure.git import layout, walking
from holdfast.exposure.git.layout import BLOB, COMMIT, TAG, TREE
from holdfast.exposure.git.memory import word_at
from holdfast.exposure.matching import Matcher, matcher
from holdfast.exposure.query import Query, compile_query
from holdfast.kernel.secrets import SecretValue

TOP = Path(__file__).resolve().parents[1]
PIECE = 1 << 20
ROUNDS, SHARE = 3, 2000


def cpu() -> float:
    """User and system seconds of this process and the children it waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def spent(act: Callable[[], object]) -> float:
    """CPU seconds of an act."""
    begun = cpu()
    act()
    return cpu() - begun


@njit(cache=True, nogil=True)
def _fill(state: np.ndarray, entries: np.ndarray, first: int, out: int, room: int) -> tuple[int, int]:
    """Inflate entries one after the other until a buffer is full; the next one and the bytes."""
    filled = 0
    while first < entries.shape[0]:
        size = word_at(state[layout.P_SIZE] + 8 * entries[first])
        if filled + size > room:
            break
        walking.unpack(state, entries[first], out + filled, size)
        filled += size
        first += 1
        if filled > PIECE:
            break
    return first, filled


def bound(store: Store, query: Query, processes: int) -> tuple[float, int]:
    """CPU seconds and bytes of inflating each entry but trees once and matching it once.

    As many processes share in it as in the search: two cores that are both busy are each slower than one alone.
    """
    finder = matcher(query.anchors)
    store_packs = store.packs

    def share(task: tuple[int, ...]) -> tuple[float, int]:
        begun, total = cpu(), 0
        for pack in store_packs:
            total += _bound_of(pack, finder, task[0], processes)
        return cpu() - begun, total

    _bound_of(store_packs[0], finder, 0, 1 << 40)
    parts = [told for _, told in pool.run([(number,) for number in range(processes)], share, processes)]
    assert not any(isinstance(told, pool.KilledError) for told in parts)
    return sum(told[0] for told in parts), sum(told[1] for told in parts)  # type: ignore[index]


def _bound_of(pack: OpenPack, finder: Matcher, number: int, shares: int) -> int:
    """Inflate and match one share of a pack's entries; bytes."""
    state = np.zeros(layout.STATE, np.int64)
    state[layout.INFLATER] = walking.new_inflater()
    table = pack.entries.pack
    entries = np.nonzero(table.final != TREE)[0]
    entries = np.ascontiguousarray(entries[len(entries) * number // shares : len(entries) * (number + 1) // shares])
    room = max(int(table.size.max(initial=0)), PIECE) + PIECE
    out = np.empty(room, np.uint8)
    layout.point_at_pack(state, table, entries)
    first, total, view = 0, 0, memoryview(out)
    while first < len(entries):
        first, filled = _fill(state, entries, first, out.ctypes.data, room)
        finder.find(view[:filled])
        total += filled
    return total


def contents(store: Store, query: Query, processes: int) -> float:
    """CPU seconds of searching what the bound counts: all entries but trees, in novel windows, with confirmation."""
    worker = Worker(store, query, plain=False, limits=Limits())
    worker.load()
    tasks = []
    for number, pack in enumerate(store.packs):
        kind = pack.entries.pack.kind
        for what in (kind == BLOB, (kind == COMMIT) | (kind == TAG)):
            roots = np.nonzero(what)[0]
            tasks += [(number, roots[at : at + SHARE]) for at in range(0, len(roots), SHARE)]

    def search(task: tuple[Any, ...]) -> float:
        begun = cpu()
        worker.objects(store.packs[task[0]], task[1])
        return cpu() - begun

    return sum(told for _, told in pool.run(tasks, search, processes) if not isinstance(told, pool.KilledError))


@contextmanager
def planted_in(source: Path) -> Iterator[Planted]:
    """A repository that borrows all of another, with plants of its own."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    try:
        planted = new_repository(folder / "planted.git", source.name)
        borrow(planted, source)
        plant(planted, seed=source.name)
        stand_in(planted)
        yield planted
    finally:
        shutil.rmtree(folder)


def borrow(planted: Planted, source: Path) -> None:
    """Let a repository borrow all objects and refs of another."""
    planted.home.joinpath("objects/info").mkdir(exist_ok=True)
    planted.home.joinpath("objects/info/alternates").write_text(f"{source / 'objects'}\n", encoding="utf-8")
    if (source / "packed-refs").exists():
        shutil.copy(source / "packed-refs", planted.home / "packed-refs")


def stand_in(planted: Planted) -> None:
    """Put something in the place of objects that a partial copy lacks: ``git log -p`` ends at the first one."""
    env = {**os.environ, "GIT_DIR": str(planted.home), "GIT_NO_LAZY_FETCH": "1"}
    words = ["git", "rev-list", "--objects", "--all", "--missing=print", "--no-object-names"]
    listed = subprocess.run(words, env=env, capture_output=True, check=True, text=True).stdout
    for line in listed.splitlines():
        if line.startswith("?"):
            place = planted.home / "objects" / line[1:3] / line[3:]
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(b"blob 0\0"))


def piped(planted: Planted, words: list[str], finder: list[str], patterns: bytes) -> float:
    """CPU seconds of git piped into a finder."""
    with tempfile.NamedTemporaryFile(suffix=".forms") as file:
        file.write(patterns)
        file.flush()
        env = {**os.environ, "GIT_DIR": str(planted.home), "LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1"}

        def act() -> None:
            first = subprocess.Popen(["git", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            second = subprocess.Popen([*finder, file.name], stdin=first.stdout, stdout=subprocess.DEVNULL, env=env)
            assert first.stdout is not None
            first.stdout.close()
            second.wait()
            first.wait()

        return spent(act)


def peers(planted: Planted, query: Query, ours: float) -> None:
    """The commands that other tools sit on, with the same literals."""
    patterns = b"\n".join(one for one in query.anchors if b"\0" not in one and b"\n" not in one) + b"\n"
    log = piped(planted, ["log", "-p", "--all"], ["grep", "-a", "-c", "-F", "-f"], patterns)
    print(f"  git log -p --all | grep -F -f: {log:6.1f} s, {log / ours:.1f} times ours (aim 12 on packs over 300 MB)")
    if shutil.which("rg"):
        words = ["cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer"]
        cat = piped(planted, words, ["rg", "-a", "-c", "-F", "-f"], patterns)
        print(f"  git cat-file | rg -F -f:       {cat:6.1f} s, {cat / ours:.1f} times ours (aim 5)")
    else:
        print("  git cat-file | rg: not measured, rg is not installed")


def measure(source: Path) -> None:
    """One repository."""
    with planted_in(source) as planted:
        query = compile_query([SecretValue(planted.secret)])
        store = open_store(lay_out(planted.home))
        packed = sum(len(pack.entries.pack.data) for pack in store.packs)
        GitSearcher(processes=0).search(Target(str(planted.home), "warm"), query, Heard()) if packed < PIECE else None
        processes = (os.cpu_count() or 1) if packed > git_search.ALONE else 1
        matcher(query.anchors)
        limit, inflated, alike, ours, wall = float("inf"), 0, float("inf"), float("inf"), 0.0
        parts: dict[str, float] = {}
        # In turn, and the quickest of each: whatever else a shared machine does only ever adds.
        for _ in range(ROUNDS):
            once, inflated = bound(store, query, processes)
            limit, alike = min(limit, once), min(alike, contents(store, query, processes))
            steps, heard = dict[str, float](), Heard()
            begun, walled = cpu(), time.perf_counter()
            with _parts(steps):
                GitSearcher(processes=processes).search(Target(str(planted.home), source.name), query, heard)
            if cpu() - begun < ours:
                ours, wall, parts = cpu() - begun, time.perf_counter() - walled, steps
        missed = wrong(planted, heard)
        plants = (
            f"{len(planted.plants) - len(missed)} of {len(planted.plants)} plants in their class and with their origin"
        )
        print("".join(f"  {one}\n" for one in missed), end="")
        print(f"{source}: {packed / 1e6:,.0f} MB packed, {len(store.ids):,} objects, {plants}")
        print(f"  bound: {limit:.2f} s ({inflated / 1e6:,.0f} MB)")
        print(f"  search of what it counts: {alike:.2f} s; {alike / limit:.2f} times the bound")
        print(f"  search: {ours:.2f} s of CPU, {wall:.2f} s; {ours / limit:.2f} times the bound (aim 1.8)")
        print("  of it " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items()))
        peers(planted, query, ours)


@contextmanager
def _parts(parts: dict[str, float]) -> Iterator[None]:
    """CPU seconds of the steps of a search."""
    run, kept = git_search.RepositoryRun, {}
    steps = {
        "objects": "_objects",
        "links": "_walk_links",
        "names": "_look_into",
        "origins": "_origins",
        "missing": "_missing",
    }

    def timed(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def act(*given: object, **named: object) -> object:
            begun = cpu()
            made = function(*given, **named)
            made = list(made) if name == "objects" else made  # type: ignore[call-overload]
            parts[name] = parts.get(name, 0.0) + cpu() - begun
            return made

        return act

    opened = git_search.open_store
    for name, step in steps.items():
        kept[step] = getattr(run, step)
        setattr(run, step, timed(name, kept[step]))
    git_search.open_store = timed("open", opened)  # type: ignore[assignment]
    try:
        yield
    finally:
        git_search.open_store = opened
        for step, function in kept.items():
            setattr(run, step, function)


def main() -> None:
    """Measure start-up and every repository."""
    words = [sys.executable, "-c", "from holdfast.engines.exposure.inflater import ready; ready()"]
    subprocess.run(words, check=True)
    print(
        f"start of the fast engine, warm: {spent(lambda: subprocess.run(words, check=True)):.2f} s of CPU (aim under 2)"
    )
    ready()
    given = os.environ.get("HOLDFAST_BENCH_REPOSITORIES", "")
    for path in [Path(one) for one in given.split(":") if one] or [TOP]:
        home = git_folder(path)
        if home is None:
            print(f"{path}: no git repository")
            continue
        measure(home)


if __name__ == "__main__":
    main()
