"""What a pack without an index needs: ids of its objects, computed from their bytes."""

from __future__ import annotations

import hashlib

from holdfast.exposure.git.layout import TYPE_NAMES

_SHA1 = 20


def object_id(kind: int, data: bytes, width: int) -> str:
    """Id of an object: the hash over its type, size and bytes."""
    head = f"{TYPE_NAMES[kind]} {len(data)}\0".encode()
    made = hashlib.sha1(head, usedforsecurity=False) if width == _SHA1 else hashlib.sha256(head)
    made.update(data)
    return made.hexdigest()
