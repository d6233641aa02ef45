"""The demo's real input: a git repository with a leak in its history, and files such as a team would have.

The secret is made up anew in every run, so that nothing in our source looks like one. It lives in memory and in the
repository, the release and the chat that the demo makes: it is never an argument, a log line or an event.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import string
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.kernel.errors import NotFoundError, UnavailableError
from holdfast.kernel.instants import format_instant
from holdfast.kernel.secrets import SecretValue

LEAK_DAYS = 21
FIX_DAYS = 16
CHAT_DAYS = 20
PUSHED_AFTER = 4
"""Minutes from a commit to its push."""
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


def write_pushes(repository: Path, file: Path) -> None:
    """What the code host says of pushes to the main branch: each a few minutes after its commit."""
    rows = []
    for line in git(repository, "log", "--format=%H %aI %an", "main").decode().splitlines():
        oid, made, author = line.split(" ", 2)
        pushed = datetime.fromisoformat(made) + timedelta(minutes=PUSHED_AFTER)
        who = next(account for account, name in _TEAM.items() if name == author)
        rows.append({"activity_type": "push", "actor": {"login": who}, "after": oid, "ref": "refs/heads/main",
                     "timestamp": format_instant(pushed)})  # fmt: skip
    _text(file, [json.dumps(rows, indent=1)])


def write_chat(folder: Path, leak: Leak, now: datetime) -> None:
    """A day of the team's chat, as the chat system exports it, in which somebody helps with what is secret."""
    day = now - timedelta(days=CHAT_DAYS)
    text = b"put AWS_SECRET_" + b"ACCESS_KEY=" + leak.secret.reveal() + b" into your shell, then it works"
    said = (("U01", "how do I deploy from my laptop?"), ("U02", text.decode()), ("U01", "thanks!"))
    messages = [
        {"text": words, "ts": f"{int(day.timestamp()) + number * 60}.000100", "type": "message", "user": user}
        for number, (user, words) in enumerate(said)
    ]
    people = [{"id": "U01", "real_name": _TEAM["lee"]}, {"id": "U02", "real_name": _TEAM["jo"]}]
    _text(folder / f"payments/{day:%Y-%m-%d}.json", [json.dumps(messages, indent=1)])
    _text(folder / "users.json", [json.dumps(people, indent=1)])


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
