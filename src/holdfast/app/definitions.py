"""Play definitions by digest: reading one checks it whole, and its digest names it for ever."""

from __future__ import annotations

from holdfast.app.commanding import Context
from holdfast.plays.definitions import PlayDefinition, load

_KNOWN: dict[str, PlayDefinition] = {}


def play_definition(ctx: Context, digest: str) -> PlayDefinition:
    """The definition pinned under a digest."""
    if digest not in _KNOWN:
        _KNOWN[digest] = load(ctx.documents.get(digest))
    return _KNOWN[digest]
