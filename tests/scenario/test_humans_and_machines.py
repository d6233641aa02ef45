"""People and programs told apart by rhythm, measured on real sessions with the program's name blanked.

The numbers stand in docs/investigation/humans-and-machines.md; this test holds the page to them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.humans_and_machines import CONSOLE, FEWEST, LABORATORY, Verdicts, judged, verdicts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "investigation" / "humans-and-machines.md"

pytestmark = pytest.mark.skipif(
    not (CONSOLE.is_dir() and LABORATORY.is_dir()), reason=f"the real logs are not here: {CONSOLE}, {LABORATORY}"
)


@pytest.fixture(scope="module")
def whole() -> Verdicts:
    return verdicts(pieces=False)


@pytest.fixture(scope="module")
def cut() -> Verdicts:
    return verdicts(pieces=True)


def test_no_program_is_called_a_person(whole: Verdicts, cut: Verdicts) -> None:
    assert whole.wrong == cut.wrong == 0


def test_nine_in_ten_console_sessions_are_called_people(whole: Verdicts) -> None:
    assert whole.recall >= 0.9


def test_short_pieces_are_rather_unclear_than_wrong(cut: Verdicts) -> None:
    assert cut.missed <= 1
    assert cut.precision >= 0.95


def test_the_long_run_of_a_program_is_called_one() -> None:
    found = {
        unit: said for unit, (human, said, row) in judged(pieces=False).items() if not human and row["events"] > 1000
    }
    assert found
    assert set(found.values()) == {"automated"}


def test_the_page_tells_these_numbers(whole: Verdicts, cut: Verdicts) -> None:
    lines = (whole.line("whole sessions"), cut.line(f"pieces of ten minutes with at least {FEWEST} acts"))
    print(*lines, sep="\n")  # noqa: T201 - the numbers are asked for
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    for line in lines:
        assert line in page
