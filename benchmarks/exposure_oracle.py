"""Is what the delta domain finds what a full search finds? Random pieces of real histories, object by object.

``python -m benchmarks.exposure_oracle PIECES REPOSITORY…``: every object is made by git and searched whole; the pairs
of object and piece must be those of the search in the delta domain, none missing and none more.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from holdfast.engines.exposure.git_layout import git_folder, lay_out
from holdfast.engines.exposure.git_store import Store, open_store
from holdfast.engines.exposure.inflater import ready
from holdfast.engines.exposure.walker import Walked, Walker, Whereabouts
from holdfast.exposure.git.layout import OFS_DELTA
from holdfast.exposure.matching import matcher

Pairs = set[tuple[str, int]]


def made_by_git(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every object that is in a pack or loose."""
    env = {**os.environ, "GIT_DIR": str(home), "GIT_NO_LAZY_FETCH": "1"}
    words = ["git", "cat-file", "--batch", "--batch-all-objects", "--unordered", "--buffer"]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, bufsize=1 << 20) as git:
        assert git.stdout is not None
        while head := git.stdout.readline():
            oid, _, size = head.split()
            yield oid.decode(), git.stdout.read(int(size))
            git.stdout.read(1)


def pieces(store: Store, count: int) -> list[bytes]:
    """Random pieces of random objects, 8 to 24 bytes long."""
    chance, found = random.Random(len(store.ids)), set[bytes]()
    while len(found) < count:
        pack = chance.choice(store.packs)
        _, data = store.make(pack, chance.randrange(len(pack.numbers)))
        length = chance.randrange(8, 25)
        if len(data) > length:
            start = chance.randrange(len(data) - length)
            found.add(data[start : start + length])
    return sorted(found)


def by_walks(store: Store, listed: list[bytes]) -> Pairs:
    """Object and number of the piece, as the delta domain finds them."""
    found: Pairs = set()
    walker, finder = Walker(), matcher(listed)
    for pack in store.packs:
        entries = pack.entries
        roots = np.nonzero((entries.pack.kind > 0) & (entries.pack.kind < OFS_DELTA))[0]
        families = np.array(sorted(walker.families(entries, roots, finder, Walked())), np.int64)

        def hear(place: Whereabouts, known: object = entries) -> None:
            oid = known.object_id(place.entry)  # type: ignore[attr-defined]
            found.update((oid, number) for number, _ in place.found)

        walker.objects(entries, families, finder, hear, Walked())
    return found


def compare(home: Path, count: int) -> bool:
    """Compare one repository; whether they agree."""
    store = open_store(lay_out(home))
    listed = pieces(store, count)
    finder = matcher(listed)
    walked = by_walks(store, listed)
    missing = extra = total = 0
    for oid, data in made_by_git(home):
        whole = {number for number, _ in finder.find(data)}
        total += len(whole)
        mine = {number for number in whole if (oid, number) in walked}
        missing += len(whole - mine)
        walked -= {(oid, number) for number in whole}
    extra = len(walked)
    print(f"{home}: {len(listed):,} pieces, {total:,} pairs: {missing} missing, {extra} extra", flush=True)
    return missing == extra == 0


def main() -> int:
    """Compare every repository named."""
    ready()
    homes = [git_folder(Path(one)) for one in sys.argv[2:]]
    agree = [home is not None and compare(home, int(sys.argv[1])) for home in homes]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
