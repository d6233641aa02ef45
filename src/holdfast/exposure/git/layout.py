"""What the kernels work on: arrays of a pack, and the buffers of a worker."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Whole = NDArray[np.int64]

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
TYPE_NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}

# Why an entry could not be made.
CORRUPT, SHORT, BAD_DELTA, TOO_LARGE, TOO_DEEP, GAP, BAD_TREE, BAD_COMMIT = 1, 2, 3, 4, 5, 6, 7, 8
FAULTS = {
    CORRUPT: "a corrupt entry",
    SHORT: "an entry that is not as long as it says",
    BAD_DELTA: "a delta that does not fit its base",
    TOO_LARGE: "an object too large for memory",
    TOO_DEEP: "deltas nested too deep",
    GAP: "bytes that the index does not name",
    BAD_TREE: "a tree that cannot be read to its end",
    BAD_COMMIT: "a commit or tag that names no tree or object",
}

# Places in a worker's state.
ROOT, DEPTH, RECORDS, LENGTH, STATUS, MADE, MATCHED, ENTRIES, FAULTY, HEADS, FORCE = range(11)
DIRECT_AT, DIRECT_LENGTH, DIRECT_NODE = 11, 12, 13
TOP, BASE, BELOW, OWN, FIRST = 14, 15, 16, 17, 18
"""Of the object in hand: where it goes, where its base is, how long that is, its own length, its first operation."""
EDGES, NAMED, NAMES, MISSING, COMMITS, PARENTS, TAGS = 19, 20, 21, 22, 23, 24, 25
STATE = 32
# What ``STATUS`` says after a step.
MORE, DONE, DIRECT = 0, 1, 2


class Pack(NamedTuple):
    """Entries of one pack, in the order of their offsets."""

    data: Bytes
    """The whole file."""
    start: Whole
    """Where the compressed bytes of an entry begin."""
    stop: Whole
    """Where the next entry begins."""
    kind: NDArray[np.int8]
    """Type of the entry, deltas included; 0 when its header is damaged."""
    size: Whole
    """Bytes of the entry when inflated: of the object, or of the delta."""
    base: Whole
    """Entry of the delta's base; -1 for whole objects and for bases that are not in this pack."""
    first_child: Whole
    """Place in ``children`` where an entry's own begin; one more than there are entries."""
    children: Whole
    final: NDArray[np.int8]
    """Type of the object; 0 when it hangs on no whole object of this pack."""
    family: Whole
    """Whole object at the root of the entry's delta tree."""


class Stack(NamedTuple):
    """Path from the root of a delta tree to where a walk is."""

    node: Whole
    at: Whole
    """Where in the arena the object begins."""
    length: Whole
    child: Whole
    """Next place in ``children``."""


class Space(NamedTuple):
    """Buffers of one worker; none holds anything that must outlive a step but the arena."""

    arena: Bytes
    """Objects of the path, one after the other."""
    delta: Bytes
    scan: Bytes
    """Windows to search, one after the other."""
    record_at: Whole
    """Where a window begins in ``scan``."""
    record_node: Whole
    record_from: Whole
    """Where it begins in its object."""
    fault_node: Whole
    fault_code: Whole
    head_node: Whole
    """Objects that may be archives by their first bytes."""
    heads: NDArray[np.uint8]
    """For each first two bytes whether an archive may begin so."""
    head: Bytes
    used: NDArray[np.uint64]
    """One place, for what the inflater says it read."""
