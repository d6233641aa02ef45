"""Is what the delta domain finds what a full search finds? Random pieces of real histories, object by object.

``python -m benchmarks.exposure_oracle PIECES REPOSITORY…``: every object is made by git and searched whole; the pairs
of object and piece must be those of the search in the delta domain, none missing and none more.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from holdfast.engines.exposure.git_layout import git_folder, lay_out
from holdfast.engines.exposure.git_store import Store, open_store
from holdfast.engines.exposure.inflater import ready
from holdfast.engines.exposure.walker import Walked, Walker, Whereabouts
from holdfast.exposure.git.layout import OFS_DELTA, Whole
from holdfast.exposure.matching import matcher


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


def by_walks(store: Store, listed: list[bytes]) -> Whole:
    """Pairs as the delta domain finds them: the number of the object times that of all pieces, and the piece's."""
    found = array("q")
    walker, finder = Walker(), matcher(listed)
    for pack in store.packs:
        entries, numbers = pack.entries, pack.numbers
        roots = np.nonzero((entries.pack.kind > 0) & (entries.pack.kind < OFS_DELTA))[0]
        families = np.array(sorted(walker.families(entries, roots, finder, Walked())), np.int64)

        def hear(place: Whereabouts, known: Whole = numbers) -> None:
            first = int(known[place.entry]) * len(listed)
            found.extend({first + number for number, _ in place.found})

        walker.objects(entries, families, finder, hear, Walked())
    return np.unique(np.frombuffer(found, np.int64)) if found else np.zeros(0, np.int64)


def by_reading(home: Path, store: Store, listed: list[bytes]) -> Whole:
    """Pairs as git tells them, each object whole."""
    found, finder = array("q"), matcher(listed)
    for oid, data in made_by_git(home):
        first = store.number(oid) * len(listed)
        found.extend({first + number for number, _ in finder.find(data)})
    return np.unique(np.frombuffer(found, np.int64)) if found else np.zeros(0, np.int64)


def compare(home: Path, count: int) -> bool:
    """Compare one repository; whether they agree."""
    store = open_store(lay_out(home))
    listed = pieces(store, count)
    walked, whole = by_walks(store, listed), by_reading(home, store, listed)
    missing, extra = (len(np.setdiff1d(*pair, assume_unique=True)) for pair in ((whole, walked), (walked, whole)))
    print(f"{home}: {len(listed):,} pieces, {len(whole):,} pairs: {missing} missing, {extra} extra", flush=True)
    return missing == extra == 0


def main() -> int:
    """Compare every repository named."""
    ready()
    homes = [git_folder(Path(one)) for one in sys.argv[2:]]
    agree = [home is not None and compare(home, int(sys.argv[1])) for home in homes]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
