"""Digests of what compressed files hold: CloudTrail's digest files name those, not the digests of the compressed bytes.

Only where digest files are among the inputs, for it costs inflating everything once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.engines.ingest.limits import Limits
from holdfast.engines.ingest.opening import Archive, Member, opened
from holdfast.engines.ingest.tally import Tally
from holdfast.engines.ingest.work import Wanted


def content_digests(tallies: Sequence[Tally], files: Sequence[Wanted], limits: Limits, spool: Path) -> dict[int, str]:
    """SHA-256 of the inflated bytes by input number, for files and members that are compressed by themselves."""
    if not any(tally.kind == "digest" for tally in tallies):
        return {}
    archives = {file.input_no for file in files if file.members is not None}
    return {
        number: digest
        for file in files
        if file.trouble is None and (file.members is not None or file.input_no not in archives)
        for number, digest in _digests(file, limits, spool)
    }


def _digests(file: Wanted, limits: Limits, spool: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.path.open("rb", buffering=0) as stream:
            members = (met for met in opened(stream, file.size, limits, spool) if not isinstance(met, Archive))
            for place, member in enumerate(members):
                number = file.input_no if file.members is None else file.members.get(place, (0, ""))[0]
                digest = _digest(member) if member.packed and number else None
                if digest is not None:
                    yield number, digest
    except OSError:
        return


def _digest(member: Member) -> str | None:
    state = hashlib.sha256()
    for piece in member.chunks:
        state.update(piece)
    return state.hexdigest() if member.chunks.fault is None else None
