"""Where a repository keeps what: object folders (borrowed ones too), packs, loose objects, refs, reflogs, texts.

Rules:
1. Files are read here and never by git: no configuration, hook, pager or command of the repository runs.
2. Symbolic links are not followed, but for the folder that was named.
3. What is there and cannot be read is a fault.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.exposure.git import texts

_LOOSE = re.compile(r"[0-9a-f]{38}|[0-9a-f]{62}")
_FOLDER = re.compile(r"[0-9a-f]{2}")
_LARGEST_TEXT = 256 << 20
_ALTERNATES_DEEP = 5
_POINTERS = ("ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "AUTO_MERGE")


@dataclass(frozen=True, slots=True)
class PackFile:
    """A pack, with its index when it has one."""

    path: Path
    borrowed: bool
    """Whether it belongs to another repository that this one borrows from."""

    @property
    def index(self) -> Path:
        """Where its index is."""
        return self.path.with_suffix(".idx")

    @property
    def reverse(self) -> Path:
        """Where the order of its offsets is."""
        return self.path.with_suffix(".rev")


@dataclass(slots=True)
class Repository:
    """What is where."""

    home: Path
    """The git folder."""
    common: Path
    """The git folder that holds objects and refs: another one for a linked work tree."""
    width: int
    """Bytes of an object's id."""
    remotes: tuple[str, ...] = ()
    packs: list[PackFile] = field(default_factory=list)
    loose: list[tuple[str, Path]] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)
    """Files of interrupted writes among the objects."""
    refs: dict[str, str] = field(default_factory=dict)
    """Names to ids; ``HEAD`` among them."""
    head: str | None = None
    """The ref that HEAD stands for."""
    pointers: dict[str, str] = field(default_factory=dict)
    """Ids that are kept by something else than a ref: reflogs, ``ORIG_HEAD``, the shallow border."""
    moves: list[texts.Moved] = field(default_factory=list)
    shallow: list[str] = field(default_factory=list)
    promised: bool = False
    """Whether another repository promised what is missing (a partial clone)."""
    within: Path | None = None
    """Folder that everything has to lie in, where the repository is not trusted with the rest of the machine."""
    closed: bool = False
    """Whether the git folder itself lies outside, so that nothing of it may be read."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Where, and why it was not read."""

    def allows(self, path: Path, shown: str) -> bool:
        """Whether a path may be read; when it leads elsewhere, that is a fault."""
        if self.within is None or path.resolve().is_relative_to(self.within):
            return True
        self.faults.append((shown, "it leads out of what may be searched, and was not followed"))
        return False


def git_folder(path: Path) -> Path | None:
    """The git folder of a work tree, bare repository or ``.git`` file; none when it is no repository."""
    inner = path / ".git"
    if inner.is_file() and not inner.is_symlink():
        words = _text(inner) or ""
        named = words.partition("gitdir:")[2].strip()
        found = (path / named).resolve() if named else None
        return found if found is not None and _is_home(found) else None
    for one in (inner, path):
        if _is_home(one):
            return one
    return None


def lay_out(home: Path, within: Path | None = None) -> Repository:
    """Look where a repository keeps what; nothing of an object is read.

    Args:
        home: its git folder.
        within: folder that everything has to lie in; what leads out of it is a fault.
    """
    common = home
    if (named := _text(home / "commondir")) is not None:
        common = (home / named.strip()).resolve()
    found = Repository(home, common, 20, within=None if within is None else within.resolve())
    if not (found.allows(home, "the git folder") and found.allows(common, "the common folder")):
        found.closed = True
        return found
    config = _text(common / "config") or ""
    found.width, found.remotes = texts.id_width(config), texts.remotes(config)
    _objects(found, common / "objects", borrowed=False, deep=0, seen=set())
    _refs(found)
    _others(found)
    return found


def _is_home(path: Path) -> bool:
    head = path / "HEAD"
    if not (head.is_file() or head.is_symlink()):
        return False
    return (path / "objects").is_dir() or (path / "commondir").is_file()


def _text(path: Path) -> str | None:
    """A text file, or none when it is not there, too large or not to be read."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_TEXT:
            return None
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None


def _entries(found: Repository, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listed:
            return sorted(listed, key=lambda one: one.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        found.faults.append((str(folder), f"the folder cannot be read: {error.strerror}"))
        return []


def _objects(found: Repository, folder: Path, *, borrowed: bool, deep: int, seen: set[Path]) -> None:
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    if not found.allows(real, str(folder)):
        return
    if not real.is_dir():
        found.faults.append((str(folder), "the objects that the repository borrows are not here"))
        return
    for entry in _entries(found, real):
        if _FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
            _loose(found, entry.name, real / entry.name)
    _packs(found, real / "pack", borrowed=borrowed)
    listed = _text(real / "info" / "alternates")
    for line in (listed or "").split("\n"):
        if line and not line.startswith("#"):
            if deep >= _ALTERNATES_DEEP:
                found.faults.append((line, "repositories that borrow from one another too deep"))
                return
            _objects(found, real / line, borrowed=True, deep=deep + 1, seen=seen)


def _loose(found: Repository, start: str, folder: Path) -> None:
    for entry in _entries(found, folder):
        path = folder / entry.name
        if entry.is_symlink() and not found.allows(path, start + entry.name):
            continue
        if _LOOSE.fullmatch(entry.name) and len(entry.name) == 2 * found.width - 2:
            found.loose.append((start + entry.name, path))
        elif entry.is_file(follow_symlinks=False):
            found.leftovers.append(path)


def _packs(found: Repository, folder: Path, *, borrowed: bool) -> None:
    for entry in _entries(found, folder):
        path = folder / entry.name
        if entry.is_symlink() and not found.allows(path, entry.name):
            continue
        if path.suffix == ".pack":
            found.packs.append(PackFile(path, borrowed))
        elif path.suffix == ".promisor":
            found.promised = True
        elif entry.name.startswith("tmp_"):
            found.leftovers.append(path)


def _refs(found: Repository) -> None:
    symbolic: dict[str, str] = {}
    found.refs.update(texts.packed_refs(_text(found.common / "packed-refs") or ""))
    for home in dict.fromkeys((found.common, found.home)):
        for name, path in _files(found, home / "refs", "refs"):
            oid, other = texts.ref_content(_text(path) or "")
            if oid is not None:
                found.refs[name] = oid
            elif other is not None:
                symbolic[name] = other
    if (found.common / "reftable").exists():
        found.faults.append(("reftable", "refs are kept in a form that is not read, so what is reachable is not told"))
    oid, found.head = texts.ref_content(_text(found.home / "HEAD") or _link(found.home / "HEAD"))
    if oid is not None:
        found.refs["HEAD"] = oid
    for name, target in [*symbolic.items(), *([("HEAD", found.head)] if found.head else [])]:
        _follow(found, name, target, symbolic)


def _follow(found: Repository, name: str, target: str, symbolic: dict[str, str]) -> None:
    """Give a ref that stands for another the id of that one."""
    for _ in range(texts.MAX_DEPTH):
        if target in found.refs:
            found.refs[name] = found.refs[target]
            return
        target = symbolic.get(target, target)


def _link(path: Path) -> str:
    """What an old-fashioned HEAD, a symbolic link, stands for."""
    try:
        return f"ref: {path.readlink()}" if path.is_symlink() else ""
    except OSError:
        return ""


def _others(found: Repository) -> None:
    """What keeps objects besides refs."""
    for folder in {found.common / "logs", found.home / "logs"}:
        for name, path in _files(found, folder, ""):
            for moved in texts.reflog(name, _text(path) or ""):
                found.moves.append(moved)
                for one in (moved.before, moved.after):
                    if one.strip("0"):
                        found.pointers.setdefault(one, f"reflog of {name}")
    for name in _POINTERS:
        for one in texts.ids_in(_text(found.home / name) or ""):
            found.pointers.setdefault(one, name)
    for entry in _entries(found, found.common / "worktrees"):
        oid, _ = texts.ref_content(_text(found.common / "worktrees" / entry.name / "HEAD") or "")
        if oid is not None:
            found.refs[f"worktrees/{entry.name}/HEAD"] = oid
    found.shallow = list(texts.ids_in(_text(found.common / "shallow") or ""))


def _files(
    found: Repository, folder: Path, name: str, without: frozenset[Path] = frozenset()
) -> Iterator[tuple[str, Path]]:
    """Files below a folder with their names from there on; links are not followed."""
    waiting = [(folder, name)]
    while waiting:
        at, shown = waiting.pop()
        for entry in _entries(found, at):
            full = f"{shown}/{entry.name}" if shown else entry.name
            if entry.is_dir(follow_symlinks=False):
                if at / entry.name not in without:
                    waiting.append((at / entry.name, full))
            elif entry.is_file(follow_symlinks=False):
                yield full, at / entry.name


def own_files(repository: Repository, inner: list[Path]) -> Iterator[tuple[str, Path]]:
    """Every file of the git folder but packs, their indexes and loose objects: texts to be searched as they are.

    Args:
        repository: whose.
        inner: git folders of submodules below it, which are searched by themselves.
    """
    homes = [repository.common]
    if not repository.home.is_relative_to(repository.common):
        homes.append(repository.home)
    for home in homes:
        for name, path in _files(repository, home, "", frozenset(inner)):
            parts = name.split("/")
            if parts[0] == "objects" and len(parts) > 1:
                kept = parts[1] == "info" or (parts[1] == "pack" and path.suffix not in {".pack", ".idx", ".rev"})
                if not kept or parts[-1].startswith("tmp_"):
                    continue
            yield name, path


def nested(repository: Repository) -> list[Path]:
    """Git folders of submodules, which live below this one."""
    found: list[Path] = []
    waiting = [repository.common / "modules"]
    while waiting:
        at = waiting.pop()
        for entry in _entries(repository, at):
            path = at / entry.name
            if entry.is_dir(follow_symlinks=False):
                (found if _is_home(path) else waiting).append(path)
    return sorted(found)
