"""What a person typed, before it is stored: secrets become fingerprints and redactions, all else stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from holdfast.app.commanding import Command, FreeText
from holdfast.exposure.formats import shipped
from holdfast.exposure.inputs import scan


@dataclass(frozen=True, slots=True)
class Notice:
    """Tells the author that something looked like a secret and was not stored."""

    field: str
    rule: str
    fingerprint: str

    def as_json(self) -> dict[str, str]:
        """For every surface."""
        return {"field": self.field, "fingerprint": self.fingerprint, "rule": self.rule}


@cache
def free_text_fields(command: type[Command]) -> Mapping[str, FreeText]:
    """Names of a command's fields that hold a person's words, and whether they span lines."""
    found: dict[str, FreeText] = {}
    for name, info in command.model_fields.items():
        mark = _mark(list(info.metadata)) or _within(info.annotation)
        if mark is not None:
            found[name] = mark
    return found


def screen(command: Command, key: bytes) -> tuple[Command, tuple[Notice, ...]]:
    """The command with secrets in its free text redacted, and a notice for each."""
    notices: list[Notice] = []
    changed: dict[str, Any] = {}
    for name in free_text_fields(type(command)):
        value = getattr(command, name)
        clean = _clean(value, name, key, notices)
        if clean != value:
            changed[name] = clean
    return (command.model_copy(update=changed) if changed else command), tuple(notices)


def screen_text(text: str, key: bytes) -> str:
    """One text with its secrets redacted."""
    return scan(text, shipped(), key).text


def _clean(value: Any, field: str, key: bytes, notices: list[Notice]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        result = scan(value, shipped(), key)
        notices.extend(Notice(field, hit.rule, hit.fingerprint) for hit in result.hits)
        return result.text
    if isinstance(value, list | tuple):
        return [_clean(item, field, key, notices) for item in value]
    if isinstance(value, Mapping):
        return {name: _clean(item, field, key, notices) for name, item in value.items()}
    return value


def _mark(metadata: list[Any]) -> FreeText | None:
    return next((one for one in metadata if isinstance(one, FreeText)), None)


def _within(annotation: Any) -> FreeText | None:  # noqa: ANN401 - a typing form
    for argument in get_args(annotation):
        mark = argument if isinstance(argument, FreeText) else _within(argument)
        if mark is not None:
            return mark
    return None
