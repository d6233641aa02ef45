"""Saved questions are read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.investigation.saved import read, saved
from holdfast.kernel.errors import BadInputError


def _document(**more: Any) -> dict[str, Any]:
    parameters = [{"name": "who", "title": "Who", "example": "ada"}]
    whole = {"format": "investigation-saved", "version": 1, "id": "one", "title": "One", "why": "Because."}
    return {**whole, "sql": "SELECT * FROM activity WHERE actor_uid = $who", "parameters": parameters, **more}


def test_shipped_questions_are_many_and_each_id_is_its_own() -> None:
    ids = [one.id for one in saved()]
    assert len(set(ids)) == len(ids) >= 12


def test_a_question_has_its_parameters() -> None:
    assert [one.name for one in read(_document()).parameters] == ["who"]


@pytest.mark.parametrize(
    "more",
    [
        {"sql": "SELECT * FROM activity WHERE actor_uid = $whom"},
        {"sql": "SELECT * FROM activity"},
        {"parameters": []},
        {"colour": "red"},
        {"format": "investigation-query"},
        {"parameters": [{"name": "Who; DROP", "title": "Who", "example": "ada"}]},
    ],
)
def test_a_question_that_is_not_whole_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        read(_document(**more))
