"""State as JSON: objects, instants as RFC 3339 text, spans as whole seconds, sealed text as its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from holdfast.app.ports import Texts
from holdfast.app.work import ERASED
from holdfast.kernel.citations import Citation
from holdfast.kernel.instants import format_instant
from holdfast.kernel.texts import Sealed


def as_json(value: object, texts: Texts) -> Any:  # noqa: ANN401 - any JSON value
    """A state, or any part of one, with every word read in one go."""
    found: list[str] = []
    _collect(value, found)
    return _shown(value, texts.read(found))


def _collect(value: object, found: list[str]) -> None:
    if isinstance(value, Sealed):
        found.append(value.text_id)
    elif is_dataclass(value):
        for one in fields(value):
            _collect(getattr(value, one.name), found)
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            _collect(item, found)


def _shown(value: object, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Sealed):
        return {
            "text": words.get(value.text_id, ERASED),
            "text_id": value.text_id,
            "erased": value.text_id not in words,
        }
    if isinstance(value, Citation):
        return str(value)
    if is_dataclass(value):
        return {one.name: _shown(getattr(value, one.name), words) for one in fields(value)}
    return _shown_plain(value, words)


def _shown_plain(value: object, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {str(key): _shown(item, words) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_shown(item, words) for item in value)
    if isinstance(value, list | tuple):
        return [_shown(item, words) for item in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
