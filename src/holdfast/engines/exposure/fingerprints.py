"""The index of fingerprints: which of the known repositories and folders probably hold a secret, in milliseconds.

Rules:
1. A file for each place, for its owner only, written whole or not at all; it holds marks and no text of the place but
   its own name.
2. Asking maps the files and searches them by halves; it reads a few pages of each, whatever their size.
3. A file that is damaged, or was made under another key, is named as unusable. It is never an answer.
4. The index hints. It never makes anything clean: what changed since is not in it, nor what is spelled otherwise.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.engines.exposure.keeping import ExposureKey, private_folder, write_whole
from holdfast.exposure.fingerprints import MARK_BYTES, Head, mark, pack_head, probable, tokens, unpack_head
from holdfast.kernel.errors import IncompleteError, NotFoundError
from holdfast.kernel.secrets import SecretValue

_ENDING = ".marks"
_CHUNK = 8 << 20
if TYPE_CHECKING:
    from holdfast.exposure.marking import Buffer


@dataclass(frozen=True, slots=True)
class Unit:
    """Some contents of a place."""

    name: str
    """Of contents that never change, such as the checksum of a pack; empty for what is read each time."""
    buffers: Callable[[], Iterable[Buffer]]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of adding a place."""

    head: Head
    new_units: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the index says."""

    probable: tuple[tuple[Head, tuple[int, ...]], ...]
    """Places, and the numbers of the secrets they probably hold."""
    places: int
    """That were asked."""
    not_asked: tuple[int, ...]
    """Numbers of secrets without a token: the index cannot know them."""
    unusable: tuple[str, ...]
    """Files that could not be read."""


class FingerprintIndex:
    """The index below one private folder."""

    def __init__(self, folder: Path, key: ExposureKey) -> None:
        """Keep below a folder, which is made when the first place is added."""
        self._folder = folder
        self._key = key.key("index")[:16]
        self._proof = key.key("index heads")

    def add(self, where: str, name: str, units: Iterable[Unit], made: str) -> Added:
        """Add a place, or what is new of it.

        Args:
            where: its path, absolute.
            name: under which it is told.
            units: all its contents; those that never change and are covered already are not read again.
            made: the present time, RFC 3339.
        """
        from holdfast.exposure.marking import copied, gather, merged  # noqa: PLC0415 - numba is slow to load; asking needs none

        path = self._path(where)
        opened = _Opened.at(path, self._proof)
        known = frozenset(() if opened is None else opened.head.units)
        wanted = list(units)
        fresh = [one for one in wanted if not one.name or one.name not in known]
        counting = _Counting()
        gathered = [gather(counting.through(one.buffers()), self._key) for one in fresh]
        size = counting.size
        if opened is not None:
            # What is read each time is read anew, and what it held before stays: that is history as well.
            gathered.append(copied(opened.marks))
            size += opened.head.size
            opened.close()
        marks = merged(gathered)
        covered = tuple(sorted(known | {one.name for one in wanted if one.name}))
        head = Head(name, where, covered, len(marks), made, size)
        private_folder(self._folder)
        write_whole(path, pack_head(head, self._proof) + marks.astype("<u8").tobytes())
        return Added(head, len(fresh))

    def ask(self, secrets: Sequence[SecretValue]) -> Asked:
        """Which places probably hold which secrets."""
        wanted = [[mark(token, self._key) for token in tokens(secret.reveal())] for secret in secrets]
        found, unusable, places = [], [], 0
        for path in self._files():
            opened = _Opened.at(path, self._proof)
            if opened is None:
                unusable.append(path.name)
                continue
            places += 1
            numbers = tuple(probable(wanted, opened.marks))
            if numbers:
                found.append((opened.head, numbers))
            opened.close()
        silent = tuple(number for number, marks in enumerate(wanted) if not marks)
        return Asked(tuple(found), places, silent, tuple(unusable))

    def places(self) -> tuple[Head, ...]:
        """Every indexed place, by name."""
        heads = []
        for path in self._files():
            opened = _Opened.at(path, self._proof)
            if opened is not None:
                heads.append(opened.head)
                opened.close()
        return tuple(sorted(heads, key=lambda head: (head.name, head.where)))

    def drop(self, where: str) -> None:
        """Forget a place.

        Raises:
            NotFoundError: it is not indexed.
        """
        try:
            self._path(where).unlink()
        except FileNotFoundError:
            raise NotFoundError(
                "place-not-indexed",
                "Nothing was dropped.",
                why="There is no such place in the index.",
                next_step="See what there is: holdfast exposure index list",
            ) from None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_ENDING}"))

    def _path(self, where: str) -> Path:
        return self._folder / (hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:32] + _ENDING)


@dataclass(slots=True)
class _Opened:
    """A file of marks, mapped."""

    head: Head
    marks: memoryview
    _all: memoryview
    _map: mmap.mmap

    @classmethod
    def at(cls, path: Path, proof: bytes) -> _Opened | None:
        """Map a file; none when it is not there or not whole."""
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return None
        everything = memoryview(mapped)
        told = unpack_head(everything, proof)
        if told is None:
            everything.release()
            mapped.close()
            return None
        head, at = told
        marks = everything[at : at + head.count * MARK_BYTES].cast("Q")
        return cls(head, marks, everything, mapped)

    def close(self) -> None:
        self.marks.release()
        self._all.release()
        self._map.close()


class _Counting:
    """Counts the bytes that pass."""

    def __init__(self) -> None:
        self.size = 0

    def through(self, buffers: Iterable[Buffer]) -> Iterator[Buffer]:
        for buffer in buffers:
            self.size += len(buffer)
            yield buffer


def folder_unit(folder: Path) -> Unit:
    """Every plain file below a folder, as it is; git's own folders are left to whoever reads repositories.

    Raises:
        IncompleteError: (when read) a file cannot be read, so that the place would be covered in part only.
    """
    return Unit("", lambda: _files_below(folder))


def _files_below(folder: Path) -> Iterator[bytes | memoryview]:
    if folder.is_file():
        yield from _contents(folder)
        return
    for place, folders, names in os.walk(folder, onerror=_unread):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink():
                yield from _contents(path)


def _contents(path: Path) -> Iterator[bytes | memoryview]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size <= _CHUNK:
                yield file.read()
                return
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        _unread(error)
    else:
        yield memoryview(mapped)


def _unread(error: Exception) -> None:
    raise IncompleteError(
        "place-not-indexed-whole",
        "The place was not indexed.",
        why=f"A file in it cannot be read ({getattr(error, 'strerror', None) or type(error).__name__}).",
        next_step="Make it readable, or search without the index: holdfast exposure search --secret-stdin FOLDER",
    )
