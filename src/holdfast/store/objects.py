"""The evidence vault on a filesystem: ``objects/ab/cd/<digest>`` under one folder, and ``tmp/`` beside it.

Rules:
1. Bytes go to ``tmp/``, are fsynced there, and only then renamed to their digest; then the folder that holds
   the name is fsynced. So a name that is visible has all of its bytes on disk.
2. Folders are 0700 and files 0600. Nothing follows a symbolic link in place of an object.
3. An object that is already there is not written twice. The first time this process meets it, only the folder
   that holds its name is fsynced, because an earlier process may have died between rename and fsync.
4. A temporary file is locked while its writer lives; at start, those nobody locks are removed.

Not promised: that erased bytes are gone from the medium. On flash storage and on filesystems that copy on write,
only encrypting the whole disk does that.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from holdfast.app.ports_vault import ByteSource, Stored, Verdict
from holdfast.kernel.errors import BadInputError, DamagedError, TooLargeError

CHUNK = 1 << 20
"""Bytes read, hashed and written at a time: large enough that the hashing thread's hand-over costs nothing."""
_THREAD_FROM = 128 << 10
"""Chunks from this size are hashed on a second thread (hashlib lets go of the interpreter), smaller ones inline."""
_DEPTH = 8
"""Chunks that may wait for the hashing thread; :meth:`FilesystemVault.put` has two buffers more."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class FilesystemVault:
    """A vault in one folder; any number of threads may use it."""

    def __init__(self, root: Path) -> None:
        """Create the folders where they are missing and remove abandoned temporary files."""
        self._objects = root / "objects"
        self._temporary = root / "tmp"
        for folder in (root, self._objects, self._temporary):
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for folder in (root.parent, root):
            _fsync_folder(folder)
        self._locks = tuple(threading.Lock() for _ in range(256))
        self._settled: set[str] = set()
        self._clean()

    def begin(self, *, limit: int | None = None) -> FileUpload:
        """Start an upload of at most ``limit`` bytes."""
        return FileUpload(self, self._temporary, limit)

    def put(self, stream: ByteSource, *, limit: int | None = None) -> Stored:
        """Store a stream to its end, hashing one chunk while the next is written.

        Raises:
            TooLargeError: over ``limit`` bytes; nothing is kept.
        """
        upload = self.begin(limit=limit)
        try:
            for chunk in _chunks(stream):
                upload.write(chunk)
            return upload.commit()
        finally:
            upload.abort()

    def open(self, digest: str) -> BinaryIO:
        """The object's bytes, not re-hashed.

        Raises:
            DamagedError: the vault has no such object.
        """
        try:
            return os.fdopen(os.open(self._path(digest), _READ_ONLY), "rb")
        except OSError as error:
            raise DamagedError(
                "object-missing",
                f"The evidence with SHA-256 {digest[:12]}… cannot be read.",
                why=f"Its object cannot be opened in the vault ({error.strerror}).",
                next_step="Find out what else is wrong: holdfast fsck",
            ) from None

    def exists(self, digest: str) -> bool:
        """Whether the object is there, not re-hashed."""
        return self.size(digest) is not None

    def size(self, digest: str) -> int | None:
        """Bytes of the object, or none when it is missing."""
        try:
            return self._path(digest).lstat().st_size
        except FileNotFoundError:
            return None

    def verify(self, digest: str) -> Verdict:
        """Hash the object again. An object that cannot be read to its end differs."""
        try:
            descriptor = os.open(self._path(digest), _READ_ONLY)
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "differs"
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            try:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                return "differs"
        return "ok" if found == digest else "differs"

    def erase(self, digest: str) -> bool:
        """Remove the object durably; whether it was there."""
        path = self._path(digest)
        with self._lock(digest):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            _fsync_folder(path.parent)
        return True

    def iter_digests(self) -> Iterator[str]:
        """Every object, in order of digest. Files that are no objects are passed over."""
        for first in _sorted(self._objects):
            for second in _sorted(first):
                for path in _sorted(second):
                    if _DIGEST.fullmatch(path.name) and path == self._path(path.name):
                        yield path.name

    def settle(self, temporary: Path, stored: Stored) -> None:
        """Rename a temporary file, already fsynced, to its digest, durably; :class:`FileUpload` calls this."""
        target = self._path(stored.sha256)
        with self._lock(stored.sha256):
            self._make_shard(target.parent)
            os.replace(temporary, target)  # noqa: PTH105 - the tests inject a fault at this very call
            _fsync_folder(target.parent)
            self._settled.add(target.parent.name + target.parent.parent.name)

    def has_settled(self, stored: Stored) -> bool:
        """Whether the object is there already, and durable after this call.

        An object of another size is damaged: it counts as absent, so that the good bytes replace it.
        """
        target = self._path(stored.sha256)
        with self._lock(stored.sha256):
            if self.size(stored.sha256) != stored.size:
                return False
            shard = target.parent.name + target.parent.parent.name
            if shard not in self._settled:
                for folder in (target.parent, target.parent.parent, self._objects):
                    _fsync_folder(folder)
                self._settled.add(shard)
        return True

    def _make_shard(self, folder: Path) -> None:
        for made, holder in ((folder.parent, self._objects), (folder, folder.parent)):
            with contextlib.suppress(FileExistsError):
                made.mkdir(mode=_FOLDER_MODE)
            # Also when it existed: an earlier process may have died between mkdir and fsync.
            if folder.name + folder.parent.name not in self._settled:
                _fsync_folder(holder)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise BadInputError(
                "digest-malformed",
                "That is not the name of an object.",
                why="Objects are named by 64 lower-case hexadecimal digits (SHA-256).",
                next_step="Take the digest from the evidence item.",
            )
        return self._objects / digest[:2] / digest[2:4] / digest

    def _lock(self, digest: str) -> threading.Lock:
        return self._locks[int(digest[:2], 16)]

    def _clean(self) -> None:
        for path in _sorted(self._temporary):
            with contextlib.suppress(OSError):
                descriptor = os.open(path, _READ_ONLY)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                finally:
                    os.close(descriptor)


class FileUpload:
    """Bytes on their way into a :class:`FilesystemVault`; used by one thread at a time."""

    def __init__(self, vault: FilesystemVault, folder: Path, limit: int | None) -> None:
        """Create and lock the temporary file."""
        self._vault = vault
        self._limit = limit
        self._size = 0
        self._hash = hashlib.sha256()
        self._hasher: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self._path, self._descriptor = _temporary_file(folder)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Add bytes. A caller that reuses a buffer leaves it alone for the next ``8`` writes.

        Raises:
            TooLargeError: over the limit; the upload is aborted.
        """
        length = len(data)
        self._size += length
        if self._limit is not None and self._size > self._limit:
            self.abort()
            raise TooLargeError(
                "object-too-large",
                "The evidence was not stored.",
                why=f"It is larger than the limit of {self._limit} bytes for one object.",
                next_step="Split it (split --bytes), or ask an administrator to raise the limit.",
            )
        self._digest(data, length)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def commit(self) -> Stored:
        """Make the object durable and visible under its digest."""
        self._drain(0)
        stored = Stored(self._hash.hexdigest(), self._size)
        if not self._vault.has_settled(stored):
            os.fsync(self._descriptor)
            self._vault.settle(self._path, stored)
        self.abort()
        return stored

    def abort(self) -> None:
        """Drop what was written. Harmless after :meth:`commit`, and twice."""
        if self._hasher is not None:
            self._hasher.shutdown(wait=True, cancel_futures=True)
            self._hasher = None
        self._waiting.clear()
        if self._descriptor >= 0:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def _digest(self, data: bytes | bytearray | memoryview, length: int) -> None:
        if length < _THREAD_FROM:
            self._drain(0)
            self._hash.update(data)
            return
        if self._hasher is None:
            self._hasher = ThreadPoolExecutor(1, thread_name_prefix="vault-hash")
        self._drain(_DEPTH - 1)
        self._waiting.append(self._hasher.submit(self._hash.update, data))

    def _drain(self, left: int) -> None:
        while len(self._waiting) > left:
            self._waiting.popleft().result()


def _chunks(stream: ByteSource) -> Iterator[bytes | memoryview]:
    """Chunks of a stream; a stream that can fill a buffer fills ours in turn, which spares the copies."""
    readinto = getattr(stream, "readinto", None)
    if readinto is None:
        while chunk := stream.read(CHUNK):
            yield chunk
        return
    views: list[memoryview] = []
    turn = 0
    while True:
        # Buffers are made as they are first needed, so that a small file costs one.
        if turn == len(views):
            views.append(memoryview(bytearray(CHUNK)))
        view = views[turn]
        count = readinto(view)
        if not count:
            return
        yield view[:count]
        turn = (turn + 1) % (_DEPTH + 2)


def _temporary_file(folder: Path) -> tuple[Path, int]:
    """A new locked file. Tried again when a cleaner of another process took it before it was locked."""
    while True:
        path = folder / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE_MODE)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except NotADirectoryError:
        return []


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
