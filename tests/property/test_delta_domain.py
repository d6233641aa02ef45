"""The search in the delta domain against a full one: every object made by git itself and searched whole.

It runs over the repository that this project lies in, as it was cloned: a real one, with a real pack.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from holdfast.engines.exposure.git_layout import git_folder, lay_out
from holdfast.engines.exposure.git_links import LinkReader
from holdfast.engines.exposure.git_store import Store, open_store
from holdfast.engines.exposure.git_work import Worker
from holdfast.engines.exposure.inflater import ready
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.walker import Walked, Walker
from holdfast.exposure.git import plain
from holdfast.exposure.git.graph import Graph
from holdfast.exposure.git.layout import BLOB, OFS_DELTA
from holdfast.exposure.git.names import Names
from holdfast.exposure.matching import matcher
from holdfast.exposure.query import compile_query
from holdfast.kernel.secrets import SecretValue
from tests.planting import QUIET

TOP = Path(__file__).resolve().parents[2]
SUBSTRINGS = 3_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of our own repository, packed by git with deep chains, so that there is much to inherit."""
    if git_folder(TOP) is None:
        pytest.skip("this project lies in no git repository here")
    place = tmp_path_factory.mktemp("own") / "own.git"
    subprocess.run(["git", "clone", "-q", "--mirror", f"file://{TOP}", str(place)], env=QUIET, check=True)
    words = ["repack", "-q", "-a", "-d", "-f", "--depth=200", "--window=20"]
    subprocess.run(["git", "-C", str(place), *words], env=QUIET, check=True)
    return place


@pytest.fixture(scope="module")
def store(home: Path) -> Store:
    ready()
    return open_store(lay_out(home))


@pytest.fixture(scope="module")
def objects(home: Path) -> dict[str, bytes]:
    return dict(_objects(home))


def _objects(home: Path) -> Iterator[tuple[str, bytes]]:
    words = ["git", "-C", str(home), "cat-file", "--batch", "--batch-all-objects", "--unordered", "--buffer"]
    told = subprocess.run(words, env=QUIET, capture_output=True, check=True).stdout
    at = 0
    while at < len(told):
        end = told.index(b"\n", at)
        oid, _, size = told[at:end].split()
        yield oid.decode(), told[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)


def _by_walks(store: Store, literals: list[bytes]) -> set[tuple[str, bytes]]:
    found: set[tuple[str, bytes]] = set()
    walker, finder = Walker(), matcher(literals)
    for pack in store.packs:
        table = pack.entries.pack
        roots = np.nonzero((table.kind > 0) & (table.kind < OFS_DELTA))[0]
        walked = Walked()
        families = np.array(sorted(walker.families(pack.entries, roots, finder, walked)))
        assert walked.entries == len(table.kind)
        assert walked.faults == []

        def hear(place, pack=pack):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            found.update((pack.entries.object_id(place.entry), literals[number]) for number, _ in place.found)

        walker.objects(pack.entries, families, finder, hear, Walked())
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_windows_and_families_find_what_a_full_search_finds(store: Store, objects: dict[str, bytes], seed: int) -> None:
    chance = random.Random(seed)
    names = sorted(objects)
    literals: set[bytes] = set()
    while len(literals) < SUBSTRINGS // 3:
        data = objects[chance.choice(names)]
        length = chance.randrange(8, 25)
        if len(data) > length:
            start = chance.randrange(len(data) - length)
            literals.add(data[start : start + length])
    listed = sorted(literals)
    finder = matcher(listed)
    whole = {(oid, listed[number]) for oid, data in objects.items() for number, _ in finder.find(data)}
    walked = _by_walks(store, listed)
    assert len(whole) >= len(listed)
    assert (whole - walked, walked - whole) == (set(), set())


def test_every_object_is_made_as_git_makes_it(store: Store, objects: dict[str, bytes]) -> None:
    made = {}
    for pack in store.packs:
        table = pack.entries.pack
        roots = np.nonzero((table.kind > 0) & (table.kind < OFS_DELTA))[0]
        for entry, data, code in plain.walk(table, roots.tolist()):
            assert code == 0
            made[pack.entries.object_id(entry)] = data
    assert made == objects


def _graph(store: Store, *, plainly: bool, edges: bool, marks: list[int]) -> Graph:
    worker = Worker(store, compile_query([SecretValue(b"nothing-of-this-is-there")]), plainly, Limits())
    reader, graph = LinkReader(worker), Graph()
    for pack in store.packs:
        kind = pack.entries.pack.kind
        roots = np.nonzero((kind > 0) & (kind != BLOB) & (kind < OFS_DELTA))[0]
        found, result = reader.units(pack, roots, marks, edges=edges, search=True)
        assert result.faults == []
        graph.add(found)
    return graph


@pytest.mark.parametrize("edges", [False, True])
def test_what_is_taken_over_from_a_base_is_what_reading_gives(store: Store, edges: bool) -> None:
    chance = random.Random(9)
    marks = sorted(chance.sample(range(len(store.ids)), 200))
    fast, plainly = (_graph(store, plainly=one, edges=edges, marks=marks) for one in (False, True))
    assert fast.named == plainly.named
    assert fast.links == plainly.links
    assert set(fast.missing) == set(plainly.missing) == set()
    assert fast.commit_rows().tolist() == sorted(plainly.commit_rows().tolist(), key=fast_order(fast))
    assert sorted(fast.parent_pairs().tolist()) == sorted(plainly.parent_pairs().tolist())
    assert fast.tags == plainly.tags
    told, whole = (
        {pair for trees, inner in one.edges() for pair in zip(trees.tolist(), inner.tolist(), strict=True)}
        for one in (fast, plainly)
    )
    # What is taken over is told of the folder it comes from.
    assert told <= whole
    assert _by_family(store, told) == _by_family(store, whole)
    assert bool(told) == edges


def _by_family(store: Store, pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    family = {
        number: int(pack.numbers[root])
        for pack in store.packs
        for number, root in zip(pack.numbers.tolist(), pack.entries.pack.family.tolist(), strict=True)
    }
    return {(family[tree], child) for tree, child in pairs}


def fast_order(graph: Graph):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """The order in which the fast walk told the commits."""
    place = {number: at for at, number in enumerate(graph.commit_rows()[:, 0].tolist())}
    return lambda row: place[row[0]]


def test_folders_and_paths_are_those_git_tells(home: Path, store: Store) -> None:
    """Names of the newest version, followed up from its files, against ``git ls-tree``."""
    listed = subprocess.run(
        ["git", "-C", str(home), "ls-tree", "-r", "-z", "HEAD"], env=QUIET, capture_output=True, check=True
    ).stdout
    from holdfast.exposure.git.history import above, follow, history

    files = dict(line.split(b"\t")[::-1] for line in listed.split(b"\0") if line)
    chance = random.Random(4)
    chosen = chance.sample(sorted(files), 40)
    hits = {store.number(files[path].split()[2].decode()): path for path in chosen}
    first = _graph(store, plainly=False, edges=True, marks=sorted(hits))

    def look(holders: set[int], marks: set[int]) -> Names:
        named = _graph(store, plainly=False, edges=False, marks=sorted(marks)).named
        assert holders <= named.folders()
        return named

    above(first, first.named.folders(), len(store.ids), look)
    past = history(first)
    held = follow(past, first.named, sorted(hits))
    for number, path in hits.items():
        assert path in held[number].paths
        commit = store.oid(int(past.numbers[past.earliest(held[number].introducing)]))
        told = subprocess.run(
            ["git", "-C", str(home), "log", "--all", "--format=%H", f"--find-object={store.oid(number)}"],
            env=QUIET, capture_output=True, check=True, text=True,
        ).stdout.split()  # fmt: skip
        assert commit in told
