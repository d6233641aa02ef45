"""What reopening asks for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.kernel.errors import RefusedError
from tests.house import open_house


@pytest.mark.parametrize("disposition", ["false_positive", "duplicate_of"])
def test_reopened_it_is_real_and_no_single_person_closes_it_without_the_gates(tmp_path: Path, disposition: str) -> None:
    with open_house(tmp_path) as house:
        target = house.declare() if disposition == "duplicate_of" else None
        incident = house.commanded()
        said = {"disposition": disposition, "reason": "so it seems", "citations": ["#0"], "target": target}

        def given_up() -> None:
            house.do("ada", "disposition-propose", incident, **said)
            house.do("ben", "disposition-confirm", incident)
            house.do("ada", "close", incident)

        given_up()
        house.do("ben", "reopen", incident, reason="the key was used after all")
        life = house.app.states.incident(incident).incidents.lifecycle
        assert (life.status, life.disposition, life.duplicate_of) == ("investigating", "real", None)
        with pytest.raises(RefusedError, match="closes from recovering"):
            house.do("ada", "close", incident)
        given_up()
        assert house.app.states.incident(incident).incidents.status == "closed"
