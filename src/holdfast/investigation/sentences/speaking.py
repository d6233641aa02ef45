"""How sentences are made fit to be read aloud."""

from __future__ import annotations

import re

_ARN = re.compile(r"\barn:[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]*:(?=\S)")


def spoken(text: str) -> str:
    """The sentence with ARNs cut down to their names, a capital first and a full stop last.

    ``arn:aws:iam::111122223333:user/ada`` is read as ``user/ada``; the table behind the answer has the whole name.
    """
    told = _ARN.sub("", text).rstrip(".")
    return f"{told[:1].upper()}{told[1:]}."
