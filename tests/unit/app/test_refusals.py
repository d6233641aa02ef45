"""A refusal names the incident in what it tells a person to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.kernel.errors import RefusedError
from tests.house import open_house


def test_the_next_command_holds_the_incidents_own_id(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        incident = house.commanded(play="leaked-secret")
        with pytest.raises(RefusedError) as refused:
            house.do("ada", "step-done", incident, play_id="play-1", step="LS1")
        assert incident in refused.value.next_step
        assert "INC " not in refused.value.next_step
