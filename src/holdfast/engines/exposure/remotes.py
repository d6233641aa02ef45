"""Remote repositories: mirrored whole, with every ref the host offers, into a private kept folder, and searched there.

Rules:
1. Only https, ssh and (from this machine) http are spoken; no other transport of git, and none that runs a command.
2. Git runs with a configuration of ours: no hook, template, filter, submodule or maintenance takes part. Of the
   user's own configuration only what it takes to get there is used: credential helpers, ssh command, proxies,
   certificates, and address rewriting. There is no prompt: a host that refuses is a fault.
3. An address never carries a password: it would be in the process table. User names are fine.
4. Nothing is thrown away: refs follow the host, objects stay, so what was force-pushed away since is still found.
5. A mirror that could not be brought up to date is a fault, and what there is of it is searched all the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.app.ports_exposure import Listener, Searcher, Target
from holdfast.engines.exposure.hardening import scrubbed
from holdfast.engines.exposure.keeping import private_folder, write_whole
from holdfast.exposure.query import Query
from holdfast.exposure.results import Fault, Totals
from holdfast.kernel.errors import BadInputError

_SCP = re.compile(r"(?!-)(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//|\\)[A-Za-z0-9~/._+-][^\s]*")
_NEAR = ("127.0.0.1", "::1", "localhost")
_LONGEST_SECONDS = 12 * 3600
_UNSEEN = frozenset({"objects that a host keeps but offers nobody (force-pushed away, or of other forks)"})
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|SSH_AUTH_SOCK|SSH_AGENT_PID|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|GNUPGHOME"
    r"|https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_(?:FILE|DIR)|GIT_SSL_CAINFO"
    r"|GIT_SSH|GIT_SSH_COMMAND|GIT_SSH_VARIANT"
)
"""Variables that reaching a host may need; git's others could bend what is done here."""
_OWN = re.compile(r"(?i)credential\.|http\.|core\.sshcommand$|ssh\.variant$|url\.")
"""Settings of the user's own configuration that are used."""
_SETTINGS: Mapping[str, str] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.askPass": "",
    "fetch.unpackLimit": "1",
    "fetch.fsckObjects": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.fsckObjects": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.ssh.allow": "always",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "300",
}
_FETCH = (
    "--quiet",
    "--prune",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-show-forced-updates",
    "--update-head-ok",
)
_REFS = "+refs/*:refs/*"


def is_remote(where: str) -> bool:
    """Whether a target is the address of a remote repository rather than a path."""
    return where.startswith(("https://", "http://", "ssh://", "git+ssh://")) or bool(_SCP.fullmatch(where))


@dataclass(slots=True)
class RemoteSearcher:
    """Mirrors a remote and has the mirror searched."""

    mirrors: Path
    """Private folder in which mirrors are kept."""
    local: Searcher
    """What searches a repository on this machine."""
    environment: Mapping[str, str]
    """Of the user."""
    _own: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    def search(self, target: Target, query: Query, listener: Listener) -> Totals:
        """Bring the mirror up to date, then search it.

        Raises:
            BadInputError: the address is not one that is fetched from.
        """
        address = checked(target.where)
        if query.redact(address) != address:
            raise BadInputError(
                "address-with-secret",
                "The remote was not searched.",
                why="The secret is in its address, and git would show that in the process table.",
                next_step="Clone it by hand, then: holdfast exposure search --secret-stdin FOLDER",
            )
        mirror = self.mirrors / _folder_name(address)
        listener.progress(0, 0, "fetching")
        reason = self._fetch(address, mirror, query)
        if reason is not None:
            listener.fault(Fault(target.shown, "", reason))
        if not any((mirror / "objects" / "pack").glob("*.pack")):
            return Totals(not_searched=_UNSEEN)
        found = self.local.search(replace(target, where=str(mirror)), query, listener)
        return found + Totals(not_searched=_UNSEEN)

    def _fetch(self, address: str, mirror: Path, query: Query) -> str | None:
        """Bring a mirror up to date; why that did not work."""
        environment = self._surroundings(address, mirror, query)
        try:
            private_folder(self.mirrors)
            with (self.mirrors / f".{mirror.name}.lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                told = self._bring(environment, address, mirror)
        except (OSError, subprocess.SubprocessError) as error:
            return f"the mirror could not be brought up to date: {_said(error)}"
        _follow_head(mirror, told)
        return None

    def _bring(self, environment: Mapping[str, str], address: str, mirror: Path) -> str:
        """Make the mirror if need be and fetch; what the host says of its HEAD."""
        if not (mirror / "HEAD").exists():
            mirror.mkdir(mode=0o700, exist_ok=True)
            self._git(environment, "init", "--quiet", "--bare", "--template=", str(mirror))
        told = self._git(environment, "ls-remote", "--symref", "--", address, "HEAD")
        self._git(environment, "fetch", *_FETCH, "--", address, _REFS)
        return told

    def _git(self, environment: Mapping[str, str], *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - git with our own arguments; the address was checked
            ["git", *arguments],  # noqa: S607 - the user's own git, as found on the path
            capture_output=True,
            check=True,
            timeout=_LONGEST_SECONDS,
            env=dict(environment),
            cwd=self.mirrors,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        return done.stdout

    def _surroundings(self, address: str, mirror: Path, query: Query) -> dict[str, str]:
        """Variables for git: the few it needs to get there, and our settings, which no argument shows."""
        clean = scrubbed(self.environment, query.secrets)
        clean = {name: value for name, value in clean.items() if _PASSED_ON.fullmatch(name)}
        clean.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ServerAliveInterval=30")
        settings = [*self._own_settings(clean, query), *_SETTINGS.items()]
        if urlsplit(address).scheme == "http":
            settings.append(("protocol.http.allow", "always"))
        for number, (name, value) in enumerate(settings):
            clean[f"GIT_CONFIG_KEY_{number}"], clean[f"GIT_CONFIG_VALUE_{number}"] = name, value
        return {
            **clean,
            "LC_ALL": "C",
            "GIT_DIR": str(mirror),
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }

    def _own_settings(self, environment: Mapping[str, str], query: Query) -> list[tuple[str, str]]:
        """What of the user's and the system's configuration is used; none that holds a secret searched for."""
        found: list[tuple[str, str]] = []
        for scope in ("--system", "--global"):
            if scope not in self._own:
                self._own[scope] = _configuration(scope, environment)
            found += self._own[scope]
        if any(name.lower() == "core.sshcommand" for name, _ in found) and isinstance(environment, dict):
            environment.pop("GIT_SSH_COMMAND", None)
        return [(name, value) for name, value in found if query.redact(value) == value and query.redact(name) == name]


def checked(address: str) -> str:
    """An address that may be fetched from.

    Raises:
        BadInputError: it has a password in it, or is of a transport that is not spoken.
    """
    parts = urlsplit(address)
    if "://" not in address:
        return address
    if parts.password is not None:
        raise BadInputError(
            "address-with-password",
            "The remote was not searched.",
            why="Its address has a password in it, which the process table would show; it is in the shell's history.",
            next_step="Leave it out: git's own credential helper or ssh agent is asked.",
        )
    if parts.scheme == "http" and parts.hostname not in _NEAR:
        raise BadInputError(
            "address-not-private",
            "The remote was not searched.",
            why="Its address is http: what is fetched could be read and changed on the way.",
            next_step="Name it as https:// or ssh://.",
        )
    return address


def _follow_head(mirror: Path, told: str) -> None:
    """Let HEAD of the mirror be the host's."""
    match = re.match(r"ref: (refs/heads/[^\s]+)\tHEAD$", told, re.MULTILINE)
    if match is not None and ".." not in match[1]:
        write_whole(mirror / "HEAD", f"ref: {match[1]}\n".encode())


def _folder_name(address: str) -> str:
    """A readable name, and a digest that makes it one of its own."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", address.rsplit("://", maxsplit=1)[-1]).strip("-.")[:60]
    return f"{readable}-{hashlib.sha256(address.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.git"


def _configuration(scope: str, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    try:
        told = subprocess.run(  # noqa: S603 - git with our own arguments
            ["git", "config", scope, "--includes", "--null", "--list"],  # noqa: S607 - the user's own git
            capture_output=True,
            check=False,
            timeout=60,
            env=kept,
            cwd=os.sep,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    pairs = (entry.partition("\n") for entry in told.stdout.decode("utf-8", "surrogateescape").split("\0"))
    return [(name, value) for name, _, value in pairs if _OWN.match(name)]


def _said(error: Exception) -> str:
    """What git said last, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return "it took too long"
    if isinstance(error, FileNotFoundError):
        return "git is not installed"
    said = getattr(error, "stderr", None)
    lines = [line.strip() for line in said.splitlines() if line.strip()] if isinstance(said, str) else []
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    if telling:
        return telling[0].rstrip(".")[:300]
    return getattr(error, "strerror", None) or type(error).__name__
