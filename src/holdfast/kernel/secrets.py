"""Secret values that refuse to show themselves, and the two things that may be told about them."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn


class SecretValue:
    """Bytes that never print, pickle or format. Call :meth:`reveal` only at the point of use."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        """Hold the value; text is taken as UTF-8."""
        self._value = value.encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """The bytes. The caller keeps them out of logs, errors, events, argv and files."""
        return self._value

    def __repr__(self) -> str:
        """Never the value."""
        return "SecretValue(…)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        """Refuse pickling."""
        msg = "a SecretValue is not pickled"
        raise TypeError(msg)

    def __eq__(self, other: object) -> bool:
        """Constant-time comparison."""
        return isinstance(other, SecretValue) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        """Of a digest, so that the value does not leak through hash ordering."""
        return hash(hashlib.sha256(self._value).digest())


def fingerprint(secret: bytes, key: bytes) -> str:
    """A keyed 16-hex-digit fingerprint: equal secrets under one installation key look equal."""
    return hmac.new(key, secret, hashlib.sha256).hexdigest()[:16]
