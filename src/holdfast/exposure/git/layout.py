"""What the kernels work on: the table of a pack's entries, and a row of numbers with the addresses of all else."""

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

# Places in a walk's row of numbers. Counters and the walk's own state:
ROOT, DEPTH, RECORDS, LENGTH, STATUS, MADE, MATCHED, ENTRIES, FAULTY, HEADS, FORCE = range(11)
DIRECT_AT, DIRECT_LENGTH, DIRECT_NODE = 11, 12, 13
TOP, BASE, BELOW, OWN, FIRST = 14, 15, 16, 17, 18
"""Of the object in hand: where it goes, where its base is, how long that is, its own length, its first operation."""
EDGES, NAMED, NAMES, MISSING, COMMITS, PARENTS, TAGS = 19, 20, 21, 22, 23, 24, 25
USED = 26
"""What the inflater says it read."""
INFLATER = 27
LEAN, MARKED, WANTED, TOLD, BEFORE, NEAR, FOLDERS = 28, 29, 30, 31, 104, 105, 106
"""Whether nothing is made from a tree; whether any object is marked; ids that are to be looked up, how many of them
are, and how many were before this step; the entry of the base that the last copy ended with; whether folders in folders
are told."""
# Addresses and lengths of a pack's table (8 bytes an entry, but for the types: 1):
P_DATA, P_START, P_STOP, P_SIZE, P_FIRST, P_CHILDREN, P_FINAL, P_ROOTS, P_ROOT_COUNT = range(32, 41)
# Of buffers, and how many places they have:
B_ARENA, B_ARENA_SIZE, B_DELTA, B_DELTA_SIZE, B_SCAN, B_SCAN_SIZE, B_HEAD, B_HEADS = range(41, 49)
B_RECORD_AT, B_RECORD_NODE, B_RECORD_FROM, B_RECORD_COUNT = 49, 50, 51, 52
B_FAULT_NODE, B_FAULT_CODE, B_FAULT_COUNT, B_HEAD_NODE, B_HEAD_COUNT = 53, 54, 55, 56, 57
B_NODE, B_AT, B_LEN, B_CHILD, B_DEPTH = 58, 59, 60, 61, 62
"""The path from the root of a delta tree to where a walk is."""
# Of what links are read into (8 bytes a place unless said otherwise):
L_EDGE_TREE, L_EDGE_CHILD, L_EDGE_COUNT = 64, 65, 66
"""4 bytes a place."""
L_NAMED_TREE, L_NAMED_CHILD, L_NAMED_AT, L_NAMED_LENGTH, L_NAMED_COUNT, L_NAMES, L_NAMES_SIZE = range(67, 74)
L_MISSING_FROM, L_MISSING_ID, L_MISSING_COUNT = 74, 75, 76
L_COMMIT, L_COMMIT_COUNT, L_PARENT_OF, L_PARENT, L_PARENT_COUNT, L_TAG, L_TAGGED, L_TAG_COUNT = range(77, 85)
L_NUMBERS = 85
"""Number of the object that each entry of the pack makes."""
L_BEGINS, L_TOLD = 86, 87
"""4 bytes a place: where the entries of the trees on the path begin, tree after tree; and of those that are
marked, the number of the object."""
L_FRAME_AT, L_FRAME_COUNT = 88, 89
"""For each tree on the path, where its entries begin in the former, and how many."""
K_IDS, K_MAYBE, K_BUCKET, K_BITS, K_MARKS = 90, 91, 92, 93, 94
"""Sixteen bytes of the id of every object, sorted; for each first two bytes of an id, whether it may be a marked one's
(1 byte); where ids begin that share their first bits (4 bytes); marked ones (1 byte)."""
L_WANTED, L_WANTED_FROM, L_WANTED_COUNT = 95, 96, 97
"""Ids that are to be looked up (``ID_ROOM`` bytes a place), and the trees that name them; numbers are left in the
latter's place, -1 for what is missing."""
L_SPECIAL = 98
"""4 bytes a place: which entries of the trees on the path name marked objects, by their number in the tree."""
L_FRAME_SPECIAL_AT, L_FRAME_SPECIALS = 99, 100
B_JOINTS, B_SHORTEST, B_NEAR = 107, 108, 109
"""Pairs of bytes that stand next to each other in what is looked for (a bit each), the bytes of its shortest, and those
to lay out at a seam where neither byte is zero."""
ENTRIES_AT, SPECIAL_AT, SPECIALS = 101, 102, 103
"""Of the tree in hand: where its entries begin, where its special ones begin, and how many those are."""
MOVED = 32
"""Bytes that kernels move at once."""
ID_ROOM = 32
"""Bytes of a place for an id: the longest."""
STATE = 112
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


def point_at_pack(state: Whole, pack: Pack, roots: Whole) -> None:
    """Put a pack's addresses into a walk's row, and begin at the first root."""
    state[:INFLATER] = 0
    for place, array in (
        (P_DATA, pack.data),
        (P_START, pack.start),
        (P_STOP, pack.stop),
        (P_SIZE, pack.size),
        (P_FIRST, pack.first_child),
        (P_CHILDREN, pack.children),
        (P_FINAL, pack.final),
        (P_ROOTS, roots),
    ):
        assert array.flags.c_contiguous
        state[place] = array.ctypes.data
    state[P_ROOT_COUNT] = len(roots)
