"""The demo's real input: a git repository with a leak in its history, and files such as a team would have.

The secret is made up anew in every run, so that nothing in our source looks like one. It lives in memory and in the
repository the demo makes, and is searched for in memory: it is never an argument, a log line or an event.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import string
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.kernel.errors import NotFoundError, UnavailableError
from holdfast.kernel.instants import format_instant
from holdfast.kernel.secrets import SecretValue

LEAK_DAYS = 21
FIX_DAYS = 16
SETTINGS_FILE = "deploy/settings.env"
_TEAM = {"jo": "Jo Park", "lee": "Lee Aziz"}
# (days ago, author, message, path, content); the two that matter are filled in when they are made.
_HISTORY: tuple[tuple[int, str, str, str, str], ...] = (
    (90, "jo", "Start the payments service", "README.md", "# payments\n"),
    (71, "lee", "Charge cards", "src/charge.py", "def charge(amount: int) -> bool:\n    return amount > 0\n"),
    (55, "jo", "Write receipts", "src/receipts.py", "def receipt(number: int) -> str:\n    return f'{number:06d}'\n"),
    (38, "lee", "Run the tests in the pipeline", "ci/pipeline.yml", "steps: [test, build, deploy]\n"),
    (LEAK_DAYS, "jo", "Make the deployment work from a laptop", SETTINGS_FILE, ""),
    (18, "lee", "Release 1.4.0", "VERSION", "1.4.0\n"),
    (FIX_DAYS, "jo", "Read settings from the environment", SETTINGS_FILE, "RECEIPTS=payments-receipts\n"),
    (9, "lee", "Release 1.5.0", "VERSION", "1.5.0\n"),
    (2, "jo", "Round amounts half up", "src/charge.py", "def charge(amount: int) -> bool:\n    return amount >= 1\n"),
)


@dataclass(frozen=True, slots=True)
class Leak:
    """The key of the story."""

    key_id: str
    secret: SecretValue

    @property
    def ending(self) -> str:
        """How people name it: by the end of its id."""
        return self.key_id[-4:]


def new_key_id() -> str:
    """A key id in the cloud's form; it opens nothing by itself."""
    return "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))


def new_leak() -> Leak:
    """A key that never existed."""
    return Leak(new_key_id(), SecretValue(base64.b64encode(secrets.token_bytes(30))))


# ---------------------------------------------------------------- the repository


def make_repository(folder: Path, leak: Leak, now: datetime) -> None:
    """A small history in which the secret was committed once, removed later, and released in between.

    Raises:
        NotFoundError: there is no git on this machine.
    """
    if shutil.which("git") is None:
        raise NotFoundError(
            "demo-needs-git",
            "The demo did not start.",
            why="It plays on a real git repository, and there is no git on this machine.",
            next_step="Install git, then: make demo",
        )
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for days, author, message, path, content in _HISTORY:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if content:
            file.write_text(content, encoding="utf-8")
        else:
            lines = (
                b"AWS_ACCESS_KEY_ID=",
                leak.key_id.encode(),
                b"\nAWS_SECRET_",
                b"ACCESS_KEY=",
                leak.secret.reveal(),
            )
            file.write_bytes(b"".join(lines) + b"\n")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", message, author=author, at=now - timedelta(days=days))
        if message.startswith("Release "):
            git(folder, "tag", f"v{content.strip()}")


def archive_release(repository: Path, tag: str, file: Path) -> None:
    """The artifact of a release, as a registry would hold it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    git(repository, "archive", f"--output={file}", tag)


def git(folder: Path, *arguments: str, author: str = "jo", at: datetime | None = None) -> bytes:
    """Run git apart from this machine's own configuration.

    Raises:
        UnavailableError: it failed.
    """
    run = subprocess.run(  # noqa: S603 - arguments of our own
        ["git", *arguments],  # noqa: S607 - whichever git the machine has
        cwd=folder,
        env=git_environment(author, at),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if run.returncode != 0:
        raise UnavailableError(
            "demo-git-failed",
            "The demo's repository could not be used.",
            why=f"git {arguments[0]} ended with {run.returncode}: {run.stderr.decode(errors='replace').strip()[:300]}",
            next_step="Check that git works here, for example: git --version",
        )
    return run.stdout


def git_environment(author: str = "jo", at: datetime | None = None) -> dict[str, str]:
    """The environment git runs in."""
    moment = format_instant(at or datetime.now(UTC))
    found = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C", "TZ": "UTC"}
    found["PATH"] = _path_of_git()
    for role in ("AUTHOR", "COMMITTER"):
        found[f"GIT_{role}_NAME"] = _TEAM[author]
        found[f"GIT_{role}_EMAIL"] = f"{author}@payments.example"
        found[f"GIT_{role}_DATE"] = moment
    return found


def _path_of_git() -> str:
    found = shutil.which("git")
    return f"{Path(found).parent if found else ''}:/usr/bin:/bin"


# ---------------------------------------------------------------- searching, in memory


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked through for the secret, and where it was."""

    place: str
    looked_at: int
    size: int
    """Bytes."""
    hits: tuple[str, ...]

    def as_json(self) -> Mapping[str, object]:
        """For the report that is kept as evidence."""
        return {"bytes": self.size, "hits": list(self.hits), "looked_at": self.looked_at, "place": self.place}


def forms(leak: Leak) -> tuple[bytes, ...]:
    """The value as it is, in base64, and URL-encoded: copies that masking would miss."""
    value = leak.secret.reveal()
    encoded = value.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
    return tuple(dict.fromkeys((value, base64.b64encode(value).rstrip(b"="), encoded)))


def search_repository(repository: Path, leak: Leak) -> Search:
    """Every object of every branch and tag, dangling ones too; hits are object ids, which are safe to write down."""
    listed = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
    ids = [line.split()[0] for line in listed.decode().splitlines() if line.endswith(" blob")]
    size, hits = 0, []
    for oid in ids:
        content = git(repository, "cat-file", "blob", oid)
        size += len(content)
        if any(form in content for form in forms(leak)):
            hits.append(oid)
    return Search("source control", len(ids), size, tuple(hits))


def search_files(place: str, folder: Path, leak: Leak) -> Search:
    """Every file below a folder, and every file inside archives there."""
    looked_at, size, hits = 0, 0, []
    for name, content in _contents(folder):
        looked_at += 1
        size += len(content)
        if any(form in content for form in forms(leak)):
            hits.append(name)
    return Search(place, looked_at, size, tuple(hits))


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".tar":
            with tarfile.open(path) as archive:
                for member in archive.getmembers():
                    file = archive.extractfile(member)
                    if file is not None:
                        yield f"{name}:{member.name}", file.read()
        elif path.is_file():
            yield name, path.read_bytes()


# ---------------------------------------------------------------- what is seen afterwards


def write_rollout(file: Path, workloads: Mapping[str, str], now: datetime) -> None:
    """What the cluster says after the new key was rolled out: workload to the credential it first used."""
    rows = [{"at": format_instant(now), "rolled_out": name, "uses": used} for name, used in workloads.items()]
    _lines(file, rows)


def write_refusals(file: Path, keys: Mapping[str, str], now: datetime) -> None:
    """What the cloud answered when the old keys were tried from our own machine (acted: there is no cloud here)."""
    answer = "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation"
    _lines(
        file, [{"at": format_instant(now), "answer": answer, "key": key, "user": user} for user, key in keys.items()]
    )


def _text(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lines(file: Path, rows: list[dict[str, str]]) -> None:
    _text(file, [json.dumps(row, sort_keys=True) for row in rows])
