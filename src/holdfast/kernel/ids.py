"""Identifiers made from arguments: UUIDv7 (RFC 9562, section 5.7) from an instant and random bytes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NewType

IncidentId = NewType("IncidentId", str)
"""``INC-2026-0042`` (real), ``EX-2026-0007`` (exercise), or a restricted id with no number."""

AccountId = NewType("AccountId", str)
"""The account name of a person or service: lower case, ``[a-z0-9._-]{2,40}``."""

TextId = NewType("TextId", str)
EvidenceId = NewType("EvidenceId", str)

RANDOM_BYTES = 10


def uuid7(moment: datetime, randomness: bytes) -> str:
    """A UUIDv7 of ``moment`` (millisecond precision) and ten random bytes, in canonical text form."""
    if len(randomness) != RANDOM_BYTES:
        msg = "uuid7 takes exactly ten random bytes"
        raise ValueError(msg)
    milliseconds = int(moment.timestamp() * 1000)
    rand_a = int.from_bytes(randomness[:2]) & 0x0FFF
    rand_b = int.from_bytes(randomness[2:]) & (2**62 - 1)
    number = milliseconds << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return str(uuid.UUID(int=number))
