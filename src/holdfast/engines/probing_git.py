"""Looking into a git repository's present version: is the file still there, is the secret still in it?

Rules:
1. The repository was captured from elsewhere, so nothing of it is trusted. Git runs in an empty folder of our own with
   our own configuration and is lent the captured objects only; HEAD and the refs are read here. So no configuration,
   hook, filter, replacement or remote of the captured repository takes part. One that borrows objects from another
   (alternates), or keeps its refs in another form, is ``cannot_tell``.
2. A secret is looked for as bytes in every file of the version, in memory; it is in no argument, log or result.
3. Files above 64 MiB, submodules, files kept elsewhere (Git LFS) and a version that cannot be read make the answer
   ``cannot_tell``, unless the secret was found in another file.

Not handled here: earlier versions (the exposure search walks history) and encodings of the secret.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from holdfast.investigation.probing import ProbeQuestion, ProbeResult, Standing

LARGEST = 64 << 20
_SECONDS = 120
_SHA256 = 64
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,250}")
_GIT = ("git", "--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
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
_LFS = b"version https://git-lfs.github.com/spec/"


class UnreadableRepositoryError(Exception):
    """Git cannot read the repository or the version; the message says what it said."""


@dataclass(frozen=True, slots=True)
class _File:
    path: bytes
    kind: str
    blob: str
    size: int


class _Objects:
    """The objects of a captured repository, read through a folder of our own."""

    def __init__(self, folder: Path, commit: str) -> None:
        self._commit = commit
        self._home = tempfile.TemporaryDirectory(prefix="hf-git-")
        home = Path(self._home.name)
        for name in ("refs", "objects"):
            (home / name).mkdir()
        (home / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        long = len(commit) == _SHA256
        extra = "[extensions]\n\tobjectformat = sha256\n" if long else ""
        config = f"[core]\n\trepositoryformatversion = {int(long)}\n\tbare = true\n{extra}"
        (home / "config").write_text(config, encoding="ascii")
        self._environment = {
            **_ENVIRONMENT,
            "GIT_DIR": str(home),
            "GIT_OBJECT_DIRECTORY": str(_git_folder(folder) / "objects"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._home.cleanup()

    def files(self) -> Iterator[_File]:
        """Every file of the version."""
        for line in self._run("ls-tree", "-r", "-z", "--long", "--full-tree", self._commit).split(b"\0"):
            if line:
                about, _, path = line.partition(b"\t")
                _, kind, blob, size = about.decode().split()
                yield _File(path, kind, blob, int(size) if size.isdigit() else 0)

    def contents(self, files: list[_File]) -> Iterator[tuple[_File, bytes]]:
        """Contents of blobs, one process for all; a missing one is an error, since absence cannot be told then."""
        with subprocess.Popen(  # noqa: S603 - git with our own arguments
            [*_GIT, "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for file in files:
                process.stdin.write(f"{file.blob}\n".encode())
                process.stdin.flush()
                head = process.stdout.readline().split()
                if len(head) != 3 or head[1] != b"blob":  # noqa: PLR2004 - id, kind, size
                    process.kill()
                    raise UnreadableRepositoryError(f"the contents of {file.blob[:12]} are missing")
                content = process.stdout.read(int(head[2]))
                process.stdout.read(1)
                yield file, content
            process.stdin.close()

    def _run(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - git with our own arguments
                [*_GIT, *arguments], capture_output=True, timeout=_SECONDS, check=False, env=self._environment
            )
        except FileNotFoundError:
            raise UnreadableRepositoryError("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise UnreadableRepositoryError(f"it took longer than {_SECONDS} seconds") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise UnreadableRepositoryError(said[-1][:200] if said else f"it ended with {done.returncode}")
        return done.stdout


class GitProbe:
    """Probe of local repositories."""

    permissions: Mapping[str, tuple[str, ...]] = {
        "secret_at_head": ("read the repository's files",),
        "file_at_head": ("read the repository's files",),
    }

    def __init__(
        self, folders: Mapping[str, Path], now_us: Callable[[], int], needles: Mapping[str, bytes] | None = None
    ) -> None:
        """Look into repositories by name.

        Args:
            folders: repository as the question's ``target["repository"]`` names it, to its work tree or git folder.
            now_us: the time, microseconds since 1970 UTC.
            needles: question's ``uid`` to the secret's bytes, for ``secret_at_head``; held in memory only.
        """
        self._folders = folders
        self._now_us = now_us
        self._needles = dict(needles or {})

    def check(self, question: ProbeQuestion) -> ProbeResult:
        """Look once at the version that HEAD names, or at ``target["version"]``."""
        moment = self._now_us()
        folder = self._folders.get(question.target.get("repository", ""))
        if folder is None:
            return ProbeResult(question, "cannot_tell", moment, "the repository is not here")
        version = question.target.get("version", "HEAD")
        look = self._secret if question.check == "secret_at_head" else self._file
        try:
            commit = resolve(folder, version)
            with _Objects(folder, commit) as objects:
                standing, why = look(objects, question)
        except UnreadableRepositoryError as error:
            return ProbeResult(question, "cannot_tell", moment, f"git cannot read it: {error}")
        return ProbeResult(question, standing, moment, f"{why} (commit {commit[:12]})", {"commit": commit})

    def _file(self, objects: _Objects, question: ProbeQuestion) -> tuple[Standing, str]:
        path = question.target.get("path", "")
        if any(file.path == path.encode() for file in objects.files()):
            return "exploitable", f"{path} is there"
        return "closed", f"{path} is not there any more"

    def _secret(self, objects: _Objects, question: ProbeQuestion) -> tuple[Standing, str]:
        needle = self._needles.get(question.uid)
        if not needle:
            return "cannot_tell", "the secret was not given"
        files = list(objects.files())
        skipped = [file for file in files if file.kind != "blob" or file.size > LARGEST]
        within: list[str] = []
        elsewhere = len(skipped)
        for file, content in objects.contents([file for file in files if file not in skipped]):
            if needle in content:
                within.append(file.path.decode("utf-8", "replace"))
            elsewhere += content.startswith(_LFS)
        if within:
            more = f" and {len(within) - 1} more" if len(within) > 1 else ""
            return "exploitable", f"it is in {within[0]}{more}"
        if elsewhere:
            return "cannot_tell", f"{elsewhere} of {len(files)} files could not be looked into"
        return "closed", f"it is in none of {len(files)} files"


def resolve(folder: Path, version: str = "HEAD") -> str:
    """The commit a version names: ``HEAD``, a branch or tag, or a full id.

    Raises:
        UnreadableRepositoryError: nothing here has that name, or the refs are kept in another form.
    """
    home = _git_folder(folder)
    packed = _packed(home)
    name = version
    for _ in range(5):
        if _ID.fullmatch(name):
            return packed.get(f"{name}^", name)
        found = _ref(home, packed, name)
        if found is None:
            raise UnreadableRepositoryError(f"nothing here is named {version[:100]}")
        name = found
    raise UnreadableRepositoryError("the names of its versions go round in a circle")


def _ref(home: Path, packed: Mapping[str, str], name: str) -> str | None:
    if not _NAME.fullmatch(name) or ".." in name:
        return None
    for full in (name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}"):
        file = home / full
        if file.is_file() and not file.is_symlink() and file.resolve().is_relative_to(home.resolve()):
            return file.read_text(encoding="utf-8", errors="replace").strip().removeprefix("ref: ")
        if full in packed:
            return packed[full]
    return None


def _packed(home: Path) -> dict[str, str]:
    """Refs packed into one file; a line with ``^`` is the commit of the annotated tag before it."""
    file = home / "packed-refs"
    if not file.is_file() or file.is_symlink():
        return {}
    found: dict[str, str] = {}
    last = ""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("^"):
            found[f"{last}^"] = line[1:]
        elif not line.startswith("#"):
            last, _, name = line.partition(" ")
            found[name] = last
    return found


def _git_folder(folder: Path) -> Path:
    home = folder / ".git" if (folder / ".git").is_dir() else folder
    if not (home / "objects").is_dir() or (home / "objects").is_symlink():
        raise UnreadableRepositoryError("it is no git repository with objects of its own")
    if (home / "objects" / "info" / "alternates").exists():
        raise UnreadableRepositoryError("it borrows objects from another repository")
    if (home / "reftable").exists():
        raise UnreadableRepositoryError("it keeps its refs in a form that is not read here")
    return home
