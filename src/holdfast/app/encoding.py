"""base64url without padding, for tokens that travel in headers and commands."""

from __future__ import annotations

import base64


def encode_segment(value: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode_segment(value: str) -> bytes:
    """The bytes of :func:`encode_segment`; raises ``ValueError`` for anything else."""
    return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
