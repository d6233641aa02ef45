"""Container images as documents: which blob is which layer of which image, and what a later layer took away.

Image layouts and registries by the OCI image specification, archives of ``docker save`` by their ``manifest.json``.

Rules:
1. A blob is named by its digest and checked against it by whoever reads it.
2. A file that a later layer removes is still in its layer: it is told, with the layer that hides it.
3. Documents are hostile: sizes, depths and numbers are bounded, and what is not as it should be is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from holdfast.exposure.results import Hit

UNREFERENCED = (("referenced", "by no manifest"),)
LARGEST_DOCUMENT = 4 << 20
MOST_MANIFESTS = 10_000
_DIGEST = re.compile(r"sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})")
_BLOB = re.compile(r"blobs/(sha256|sha512)/([0-9a-f]{64,128})$")
_SAVED = re.compile(r"(?:manifest\.json|index\.json|oci-layout|repositories|[0-9a-f]{64}\.json)$")
_SAVED_LAYER = re.compile(r"(?:[0-9a-f]{64}/layer\.tar|[0-9a-f]{64}\.tar)$")
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"

Role = Literal["layer", "image-config", "image-manifest"]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as a manifest tells it."""

    key: str
    """Digest of the blob, or its path in an archive of ``docker save``."""
    media: str = ""
    urls: bool = False
    """Whether it may be had elsewhere only."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image for one platform."""

    name: str
    manifest: str
    """Digest of its manifest; empty in an archive of ``docker save``."""
    config: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """What a blob is for an image."""

    image: Image
    role: Role
    number: int
    """Of a layer, from 1."""


def is_digest(text: object) -> bool:
    """Whether it names a blob."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def blob_digest(path: str) -> str | None:
    """The digest that a path of a layout stands for."""
    found = _BLOB.search(path)
    return f"{found[1]}:{found[2]}" if found else None


def worth_keeping(path: str, size: int) -> bool:
    """Whether a member of an archive may be a document that tells of an image."""
    return size <= LARGEST_DOCUMENT and bool(_SAVED.search(path) or _BLOB.search(path))


def worth_checking(path: str) -> bool:
    """Whether a member of an archive has a digest that a document tells."""
    return bool(_BLOB.search(path) or _SAVED_LAYER.search(path) or _SAVED.search(path))


def images(
    index: bytes, read: Callable[[str], bytes | None], name: str = "", digest: str = ""
) -> tuple[list[Image], list[str]]:
    """Every image that an index or manifest leads to, and what was missing or damaged.

    Args:
        index: the document to begin with.
        read: gives a blob by its digest; none when it is not there or too large.
        name: of the image, when it is known.
        digest: of the document, when it is known.
    """
    found: list[Image] = []
    faults: list[str] = []
    seen: set[str] = set()
    waiting: list[tuple[bytes, str, str]] = [(index, digest, name)]
    while waiting:
        document, which, called = waiting.pop()
        parsed = _object(document)
        if parsed is None:
            faults.append(f"the manifest {which or 'index'} is damaged")
            continue
        if isinstance(parsed.get("layers"), list):
            found.append(_image(parsed, called, which))
        for entry in _descriptors(parsed.get("manifests")):
            inner = entry["digest"]
            if inner in seen:
                continue
            seen.add(inner)
            if len(seen) > MOST_MANIFESTS:
                return found, [*faults, f"more than {MOST_MANIFESTS:,} manifests: the rest is not followed"]
            blob = read(inner)
            if blob is None:
                faults.append(f"the manifest {inner} is missing")
            else:
                waiting.append((blob, inner, _named(entry) or called))
    return found, faults


def saved(manifest: bytes) -> list[Image]:
    """The images of an archive of ``docker save``."""
    try:
        parsed = json.loads(manifest)
    except (ValueError, RecursionError):
        return []
    found: list[Image] = []
    for one in parsed if isinstance(parsed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("Layers"), list):
            names = one.get("RepoTags")
            name = ", ".join(str(tag) for tag in names) if isinstance(names, list) else ""
            layers = tuple(Layer(_key(path)) for path in one["Layers"] if isinstance(path, str))
            found.append(Image(name, "", _key(str(one.get("Config", ""))), layers))
    return found


def positions(found: Iterable[Image]) -> dict[str, list[Position]]:
    """What each blob is, by its key."""
    known: dict[str, list[Position]] = {}
    for image in found:
        if image.manifest:
            known.setdefault(image.manifest, []).append(Position(image, "image-manifest", 0))
        if image.config:
            known.setdefault(image.config, []).append(Position(image, "image-config", 0))
        for number, layer in enumerate(image.layers, 1):
            known.setdefault(layer.key, []).append(Position(image, "layer", number))
    return known


def missing(found: Iterable[Image], held: Iterable[str]) -> list[str]:
    """Blobs that images need and that are not there, each with its reason."""
    here = set(held)
    told: dict[str, str] = {}
    for image in found:
        for number, layer in enumerate(image.layers, 1):
            if layer.key not in here:
                where = "is kept elsewhere" if layer.urls or "foreign" in layer.media else "is missing"
                told[layer.key] = f"layer {number} of {image.name or image.manifest or 'an image'} {where}: {layer.key}"
        if image.config and image.config not in here:
            told[image.config] = f"the configuration of {image.name or image.manifest} is missing: {image.config}"
    return list(told.values())


def removed_by(image: Image, number: int, path: str, removals: Mapping[str, Iterable[str]]) -> int | None:
    """The layer that takes a file away.

    Args:
        image: the image.
        number: the layer the file is in.
        path: the file.
        removals: names of whiteouts by the key of the layer they are in.
    """
    parts = path.lstrip("./").split("/")
    hiding = set()
    for depth, part in enumerate(parts):
        folder = "".join(f"{one}/" for one in parts[:depth])
        hiding |= {f"{folder}{_WHITEOUT}{part}", f"{folder}{_OPAQUE}"}
    for later, layer in enumerate(image.layers[number:], number + 1):
        if any(one.removeprefix("./").lstrip("/") in hiding for one in removals.get(layer.key, ())):
            return later
    return None


def placed(
    hit: Hit,
    key: str,
    places: list[Position],
    removals: Mapping[str, list[str]],
    read: Callable[[str], bytes | None],
) -> Hit:
    """A hit in a blob, with what the blob is.

    Args:
        hit: the hit.
        key: digest of the blob, or its path in an archive of ``docker save``.
        places: what the blob is, for each image.
        removals: names of whiteouts by layer.
        read: gives a document by its digest.
    """
    digest = key if is_digest(key) else None
    if not places:
        return replace(hit, digest=digest, about=hit.about + UNREFERENCED)
    first = places[0]
    hit = replace(hit, digest=digest, artifact=first.image.name or first.image.manifest or None)
    if first.role == "layer":
        path = hit.inner[0] if hit.inner else ""
        return replace(hit, kind="layer", about=hit.about + about_layer(places, path, removals))
    if first.role == "image-config":
        kind, about = about_config(read(key) or b"", hit.start)
        return replace(hit, kind=kind, about=hit.about + about)
    return replace(hit, kind="image-config", about=(*hit.about, ("part", "manifest")))


def about_layer(places: list[Position], path: str, removals: Mapping[str, Iterable[str]]) -> Pairs:
    """What identifies a hit in a layer: its number, other images that have it, who removed the file."""
    first = places[0]
    pairs = [("layer", f"{first.number} of {len(first.image.layers)}")]
    others = sorted({one.image.name for one in places[1:]} - {first.image.name, ""})
    if others:
        pairs.append(("also in", ", ".join(others)))
    gone = [removed_by(one.image, one.number, path, removals) for one in places] if path else [None]
    if all(gone):
        pairs.append(("removed", f"by layer {gone[0]}"))
    return tuple(pairs)


def about_config(document: bytes, at: int) -> tuple[Literal["image-config", "image-history"], Pairs]:
    """Which part of a configuration a place is in."""
    key, number = _top_level(document, at)
    if key == "history":
        return "image-history", (("step", str(number)),)
    if key in {"config", "container_config"}:
        inner = _innermost_key(document, at)
        return "image-config", (("part", inner or key),)
    return "image-config", (("part", key),) if key else ()


def _top_level(document: bytes, at: int) -> tuple[str, int]:
    """Key at the first level, and the number of the object within its value, up to a place."""
    depth = number = 0
    text, key = b"", ""
    for token in _TOKEN.finditer(document):
        if token.start() >= at:
            break
        sign = token[0]
        if sign in b"{[":
            depth += 1
            number += depth == 3  # noqa: PLR2004 - an object in a list in the document
        elif sign in b"}]":
            depth -= 1
        elif sign == b":" and depth == 1:
            key, number = text[1:-1].decode("utf-8", "replace"), 0
        else:
            text = sign
    return key, number


def _innermost_key(document: bytes, at: int) -> str:
    """The last key at the second level before a place: ``Env``, ``Labels``, ``Cmd``."""
    depth = 0
    text, key = b"", ""
    for token in _TOKEN.finditer(document):
        if token.start() > at:
            break
        sign = token[0]
        if sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
        elif sign == b":" and depth == 2:  # noqa: PLR2004 - within the configuration
            key = text[1:-1].decode("utf-8", "replace")
        elif sign.startswith(b'"'):
            text = sign
    return key


def _image(parsed: Mapping[str, Any], name: str, digest: str) -> Image:
    config = parsed.get("config")
    layers = tuple(
        Layer(entry["digest"], str(entry.get("mediaType", "")), bool(entry.get("urls")))
        for entry in _descriptors(parsed["layers"])
    )
    key = config.get("digest") if isinstance(config, dict) else ""
    return Image(name, digest, str(key) if is_digest(key) else "", layers)


def _descriptors(entries: object) -> Iterator[dict[str, Any]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and is_digest(entry.get("digest")):
            yield entry


def _named(entry: Mapping[str, Any]) -> str:
    notes = entry.get("annotations")
    if not isinstance(notes, dict):
        return ""
    return next((str(notes[name]) for name in reversed(_NAMES) if notes.get(name)), "")


def _object(document: bytes) -> Mapping[str, Any] | None:
    if len(document) > LARGEST_DOCUMENT:
        return None
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _key(path: str) -> str:
    return blob_digest(path) or path
