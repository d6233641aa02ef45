"""Every case inside the investigation's library holds on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.engines.duck import DuckEngine
from holdfast.investigation.queries import Query
from tests.contract.library import CASES, DOCUMENTS, check, play, shapes


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckEngine]:
    found = DuckEngine(tmp_path, threads=1)
    yield found
    found.close()


@pytest.mark.parametrize("name", CASES)
def test_a_case_holds(engine: DuckEngine, name: str) -> None:
    document, case = CASES[name]
    check(document, case, play(engine, document, case))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_has_a_case(name: str) -> None:
    assert DOCUMENTS[name].cases


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_gives_text_whole_numbers_and_booleans_only(name: str) -> None:
    document = DOCUMENTS[name]
    columns = [column.name for column in shapes().describe(document.sql)]
    assert len(set(columns)) == len(columns)
    assert not isinstance(document, Query) or {"row_id", "what"} <= set(columns)
