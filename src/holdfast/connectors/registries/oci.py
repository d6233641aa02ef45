"""Registries of container images, by the OCI distribution specification.

Rules:
1. Every tag of a repository is read, and every repository of the registry when none is named.
2. Each blob is fetched once, whatever the number of images that have it.
3. Manifests that no tag leads to cannot be listed: that is told as not searched.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from holdfast.connectors.registries.fetching import Fetcher, GoneError, NotFetchedError
from holdfast.connectors.registries.publishing import Artifact, Visit
from holdfast.exposure import oci
from holdfast.exposure.oci import Image
from holdfast.exposure.results import Hit, Totals
from holdfast.exposure.unpacked import Found

UNTAGGED = "manifests of a registry that no tag leads to"
_ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_PAGE = 100
_MOST_PAGES = 100_000
_NAMED = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._/-]*?)(?:@(?P<digest>[a-z0-9]+:[0-9a-f]+)|:(?P<tag>[\w][\w.-]{0,127}))?$"
)


def visit(visit: Visit, fetcher: Fetcher, path: str) -> None:
    """Search a repository, one image of it, or every repository."""
    if path:
        found = _NAMED.match(path)
        if found is None:
            visit.fault("", "no name of an image")
            return
        reference = found["digest"] or found["tag"]
        _Repository(visit, fetcher, found["name"]).search([reference] if reference else None)
        return
    for name in _listed(visit, fetcher, "v2/_catalog", "repositories"):
        _Repository(visit, fetcher, name).search(None)


@dataclass(slots=True)
class _Repository:
    visit: Visit
    fetcher: Fetcher
    name: str
    images: list[Image] = field(default_factory=list)
    manifests: dict[str, bytes] = field(default_factory=dict)
    configs: dict[str, bytes] = field(default_factory=dict)

    def search(self, references: list[str] | None) -> None:
        if references is None:
            references = _listed(self.visit, self.fetcher, f"v2/{self.name}/tags/list", "tags")
            self.visit.totals += Totals(not_searched=frozenset({UNTAGGED}))
        for reference in references:
            self._image(reference)
        places = oci.positions(self.images)
        wanted = {layer.key: layer.urls for image in self.images for layer in image.layers}
        wanted |= {image.config: False for image in self.images if image.config}
        found = {digest: self._blob(digest, elsewhere) for digest, elsewhere in wanted.items()}
        had = {digest: one for digest, one in found.items() if one is not None}
        removals = {digest: [inner[-1] for inner in one[0].removals] for digest, one in had.items()}
        documents = {**self.manifests, **self.configs}
        for digest, one in had.items():
            for hit in one[1]:
                self.visit.hear([oci.placed(hit, digest, places.get(digest, []), removals, documents.get)])
        for digest, data in self.manifests.items():
            for hit in self.visit.document(data, f"{self.name}@{digest}", "image-config"):
                self.visit.hear([oci.placed(hit, digest, places.get(digest, []), removals, documents.get)])

    def _image(self, reference: str) -> None:
        joint = "@" if ":" in reference else ":"
        name = f"{self.name}{joint}{reference}"
        data = self._manifest(reference)
        if data is None:
            return
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        images, faults = oci.images(data, self._manifest, name, digest)
        self.images += images
        for reason in faults:
            self.visit.fault(name, reason)
        self._referrers(digest, name)

    def _referrers(self, digest: str, name: str) -> None:
        """What was attached to an image: signatures, attestations, lists of parts."""
        try:
            data, _ = self.fetcher.document(f"v2/{self.name}/referrers/{digest}", _ACCEPT, oci.LARGEST_DOCUMENT)
        except NotFetchedError:
            return  # registries before version 1.1 know none, or keep them under tags
        images, faults = oci.images(data, self._manifest, f"{name} (attached)")
        self.images += images
        for reason in faults:
            self.visit.fault(name, reason)

    def _manifest(self, reference: str) -> bytes | None:
        """A manifest, checked; told when it cannot be had."""
        if reference in self.manifests:
            return self.manifests[reference]
        where = f"v2/{self.name}/manifests/{quote(reference, safe=':')}"
        try:
            data, headers = self.fetcher.document(where, _ACCEPT, oci.LARGEST_DOCUMENT)
        except NotFetchedError as error:
            self.visit.fault(f"{self.name}:{reference}", str(error))
            return None
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        told = reference if oci.is_digest(reference) else headers.get("docker-content-digest", digest)
        if told.startswith("sha256:") and told != digest:
            self.visit.fault(f"{self.name}:{reference}", f"its digest is {digest} instead of {told}")
        self.manifests[digest] = data
        return data

    def _blob(self, digest: str, elsewhere: bool) -> tuple[Found, list[Hit]] | None:  # noqa: FBT001 - of a descriptor
        path = f"v2/{self.name}/blobs/{digest}"
        file = f"{self.name}@{digest}"
        if elsewhere and not self._is_there(path):
            self.visit.fault(file, "a layer that is kept elsewhere is not searched")
            return None
        if digest in {image.config for image in self.images}:
            self._config(digest, path)
        told = self.visit.fetched(self.fetcher, Artifact(self.name, path, file, digest), "layer")
        return None if told is None else told[:2]

    def _config(self, digest: str, path: str) -> None:
        """Keep a configuration, to tell which part of it a hit is in."""
        try:
            self.configs[digest] = self.fetcher.document(path, "*/*", oci.LARGEST_DOCUMENT)[0]
        except NotFetchedError:
            return  # told when it is searched

    def _is_there(self, path: str) -> bool:
        try:
            with self.fetcher.stream(path):
                return True
        except NotFetchedError:
            return False


def _listed(visit: Visit, fetcher: Fetcher, path: str, key: str) -> list[str]:
    """Names of a list of a registry, all of its pages."""
    found: dict[str, None] = {}
    where: str | None = f"{path}?n={_PAGE}"
    asked: set[str] = set()
    while where is not None:
        if where in asked or len(asked) > _MOST_PAGES:
            visit.fault(path, "its list does not end")
            break
        asked.add(where)
        try:
            data, headers = fetcher.document(where, "application/json")
            page = json.loads(data).get(key)
        except GoneError as error:
            if len(asked) == 1:
                visit.fault(path, str(error))
            break
        except (NotFetchedError, ValueError, RecursionError, AttributeError) as error:
            visit.fault(path, str(error) if isinstance(error, NotFetchedError) else "a list that cannot be read")
            break
        names = [one for one in page or () if isinstance(one, str)]
        fresh = [one for one in names if one not in found]
        found.update(dict.fromkeys(fresh))
        where = fetcher.following(headers, where)
        if where is None and len(names) == _PAGE and fresh:
            # A full page without a way on: asked for what comes after, a list that is whole has nothing more.
            where = f"{path}?n={_PAGE}&last={quote(names[-1], safe='')}"
    return sorted(found)
