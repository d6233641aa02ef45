"""Container images on disk: image layouts, and archives of ``docker save``.

Rules:
1. Every blob is searched, also one that no manifest mentions: it was pushed, or forgotten.
2. A blob that is not what its digest says is searched, and told as a fault; a layer that is not here, too.
3. A hit in a layer tells image, layer and file, and which later layer hides the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.reading import FileReader, NotReadableError, why
from holdfast.engines.exposure.unpacking import search_reader
from holdfast.exposure import naming, oci
from holdfast.exposure.matching import Matcher
from holdfast.exposure.query import Query
from holdfast.exposure.results import Hit
from holdfast.exposure.unpacked import Found, Inward

_INDEX, _SAVED = ("index.json",), ("manifest.json",)


@dataclass(slots=True)
class Layout:
    """An image layout: ``oci-layout``, ``index.json`` and ``blobs``."""

    folder: Path
    name: str
    query: Query
    matcher: Matcher
    limits: Limits
    faults: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    """Bytes of its blobs."""

    def search(
        self, base: Callable[[str], Hit], progress: Callable[[str], Callable[[int], None]]
    ) -> Iterator[tuple[str, Found, list[Hit]]]:
        """Search every blob: its path, what was found, and that as hits.

        Args:
            base: makes what is the same for all hits of a file.
            progress: makes what hears how far a file was read.
        """
        found, faults = oci.images(self._small("index.json"), self._blob)
        known = oci.positions(found)
        blobs = list(self._blobs())
        self.faults += [(self.name, reason) for reason in faults]
        self.faults += [(self.name, reason) for reason in oci.missing(found, [digest for digest, _ in blobs])]
        searched: list[tuple[str, str, Found, list[Hit]]] = []
        removals: dict[str, list[str]] = {}
        for digest, path in blobs:
            told = self._searched(digest, path, base, progress)
            if told is None:
                continue
            removals[digest] = [inner[-1] for inner in told[0].removals]
            if told[1]:
                searched.append((digest, path, *told))
            else:
                yield path, told[0], []
        # Who hides a file is known only after the layers that come later were read.
        for digest, path, inside, hits in searched:
            yield path, inside, [oci.placed(hit, digest, known.get(digest, []), removals, self._blob) for hit in hits]

    def _searched(
        self, digest: str, path: str, base: Callable[[str], Hit], progress: Callable[[str], Callable[[int], None]]
    ) -> tuple[Found, list[Hit]] | None:
        file = self.folder / path.removeprefix(f"{self.name}/" if self.name else "")
        try:
            reader = FileReader(file, progress(path), digest=digest.startswith("sha256:"))
        except NotReadableError as error:
            self.faults.append((path, str(error)))
            return None
        try:
            found = search_reader(reader, self.query, self.matcher, self.limits)
            hits = naming.hits(base(path), path, found, lambda _wanted: {})
        finally:
            reader.close()
            self.size += reader.size
        if reader.digest is not None and reader.digest != digest:
            self.faults.append((path, f"its digest is {reader.digest}"))
        if reader.trouble is not None:
            self.faults.append((path, reader.trouble))
        return found, hits

    def _blobs(self) -> Iterator[tuple[str, str]]:
        """Digest and path of everything under ``blobs``."""
        prefix = f"{self.name}/" if self.name else ""
        top = self.folder / "blobs"
        try:
            for file in sorted(file for algorithm in top.iterdir() for file in algorithm.iterdir()):
                path = f"blobs/{file.parent.name}/{file.name}"
                yield oci.blob_digest(path) or path, prefix + path
        except OSError as error:
            self.faults.append((f"{prefix}blobs", why(error)))

    def _blob(self, digest: str) -> bytes | None:
        return self._small(f"blobs/{digest.replace(':', '/')}") or None

    def _small(self, path: str) -> bytes:
        try:
            reader = FileReader(self.folder / path)
        except NotReadableError:
            return b""  # told as missing or damaged by whoever needs it
        try:
            return reader.read(0, reader.size) if reader.size <= oci.LARGEST_DOCUMENT else b""
        finally:
            reader.close()


def saved_images(hits: list[Hit], found: Found) -> tuple[list[Hit], list[str]]:
    """Hits in an archive that may hold images, with what they are in, and what is missing or not as its digest says."""
    documents = found.documents
    saved, index = documents.get(_SAVED), documents.get(_INDEX)
    by_digest = {oci.blob_digest(inner[0]): data for inner, data in documents.items() if len(inner) == 1}
    images = oci.saved(saved) if saved is not None else []
    faults: list[str] = []
    if index is not None and ("oci-layout",) in documents:
        of_layout, faults = oci.images(index, by_digest.get)
        known = {image.config for image in images}
        images += [image for image in of_layout if image.config not in known]
    if not images:
        return hits, []
    held = {_key(inner): digest for inner, digest in found.digests.items() if len(inner) == 1}
    faults += [f"{key} is not what its digest says: {digest}" for key, digest in held.items() if _differs(key, digest)]
    faults += oci.missing(images, held)
    places, removals = oci.positions(images), _removals(found)

    def read(key: str) -> bytes | None:
        return by_digest.get(key) or documents.get((key,))

    def named(hit: Hit) -> Hit:
        key = _key(hit.inner[:1]) if hit.inner else ""
        if key not in held:
            return hit
        outer, inner = hit.inner[0], hit.inner[1:]
        told = oci.placed(replace(hit, inner=inner), key, places.get(key, []), removals, read)
        return replace(told, inner=(outer, *inner), digest=f"sha256:{held[key].removeprefix('sha256:')}")

    return [named(hit) for hit in hits], faults


def _key(inner: Inward) -> str:
    return oci.blob_digest(inner[0]) or inner[0]


def _differs(key: str, digest: str) -> bool:
    name = key.rpartition("/")[2].removesuffix(".json").removesuffix(".tar")
    told = key.removeprefix("sha256:") if key.startswith("sha256:") else name
    return len(told) == len(digest) and all(one in "0123456789abcdef" for one in told) and told != digest


def _removals(found: Found) -> dict[str, list[str]]:
    by_layer: dict[str, list[str]] = {}
    for inner in found.removals:
        if len(inner) == 2:  # noqa: PLR2004 - the layer and the name in it
            by_layer.setdefault(_key(inner[:1]), []).append(inner[1])
    return by_layer
