"""Canonical bytes of a JSON value (RFC 8785), and the values a record may hold.

Records hold no floating-point numbers and no integer of magnitude 2**53 or more, because readers in
other languages would not agree on them (RFC 8785, section 3.2.2.3; I-JSON, RFC 7493).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import rfc8785

from holdfast.kernel.errors import BadInputError

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_INTEGER = 2**53 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")
_SAME_ORDER = re.compile("[\x00-\ud7ff]*").fullmatch
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dict).encode


def check(value: object, path: str = "$") -> None:
    """Refuse a value a record may not hold, naming the place.

    Raises:
        BadInputError: a float, an oversized integer, a lone surrogate, or a type JSON does not have.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise _unfit(path, "an object key is not a string")
            check(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check(item, f"{path}[{index}]")
    else:
        _check_scalar(value, path)


def _check_scalar(value: object, path: str) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise _unfit(path, "it holds a lone surrogate, which is not text")
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise _unfit(path, "the integer needs more than 53 bits")
    elif value is not None:
        raise _unfit(path, f"a {type(value).__name__} has no place in a record")


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of ``value``; see :func:`check` for what is refused."""
    check(value)
    text = _encode(value)
    # RFC 8785 sorts keys by UTF-16 units, Python by code points: they differ only above U+D7FF. Without such
    # characters, floats and large integers the standard library writes the same bytes, seven times as fast.
    return text.encode() if _SAME_ORDER(text) else rfc8785.dumps(value)  # type: ignore[arg-type]  # check() has proven it


def digest(value: object) -> str:
    """Lower-case hex SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _unfit(path: str, why: str) -> BadInputError:
    return BadInputError(
        "value-not-recordable",
        f"The value at {path} cannot be recorded.",
        why=f"Records hold strings, integers below 2^53, booleans, null, lists and objects; {why}.",
        next_step="Send it as text or as a whole number of a smaller unit.",
    )
