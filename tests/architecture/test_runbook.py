"""Every item of the runbook is there, in order, with the parts it names."""

from __future__ import annotations

import pytest
from tools.pages_of_code import use_cases
from tools.pages_of_library import board_parts, runbook_names

from holdfast.app.state import TYPES
from holdfast.investigation.library import library as questions
from holdfast.plays.definitions import load
from holdfast.plays.library import library as plays

COUNTS = {"S": 4, "R": 5, "F": 6, "I": 7, "LS": 6, "CT": 5, "CA": 5, "C": 2, "X": 8, "V": 6}
IDS = [f"{letter}{number}" for letter, most in COUNTS.items() for number in range(1, most + 1)]
PARTS = {"F2": 5, "F5": 6, "I1": 4, "I2": 6, "I4": 4, "I5": 3, "LS2": 6, "CT2": 4, "CA3": 8, "CA4": 4}


def test_the_runbook_has_its_54_items_in_order() -> None:
    assert list(runbook_names()) == IDS
    assert len(IDS) == 54


@pytest.mark.parametrize("item", IDS)
def test_an_item_is_performed_by_a_command(item: str) -> None:
    assert [case.path for case in use_cases() if item in case.runbook]


@pytest.mark.parametrize("item", IDS)
def test_an_item_is_recorded_by_an_event(item: str) -> None:
    assert [kind.name for kind in TYPES.values() if item in kind.runbook]


def test_no_declaration_names_an_item_that_is_not_in_the_runbook() -> None:
    declared = {one for case in use_cases() for one in case.runbook} | {
        one for kind in TYPES.values() for one in kind.runbook
    }
    assert declared <= set(IDS)


@pytest.mark.parametrize(("item", "count"), PARTS.items())
def test_an_item_has_as_many_parts_as_the_runbook_names(item: str, count: int) -> None:
    found = {key: len(parts) for key, parts in board_parts().items()}
    found.update({row["id"]: len(row.get("parts", ())) for row in questions()["questions"]})
    found.update({step.id: len(step.parts) for document in plays().values() for step in load(document).steps})
    assert found[item] == count
