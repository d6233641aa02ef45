"""What is about to get in: staged contents, the contents of a range of commits, files; for checking before it does.

Rules:
1. Git runs in an empty folder of our own with our own configuration, and is lent the objects and the index only. So no
   configuration, hook, filter, external diff, text conversion, pager or remote of the repository takes part.
2. Contents are those that are committed, as bytes; the work tree is not looked at.
3. Of a range every commit is looked into by itself: what one adds and the next takes out is in the history. Merges tell
   what differs from all their parents. Messages and names of authors are looked into too.
4. What Git LFS keeps elsewhere is read from its folder here, or is a fault. Links to other repositories (submodules)
   have no contents here; whoever commits there checks there.
5. What cannot be read is a fault; a repository that cannot be is an error.

Not handled here: archives are not opened (``holdfast exposure search`` does).
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from holdfast.engines.exposure.git_layout import git_folder
from holdfast.exposure.checking import Item
from holdfast.exposure.git import texts
from holdfast.exposure.results import Fault
from holdfast.kernel.errors import IncompleteError, NotFoundError

PIECE = 32 << 20
"""Bytes that are looked into at once."""
_SECONDS = 300
_GIT = (
    *("git", "--no-pager", "--no-replace-objects", "--literal-pathspecs"),
    *("-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-c", "core.quotepath=false"),
)
_RAW = (
    "--raw",
    "-z",
    "-r",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=none",
)
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
}
_EMPTY_TREES = {
    20: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    32: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REVISION = re.compile(r"(?P<name>[A-Za-z0-9@][A-Za-z0-9._/@{}+-]{0,250}?)(?P<steps>(?:[~^][0-9]*)*)")
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_OID = re.compile(rb"^oid sha256:(?P<oid>[0-9a-f]{64})$", re.MULTILINE)
_LINK = "160000"


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit, or what is staged, changes."""

    path: bytes
    before: tuple[str, ...]
    """Ids of its contents in the versions before."""
    after: str | None
    """Id of its new contents; none when it goes."""
    commit: str | None = None

    @property
    def shown(self) -> str:
        """The path as text."""
        return self.path.decode("utf-8", "backslashreplace")


class Repository:
    """A developer's repository, lent to git."""

    def __init__(self, place: Path, environment: Mapping[str, str]) -> None:
        """Find the repository of a folder.

        Args:
            place: the folder, or one below.
            environment: of a hook: git tells it where index and objects are while it commits.

        Raises:
            NotFoundError: the folder is in no repository.
        """
        self.top, self._home = _found(place, environment)
        self._common = _common(self._home)
        self._width = texts.id_width(_read(self._common / "config"))
        self._index = Path(environment.get("GIT_INDEX_FILE") or self._home / "index")
        if not self._index.is_absolute():
            self._index = (self.top or place) / self._index
        self._objects = environment.get("GIT_OBJECT_DIRECTORY") or str(self._common / "objects")
        self._alternates = environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
        self._lent: tempfile.TemporaryDirectory[str] | None = None
        self._environment: dict[str, str] = {}
        self._changes: list[Change] = []

    def __enter__(self) -> Self:
        """Make the folder of our own."""
        self._lent = tempfile.TemporaryDirectory(prefix="hf-git-")
        own = Path(self._lent.name)
        for name in ("refs", "objects"):
            (own / name).mkdir()
        (own / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        wide = self._width == 32  # noqa: PLR2004 - bytes of SHA-256
        extra = "[extensions]\n\tobjectformat = sha256\n" if wide else ""
        config = f"[core]\n\trepositoryformatversion = {int(wide)}\n\tbare = true\n{extra}"
        (own / "config").write_text(config, encoding="ascii")
        with suppress(OSError):
            (own / "shallow").write_bytes((self._common / "shallow").read_bytes())
        for shared in self._home.glob("sharedindex.*"):
            (own / shared.name).symlink_to(shared.absolute())
        self._environment = {
            **_ENVIRONMENT,
            "GIT_DIR": str(own),
            "GIT_OBJECT_DIRECTORY": str(Path(self._objects).absolute()),
            "GIT_INDEX_FILE": str(self._index.absolute()),
        }
        if self._alternates:
            self._environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = self._alternates
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        if self._lent is not None:
            self._lent.cleanup()

    def staged(self, window: int) -> Iterator[Item | Fault]:
        """Contents that the next commit would bring in."""
        base = self._ref("HEAD") or _EMPTY_TREES[self._width]
        self._changes = list(_changes(self._run("diff-index", "--cached", *_RAW, base).split(b"\0")))
        yield from self._items(self._changes, window)

    def between(self, span: str, window: int) -> Iterator[Item | Fault]:
        """Contents that the commits of ``A..B`` bring in, oldest first; ``..B`` is all of B."""
        first, _, last = span.partition("..")
        wanted = [self._commit(last or "HEAD")]
        if first.strip("0"):
            wanted.append(f"^{self._commit(first)}")
        commits = self._run("rev-list", "--reverse", "--topo-order", *wanted, "--").decode().split()
        asked = "".join(f"{one}\n" for one in commits).encode()
        listed = self._run("diff-tree", "--stdin", "-c", "--root", "--always", *_RAW, given=asked).split(b"\0")
        if not set(commits) <= {one.decode("latin-1").strip() for one in listed}:
            raise _unreadable("git did not tell every commit")
        self._changes = list(_changes(listed))
        yield from self._messages(commits)
        yield from self._items(self._changes, window)

    def removed(self, commit: str | None) -> Iterator[bytes]:
        """Contents that go with a commit, or with what is staged."""
        gone = [one for one in self._changes if one.after is None and one.commit == commit]
        with _Contents(self._environment) as contents:
            for one in gone:
                for oid in one.before:
                    yield b"".join(contents.pieces()) if contents.open(oid) is not None else b""

    def documents(self, name: str, span: str | None = None) -> dict[str, bytes]:
        """All versions of a file of ours that count: in the work tree, in the index, and where the change begins."""
        found: dict[str, bytes] = {}
        if self.top is not None:
            with suppress(OSError):
                found["work tree"] = (self.top / name).read_bytes()
        first, _, last = (span or "").partition("..")
        bases = [self._commit(one) for one in (first, last or "HEAD") if one.strip("0")] if span else []
        if span is None:
            head = self._ref("HEAD")
            bases = ["", *([head] if head else [])]
        with _Contents(self._environment) as contents:
            for base in bases:
                if contents.open(f"{base}:{name}") is not None:
                    found[base or "index"] = b"".join(contents.pieces())
        return found

    def _messages(self, commits: Sequence[str]) -> Iterator[Item | Fault]:
        with _Contents(self._environment) as contents:
            for commit in commits:
                if contents.open(commit) is None:
                    yield Fault(str(self._home), commit, "the commit is missing")
                else:
                    yield Item("", b"".join(contents.pieces()), object=commit, commit=commit)

    def _items(self, changes: Iterable[Change], window: int) -> Iterator[Item | Fault]:
        with _Contents(self._environment) as contents:
            for change in changes:
                if change.after is not None:
                    yield from self._item(contents, change, change.after, window)

    def _item(self, contents: _Contents, change: Change, oid: str, window: int) -> Iterator[Item | Fault]:
        before: bytes | None = None
        sizes = [contents.size(one) for one in (oid, *change.before)]
        if change.before and all(size is not None and size <= PIECE for size in sizes):
            before = b"\n".join(b"".join(contents.pieces()) for one in change.before if contents.open(one) is not None)
        if contents.open(oid) is None:
            yield Fault(str(self.top or self._home), change.shown, f"its contents are missing (object {oid[:12]})")
            return
        pointer = b""
        for item in pieced(contents.pieces(), window, Item(change.shown, b"", oid, change.commit, before)):
            pointer = item.data if item.offset == 0 else b""
            yield item
        if pointer.startswith(_LFS):
            yield from self._large(change, pointer, window)

    def _large(self, change: Change, pointer: bytes, window: int) -> Iterator[Item | Fault]:
        """What a pointer of Git LFS stands for, where it is here."""
        match = _LFS_OID.search(pointer)
        name = match["oid"].decode() if match else "0" * 64
        path = self._common / "lfs" / "objects" / name[:2] / name[2:4] / name
        try:
            with path.open("rb") as stream:
                yield from pieced(_chunks(stream), window, Item(change.shown, b"", name, change.commit))
        except OSError:
            yield Fault(str(self.top or self._home), change.shown, "its contents are kept elsewhere (Git LFS)")

    def _commit(self, revision: str) -> str:
        """The commit that a revision names."""
        match = _REVISION.fullmatch(revision)
        if match is None:
            raise _unreadable(f"{revision[:60]} names no commit")
        name = match["name"].replace("@{upstream}", "")
        base = name if _ID.fullmatch(name) else self._ref("HEAD" if name == "@" else name)
        told = self._run("rev-parse", "--verify", "--end-of-options", f"{base or name}{match['steps']}^{{commit}}")
        return told.decode().strip()

    def _ref(self, name: str) -> str | None:
        """What HEAD or another ref stands for; none when there is nothing of that name."""
        if (self._common / "reftable").exists():
            raise _unreadable("it keeps its refs in a form that is not read here")
        packed = dict(texts.packed_refs(_read(self._common / "packed-refs")))
        for _ in range(5):
            full = next((one for one in _spellings(name) if one in packed or self._loose(one)), None)
            if full is None:
                return None
            oid, other = texts.ref_content(self._loose(full) or packed.get(full, ""))
            if oid is not None or other is None:
                return oid
            name = other
        return None

    def _loose(self, name: str) -> str:
        if ".." in name or name.startswith("/"):
            return ""
        return _read(self._home / name) or _read(self._common / name)

    def _run(self, *arguments: str, given: bytes | None = None) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - git with our own arguments
                [*_GIT, *arguments],
                input=given if given is not None else b"",
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env=self._environment,
            )
        except FileNotFoundError:
            raise _unreadable("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise _unreadable(f"it took longer than {_SECONDS} seconds") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise _unreadable(said[-1][:200] if said else f"git ended with {done.returncode}")
        return done.stdout


class _Contents:
    """Contents of objects, one process for all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - git with our own arguments
            [*_GIT, "cat-file", "--batch-command", "--buffer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
        )
        self._left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def size(self, name: str) -> int | None:
        """Bytes of an object; none when it is missing."""
        return self._asked("info", name)

    def open(self, name: str) -> int | None:
        """Ask for an object, whose :meth:`pieces` have to be taken next; its bytes, or none when it is missing."""
        size = self._asked("contents", name)
        self._left = 0 if size is None else size + 1
        return size

    def pieces(self) -> Iterator[bytes]:
        """What was opened."""
        stream = self._process.stdout
        assert stream is not None
        while self._left > 1:
            piece = stream.read(min(1 << 20, self._left - 1))
            if not piece:
                raise _unreadable("git ended while it told an object")
            self._left -= len(piece)
            yield piece
        stream.read(self._left)
        self._left = 0

    def _asked(self, command: str, name: str) -> int | None:
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        try:
            asked.write(f"{command} {name}\nflush\n".encode("utf-8", "surrogateescape"))
            asked.flush()
        except BrokenPipeError:
            raise _unreadable("git ended while it was asked for an object") from None
        head = answered.readline().split()
        return int(head[2]) if len(head) == 3 and head[2].isdigit() else None  # noqa: PLR2004 - id, kind, size


def files(paths: Sequence[Path], window: int) -> Iterator[Item | Fault]:
    """Contents of files and of folders, without the git folders in them; links are not followed."""
    for given in paths:
        for path in _walked(given):
            if isinstance(path, Fault):
                yield path
                continue
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            try:
                with path.open("rb") as stream:
                    yield from pieced(_chunks(stream), window, Item(shown, b""))
            except OSError as error:
                yield Fault(str(given), shown, f"it cannot be read: {error.strerror or type(error).__name__}")


def pieced(chunks: Iterable[bytes], window: int, like: Item) -> Iterator[Item]:
    """Contents in pieces that overlap, so that nothing is cut in all of them; at least one piece."""
    held, size, offset, line, told = [b""], 0, 0, 1, False
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PIECE + window:
            data = b"".join(held)
            yield _piece(like, data, offset, line)
            told = True
            gone = size - window
            line += data.count(b"\n", 0, gone)
            offset += gone
            held, size = [data[gone:]], window
    if size or not told:
        yield _piece(like, b"".join(held), offset, line)


def _piece(like: Item, data: bytes, offset: int, line: int) -> Item:
    return Item(like.path, data, like.object, like.commit, like.before, offset, line)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(1 << 20):
        yield piece


def _walked(given: Path) -> Iterator[Path | Fault]:
    if given.is_file():
        yield given
        return
    faults: list[OSError] = []
    for folder, names, found in os.walk(given, onerror=faults.append):
        names[:] = sorted(name for name in names if name != ".git")
        for name in sorted(found):
            path = Path(folder) / name
            if not path.is_symlink() and (path.is_file() or not path.exists()):
                yield path
    for fault in faults:
        yield Fault(str(given), str(fault.filename), f"it cannot be read: {fault.strerror}")


def _changes(tokens: Iterable[bytes]) -> Iterator[Change]:
    """What ``--raw -z`` says: of each file modes, ids and status, then its path; of each commit its id before."""
    commit: str | None = None
    rest = iter(tokens)
    for token in rest:
        if not token.startswith(b":"):
            commit = token.decode().strip() or commit
            continue
        parents = len(token) - len(token.lstrip(b":"))
        fields = token.lstrip(b":").decode().split(" ")
        path = next(rest)
        modes, ids = fields[: parents + 1], fields[parents + 1 : 2 * parents + 2]
        before = tuple(oid for mode, oid in zip(modes[:-1], ids[:-1], strict=True) if mode != _LINK and oid.strip("0"))
        after = ids[-1] if ids[-1].strip("0") and modes[-1] != _LINK else None
        if after is not None or (before and modes[-1] != _LINK):
            yield Change(path, before, after, commit)


def _found(place: Path, environment: Mapping[str, str]) -> tuple[Path | None, Path]:
    """The work tree, if there is one, and the git folder."""
    named = environment.get("GIT_DIR")
    if named:
        home = (place / named).resolve()
        inside = home.parent if home.name == ".git" else place
        top = environment.get("GIT_WORK_TREE")
        return ((place / top).resolve() if top else inside.resolve()), home
    start = place.resolve()
    for folder in (start, *start.parents):
        home_of = git_folder(folder)
        if home_of is not None:
            return (folder if (folder / ".git").exists() else None), home_of
    raise NotFoundError(
        "repository-not-found",
        "Nothing was checked.",
        why=f"{place} is in no git repository.",
        next_step="Run it within a repository, or name files: holdfast exposure check PATH --rules",
    )


def _common(home: Path) -> Path:
    named = _read(home / "commondir").strip()
    return (home / named).resolve() if named else home


def _spellings(name: str) -> tuple[str, ...]:
    return name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    except OSError:
        return ""


def _unreadable(why: str) -> IncompleteError:
    return IncompleteError(
        "repository-not-checked",
        "The check is incomplete, so it counts as failed.",
        why=f"Git cannot read what was to be checked: {why}.",
        next_step="Make it whole (git fsck; in CI fetch the full history), then: holdfast exposure check --staged",
    )
