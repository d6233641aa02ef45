"""What the index of fingerprints reads of a repository: each pack is a unit, loose objects are read each time.

Only what is new in a version is read, with enough around it that a token is whole. What a pack holds that cannot be
made, and objects too large to be held, are passed over: the index hints, and the search itself tells what it could not
read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from holdfast.engines.exposure.fingerprints import Unit
from holdfast.engines.exposure.git_layout import git_folder, lay_out
from holdfast.engines.exposure.git_store import OpenPack, Store, loose_pieces, open_store
from holdfast.engines.exposure.inflater import NotReadyError, ready
from holdfast.engines.exposure.walker import Walked, Walker
from holdfast.exposure.git.layout import OFS_DELTA, RECORDS, TREE
from holdfast.exposure.git.plain import UnmadeError
from holdfast.exposure.marking import Windows
from holdfast.kernel.errors import UnavailableError

AROUND = 128
"""Bytes kept on each side of a change: a longer token that is cut by one may be missed."""
_LARGEST = 64 << 20


def repository_units(place: Path) -> list[Unit] | None:
    """Units of a repository; none when the place is no repository.

    Raises:
        UnavailableError: the fast engine does not start here, and no other one indexes repositories.
    """
    home = git_folder(place)
    if home is None:
        return None
    try:
        ready()
    except NotReadyError as fault:
        raise UnavailableError(
            "index-needs-fast-engine",
            "The repository was not indexed.",
            why=f"The fast engine does not start here: {fault}.",
            next_step="Search it without the index: holdfast exposure search --secret-stdin --plain REPO",
        ) from None
    store = open_store(lay_out(home))
    walker = Walker()
    packs = [_unit(walker, pack) for pack in store.packs]
    return [*packs, Unit("", lambda: _loose(store))] if store.repository.loose else packs


def _unit(walker: Walker, pack: OpenPack) -> Unit:
    return Unit(pack.entries.index.checksum, lambda: _windows(walker, pack))


def _windows(walker: Walker, pack: OpenPack) -> Iterator[Windows | memoryview]:
    kind = pack.entries.pack.kind
    roots = np.nonzero((kind > 0) & (kind != TREE) & (kind < OFS_DELTA))[0]
    windows: object = walker.scan
    for data in walker.windows(pack.entries, roots, AROUND, Walked()):
        # A large object comes by itself and not in the buffer of windows.
        starts = walker.record_at[: walker.state[RECORDS]]
        yield Windows(data, starts) if data.obj is windows and len(starts) else data


def _loose(store: Store) -> Iterator[bytes]:
    for _, path in store.repository.loose:
        try:
            kind, size, pieces = loose_pieces(path)
            if kind != TREE and size <= _LARGEST:
                yield b"".join(pieces)
        except (OSError, UnmadeError):
            continue  # the search tells of it
