"""Reading and trying packs as an outsider does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Event = dict[str, Any]


def plain_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of Holdfast."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")} | more


def events_of(pack: Path) -> list[Event]:
    """The ledger, in order: one JSON object a line."""
    return [json.loads(line) for line in member(pack, "data/record/events.jsonl").splitlines()]


def member(pack: Path, path: str) -> bytes:
    """A file of the pack, by its path inside the bag."""
    with tarfile.open(pack) as archive:
        (found,) = (one for one in archive.getmembers() if one.name.partition("/")[2] == path or one.name == path)
        stream = archive.extractfile(found)
        assert stream is not None
        return stream.read()


def members(pack: Path, below: str) -> dict[str, bytes]:
    """Every file below a folder of the bag."""
    with tarfile.open(pack) as archive:
        names = [one.name for one in archive.getmembers() if f"/{below}" in f"/{one.name}"]
    return {name: member(pack, name) for name in names}


def verify_with_holdfast(pack: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``holdfast verify``."""
    return _run([sys.executable, "-m", "holdfast.cli", "verify", str(pack), *options])


def verify_alone(pack: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The repository's ``verify_pack.py`` by an isolated Python: no Holdfast, no environment, no site-packages."""
    return _run([sys.executable, "-I", "-S", str(ROOT / "verify_pack.py"), str(pack), *options])


def flipped(pack: Path, copy: Path, path: str) -> Path:
    """A copy with the last bit of a file of the bag flipped."""
    with tarfile.open(pack) as archive:
        (found,) = (one for one in archive.getmembers() if one.name.partition("/")[2] == path or one.name == path)
    raw = bytearray(pack.read_bytes())
    raw[found.offset_data + found.size - 1] ^= 1
    copy.write_bytes(raw)
    return copy


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=plain_environment(NO_COLOR="1")
    )
