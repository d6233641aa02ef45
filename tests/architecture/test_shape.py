"""The form of the source: lengths, purity, and imports that look down only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from importlinter.api import read_configuration
from importlinter.application import use_cases

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "holdfast"
PURE = ("incidents", "evidence", "investigation", "exposure", "plays", "communications", "recovery", "ledger", "kernel")
CLOCKS = {"now", "utcnow", "today"}
READS_A_FILE_ITS_CALLER_NAMES = {
    "evidence/packs/reading.py",
    "evidence/packs/verify_pack.py",
}
"""Verifying a pack is reading it; an auditor runs ``verify_pack.py`` alone."""
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 50

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def place(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def test_imports_keep_every_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert use_cases.lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None), capsys.readouterr().out


def test_every_package_has_its_layer() -> None:
    configured = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    layers = next(one for one in configured if one["id"] == "layers")
    assert layers["exhaustive"] == "True"
    assert {"layers", "concrete", "pure", "surfaces", "acyclic"} <= {one["id"] for one in configured}
    assert set(PURE) == {name.removeprefix("holdfast.") for name in pure(configured)}


def pure(configured: list[dict[str, Any]]) -> list[str]:
    return next(one for one in configured if one["id"] == "pure")["source_modules"]


@pytest.mark.parametrize("path", sources(), ids=place)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_FILE


@pytest.mark.parametrize("path", sources(), ids=place)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {node.name: lines(node) for node in ast.walk(tree) if isinstance(node, Function)}
    assert {name: length for name, length in long.items() if length > MOST_LINES_OF_A_FUNCTION} == {}


def lines(function: Function) -> int:
    """Its own lines; those of functions inside it are theirs."""
    inner = sum(lines_of(node) for node in inside(function))
    return lines_of(function) - inner


def lines_of(node: Function) -> int:
    start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return (node.end_lineno or node.lineno) - start + 1


def inside(node: ast.AST) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child
        else:
            yield from inside(child)


@pytest.mark.parametrize("path", [path for path in sources() if place(path).startswith(PURE)], ids=place)
def test_a_domain_package_asks_no_clock_and_opens_no_file(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute):
            assert called.attr not in CLOCKS, f"{place(path)}:{node.lineno} asks the clock"
        if isinstance(called, ast.Name) and called.id == "open":
            assert place(path) in READS_A_FILE_ITS_CALLER_NAMES, f"{place(path)}:{node.lineno} opens a file"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "common", "core", "helpers", "services", "misc"}
    assert [place(path) for path in sources() if {path.stem, path.parent.name} & drawers] == []


def test_a_broad_except_stands_only_at_a_rim_and_says_so() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(text))):
            if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name | type(None)):
                name = node.type.id if isinstance(node.type, ast.Name) else "everything"
                if name in ("Exception", "BaseException", "everything"):
                    assert "# noqa: BLE001 - " in text[node.lineno - 1] or reraises(node), (
                        f"{place(path)}:{node.lineno}"
                    )


def reraises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
