"""Kernels: compiled when they are first called, and kept on disk beside their source.

Numba keeps what it compiled by the age of a function's own file, and knows nothing of the parts of it that stand in
others: after a change it would go on with old parts. So everything is kept under a digest of all kernels together.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from importlib import resources
from typing import Any, TypeVar, cast

numba: Any = None
with contextlib.suppress(ImportError):  # the plain engine needs none
    import numba

_KERNELS = ("deltas", "headers", "history", "inflating", "layout", "links", "memory", "rolling", "trees", "walking")

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """The function, compiled when it is first called; as it is where numba is missing."""
    return function if numba is None else cast("Function", numba.njit(cache=True, nogil=True)(function))


def part(function: Function) -> Function:
    """A part of a kernel that is handed arrays: written into it, as every call would count references to them."""
    return function if numba is None else cast("Function", numba.njit(inline="always", nogil=True)(function))


def _keep_by_digest() -> None:
    here = resources.files("holdfast.exposure.git")
    digest = hashlib.sha256(b"".join(here.joinpath(f"{name}.py").read_bytes() for name in _KERNELS)).hexdigest()
    if not numba.config.CACHE_DIR:
        numba.config.CACHE_DIR = str(here.joinpath("__pycache__", f"kernels-{digest[:16]}"))


if numba is not None:
    _keep_by_digest()
