"""What readers of JSON audit logs share: instants, addresses, and values out of records that may hold anything.

Rules:
1. Nothing here raises for what a record holds, except :func:`when`, which says that a time is not an instant.
2. A value of the wrong kind is as good as none: a list where text belongs gives none, never its printed form.
3. Instants without an offset are UTC: every vendor read here documents UTC. Finer than a microsecond is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import orjson

from holdfast.investigation.reading import UnreadableError

NOT_AN_INSTANT = "the time is not a valid instant"
NOT_THIS_SHAPE = "the record is not of this source's shape"
WITHHELD = "[withheld]"
"""Stands where a secret stood."""

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
_DOTNET = re.compile(r"/?Date\((-?\d{1,16})(?:[+-]\d{4})?\)/?")
_NUMBER = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND = 1_000_000
_LONGEST = 1024
"""Bits of the longest number that is printed: printing longer ones takes long."""
_DAY = 86_400 * _SECOND
_LAST = (date(9999, 12, 31).toordinal() - _EPOCH_DAY + 1) * _DAY
_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}")
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.%\w]+)\](?::\d{1,5})?")
_MAPPED = re.compile(r"::ffff:(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?", re.IGNORECASE)
_EMPTY = frozenset({"", "-", "null", "none", "n/a", "unknown", "not available"})
_SCALES = ((10**8, None), (10**11, _SECOND), (10**14, 1000), (10**17, 1))


def instant(value: object) -> int | None:
    """Microseconds since 1970 UTC of a time as vendors spell it; none when it is not one, or stands for "never".

    Read are: RFC 3339 with ``T`` or a space, 0 to 9 digits of fraction, with or without an offset; .NET's
    ``/Date(ms)/``; seconds, milliseconds, microseconds or nanoseconds since 1970 as a number or digits, told apart by
    their size (a number below 100,000,000 is no time). Years before 1970 stand for "never" (.NET writes year 1).
    """
    if isinstance(value, str):
        return _written(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    return None


def when(*values: object) -> int | None:
    """The first of these that is told, as an instant; none when no time is told.

    Raises:
        UnreadableError: it is told but is no instant.
    """
    for value in values:
        if value is None or value in ("", 0):
            continue
        found = instant(value)
        if found is None and not (isinstance(value, str) and value.startswith("0001-01-01")):
            raise UnreadableError(NOT_AN_INSTANT)
        return found
    return None


def _written(text: str) -> int | None:
    if (match := _MOMENT.fullmatch(text)) is not None:
        return _calendar(match)
    if (match := _DOTNET.fullmatch(text)) is not None:
        return _within(int(match[1]) * 1000)
    if _NUMBER.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return _counted(int(whole)) if not fraction else _counted(float(text))
    return None


def _calendar(match: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 60:  # noqa: PLR2004 -- a clock face; 60 is a leap second
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    of_day = (hours * 60 + minutes) * 60 + seconds - _offset(zone)
    return _within(days * _DAY + of_day * _SECOND + int((fraction or "0")[:6].ljust(6, "0")))


def _offset(zone: str | None) -> int:
    """Seconds east of UTC."""
    if zone is None or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = (int(digits[:2]) * 60 + int(digits[2:])) * 60
    return -seconds if zone[0] == "-" else seconds


def _counted(number: float) -> int | None:
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 -- how a NaN is told
        return None
    for limit, factor in _SCALES:
        if number < limit:
            return None if factor is None else _within(round(number * factor))
    return _within(int(number) // 1000)


def _within(micros: int) -> int | None:
    return micros if 0 < micros < _LAST else None


def text(value: object) -> str | None:
    """A value as text without blanks around it; none for nothing, for an empty one, and for lists and mappings."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        return None
    return str(value) if isinstance(value, int | float) else None


def told(value: object) -> str | None:
    """Like :func:`text`, and none for the words that stand for nothing: ``-``, ``null``, ``unknown``, ``N/A``."""
    found = text(value)
    return None if found is None or found.lower() in _EMPTY else found


def lower(value: object) -> str | None:
    """A login or address in small letters, so that it is one across sources; none when it is not told."""
    found = told(value)
    return None if found is None else found.lower()


def first(*values: object) -> str | None:
    """The first that is told, as text."""
    return next((found for value in values if (found := told(value)) is not None), None)


def address(*values: object) -> str | None:
    """The first address that is told: its port and brackets stripped, an IPv4 in IPv6 clothes undressed.

    What is no valid address stays as it is written.
    """
    found = first(*values)
    if found is None:
        return None
    for form in (_PORT, _BRACKETED, _MAPPED):
        if (match := form.fullmatch(found)) is not None:
            inner = match[1]
            return _MAPPED.sub(r"\1", inner) if form is _BRACKETED else inner
    return found


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping, also one that stands in the record as JSON text; empty when it is none."""
    found = unfolded(value)
    return found if isinstance(found, Mapping) else {}


def items(value: object) -> list[Any]:
    """A list, also one that stands in the record as JSON text; empty when it is none."""
    found = unfolded(value)
    return found if isinstance(found, list) else []


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [item for item in items(value) if isinstance(item, Mapping)]


def unfolded(value: object) -> object:
    """The value that JSON text stands for (exports keep nested columns as text); any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def dig(value: object, *path: str) -> Any:  # noqa: ANN401 -- whatever the record holds there
    """What is found down a path of keys; none when the path ends early."""
    for key in path:
        found = unfolded(value)
        value = found.get(key) if isinstance(found, Mapping) else None
    return value


def folded(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record under keys in small letters without underscores: the same log has ``ClientIP``, ``Client_IP``.

    Of two keys that become one, the first that holds something stays.
    """
    found: dict[str, Any] = {}
    for key, value in record.items():
        name = str(key).lower().replace("_", "")
        if found.get(name) in (None, "", [], {}):
            found[name] = value
    return found


def compact(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Without what is empty; none when nothing is left."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})} or None


def rest(record: Mapping[str, Any], used: Iterable[str]) -> dict[str, Any] | None:
    """What of the record went into no column of its own; none when nothing is left."""
    gone = frozenset(used)
    return compact({str(key): value for key, value in record.items() if key not in gone})


def pairs(value: object, name: str, content: str) -> dict[str, Any]:
    """A list of names and values (``[{"Name": "A", "Value": "1"}]``) as one mapping; the first of equal names stays."""
    found: dict[str, Any] = {}
    for item in mappings(value):
        key = text(item.get(name))
        if key is not None and key not in found:
            found[key] = item.get(content)
    return found


def record_of(value: object) -> Mapping[str, Any]:
    """The record as a mapping.

    Raises:
        UnreadableError: it is none.
    """
    if not isinstance(value, Mapping):
        raise UnreadableError(NOT_THIS_SHAPE)
    return value


def enveloped(envelope: Mapping[str, Any], recognises: Callable[[Any], bool], *keys: str) -> list[Any] | None:
    """The records that an envelope holds as a list under one of these keys, when the first is this reader's."""
    for key in keys:
        found = envelope.get(key)
        if isinstance(found, list) and found and recognises(found[0]):
            return found
    return None
