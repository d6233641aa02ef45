"""The inflater that kernels call: libdeflate by its symbols, which the rim makes known before a kernel is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from numba import types

_PLACE = types.uintp


def _outside(name: str, result: object, count: int) -> Callable[..., int]:
    """A function of a library that takes addresses and lengths."""
    signature = cast("Callable[..., object]", result)(*[_PLACE] * count)
    return cast("Callable[..., int]", types.ExternalFunction(name, signature))


inflate = _outside("libdeflate_zlib_decompress_ex", types.int32, 7)
"""Decompressor, input, its length, output, its length, place for the bytes read, place for those written or 0."""
make_inflater = _outside("libdeflate_alloc_decompressor", _PLACE, 0)
copy = _outside("memcpy", _PLACE, 3)
"""Target, source, bytes: all but the last are addresses."""
