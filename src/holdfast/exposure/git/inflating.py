"""The inflater that kernels call: libdeflate by its symbols, which the rim makes known before a kernel is loaded."""

from __future__ import annotations

from numba import types

_PLACE = types.uintp

inflate = types.ExternalFunction(
    "libdeflate_zlib_decompress_ex", types.int32(_PLACE, _PLACE, _PLACE, _PLACE, _PLACE, _PLACE, _PLACE)
)
"""Decompressor, input, its length, output, its length, place for the bytes read, place for those written or 0."""
make_inflater = types.ExternalFunction("libdeflate_alloc_decompressor", _PLACE())
copy = types.ExternalFunction("memcpy", _PLACE(_PLACE, _PLACE, _PLACE))
