"""Python values as Arrow columns of the activity table, and hashes of text over whole columns.

Rules:
1. A value of another type than its column's is told in the column's type where that loses nothing, else null.
2. Text that is a mapping or a list is written as JSON; secrets are looked for in the columns that can hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holdfast.investigation.activity import ACTIVITY, Column, ColumnType
from holdfast.investigation.redacting import SUSPECT, redacted

ARROW: dict[ColumnType, pa.DataType] = {"text": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}
SCHEMA = pa.schema([(column.name, ARROW[column.type]) for column in ACTIVITY])
REDACTED = ("request", "response", "detail", "error", "target_uid")
"""Columns whose text can hold a secret: a command line, a link, a message."""
REPEATED = tuple(
    column.name
    for column in ACTIVITY
    if column.type == "text" and column.name not in {"request", "response", "detail", "event_uid", "shared_uid"}
)
"""Columns whose values come again and again: written with a dictionary."""
_TYPES: dict[str, ColumnType] = {column.name: column.type for column in ACTIVITY}
_HOUR_US = 3_600_000_000
_MAX, _MIN = (1 << 63) - 1, -(1 << 63)

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


def text(value: object) -> str | None:
    """A value as a text column holds it."""
    if value is None or isinstance(value, str):
        return None if value is None else value.encode("utf-8", "replace").decode()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return str(value)


def integer(value: object) -> int | None:
    """A value as a whole number of 64 bits, if it is one."""
    if isinstance(value, float) and value == value and abs(value) < _MAX:  # noqa: PLR0124 - NaN is not equal to itself
        value = int(value)
    if isinstance(value, str) and value.lstrip("-").isascii() and value.lstrip("-").isdigit() and len(value) < 21:  # noqa: PLR2004 - digits of 64 bits
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and _MIN <= value <= _MAX else None


def array(column: str, values: Sequence[Any]) -> pa.Array:
    """Values as an Arrow array of the column's type; what is of another type is converted one by one."""
    kind = _TYPES[column]
    try:
        return pa.array(values, ARROW[kind])
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    if kind == "text":
        return pa.array([text(value) for value in values], pa.string())
    if kind == "integer":
        return pa.array([integer(value) for value in values], pa.int64())
    return pa.array([value if isinstance(value, bool) else None for value in values], pa.bool_())


def clean(column: pa.Array) -> pa.Array:
    """The column of text without secrets."""
    places = _suspect(column)
    if not len(places):
        return column
    told = column.take(pa.array(places))
    swift = pc.replace_substring_regex(told, _TOKEN, _MARK)
    slow = set(_suspect(swift).tolist())
    values = pc.replace_substring(swift, _MARK, _INSTEAD).to_pylist()
    for at in slow:
        values[at] = redacted(told[at].as_py())
    mask = np.zeros(len(column), bool)
    mask[places] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array(values, pa.string()))


def _suspect(column: pa.Array) -> Numbers:
    """Places whose text may hold a secret; each text that comes again is looked through once."""
    coded = column.dictionary_encode()
    marked = pc.match_substring_regex(coded.dictionary, SUSPECT).to_numpy(zero_copy_only=False)
    if not marked.any():
        return np.zeros(0, np.int64)
    nowhere = len(marked)  # stands for null
    places = coded.indices.fill_null(nowhere).to_numpy(zero_copy_only=False)
    return np.flatnonzero(np.append(marked, False)[places])


_TOKEN, _MARK = r'"sessionToken":"[^"\\\\]*"', '"\x01"'
"""By far the most frequent secret, in the form that our own JSON has; a bare control character is in no JSON."""
_INSTEAD = '"sessionToken":"[redacted sessionToken]"'


def hours(times: pa.Array) -> pa.Array:
    """Whole hours since 1970 of microseconds, null where they are null."""
    filled = times.fill_null(0).to_numpy(zero_copy_only=False)
    missing = times.is_null().to_numpy(zero_copy_only=False)
    return pa.array(np.floor_divide(filled, _HOUR_US), pa.int64(), mask=missing)


def hashed(column: pa.Array) -> Hashes:
    """64 bits for each text, equal for equal texts on every machine; 0 for null and empty text.

    Not proof against texts made to collide: whoever uses it compares what is equal once more.
    """
    out = np.zeros(len(column), np.uint64)
    whole = column.cast(pa.large_string())
    offsets = np.frombuffer(whole.buffers()[1], np.int64)[whole.offset : whole.offset + len(whole) + 1]
    data = np.frombuffer(whole.buffers()[2] or b"", np.uint8)
    lengths = np.diff(offsets)
    lengths = np.where(column.is_null().to_numpy(zero_copy_only=False), -1, lengths)
    for length in np.unique(lengths):
        if length <= 0:
            continue
        places = np.flatnonzero(lengths == length)
        out[places] = _mixed(data, offsets[places], int(length))
    return out


def _mixed(data: NDArray[np.uint8], starts: Numbers, length: int) -> Hashes:
    state = np.full(len(starts), 0x9E3779B97F4A7C15 ^ length, np.uint64)
    for at in range(0, length, 8):
        width = min(8, length - at)
        block = np.zeros((len(starts), 8), np.uint8)
        block[:, :width] = data[starts[:, None] + np.arange(at, at + width)]
        state ^= block.view("<u8")[:, 0]
        state *= np.uint64(0xFF51AFD7ED558CCD)
        state ^= state >> np.uint64(32)
    state *= np.uint64(0xC4CEB9FE1A85EC53)
    state ^= state >> np.uint64(29)
    return np.maximum(state, np.uint64(1))


def constant(values: Sequence[str | None], lengths: Sequence[int]) -> pa.Array:
    """Each value repeated its number of times, held once."""
    places = np.repeat(np.arange(len(values), dtype=np.int32), np.asarray(lengths, np.int64))
    return pa.DictionaryArray.from_arrays(pa.array(places), pa.array(values, pa.string()))


__all__ = ["ACTIVITY", "REPEATED", "SCHEMA", "Column", "array", "clean", "constant", "hashed", "hours"]
