"""Putting a guard into a repository: the rule file of what leaked, and the hook that asks before every commit.

Rules:
1. A hook that is there is never changed; what to add to it is told.
2. The hook refuses when it cannot ask: a commit that was not checked does not pass in silence.
3. The rule is tried on the value itself, plain and in base64, before it is called installed.
4. The folder of hooks is that of the repository; a folder that its configuration names is the user's own matter, told.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from holdfast.engines.exposure.git_layout import git_folder
from holdfast.engines.exposure.keeping import write_whole
from holdfast.exposure import leaked
from holdfast.exposure.leaked import SALT_BYTES, Leaked, LeakedMatcher, LeakedRules
from holdfast.kernel.errors import ConflictError, NotFoundError, UnavailableError
from holdfast.kernel.secrets import SecretValue

RULE_FILE = ".holdfast/leaked.toml"
CHECK = "holdfast exposure check --staged"
PRE_COMMIT_CONFIG = """\
repos:
  - repo: local
    hooks:
      - id: holdfast-exposure
        name: no leaked value comes back
        entry: holdfast exposure check --staged
        language: system
        pass_filenames: false
        always_run: true
"""
_HOOKS_PATH = re.compile(r"^\s*hooksPath\s*=\s*(?P<path>.+?)\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What was installed."""

    rule_file: Path
    entry: Leaked
    hook: Path | None
    """The hook that asks now; none when another one was there and does not."""
    notes: tuple[str, ...]


def install(place: Path, secret: SecretValue, *, incident: str, added: str, program: str) -> Guarded:
    """Write the rule and the hook.

    Args:
        place: work tree of the repository.
        secret: what leaked.
        incident: named in the rule file; may be empty.
        added: RFC 3339.
        program: path of this Holdfast, for when the hook finds none on the PATH.

    Raises:
        NotFoundError: there is no work tree.
        BadInputError: the value could be guessed, or the rule file that is there cannot be used.
        UnavailableError: a file cannot be written.
    """
    top, home = _tree(place)
    path = top / RULE_FILE
    try:
        rules = (
            leaked.parse(path.read_text(encoding="utf-8")) if path.exists() else LeakedRules(os.urandom(SALT_BYTES), ())
        )
        grown, entry = rules.with_value(secret, incident=incident, added=added)
        _prove(grown, secret)
        path.parent.mkdir(exist_ok=True)
        write_whole(path, grown.text().encode())
        path.chmod(0o644)
        hook, notes = _hook(home, program)
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(
            "guard-not-written",
            "The guard is not in place.",
            why=f"A file cannot be read or written: {getattr(error, 'strerror', None) or type(error).__name__}.",
            next_step="Make the repository writable, then: holdfast exposure guard install REPO --secret-stdin",
        ) from None
    return Guarded(path, entry, hook, notes)


def write_pre_commit_config(place: Path) -> Path:
    """Write a configuration for the pre-commit framework.

    Raises:
        NotFoundError: there is no work tree.
        ConflictError: there is a configuration already (``pre-commit-config-there``).
    """
    top, _ = _tree(place)
    path = top / ".pre-commit-config.yaml"
    if os.path.lexists(path):
        raise ConflictError(
            "pre-commit-config-there",
            "The pre-commit configuration was not written.",
            why=f"{path} is there already, and is not changed.",
            next_step=f"Add this to it:\n{PRE_COMMIT_CONFIG}",
        )
    path.write_text(PRE_COMMIT_CONFIG, encoding="utf-8")
    return path


def hook_text(program: str) -> str:
    """The hook: POSIX shell."""
    return f"""\
#!/bin/sh
# Installed by: holdfast exposure guard install. It refuses a commit that brings back a value that leaked.
if command -v holdfast >/dev/null 2>&1; then
  exec {CHECK}
fi
own={shlex.quote(program)}
if [ -x "$own" ]; then
  exec "$own" exposure check --staged
fi
echo 'Nothing was committed: this repository is guarded by Holdfast, which is not installed here.' >&2
echo 'Next: install it (pip install holdfast), then commit again.' >&2
exit 1
"""


def _prove(rules: LeakedRules, secret: SecretValue) -> None:
    """A rule that does not catch the value is no rule; this is a defect of ours, and never the user's."""
    matcher = LeakedMatcher(rules)
    value = secret.reveal()
    for sample in (value, b"x=" + value + b";", base64.b64encode(b"user:" + value)):
        assert matcher.find(sample), "the rule does not catch the value"


def _hook(home: Path, program: str) -> tuple[Path | None, tuple[str, ...]]:
    named = _HOOKS_PATH.search(_text(home / "config"))
    if named:
        return None, (f"The configuration takes hooks from {named['path']}: call there before a commit: {CHECK}",)
    path = home / "hooks" / "pre-commit"
    if os.path.lexists(path):
        if CHECK in _text(path):
            return path, ()
        return None, (f"{path} is there already and was not changed: add to it: {CHECK} || exit $?",)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, hook_text(program).encode())
    path.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    return path, ()


def _tree(place: Path) -> tuple[Path, Path]:
    """The work tree and the git folder that holds its hooks."""
    home = git_folder(place)
    if home is None or not (place / ".git").exists():
        raise NotFoundError(
            "repository-not-found",
            "The guard is not in place.",
            why=f"{place} is no work tree of a git repository.",
            next_step="Name the folder that holds .git: holdfast exposure guard install REPO --secret-stdin",
        )
    common = _text(home / "commondir").strip()
    return place, (home / common).resolve() if common else home


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""
