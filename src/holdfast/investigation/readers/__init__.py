"""One module per source, each with a constant ``READER`` or ``READERS``; found here, asked in order of priority."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from holdfast.investigation.reading import Reader


@cache
def shipped() -> tuple[Reader, ...]:
    """Every reader, proven or not, lowest priority number first."""
    found: list[Reader] = []
    for module in iter_modules(__path__):
        if not module.name.startswith("_"):
            loaded = import_module(f"{__name__}.{module.name}")
            found += loaded.READERS if hasattr(loaded, "READERS") else [loaded.READER]
    return tuple(sorted(found, key=lambda reader: (reader.priority, reader.key)))
