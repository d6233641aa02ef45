"""The files of a result beside its answers: the timeline for other tools, and the pictures."""

from __future__ import annotations

from pathlib import Path

from holdfast.app.investigating import Investigation


def write_files(found: Investigation, folder: Path) -> None:
    """Write them into a folder that exists."""
    del found, folder
