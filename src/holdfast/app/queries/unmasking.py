"""Words as pages may show them: what could deceive the eye is made visible, nothing is taken away.

A right-to-left override inside a file name or a message can make ``exe.txt`` of ``txt.exe`` and turn the rest of the
line around. The record keeps every character; what is shown names such a character, in brackets, in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DECEIVING = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""Controls, direction marks and overrides, and characters without width; joiners that scripts need are left alone."""


def unmasked(text: str) -> str:
    """The text with each deceiving character as ``[U+202E]``."""
    return _DECEIVING.sub(lambda hit: f"[U+{ord(hit[0]):04X}]", text)


def unmasked_within(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value with every text in it unmasked."""
    if isinstance(value, str):
        return unmasked(value)
    if isinstance(value, Mapping):
        return {key: unmasked_within(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [unmasked_within(item) for item in value]
    return value
