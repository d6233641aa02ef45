"""The kernels that a search uses: compiled before it, and right in what no search shows."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from holdfast.engines.exposure.git_layout import lay_out
from holdfast.engines.exposure.git_store import open_store
from holdfast.engines.exposure.inflater import ready
from holdfast.engines.exposure.walker import Walked, Walker
from holdfast.engines.exposure.warming import warm
from holdfast.exposure.git import headers, history, links, walking
from holdfast.exposure.git.layout import OFS_DELTA
from holdfast.exposure.matching import matcher
from tests.packing import Entry, blob_id, copied, delta, inserted, repository_of
from tests.planting import Planted, new_repository, plant
from tests.unit.engines.exposure.listening import searched, wrong

KERNELS = (
    headers.group, headers.read_headers, headers.spread_types, history._generations, history._spread,
    links.go_on, links.link_step, walking.make_last, walking.new_inflater, walking.step, walking.unpack,
)  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(new_repository(tmp_path_factory.mktemp("planted") / "r.git", "kernels"), seed="kernels")


def test_what_was_warmed_is_all_that_a_search_needs(planted: Planted, tmp_path: Path) -> None:
    """No kernel is compiled in an incident: neither another one nor one for other kinds of arguments."""
    assert warm(tmp_path / "warming")
    compiled = {kernel: list(kernel.signatures) for kernel in KERNELS}
    assert all(len(found) == 1 for found in compiled.values())
    heard = searched(planted.home, planted.secret)
    assert wrong(planted, heard) == []
    assert {kernel: list(kernel.signatures) for kernel in KERNELS} == compiled


def test_an_entry_alone_is_made_as_plain_python_makes_it(planted: Planted) -> None:
    ready()
    store, walker = open_store(lay_out(planted.home)), Walker()
    made = 0
    for pack in store.packs:
        table = pack.entries.pack
        for entry in np.nonzero(table.final > 0)[0].tolist():
            assert walker.made(pack.entries, entry) == store.make(pack, entry)[1]
            made += bool(table.kind[entry] >= OFS_DELTA)
    assert made > 0


def test_an_entry_that_cannot_be_made_is_none(tmp_path: Path) -> None:
    ready()
    base = b"some content " * 40
    entries = [
        Entry("blob", base, blob_id(base)),
        Entry("ofs", delta(len(base) + 1, 10, copied(0, 10)), b"\1" * 20, base=0),
        Entry("ref", delta(5, 5, copied(0, 5)), b"\2" * 20, base=b"\3" * 20),
    ]
    repository_of(tmp_path / "r", entries)
    (pack,) = open_store(lay_out(tmp_path / "r")).packs
    assert [Walker().made(pack.entries, entry) is None for entry in range(3)] == [False, True, True]


def test_what_lies_across_seams_is_found_whatever_stands_beside_it(tmp_path: Path) -> None:
    """Literals cut at every place between copies and new bytes; only pairs of bytes within them tell where to look."""
    ready()
    chance = random.Random(5)
    literal = bytes(chance.sample(range(256), 12))
    for cut in range(1, 12):
        left, right = literal[:cut], literal[cut:]
        base = b"#" * 50 + left + b"#" * 50 + right + b"#" * 50
        at, behind = 50, 100 + cut
        for parts in (
            [copied(at, cut), copied(behind, 12 - cut)],
            [inserted(left), copied(behind, 12 - cut)],
            [copied(at, cut), inserted(right)],
            [inserted(left), inserted(right)],
        ):
            made = delta(len(base), 80 + 12, copied(0, 40), *parts, copied(0, 40))
            whole = b"#" * 40 + literal + b"#" * 40
            home = tmp_path / f"{cut}-{len(list(tmp_path.iterdir()))}"
            repository_of(home, [Entry("blob", base, blob_id(base)), Entry("ofs", made, blob_id(whole), base=0)])
            (pack,) = open_store(lay_out(home)).packs
            walker, found = Walker(), []
            roots = np.nonzero(pack.entries.pack.kind == 3)[0]
            walker.objects(
                pack.entries,
                np.array(sorted(walker.families(pack.entries, roots, matcher([literal]), Walked())), np.int64),
                matcher([literal]),
                lambda place, found=found: found.append(bytes(place.data)),  # type: ignore[misc]
                Walked(),
            )
            assert found == [whole], (cut, parts)


def test_a_tree_of_which_nothing_is_there_is_counted_to_its_end(tmp_path: Path) -> None:
    count = 150_000
    tree = b"".join(b"100644 %06d\0" % one + random.Random(one).randbytes(20) for one in range(count))
    oid = hashlib.sha1(b"tree %d\0" % len(tree) + tree, usedforsecurity=False).digest()
    repository_of(tmp_path / "r", [Entry("tree", tree, oid)])
    heard = searched(tmp_path / "r", b"nothing-of-this-is-there-0123456789")
    assert next(fault.reason for fault in heard.faults if "missing" in fault.reason).startswith("150,000 objects are")


def test_without_any_of_its_libraries_the_fast_engine_gives_way_to_the_plain_one(
    planted: Planted, tmp_path: Path
) -> None:
    """For a repository, and for a folder with a file in it: all is found, and that it is slower is said."""
    shutil.copytree(planted.home, tmp_path / "all" / "r.git")
    (tmp_path / "all" / "note.txt").write_bytes(b"it was " + planted.secret)
    program = """
import runpy, sys
for name in ("deflate", "hyperscan", "llvmlite", "numba"):
    sys.modules[name] = None
runpy.run_module("holdfast.cli", run_name="__main__", alter_sys=True)
"""
    words = [sys.executable, "-c", program, "exposure", "search", "--secret-stdin", "--json", str(tmp_path / "all")]
    env = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    made = subprocess.run(words, input=planted.secret, env=env, capture_output=True, check=False)
    *hits, end = map(json.loads, made.stdout.splitlines())
    assert {Path(hit["path"]).name for hit in hits if hit["what"] == "file"} >= {"note.txt"}
    assert len(hits) > len(planted.plants)
    assert end["faults"] == 0
    assert b"the reference one is used" in made.stderr
    assert b"Hyperscan does not load here" in made.stderr
    assert b"Traceback" not in made.stderr
