"""The little Markdown that the reference pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Made from the code by tools/reference.py; do not edit. -->"


def page(title: str, lead: str, *parts: str) -> str:
    """A page: the notice, its title, what it is, its parts; ends with one newline."""
    return "\n\n".join([GENERATED, f"# {title}", lead, *(part for part in parts if part)]) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty when it has no rows."""
    body = ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    if not body:
        return ""
    return "\n".join(["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns), *body])


def cell(text: str) -> str:
    """Text that stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Inline code."""
    return f"`{text}`"


def codes(texts: Iterable[object]) -> str:
    """Several pieces of inline code."""
    return ", ".join(code(text) for text in texts)


def bullets(items: Iterable[str]) -> str:
    """A list; empty when there is nothing in it."""
    return "\n".join(f"- {item}" for item in items)


def fence(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"
