"""Files read at places, without following links and without waiting for what is no file.

Rules:
1. A file is read, never mapped: it may become shorter while it is searched.
2. What changed while it was read is told; so is what the disk could not read.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | getattr(os, "O_BINARY", 0)


class NotReadableError(Exception):
    """A file cannot be opened; the message says why, without a full stop."""


class FileReader:
    """See :class:`holdfast.exposure.zips.Reader`."""

    def __init__(
        self, path: Path, heard: Callable[[int], None] | None = None, *, follow: bool = False, digest: bool = False
    ) -> None:
        """Open a file.

        Args:
            path: of a regular file.
            heard: is told the furthest byte that was read.
            follow: whether a link that a person named is followed.
            digest: whether the SHA-256 of what is read in order is taken.

        Raises:
            NotReadableError: it cannot be opened, or is no file.
        """
        try:
            self._file = os.open(path, _FLAGS & ~os.O_NOFOLLOW if follow else _FLAGS)
        except OSError as error:
            raise NotReadableError(why(error)) from error
        self._before = os.fstat(self._file)
        self.size = self._before.st_size
        self.trouble: str | None = None
        self._heard, self._furthest = heard, 0
        self._hash = hashlib.sha256() if digest else None
        self._hashed = 0
        if not stat.S_ISREG(self._before.st_mode):
            self.close()
            msg = "it is no file any more"
            raise NotReadableError(msg)

    def read(self, at: int, length: int) -> bytes:
        """See :class:`holdfast.exposure.zips.Reader`."""
        try:
            data = os.pread(self._file, length, at)
        except OSError as error:
            self.trouble = self.trouble or why(error)
            return b""
        end = at + len(data)
        if self._hash is not None and at <= self._hashed < end:
            self._hash.update(memoryview(data)[self._hashed - at :])
            self._hashed = end
        if end > self._furthest:
            self._furthest = end
            if self._heard is not None:
                self._heard(end)
        return data

    def after_hole(self, at: int) -> int:
        """See :class:`holdfast.exposure.zips.Reader`."""
        if self._hash is not None:
            return at
        try:
            return os.lseek(self._file, at, os.SEEK_DATA)
        except OSError as error:
            return self.size if error.errno == errno.ENXIO and at < self.size else at

    def close(self) -> None:
        """Close the file, and see whether it is what it was."""
        if self._file < 0:
            return
        after = os.fstat(self._file)
        same = (after.st_size, after.st_mtime_ns) == (self._before.st_size, self._before.st_mtime_ns)
        if not same and self.trouble is None:
            self.trouble = "it changed while it was read"
        os.close(self._file)
        self._file = -1

    @property
    def digest(self) -> str | None:
        """``sha256:…`` of the whole file; none unless all of it was read in order."""
        whole = self._hash is not None and self._hashed >= self.size
        return f"sha256:{self._hash.hexdigest()}" if self._hash is not None and whole else None


def why(error: OSError) -> str:
    """Why something cannot be read."""
    return f"cannot be read: {(error.strerror or 'no reason told').lower()}"
