"""Sealed text: what an event says of a person's words without holding them.

The commitment is HMAC-SHA-256 with the text's own random 32-byte salt as key over its UTF-8 bytes:
hiding while the salt is secret, binding always. The words themselves are encrypted under a key of
their own; destroying key and salt together erases them, and the record still verifies.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.kernel.ids import TextId


@dataclass(frozen=True, slots=True)
class Sealed:
    """A reference to sealed text, as states and deciders hold it."""

    text_id: TextId
    commitment: str
    """64 lower-case hex digits."""

    def as_json(self) -> dict[str, str]:
        """The form an event's data holds: ``{"commitment": …, "sealed": …}``."""
        return {"commitment": self.commitment, "sealed": self.text_id}


def commitment(salt: bytes, text: str) -> str:
    """Hex HMAC-SHA-256 of the text under its salt."""
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def is_sealed(value: object) -> bool:
    """Whether a JSON value in event data is a sealed-text reference."""
    return isinstance(value, Mapping) and set(value) == {"commitment", "sealed"}


def sealed_from(value: Mapping[str, Any]) -> Sealed:
    """The reference from its JSON form."""
    return Sealed(TextId(value["sealed"]), value["commitment"])


def sealed_or_none(value: Mapping[str, Any] | None) -> Sealed | None:
    """Like :func:`sealed_from`, passing ``None`` through."""
    return None if value is None else sealed_from(value)


def sealed_within(value: object) -> Iterator[Sealed]:
    """Every sealed reference anywhere inside a JSON value, in order."""
    if is_sealed(value):
        yield sealed_from(value)  # type: ignore[arg-type]  # is_sealed proved the shape
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from sealed_within(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from sealed_within(item)
