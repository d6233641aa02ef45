"""Rounds record what time decides, once, and look only where something may be due."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.app import rounds
from tests.house import Clock, open_house


def test_a_clock_that_ran_out_is_recorded_once(tmp_path: Path) -> None:
    clock = Clock()
    with open_house(tmp_path, clock) as house:
        incident = house.declare()
        seen: rounds.Seen = {}
        assert rounds.make(house.app, seen) == 0
        clock.now += timedelta(minutes=16)
        assert rounds.make(house.app, seen) == 2
        missed = [event.data["clock"] for event in house.events(incident) if event.type == "clock.missed"]
        assert sorted(missed) == ["command", "first-fifteen"]
        assert rounds.make(house.app, seen) == 0


def test_a_freeze_is_warned_of_before_it_lapses(tmp_path: Path) -> None:
    clock = Clock()
    with open_house(tmp_path, clock) as house:
        incident = house.commanded()
        lapses = (clock.now + timedelta(hours=2)).isoformat()
        house.do("ada", "freeze-order", incident, scopes=["prod"], reason="a key leaked", expires_at=lapses)
        seen: rounds.Seen = {}
        rounds.make(house.app, seen)
        clock.now += timedelta(minutes=106)
        rounds.make(house.app, seen)
        assert house.types(incident).count("freeze.warned") == 1


def test_an_unchanged_incident_is_not_folded_again_before_its_next_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path) as house:
        house.declare()
        seen: rounds.Seen = {}
        rounds.make(house.app, seen)
        monkeypatch.setattr(rounds, "_one", lambda *_: pytest.fail("folded without need"))
        assert rounds.make(house.app, seen) == 0


def test_thousands_of_open_incidents_are_looked_at_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "AT_ONCE", 2)
    with open_house(tmp_path) as house:
        for _ in range(5):
            house.declare()
        seen: rounds.Seen = {}
        known = []
        for _ in range(3):
            rounds.make(house.app, seen)
            known.append(len(seen))
        assert known == [2, 4, 5]
