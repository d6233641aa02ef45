"""Sources as files, in the order of their shown paths, with a reason for each that cannot be read.

Rules:
1. Links within a folder are not followed: what they lead to may lie outside, and is read by its own path if inside.
2. Sockets, pipes and devices are never opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.app.ports_investigation import Source
from holdfast.engines.ingest.limits import Limits


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or a place that cannot be read: then with the reason."""

    path: Path
    shown: str
    item: str | None
    size: int
    trouble: str | None = None


def found(sources: Sequence[Source], limits: Limits) -> list[Found]:
    """Every file of the sources once, by shown path."""
    known: dict[str, Found] = {}
    for source in sources:
        for one in _source(source, limits):
            known.setdefault(f"{one.shown}\0{one.item or ''}", one)
    return [known[key] for key in sorted(known)]


def _source(source: Source, limits: Limits) -> Iterator[Found]:
    try:
        status = source.path.stat()  # a link that a person names is followed
    except OSError as fault:
        yield Found(source.path, source.shown, source.item, 0, _why(fault))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _folder(source.path, source.shown.rstrip("/") or "/", source.item, limits)
    else:
        yield _file(source.path, source.shown, source.item, status)


def _folder(top: Path, shown: str, item: str | None, limits: Limits) -> Iterator[Found]:
    waiting = [(top, shown, 0)]
    while waiting:
        folder, name, depth = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as fault:
            yield Found(folder, name, item, 0, _why(fault))
            continue
        for entry in listed:
            inner, told = folder / entry.name, _shown(f"{name.rstrip('/')}/{entry.name}")
            if not entry.is_dir(follow_symlinks=False):
                yield _entry(entry, inner, told, item)
            elif depth + 1 >= limits.folders:
                yield Found(inner, told, item, 0, f"folders more than {limits.folders} deep")
            else:
                waiting.append((inner, told, depth + 1))


def _entry(entry: os.DirEntry[str], path: Path, shown: str, item: str | None) -> Found:
    try:
        if entry.is_symlink():
            return Found(path, shown, item, 0, "a link: not followed")
        return _file(path, shown, item, entry.stat(follow_symlinks=False))
    except OSError as fault:
        return Found(path, shown, item, 0, _why(fault))


def _file(path: Path, shown: str, item: str | None, status: os.stat_result) -> Found:
    regular = stat.S_ISREG(status.st_mode)
    trouble = None if regular else "a special file: not opened"
    return Found(path, _shown(shown), item, status.st_size if regular else 0, trouble)


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _why(fault: OSError) -> str:
    return f"cannot be opened: {(fault.strerror or 'no reason told').lower()}"
