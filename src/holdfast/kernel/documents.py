"""Strict reading of library documents: every fault names its place, and nothing unknown is passed over.

A misspelt key in library data would otherwise switch a rule off without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from holdfast.kernel.errors import BadInputError

T = TypeVar("T")


class Table:
    """One table of a document. Read every key it has, then call :meth:`finish`."""

    def __init__(self, value: object, place: str) -> None:
        """Read ``value``, found at ``place`` (for example ``steps[2].outputs[0]``)."""
        if not isinstance(value, Mapping):
            raise fault(place, "it is not a table")
        self._value: Mapping[str, Any] = value
        self._read: set[str] = set()
        self.place = place

    def at(self, key: str) -> str:
        """The place of a key."""
        return f"{self.place}.{key}" if self.place else key

    def text(self, key: str, pattern: str = r"(?s)\S.*") -> str:
        """A string that matches the whole pattern; by default any that is not blank."""
        found = self._get(key, str)
        if not re.fullmatch(pattern, found):
            raise fault(self.at(key), f"{found[:40]!r} does not match {pattern}")
        return found

    def text_or(self, key: str, otherwise: str) -> str:
        """Like :meth:`text`, or the other value when the key is absent."""
        return self.text(key) if key in self._value else otherwise

    def positive(self, key: str) -> int:
        """A whole number from 1 up."""
        found = self._get(key, int)
        if isinstance(found, bool) or found < 1:
            raise fault(self.at(key), "it is not a whole number from 1 up")
        return found

    def flag_or(self, key: str, *, otherwise: bool) -> bool:
        """A boolean, or the other value when the key is absent."""
        return self._get(key, bool) if key in self._value else otherwise

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings that are not blank; absent is empty."""
        found = self._get(key, list) if key in self._value else []
        for index, item in enumerate(found):
            if not isinstance(item, str) or not item.strip():
                raise fault(f"{self.at(key)}[{index}]", "it is not a text")
        return tuple(found)

    def tables(self, key: str) -> tuple[Table, ...]:
        """A list of tables; absent is empty."""
        found = self._get(key, list) if key in self._value else []
        return tuple(Table(item, f"{self.at(key)}[{index}]") for index, item in enumerate(found))

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A table whose keys are the reader's business; absent is empty."""
        return self._get(key, dict) if key in self._value else {}

    def rows(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """A list of tables whose keys are the reader's business; absent is empty."""
        found = self._get(key, list) if key in self._value else []
        for index, item in enumerate(found):
            if not isinstance(item, Mapping):
                raise fault(f"{self.at(key)}[{index}]", "it is not a table")
        return tuple(found)

    def finish(self) -> None:
        """Refuse keys that nobody has read."""
        unknown = sorted(str(key) for key in set(self._value) - self._read)
        if unknown:
            raise fault(self.at(unknown[0]), "no such key is known here")

    def _get(self, key: str, kind: type[T]) -> T:
        self._read.add(key)
        if key not in self._value:
            raise fault(self.at(key), "it is missing")
        found = self._value[key]
        if not isinstance(found, kind):
            raise fault(self.at(key), f"it is not a {kind.__name__}")
        return found


def fault(place: str, why: str) -> BadInputError:
    """The error for a document that is not valid at a place."""
    return BadInputError(
        "library-document-not-valid",
        f"The library document is not valid at {place or 'its top'}.",
        why=f"Library data is read strictly, and {why}.",
        next_step="Correct that place in the file and load it again.",
        details={"place": place},
    )
