"""Static files by an address that changes when any of them changes, so that they may be cached for ever.

All files share one digest, ``/static/<digest>/holdfast.js``: the relative imports of ES modules then stay
inside one version, and a tab opened before an upgrade never mixes old scripts with new ones.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

STATIC = Path(__file__).parent / "static"
REQUIRED = ("early.js", "holdfast.js", "vendor/idiomorph.esm.js")
"""Files without which pages are served but nothing is live; the vendor file is made by ``tools/build_assets.py``."""


def files(root: Path = STATIC) -> tuple[Path, ...]:
    """Every static file, in a stable order; hidden files are left out."""
    found = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return tuple(sorted(found))


def digest(root: Path = STATIC) -> str:
    """16 hex digits over names and contents of all static files."""
    summed = hashlib.sha256()
    for path in files(root):
        summed.update(path.relative_to(root).as_posix().encode() + b"\0")
        summed.update(hashlib.sha256(path.read_bytes()).digest())
    return summed.hexdigest()[:16]


def missing(root: Path = STATIC) -> tuple[str, ...]:
    """The required files that are not there."""
    return tuple(name for name in REQUIRED if not (root / name).is_file())
