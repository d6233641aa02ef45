"""What every kind of registry has in common: an artifact with a name, an address and a digest, searched as it comes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from holdfast.app.ports_exposure import Listener, Target
from holdfast.connectors.registries.fetching import Fetcher, NotFetchedError
from holdfast.exposure import naming
from holdfast.exposure.naming import shown
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Totals
from holdfast.exposure.unpacked import Found, SearchStream


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file that was published."""

    name: str
    """Of the package or image, with its version."""
    path: str
    """Address, or path at the registry."""
    file: str
    """Its name, as results tell it."""
    digest: str | None = None
    """``sha256:…`` in hexadecimal digits, or ``sha512-…`` in base64."""
    size: int = 0


@dataclass(slots=True)
class Visit:
    """A search of one registry under way."""

    target: Target
    query: Query
    listener: Listener
    search: SearchStream
    totals: Totals = field(default_factory=Totals)
    total: int = 0
    """Bytes that are known to come."""
    _done: int = 0

    def fault(self, where: str, reason: str) -> None:
        """Tell what was not had."""
        self.listener.fault(Fault(self.target.shown, shown(where), shown(reason)))

    def base(self, file: str, kind: str) -> Hit:
        """What is the same for all hits in a file."""
        return Hit(self.target.shown, kind, "raw", "exact", path=shown(file), visibility=self.target.visibility)

    def fetched(self, fetcher: Fetcher, artifact: Artifact, kind: str) -> tuple[Found, list[Hit], str] | None:
        """Search an artifact as it comes: what was found, that as hits, and its SHA-256; none if it was not had."""
        check = _Check(artifact.digest)
        try:
            with fetcher.stream(artifact.path) as download:
                found = self.search(self._passing(download.chunks(), check, artifact.name), self.query)
                trouble = download.trouble
        except NotFetchedError as error:
            self.fault(artifact.file, str(error))
            return None
        if trouble is not None:
            self.fault(artifact.file, trouble)
        elif (wrong := check.wrong()) is not None:
            self.fault(artifact.file, wrong)
        self._tally(artifact.file, found)
        base = replace(self.base(artifact.file, kind), artifact=shown(artifact.name), digest=check.sha256)
        return found, naming.hits(base, artifact.file, found, lambda _wanted: {}), check.sha256

    def document(self, data: bytes, file: str, kind: str) -> list[Hit]:
        """Search a document that is in memory anyway."""
        found = self.search([data], self.query)
        self._tally(file, found)
        return naming.hits(self.base(file, kind), file, found, lambda _wanted: {})

    def hear(self, hits: list[Hit]) -> None:
        """Tell hits."""
        for hit in hits:
            self.listener.hit(hit)

    def _passing(self, chunks: Iterator[bytes], check: _Check, name: str) -> Iterator[bytes]:
        for chunk in chunks:
            check.update(chunk)
            self._done += len(chunk)
            self.listener.progress(self._done, max(self.total, self._done), shown(name))
            yield chunk

    def _tally(self, file: str, found: Found) -> None:
        for inner, reason in found.faults:
            self.fault(naming.where(file, inner), reason)
        self.totals += Totals(
            files=1 + found.members,
            bytes_read=found.read,
            bytes_inflated=found.read + found.inflated,
            bytes_matched=found.matched,
            not_searched=frozenset(found.not_searched),
        )


class _Check:
    """Digests of what passes."""

    def __init__(self, told: str | None) -> None:
        self._told = told
        self._sha256 = hashlib.sha256()
        self._other: hashlib._Hash | None = None
        if told is not None and (algorithm := told.partition("-")[0]) in {"sha512", "sha384", "sha1"} and "-" in told:
            self._other = hashlib.new(algorithm, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self._sha256.update(data)
        if self._other is not None:
            self._other.update(data)

    @property
    def sha256(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"

    def wrong(self) -> str | None:
        if self._told is None:
            return None
        if self._other is not None:
            made = f"{self._told.partition('-')[0]}-{base64.b64encode(self._other.digest()).decode()}"
        elif self._told.startswith("sha256:"):
            made = self.sha256
        else:
            return f"its digest is of a kind that is not checked: {self._told[:20]}"
        return None if made == self._told else f"its digest is {made} instead of {self._told}"


Visitor = Callable[[Visit, Fetcher, str], None]
"""Searches all that is published under a path."""
