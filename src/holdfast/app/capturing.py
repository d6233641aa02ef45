"""Capturing evidence on the machine where it is: upload the bytes, then register what they are.

It runs in the client (the CLI, a collector) against a :class:`Sink`: the local application, or a remote server
(``POST …/objects`` for :meth:`Sink.put`, then the command ``evidence add`` for :meth:`Sink.register`).

Rules:
1. Bytes are kept as they are read; nothing is decoded, unpacked or followed.
2. A folder is walked in order of names, by open folders rather than by paths, so that a folder swapped for a
   symbolic link under our feet is not followed either.
3. What cannot be read whole is named with its reason, and the capture is *incomplete*: never silent, never clean.
4. A file that changes while it is read is kept as read, and says so.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from holdfast.app.ports import Clock
from holdfast.app.ports_capture import Collected, CommandOrder, Progress, Ran, Runner, Sink
from holdfast.app.ports_vault import ByteSource, Stored
from holdfast.evidence.events import Kind, Shortfall
from holdfast.evidence.manifests import (
    CommandRun,
    FolderEntry,
    Member,
    Span,
    command_manifest,
    folder_manifest,
    redacted_arguments,
)
from holdfast.evidence.media import HEAD, picture_type, sniff
from holdfast.evidence.names import display_name
from holdfast.kernel.canonical import canonical
from holdfast.kernel.errors import BadInputError, IncompleteError, NotFoundError
from holdfast.kernel.instants import format_instant

MAX_DEPTH = 100
"""Folders within folders; each costs an open file, and systems commonly allow 1,024 of those."""
MANIFEST_TYPE = "application/json"
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Collector:
    """Which program captures, and how far its clock is from the server's."""

    name: str
    version: str
    clock_offset_ms: int | None = None
    """This clock minus the server's, milliseconds; none when not measured."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the responder says of a capture; the rest is found out."""

    kind: Kind | None = None
    name: str | None = None
    origin: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Captured:
    """A finished capture."""

    evidence_id: str
    sha256: str
    size: int
    contents: int = 0
    """Files of a folder."""
    contents_size: int = 0
    shortfalls: tuple[Shortfall, ...] = ()
    """Empty when everything was read."""
    unread: tuple[str, ...] = ()
    """What could not be read, or not whole, each with its reason; to be shown to the responder."""
    exit_status: int | None = None
    """Of a command."""


@dataclass(slots=True)
class Tally:
    """Bytes and items so far, told to the progress callback."""

    tell: Progress
    done: int = 0
    items: int = 0

    def add(self, count: int) -> None:
        """Count bytes."""
        self.done += count
        self.tell(self.done, self.items)

    def finish(self) -> None:
        """Count an item."""
        self.items += 1
        self.tell(self.done, self.items)


@dataclass(slots=True)
class Capturer:
    """Captures into one sink."""

    sink: Sink
    clock: Clock
    collector: Collector
    progress: Progress = field(default=lambda _done, _items: None)

    def path(self, path: Path, labels: Labels = Labels()) -> Captured:
        """Capture a file or a folder, whichever it is."""
        return self.folder(path, labels) if path.is_dir() else self.file(path, labels)

    def file(self, path: Path, labels: Labels = Labels()) -> Captured:
        """Capture one file; a symbolic link named here is meant, and followed.

        Raises:
            NotFoundError: it cannot be opened.
            BadInputError: it is a device, a pipe or a socket.
            IncompleteError: reading it failed on the way; nothing is registered.
        """
        started = self.clock()
        tally = Tally(self.progress)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unopened(path.name, error) from None
        with os.fdopen(descriptor, "rb", buffering=0) as raw:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise _not_regular(path.name)
            stream = _Reading(raw, tally)
            try:
                stored = self.sink.put(stream, before.st_size)
            except _ReadFaultError as fault:
                raise _unread(path.name, fault) from None
            changed = _changed(before, os.fstat(descriptor), stored.size)
        tally.finish()
        shortfalls: tuple[Shortfall, ...] = ("changed",) if changed else ()
        named = _Named(_kind_of(stream.head), path.name, os.fspath(path.absolute()), sniff(stream.head))
        evidence_id = self._register(stored, labels, named, _Took(started, None, shortfalls))
        return Captured(evidence_id, stored.sha256, stored.size, shortfalls=shortfalls, unread=shortfalls)

    def stream(self, source: ByteSource, labels: Labels = Labels()) -> Captured:
        """Capture a stream such as standard input. An interruption (Ctrl-C) ends it, and it is incomplete.

        Raises:
            IncompleteError: reading it failed on the way; nothing is registered.
        """
        started = self.clock()
        tally = Tally(self.progress)
        stream = _Reading(source, tally, interruptible=True)
        try:
            stored = self.sink.put(stream, None)
        except _ReadFaultError as fault:
            raise _unread("standard input", fault) from None
        tally.finish()
        shortfalls: tuple[Shortfall, ...] = ("interrupted",) if stream.interrupted else ()
        named = _Named(_kind_of(stream.head), "standard input", "standard input", sniff(stream.head))
        evidence_id = self._register(stored, labels, named, _Took(started, None, shortfalls))
        return Captured(evidence_id, stored.sha256, stored.size, shortfalls=shortfalls, unread=shortfalls)

    def folder(self, path: Path, labels: Labels = Labels()) -> Captured:
        """Capture a folder: every file as an object of its own, and a manifest that names them all.

        Raises:
            NotFoundError: it cannot be opened.
        """
        started = self.clock()
        tally = Tally(self.progress)
        try:
            root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _unopened(path.name, error) from None
        try:
            entries = list(_Walk(self.sink, tally).entries(root))
        finally:
            os.close(root)
        document = folder_manifest(path.absolute().name, entries, self._span(started))
        stored = self._put_manifest(document)
        shortfalls = tuple(document["shortfalls"])
        named = _Named("folder_manifest", path.absolute().name, os.fspath(path.absolute()), MANIFEST_TYPE)
        evidence_id = self._register(stored, labels, named, _Took(started, stored.sha256, shortfalls))
        unread = tuple(
            f"{entry.path.decode(errors='replace')}: {entry.shortfall}" for entry in entries if entry.shortfall
        )
        return Captured(
            evidence_id, stored.sha256, stored.size, document["files"], document["bytes"], shortfalls, unread
        )

    def command(self, order: CommandOrder, labels: Labels, runner: Runner, redact: Callable[[str], str]) -> Captured:
        """Run a command and capture what it prints, with how it was called and how it ended.

        The item is its standard output; standard error and the rest hang on the manifest. ``redact`` takes the
        secrets out of one argument. Our own settings (``HOLDFAST_…``) are kept from the command.

        Raises:
            NotFoundError: it cannot be started.
        """
        started = self.clock()
        tally = Tally(self.progress)
        environment = {name: value for name, value in order.environment.items() if not name.startswith("HOLDFAST_")}
        outputs: dict[str, _Kept] = {}

        def consume(which: str, source: ByteSource) -> None:
            stream = _Reading(source, tally)
            stored = self.sink.put(stream, None)
            outputs[which] = _Kept(stored, stream.head)
            tally.finish()

        try:
            ran = runner.run(
                replace(order, environment=environment),
                lambda source: consume("stdout", source),
                lambda source: consume("stderr", source),
            )
        except _ReadFaultError as fault:
            raise _unread("the command's output", fault) from None
        stdout, stderr = outputs["stdout"], outputs["stderr"]
        run = _command_run(replace(order, environment=environment), ran, (stdout, stderr), redact)
        manifest = self._put_manifest(command_manifest(run, self._span(started)))
        named = _Named("command_history", " ".join(run.arguments)[:200], order.working_folder, sniff(stdout.head))
        took = _Took(started, manifest.sha256, ran.shortfalls)
        return Captured(
            self._register(stdout.stored, labels, named, took),
            stdout.stored.sha256,
            stdout.stored.size,
            shortfalls=ran.shortfalls,
            unread=ran.shortfalls,
            exit_status=ran.exit_status,
        )

    def _put_manifest(self, document: Mapping[str, Any]) -> Stored:
        raw = canonical(document)
        return self.sink.put(BytesIO(raw), len(raw))

    def _span(self, started: datetime) -> Span:
        return Span(started, self.clock(), self.collector.name, self.collector.version)

    def _register(self, stored: Stored, labels: Labels, named: _Named, took: _Took) -> str:
        return self.sink.register(
            Collected(
                sha256=stored.sha256,
                size=stored.size,
                kind=named.kind if labels.kind is None else labels.kind,
                name=_text(labels.name or named.name) or "unnamed",
                origin=_text(labels.origin or named.origin),
                media_type=named.media_type,
                source=labels.source,
                started=format_instant(took.started),
                ended=format_instant(self.clock()),
                collector=self.collector.name,
                collector_version=self.collector.version,
                clock_offset_ms=self.collector.clock_offset_ms,
                manifest=took.manifest,
                shortfalls=took.shortfalls,
            )
        )


@dataclass(frozen=True, slots=True)
class _Named:
    """What is said of a capture unless the responder says otherwise."""

    kind: Kind
    name: str
    origin: str
    media_type: str


@dataclass(frozen=True, slots=True)
class _Kept:
    stored: Stored
    head: bytes

    @property
    def member(self) -> Member:
        return Member(self.stored.sha256, self.stored.size)


@dataclass(frozen=True, slots=True)
class _Took:
    started: datetime
    manifest: str | None
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True, slots=True)
class _Walk:
    """Stores every file below an open folder, yielding entries. Only what the sink raises gets out."""

    sink: Sink
    tally: Tally

    def entries(self, folder: int, prefix: bytes = b"", depth: int = MAX_DEPTH) -> Iterator[FolderEntry]:
        """Entries of a folder and all within, each folder's in order of names."""
        try:
            names = sorted(os.fsencode(name) for name in os.listdir(folder))
        except OSError:
            yield FolderEntry(prefix + b".", 0, 0, shortfall="unreadable")
            return
        for name in names:
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except OSError:
                yield FolderEntry(prefix + name, 0, 0, shortfall="unreadable")
                continue
            found = FolderEntry(prefix + name, status.st_mode, status.st_mtime_ns)
            if stat.S_ISDIR(status.st_mode):
                yield from self._folder(folder, name, found, depth)
            elif stat.S_ISREG(status.st_mode):
                yield self._file(folder, name, found)
            else:
                yield _linked_or_special(folder, name, found)

    def _folder(self, folder: int, name: bytes, found: FolderEntry, depth: int) -> Iterator[FolderEntry]:
        if depth == 0:
            yield replace(found, shortfall="too_deep")
            return
        try:
            inner = os.open(name, _OPEN_FOLDER, dir_fd=folder)
        except OSError:
            yield replace(found, shortfall="unreadable")
            return
        try:
            yield found
            yield from self.entries(inner, found.path + b"/", depth - 1)
        finally:
            os.close(inner)

    def _file(self, folder: int, name: bytes, found: FolderEntry) -> FolderEntry:
        try:
            descriptor = os.open(name, _OPEN_FILE, dir_fd=folder)
        except OSError:
            return replace(found, shortfall="unreadable")
        with os.fdopen(descriptor, "rb", buffering=0) as raw:
            before = os.fstat(descriptor)
            found = replace(found, mode=before.st_mode, mtime_ns=before.st_mtime_ns)
            if not stat.S_ISREG(before.st_mode):
                return replace(found, shortfall="special")
            try:
                stored = self.sink.put(_Reading(raw, self.tally), before.st_size)
            except _ReadFaultError:
                return replace(found, shortfall="unreadable")
            changed = _changed(before, os.fstat(descriptor), stored.size)
        self.tally.finish()
        return replace(found, member=Member(stored.sha256, stored.size), shortfall="changed" if changed else None)


class _ReadFaultError(Exception):
    """The source, not the sink, failed."""


class _Reading:
    """A source that counts, remembers its head, and tells its own faults from the sink's."""

    def __init__(self, source: ByteSource, tally: Tally, *, interruptible: bool = False) -> None:
        self._source = source
        self._tally = tally
        self._interruptible = interruptible
        self.head = b""
        self.interrupted = False

    def read(self, size: int, /) -> bytes:
        if self.interrupted:
            return b""
        try:
            data = self._source.read(size)
        except OSError as error:
            raise _ReadFaultError(error.strerror or "input/output error") from None
        except KeyboardInterrupt:
            if not self._interruptible:
                raise
            self.interrupted = True
            return b""
        if data:
            if len(self.head) < HEAD:
                self.head = (self.head + data[:HEAD])[:HEAD]
            self._tally.add(len(data))
        return data


def _command_run(
    order: CommandOrder, ran: Ran, outputs: tuple[_Kept, _Kept], redact: Callable[[str], str]
) -> CommandRun:
    arguments, redacted = redacted_arguments(order.arguments, redact)
    return CommandRun(
        arguments=arguments,
        redacted=redacted,
        working_folder=order.working_folder,
        environment=order.environment,
        exit_status=ran.exit_status,
        signal=ran.signal,
        stdout=outputs[0].member,
        stderr=outputs[1].member,
        shortfalls=ran.shortfalls,
    )


def _linked_or_special(folder: int, name: bytes, found: FolderEntry) -> FolderEntry:
    if not stat.S_ISLNK(found.mode):
        return replace(found, shortfall="special")
    try:
        return replace(found, target=os.fsencode(os.readlink(name, dir_fd=folder)))
    except OSError:
        return replace(found, shortfall="unreadable")


def _changed(before: os.stat_result, after: os.stat_result, size: int) -> bool:
    return before.st_size != size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)


def _kind_of(head: bytes) -> Kind:
    return "screenshot" if picture_type(head) is not None else "file"


def _text(raw: str) -> str:
    """A name from the file system as text: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(raw).decode(errors="replace")


def _unopened(name: str, error: OSError) -> NotFoundError:
    return NotFoundError(
        "capture-not-opened",
        f"{display_name(name)} was not captured.",
        why=f"It cannot be opened ({error.strerror}).",
        next_step="Check the path and who may read it, then capture again.",
    )


def _not_regular(name: str) -> BadInputError:
    return BadInputError(
        "capture-not-a-file",
        f"{display_name(name)} was not captured.",
        why="It is a device, a pipe or a socket, not a file.",
        next_step="Send what it gives to standard input, and capture that.",
    )


def _unread(name: str, fault: _ReadFaultError) -> IncompleteError:
    return IncompleteError(
        "capture-read-failed",
        f"{display_name(name)} was not captured.",
        why=f"Reading it failed on the way ({fault}); nothing was kept of it.",
        next_step="Copy what can still be read (for example with dd conv=noerror), and capture the copy.",
    )
