"""Makes libdeflate's symbols known to the kernels.

They come out of the ``deflate`` wheel, which promises none of this: whoever uses the kernels asks :func:`ready` first,
and searches with the plain engine when it says no.
"""

from __future__ import annotations

import functools
import zlib
from pathlib import Path

import numpy as np


class NotReadyError(Exception):
    """The fast engine does not start here; the message says why, without a full stop."""


@functools.lru_cache(maxsize=1)
def ready() -> None:
    """Load the library, and prove that an entry inflates as zlib does.

    Raises:
        NotReadyError: something is missing, or gives other bytes.
    """
    try:
        import deflate  # noqa: PLC0415 - only the fast engine needs it
        import hyperscan  # noqa: F401, PLC0415 - its matchers, likewise
        import llvmlite.binding as llvm  # noqa: PLC0415 - likewise

        for library in sorted(Path(deflate.__file__).parent.glob("_deflate*")):
            if library.suffix in {".so", ".pyd", ".dylib"}:
                llvm.load_library_permanently(str(library))
        if llvm.address_of_symbol("libdeflate_zlib_decompress_ex") is None:
            raise NotReadyError("the deflate library shows no inflater")
    except (ImportError, OSError, RuntimeError) as fault:
        raise NotReadyError(f"a library is missing: {type(fault).__name__}") from fault
    _prove()


def _prove() -> None:
    from holdfast.exposure.git import layout, walking  # noqa: PLC0415 - likewise

    plain = bytes(range(256)) * 40
    packed = zlib.compress(plain)
    data = np.frombuffer(packed, np.uint8)
    first, stop, size = (np.full(1, value, np.int64) for value in (0, len(packed), len(plain)))
    made = np.zeros(len(plain), np.uint8)
    state = np.zeros(layout.STATE, np.int64)
    state[layout.INFLATER] = walking.new_inflater()
    for place, array in (
        (layout.P_DATA, data),
        (layout.P_START, first),
        (layout.P_STOP, stop),
        (layout.P_SIZE, size),
    ):
        state[place] = array.ctypes.data
    if walking.unpack(state, 0, made.ctypes.data, len(plain)) != 0 or made.tobytes() != plain:
        raise NotReadyError("the inflater gives other bytes than zlib")
