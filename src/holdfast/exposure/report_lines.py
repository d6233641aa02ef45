"""Lines of a report, read field by field: what does not fit is refused by line and field, never by its value."""

from __future__ import annotations

import json
import re
from typing import Any

from holdfast.kernel.errors import BadInputError, HoldfastError
from holdfast.kernel.instants import parse_instant

FORMAT = "holdfast-exposure/1"
NAME = 4_096
"""Characters of the longest name that is kept."""
_MOST = 2**53 - 1


class Row:
    """One object of a line, read field by field."""

    def __init__(self, value: object, line: int, place: str = "") -> None:
        """Read ``value`` of a line, found at ``place`` within it."""
        if not isinstance(value, dict):
            raise unfit(line, f"{place or 'it'} is not an object")
        self.value, self.line, self.place = value, line, place
        self.left = set(value)

    def refuse(self, key: str, why: str) -> BadInputError:
        """The error for a field."""
        return unfit(self.line, f"{self.place}{'.' if self.place else ''}{key} {why}")

    def get(self, key: str, kinds: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - of the kinds asked for
        """A field of one of these types; a missing one is null."""
        self.left.discard(key)
        found = self.value.get(key)
        if not isinstance(found, kinds) or (isinstance(found, bool) and kinds is int):
            raise self.refuse(key, "is missing or of another type")
        return found

    def has(self, key: str) -> bool:
        """Whether the field is there and says something."""
        self.left.discard(key)
        return self.value.get(key) is not None

    def text(self, key: str, most: int = NAME) -> str:
        """A text, cut to a length."""
        return text(self.get(key, str), most)

    def text_or_none(self, key: str, most: int = NAME) -> str | None:
        """A text, or nothing."""
        return self.text(key, most) if self.has(key) else None

    def form(self, key: str, pattern: re.Pattern[str]) -> str:
        """A text of a fixed form."""
        found: str = self.get(key, str)
        if not pattern.fullmatch(found):
            raise self.refuse(key, "has another form than it may have")
        return found

    def form_or_none(self, key: str, pattern: re.Pattern[str]) -> str | None:
        """A text of a fixed form, or nothing."""
        return self.form(key, pattern) if self.has(key) else None

    def choice(self, key: str, known: tuple[Any, ...]) -> Any:  # noqa: ANN401 - one of the known ones
        """One of a set of words."""
        found = self.get(key, str)
        if found not in known:
            raise self.refuse(key, f"is none of {', '.join(known)}")
        return found

    def count(self, key: str, least: int = 0) -> int:
        """A whole number."""
        found: int = self.get(key, int)
        if not least <= found <= _MOST:
            raise self.refuse(key, "is no number it can be")
        return found

    def texts(self, key: str, most: int = 1_000, length: int = NAME) -> tuple[str, ...]:
        """A list of texts."""
        found = self.get(key, list)
        if len(found) > most or not all(isinstance(one, str) for one in found):
            raise self.refuse(key, f"is no list of at most {most:,} texts")
        return tuple(text(one, length) for one in found)

    def instant(self, key: str) -> str:
        """An instant as it was written; nothing where it is none, as in commits that somebody made by hand."""
        found: str = self.get(key, str)
        return found if is_instant(found) else ""

    def row(self, key: str) -> Row:
        """An object within."""
        return Row(self.get(key, dict), self.line, f"{self.place}{'.' if self.place else ''}{key}")

    def several(self, key: str, most: int) -> list[Any]:
        """A list of anything."""
        found: list[Any] = self.get(key, list)
        if len(found) > most:
            raise self.refuse(key, f"holds more than {most:,}")
        return found

    def rows(self, key: str, most: int) -> list[Row]:
        """A list of objects."""
        return [Row(one, self.line, f"{key}[{place}]") for place, one in enumerate(self.several(key, most))]

    def finish(self) -> None:
        """Refuse fields that nobody has read."""
        if self.left:
            raise self.refuse("", f"has {len(self.left)} fields that no report has")


def parsed(line: bytes | str, number: int) -> object:
    """The JSON value of a line."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise unfit(number, "it is not JSON in UTF-8") from None


def text(value: str, most: int) -> str:
    """A text that can be written as UTF-8 and kept, cut to a length."""
    clean = value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def is_instant(text: str) -> bool:
    """Whether it names an instant, with its zone."""
    try:
        parse_instant(text)
    except (HoldfastError, OverflowError):
        return False
    return True


def unfit(line: int, why: str) -> BadInputError:
    """The error of a line that does not fit."""
    return BadInputError(
        "exposure-report-invalid",
        "The report was not taken.",
        why=f"Line {line:,} is no line of a report ({FORMAT}): {why}.",
        next_step="Hand in the report as it was written: holdfast exposure search --incident INC TARGET",
        details={"line": line},
    )
