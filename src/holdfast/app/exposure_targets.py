"""Where an incident's exposure search looks on the server: captured items, and folders that the administrator allows.

Rules:
1. A path is absolute, and lies below an allowed folder after every symbolic link is followed: a link that leads out is
   refused like a path that was never below it, and so is one that does not exist. The answers are alike.
2. Nothing is allowed unless a setting says so (``HOLDFAST_EXPOSURE_ROOTS``).
3. The files of a captured folder are laid out again under the names they had, as far as these stay within their folder
   and can be made; every other one is a fault, and the capture's own shortfalls are faults too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from holdfast.app.ports_vault import Vault
from holdfast.evidence import manifests
from holdfast.evidence.state import Item
from holdfast.exposure.areas import Area
from holdfast.kernel.errors import RefusedError

SHOWN = 200
"""Entries below the allowed folders that a form offers."""
_PARTS = 255
_AREAS_OF_SOURCES: Mapping[str, Area] = {"ci_logs": "ci_logs"}
_AREAS_OF_KINDS: Mapping[str, Area] = {"ticket": "ticket_systems"}


def allowed(roots: Sequence[Path], text: str, number: int = 1) -> Path:
    """The path behind a text, if the search may look there.

    Raises:
        RefusedError: it may not, or there is no such path; it is named by its number, for it may be the secret.
    """
    asked = Path(text)
    if asked.is_absolute():
        for real in _real([asked]):
            if any(real.is_relative_to(root) for root in _real(roots)):
                return real
    raise RefusedError(
        "exposure-target-refused",
        "Nothing was searched.",
        why=f"Path number {number} is not below a folder that the administrator allowed (HOLDFAST_EXPOSURE_ROOTS).",
        next_step="Search it where it is, and hand the report in: holdfast exposure search --incident INC TARGET",
    )


def offered(roots: Sequence[Path]) -> tuple[str, ...]:
    """What the allowed folders hold at their top, by path; at most a limited number."""
    found = []
    for root in _real(roots):
        try:
            found += [str(one) for one in sorted(root.iterdir()) if not one.is_symlink()][:SHOWN]
        except OSError:
            continue
    return tuple(found[:SHOWN])


def area_of(item: Item) -> Area | None:
    """The part of LS2 that an item belongs to; none when neither its source nor its kind tells."""
    return _AREAS_OF_SOURCES.get(item.source or "") or _AREAS_OF_KINDS.get(item.kind)


def lay_out(vault: Vault, item: Item, name: str, folder: Path) -> tuple[Path, list[tuple[str, str]]]:
    """The item's bytes where a searcher can read them, and what could not be laid out (where, why).

    Args:
        vault: where the bytes are.
        item: a kept item.
        name: its display name.
        folder: a private, empty folder.
    """
    faults = [("", f"the capture is incomplete ({one})") for one in item.shortfalls]
    if item.kind != "folder_manifest" or item.manifest is None:
        place = folder / (_fitting(name) or "item")
        _copy(vault, item.sha256, place)
        return place, faults
    root = folder / (_fitting(name) or "folder")
    root.mkdir(mode=0o700)
    # The manifest holds what is no file: names, and where symbolic links lead.
    _copy(vault, item.manifest, folder / "manifest.json")
    with vault.open(item.manifest) as stream:
        document = manifests.parse(stream.read())
    for path, digest in _files(document):
        kept = _within(root, path)
        if kept is None:
            faults.append((path, "its name cannot be made here"))
            continue
        try:
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _copy(vault, digest, kept)
        except OSError as error:
            faults.append((path, f"it cannot be laid out ({error.strerror or 'input/output error'})"))
    return folder, faults


def _files(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    entries = document.get("entries", ())
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("type") == "file" and isinstance(entry.get("sha256"), str):
            yield str(entry.get("path", "")), entry["sha256"]


def _within(root: Path, path: str) -> Path | None:
    """A place for a relative path below a folder; none where it would lead out, or where no name can be made of it."""
    parts = PurePosixPath(path).parts
    fit = parts and not path.startswith("/") and not {"..", "."} & set(parts)
    if not fit or "\x00" in path or any(len(part.encode(errors="replace")) > _PARTS for part in parts):
        return None
    return root.joinpath(*parts)


def _fitting(name: str) -> str:
    """A name as the last part of a path."""
    kept = "".join(char for char in name if char.isprintable() and char != "/").strip(". ")
    return kept.encode(errors="replace")[:120].decode(errors="ignore")


def _copy(vault: Vault, digest: str, place: Path) -> None:
    with vault.open(digest) as stream, place.open("xb") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)


def _real(roots: Sequence[Path]) -> Iterator[Path]:
    for root in roots:
        try:
            yield root.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
