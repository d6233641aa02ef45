"""Digests of what gz files hold: CloudTrail's digest files name those, not the digests of the compressed bytes.

Only where digest files are among the inputs, for it costs inflating everything once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from holdfast.engines.ingest.inflating import Budget, compression, inflated
from holdfast.engines.ingest.limits import Limits
from holdfast.engines.ingest.opening import file_chunks
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.work import Wanted
from holdfast.investigation.framing import BrokenOffError, Chunks


def content_digests(tallies: Sequence[Tally], files: Mapping[int, Wanted], limits: Limits) -> dict[int, str]:
    """SHA-256 of the inflated bytes by input number, for gz files that are no archives."""
    if not any(tally.kind == "digest" for tally in tallies):
        return {}
    found: dict[int, str] = {}
    for tally in tallies:
        file = files.get(tally.input_no)
        if file is not None and file.trouble is None and tally.kind != "archive":
            digest = _digest(file, limits)
            if digest is not None:
                found[tally.input_no] = digest
    return found


def _digest(file: Wanted, limits: Limits) -> str | None:
    state = hashlib.sha256()
    try:
        with file.path.open("rb") as stream:
            chunks = Chunks(file_chunks(stream))
            head, _ = chunks.head(16)
            if compression(head) != "gzip":
                return None
            for piece in inflated(chunks, "gzip", Budget(file.size, limits)):
                state.update(piece)
    except (BrokenOffError, OSError):
        return None
    return state.hexdigest()
