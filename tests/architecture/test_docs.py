"""What is written is true: references, commands, tests, decisions, dependencies, links."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools import error_codes, reference

from holdfast.app.settings import SETTINGS
from tests.architecture.commands import ROOT, SOURCE, command_at_start

DOCS = ROOT / "docs"
PAGES = sorted(path for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")] if "_build" not in path.parts)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("name", list(reference.PAGES))
def test_a_generated_page_says_what_the_code_says(name: str) -> None:
    kept = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert kept == reference.PAGES[name](), "write it anew: python -m tools.reference"


def test_every_error_code_that_is_raised_is_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (DOCS / "reference/errors.md").read_text(), re.MULTILINE))
    assert documented == set(error_codes.raised())
    assert len(documented) > 250
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in documented)


def test_every_environment_variable_that_is_read_is_a_documented_setting() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert set(re.findall(r"\bHOLDFAST_[A-Z_]+[A-Z]\b", text)) == {one.name for one in SETTINGS}


def commands_in(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip():
                yield line.strip().removeprefix("$ ")
    for line in re.findall(r"`(holdfast [^`\n]+)`", text):
        yield line


WRITTEN = [(place(path), line) for path in PAGES if "reference" not in path.parts for line in commands_in(path)]


@pytest.mark.parametrize(("page", "line"), WRITTEN, ids=[f"{page}: {line}" for page, line in WRITTEN])
def test_a_command_that_is_written_down_exists(page: str, line: str) -> None:
    words = shlex.split(line)
    if words[0] in ("make", "python3", "python", "sha256sum", "openssl", "bagit.py"):
        return
    assert words[0].removeprefix(".venv/bin/") == "holdfast", page
    found = command_at_start(words[1:])
    assert found is not None, f"{page}: there is no such command: {line}"
    command, given = found
    known = {option for one in command.params if one.param_type_name == "option" for option in one.opts} | {"--help"}
    options = {word.split("=")[0] for word in given if re.match(r"--?[a-z]", word)}
    assert options <= known, f"{page}: {line}"


COMPLETE = [
    (page, line) for page, line in WRITTEN if page.startswith(("docs/responder", "docs/administrator")) and " " in line
]


@pytest.mark.parametrize(("page", "line"), COMPLETE, ids=[f"{page}: {line}" for page, line in COMPLETE])
def test_a_command_of_a_manual_is_whole(page: str, line: str) -> None:
    words = shlex.split(line)
    found = command_at_start(words[1:]) if words[0] == "holdfast" else None
    if found is None or "INC" in words or "COMMAND" in words or found[0].name in ("holdfast", None):
        return
    command, given = found
    if line in prose(page):
        return
    command.make_context(command.name, [word for word in given if word != "--follow"], resilient_parsing=False).close()


def prose(page: str) -> set[str]:
    """Commands that a sentence only names."""
    return set(re.findall(r"`(holdfast [^`\n]+)`", (ROOT / page).read_text(encoding="utf-8")))


def test_every_threat_names_tests_that_exist() -> None:
    text = (DOCS / "developer/threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    rows = re.findall(r"^\| (T\d+) \|", text, re.MULTILINE)
    assert rows == [f"T{number}" for number in range(1, len(rows) + 1)]
    assert len(named) >= len(rows) > 30
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, f"{file}::{name}"


def test_decisions_are_numbered_once_and_say_what_was_rejected() -> None:
    found = sorted((DOCS / "adr").glob("[0-9]*.md"))
    numbers = [path.name[:4] for path in found]
    assert len(set(numbers)) == len(numbers)
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert re.search(r"\bRejected\b", text) or path.name.startswith("0001"), path.name
        assert re.search(r"\b(Decided|Decision)\b", text), path.name


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"]]
    groups = {**project["project"]["optional-dependencies"], **project["dependency-groups"]}
    for group in groups.values():
        wanted += group
    names = {re.split(r"[><=~! ]", one)[0] for one in wanted}
    text = (DOCS / "adr/0009-dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)) == names


@pytest.mark.parametrize("path", PAGES, ids=place)
def test_a_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith(("mailto:", "/")):
            assert (path.parent / target).exists(), f"{place(path)} -> {target}"
