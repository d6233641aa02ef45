"""Write the generated reference pages, or name those that are not what the code says now.

``python -m tools.reference`` writes ``docs/reference/*.md``; ``--check`` only names stale pages and fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import pages_of_code, pages_of_exposure, pages_of_investigation, pages_of_library

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "runbook.md": pages_of_library.runbook_page,
    "commands.md": pages_of_code.commands_page,
    "plays.md": pages_of_library.plays_page,
    "severity.md": pages_of_library.severity_page,
    "authorisation.md": pages_of_library.authorisation_page,
    "events.md": pages_of_code.events_page,
    "errors.md": pages_of_code.errors_page,
    "exit-codes.md": pages_of_code.exit_codes_page,
    "sources.md": pages_of_investigation.sources_page,
    "activity.md": pages_of_investigation.activity_page,
    "queries.md": pages_of_investigation.queries_page,
    "spellings.md": pages_of_exposure.spellings_page,
    "settings.md": pages_of_code.settings_page,
}


def stale() -> list[str]:
    """Names of pages whose file is absent or differs from what the code says."""
    return [name for name, made in PAGES.items() if _text(name) != made()]


def write() -> list[str]:
    """Write what differs; names of the files written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    changed = stale()
    for name in changed:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
    return changed


def _text(name: str) -> str:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main(words: list[str]) -> int:
    """Write or check."""
    if "--check" in words:
        found = stale()
        print("\n".join(f"docs/reference/{name} is out of date" for name in found) or "The reference is up to date.")
        return 1 if found else 0
    for name in write():
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
