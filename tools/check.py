"""``make check``: everything that can be said of the code without running it.

Each check runs, whatever the others said; the exit status is 1 when any of them failed. Name some to run only those:
``python -m tools.check types spelling``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import reference

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
LOCKS = ("uv.lock", "src/holdfast/web/package-lock.json")
FORBIDDEN: Mapping[str, re.Pattern[str]] = {
    # Written in two halves, so that this file does not forbid itself.
    "a path of the machine it was written on": re.compile(
        "/(wor" + r"k/|root/\.|Users/)|(?<!google\.com)/wor" + r"kspace/"
    ),
    "a package registry's address": re.compile("pypi" + r"\.org|pythonhosted\.org|registry\.npmjs\." + "org"),
    "work put off": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK|X" + r"XX)\b"),
}
_TEXT = (".py", ".md", ".toml", ".html", ".css", ".js", ".txt", ".yaml", ".yml", ".json", ".cfg", ".sh", "")


def command(*words: str) -> Callable[[], list[str]]:
    """A check that runs a program in the repository; what it wrote is its complaint when it fails."""

    def run() -> list[str]:
        found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        return [] if found.returncode == 0 else [(found.stdout + found.stderr).strip() or f"exit {found.returncode}"]

    return run


def tracked() -> list[Path]:
    """Every text file that git knows and that is there; locks excepted."""
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name and name not in LOCKS]
    return [path for path in map(ROOT.joinpath, names) if path.suffix in _TEXT and path.is_file()]


def forbidden_words() -> list[str]:
    """Lines that say something about where or how the code was written, which its reader cannot use."""
    found: list[str] = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            found += [
                f"{path.relative_to(ROOT)}:{number}: {what}" for what, made in FORBIDDEN.items() if made.search(line)
            ]
    return found


def references() -> list[str]:
    """Generated reference pages that are not what the code says now."""
    stale = reference.stale()
    return [f"{name} is out of date: python -m tools.reference" for name in stale]


def _uv() -> str:
    own = ROOT / ".uv" / "bin" / "uv"
    return str(own) if own.exists() else "uv"


CHECKS: Mapping[str, Callable[[], list[str]]] = {
    "style": command(str(BIN / "ruff"), "check", "--quiet", "."),
    "format": command(str(BIN / "ruff"), "format", "--check", "--quiet", "."),
    "types": command(str(BIN / "mypy")),
    "imports": command(str(BIN / "lint-imports")),
    "spelling": command(str(BIN / "codespell")),
    "words": forbidden_words,
    "reference": references,
    "lock": command(_uv(), "lock", "--check", "--quiet"),
}


def main(names: list[str]) -> int:
    """Run the named checks, or all; 1 when one fails."""
    failed: list[str] = []
    for name in names or list(CHECKS):
        started = time.monotonic()
        complaints = CHECKS[name]()
        print(f"{'ok    ' if not complaints else 'FAILED'} {name:<10} {time.monotonic() - started:5.1f} s", flush=True)
        for complaint in complaints:
            print(complaint)
        failed += [name] if complaints else []
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "All checks pass.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
