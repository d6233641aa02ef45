"""Records inside JSON documents: lists under well-known keys, log events that carry JSON as text, query results.

Rules:
1. A document that a reader recognises as one record is a record; only then is it looked into.
2. An element that only carries another record as text (CloudWatch Logs) stands for that record.
3. Base64 and gzip inside a document (``awslogs``) are opened up to 64 MB.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast.investigation.framing import Fault, Value, loads

KEYS = ("Records", "records", "Events", "events", "value", "items", "entries", "logs", "logEvents", "results", "data")
"""Keys under which a list of records is known to lie: CloudTrail, LookupEvents, Graph, Kubernetes lists, Cloud Logging,
CloudWatch Logs and exports of audit services."""
_CARRIERS = ("message", "@message")
_BESIDE = frozenset(
    {"id", "timestamp", "message", "ingestionTime", "logStreamName", "eventId", "extractedFields"}
    | {"@message", "@timestamp", "@ptr", "@logStream", "@log", "@ingestionTime"}
)
_INFLATED = 64 << 20

Unwrap = Callable[[Mapping[str, Any]], list[Any] | None]


def opened(value: Value, unwraps: Sequence[Unwrap] = ()) -> list[Any] | None:
    """The records inside a value; none when it is no envelope."""
    if isinstance(value, list):
        return [carried(one) for one in value]
    if not isinstance(value, dict):
        return None
    for unwrap in unwraps:
        found = unwrap(value)
        if found is not None:
            return found
    return _known(value)


def _known(value: Mapping[str, Any]) -> list[Any] | None:
    if isinstance(value.get("awslogs"), dict):
        return _awslogs(value["awslogs"])
    if isinstance(value.get("QueryResultRows"), list):
        return [_merged(row) for row in value["QueryResultRows"]]
    for key in KEYS:
        found = value.get(key)
        if isinstance(found, list):
            return [carried(one) for one in found]
    return None


def carried(value: Value) -> Value:
    """The record that a log event carries as text, or the value itself."""
    if not isinstance(value, dict) or ("message" not in value and "@message" not in value):
        return value
    text = next((value[name] for name in _CARRIERS if isinstance(value.get(name), str)), None)
    if text is None or not text.lstrip().startswith("{") or not value.keys() <= _BESIDE:
        return value
    try:
        return loads(text)
    except (ValueError, RecursionError):
        return value


def _merged(row: Value) -> Value:
    """One row of a query result: a list of single-key objects as one object."""
    if not isinstance(row, list):
        return row
    told: dict[str, Any] = {}
    for part in row:
        if isinstance(part, dict):
            told.update(part)
    return told


def _awslogs(wrapped: Mapping[str, Any]) -> list[Any]:
    try:
        packed = base64.b64decode(str(wrapped.get("data")), validate=True)
        inflater = zlib.decompressobj(31)
        data = inflater.decompress(packed, _INFLATED)
        if not inflater.eof:
            return [Fault("awslogs data broken off or over 64 MB")]
        inner = loads(data)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return [Fault("awslogs data that cannot be opened")]
    found = opened(inner) if not isinstance(inner, dict) or "awslogs" not in inner else None
    return [inner] if found is None else found
