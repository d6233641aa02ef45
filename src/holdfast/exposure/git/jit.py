"""Kernels, and the same functions as plain Python for the engine that does without numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

try:
    from numba import njit
except ImportError:  # the plain engine needs none
    njit = None

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """The function, compiled when it is first called and kept on disk; as it is where numba is missing."""
    return function if njit is None else cast("Function", njit(cache=True, nogil=True)(function))


def plain(function: Function) -> Function:
    """The function as it was written."""
    return cast("Function", getattr(function, "py_func", function))
