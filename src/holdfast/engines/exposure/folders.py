"""Folders and files, searched with everything they hold.

Rules:
1. Links are not followed, except the one a person named; where a link leads to is searched as text.
2. Names are searched, and what file systems keep beside a file. Pipes, sockets and devices are never opened.
3. A repository within is handed on as one; what is checked out of it is searched as files.
4. What cannot be read, or changed meanwhile, is a fault: never clean.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from holdfast.app.ports_exposure import Listener, Target
from holdfast.engines.exposure import images
from holdfast.engines.exposure.limits import Limits
from holdfast.engines.exposure.reading import FileReader, NotReadableError, why
from holdfast.engines.exposure.unpacking import Wishes, search_bytes, search_reader
from holdfast.exposure import exports, naming, oci
from holdfast.exposure.matching import Matcher, matcher
from holdfast.exposure.naming import shown
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Hit, Totals
from holdfast.exposure.unpacked import Found, Inward

Repository = Callable[[Path, Target, Query, Listener], Totals]
"""Searches a repository: a ``.git`` folder or file, a bare repository, a bundle or a lone pack."""
SPECIAL = "special files (pipes, sockets, devices)"
KERNEL = "file systems of the kernel"
_KERNEL = frozenset({"/proc", "/sys", "/dev"})
_BARE = frozenset({"HEAD", "objects", "refs"})
_BUNDLES = (b"# v2 git bundle\n", b"# v3 git bundle\n")
_PACK = b"PACK\x00\x00\x00"
_DEEPEST = 1_000
_TOLD_EVERY = 8 << 20
_WISHES = Wishes(digest=oci.worth_checking, keep=oci.worth_keeping)


class FolderSearcher:
    """See :class:`holdfast.app.ports_exposure.Searcher`."""

    def __init__(self, repository: Repository, limits: Limits | None = None, *, plain: bool = False) -> None:
        """Search with what searches repositories, and within limits; ``plain`` with the reference engine."""
        self._repository, self._limits, self._plain = repository, limits or Limits(), plain

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        """Look everywhere in a folder or file."""
        anchors = query.matcher(plain=self._plain)
        walk = _Walk(target, query, listener, self._repository, self._limits, anchors)
        top = Path(target.where)
        try:
            status = top.stat()
        except (OSError, ValueError) as error:
            listener.fault(Fault(target.shown, "", why(error) if isinstance(error, OSError) else "no path"))
            return Totals()
        if stat.S_ISDIR(status.st_mode):
            walk.total = _sizes(top)
            walk.folder(top)
        else:
            walk.total = status.st_size
            walk.one(top, top.name, status, follow=True)
        return walk.totals


@dataclass(slots=True)
class _Walk:
    target: Target
    query: Query
    listener: Listener
    repository: Repository
    limits: Limits
    matcher: Matcher
    totals: Totals = field(default_factory=Totals)
    total: int = 0
    _done: int = 0
    _told: int = 0

    # -- folders

    def folder(self, top: Path) -> None:
        """Everything below, in the order of names."""
        waiting = [(top, "")]
        while waiting:
            folder, name = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.fault(name, why(error))
                continue
            below = self._listed(folder, name, listed)
            if name.count("/") >= _DEEPEST and below:
                self.fault(name, f"folders more than {_DEEPEST} deep are not searched")
                continue
            waiting += reversed(below)

    def _listed(self, folder: Path, name: str, listed: list[os.DirEntry[str]]) -> list[tuple[Path, str]]:
        """Search what a folder lists; returns the folders in it."""
        names = {entry.name for entry in listed}
        if names >= _BARE and _is_folder(folder / "objects"):
            self._hand_on(folder, name)
            return []
        if "oci-layout" in names and "index.json" in names:
            self._layout(folder, name)
            listed = [entry for entry in listed if entry.name != "blobs"]
        below: list[tuple[Path, str]] = []
        for entry in listed:
            inner, path = folder / entry.name, f"{name}/{entry.name}" if name else entry.name
            self._name(path)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                self.fault(path, why(error))
                continue
            if stat.S_ISDIR(status.st_mode):
                self._attributes(inner, path)
                if str(inner) in _KERNEL:
                    self._not_searched(KERNEL)
                elif entry.name == ".git" and _is_folder(inner / "objects"):
                    self._hand_on(inner, path)
                else:
                    below.append((inner, path))
            else:
                self.one(inner, path, status)
        return below

    def one(self, path: Path, name: str, status: os.stat_result, *, follow: bool = False) -> None:
        """Search one thing that is no folder."""
        if follow:
            self._name(name)
        self._attributes(path, name)
        if stat.S_ISLNK(status.st_mode):
            self._link(path, name)
        elif stat.S_ISREG(status.st_mode):
            self._file(path, name, follow=follow)
        else:
            self._not_searched(SPECIAL)

    # -- what has no content of its own

    def _name(self, name: str) -> None:
        """Search a name; of its folders only what reaches into the last part, for those were told by themselves."""
        raw = os.fsencode(name)
        last = raw.rfind(b"/") + 1
        for match in self.query.confirm(raw, found) if (found := self.matcher.find(raw)) else ():
            if match.end > last:
                hit = Hit(self.target.shown, "file", match.form, match.cls, match.secret, path=shown(name))
                hit = replace(hit, start=match.start, end=match.end, unknown=match.unknown)
                self._hit(replace(hit, about=(("in", "name"),)))

    def _link(self, path: Path, name: str) -> None:
        try:
            leads_to = os.fsencode(path.readlink())
        except OSError as error:
            self.fault(name, why(error))
            return
        self._small(leads_to, name, "where the link leads to")

    def _attributes(self, path: Path, name: str) -> None:
        """What a file system keeps beside a file."""
        try:
            keys = os.listxattr(path, follow_symlinks=False)
        except OSError:
            return  # most file systems, and most files, have none
        for key in keys:
            try:
                value = os.getxattr(path, key, follow_symlinks=False)
            except OSError as error:
                self.fault(name, f"its attribute {shown(key)} {why(error)}")
                continue
            self._small(os.fsencode(key) + b"\n" + value, name, f"attribute {shown(key)}")

    def _small(self, data: bytes, name: str, what: str) -> None:
        found = search_bytes(data, self.query, self.matcher, self.limits)
        base = replace(self._base(name), about=(("in", what),))
        self._tell(name, found, naming.hits(base, name, found, lambda _wanted: {}))

    # -- files

    def _file(self, path: Path, name: str, *, follow: bool = False) -> None:
        try:
            reader = FileReader(path, self._progress(name), follow=follow)
        except NotReadableError as error:
            self.fault(name, str(error))
            return
        try:
            head = reader.read(0, 16)
            if head.startswith(_BUNDLES) or head.startswith(_PACK) or (path.name == ".git" and head[:7] == b"gitdir:"):
                self._hand_on(path, name)
            found = search_reader(reader, self.query, self.matcher, self.limits, _WISHES)
            hits = naming.hits(self._base(name), name, found, lambda wanted: self._documents(reader, path, wanted))
            hits, faults = images.saved_images(hits, found)
            for reason in faults:
                self.fault(name, reason)
            self._tell(name, found, hits)
        finally:
            reader.close()
            self._done += reader.size
        if reader.trouble is not None:
            self.fault(name, reader.trouble)

    def _documents(self, reader: FileReader, path: Path, wanted: frozenset[Inward]) -> Mapping[Inward, bytes]:
        """Members of a file that name what was found in it."""
        found = search_reader(reader, self.query, matcher(()), self.limits, Wishes(documents=wanted))
        if exports.is_day_of_channel(str(path)) and len(path.parents) > 1:
            people = self._beside(path.parents[1] / "users.json")
            return {**found.documents, ("users.json",): people}
        return found.documents

    def _beside(self, path: Path) -> bytes:
        try:
            reader = FileReader(path)
        except NotReadableError:
            return b""  # names are a help only: ids are told instead
        try:
            return reader.read(0, reader.size) if reader.size <= self.limits.document else b""
        finally:
            reader.close()

    def _hand_on(self, path: Path, name: str) -> None:
        inner = replace(self.target, where=str(path), shown=shown(f"{self.target.shown}/{name}".rstrip("/")))
        self.totals += self.repository(path, inner, self.query, self.listener)

    def _layout(self, folder: Path, name: str) -> None:
        layout = images.Layout(folder, name, self.query, self.matcher, self.limits)

        def progress(path: str) -> Callable[[int], None]:
            heard = self._progress(path)
            return lambda furthest: heard(layout.size + furthest)

        for path, found, hits in layout.search(self._base, progress):
            self._tell(path, found, hits)
        for where, reason in layout.faults:
            self.fault(where, reason)
        self._done += layout.size

    # -- telling

    def _base(self, name: str) -> Hit:
        return Hit(self.target.shown, "file", "raw", "exact", path=shown(name), visibility=self.target.visibility)

    def _tell(self, name: str, found: Found, hits: list[Hit]) -> None:
        for hit in hits:
            self._hit(hit)
        for inner, reason in found.faults:
            self.listener.fault(Fault(self.target.shown, naming.where(name, inner), shown(reason)))
        self.totals += Totals(
            files=1 + found.members,
            bytes_read=found.read,
            bytes_inflated=found.read + found.inflated,
            bytes_matched=found.matched,
            not_searched=frozenset(found.not_searched),
        )

    def _hit(self, hit: Hit) -> None:
        self.listener.hit(replace(hit, visibility=self.target.visibility))

    def fault(self, name: str, reason: str) -> None:
        """Tell what could not be looked into."""
        self.listener.fault(Fault(self.target.shown, shown(name), shown(reason)))

    def _not_searched(self, what: str) -> None:
        self.totals += Totals(not_searched=frozenset({what}))

    def _progress(self, name: str) -> Callable[[int], None]:
        def heard(furthest: int) -> None:
            done = self._done + furthest
            if done - self._told >= _TOLD_EVERY or done >= self.total:
                self._told = done
                self.listener.progress(done, max(self.total, done), shown(name))

        return heard


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _sizes(top: Path) -> int:
    """Bytes of the files below, as far as they can be seen: what progress is measured by."""
    total = 0
    waiting = [str(top)]
    while waiting:
        folder = waiting.pop()
        if folder in _KERNEL:
            continue
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != ".git":
                            waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # the search itself tells
    return total
