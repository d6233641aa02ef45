"""Kernels, and the same functions as plain Python for the engine that does without numba."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

njit: Any = None
with contextlib.suppress(ImportError):  # the plain engine needs none
    from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """The function, compiled when it is first called and kept on disk; as it is where numba is missing."""
    return function if njit is None else cast("Function", njit(cache=True, nogil=True)(function))
