"""Every error code that the source raises, found by reading its syntax, never by running it.

Rules:
1. A call of an error class with a constant first argument raises that code.
2. Where the first argument is a parameter of the enclosing function, that function raises whatever code its callers
   give it; this is followed through as many functions as pass it on, in the module and wherever it is imported.
3. ``verify_pack.py`` imports nothing of Holdfast; its own refusal stands for damage (exit status 9).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from holdfast.kernel import errors

SOURCE = Path(__file__).resolve().parent.parent / "src"
CLASSES: Mapping[str, type[errors.HoldfastError]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, errors.HoldfastError)
}
_ALONE = "holdfast.evidence.packs.verify_pack"


@dataclass(slots=True)
class Raised:
    """One code."""

    code: str
    classes: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    what: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    module: str
    callee: tuple[str, str]
    """Defining module (or the own one) and name."""
    node: ast.Call
    inside: tuple[str, tuple[str, ...]]
    """Enclosing function: its name and its parameters."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """What raises: which argument is the code, of which class, and the sentences it always says."""

    index: int
    kind: str
    what: str = ""
    next_step: str = ""


@cache
def raised() -> Mapping[str, Raised]:
    """Code to what is known of it, in order of code."""
    calls = [call for path in sorted(SOURCE.rglob("*.py")) for call in _calls(path)]
    makers = {("holdfast.kernel.errors", name): _Maker(0, name) for name in CLASSES}
    makers[(_ALONE, "RefusedError")] = _Maker(0, "DamagedError", "The pack is refused.")
    found: dict[str, Raised] = {}
    growing = True
    while growing:
        growing = False
        for call in calls:
            maker = makers.get(call.callee)
            given = _argument(call.node, maker.index) if maker else None
            if maker is None or given is None:
                continue
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                _note(found, given.value, maker, call)
            elif isinstance(given, ast.Name) and given.id in call.inside[1]:
                key = (call.module, call.inside[0])
                if key not in makers:
                    what, next_step = _sentences(maker, call)
                    makers[key] = _Maker(call.inside[1].index(given.id), maker.kind, what, next_step)
                    growing = True
    return dict(sorted(found.items()))


def _note(found: dict[str, Raised], code: str, maker: _Maker, call: _Call) -> None:
    entry = found.setdefault(code, Raised(code))
    entry.classes.add(maker.kind)
    entry.modules.add(call.module)
    if not entry.what:
        entry.what, entry.next_step = _sentences(maker, call)


def _sentences(maker: _Maker, call: _Call) -> tuple[str, str]:
    """What happened and the next step, as far as this call or the function it goes through says them."""
    if call.callee[0] != "holdfast.kernel.errors":
        return maker.what, maker.next_step
    named = {word.arg: word.value for word in call.node.keywords}
    return _words(_argument(call.node, 1)), _words(named.get("next_step"))


def _argument(call: ast.Call, index: int) -> ast.expr | None:
    return call.args[index] if index < len(call.args) else None


def _words(node: ast.expr | None) -> str:
    """A sentence with ``…`` where it depends on the case; empty when it depends on nothing else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _calls(path: Path) -> Iterator[_Call]:
    module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    yield from _within(tree, module, imported, ("", ()))


def _within(
    node: ast.AST, module: str, imported: Mapping[str, tuple[str, str]], inside: tuple[str, tuple[str, ...]]
) -> Iterator[_Call]:
    for child in ast.iter_child_nodes(node):
        here = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            here = (child.name, tuple(one.arg for one in child.args.posonlyargs + child.args.args))
        elif isinstance(child, ast.Call):
            callee = _callee(child.func, module, imported)
            if callee is not None:
                yield _Call(module, callee, child, inside)
        yield from _within(child, module, imported, here)


def _callee(func: ast.expr, module: str, imported: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
    if isinstance(func, ast.Name):
        return imported.get(func.id, (module, func.id))
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in imported:
        package, name = imported[func.value.id]
        return f"{package}.{name}", func.attr
    return None
