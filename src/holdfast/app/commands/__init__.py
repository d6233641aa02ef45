"""Every use case, one module a topic."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def declare_all() -> None:
    """Import every module of this package, so that the registry holds every use case."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
