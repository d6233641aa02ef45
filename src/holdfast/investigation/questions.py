"""The questions as data: a document read strictly into definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.kernel.documents import Table, fault
from holdfast.kernel.errors import BadInputError
from holdfast.kernel.parts import Part

IMPLICIT = Part("answer", "Answer", "Cite what the answer rests on.")
"""The one part of a question without named parts."""


@dataclass(frozen=True, slots=True)
class Question:
    """The definition of a question."""

    id: str
    """The runbook's id, I1 to I7."""
    name: str
    """Two or three words."""
    question: str
    why: str
    hints: tuple[str, ...]
    traps: tuple[str, ...]
    parts: tuple[Part, ...]
    """Never empty: see :data:`IMPLICIT`."""


def load(document: Mapping[str, Any]) -> tuple[Question, ...]:
    """The questions from a document.

    Raises:
        BadInputError: ``library-document-not-valid``, naming the faulty place.
    """
    table = Table(document, "")
    table.text("format", "questions")
    table.positive("version")
    questions = tuple(_question(found) for found in table.tables("questions"))
    table.finish()
    if not questions:
        raise fault("questions", "there is no question")
    ids = [question.id for question in questions]
    for index, found in enumerate(ids):
        if found in ids[:index]:
            raise fault(f"questions[{index}].id", f"{found!r} is there twice")
    return questions


def question_named(questions: Iterable[Question], question: str) -> Question:
    """The definition of a question.

    Raises:
        BadInputError: there is no such question; the error lists those there are.
    """
    known = tuple(questions)
    for found in known:
        if found.id == question:
            return found
    raise BadInputError(
        "question-unknown",
        f"There is no question {question}.",
        why=f"The questions are {', '.join(found.id for found in known)}.",
        next_step="Name one of those.",
    )


def _question(table: Table) -> Question:
    parts = tuple(_part(found) for found in table.tables("parts"))
    question = Question(
        id=table.text("id", r"[A-Z]{1,3}[1-9][0-9]?"),
        name=table.text("name"),
        question=table.text("question"),
        why=table.text("why"),
        hints=table.texts("hints"),
        traps=table.texts("traps"),
        parts=parts or (IMPLICIT,),
    )
    table.finish()
    keys = [part.key for part in parts]
    if len(set(keys)) != len(keys):
        raise fault(table.at("parts"), "a key is there twice")
    return question


def _part(table: Table) -> Part:
    part = Part(table.text("key", r"[a-z][a-z0-9_]{0,39}"), table.text("name"), table.text_or("hint", ""))
    table.finish()
    return part
